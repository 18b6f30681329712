// Sources, how each fares, and what hangs on it. A removed one keeps its row, under a name that nobody can give, until
// its last entry is gone.
import { and, asc, eq, gt, inArray, isNull, notExists, type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/sqlite-core';
import type { Tables } from './database.ts';
import { cacheDownloadQueue, cacheEntries, catalogueFolders, mediaItems, sourceStatistics, sources } from './schema.ts';

export type SourceRow = typeof sources.$inferSelect;

/** What removing a source would lose. */
export interface SourceHoldings {
  readonly itemCount: number;
  readonly entryCount: number;
  readonly pinnedCount: number;
  readonly cachedBytes: number;
}

export interface SourceSettingsRow {
  readonly url: string;
  /** Sealed; null for none. */
  readonly credentials: string | null;
  /** JSON. */
  readonly options: string;
}

export interface SourceTestRow {
  readonly testedAt: number;
  /** JSON. */
  readonly testResult: string;
}

export class SourceTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** By name; those that are being removed among them. */
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

  /** The source of this name, added with this kind and address when there is none. */
  async ensure(name: string, kind: SourceRow['kind'], url: string, nowMs: number): Promise<SourceRow> {
    await this.#tables
      .insert(sources)
      .values({ name, kind, url, createdAt: nowMs, updatedAt: nowMs })
      .onConflictDoNothing();
    const rows = await this.#tables.select().from(sources).where(eq(sources.name, name));
    return rows[0]!;
  }

  /** Gets an id of `idAtLeast` or higher. @returns null when the name is taken */
  async add(
    name: string,
    settings: SourceSettingsRow & Pick<SourceRow, 'kind'>,
    idAtLeast: number,
    nowMs: number,
  ): Promise<SourceRow | null> {
    const id = sql`(SELECT max(coalesce(max(id) + 1, 1), ${idAtLeast}) FROM sources)`;
    const rows = await this.#tables
      .insert(sources)
      .values({ ...settings, id, name, createdAt: nowMs, updatedAt: nowMs })
      .onConflictDoNothing()
      .returning();
    return rows[0] ?? null;
  }

  /** @returns the row as it is now; null when there is no such source any more */
  async update(id: number, settings: SourceSettingsRow, nowMs: number): Promise<SourceRow | null> {
    const rows = await this.#tables
      .update(sources)
      .set({
        ...settings,
        updatedAt: nowMs,
        // How it fared at another address, or with other credentials, says nothing any more.
        testedAt: null,
        testResult: null,
        lastErrorCode: null,
        lastErrorText: null,
        lastErrorAt: null,
        failingSince: null,
      })
      .where(and(eq(sources.id, id), isNull(sources.removedAt)))
      .returning();
    return rows[0] ?? null;
  }

  async recordTest(id: number, test: SourceTestRow): Promise<void> {
    await this.#tables.update(sources).set(test).where(eq(sources.id, id));
  }

  /** In one transaction: the name is free, the secrets are gone, nothing of it is downloaded at the next start. */
  async markRemoved(id: number, name: string, nowMs: number): Promise<void> {
    const entriesOfIt = this.#tables
      .select({ id: cacheEntries.id })
      .from(cacheEntries)
      .where(eq(cacheEntries.sourceId, id));
    await this.#tables.batch([
      this.#tables.update(sources).set({ name, credentials: null, removedAt: nowMs }).where(eq(sources.id, id)),
      this.#tables.delete(cacheDownloadQueue).where(inArray(cacheDownloadQueue.entryId, entriesOfIt)),
    ]);
  }

  /** Entries of a source in the order of their ids, from behind `afterId`. */
  async listEntryIds(id: number, afterId: number, limit: number): Promise<number[]> {
    const rows = await this.#tables
      .select({ id: cacheEntries.id })
      .from(cacheEntries)
      .where(and(eq(cacheEntries.sourceId, id), gt(cacheEntries.id, afterId)))
      .orderBy(asc(cacheEntries.id))
      .limit(limit);
    return rows.map((row) => row.id);
  }

  /**
   * Takes out some of what a source without entries was seen to hold: files, then folders. Those first that others do not
   * belong to: with a series go the words of all of its episodes, which are written anew.
   * @returns how many rows
   */
  async removeItems(id: number, limit: number): Promise<number> {
    const ofSource = eq(mediaItems.sourceId, id);
    const child = alias(mediaItems, 'child');
    const hasNone = notExists(
      this.#tables.select({ id: child.id }).from(child).where(eq(child.parentId, mediaItems.id)),
    );
    let removed = await this.#removeSome(and(ofSource, hasNone), limit);
    if (removed < limit) removed += await this.#removeSome(ofSource, limit - removed);
    if (removed > 0) return removed;
    const { id: folderId, sourceId } = catalogueFolders;
    const folders = this.#tables.select({ id: folderId }).from(catalogueFolders).where(eq(sourceId, id));
    const rows = await this.#tables
      .delete(catalogueFolders)
      .where(inArray(folderId, folders.limit(limit)))
      .returning({ id: folderId });
    return rows.length;
  }

  async #removeSome(which: SQL | undefined, limit: number): Promise<number> {
    const items = this.#tables.select({ id: mediaItems.id }).from(mediaItems).where(which).limit(limit);
    const removed = await this.#tables
      .delete(mediaItems)
      .where(inArray(mediaItems.id, items))
      .returning({ id: mediaItems.id });
    return removed.length;
  }

  async remove(id: number): Promise<void> {
    await this.#tables.delete(sources).where(eq(sources.id, id));
  }

  /** Of every source, by its id. */
  async holdings(): Promise<Map<number, SourceHoldings>> {
    const rows = await this.#tables.select().from(sourceStatistics);
    return new Map(rows.map(({ sourceId, ...holdings }) => [sourceId, holdings]));
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
