// Entries by what they take on the disk: for what-if questions, and for who goes next.
import { and, asc, eq, gt, inArray, sql } from 'drizzle-orm';
import type { Tables } from './database.ts';
import { cacheEntries, mediaItems, sources } from './schema.ts';

export interface StoredEntry {
  readonly entryId: number;
  readonly mediaId: number;
  readonly source: string;
  readonly title: string;
  readonly year: number | null;
  readonly quality: string;
  readonly lastUsedAt: number;
  /** All its versions. */
  readonly bytes: number;
}

export class StorageTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Those of the given entries that are there; in no order. */
  async describe(entryIds: readonly number[]): Promise<StoredEntry[]> {
    if (entryIds.length === 0) return [];
    return await this.#tables
      .select({
        entryId: cacheEntries.id,
        mediaId: cacheEntries.mediaId,
        source: sources.name,
        title: mediaItems.title,
        year: mediaItems.year,
        quality: cacheEntries.quality,
        lastUsedAt: cacheEntries.lastUsedAt,
        bytes: this.#bytes(),
      })
      .from(cacheEntries)
      .innerJoin(sources, eq(sources.id, cacheEntries.sourceId))
      .innerJoin(mediaItems, eq(mediaItems.id, cacheEntries.mediaId))
      .where(inArray(cacheEntries.id, [...entryIds]));
  }

  /** Media ids by entry id, of the given entries that are there. */
  async findMediaIds(entryIds: readonly number[]): Promise<Map<number, number>> {
    if (entryIds.length === 0) return new Map();
    const rows = await this.#tables
      .select({ entryId: cacheEntries.id, mediaId: cacheEntries.mediaId })
      .from(cacheEntries)
      .where(inArray(cacheEntries.id, [...entryIds]));
    return new Map(rows.map((row) => [row.entryId, row.mediaId]));
  }

  /** Pinned entries in the order of their ids, from behind `afterId`. */
  async listPinned(limit: number, afterId: number): Promise<{ entryId: number; bytes: number }[]> {
    return await this.#tables
      .select({ entryId: cacheEntries.id, bytes: this.#bytes() })
      .from(cacheEntries)
      // As the partial index says it.
      .where(and(sql`${cacheEntries.pinned} = 1`, gt(cacheEntries.id, afterId)))
      .orderBy(asc(cacheEntries.id))
      .limit(limit);
  }

  #bytes() {
    // With the names of the tables: drizzle leaves them out where a query is of one table.
    return sql<number>`(
      SELECT coalesce(sum(cache_generations.cached_bytes), 0) FROM cache_generations
      WHERE cache_generations.entry_id = cache_entries.id)`;
  }
}
