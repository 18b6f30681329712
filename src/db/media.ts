// Media items apart from their files: what they are, what they belong to, and what their source needs to find what
// lies beside them.
import { and, asc, eq, inArray, ne, type SQL, sql } from 'drizzle-orm';
import type { Tables } from './database.ts';
import { cacheQualityVariants, mediaIds, mediaItems, mediaSubtitles, sources } from './schema.ts';
import { foldTitle } from './sort-title.ts';

export interface MediaDescription {
  readonly key: string;
  readonly type: Exclude<(typeof mediaItems.$inferSelect)['type'], 'file'>;
  readonly title: string;
  readonly year: number | null;
  readonly parentKey: string | null;
  readonly season: number | null;
  readonly episode: number | null;
  readonly durationMs: number | null;
  readonly overview: string | null;
  readonly artwork: string | null;
  readonly otherIds: readonly string[];
  readonly subtitles: readonly SubtitleDescription[];
  /** Of all of it. */
  readonly fingerprint: string;
}

export interface SubtitleDescription {
  readonly language: string | null;
  readonly title: string | null;
  readonly format: string;
  readonly locator: string;
  readonly isForced: boolean;
}

export type SubtitleRow = typeof mediaSubtitles.$inferSelect;

/** Of an item, beside what lists show. */
export interface MediaFacts {
  readonly mediaId: number;
  readonly sourceId: number;
  readonly key: string;
  readonly parentId: number | null;
  readonly season: number | null;
  readonly episode: number | null;
  readonly durationMs: number | null;
  readonly overview: string | null;
  readonly artwork: string | null;
  readonly readAt: number | null;
}

/** What the parent of such an item is. */
const PARENT_TYPES: Readonly<Record<string, string>> = { season: 'series', episode: 'season', track: 'album' };

export type VariantRow = typeof cacheQualityVariants.$inferSelect;

/** An item (level 0) or what it belongs to: its season or album (1), the series of that (2). */
export interface ChainRow {
  readonly mediaId: number;
  readonly level: number;
  readonly id: number;
  readonly type: (typeof mediaItems.$inferSelect)['type'];
  readonly title: string;
  readonly year: number | null;
  readonly season: number | null;
  readonly episode: number | null;
}

/** Seasons of a series, episodes of a season, tracks of an album. */
export interface ChildCount {
  readonly mediaId: number;
  readonly type: (typeof mediaItems.$inferSelect)['type'];
  readonly count: number;
}

/** A series holds seasons, and those episodes: parents that go in a circle end here. */
const LEVELS_MAX = 4;

/** The same work at another source. */
export interface SameWork {
  readonly mediaId: number;
  readonly source: string;
  readonly title: string;
}

export class MediaTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Fingerprints of items by their keys, of those that are there. */
  async fingerprints(sourceId: number, keys: readonly string[]): Promise<Map<string, string | null>> {
    const rows = await this.#tables.all<{ key: string; fingerprint: string | null }>(sql`
      SELECT media.key AS key, media.fingerprint AS fingerprint
      FROM json_each(${JSON.stringify(keys)}) AS wanted
      CROSS JOIN media_items AS media ON media.source_id = ${sourceId} AND media.key = wanted.value`);
    return new Map(rows.map(({ key, fingerprint }) => [key, fingerprint]));
  }

  /**
   * Makes and corrects the rows of these items, parents before their children.
   * @param known - keys of those of them, and of their parents, that have rows
   */
  async put(
    sourceId: number,
    items: readonly MediaDescription[],
    nowMs: number,
    known: ReadonlySet<string> = new Set(),
  ): Promise<void> {
    const isNew = ({ key, parentKey }: MediaDescription) =>
      !known.has(key) && (parentKey === null || known.has(parentKey));
    const added = items.filter(isNew);
    const others = items.filter((item) => !added.includes(item));
    if (added.length > 0) {
      const count = await this.#add(sourceId, added, nowMs);
      // Somebody was faster: those are corrected with the others.
      if (count < added.length) others.push(...added);
    }
    if (others.length > 0) await this.#correct(sourceId, others, nowMs);
  }

  /**
   * Rows of items that have none, whose parents have. A statement is compiled with all that its triggers could ever run:
   * of one that makes rows and never changes any, that is a quarter.
   * @returns how many were made
   */
  async #add(sourceId: number, items: readonly MediaDescription[], nowMs: number): Promise<number> {
    const [made] = await this.#tables.batch([
      this.#tables.run(sql`
        INSERT INTO media_items ${ITEM_COLUMNS}
        SELECT ${itemColumnsOf(sourceId, nowMs)} FROM json_each(${itemValues(items)}) WHERE true
        ON CONFLICT (source_id, key) DO NOTHING`),
      ...this.#addBesides(sourceId, items),
    ]);
    return made.rowsAffected;
  }

  async #correct(sourceId: number, items: readonly MediaDescription[], nowMs: number): Promise<void> {
    // Those that were not told of yet: they get their names when they are.
    const parents = JSON.stringify(
      items.flatMap(({ parentKey, type }) => (parentKey === null ? [] : [[parentKey, PARENT_TYPES[type] ?? 'series']])),
    );
    const named = sql`SELECT media.id FROM json_each(${JSON.stringify(items.map(({ key }) => key))}) CROSS JOIN
      media_items AS media ON media.source_id = ${sourceId} AND media.key = value`;
    await this.#tables.batch([
      this.#tables.run(sql`
        INSERT INTO media_items (source_id, key, type, title, sort_title, created_at)
        SELECT ${sourceId}, value ->> 0, value ->> 1, value ->> 0, value ->> 0, ${nowMs} FROM json_each(${parents})
        WHERE true ON CONFLICT (source_id, key) DO NOTHING`),
      this.#tables.run(sql`
        INSERT INTO media_items ${ITEM_COLUMNS}
        SELECT ${itemColumnsOf(sourceId, nowMs)} FROM json_each(${itemValues(items)}) WHERE true
        ON CONFLICT (source_id, key) DO UPDATE SET type = excluded.type, title = excluded.title, year = excluded.year,
          sort_title = excluded.sort_title, parent_id = COALESCE(excluded.parent_id, parent_id),
          season = excluded.season, episode = excluded.episode, duration_ms = excluded.duration_ms,
          overview = excluded.overview, artwork = excluded.artwork, fingerprint = excluded.fingerprint`),
      this.#tables.run(sql`DELETE FROM media_ids WHERE media_id IN (${named})`),
      this.#tables.run(sql`DELETE FROM media_subtitles WHERE media_id IN (${named})`),
      ...this.#addBesides(sourceId, items),
    ]);
  }

  /** Statements that write their ids and subtitles. */
  #addBesides(sourceId: number, items: readonly MediaDescription[]) {
    const ids = items.flatMap(({ key, otherIds }) => otherIds.map((id) => [key, id]));
    const subtitles = items.flatMap((item) =>
      item.subtitles.map((subtitle, index) => [
        item.key,
        index + 1,
        subtitle.language,
        subtitle.title,
        subtitle.format,
        subtitle.locator,
        subtitle.isForced ? 1 : 0,
      ]),
    );
    const mediaOf = sql`CROSS JOIN media_items AS media ON media.source_id = ${sourceId} AND media.key = value ->> 0`;
    const statements = [];
    if (ids.length > 0) {
      statements.push(
        this.#tables.run(sql`
          INSERT INTO media_ids (id, media_id) SELECT value ->> 1, media.id
          FROM json_each(${JSON.stringify(ids)}) ${mediaOf} WHERE true ON CONFLICT DO NOTHING`),
      );
    }
    if (subtitles.length > 0) {
      statements.push(
        this.#tables.run(sql`
          INSERT INTO media_subtitles (media_id, number, language, title, format, locator, forced)
          SELECT media.id, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
          FROM json_each(${JSON.stringify(subtitles)}) ${mediaOf} WHERE true ON CONFLICT DO NOTHING`),
      );
    }
    return statements;
  }

  async findId(sourceId: number, key: string): Promise<number | null> {
    const rows = await this.#tables
      .select({ id: mediaItems.id })
      .from(mediaItems)
      .where(and(eq(mediaItems.sourceId, sourceId), eq(mediaItems.key, key)));
    return rows[0]?.id ?? null;
  }

  async findVariant(sourceId: number, key: string, quality: string): Promise<VariantRow | null> {
    const rows = await this.#tables
      .select({ variant: cacheQualityVariants })
      .from(mediaItems)
      .innerJoin(cacheQualityVariants, eq(cacheQualityVariants.mediaId, mediaItems.id))
      .where(
        and(eq(mediaItems.sourceId, sourceId), eq(mediaItems.key, key), eq(cacheQualityVariants.quality, quality)),
      );
    return rows[0]?.variant ?? null;
  }

  /** Of these items, in no order. */
  findFacts(mediaIdList: readonly number[]): Promise<MediaFacts[]> {
    return this.#tables
      .select({
        mediaId: mediaItems.id,
        sourceId: mediaItems.sourceId,
        key: mediaItems.key,
        parentId: mediaItems.parentId,
        season: mediaItems.season,
        episode: mediaItems.episode,
        durationMs: mediaItems.durationMs,
        overview: mediaItems.overview,
        artwork: mediaItems.artwork,
        readAt: mediaItems.readAt,
      })
      .from(mediaItems)
      .where(inArray(mediaItems.id, [...mediaIdList]));
  }

  /** Seasons, episodes or tracks of an item, in their order, from behind `after`. */
  async listChildren(parentId: number, offset: number, limit: number): Promise<number[]> {
    const rows = await this.#tables
      .select({ id: mediaItems.id })
      .from(mediaItems)
      .where(eq(mediaItems.parentId, parentId))
      .orderBy(asc(mediaItems.season), asc(mediaItems.episode), asc(mediaItems.id))
      .limit(limit)
      .offset(offset);
    return rows.map(({ id }) => id);
  }

  /** These items, each followed by what it belongs to. */
  listChains(mediaIdList: readonly number[]): Promise<ChainRow[]> {
    return this.#tables.all<ChainRow>(sql`
      WITH RECURSIVE walk(media_id, level, id) AS (
        SELECT value, 0, value FROM json_each(${JSON.stringify(mediaIdList)})
        UNION ALL
        SELECT walk.media_id, walk.level + 1, item.parent_id
        FROM walk CROSS JOIN media_items AS item ON item.id = walk.id
        WHERE item.parent_id IS NOT NULL AND walk.level < ${LEVELS_MAX}
      )
      SELECT walk.media_id AS mediaId, walk.level AS level, item.id AS id, item.type AS type, item.title AS title,
        item.year AS year, item.season AS season, item.episode AS episode
      FROM walk CROSS JOIN media_items AS item ON item.id = walk.id`);
  }

  /** How many children of which type these items have, of those that have any. */
  async countChildrenOf(mediaIdList: readonly number[]): Promise<ChildCount[]> {
    const { parentId, type } = mediaItems;
    const rows = await this.#tables
      .select({ mediaId: parentId, type, count: sql<number>`COUNT(*)` })
      .from(mediaItems)
      .where(inArray(parentId, [...mediaIdList]))
      .groupBy(parentId, type);
    return rows.flatMap((row) => (row.mediaId === null ? [] : [{ ...row, mediaId: row.mediaId }]));
  }

  async countChildren(parentId: number): Promise<number> {
    const rows = await this.#tables
      .select({ count: sql<number>`COUNT(*)` })
      .from(mediaItems)
      .where(eq(mediaItems.parentId, parentId));
    return rows[0]?.count ?? 0;
  }

  /** Of these items; by item and number. */
  listSubtitles(mediaIdList: readonly number[]): Promise<SubtitleRow[]> {
    return this.#tables
      .select()
      .from(mediaSubtitles)
      .where(inArray(mediaSubtitles.mediaId, [...mediaIdList]))
      .orderBy(asc(mediaSubtitles.mediaId), asc(mediaSubtitles.number));
  }

  /** Items that other catalogues know by an id of this one. */
  listSameWork(mediaId: number, limit: number): Promise<SameWork[]> {
    const own = this.#tables.select({ id: mediaIds.id }).from(mediaIds).where(eq(mediaIds.mediaId, mediaId));
    return this.#tables
      .selectDistinct({ mediaId: mediaItems.id, source: sources.name, title: mediaItems.title })
      .from(mediaIds)
      .innerJoin(mediaItems, eq(mediaItems.id, mediaIds.mediaId))
      .innerJoin(sources, eq(sources.id, mediaItems.sourceId))
      .where(and(inArray(mediaIds.id, own), ne(mediaIds.mediaId, mediaId)))
      .limit(limit);
  }

  /** The item was looked at by itself. Files of it that its source did not name then, and named before, are gone. */
  async noteRead(mediaId: number, qualities: readonly string[], nowMs: number): Promise<void> {
    await this.#tables.batch([
      this.#tables.update(mediaItems).set({ readAt: nowMs }).where(eq(mediaItems.id, mediaId)),
      this.#tables.run(sql`
        UPDATE cache_quality_variants SET missing_since = ${nowMs}
        WHERE media_id = ${mediaId} AND missing_since IS NULL AND locator IS NOT NULL
          AND quality NOT IN (SELECT value FROM json_each(${JSON.stringify(qualities)}))`),
    ]);
  }
}

const ITEM_COLUMNS = sql.raw(`(source_id, key, type, title, year, sort_title, created_at,
  parent_id, season, episode, duration_ms, overview, artwork, fingerprint)`);

/** Items as a list of lists, which `itemColumnsOf` takes apart. */
function itemValues(items: readonly MediaDescription[]): string {
  return JSON.stringify(
    items.map((item) => [
      item.key,
      item.type,
      item.title,
      item.year,
      foldTitle(item.title),
      item.parentKey,
      item.season,
      item.episode,
      item.durationMs,
      item.overview,
      item.artwork,
      item.fingerprint,
    ]),
  );
}

function itemColumnsOf(sourceId: number, nowMs: number): SQL {
  return sql`${sourceId}, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, ${nowMs},
    (SELECT id FROM media_items AS parent WHERE parent.source_id = ${sourceId} AND parent.key = value ->> 5),
    value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11`;
}
