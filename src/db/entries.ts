// Media items, their qualities, and the cache entries made of them.
import { and, asc, desc, eq, exists, inArray, isNotNull, isNull, max, or, sql } from 'drizzle-orm';
import type { ByteRange } from '../bytes/byte-range.ts';
import { yieldTurn } from '../yield-turn.ts';
import type { Tables } from './database.ts';
import { RANGES_PER_PAGE, rangePages } from './range-pages.ts';
import {
  cacheChunks,
  cacheEntries,
  cacheGenerations,
  cacheHeaders,
  cacheQualityVariants,
  mediaItems,
  sources,
} from './schema.ts';
import { foldTitle } from './sort-title.ts';

/** The cache key: never an address. */
export interface EntryKey {
  readonly sourceId: number;
  /** Identity of the media item within its source. */
  readonly mediaKey: string;
  readonly quality: string;
}

export interface EntryDescription extends EntryKey {
  readonly title: string;
  readonly year: number | null;
  readonly type: 'video' | 'audio' | 'file';
  readonly path: string;
  readonly container: string | null;
  /** A catalogue says what it is called: its title stays as that is. */
  readonly isListed?: boolean;
}

export type GenerationRow = typeof cacheGenerations.$inferSelect;
export type HeaderRow = typeof cacheHeaders.$inferSelect;

export interface EntryRecord {
  readonly entryId: number;
  readonly mediaId: number;
  readonly missingSince: number | null;
  readonly generation: GenerationRow | null;
  readonly headers: HeaderRow | null;
}

/** What a page shows of an entry. */
export interface EntrySummary {
  readonly entryId: number;
  readonly mediaId: number;
  readonly source: string;
  readonly title: string;
  readonly year: number | null;
  readonly quality: string;
  readonly path: string;
  readonly container: string | null;
  readonly generationId: number | null;
  readonly etag: string | null;
  readonly totalBytes: number | null;
  readonly cachedBytes: number;
  readonly ranges: readonly ByteRange[];
  readonly lastUsedAt: number;
  /** By a player; null when never. */
  readonly lastPlayedAt: number | null;
  readonly pinned: boolean;
  readonly missingSince: number | null;
  readonly missingReason: string | null;
  /** Dropped by hand, and not gone yet. */
  readonly removedAt: number | null;
}

/** Where an entry is at its source. */
export interface EntryAddress {
  readonly source: string;
  readonly path: string;
}

type SummaryRow = Omit<EntrySummary, 'ranges' | 'cachedBytes'> & { readonly cachedBytes: number | null };

export interface EvictableEntry {
  readonly entryId: number;
  readonly lastUsedAt: number;
  /** Dropped by hand: it goes before everything else. */
  readonly isRemoved?: boolean;
  readonly source: string;
  readonly path: string;
}

/** Dropped by hand. */
export interface RemovedEntry {
  readonly entryId: number;
  readonly removedAt: number;
}

export interface EntryCursor {
  readonly lastUsedAt: number;
  readonly entryId: number;
}

const isNoPiece = sql`instr(${cacheEntries.quality}, '~') < 2`;

export class EntryTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** The entry of `key` with its current generation, or null when nothing of it was ever opened. */
  async find(key: EntryKey): Promise<EntryRecord | null> {
    const rows = await this.#tables
      .select({ entry: cacheEntries, generation: cacheGenerations, headers: cacheHeaders })
      .from(mediaItems)
      .innerJoin(
        cacheEntries,
        and(
          eq(cacheEntries.sourceId, key.sourceId),
          eq(cacheEntries.mediaId, mediaItems.id),
          eq(cacheEntries.quality, key.quality),
        ),
      )
      .leftJoin(
        cacheGenerations,
        and(eq(cacheGenerations.entryId, cacheEntries.id), isNull(cacheGenerations.supersededAt)),
      )
      .leftJoin(cacheHeaders, eq(cacheHeaders.generationId, cacheGenerations.id))
      .where(and(eq(mediaItems.sourceId, key.sourceId), eq(mediaItems.key, key.mediaKey)))
      .limit(1);
    const row = rows[0];
    if (row === undefined) return null;
    const { id: entryId, mediaId, missingSince } = row.entry;
    return { entryId, mediaId, missingSince, generation: row.generation, headers: row.headers };
  }

  /** The entry of `description`, made with its media item and quality when it is not there yet. */
  async ensure(description: EntryDescription, nowMs: number): Promise<{ entryId: number; mediaId: number }> {
    const sortTitle = foldTitle(description.title);
    // Of a catalogue: a playlist that lies in a folder is a file.
    const isPlaylist = description.isListed && description.container === 'm3u8';
    const delivery = isPlaylist ? { delivery: 'hls' as const } : {};
    const media = await this.#tables
      .insert(mediaItems)
      .values({
        sourceId: description.sourceId,
        key: description.mediaKey,
        type: description.type,
        title: description.title,
        year: description.year,
        sortTitle,
        createdAt: nowMs,
      })
      .onConflictDoUpdate({
        target: [mediaItems.sourceId, mediaItems.key],
        // Something is to be set, or no row would be returned.
        set: description.isListed ? { key: description.mediaKey } : { title: description.title, sortTitle },
      })
      .returning({ id: mediaItems.id });
    const mediaId = media[0]!.id;
    const [entry] = await this.#tables.batch([
      this.#tables
        .insert(cacheEntries)
        .values({
          sourceId: description.sourceId,
          mediaId,
          quality: description.quality,
          createdAt: nowMs,
          lastUsedAt: nowMs,
        })
        .onConflictDoUpdate({
          target: [cacheEntries.sourceId, cacheEntries.mediaId, cacheEntries.quality],
          set: { lastUsedAt: nowMs },
        })
        .returning({ id: cacheEntries.id }),
      this.#tables
        .insert(cacheQualityVariants)
        .values({
          mediaId,
          quality: description.quality,
          path: description.path,
          container: description.container,
          ...delivery,
          discoveredAt: nowMs,
        })
        .onConflictDoUpdate({
          target: [cacheQualityVariants.mediaId, cacheQualityVariants.quality],
          set: { path: description.path, container: description.container, ...delivery },
        }),
    ]);
    return { entryId: entry[0]!.id, mediaId };
  }

  async recordSize(mediaId: number, quality: string, sizeBytes: number): Promise<void> {
    await this.#tables
      .update(cacheQualityVariants)
      .set({ sizeBytes })
      .where(and(eq(cacheQualityVariants.mediaId, mediaId), eq(cacheQualityVariants.quality, quality)));
  }

  /** Notes that entries were played: `uses` counts opens since the last call. One statement per entry, in one batch. */
  async recordUse(uses: ReadonlyMap<number, { atMs: number; count: number }>): Promise<void> {
    const statements = [...uses].map(([entryId, use]) =>
      this.#tables
        .update(cacheEntries)
        .set({ lastUsedAt: use.atMs, lastPlayedAt: use.atMs, useCount: sql`${cacheEntries.useCount} + ${use.count}` })
        .where(eq(cacheEntries.id, entryId)),
    );
    const [first, ...rest] = statements;
    if (first !== undefined) await this.#tables.batch([first, ...rest]);
  }

  /** The origin says that it has no such file (any more). What is stored stays. */
  async recordMissing(entryId: number, reason: string, nowMs: number): Promise<void> {
    await this.#tables
      .update(cacheEntries)
      .set({ missingSince: nowMs, missingReason: reason })
      .where(eq(cacheEntries.id, entryId));
  }

  async recordFound(entryId: number): Promise<void> {
    await this.#tables
      .update(cacheEntries)
      .set({ missingSince: null, missingReason: null })
      .where(eq(cacheEntries.id, entryId));
  }

  /** @returns whether there is such an entry */
  async setPinned(entryId: number, pinned: boolean): Promise<boolean> {
    const rows = await this.#tables
      .update(cacheEntries)
      .set({ pinned })
      .where(eq(cacheEntries.id, entryId))
      .returning({ id: cacheEntries.id });
    return rows.length > 0;
  }

  /** Dropped by hand, or (null) brought back. @returns whether there is such an entry */
  async setRemoved(entryId: number, removedAt: number | null): Promise<boolean> {
    const rows = await this.#tables
      .update(cacheEntries)
      .set({ removedAt })
      .where(eq(cacheEntries.id, entryId))
      .returning({ id: cacheEntries.id });
    return rows.length > 0;
  }

  /** What was dropped and is not gone yet, longest ago first, from behind `cursor`. */
  listRemoved(limit: number, cursor: RemovedEntry | null = null): Promise<RemovedEntry[]> {
    return this.#tables
      .select({ entryId: cacheEntries.id, removedAt: sql<number>`${cacheEntries.removedAt}` })
      .from(cacheEntries)
      .where(
        and(
          isNotNull(cacheEntries.removedAt),
          cursor === null
            ? undefined
            : sql`(${cacheEntries.removedAt}, ${cacheEntries.id}) > (${cursor.removedAt}, ${cursor.entryId})`,
        ),
      )
      .orderBy(asc(cacheEntries.removedAt), asc(cacheEntries.id))
      .limit(limit);
  }

  /**
   * Entries that have bytes and may be evicted, from behind `cursor`: first what was dropped by hand, then least
   * recently used first.
   */
  async listEvictable(limit: number, cursor: EntryCursor | null): Promise<EvictableEntry[]> {
    const removed = cursor === null ? await this.#listRemovedAddresses(limit) : [];
    if (removed.length === limit) return removed;
    return [...removed, ...(await this.#listUnpinned(limit - removed.length, cursor))];
  }

  #listUnpinned(limit: number, cursor: EntryCursor | null): Promise<EvictableEntry[]> {
    return this.#tables
      .select({
        entryId: cacheEntries.id,
        lastUsedAt: cacheEntries.lastUsedAt,
        source: sources.name,
        path: cacheQualityVariants.path,
      })
      .from(cacheEntries)
      .innerJoin(sources, eq(sources.id, cacheEntries.sourceId))
      .innerJoin(
        cacheQualityVariants,
        and(
          eq(cacheQualityVariants.mediaId, cacheEntries.mediaId),
          eq(cacheQualityVariants.quality, cacheEntries.quality),
        ),
      )
      .where(
        and(
          // As the partial index says it.
          sql`${cacheEntries.pinned} = 0`,
          isNull(cacheEntries.removedAt),
          // A piece goes with its playlist. Also as the index says it.
          isNoPiece,
          or(this.#hasBytes(), this.#hasPieces()),
          cursor === null
            ? undefined
            : sql`(${cacheEntries.lastUsedAt}, ${cacheEntries.id}) > (${cursor.lastUsedAt}, ${cursor.entryId})`,
        ),
      )
      .orderBy(asc(cacheEntries.lastUsedAt), asc(cacheEntries.id))
      .limit(limit);
  }

  #hasBytes() {
    return exists(
      this.#tables
        .select({ one: sql`1` })
        .from(cacheGenerations)
        .innerJoin(cacheChunks, eq(cacheChunks.generationId, cacheGenerations.id))
        .where(eq(cacheGenerations.entryId, cacheEntries.id)),
    );
  }

  #hasPieces() {
    return sql`(${cacheQualityVariants.container} = 'm3u8' AND EXISTS (
      SELECT 1 FROM cache_entries AS piece
      WHERE piece.source_id = ${cacheEntries.sourceId} AND piece.media_id = ${cacheEntries.mediaId}
        AND piece.quality > ${cacheEntries.quality} || '~' AND piece.quality < ${cacheEntries.quality} || '~~'))`;
  }

  /** The place of the last one is before the whole order of use: what follows it is the first in that. */
  async #listRemovedAddresses(limit: number): Promise<EvictableEntry[]> {
    const rows = await this.#summaryQuery()
      .where(isNotNull(cacheEntries.removedAt))
      .orderBy(asc(cacheEntries.removedAt), asc(cacheEntries.id))
      .limit(limit);
    return rows.map(({ entryId, source, path }) => ({ entryId, lastUsedAt: -1, isRemoved: true, source, path }));
  }

  /** Time of the newest use; 0 when there is none. */
  async findNewestUse(): Promise<number> {
    const rows = await this.#tables
      .select({ newest: max(cacheEntries.lastUsedAt) })
      .from(cacheEntries)
      .where(isNoPiece);
    return rows[0]?.newest ?? 0;
  }

  /** The pieces of a playlist, which are kept and go with its entry. */
  async listPieceIds(entryId: number): Promise<number[]> {
    const rows = await this.#tables.all<{ id: number }>(sql`
      SELECT piece.id AS id FROM cache_entries AS whole
      CROSS JOIN cache_entries AS piece ON piece.source_id = whole.source_id AND piece.media_id = whole.media_id
        AND piece.quality > whole.quality || '~' AND piece.quality < whole.quality || '~~'
      WHERE whole.id = ${entryId} AND instr(whole.quality, '~') = 0`);
    return rows.map(({ id }) => id);
  }

  /** Not a playlist of which there are pieces (again): they could not be found without it. */
  async remove(entryId: number): Promise<void> {
    await this.#tables.run(sql`
      DELETE FROM cache_entries WHERE id = ${entryId} AND (instr(quality, '~') > 0 OR NOT EXISTS (
        SELECT 1 FROM cache_entries AS piece
        WHERE piece.source_id = cache_entries.source_id AND piece.media_id = cache_entries.media_id
          AND piece.quality > cache_entries.quality || '~' AND piece.quality < cache_entries.quality || '~~'))`);
  }

  /** The address of an entry, to open it without a request; null when it is gone. */
  async findAddress(entryId: number): Promise<EntryAddress | null> {
    const rows = await this.#summaryQuery().where(eq(cacheEntries.id, entryId)).limit(1);
    const row = rows[0];
    return row === undefined ? null : { source: row.source, path: row.path };
  }

  /** An entry with its available ranges; null when it is gone. */
  async findSummary(entryId: number): Promise<EntrySummary | null> {
    const rows = await this.#summaryQuery().where(eq(cacheEntries.id, entryId)).limit(1);
    const [summary] = await this.#withPieces(await this.#withRanges(rows));
    return summary ?? null;
  }

  /** What is kept of a playlist is what is kept of its pieces. */
  async #withPieces(summaries: EntrySummary[]): Promise<EntrySummary[]> {
    const playlistIds = summaries.flatMap(({ entryId, container }) => (container === 'm3u8' ? [entryId] : []));
    if (playlistIds.length === 0) return summaries;
    const sums = await this.#sumPieces(playlistIds);
    return summaries.map((summary) => {
      if (summary.container !== 'm3u8') return summary;
      const { bytes, isWhole } = sums.get(summary.entryId) ?? { bytes: 0, isWhole: false };
      return { ...summary, cachedBytes: bytes, totalBytes: isWhole ? bytes : summary.totalBytes };
    });
  }

  async #sumPieces(playlistIds: readonly number[]): Promise<Map<number, { bytes: number; isWhole: boolean }>> {
    const rows = await this.#tables.all<{ id: number; bytes: number; isWhole: number | null }>(sql`
      SELECT whole.id AS id, COALESCE(SUM(cached_bytes), 0) AS bytes, MAX(whole.pieces_whole) AS isWhole
      FROM json_each(${JSON.stringify(playlistIds)}) AS asked
      CROSS JOIN cache_entries AS whole ON whole.id = asked.value AND instr(whole.quality, '~') = 0
      CROSS JOIN cache_entries AS piece ON piece.source_id = whole.source_id AND piece.media_id = whole.media_id
        AND piece.quality > whole.quality || '~' AND piece.quality < whole.quality || '~~'
      CROSS JOIN cache_generations AS generation ON generation.entry_id = piece.id AND generation.superseded_at IS NULL
      GROUP BY whole.id`);
    return new Map(rows.map(({ id, bytes, isWhole }) => [id, { bytes, isWhole: isWhole === 1 }]));
  }

  /** What a label says of an entry besides its generation; null when it is gone. */
  async findState(entryId: number): Promise<{
    source: { name: string; kind: (typeof sources.$inferSelect)['kind']; url: string };
    lastUsedAt: number;
    pinned: boolean;
    removedAt: number | null;
  } | null> {
    const rows = await this.#tables
      .select({
        name: sources.name,
        kind: sources.kind,
        url: sources.url,
        lastUsedAt: cacheEntries.lastUsedAt,
        pinned: cacheEntries.pinned,
        removedAt: cacheEntries.removedAt,
      })
      .from(cacheEntries)
      .innerJoin(sources, eq(sources.id, cacheEntries.sourceId))
      .where(eq(cacheEntries.id, entryId));
    const [row] = rows;
    if (row === undefined) return null;
    const { name, kind, url, ...state } = row;
    return { source: { name, kind, url }, ...state };
  }

  /** Entries last used first, `limit` of them from behind `cursor`, with their available ranges; without dropped ones. */
  async listRecent(limit: number, cursor: EntryCursor | null): Promise<EntrySummary[]> {
    const rows = await this.#summaryQuery()
      .where(
        and(
          isNull(cacheEntries.removedAt),
          // As the index says it.
          isNoPiece,
          // Pictures and subtitles lie beside their film.
          sql`instr(${cacheEntries.quality}, '~') = 0`,
          // A row value, so that the index is entered at the cursor.
          cursor === null
            ? undefined
            : sql`(${cacheEntries.lastUsedAt}, ${cacheEntries.id}) < (${cursor.lastUsedAt}, ${cursor.entryId})`,
        ),
      )
      .orderBy(desc(cacheEntries.lastUsedAt), desc(cacheEntries.id))
      .limit(limit);
    return this.#withPieces(await this.#withRanges(rows));
  }

  async #withRanges(rows: readonly SummaryRow[]): Promise<EntrySummary[]> {
    const generationIds = rows.flatMap((row) => (row.generationId === null ? [] : [row.generationId]));
    const ranges = await this.#rangesOf(generationIds);
    return rows.map((row) => ({
      ...row,
      cachedBytes: row.cachedBytes ?? 0,
      ranges: row.generationId === null ? [] : (ranges.get(row.generationId) ?? []),
    }));
  }

  #summaryQuery() {
    return this.#tables
      .select({
        entryId: cacheEntries.id,
        mediaId: cacheEntries.mediaId,
        source: sources.name,
        title: mediaItems.title,
        year: mediaItems.year,
        quality: cacheEntries.quality,
        path: cacheQualityVariants.path,
        container: cacheQualityVariants.container,
        generationId: cacheGenerations.id,
        etag: cacheGenerations.etag,
        totalBytes: cacheGenerations.totalBytes,
        cachedBytes: cacheGenerations.cachedBytes,
        lastUsedAt: cacheEntries.lastUsedAt,
        lastPlayedAt: cacheEntries.lastPlayedAt,
        pinned: cacheEntries.pinned,
        missingSince: cacheEntries.missingSince,
        missingReason: cacheEntries.missingReason,
        removedAt: cacheEntries.removedAt,
      })
      .from(cacheEntries)
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
      );
  }

  async #rangesOf(generationIds: readonly number[]): Promise<Map<number, ByteRange[]>> {
    const byGeneration = new Map<number, ByteRange[]>();
    if (generationIds.length === 0) return byGeneration;
    const note = (generationId: number, ranges: readonly ByteRange[]) => {
      const list = byGeneration.get(generationId) ?? [];
      list.push(...ranges);
      byGeneration.set(generationId, list);
    };
    // All together where they are few; what is in too many pieces for that, by itself and in several turns of the loop.
    for (let rest = [...generationIds].sort((left, right) => left - right); rest.length > 0; ) {
      const rows = await this.#tables
        .select()
        .from(cacheChunks)
        .where(inArray(cacheChunks.generationId, rest))
        .orderBy(asc(cacheChunks.generationId), asc(cacheChunks.start))
        .limit(RANGES_PER_PAGE);
      for (const { generationId, start, end } of rows) note(generationId, [{ start, end }]);
      const last = rows.at(-1);
      if (last === undefined || rows.length < RANGES_PER_PAGE) break;
      await yieldTurn();
      const { generationId } = last;
      for await (const page of rangePages(this.#tables, generationId, last.start)) note(generationId, page);
      rest = rest.filter((id) => id > generationId);
    }
    return byGeneration;
  }
}
