// A cache with more and more in it: starting, finding one thing, listing and evicting.

import { addCopies } from '../../../endurance/many-entries-folder.ts';
import { fetchOnce } from '../../client/connection.ts';
import type { Origin } from '../../origin/origin.ts';
import type { RunningPeer } from '../../peers/peer.ts';
import { median, randomFrom } from '../../statistics.ts';
import { readMemory, readThreadTime } from '../../system/process-tree.ts';
import type { Curve } from '../curve.ts';
import { type GrowthRun, waitUntilAtRest } from '../growth-run.ts';
import { askApi, costOf, costOfEach } from '../probes.ts';

const KiB = 1024;
const READ_BYTES = 64 * KiB;
const ENTRY_BYTES = 256 * KiB;
const SEED = 37;
const STARTS = 5;
/** Each start opens so many entries for the first time: there are enough of them at every size. */
const OPENED = 90;
const WARM_READS = 4_000;
const LISTED_PAGES = 60;
const EVICTED = 60;

/** The original, or a copy of it. */
function filmAt(index: number) {
  return { name: index === 0 ? 'film.mkv' : `film-${index}.mkv`, sizeBytes: ENTRY_BYTES, seed: SEED };
}

function readOf(peer: RunningPeer, index: number) {
  const file = filmAt(index);
  return { path: peer.pathOf(file), file, range: { start: 0, end: READ_BYTES } };
}

async function prepare(run: GrowthRun, origin: Origin, entries: number): Promise<void> {
  const { peer } = await run.startLarder(origin);
  await fetchOnce(peer.port, { path: peer.pathOf(filmAt(0)), file: filmAt(0) });
  await peer.stop();
  await addCopies(run.dataFolder, entries - 1, 'links');
}

async function measureStart(run: GrowthRun, origin: Origin, entries: number, random: () => number) {
  const startedAtMs = performance.now();
  const { peer, startMs } = await run.startLarder(origin);
  await fetchOnce(peer.port, readOf(peer, 0));
  const firstByteMs = performance.now() - startedAtMs;
  const startProcessorMs = readThreadTime(peer.pid).allMs;
  await waitUntilAtRest(peer);
  const restProcessorMs = readThreadTime(peer.pid).allMs;
  const memoryMB = readMemory(peer.pid).residentBytes / 1e6;
  const first = 1 + Math.floor(random() * (entries - OPENED - 1));
  const opening = Array.from({ length: OPENED }, (_, index) => readOf(peer, first + index));
  const opened = await costOfEach(peer, opening);
  const openMicroseconds = opened.processorMs * 1e3;
  return { peer, costs: { startMs, firstByteMs, startProcessorMs, restProcessorMs, memoryMB, openMicroseconds } };
}

async function measureUse(peer: RunningPeer, token: string, entries: number) {
  const reading = Array.from({ length: WARM_READS }, () => readOf(peer, 0));
  await costOfEach(peer, reading.slice(0, WARM_READS / 4));
  const warm = await costOfEach(peer, reading);
  const list = async () => {
    for (let page = 0; page < LISTED_PAGES; page++) await askApi(peer, { path: 'entries?limit=50', token });
  };
  await list();
  const listed = await costOf(peer, list);
  await waitUntilAtRest(peer);
  const cacheSize = String((entries - EVICTED) * ENTRY_BYTES);
  const evicting = await costOf(peer, async () => {
    await askApi(peer, { path: 'storage', token, method: 'PATCH', body: { cacheSize } });
    await waitUntilAtRest(peer);
  });
  const status = await askApi(peer, { path: 'status', token });
  if (!status.includes(`"entries":${entries - EVICTED}`)) throw new Error(`not so many entries are left: ${status}`);
  return {
    warmMicroseconds: warm.processorMs * 1e3,
    listMicroseconds: (listed.mainMs * 1e3) / LISTED_PAGES,
    evictMicroseconds: (evicting.mainMs * 1e3) / EVICTED,
  };
}

export const entries: Curve = {
  name: 'entries',
  description: 'A cache of so many whole files of 256 KiB.',
  sizeLabel: 'entries',
  sizes: [100, 1_000, 5_000, 20_000],
  columns: [
    { cost: 'startMs', label: 'start', unit: 'ms', decimals: 0, may: { kind: 'constant', noise: 60 } },
    {
      cost: 'firstByteMs',
      label: 'start to the first byte of a film',
      unit: 'ms',
      decimals: 0,
      may: { kind: 'constant', noise: 60 },
    },
    { cost: 'startProcessorMs', label: 'CPU of that', unit: 'ms', decimals: 0, may: { kind: 'constant', noise: 60 } },
    {
      cost: 'restProcessorMs',
      label: 'CPU until all is compared',
      unit: 'ms',
      decimals: 0,
      may: { kind: 'linear', noise: 60, mostPerUnit: 0.1 },
    },
    {
      cost: 'memoryMB',
      label: 'memory then',
      unit: 'MB',
      decimals: 0,
      may: { kind: 'linear', noise: 10, mostPerUnit: 0.002 },
    },
    {
      cost: 'warmMicroseconds',
      label: 'CPU of 64 KiB of one film',
      unit: 'µs',
      decimals: 0,
      may: { kind: 'constant', noise: 20 },
    },
    {
      cost: 'openMicroseconds',
      label: 'of another film each time',
      unit: 'µs',
      decimals: 0,
      may: { kind: 'constant', noise: 200 },
    },
    {
      cost: 'listMicroseconds',
      label: 'main thread, 50 entries from the API',
      unit: 'µs',
      decimals: 0,
      may: { kind: 'constant', noise: 500 },
    },
    {
      cost: 'evictMicroseconds',
      label: 'main thread, an eviction',
      unit: 'µs',
      decimals: 0,
      may: { kind: 'constant', noise: 300 },
    },
  ],
  limitSeconds: 150,
  async measure(run, count) {
    const origin = await run.startOrigin([filmAt(0)]);
    await prepare(run, origin, count);
    const token = run.createToken();
    const random = randomFrom(run.seed);
    const starts: Awaited<ReturnType<typeof measureStart>>[] = [];
    for (let start = 0; start < STARTS; start++) {
      await starts.at(-1)?.peer.stop();
      starts.push(await measureStart(run, origin, count, random));
    }
    const first = starts[0]!;
    const costs = Object.keys(first.costs) as (keyof typeof first.costs)[];
    const medians = costs.map((cost) => [cost, median(starts.map((start) => start.costs[cost]))] as const);
    const use = await measureUse(starts.at(-1)!.peer, token, count);
    return { ...Object.fromEntries(medians), ...use };
  },
};
