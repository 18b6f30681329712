// What of a later footprint is a leak, and the table that shows it. The bounds:
//
// - Descriptors: as many of each kind as after the warm-up. Chunk files of the last IDLE_FILES_MAX entries stay open, on
//   purpose. SQLite may not close a descriptor of a database while the same process holds a lock on it by another (POSIX
//   locks would go with it, https://sqlite.org/src/file/src/os_unix.c, "pending close"): it keeps one per file and uses
//   it again, so that a checkpoint of the upkeep thread adds one, once.
// - Threads: the runtime starts and ends helpers (compiler, collector, pool) as it likes; never seen were more than four
//   above the warm-up. Download threads are started when needed, and stay.
// - Memory: the warm-up has seen one reader per film and not hundreds, so the first half of the load may grow what the
//   runtime then keeps (heap, buffers of the pool: 12 MiB). A leak is what goes on growing: the second half, and the
//   cuts, may add a quarter at most. It is the second look that finds leaks; the first has a wide bound.
// - Connections to the origin and of clients, child processes: none are left.
import { IDLE_FILES_MAX } from '../../src/limits.ts';
import type { Footprint } from './footprint.ts';
import type { LoadResult, Look } from './load-run.ts';

const SPARE_THREADS = 4;
const STEADY_GROWTH = 1.25;
const FIRST_GROWTH = 2.5;
/** Collections come when they come: a small difference between small numbers says nothing. */
const SPARE_BYTES = 16 * 1024 * 1024;

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, value) => sum + value, 0);
}

function allowedDescriptors(kind: string, before: number): number {
  if (kind === 'chunk files') return Math.max(before, IDLE_FILES_MAX);
  return kind.startsWith('larder.db') ? before + 1 : before;
}

function leaksAt(look: Look, warm: Footprint): string[] {
  const { footprint, when } = look;
  const leaks: string[] = [];
  for (const [kind, now] of footprint.descriptors) {
    const before = warm.descriptors.get(kind) ?? 0;
    if (now > allowedDescriptors(kind, before)) leaks.push(`${when}: ${now} × ${kind}, ${before} when warm`);
  }
  for (const kind of ['client sockets', 'origin sockets']) {
    if (footprint.descriptors.has(kind)) leaks.push(`${when}: ${kind} are still open`);
  }
  const threads = total(footprint.threads);
  if (threads > total(warm.threads) + SPARE_THREADS) leaks.push(`${when}: ${threads} threads`);
  if (footprint.children > 0) leaks.push(`${when}: ${footprint.children} child processes`);
  if (!look.isIdle) leaks.push(`${when}: it did not fall idle`);
  return leaks;
}

function growthAt(look: Look, before: Look, factor: number): string[] {
  const now = look.footprint.proportionalBytes;
  const then = before.footprint.proportionalBytes;
  if (now <= then * factor + SPARE_BYTES) return [];
  return [`${look.when}: ${(now / 1e6).toFixed(0)} MB of memory, ${(then / 1e6).toFixed(0)} MB ${before.when}`];
}

/** What must not be; empty when all is well. */
export function findLeaks(result: LoadResult): string[] {
  const { warm, firstHalf, secondHalf, afterCuts } = result;
  return [
    ...[firstHalf, secondHalf, afterCuts].flatMap((look) => leaksAt(look, warm.footprint)),
    ...growthAt(firstHalf, warm, FIRST_GROWTH),
    ...growthAt(secondHalf, firstHalf, STEADY_GROWTH),
    ...growthAt(afterCuts, secondHalf, STEADY_GROWTH),
  ];
}

/** Markdown. */
export function footprintTable(result: LoadResult): string {
  const looks = [result.warm, result.firstHalf, result.secondHalf, result.afterCuts];
  const row = (label: string, cellOf: (footprint: Footprint) => string | number) =>
    `| ${[label, ...looks.map((look) => cellOf(look.footprint))].join(' | ')} |`;
  const names = (countsOf: (footprint: Footprint) => ReadonlyMap<string, number>) =>
    [...new Set(looks.flatMap((look) => [...countsOf(look.footprint).keys()]))].sort();
  return [
    `| | ${looks.map((look) => look.when).join(' | ')} |`,
    `| --- |${' --: |'.repeat(looks.length)}`,
    row('memory (PSS), MB', ({ proportionalBytes }) => (proportionalBytes / 1e6).toFixed(1)),
    row('memory (RSS), MB', ({ residentBytes }) => (residentBytes / 1e6).toFixed(1)),
    row('child processes', ({ children }) => children),
    row('descriptors', ({ descriptors }) => total(descriptors)),
    ...names(({ descriptors }) => descriptors).map((kind) =>
      row(`– ${kind}`, ({ descriptors }) => descriptors.get(kind) ?? 0),
    ),
    row('threads', ({ threads }) => total(threads)),
    ...names(({ threads }) => threads).map((name) => row(`– ${name}`, ({ threads }) => threads.get(name) ?? 0)),
  ].join('\n');
}
