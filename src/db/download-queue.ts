import { and, asc, count, desc, eq, gt, inArray, isNull, lte, min, sql } from 'drizzle-orm';
import type { Tables } from './database.ts';
import {
  cacheDownloadQueue,
  cacheEntries,
  cacheGenerations,
  cacheQualityVariants,
  mediaItems,
  sources,
} from './schema.ts';

export type DownloadRow = typeof cacheDownloadQueue.$inferSelect;
export type RequestedBy = DownloadRow['requestedBy'];

/** Rows that are not finished. */
const OPEN_STATES = ['queued', 'running'] as const;

/** What is done first stands first: what runs, then what is due, then what is tried again later; people before others. */
const PARTS = [
  { state: 'running', requestedBy: 'person', isDue: null },
  { state: 'running', requestedBy: 'background', isDue: null },
  { state: 'queued', requestedBy: 'person', isDue: true },
  { state: 'queued', requestedBy: 'background', isDue: true },
  { state: 'queued', requestedBy: 'person', isDue: false },
  { state: 'queued', requestedBy: 'background', isDue: false },
] as const;

/** Where a list of wishes goes on. */
export interface WishPlace {
  readonly part: number;
  readonly nextAttemptAt: number;
  readonly id: number;
}

export interface Wish extends WishPlace {
  readonly entryId: number;
  readonly requestedBy: RequestedBy;
  readonly state: 'queued' | 'running';
  readonly attempts: number;
  readonly errorText: string | null;
  readonly source: string;
  readonly title: string;
  readonly year: number | null;
  readonly quality: string;
  readonly path: string;
  /** Null while nobody said it. */
  readonly sizeBytes: number | null;
  readonly cachedBytes: number;
}

export class DownloadQueueTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Wishes for the entry to be fetched whole. A person's wish raises a background one; a second wish changes nothing. */
  async enqueue(entryId: number, requestedBy: RequestedBy, nowMs: number): Promise<void> {
    const person = sql`excluded.requested_by = 'person'`;
    await this.#tables.batch([
      // What was finished before is history that nobody reads.
      this.#tables
        .delete(cacheDownloadQueue)
        .where(and(eq(cacheDownloadQueue.entryId, entryId), inArray(cacheDownloadQueue.state, ['done', 'failed']))),
      this.#tables
        .insert(cacheDownloadQueue)
        .values({ entryId, requestedBy, state: 'queued', nextAttemptAt: nowMs, createdAt: nowMs })
        .onConflictDoUpdate({
          target: cacheDownloadQueue.entryId,
          targetWhere: sql`state IN ('queued', 'running')`,
          set: {
            requestedBy: sql`CASE WHEN ${person} THEN 'person' ELSE ${cacheDownloadQueue.requestedBy} END`,
            nextAttemptAt: sql`CASE WHEN ${person} THEN excluded.next_attempt_at ELSE ${cacheDownloadQueue.nextAttemptAt} END`,
          },
        }),
    ]);
  }

  /** Takes the wish back. */
  async cancel(entryId: number): Promise<void> {
    await this.#tables
      .delete(cacheDownloadQueue)
      .where(and(eq(cacheDownloadQueue.entryId, entryId), inArray(cacheDownloadQueue.state, [...OPEN_STATES])));
  }

  /** Takes back every wish. @returns how many */
  async cancelAll(): Promise<number> {
    const rows = await this.#tables
      .delete(cacheDownloadQueue)
      .where(inArray(cacheDownloadQueue.state, [...OPEN_STATES]))
      .returning({ id: cacheDownloadQueue.id });
    return rows.length;
  }

  /** Takes back every wish that only background fill had. */
  async cancelBackground(): Promise<void> {
    await this.#tables
      .delete(cacheDownloadQueue)
      .where(
        and(eq(cacheDownloadQueue.requestedBy, 'background'), inArray(cacheDownloadQueue.state, [...OPEN_STATES])),
      );
  }

  /** Work that a stopped Larder left running goes back to the queue. */
  async requeueRunning(): Promise<void> {
    await this.#tables
      .update(cacheDownloadQueue)
      .set({ state: 'queued' })
      .where(eq(cacheDownloadQueue.state, 'running'));
  }

  async requeue(id: number): Promise<void> {
    await this.#tables.update(cacheDownloadQueue).set({ state: 'queued' }).where(eq(cacheDownloadQueue.id, id));
  }

  /** The wish for this entry, or the one that was given up; null when there is none, or it was granted. */
  async findUnmet(entryId: number): Promise<DownloadRow | null> {
    const rows = await this.#tables
      .select()
      .from(cacheDownloadQueue)
      .where(
        and(eq(cacheDownloadQueue.entryId, entryId), inArray(cacheDownloadQueue.state, [...OPEN_STATES, 'failed'])),
      )
      .orderBy(desc(cacheDownloadQueue.id))
      .limit(1);
    return rows[0] ?? null;
  }

  /** Wishes in the order in which they are granted, from behind `place`. */
  async listOpen(limit: number, place: WishPlace | null, nowMs: number): Promise<Wish[]> {
    const wishes: Wish[] = [];
    for (let part = place?.part ?? 0; part < PARTS.length && wishes.length < limit; part++) {
      const after = place?.part === part ? place : null;
      wishes.push(...(await this.#listPart(part, limit - wishes.length, after, nowMs)));
    }
    return wishes;
  }

  async #listPart(part: number, limit: number, after: WishPlace | null, nowMs: number): Promise<Wish[]> {
    const { state, requestedBy, isDue } = PARTS[part]!;
    const { nextAttemptAt, id } = cacheDownloadQueue;
    const rows = await this.#tables
      .select({
        nextAttemptAt,
        id,
        entryId: cacheDownloadQueue.entryId,
        attempts: cacheDownloadQueue.attempts,
        errorText: cacheDownloadQueue.errorText,
        source: sources.name,
        title: mediaItems.title,
        year: mediaItems.year,
        quality: cacheEntries.quality,
        path: cacheQualityVariants.path,
        sizeBytes: sql<number | null>`COALESCE(${cacheGenerations.totalBytes}, ${cacheQualityVariants.sizeBytes})`,
        cachedBytes: sql<number>`COALESCE(${cacheGenerations.cachedBytes}, 0)`,
      })
      .from(cacheDownloadQueue)
      .innerJoin(cacheEntries, eq(cacheEntries.id, cacheDownloadQueue.entryId))
      .innerJoin(sources, eq(sources.id, cacheEntries.sourceId))
      .innerJoin(mediaItems, eq(mediaItems.id, cacheEntries.mediaId))
      .innerJoin(
        cacheQualityVariants,
        and(
          eq(cacheQualityVariants.mediaId, cacheEntries.mediaId),
          eq(cacheQualityVariants.quality, cacheEntries.quality),
        ),
      )
      .leftJoin(
        cacheGenerations,
        and(eq(cacheGenerations.entryId, cacheEntries.id), isNull(cacheGenerations.supersededAt)),
      )
      .where(
        and(
          eq(cacheDownloadQueue.state, state),
          eq(cacheDownloadQueue.requestedBy, requestedBy),
          isDue === null ? undefined : isDue ? lte(nextAttemptAt, nowMs) : gt(nextAttemptAt, nowMs),
          after === null ? undefined : sql`(${nextAttemptAt}, ${id}) > (${after.nextAttemptAt}, ${after.id})`,
        ),
      )
      .orderBy(asc(nextAttemptAt), asc(id))
      .limit(limit);
    return rows.map((row) => ({ ...row, part, state, requestedBy }));
  }

  /** Bytes that are still to come for all wishes, as far as sizes are known: a look at each of them. */
  async sumOpen(): Promise<number> {
    const size = sql`COALESCE(${cacheGenerations.totalBytes}, ${cacheQualityVariants.sizeBytes}, 0)`;
    const rows = await this.#tables
      .select({
        bytes: sql<number>`COALESCE(SUM(MAX(0, ${size} - COALESCE(${cacheGenerations.cachedBytes}, 0))), 0)`,
      })
      .from(cacheDownloadQueue)
      .innerJoin(cacheEntries, eq(cacheEntries.id, cacheDownloadQueue.entryId))
      .innerJoin(
        cacheQualityVariants,
        and(
          eq(cacheQualityVariants.mediaId, cacheEntries.mediaId),
          eq(cacheQualityVariants.quality, cacheEntries.quality),
        ),
      )
      .leftJoin(
        cacheGenerations,
        and(eq(cacheGenerations.entryId, cacheEntries.id), isNull(cacheGenerations.supersededAt)),
      )
      .where(inArray(cacheDownloadQueue.state, [...OPEN_STATES]));
    return rows[0]?.bytes ?? 0;
  }

  /** How many entries are wished for. */
  async countOpen(): Promise<number> {
    const rows = await this.#tables
      .select({ count: count() })
      .from(cacheDownloadQueue)
      .where(inArray(cacheDownloadQueue.state, [...OPEN_STATES]));
    return rows[0]?.count ?? 0;
  }

  /** No wait is longer than the longest pause, unless the clock was wrong when it was written: then it ends now. */
  async endWaitsBehind(latestMs: number, nowMs: number): Promise<void> {
    await this.#tables
      .update(cacheDownloadQueue)
      .set({ nextAttemptAt: nowMs })
      .where(and(eq(cacheDownloadQueue.state, 'queued'), gt(cacheDownloadQueue.nextAttemptAt, latestMs)));
  }

  /** When the next waiting row is due; null when none waits. */
  async findNextAttempt(): Promise<number | null> {
    const rows = await this.#tables
      .select({ nextAttemptAt: min(cacheDownloadQueue.nextAttemptAt) })
      .from(cacheDownloadQueue)
      .where(eq(cacheDownloadQueue.state, 'queued'));
    return rows[0]?.nextAttemptAt ?? null;
  }

  /** What may start now: a person's wishes first, then oldest first. */
  listDue(limit: number, nowMs: number): Promise<DownloadRow[]> {
    return (
      this.#tables
        .select()
        .from(cacheDownloadQueue)
        .where(and(eq(cacheDownloadQueue.state, 'queued'), lte(cacheDownloadQueue.nextAttemptAt, nowMs)))
        // 'person' sorts behind 'background': descending puts people first.
        .orderBy(
          desc(cacheDownloadQueue.requestedBy),
          asc(cacheDownloadQueue.nextAttemptAt),
          asc(cacheDownloadQueue.id),
        )
        .limit(limit)
    );
  }

  async markRunning(id: number): Promise<void> {
    await this.#tables.update(cacheDownloadQueue).set({ state: 'running' }).where(eq(cacheDownloadQueue.id, id));
  }

  async markDone(id: number, nowMs: number): Promise<void> {
    await this.#tables
      .update(cacheDownloadQueue)
      .set({ state: 'done', errorCode: null, errorText: null, finishedAt: nowMs })
      .where(eq(cacheDownloadQueue.id, id));
  }

  /** `nextAttemptAt` null: given up. */
  async markFailed(
    row: DownloadRow,
    error: { code: string; text: string },
    nextAttemptAt: number | null,
    nowMs: number,
  ): Promise<void> {
    await this.#tables
      .update(cacheDownloadQueue)
      .set({
        state: nextAttemptAt === null ? 'failed' : 'queued',
        attempts: row.attempts + 1,
        nextAttemptAt: nextAttemptAt ?? row.nextAttemptAt,
        errorCode: error.code,
        errorText: error.text,
        finishedAt: nextAttemptAt === null ? nowMs : null,
      })
      .where(eq(cacheDownloadQueue.id, row.id));
  }
}
