// What a curious viewer costs the origin: jump somewhere, look at 256 KiB, leave. Counted until the origin has been
// quiet for a while (or 8 s have passed, so a cache that goes on reading for ever pays for 8 s).
import { fetchOnce } from '../client/connection.ts';
import type { BenchFile } from '../content.ts';
import { waitUntilQuiet } from '../origin/origin.ts';
import type { Scenario } from '../scenario.ts';
import type { Subject } from '../scenario-run.ts';
import { quantile, randomFrom } from '../statistics.ts';
import { freshFiles, GiB, WARM_UP_FILE } from './files.ts';

const SIZE_BYTES = 4 * GiB;
const READ_BYTES = 256 * 1024;
const REPEATED_SEEKS_PER_ROUND = 2;
const QUIET_MS = 400;
const QUIET_LIMIT_MS = 8_000;

async function seekAndLeave({ peer, origin }: Subject, file: BenchFile, start: number) {
  const { bodyBytes: before } = await origin.count();
  const range = { start, end: SIZE_BYTES };
  const exchange = { path: peer.pathOf(file), file, range, dropAfterBytes: READ_BYTES };
  const { firstByteMs } = await fetchOnce(peer.port, exchange);
  await waitUntilQuiet(origin, QUIET_MS, QUIET_LIMIT_MS);
  const { bodyBytes: after } = await origin.count();
  return { firstByteMs, originMB: (after - before) / 1e6 };
}

export const seekDrop: Scenario = {
  name: 'seek-drop',
  description:
    'Open range at a random offset of a cold 4 GiB file, dropped after 256 KiB; origin with 80 ms a request and ' +
    '5 MB/s a connection. Once on a file nobody has touched and twice on one that is seeked in all the time.',
  metrics: [
    { samples: 'untouchedFirstByteMs', label: 'untouched file: first byte', unit: 'ms', decimals: 1 },
    { samples: 'untouchedOriginMB', label: 'untouched file: origin bytes', unit: 'MB', decimals: 2 },
    { samples: 'repeatedFirstByteMs', label: 'repeated: first byte', unit: 'ms', decimals: 1 },
    {
      samples: 'repeatedFirstByteMs',
      label: 'repeated: first byte p95',
      unit: 'ms',
      decimals: 1,
      statistic: (all) => quantile(all, 0.95),
    },
    { samples: 'repeatedOriginMB', label: 'repeated: origin bytes per seek', unit: 'MB', decimals: 2 },
    {
      samples: 'repeatedOriginMB',
      label: 'repeated: worst seek',
      unit: 'MB',
      decimals: 2,
      statistic: (all) => Math.max(...all),
    },
  ],
  goals: [
    {
      text: 'issue 2: a dropped seek costs the origin less than 1 MB (untouched file)',
      holds: (figureOf) => figureOf('larder', 'untouched file: origin bytes') < 1,
    },
    {
      text: 'issue 2: a dropped seek costs the origin less than 1 MB (repeated, the worst)',
      holds: (figureOf) => figureOf('larder', 'repeated: worst seek') < 1,
    },
    {
      text: 'issue 6: first byte within 92 ms (p95 135), 0.6 MB per seek',
      holds: (figureOf) =>
        figureOf('larder', 'repeated: first byte') <= 92 &&
        figureOf('larder', 'repeated: first byte p95') <= 135 &&
        figureOf('larder', 'repeated: origin bytes per seek') <= 0.6,
    },
  ],
  limitSeconds: 480,
  async run(run) {
    const untouched = freshFiles('untouched', run.rounds, SIZE_BYTES);
    const [seeked] = freshFiles('seeked', 1, SIZE_BYTES) as [BenchFile];
    const shape = { latencyMs: 80, connectionBytesPerSecond: 5e6 };
    const subjects = await run.startSubjects({ files: [seeked, ...untouched], shape }, WARM_UP_FILE);
    await run.interleave(subjects, async (subject, round) => {
      const random = randomFrom(run.seed * 1000 + round);
      const nextStart = () => Math.floor(random() * (SIZE_BYTES - 64 * READ_BYTES));
      const first = await seekAndLeave(subject, untouched[round]!, nextStart());
      for (let seek = 0; seek < REPEATED_SEEKS_PER_ROUND; seek++) {
        const { firstByteMs, originMB } = await seekAndLeave(subject, seeked, nextStart());
        run.record(subject.peer.name, { repeatedFirstByteMs: firstByteMs, repeatedOriginMB: originMB });
      }
      return { untouchedFirstByteMs: first.firstByteMs, untouchedOriginMB: first.originMB };
    });
  },
};
