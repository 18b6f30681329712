// The library as it is listed: media items by facet and in an order, each page entered by key. Any filter is a set of
// facets (`media_statistics.facet`); each facet is one run in the index of an order, and the runs are merged, so that
// a page costs the same whatever is filtered and however far down it is.
import { and, asc, eq, inArray, isNull, sql } from 'drizzle-orm';
import type { Tables } from './database.ts';
import {
  cacheEntries,
  cacheGenerations,
  cacheQualityVariants,
  mediaFacets,
  mediaItems,
  mediaStatistics,
  sources,
} from './schema.ts';
import { foldTitle } from './sort-title.ts';

export type FacetRow = typeof mediaFacets.$inferSelect;
export type Availability = FacetRow['availability'];
export type MediaType = (typeof mediaItems.$inferSelect)['type'];
export type ItemSort = 'used' | 'title' | 'size' | 'added';

/** Where a page begins: behind the item with this sort key. */
export interface ItemCursor {
  readonly key: number | string;
  readonly mediaId: number;
}

/** An item as far as its order and facet go. */
export interface ItemPlace extends ItemCursor {
  readonly facet: number;
}

export interface ItemRow {
  readonly mediaId: number;
  readonly sourceId: number;
  readonly source: string;
  readonly key: string;
  readonly type: MediaType;
  readonly title: string;
  readonly year: number | null;
  /** Of an episode its season (or its series), of a track its album. */
  readonly parentId: number | null;
  readonly season: number | null;
  readonly episode: number | null;
  readonly durationMs: number | null;
  readonly overview: string | null;
  /** Its source has a picture of it. */
  readonly hasArtwork: boolean;
  readonly sizeBytes: number;
  readonly availability: Availability;
  readonly pinned: boolean;
  readonly missing: boolean;
  /** When it was last played; 0 when never. */
  readonly lastUsedAt: number;
  readonly addedAt: number;
}

/** One quality of an item; what is null was never opened, or is not kept any more. */
export interface QualityRow {
  readonly mediaId: number;
  readonly quality: string;
  readonly path: string;
  readonly container: string | null;
  readonly sizeBytes: number | null;
  readonly width: number | null;
  readonly height: number | null;
  /** All streams together, in bit/s. */
  readonly bitrate: number | null;
  readonly videoCodec: string | null;
  readonly audioCodec: string | null;
  readonly delivery: 'file' | 'growing' | 'hls';
  /** Why it cannot be played through Larder; null where it can. */
  readonly refusal: string | null;
  /** Since when its source does not list it any more. */
  readonly unlistedSince: number | null;
  readonly entryId: number | null;
  readonly lastUsedAt: number | null;
  readonly useCount: number | null;
  readonly pinned: boolean | null;
  readonly missingSince: number | null;
  readonly missingReason: string | null;
  readonly removedAt: number | null;
  readonly generationId: number | null;
  readonly totalBytes: number | null;
  readonly cachedBytes: number | null;
  readonly seekable: boolean | null;
  /** Of a playlist: all of its pieces are here. */
  readonly piecesWhole: boolean | null;
}

/** An entry as far as a list of entries names it. */
export interface NamedEntry {
  readonly entryId: number;
  readonly mediaId: number;
  readonly source: string;
  readonly title: string;
  readonly quality: string;
  readonly cachedBytes: number;
}

export interface KeptBytes {
  readonly mediaId: number;
  readonly entryCount: number;
  readonly cachedBytes: number;
  /** Of the qualities that are kept or partly kept, as far as their length is known. */
  readonly missingBytes: number;
}

const ORDERS = {
  used: { column: 'last_used_at', direction: 'DESC' },
  title: { column: 'sort_title', direction: 'ASC' },
  size: { column: 'size_bytes', direction: 'DESC' },
  added: { column: 'added_at', direction: 'DESC' },
} as const satisfies Record<ItemSort, { column: string; direction: 'ASC' | 'DESC' }>;

export class LibraryTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Every kind of item there is, with how many there are: a handful for each source. */
  listFacets(): Promise<FacetRow[]> {
    return this.#tables.select().from(mediaFacets);
  }

  /** `limit` items of any of `facets` in the order of `sort`, from behind `cursor`. */
  async listPlaces(
    facets: readonly number[],
    sort: ItemSort,
    cursor: ItemCursor | null,
    limit: number,
  ): Promise<ItemPlace[]> {
    const { column, direction } = ORDERS[sort];
    const key = sql.raw(column);
    const order = sql.raw(direction);
    const isBehind = sql.raw(direction === 'ASC' ? '>' : '<');
    const start = cursor ?? firstCursor(sort);
    // The queue of the recursion holds the next item of each facet; the one that comes first is taken out, and the one
    // behind it in its facet put in.
    const rows = await this.#tables.all<{ facet: number; key: number | string; id: number }>(sql`
      WITH RECURSIVE walk (facet, key, id) AS (
        SELECT facets.value, item.${key}, item.media_id
        FROM json_each(${JSON.stringify(facets)}) AS facets JOIN media_statistics AS item ON item.media_id = (
          SELECT media_id FROM media_statistics AS next
          WHERE next.facet = facets.value AND (next.${key}, next.media_id) ${isBehind} (${start.key}, ${start.mediaId})
          ORDER BY next.${key} ${order}, next.media_id ${order} LIMIT 1)
        UNION ALL
        SELECT walk.facet, item.${key}, item.media_id
        FROM walk JOIN media_statistics AS item ON item.media_id = (
          SELECT media_id FROM media_statistics AS next
          WHERE next.facet = walk.facet AND (next.${key}, next.media_id) ${isBehind} (walk.key, walk.id)
          ORDER BY next.${key} ${order}, next.media_id ${order} LIMIT 1)
        ORDER BY 2 ${order}, 3 ${order} LIMIT ${limit}
      )
      SELECT facet, key, id FROM walk`);
    return rows.map((row) => ({ facet: row.facet, key: row.key, mediaId: row.id }));
  }

  /** The newest `limit` items that have all of `words`, each as a whole word or as the start of one; in no order. */
  async match(words: readonly string[], sort: ItemSort, limit: number): Promise<ItemPlace[]> {
    const key = sql.raw(ORDERS[sort].column);
    // Quoted, so that nothing in it is syntax; `*` behind a quoted word is a prefix.
    const query = words.map((word) => `"${word.replaceAll('"', '""')}"*`).join(' ');
    const rows = await this.#tables.all<{ facet: number; key: number | string; id: number }>(sql`
      SELECT item.facet, item.${key} AS key, item.media_id AS id
      FROM (SELECT rowid FROM media_search WHERE media_search MATCH ${query} ORDER BY rowid DESC LIMIT ${limit}) AS found
      CROSS JOIN media_statistics AS item ON item.media_id = found.rowid`);
    return rows.map((row) => ({ facet: row.facet, key: row.key, mediaId: row.id }));
  }

  /** In no order; those that are gone meanwhile are missing. */
  listItems(mediaIds: readonly number[]): Promise<ItemRow[]> {
    return this.#tables
      .select({
        mediaId: mediaStatistics.mediaId,
        sourceId: mediaItems.sourceId,
        source: sources.name,
        key: mediaItems.key,
        type: mediaItems.type,
        title: mediaItems.title,
        year: mediaItems.year,
        parentId: mediaItems.parentId,
        season: mediaItems.season,
        episode: mediaItems.episode,
        durationMs: mediaItems.durationMs,
        overview: mediaItems.overview,
        hasArtwork: sql<boolean>`${mediaItems.artwork} IS NOT NULL`.mapWith(Boolean),
        sizeBytes: mediaStatistics.sizeBytes,
        availability: mediaStatistics.availability,
        pinned: mediaStatistics.pinned,
        missing: mediaStatistics.missing,
        lastUsedAt: mediaStatistics.lastUsedAt,
        addedAt: mediaStatistics.addedAt,
      })
      .from(mediaStatistics)
      .innerJoin(mediaItems, eq(mediaItems.id, mediaStatistics.mediaId))
      .innerJoin(sources, eq(sources.id, mediaItems.sourceId))
      .where(inArray(mediaStatistics.mediaId, [...mediaIds]));
  }

  /** The qualities of these items, without what lies beside them; largest first, then by name. */
  listQualities(mediaIds: readonly number[]): Promise<QualityRow[]> {
    return this.#tables
      .select({
        mediaId: cacheQualityVariants.mediaId,
        quality: cacheQualityVariants.quality,
        path: cacheQualityVariants.path,
        container: cacheQualityVariants.container,
        sizeBytes: cacheQualityVariants.sizeBytes,
        width: cacheQualityVariants.width,
        height: cacheQualityVariants.height,
        bitrate: cacheQualityVariants.bitrate,
        videoCodec: cacheQualityVariants.videoCodec,
        audioCodec: cacheQualityVariants.audioCodec,
        delivery: cacheQualityVariants.delivery,
        refusal: cacheQualityVariants.refusal,
        unlistedSince: cacheQualityVariants.missingSince,
        entryId: cacheEntries.id,
        lastUsedAt: cacheEntries.lastUsedAt,
        useCount: cacheEntries.useCount,
        pinned: cacheEntries.pinned,
        missingSince: cacheEntries.missingSince,
        missingReason: cacheEntries.missingReason,
        removedAt: cacheEntries.removedAt,
        generationId: cacheGenerations.id,
        totalBytes: cacheGenerations.totalBytes,
        cachedBytes: cacheGenerations.cachedBytes,
        seekable: cacheGenerations.seekable,
        piecesWhole: cacheEntries.piecesWhole,
      })
      .from(cacheQualityVariants)
      .leftJoin(
        cacheEntries,
        sql`${cacheEntries.mediaId} = ${cacheQualityVariants.mediaId} AND ${cacheEntries.quality} = ${cacheQualityVariants.quality}`,
      )
      .leftJoin(
        cacheGenerations,
        sql`${cacheGenerations.entryId} = ${cacheEntries.id} AND ${isNull(cacheGenerations.supersededAt)}`,
      )
      .where(
        and(inArray(cacheQualityVariants.mediaId, [...mediaIds]), sql`instr(${cacheQualityVariants.quality}, '~') = 0`),
      )
      .orderBy(
        asc(cacheQualityVariants.mediaId),
        sql`${cacheQualityVariants.sizeBytes} DESC`,
        asc(cacheQualityVariants.quality),
      );
  }

  /** Episodes and tracks below these items, at whatever depth, in no order. */
  async listParts(mediaIds: readonly number[]): Promise<number[]> {
    const rows = await this.#tables.all<{ id: number }>(sql`
      WITH RECURSIVE below (id, type) AS (
        SELECT item.id, item.type FROM json_each(${JSON.stringify(mediaIds)}) AS wanted
        CROSS JOIN media_items AS item ON item.parent_id = wanted.value
        UNION
        SELECT item.id, item.type FROM below CROSS JOIN media_items AS item ON item.parent_id = below.id)
      SELECT id FROM below WHERE type IN ('episode', 'track', 'video', 'audio')`);
    return rows.map(({ id }) => id);
  }

  /** In no order; those that are gone meanwhile are missing. */
  async listEntries(entryIds: readonly number[]): Promise<NamedEntry[]> {
    const rows = await this.#tables
      .select({
        entryId: cacheEntries.id,
        mediaId: cacheEntries.mediaId,
        source: sources.name,
        title: mediaItems.title,
        quality: cacheEntries.quality,
        cachedBytes: cacheGenerations.cachedBytes,
      })
      .from(cacheEntries)
      .innerJoin(mediaItems, eq(mediaItems.id, cacheEntries.mediaId))
      .innerJoin(sources, eq(sources.id, cacheEntries.sourceId))
      .leftJoin(
        cacheGenerations,
        sql`${cacheGenerations.entryId} = ${cacheEntries.id} AND ${isNull(cacheGenerations.supersededAt)}`,
      )
      .where(inArray(cacheEntries.id, [...entryIds]));
    return rows.map((row) => ({ ...row, cachedBytes: row.cachedBytes ?? 0 }));
  }

  /** What these items have on the disk, of those that have something. */
  async sumKept(mediaIds: readonly number[]): Promise<KeptBytes[]> {
    return this.#tables.all<KeptBytes>(sql`
      SELECT cache_entries.media_id AS mediaId, COUNT(*) AS entryCount,
        COALESCE(SUM(cached_bytes), 0) AS cachedBytes,
        COALESCE(SUM(total_bytes - cached_bytes), 0) AS missingBytes
      FROM json_each(${JSON.stringify(mediaIds)}) AS items
      CROSS JOIN cache_entries ON cache_entries.media_id = items.value AND removed_at IS NULL
      LEFT JOIN cache_generations ON cache_generations.entry_id = cache_entries.id AND superseded_at IS NULL
      GROUP BY cache_entries.media_id`);
  }

  /** As `sumKept`, of `limit` items of a facet from the `offset`th on, together. */
  async sumFacet(facet: number, offset: number, limit: number): Promise<Omit<KeptBytes, 'mediaId'>> {
    const [row] = await this.#tables.all<Omit<KeptBytes, 'mediaId'>>(sql`
      SELECT COUNT(cache_entries.id) AS entryCount,
        COALESCE(SUM(cached_bytes), 0) AS cachedBytes,
        COALESCE(SUM(total_bytes - cached_bytes), 0) AS missingBytes
      FROM (
        SELECT media_id FROM media_statistics INDEXED BY media_statistics_size WHERE facet = ${facet}
        ORDER BY size_bytes, media_id LIMIT ${limit} OFFSET ${offset}
      ) AS items
      CROSS JOIN cache_entries ON cache_entries.media_id = items.media_id AND removed_at IS NULL
      LEFT JOIN cache_generations ON cache_generations.entry_id = cache_entries.id AND superseded_at IS NULL`);
    return row!;
  }

  /** Sizes of all items of a facet as their sources say them, and how many say none. */
  async sumSizes(facet: number): Promise<{ sizeBytes: number; unknownCount: number }> {
    const [row] = await this.#tables.all<{ sizeBytes: number; unknownCount: number }>(sql`
      SELECT COALESCE(SUM(size_bytes), 0) AS sizeBytes, COALESCE(SUM(size_bytes = 0), 0) AS unknownCount
      FROM media_statistics INDEXED BY media_statistics_size WHERE facet = ${facet}`);
    return row!;
  }

  /** Items whose titles were not folded yet. */
  listUnfolded(limit: number): Promise<{ id: number; title: string }[]> {
    return this.#tables
      .select({ id: mediaItems.id, title: mediaItems.title })
      .from(mediaItems)
      .where(isNull(mediaItems.sortTitle))
      .orderBy(asc(mediaItems.id))
      .limit(limit);
  }

  async fold(items: readonly { readonly id: number; readonly title: string }[]): Promise<void> {
    const [first, ...rest] = items.map(({ id, title }) =>
      this.#tables
        .update(mediaItems)
        .set({ sortTitle: foldTitle(title) })
        .where(eq(mediaItems.id, id)),
    );
    if (first !== undefined) await this.#tables.batch([first, ...rest]);
  }
}

/** In front of everything. */
function firstCursor(sort: ItemSort): ItemCursor {
  return ORDERS[sort].direction === 'DESC'
    ? { key: Number.MAX_SAFE_INTEGER, mediaId: Number.MAX_SAFE_INTEGER }
    : { key: '', mediaId: 0 };
}
