// More readers at the same time, each at the rate of a film: what is held for each of them, and what a byte costs.
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, fetchOnce } from '../../client/connection.ts';
import { paceOf } from '../../client/pace.ts';
import type { BenchFile } from '../../content.ts';
import type { RunningPeer } from '../../peers/peer.ts';
import { MiB } from '../../scenarios/files.ts';
import { randomFrom } from '../../statistics.ts';
import { readMemory, readThreadTime, resetPeak } from '../../system/process-tree.ts';
import type { Curve } from '../curve.ts';
import { waitUntilAtRest } from '../growth-run.ts';

const FILE: BenchFile = { name: 'film.bin', sizeBytes: 256 * MiB, seed: 23 };
const BYTES_PER_SECOND = 1e6;
const RANGE_BYTES = 64 * MiB;
/** Few readers are watched for longer, so that as many bytes are looked at. */
const WATCH_MS = { least: 8_000, most: 20_000, ofReaders: 200_000 };
// The client counts in bursts of at most 512 KiB, so a reader that lacks nothing may show less.
const SERVED_SHARE = 0.9;
/** What all readers got in one second is compared with what their next one costs: opening is not part of it. */
const OPEN_MS = 1_000;

async function watch(peer: RunningPeer, readerCount: number, seed: number) {
  const random = randomFrom(seed);
  resetPeak(peer.pid);
  const readers = await Promise.all(Array.from({ length: readerCount }, () => Connection.open(peer.port)));
  let isOver = false;
  const failure = Promise.withResolvers<never>();
  const path = peer.pathOf(FILE);
  const reading = readers.map((reader) => {
    const start = Math.floor(random() * (FILE.sizeBytes - RANGE_BYTES));
    const range = { start, end: start + RANGE_BYTES };
    return reader.get({ path, file: FILE, range, pace: paceOf(BYTES_PER_SECOND) }).catch((error: unknown) => {
      if (!isOver) failure.reject(error);
    });
  });
  const bodyBytes = () => readers.reduce((sum, reader) => sum + reader.bodyBytes, 0);
  try {
    await Promise.race([sleep(OPEN_MS), failure.promise]);
    const before = { processorMs: readThreadTime(peer.pid).allMs, bytes: bodyBytes() };
    const watchMs = Math.max(WATCH_MS.least, Math.min(WATCH_MS.most, WATCH_MS.ofReaders / readerCount));
    await Promise.race([sleep(watchMs), failure.promise]);
    const processorSeconds = (readThreadTime(peer.pid).allMs - before.processorMs) / 1e3;
    const dueBytes = (BYTES_PER_SECOND * (OPEN_MS + watchMs)) / 1000;
    return {
      servedShare: readers.filter((reader) => reader.bodyBytes >= SERVED_SHARE * dueBytes).length / readerCount,
      processorSecondsPerGB: processorSeconds / ((bodyBytes() - before.bytes) / 1e9),
      peakMB: readMemory(peer.pid).peakResidentBytes / 1e6,
    };
  } finally {
    isOver = true;
    for (const reader of readers) reader.drop();
    await Promise.all(reading);
  }
}

export const readers: Curve = {
  name: 'readers',
  description: 'Readers of 8 Mbit/s each at random places of a cached file of 256 MiB.',
  sizeLabel: 'readers',
  sizes: [1, 10, 50, 100, 200, 500],
  columns: [
    {
      cost: 'processorSecondsPerGB',
      label: 'CPU',
      unit: 's/GB',
      decimals: 2,
      may: { kind: 'constant', noise: 0.1 },
    },
    {
      cost: 'peakMB',
      label: 'peak memory',
      unit: 'MB',
      decimals: 0,
      may: { kind: 'linear', noise: 1, mostPerUnit: 0.3 },
    },
    { cost: 'servedShare', label: 'readers served in full', unit: 'share', decimals: 2 },
  ],
  limitSeconds: 120,
  async measure(run, readerCount) {
    const origin = await run.startOrigin([FILE]);
    const { peer } = await run.startLarder(origin);
    await fetchOnce(peer.port, { path: peer.pathOf(FILE), file: FILE });
    await waitUntilAtRest(peer);
    return watch(peer, readerCount, run.seed);
  },
};
