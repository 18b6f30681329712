// A house full of screens: 16 clients start the same fresh file at once over one line.
import { fetchOnce } from '../client/connection.ts';
import { waitUntilQuiet } from '../origin/origin.ts';
import type { Scenario } from '../scenario.ts';
import { settleDisk } from '../system/settle-disk.ts';
import { freshFiles, MiB, WARM_UP_FILE } from './files.ts';

const SIZE_BYTES = 64 * MiB;
const CLIENT_COUNT = 16;

export const sixteenClientsOneColdFile: Scenario = {
  name: 'sixteen-clients-one-cold-file',
  description:
    '16 clients read the same fresh 64 MiB file at once; origin with 20 ms a request and a line of 40 MB/s (the line ' +
    'alone needs 1.70 s). Asked directly only once, as that takes half a minute.',
  metrics: [
    { samples: 'seconds', label: 'until all have it', unit: 's', decimals: 2 },
    { samples: 'originShare', label: 'origin bytes / file bytes', unit: '', decimals: 3 },
    { samples: 'slowestFirstByteMs', label: 'slowest first byte', unit: 'ms', decimals: 0 },
  ],
  goals: [
    {
      text: 'issue 2: origin bytes = file bytes',
      holds: (figureOf) => Math.abs(figureOf('larder', 'origin bytes / file bytes') - 1) < 0.001,
    },
    {
      text: 'issue 2: no slower than rclone (3 % allowed for noise)',
      holds: (figureOf) => figureOf('larder', 'until all have it') <= 1.03 * figureOf('rclone', 'until all have it'),
    },
    { text: 'issue 6: within 1.78 s', holds: (figureOf) => figureOf('larder', 'until all have it') <= 1.78 },
  ],
  limitSeconds: 300,
  async run(run) {
    const files = freshFiles('cold', run.rounds, SIZE_BYTES);
    const shape = { latencyMs: 20, lineBytesPerSecond: 40e6 };
    const subjects = await run.startSubjects({ files, shape }, WARM_UP_FILE);
    await run.interleave(subjects, async ({ peer, origin }, round) => {
      if (peer.name === 'direct' && round > 0) return undefined;
      const file = files[round]!;
      await settleDisk(run.folder);
      const exchange = { path: peer.pathOf(file), file };
      const results = await Promise.all(Array.from({ length: CLIENT_COUNT }, () => fetchOnce(peer.port, exchange)));
      await waitUntilQuiet(origin);
      return {
        seconds: Math.max(...results.map((result) => result.lastByteMs)) / 1000,
        originShare: (await origin.count(file.name)).bodyBytes / SIZE_BYTES,
        slowestFirstByteMs: Math.max(...results.map((result) => result.firstByteMs)),
      };
    });
  },
};
