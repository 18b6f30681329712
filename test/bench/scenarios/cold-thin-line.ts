// A cold file from an origin that is far away and stingy per connection, as seedboxes and file hosts are. All peers at
// the same time, each with a line of its own: at these rates the machine is idle.
import { fetchOnce } from '../client/connection.ts';
import { waitUntilQuiet } from '../origin/origin.ts';
import type { Scenario } from '../scenario.ts';
import { freshFiles, MiB, WARM_UP_FILE } from './files.ts';

const SIZE_BYTES = 64 * MiB;
const MOST_ROUNDS = 3;

export const coldThinLine: Scenario = {
  name: 'cold-thin-line',
  description:
    'One client reads a fresh 64 MiB file; origin with 80 ms a request, 5 MB/s a connection and a line of 12 MB/s. ' +
    `All peers at the same time, at most ${MOST_ROUNDS} rounds.`,
  metrics: [
    { samples: 'throughputMBps', label: 'throughput', unit: 'MB/s', decimals: 2 },
    { samples: 'firstByteMs', label: 'first byte', unit: 'ms', decimals: 1 },
    { samples: 'originShare', label: 'origin bytes / file bytes', unit: '', decimals: 3 },
  ],
  goals: [
    {
      text: 'issue 6: at least 11 MB/s, first byte within 92 ms, origin bytes = file bytes',
      holds: (figureOf) =>
        figureOf('larder', 'throughput') >= 11 &&
        figureOf('larder', 'first byte') <= 92 &&
        Math.abs(figureOf('larder', 'origin bytes / file bytes') - 1) < 0.001,
    },
  ],
  limitSeconds: 240,
  async run(run) {
    const rounds = Math.min(MOST_ROUNDS, run.rounds);
    const files = freshFiles('cold', rounds, SIZE_BYTES);
    const shape = { latencyMs: 80, connectionBytesPerSecond: 5e6, lineBytesPerSecond: 12e6 };
    const subjects = await run.startSubjects({ files, shape }, WARM_UP_FILE);
    await run.together(
      subjects,
      async ({ peer, origin }, round) => {
        const file = files[round]!;
        const result = await fetchOnce(peer.port, { path: peer.pathOf(file), file });
        await waitUntilQuiet(origin);
        return {
          throughputMBps: SIZE_BYTES / 1e3 / result.lastByteMs,
          firstByteMs: result.firstByteMs,
          originShare: (await origin.count(file.name)).bodyBytes / SIZE_BYTES,
        };
      },
      rounds,
    );
  },
};
