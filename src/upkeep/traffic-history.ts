// How much flowed when: bytes served, from disk, from origins, and how requests were met. Looked at every 10 s, written
// once a minute and only when something flowed. A chart has at most 120 points, whatever time it spans.
import type { Clock, Timer } from '../clock.ts';
import type { Counters } from '../db/statistics.ts';
import type { TrafficHistoryTable, TrafficSpan } from '../db/traffic-history.ts';
import { describeError } from '../errors.ts';
import { TRAFFIC_LOOK_MS } from '../limits.ts';
import type { Log } from '../log.ts';

export interface TrafficHistoryServices {
  readonly table: Pick<TrafficHistoryTable, 'add' | 'listSlots'>;
  /** Grow only, while the program runs. */
  readonly counters: Readonly<Counters>;
  readonly clock: Clock;
  readonly log: Log;
}

export type ChartRange = 'hour' | 'day' | 'week' | 'quarter';

export interface TrafficPoint extends Readonly<Counters> {
  readonly atMs: number;
}

export interface TrafficChart {
  readonly range: ChartRange;
  readonly slotMs: number;
  /** Oldest first, without gaps; the last one is not over yet. */
  readonly points: readonly TrafficPoint[];
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Length of the spans that are kept, and for how long. */
const KEPT_MS: ReadonlyMap<number, number> = new Map([
  [10 * SECOND_MS, HOUR_MS],
  [MINUTE_MS, 48 * HOUR_MS],
  [15 * MINUTE_MS, 90 * DAY_MS],
  // So that a chart of three months does not add up nine thousand rows.
  [6 * HOUR_MS, 90 * DAY_MS],
]);

/** Which spans a chart is made of, and how many of them are one point. */
const CHARTS: Readonly<
  Record<ChartRange, { readonly spanMs: number; readonly slotMs: number; readonly points: number }>
> = {
  hour: { spanMs: 10 * SECOND_MS, slotMs: 30 * SECOND_MS, points: 120 },
  day: { spanMs: MINUTE_MS, slotMs: 12 * MINUTE_MS, points: 120 },
  week: { spanMs: 15 * MINUTE_MS, slotMs: 90 * MINUTE_MS, points: 112 },
  quarter: { spanMs: 6 * HOUR_MS, slotMs: 18 * HOUR_MS, points: 120 },
};

export const chartRanges = Object.keys(CHARTS) as readonly ChartRange[];

/** A database that takes nothing: what is not written grows no further than this. */
const PENDING_MAX = 720;

const NOTHING: Readonly<Counters> = {
  servedBytes: 0,
  servedFromDiskBytes: 0,
  originBytes: 0,
  hitCount: 0,
  partialCount: 0,
  missCount: 0,
};
const NAMES = Object.keys(NOTHING) as readonly (keyof Counters)[];

export class TrafficHistory {
  readonly #services: TrafficHistoryServices;
  /** By the start of their 10 s; not written yet. */
  #pending = new Map<number, Counters>();
  #seen: Readonly<Counters>;
  #timer: Timer | undefined;

  constructor(services: TrafficHistoryServices) {
    this.#services = services;
    this.#seen = { ...services.counters };
  }

  start(): void {
    this.#timer = this.#services.clock.every(TRAFFIC_LOOK_MS, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Writes what flowed since the last time; nothing when nothing did. */
  async flush(): Promise<void> {
    this.#look();
    const { table, clock, log } = this.#services;
    const pending = this.#pending;
    if (pending.size === 0) return;
    this.#pending = new Map();
    const nowMs = clock.nowMs();
    const keepFrom = new Map([...KEPT_MS].map(([spanMs, keptMs]) => [spanMs, nowMs - keptMs]));
    try {
      await table.add(spansOf(pending), keepFrom);
    } catch (error) {
      log.debug('the history of traffic could not be written', { error: describeError(error) });
      for (const [at, counters] of pending) this.#add(at, counters);
    }
  }

  async chart(range: ChartRange): Promise<TrafficChart> {
    this.#look();
    const { spanMs, slotMs, points } = CHARTS[range];
    const nowMs = this.#services.clock.nowMs();
    const last = floorTo(nowMs, slotMs);
    const first = last - (points - 1) * slotMs;
    const slots = new Map<number, Counters>();
    const add = (at: number, counters: Readonly<Counters>) => {
      const slot = floorTo(at, slotMs);
      if (slot >= first && slot <= last) slots.set(slot, sum(slots.get(slot), counters));
    };
    for (const row of await this.#services.table.listSlots(spanMs, slotMs, first - 1, nowMs)) add(row.at, row);
    for (const [at, counters] of this.#pending) add(at, counters);
    return {
      range,
      slotMs,
      points: Array.from({ length: points }, (_, index) => {
        const atMs = first + index * slotMs;
        return { ...(slots.get(atMs) ?? NOTHING), atMs };
      }),
    };
  }

  #look(): void {
    const { counters, clock } = this.#services;
    if (NAMES.every((name) => counters[name] === this.#seen[name])) return;
    const flowed: Counters = { ...NOTHING };
    for (const name of NAMES) flowed[name] = counters[name] - this.#seen[name];
    this.#seen = { ...counters };
    this.#add(floorTo(clock.nowMs(), TRAFFIC_LOOK_MS), flowed);
  }

  #add(at: number, counters: Readonly<Counters>): void {
    this.#pending.set(at, sum(this.#pending.get(at), counters));
    const [oldest] = this.#pending.keys();
    if (this.#pending.size > PENDING_MAX && oldest !== undefined) this.#pending.delete(oldest);
  }
}

function floorTo(value: number, step: number): number {
  return Math.floor(value / step) * step;
}

function sum(left: Readonly<Counters> | undefined, right: Readonly<Counters>): Counters {
  const result: Counters = { ...NOTHING };
  for (const name of NAMES) result[name] = (left?.[name] ?? 0) + right[name];
  return result;
}

/** The rows that they add to, one per length and start. */
function spansOf(pending: ReadonlyMap<number, Counters>): TrafficSpan[] {
  return [...KEPT_MS.keys()].flatMap((spanMs) => {
    const spans = new Map<number, Counters>();
    for (const [at, counters] of pending) {
      const start = floorTo(at, spanMs);
      spans.set(start, sum(spans.get(start), counters));
    }
    return [...spans].map(([at, counters]) => ({ spanMs, at, ...counters }));
  });
}
