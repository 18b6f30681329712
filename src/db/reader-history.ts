// Readers that ended, the newest of them. Who reads what is nobody's business for ever: rows are few by design.
import { desc, lt, lte, max } from 'drizzle-orm';
import type { Tables } from './database.ts';
import { readerHistory } from './schema.ts';

export type ReaderHistoryRow = typeof readerHistory.$inferSelect;

const ROWS_MAX = 1_000;

export class ReaderHistoryTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Adds rows, whose ids only grow, and removes what is too old. One transaction. */
  async add(rows: readonly ReaderHistoryRow[]): Promise<void> {
    const newest = Math.max(0, ...rows.map((row) => row.id));
    if (newest === 0) return;
    await this.#tables.batch([
      ...(rows.map((row) => this.#tables.insert(readerHistory).values(row).onConflictDoNothing()) as [never]),
      this.#tables.delete(readerHistory).where(lte(readerHistory.id, newest - ROWS_MAX)),
    ]);
  }

  /** Newest first, from behind the row `before`. */
  list(limit: number, before: number | null): Promise<ReaderHistoryRow[]> {
    return this.#tables
      .select()
      .from(readerHistory)
      .where(before === null ? undefined : lt(readerHistory.id, before))
      .orderBy(desc(readerHistory.id))
      .limit(limit);
  }

  /** 0 when there is none. */
  async findNewestId(): Promise<number> {
    const rows = await this.#tables.select({ newest: max(readerHistory.id) }).from(readerHistory);
    return rows[0]?.newest ?? 0;
  }
}
