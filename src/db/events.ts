// What happened and why, for people: evictions, damage, a full disk. The newest are kept.
import { and, desc, eq, lt, sql } from 'drizzle-orm';
import type { Tables } from './database.ts';
import { events } from './schema.ts';

export type EventRow = typeof events.$inferSelect;
export type Severity = EventRow['severity'];

export interface EventFilter {
  readonly kind?: string | undefined;
  readonly subject?: string | undefined;
  readonly severity?: Severity | undefined;
  /** In the text or the subject, whatever its case. */
  readonly text?: string | undefined;
}

/** Rows that are kept: years of an ordinary appliance. */
const EVENTS_MAX = 10_000;
const SWEEP_EVERY = 100;

export class EventTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async add(
    kind: string,
    subject: string,
    text: string,
    nowMs: number,
    severity: Severity = 'info',
  ): Promise<EventRow> {
    const [row] = await this.#tables.insert(events).values({ at: nowMs, kind, subject, text, severity }).returning();
    if (row!.id % SWEEP_EVERY === 0) {
      await this.#tables.delete(events).where(lt(events.id, row!.id - EVENTS_MAX));
    }
    return row!;
  }

  /** Newest first, from behind the event `before`. A search looks at no more than what is kept at all. */
  list(filter: EventFilter, limit: number, before: number | null): Promise<EventRow[]> {
    const { kind, subject, severity, text } = filter;
    return this.#tables
      .select()
      .from(events)
      .where(
        and(
          kind === undefined ? undefined : eq(events.kind, kind),
          subject === undefined ? undefined : eq(events.subject, subject),
          severity === undefined ? undefined : eq(events.severity, severity),
          before === null ? undefined : lt(events.id, before),
          text === undefined
            ? undefined
            : sql`(instr(lower(${events.text}), lower(${text})) > 0 OR instr(lower(${events.subject}), lower(${text})) > 0)`,
        ),
      )
      .orderBy(desc(events.id))
      .limit(limit);
  }

  /** Kinds of which there is an event, by name. */
  async listKinds(): Promise<string[]> {
    // Steps from kind to kind through the index: as many look-ups as there are kinds, however many events.
    const rows = await this.#tables.all<{ kind: string }>(sql`
      WITH RECURSIVE kinds (kind) AS (
        SELECT min(kind) FROM ${events}
        UNION ALL
        SELECT (SELECT min(kind) FROM ${events} WHERE kind > kinds.kind) FROM kinds WHERE kinds.kind IS NOT NULL
      )
      SELECT kind FROM kinds WHERE kind IS NOT NULL`);
    return rows.map((row) => row.kind);
  }
}
