// More and more pieces of one file: what opening it costs, and whether reading and adding to it feels how many there are.
import { type Exchange, fetchOnce } from '../../client/connection.ts';
import type { Origin } from '../../origin/origin.ts';
import type { RunningPeer } from '../../peers/peer.ts';
import { median, randomFrom } from '../../statistics.ts';
import { readMemory } from '../../system/process-tree.ts';
import type { Curve } from '../curve.ts';
import {
  addFragments,
  damageFragment,
  FRAGMENTED_FILE,
  fragmentAt,
  gapAt,
  HEAD_BYTES,
  MOST_FRAGMENTS,
  REAL_FRAGMENTS,
} from '../fragmented-file.ts';
import { type GrowthRun, waitUntilAtRest } from '../growth-run.ts';
import { askApi, costOf, costOfEach, longestWaitDuring } from '../probes.ts';
import type { Bound } from '../verdict.ts';

const STARTS = 3;
const WARM_READS = 4_000;
const OPEN_ENDED_READS = 100;
const COLD_READS = 200;
const COLD_BYTES = 16 * 1024;
/** Read in short ranges; those behind them are read in one go. */
const WARM_FRAGMENTS = REAL_FRAGMENTS / 2;
/** In the head: what is damaged behind it is not found yet. */
const FIRST_READ = { start: 0, end: 64 * 1024 };
/** A bit of it turned on the disk. */
const DAMAGED = 9;
/** Whose gaps are read from: with fewer fragments nothing is kept there. */
const FIRST_COLD_GAP = 2 * REAL_FRAGMENTS;

/** Below it is what a busy machine does to anybody. */
const HELD_UP: Bound = { kind: 'constant', noise: 20 };

function exchangeOf(peer: RunningPeer, range: { readonly start: number; readonly end: number }): Exchange {
  return { path: peer.pathOf(FRAGMENTED_FILE), file: FRAGMENTED_FILE, range };
}

async function prepare(run: GrowthRun, origin: Origin, fragments: number): Promise<void> {
  const { peer } = await run.startLarder(origin);
  await fetchOnce(peer.port, exchangeOf(peer, { start: 0, end: HEAD_BYTES }));
  await peer.stop();
  await addFragments(run.dataFolder, fragments);
}

/** A start, and the first read of the file after it. */
async function measureOpening(run: GrowthRun, origin: Origin) {
  const { peer, startMs } = await run.startLarder(origin);
  await waitUntilAtRest(peer);
  let openMs = Number.NaN;
  const heldUpMs = await longestWaitDuring(peer, async () => {
    openMs = (await fetchOnce(peer.port, exchangeOf(peer, FIRST_READ))).lastByteMs;
  });
  return { peer, startMs, heldUpMs, openMs };
}

async function measureReads(
  peer: RunningPeer,
  origin: Origin,
  { fragments, seed }: { fragments: number; seed: number },
) {
  const random = randomFrom(seed);
  const warmFragments = Math.min(fragments, WARM_FRAGMENTS);
  const verifying = Array.from({ length: warmFragments }, (_, index) => exchangeOf(peer, fragmentAt(index)));
  await costOfEach(peer, verifying);
  const reading = Array.from({ length: WARM_READS }, () => {
    return exchangeOf(peer, fragmentAt(Math.floor(random() * warmFragments)));
  });
  await costOfEach(peer, reading.slice(0, WARM_READS / 4));
  const warm = await costOfEach(peer, reading);

  const toTheEnd = { ...exchangeOf(peer, { start: 0, end: FRAGMENTED_FILE.sizeBytes }), dropAfterBytes: 1 };
  const given = await origin.count();
  const openEnded = await costOf(peer, async () => {
    for (let index = 0; index < OPEN_ENDED_READS; index++) await fetchOnce(peer.port, toTheEnd);
  });
  const givenAfter = await origin.count();
  if (givenAfter.requests > given.requests) throw new Error('a reader in the head had something fetched');

  const adding = Array.from({ length: COLD_READS }, (_, index) => {
    const { start, end } = gapAt(FIRST_COLD_GAP + index);
    const middle = (start + end) / 2;
    return exchangeOf(peer, { start: middle - COLD_BYTES / 2, end: middle + COLD_BYTES / 2 });
  });
  const cold = await costOfEach(peer, adding);
  return {
    warmMicroseconds: warm.processorMs * 1e3,
    openEndedMicroseconds: (openEnded.mainMs * 1e3) / OPEN_ENDED_READS,
    coldMicroseconds: cold.processorMs * 1e3,
    coldMainMicroseconds: cold.mainMs * 1e3,
    coldMs: cold.wallMs,
  };
}

/** What else there is to be done with a file, as others feel it. */
async function measureUpkeep(peer: RunningPeer, token: string) {
  const damageHeldUpMs = await longestWaitDuring(peer, () =>
    fetchOnce(peer.port, exchangeOf(peer, fragmentAt(DAMAGED))),
  );
  const { items } = JSON.parse(await askApi(peer, { path: 'entries', token })) as { items: { id: number | string }[] };
  const path = `entries/${items[0]?.id}`;
  const detailHeldUpMs = await longestWaitDuring(peer, () => askApi(peer, { path, token }));
  const removeHeldUpMs = await longestWaitDuring(peer, async () => {
    await askApi(peer, { path, token, method: 'DELETE' });
    await waitUntilAtRest(peer);
  });
  return { damageHeldUpMs, detailHeldUpMs, removeHeldUpMs };
}

/** Half of it is kept and half of it comes from the origin, in turn; NaN where less is kept. */
async function measureSequentialMs(peer: RunningPeer, fragments: number): Promise<number> {
  if (fragments < REAL_FRAGMENTS) return Number.NaN;
  const range = { start: gapAt(WARM_FRAGMENTS).start, end: fragmentAt(REAL_FRAGMENTS - 1).end };
  const cost = await costOf(peer, () => fetchOnce(peer.port, exchangeOf(peer, range)));
  return cost.processorMs;
}

export const fragmentation: Curve = {
  name: 'fragmentation',
  description:
    'A file of 13 GB of which so many ranges of 64 KiB are kept, with 64 KiB missing between them, and 32 MiB at its start.',
  sizeLabel: 'ranges',
  sizes: [10, 100, 1_000, 10_000, MOST_FRAGMENTS],
  columns: [
    { cost: 'startMs', label: 'start', unit: 'ms', decimals: 0, may: { kind: 'constant', noise: 60 } },
    { cost: 'openMs', label: 'first read of the file', unit: 'ms', decimals: 1, may: { kind: 'linear', noise: 10 } },
    {
      cost: 'heldUpMs',
      label: 'others held up by it',
      unit: 'ms',
      decimals: 1,
      may: HELD_UP,
    },
    {
      cost: 'warmMicroseconds',
      label: 'CPU of a kept 64 KiB',
      unit: 'µs',
      decimals: 0,
      may: { kind: 'constant', noise: 20 },
    },
    {
      cost: 'openEndedMicroseconds',
      label: 'main thread, request to the end of the file',
      unit: 'µs',
      decimals: 0,
      may: { kind: 'constant', noise: 400 },
    },
    {
      cost: 'coldMicroseconds',
      label: 'CPU of a missing 16 KiB',
      unit: 'µs',
      decimals: 0,
      may: { kind: 'constant', noise: 200 },
    },
    {
      cost: 'coldMainMicroseconds',
      label: 'of that, main thread',
      unit: 'µs',
      decimals: 0,
      may: { kind: 'constant', noise: 200 },
    },
    { cost: 'coldMs', label: 'time of it', unit: 'ms', decimals: 2, may: { kind: 'constant', noise: 4 } },
    {
      cost: 'sequentialMs',
      label: 'CPU of 62 MiB across 500 ranges',
      unit: 'ms',
      decimals: 0,
      may: { kind: 'constant', noise: 50 },
    },
    { cost: 'stopMs', label: 'stop', unit: 'ms', decimals: 0, may: { kind: 'linear', noise: 60 } },
    {
      cost: 'damageHeldUpMs',
      label: 'others held up by damage',
      unit: 'ms',
      decimals: 1,
      may: HELD_UP,
    },
    { cost: 'detailHeldUpMs', label: 'by the API, of the entry', unit: 'ms', decimals: 1, may: HELD_UP },
    { cost: 'removeHeldUpMs', label: 'by its removal', unit: 'ms', decimals: 1, may: HELD_UP },
    {
      cost: 'memoryMB',
      label: 'memory',
      unit: 'MB',
      decimals: 0,
      may: { kind: 'linear', noise: 20, mostPerUnit: 0.001 },
    },
  ],
  limitSeconds: 120,
  async measure(run, fragments) {
    const origin = await run.startOrigin([FRAGMENTED_FILE]);
    await prepare(run, origin, fragments);
    const openings: Awaited<ReturnType<typeof measureOpening>>[] = [];
    for (let start = 0; start < STARTS; start++) {
      await openings.at(-1)?.peer.stop();
      openings.push(await measureOpening(run, origin));
    }
    const { peer } = openings.at(-1)!;
    await waitUntilAtRest(peer);
    const memoryMB = readMemory(peer.pid).residentBytes / 1e6;
    const reads = await measureReads(peer, origin, { fragments, seed: run.seed });
    const sequentialMs = await measureSequentialMs(peer, fragments);
    const stoppedAtMs = performance.now();
    await peer.stop();
    const stopMs = performance.now() - stoppedAtMs;
    await damageFragment(run.dataFolder, DAMAGED);
    const token = run.createToken();
    const last = await measureOpening(run, origin);
    const upkeep = await measureUpkeep(last.peer, token);
    const medianOf = (key: 'startMs' | 'openMs' | 'heldUpMs') => median(openings.map((opening) => opening[key]));
    const firsts = { startMs: medianOf('startMs'), openMs: medianOf('openMs'), heldUpMs: medianOf('heldUpMs') };
    return { ...firsts, ...reads, sequentialMs, stopMs, ...upkeep, memoryMB };
  },
};
