import { eq, sql } from 'drizzle-orm';
import type { Tables } from './database.ts';
import { sources } from './schema.ts';

export type SourceRow = typeof sources.$inferSelect;

export class SourceTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  list(): Promise<SourceRow[]> {
    return this.#tables.select().from(sources).orderBy(sources.name);
  }

  /** Declares an HTTP source: adds it, or updates the address of the one that has this name. */
  async declare(name: string, url: string, nowMs: number): Promise<SourceRow> {
    const rows = await this.#tables
      .insert(sources)
      .values({ name, kind: 'http', url, createdAt: nowMs, updatedAt: nowMs })
      .onConflictDoUpdate({ target: sources.name, set: { url, kind: 'http', updatedAt: nowMs } })
      .returning();
    return rows[0]!;
  }

  /** The source of this name, added with this address when there is none. */
  async ensure(name: string, url: string, nowMs: number): Promise<SourceRow> {
    await this.#tables
      .insert(sources)
      .values({ name, kind: 'http', url, createdAt: nowMs, updatedAt: nowMs })
      .onConflictDoNothing();
    const rows = await this.#tables.select().from(sources).where(eq(sources.name, name));
    return rows[0]!;
  }

  async recordSuccess(id: number, nowMs: number): Promise<void> {
    await this.#tables
      .update(sources)
      .set({ lastSuccessAt: nowMs, lastErrorCode: null, lastErrorText: null, lastErrorAt: null, failingSince: null })
      .where(eq(sources.id, id));
  }

  async recordFailure(id: number, code: string, text: string, nowMs: number): Promise<void> {
    await this.#tables
      .update(sources)
      .set({
        lastErrorCode: code,
        lastErrorText: text,
        lastErrorAt: nowMs,
        failingSince: sql`coalesce(${sources.failingSince}, ${nowMs})`,
      })
      .where(eq(sources.id, id));
  }
}
