// How much later than from the origin itself a player sees its first byte, at places nobody has read yet. Each sample
// asks the origin and then the peer for the same offset, each on a new connection, so that the difference is paired.
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchOnce } from '../client/connection.ts';
import type { Scenario } from '../scenario.ts';
import { quantile, randomFrom } from '../statistics.ts';
import { freshFiles, GiB, WARM_UP_FILE } from './files.ts';

const SIZE_BYTES = GiB;
const READ_BYTES = 64 * 1024;
const OFFSETS_PER_FILE = 4;
const PAUSE_MS = 200;

export const coldLatencyFirstByte: Scenario = {
  name: 'cold-latency-first-byte',
  description:
    'First byte at the start and at 3 random offsets of fresh 1 GiB files; origin with 80 ms a request and 5 MB/s a ' +
    'connection; open range, dropped after 64 KiB, next seek 200 ms later.',
  metrics: [
    { samples: 'firstByteMs', label: 'first byte', unit: 'ms', decimals: 1 },
    {
      samples: 'firstByteMs',
      label: 'first byte p95',
      unit: 'ms',
      decimals: 1,
      statistic: (all) => quantile(all, 0.95),
    },
    { samples: 'laterThanOriginMs', label: 'later than the origin', unit: 'ms', decimals: 1 },
  ],
  goals: [
    {
      text: 'issue 2: first byte within 10 ms of asking the origin directly',
      holds: (figureOf) => figureOf('larder', 'later than the origin') <= 10,
    },
    { text: 'issue 6: first byte within 92 ms', holds: (figureOf) => figureOf('larder', 'first byte') <= 92 },
  ],
  limitSeconds: 240,
  async run(run) {
    const files = freshFiles('cold', run.rounds, SIZE_BYTES);
    const shape = { latencyMs: 80, connectionBytesPerSecond: 5e6 };
    const subjects = await run.startSubjects({ files, shape }, WARM_UP_FILE);
    const sampleCount = run.rounds * OFFSETS_PER_FILE;
    await run.interleave(
      subjects,
      async ({ peer, origin }, sample) => {
        const file = files[Math.floor(sample / OFFSETS_PER_FILE)]!;
        const isStart = sample % OFFSETS_PER_FILE === 0;
        const start = isStart ? 0 : Math.floor(randomFrom(run.seed * 1000 + sample)() * (SIZE_BYTES - READ_BYTES));
        const exchange = { file, range: { start, end: SIZE_BYTES }, dropAfterBytes: READ_BYTES };
        const direct = await fetchOnce(origin.port, { ...exchange, path: `/${file.name}` });
        const through = await fetchOnce(peer.port, { ...exchange, path: peer.pathOf(file) });
        await sleep(PAUSE_MS);
        return { firstByteMs: through.firstByteMs, laterThanOriginMs: through.firstByteMs - direct.firstByteMs };
      },
      sampleCount,
    );
  },
};
