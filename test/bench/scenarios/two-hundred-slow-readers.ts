// Memory under many readers that take their time, as players do: what is held for each of them adds up.
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../client/connection.ts';
import { paceOf } from '../client/pace.ts';
import type { BenchFile } from '../content.ts';
import type { Scenario } from '../scenario.ts';
import { fillCache, type Subject } from '../scenario-run.ts';
import { randomFrom } from '../statistics.ts';
import { readCpuSeconds, readMemory, resetPeak } from '../system/process-tree.ts';
import { MiB, WARM_UP_FILE } from './files.ts';

const FILE: BenchFile = { name: 'warm.bin', sizeBytes: 256 * MiB, seed: 23 };
const READER_COUNT = 200;
const BYTES_PER_SECOND = 1e6;
const RANGE_BYTES = 64 * MiB;
const WATCH_MS = 5_000;
// The client counts in bursts of at most 512 KiB, so a reader that lacks nothing may show up to a tenth less.
const SERVED_SHARE = 0.9;

async function watch({ peer }: Subject, seed: number) {
  resetPeak(peer.pid);
  const random = randomFrom(seed);
  const cpuBefore = readCpuSeconds(peer.pid);
  const readers = await Promise.all(Array.from({ length: READER_COUNT }, () => Connection.open(peer.port)));
  const path = peer.pathOf(FILE);
  let isOver = false;
  const failure = Promise.withResolvers<never>();
  const reading = readers.map((reader) => {
    const start = Math.floor(random() * (FILE.sizeBytes - RANGE_BYTES));
    const range = { start, end: start + RANGE_BYTES };
    return reader.get({ path, file: FILE, range, pace: paceOf(BYTES_PER_SECOND) }).catch((error: unknown) => {
      if (!isOver) failure.reject(error);
    });
  });
  try {
    await Promise.race([sleep(WATCH_MS), failure.promise]);
    const dueBytes = (BYTES_PER_SECOND * WATCH_MS) / 1000;
    const shares = readers.map((reader) => reader.bodyBytes / dueBytes);
    return {
      servedReaders: shares.filter((share) => share >= SERVED_SHARE).length,
      slowestShare: Math.min(...shares),
      cpuSeconds: readCpuSeconds(peer.pid) - cpuBefore,
      peakMB: readMemory(peer.pid).peakResidentBytes / 1e6,
      proportionalMB: readMemory(peer.pid).proportionalBytes / 1e6,
    };
  } finally {
    isOver = true;
    for (const reader of readers) reader.drop();
    await Promise.all(reading);
  }
}

export const twoHundredSlowReaders: Scenario = {
  name: 'two-hundred-slow-readers',
  description: '200 readers of 8 Mbit/s each, for 5 s, at random places of a cached 256 MiB file.',
  metrics: [
    {
      samples: 'servedReaders',
      label: 'readers served in full',
      unit: '',
      decimals: 0,
      statistic: (all) => Math.min(...all),
    },
    { samples: 'slowestShare', label: 'slowest reader, share of its rate', unit: '', decimals: 2 },
    { samples: 'peakMB', label: 'peak memory', unit: 'MB', decimals: 0 },
    { samples: 'proportionalMB', label: 'memory, shared pages once', unit: 'MB', decimals: 0 },
    { samples: 'cpuSeconds', label: 'CPU in 5 s', unit: 's', decimals: 2 },
  ],
  goals: [
    {
      text: 'issue 2: all served, memory below 200 MB',
      holds: (figureOf) =>
        figureOf('larder', 'readers served in full') === 200 && figureOf('larder', 'peak memory') < 200,
    },
    {
      text: 'issue 6: memory at most 90 MB, CPU at most 0.8 s',
      holds: (figureOf) => figureOf('larder', 'peak memory') <= 90 && figureOf('larder', 'CPU in 5 s') <= 0.8,
    },
  ],
  limitSeconds: 300,
  async run(run) {
    const subjects = await run.startSubjects({ files: [FILE] }, WARM_UP_FILE);
    await run.interleave(subjects, (subject) => fillCache(subject, FILE).then(() => undefined), 1);
    await run.interleave(subjects, async (subject, round) => {
      const samples = await watch(subject, run.seed * 1000 + round);
      await sleep(500);
      return samples;
    });
  },
};
