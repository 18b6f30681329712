// What happened and why, for people: evictions, damage, a full disk. The newest are kept.
import { desc, lt } from 'drizzle-orm';
import type { Tables } from './database.ts';
import { events } from './schema.ts';

export type EventRow = typeof events.$inferSelect;

/** Rows that are kept: years of an ordinary appliance. */
const EVENTS_MAX = 10_000;
const SWEEP_EVERY = 100;

export class EventTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async add(kind: string, subject: string, text: string, nowMs: number): Promise<void> {
    const [row] = await this.#tables
      .insert(events)
      .values({ at: nowMs, kind, subject, text })
      .returning({ id: events.id });
    if (row!.id % SWEEP_EVERY === 0) {
      await this.#tables.delete(events).where(lt(events.id, row!.id - EVENTS_MAX));
    }
  }

  /** Newest first. */
  listRecent(limit: number): Promise<EventRow[]> {
    return this.#tables.select().from(events).orderBy(desc(events.id)).limit(limit);
  }
}
