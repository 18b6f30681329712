// From the start of the program to the first byte of a film, with nothing in the cache and with something there.
import { fetchOnce } from '../client/connection.ts';
import type { BenchFile } from '../content.ts';
import type { Scenario } from '../scenario.ts';
import { fetchWhole, type Subject } from '../scenario-run.ts';
import { MiB, WARM_UP_FILE } from './files.ts';

const FILM: BenchFile = { name: 'film.bin', sizeBytes: 256 * MiB, seed: 11 };
const READ_BYTES = 64 * 1024;

export const launch: Scenario = {
  name: 'launch',
  description:
    'Program start to first byte, on an empty folder and, after a clean stop, on one with 257 MiB cached. The origin ' +
    'answers at once.',
  metrics: [
    { samples: 'emptyMs', label: 'empty', unit: 'ms', decimals: 0 },
    { samples: 'filledMs', label: '257 MiB cached', unit: 'ms', decimals: 0 },
  ],
  goals: [
    {
      text: 'issue 6: within 120 ms, empty and filled',
      holds: (figureOf) => figureOf('larder', 'empty') <= 120 && figureOf('larder', '257 MiB cached') <= 120,
    },
  ],
  limitSeconds: 240,
  async run(run) {
    const origins = await run.startSubjects({ files: [FILM] }, WARM_UP_FILE);
    const subjects = origins.filter(({ peer }) => peer.name !== 'direct');
    for (const { peer } of subjects) await peer.stop();
    await run.interleave(subjects, async ({ peer: { name }, origin }, round) => {
      const launchAndRead = async (file: BenchFile): Promise<Subject & { ms: number }> => {
        const startedAtMs = performance.now();
        const peer = await run.startPeer(name, origin, `${name}-${round}`);
        const exchange = { path: peer.pathOf(file), file, range: { start: 0, end: READ_BYTES } };
        await fetchOnce(peer.port, exchange);
        return { peer, origin, ms: performance.now() - startedAtMs };
      };
      const empty = await launchAndRead(WARM_UP_FILE);
      await fetchWhole(empty, WARM_UP_FILE);
      await fetchWhole(empty, FILM);
      await empty.peer.stop();
      const filled = await launchAndRead(FILM);
      await filled.peer.stop();
      return { emptyMs: empty.ms, filledMs: filled.ms };
    });
  },
};
