// A run of load in windows of equal length: how long first bytes took, and what the program held. What does not get
// worse from the first ones to the last does not get worse in a month either.
import { median, quantile } from '../bench/statistics.ts';
import type { GetResult } from './checked-get.ts';
import type { Footprint } from './footprint.ts';

/** Means over the looks at it while it is under load. */
export interface Held {
  readonly proportionalBytes: number;
  readonly residentBytes: number;
  readonly descriptors: number;
  readonly threads: number;
}

export interface LoadWindow {
  readonly requests: number;
  /** From the connection to the first byte of the body: of what was all there, and of what was not there at all. */
  readonly warmMs: readonly number[];
  readonly coldMs: readonly number[];
  readonly held: Held;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, value) => sum + value, 0);
}

export class LoadWindows {
  readonly windows: LoadWindow[] = [];
  #requests = 0;
  #warmMs: number[] = [];
  #coldMs: number[] = [];
  #looks: Footprint[] = [];

  /** @param isTimed - false where the wait for the first byte is the origin's own */
  addRequest(result: GetResult, isTimed: boolean): void {
    this.#requests += 1;
    if (!isTimed || result.firstByteMs === null) return;
    if (result.cache === 'HIT') this.#warmMs.push(result.firstByteMs);
    if (result.cache === 'MISS') this.#coldMs.push(result.firstByteMs);
  }

  addLook(footprint: Footprint): void {
    this.#looks.push(footprint);
  }

  /** What came since the last one is a window. */
  close(): void {
    const meanOf = (figureOf: (look: Footprint) => number) => mean(this.#looks.map(figureOf));
    this.windows.push({
      requests: this.#requests,
      warmMs: this.#warmMs,
      coldMs: this.#coldMs,
      held: {
        proportionalBytes: meanOf((look) => look.proportionalBytes),
        residentBytes: meanOf((look) => look.residentBytes),
        descriptors: meanOf((look) => sumOf(look.descriptors)),
        threads: meanOf((look) => sumOf(look.threads)),
      },
    });
    this.#requests = 0;
    this.#warmMs = [];
    this.#coldMs = [];
    this.#looks = [];
  }
}

/** Markdown. */
export function windowTable(windows: readonly LoadWindow[]): string {
  const row = (label: string, cellOf: (window: LoadWindow) => string | number) =>
    `| ${[label, ...windows.map(cellOf)].join(' | ')} |`;
  const ms = (value: number) => (Number.isNaN(value) ? '–' : value.toFixed(1));
  return [
    row('window', (window) => windows.indexOf(window) + 1),
    `| --- |${' --: |'.repeat(windows.length)}`,
    row('requests', ({ requests }) => requests),
    row('warm, median ms', ({ warmMs }) => ms(median(warmMs))),
    row('warm, p95 ms', ({ warmMs }) => ms(quantile(warmMs, 0.95))),
    row('cold, median ms', ({ coldMs }) => ms(median(coldMs))),
    row('cold, p95 ms', ({ coldMs }) => ms(quantile(coldMs, 0.95))),
    row('memory (PSS), MB', ({ held }) => (held.proportionalBytes / 1e6).toFixed(0)),
    row('memory (RSS), MB', ({ held }) => (held.residentBytes / 1e6).toFixed(0)),
    row('descriptors', ({ held }) => held.descriptors.toFixed(0)),
    row('threads', ({ held }) => held.threads.toFixed(0)),
  ].join('\n');
}
