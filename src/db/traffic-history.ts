// What flowed in each span of time, for charts. Spans of several lengths, each kept for its own time, so that a chart
// of an hour and one of a quarter of a year both read a few hundred rows at most.
import { and, eq, gt, lt, lte, sql } from 'drizzle-orm';
import type { Tables } from './database.ts';
import { trafficHistory } from './schema.ts';
import type { Counters } from './statistics.ts';

export interface TrafficSpan extends Counters {
  readonly spanMs: number;
  /** Start, a multiple of `spanMs`. */
  readonly at: number;
}

export interface TrafficSlot extends Readonly<Counters> {
  /** Start, a multiple of the slot's length. */
  readonly at: number;
}

export class TrafficHistoryTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Adds to the spans, and removes those that ended before what `keepFrom` says for their length. One transaction. */
  async add(spans: readonly TrafficSpan[], keepFrom: ReadonlyMap<number, number>): Promise<void> {
    const additions = spans.map((span) =>
      this.#tables
        .insert(trafficHistory)
        .values(span)
        .onConflictDoUpdate({
          target: [trafficHistory.spanMs, trafficHistory.at],
          set: {
            servedBytes: sql`${trafficHistory.servedBytes} + excluded.served_bytes`,
            servedFromDiskBytes: sql`${trafficHistory.servedFromDiskBytes} + excluded.served_from_disk_bytes`,
            originBytes: sql`${trafficHistory.originBytes} + excluded.origin_bytes`,
            hitCount: sql`${trafficHistory.hitCount} + excluded.hit_count`,
            partialCount: sql`${trafficHistory.partialCount} + excluded.partial_count`,
            missCount: sql`${trafficHistory.missCount} + excluded.miss_count`,
          },
        }),
    );
    const removals = [...keepFrom].map(([spanMs, at]) =>
      this.#tables.delete(trafficHistory).where(and(eq(trafficHistory.spanMs, spanMs), lt(trafficHistory.at, at))),
    );
    const [first, ...rest] = additions;
    if (first !== undefined) await this.#tables.batch([first, ...rest, ...removals]);
  }

  /** Sums of the spans of one length in (after, until], by slots of `slotMs`, oldest first; empty slots are left out. */
  listSlots(spanMs: number, slotMs: number, after: number, until: number): Promise<TrafficSlot[]> {
    const slot = sql<number>`${trafficHistory.at} / ${sql.raw(String(slotMs))} * ${sql.raw(String(slotMs))}`;
    const sum = (column: keyof Counters) => sql<number>`sum(${trafficHistory[column]})`;
    return this.#tables
      .select({
        at: slot.as('slot'),
        servedBytes: sum('servedBytes'),
        servedFromDiskBytes: sum('servedFromDiskBytes'),
        originBytes: sum('originBytes'),
        hitCount: sum('hitCount'),
        partialCount: sum('partialCount'),
        missCount: sum('missCount'),
      })
      .from(trafficHistory)
      .where(and(eq(trafficHistory.spanMs, spanMs), gt(trafficHistory.at, after), lte(trafficHistory.at, until)))
      .groupBy(sql`slot`)
      .orderBy(sql`slot`);
  }
}
