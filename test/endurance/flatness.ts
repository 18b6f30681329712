// Whether the windows of a load are flat: the last third against the first, without the first window, in which code is
// compiled and buffers are made. The bounds are wide because other programs run beside it and collections come when
// they come; what grows with each request passes them in half an hour all the same. In a short run they say little.
//
// - Memory: a quarter more, as between two halves in leaks.ts.
// - Descriptors and threads: what readers have open comes and goes with them; a quarter more, and a few.
// - Waits for the first byte: the median half as long again, the slow ones (p95) twice as long. A few milliseconds are
//   a processor that another had, or what a connection of the source waits for. Judged with enough samples only.
import { median, quantile } from '../bench/statistics.ts';
import type { LoadWindow } from './load-windows.ts';

interface Bound {
  readonly what: string;
  /** NaN where there is too little to judge. */
  readonly figureOf: (third: readonly LoadWindow[]) => number;
  readonly factor: number;
  readonly spare: number;
}

const LEAST_SAMPLES = 50;

function heldBound(what: string, figureOf: (window: LoadWindow) => number, spare: number): Bound {
  const meanOf = (third: readonly LoadWindow[]) =>
    third.reduce((sum, window) => sum + figureOf(window), 0) / third.length;
  return { what, figureOf: meanOf, factor: 1.25, spare };
}

function waitBounds(name: string, samplesOf: (window: LoadWindow) => readonly number[], spareMs: number): Bound[] {
  const wait = (statistic: (samples: readonly number[]) => number) => (third: readonly LoadWindow[]) => {
    const samples = third.flatMap(samplesOf);
    return samples.length < LEAST_SAMPLES ? Number.NaN : statistic(samples);
  };
  return [
    { what: `${name}, median ms`, figureOf: wait(median), factor: 1.5, spare: spareMs },
    { what: `${name}, p95 ms`, figureOf: wait((all) => quantile(all, 0.95)), factor: 2, spare: 4 * spareMs },
  ];
}

const BOUNDS: readonly Bound[] = [
  heldBound('memory (PSS), MB', ({ held }) => held.proportionalBytes / 1e6, 16),
  heldBound('descriptors', ({ held }) => held.descriptors, 16),
  heldBound('threads', ({ held }) => held.threads, 4),
  ...waitBounds('warm', ({ warmMs }) => warmMs, 5),
  ...waitBounds('cold', ({ coldMs }) => coldMs, 50),
];

/** What got worse; empty when all is flat. */
export function findSlopes(windows: readonly LoadWindow[]): string[] {
  const judged = windows.slice(1);
  const count = Math.floor(judged.length / 3);
  if (count === 0) return [];
  return BOUNDS.flatMap(({ what, figureOf, factor, spare }) => {
    const first = figureOf(judged.slice(0, count));
    const last = figureOf(judged.slice(-count));
    return last > first * factor + spare ? [`${what}: ${first.toFixed(1)} at first, ${last.toFixed(1)} at last`] : [];
  });
}
