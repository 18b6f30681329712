import { sql } from 'drizzle-orm';
import type { Tables } from './database.ts';
import { cacheStatistics } from './schema.ts';

export type StatisticsRow = typeof cacheStatistics.$inferSelect;

/** Counters that cannot be derived from rows; added up in memory and written now and then. */
export interface Counters {
  servedBytes: number;
  servedFromDiskBytes: number;
  originBytes: number;
  hitCount: number;
  partialCount: number;
  missCount: number;
}

export class StatisticsTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async get(): Promise<StatisticsRow> {
    const rows = await this.#tables.select().from(cacheStatistics);
    return rows[0]!; // seeded by the migration
  }

  /** Writes something that changes nothing. @throws what the database throws when it takes no rows */
  async touch(nowMs: number): Promise<void> {
    await this.#tables.update(cacheStatistics).set({ updatedAt: nowMs });
  }

  async add(counters: Readonly<Counters>, nowMs: number): Promise<void> {
    await this.#tables.update(cacheStatistics).set({
      servedBytes: sql`${cacheStatistics.servedBytes} + ${counters.servedBytes}`,
      servedFromDiskBytes: sql`${cacheStatistics.servedFromDiskBytes} + ${counters.servedFromDiskBytes}`,
      originBytes: sql`${cacheStatistics.originBytes} + ${counters.originBytes}`,
      hitCount: sql`${cacheStatistics.hitCount} + ${counters.hitCount}`,
      partialCount: sql`${cacheStatistics.partialCount} + ${counters.partialCount}`,
      missCount: sql`${cacheStatistics.missCount} + ${counters.missCount}`,
      updatedAt: nowMs,
    });
  }
}
