// What sources were seen to hold. A page of files is looked up in one statement and written in one batch; of a library
// that stays as it is, a sync writes a row per folder and none per file.
import { and, asc, eq, gt, isNull, lt, type SQL, sql } from 'drizzle-orm';
import type { Tables } from './database.ts';
import { cacheQualityVariants, catalogueFolders, catalogueSyncs, mediaItems } from './schema.ts';
import { foldTitle } from './sort-title.ts';

export type CatalogueType = Exclude<(typeof mediaItems.$inferSelect)['type'], 'file'>;

export type SyncRow = typeof catalogueSyncs.$inferSelect;
export type FolderRow = typeof catalogueFolders.$inferSelect;

export interface SyncCounts {
  readonly seen: number;
  readonly added: number;
  readonly changed: number;
  readonly skipped: number;
  readonly missing: number;
}

/** A file as a source lists it. */
export interface CatalogueFile {
  readonly mediaKey: string;
  readonly quality: string;
  readonly type: CatalogueType;
  readonly title: string;
  readonly year: number | null;
  readonly path: string;
  readonly container: string | null;
  readonly sizeBytes: number | null;
  readonly stamp: string | null;
  readonly locator?: string | null;
  readonly width?: number | null;
  readonly height?: number | null;
  readonly bitrate?: number | null;
  readonly videoCodec?: string | null;
  readonly audioCodec?: string | null;
  readonly delivery?: 'file' | 'growing' | 'hls';
  readonly refusal?: string | null;
}

/** What is known of a listed file; null where nothing is. */
export interface KnownFile {
  readonly mediaId: number | null;
  readonly variantId: number | null;
  readonly folderId: number | null;
  readonly stamp: string | null;
  readonly locator: string | null;
  readonly refusal: string | null;
  readonly sizeBytes: number | null;
  readonly missingSince: number | null;
}

export interface FolderFile {
  readonly variantId: number;
  readonly path: string;
  readonly missingSince: number | null;
}

/** What a folder's row says once it was read. */
export type FolderFinding = Partial<
  Pick<FolderRow, 'readAt' | 'etag' | 'lastModified' | 'emptiedRound' | 'fingerprint' | 'goneSince'>
>;

/** Why an entry counts as missing when its folder's listing said so. */
export const UNLISTED = 'it is not in the listing of its folder any more';

interface ListedFiles {
  readonly sourceId: number;
  readonly folderId: number | null;
  readonly files: readonly CatalogueFile[];
  readonly nowMs: number;
}

export class CatalogueTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  listSyncs(): Promise<SyncRow[]> {
    return this.#tables.select().from(catalogueSyncs);
  }

  /** Begins a new round, with the source's own folder as the first to be read. */
  async startRound(sourceId: number, nowMs: number): Promise<SyncRow> {
    const fresh = { state: 'running' as const, startedAt: nowMs, errorCode: null, errorText: null, errorHint: null };
    const counts = { seen: 0, added: 0, changed: 0, skipped: 0 };
    const [rows] = await this.#tables.batch([
      this.#tables
        .insert(catalogueSyncs)
        .values({ sourceId, round: 1, ...fresh })
        .onConflictDoUpdate({
          target: catalogueSyncs.sourceId,
          set: { ...fresh, ...counts, round: sql`${catalogueSyncs.round} + 1` },
        })
        .returning(),
      this.#tables.run(sql`
        INSERT INTO catalogue_folders (source_id, path, depth, due_round)
        SELECT source_id, '', 0, round FROM catalogue_syncs WHERE source_id = ${sourceId}
        ON CONFLICT (source_id, path) DO UPDATE SET due_round = excluded.due_round`),
    ]);
    return rows[0]!;
  }

  async recordState(sourceId: number, state: Partial<Omit<SyncRow, 'sourceId' | 'round'>>): Promise<void> {
    await this.#tables.update(catalogueSyncs).set(state).where(eq(catalogueSyncs.sourceId, sourceId));
  }

  /** Folders that the round has still to read. */
  listDue(sourceId: number, limit: number): Promise<FolderRow[]> {
    return this.#tables
      .select()
      .from(catalogueFolders)
      .where(and(eq(catalogueFolders.sourceId, sourceId), sql`due_round > read_round`))
      .orderBy(asc(catalogueFolders.id))
      .limit(limit);
  }

  async findFolder(id: number): Promise<FolderRow | null> {
    const rows = await this.#tables.select().from(catalogueFolders).where(eq(catalogueFolders.id, id));
    return rows[0] ?? null;
  }

  async recordFingerprint(id: number, fingerprint: string): Promise<void> {
    await this.#tables.update(catalogueFolders).set({ fingerprint }).where(eq(catalogueFolders.id, id));
  }

  /** Folders that the listing of `parent` names; `doubted` ones are those that it names no more. */
  async addFolders(parent: FolderRow, paths: readonly string[], round: number, doubted: boolean): Promise<void> {
    if (paths.length === 0) return;
    await this.#tables.run(sql`
      INSERT INTO catalogue_folders (source_id, parent_id, path, depth, due_round, doubted)
      SELECT ${parent.sourceId}, ${parent.id}, value, ${parent.depth + 1}, ${round}, ${doubted ? 1 : 0}
      FROM json_each(${JSON.stringify(paths)}) WHERE true
      ON CONFLICT (source_id, path) DO UPDATE SET parent_id = excluded.parent_id, depth = excluded.depth,
        due_round = excluded.due_round, doubted = excluded.doubted,
        gone_since = CASE excluded.doubted WHEN 1 THEN gone_since END`);
  }

  /** All that the parent's last listing named is there, unread. */
  async keepChildren(parentId: number, round: number): Promise<void> {
    await this.#tables
      .update(catalogueFolders)
      .set({ dueRound: round, doubted: false })
      .where(and(eq(catalogueFolders.parentId, parentId), isNull(catalogueFolders.goneSince)));
  }

  /** The folder was read in this round; the counts of the round are those that are given. */
  async finishFolder(folder: FolderRow, finding: FolderFinding, counts: SyncCounts): Promise<void> {
    await this.#tables.batch([
      this.#tables
        .update(catalogueFolders)
        .set({ ...finding, readRound: sql`due_round`, doubted: false })
        .where(eq(catalogueFolders.id, folder.id)),
      this.#tables.update(catalogueSyncs).set(counts).where(eq(catalogueSyncs.sourceId, folder.sourceId)),
    ]);
  }

  /** One for each file, in the same order. */
  async findKnown(sourceId: number, files: readonly CatalogueFile[]): Promise<KnownFile[]> {
    const keys = JSON.stringify(files.map(({ mediaKey, quality }) => [mediaKey, quality]));
    return this.#tables.all<KnownFile>(sql`
      SELECT media.id AS mediaId, variant.id AS variantId, folder_id AS folderId, stamp, locator, refusal, size_bytes AS sizeBytes,
        missing_since AS missingSince
      FROM json_each(${keys}) AS wanted
      LEFT JOIN media_items AS media ON media.source_id = ${sourceId} AND media.key = wanted.value ->> 0
      LEFT JOIN cache_quality_variants AS variant
        ON variant.media_id = media.id AND variant.quality = wanted.value ->> 1
      ORDER BY wanted.key`);
  }

  /**
   * Makes and corrects the rows of these files: they are in the folder now, and as the listing says.
   * @param folderId - null where an item was looked at by itself: it stays in the folder that it was found in
   * @param known - what `findKnown` said of them
   */
  async putFiles(
    sourceId: number,
    folderId: number | null,
    files: readonly CatalogueFile[],
    nowMs: number,
    known: readonly KnownFile[] = [],
  ): Promise<void> {
    const isNew = (index: number) => known[index] !== undefined && known[index].variantId === null;
    const added = files.filter((_, index) => isNew(index));
    const others = files.filter((_, index) => !isNew(index));
    const hasItems = files.every((_, index) => !isNew(index) || known[index]?.mediaId !== null);
    if (added.length > 0) {
      const count = await this.#addFiles({ sourceId, folderId, files: added, nowMs }, hasItems);
      // Somebody was faster, such as a player: those are corrected with the others.
      if (count < added.length) others.push(...added);
    }
    if (others.length > 0) await this.#correctFiles({ sourceId, folderId, files: others, nowMs });
  }

  /**
   * Rows of files that have none. A statement is compiled with all that its triggers could ever run: of one that makes
   * rows and never changes any, that is a fifth.
   * @returns how many were made
   */
  async #addFiles({ sourceId, folderId, files, nowMs }: ListedFiles, hasItems: boolean): Promise<number> {
    const values = fileValues(files);
    const variants = this.#tables.run(sql`
      INSERT INTO cache_quality_variants ${FILE_COLUMNS}
      SELECT ${fileColumnsOf(folderId, nowMs)} FROM ${itemsOfFiles(values, sourceId)}
      WHERE true ON CONFLICT (media_id, quality) DO NOTHING`);
    if (hasItems) return (await variants).rowsAffected;
    const [, made] = await this.#tables.batch([this.#tables.run(insertItems(values, sourceId, nowMs)), variants]);
    return made.rowsAffected;
  }

  async #correctFiles({ sourceId, folderId, files, nowMs }: ListedFiles): Promise<void> {
    const values = fileValues(files);
    const outlines = files.filter(isOutline);
    const told = fileValues(files.filter((file) => !isOutline(file)));
    await this.#tables.batch([
      this.#tables.run(insertItems(values, sourceId, nowMs)),
      ...(outlines.length === 0
        ? []
        : [
            this.#tables.run(sql`
              INSERT INTO cache_quality_variants ${FILE_COLUMNS}
              SELECT ${fileColumnsOf(folderId, nowMs)} FROM ${itemsOfFiles(fileValues(outlines), sourceId)} WHERE true
              ON CONFLICT (media_id, quality) DO UPDATE SET folder_id = COALESCE(excluded.folder_id, folder_id),
                missing_since = NULL, locator = COALESCE(excluded.locator, locator), refusal = excluded.refusal`),
          ]),
      this.#tables.run(sql`
        INSERT INTO cache_quality_variants ${FILE_COLUMNS}
        SELECT ${fileColumnsOf(folderId, nowMs)} FROM ${itemsOfFiles(told, sourceId)} WHERE true
        ON CONFLICT (media_id, quality) DO UPDATE SET
          folder_id = COALESCE(excluded.folder_id, folder_id), stamp = COALESCE(excluded.stamp, stamp), path = excluded.path,
          container = excluded.container, size_bytes = COALESCE(excluded.size_bytes, size_bytes),
          missing_since = NULL, locator = COALESCE(excluded.locator, locator), width = COALESCE(excluded.width, width),
          height = COALESCE(excluded.height, height), bitrate = COALESCE(excluded.bitrate, bitrate),
          video_codec = COALESCE(excluded.video_codec, video_codec),
          audio_codec = COALESCE(excluded.audio_codec, audio_codec),
          delivery = excluded.delivery, refusal = excluded.refusal`),
      this.#tables.run(sql`
        UPDATE cache_entries SET missing_since = NULL, missing_reason = NULL
        WHERE missing_reason = ${UNLISTED} AND id IN (
          SELECT entry.id FROM ${itemsOfFiles(values, sourceId)} CROSS JOIN cache_entries AS entry
          ON entry.media_id = media.id AND entry.quality = file.value ->> 1)`),
    ]);
  }

  /** Files of a folder in the order of their rows, from behind `afterId`. */
  listFiles(folderId: number, afterId: number, limit: number): Promise<FolderFile[]> {
    const { id, path, missingSince } = cacheQualityVariants;
    return this.#tables
      .select({ variantId: id, path, missingSince })
      .from(cacheQualityVariants)
      .where(and(eq(cacheQualityVariants.folderId, folderId), gt(id, afterId)))
      .orderBy(asc(id))
      .limit(limit);
  }

  /** Folders that were last named by the listing of this one, and are not known to be gone. */
  listChildren(folderId: number, afterId: number, limit: number): Promise<{ id: number; path: string }[]> {
    const { id, path, parentId, goneSince } = catalogueFolders;
    return this.#tables
      .select({ id, path })
      .from(catalogueFolders)
      .where(and(eq(parentId, folderId), gt(id, afterId), isNull(goneSince)))
      .orderBy(asc(id))
      .limit(limit);
  }

  /** The folder and what is below it, those of them that are not known to be gone. */
  listBranch(folder: FolderRow, limit: number): Promise<{ id: number; path: string }[]> {
    const { id, path, sourceId, goneSince } = catalogueFolders;
    // "0" is what comes behind "/".
    return this.#tables
      .select({ id, path })
      .from(catalogueFolders)
      .where(
        and(
          eq(sourceId, folder.sourceId),
          sql`${path} >= ${folder.path} AND ${path} < ${`${folder.path}0`}`,
          // Without `Films 2` beside `Films`.
          sql`(${path} = ${folder.path} OR ${path} > ${`${folder.path}/`})`,
          isNull(goneSince),
        ),
      )
      .orderBy(asc(path))
      .limit(limit);
  }

  async recordGone(folderIds: readonly number[], nowMs: number): Promise<void> {
    await this.#tables.run(sql`
      UPDATE catalogue_folders SET gone_since = ${nowMs}, read_round = due_round, doubted = 0
      WHERE id IN (SELECT value FROM json_each(${JSON.stringify(folderIds)}))`);
  }

  /** The origin has these files no more. What is stored of them stays. */
  async recordMissing(variantIds: readonly number[], nowMs: number): Promise<void> {
    const ids = JSON.stringify(variantIds);
    await this.#tables.batch([
      this.#tables.run(sql`
        UPDATE cache_quality_variants SET missing_since = ${nowMs}
        WHERE missing_since IS NULL AND id IN (SELECT value FROM json_each(${ids}))`),
      this.#tables.run(sql`
        UPDATE cache_entries SET missing_since = ${nowMs}, missing_reason = ${UNLISTED}
        WHERE missing_since IS NULL AND id IN (
          SELECT entry.id FROM json_each(${ids}) AS gone
          CROSS JOIN cache_quality_variants AS variant ON variant.id = gone.value
          CROSS JOIN cache_entries AS entry ON entry.media_id = variant.media_id AND entry.quality = variant.quality)`),
    ]);
  }

  /** Known files whose keys begin with `prefix`, in the order of their keys, from behind `after`. */
  listKnownBelow(
    sourceId: number,
    prefix: string,
    after: string,
    limit: number,
  ): Promise<{ key: string; path: string; sizeBytes: number | null }[]> {
    const { key, id } = mediaItems;
    return this.#tables
      .select({ key, path: cacheQualityVariants.path, sizeBytes: cacheQualityVariants.sizeBytes })
      .from(mediaItems)
      .innerJoin(cacheQualityVariants, eq(cacheQualityVariants.mediaId, id))
      .where(
        and(
          eq(mediaItems.sourceId, sourceId),
          gt(key, after),
          // "0" is what comes behind "/".
          prefix === '' ? undefined : lt(key, `${prefix.slice(0, -1)}0`),
        ),
      )
      .orderBy(asc(key))
      .limit(limit);
  }

  /** Files that the listing of a folder last named and that are not gone. Only the rows of what is gone are read. */
  async countPresent(folderId: number): Promise<number> {
    const rows = await this.#tables.all<{ count: number }>(sql`
      SELECT COUNT(*) - (
        SELECT COUNT(*) FROM cache_quality_variants INDEXED BY cache_quality_variants_gone
        WHERE folder_id = ${folderId} AND missing_since IS NOT NULL) AS count
      FROM cache_quality_variants WHERE folder_id = ${folderId}`);
    return rows[0]?.count ?? 0;
  }

  /** Files of a source that are marked as gone. */
  async countMissing(sourceId: number): Promise<number> {
    const rows = await this.#tables.all<{ count: number }>(sql`
      SELECT COUNT(*) AS count FROM cache_quality_variants AS variant
      CROSS JOIN media_items AS media ON media.id = variant.media_id AND media.source_id = ${sourceId}
      WHERE variant.missing_since IS NOT NULL`);
    return rows[0]?.count ?? 0;
  }

  async countFolders(sourceId: number): Promise<number> {
    const rows = await this.#tables.all<{ count: number }>(sql`
      SELECT COUNT(*) AS count FROM catalogue_folders WHERE source_id = ${sourceId}`);
    return rows[0]?.count ?? 0;
  }
}

const FILE_COLUMNS = sql.raw(`(media_id, quality, path, container, size_bytes, discovered_at, folder_id, stamp,
  locator, width, height, bitrate, video_codec, audio_codec, delivery, refusal)`);

/** Files as a list of lists, which the statements below take apart. */
function fileValues(files: readonly CatalogueFile[]): string {
  return JSON.stringify(
    files.map((file) => [
      file.mediaKey,
      file.quality,
      file.type,
      file.title,
      file.year,
      file.path,
      file.container,
      file.sizeBytes,
      file.stamp,
      foldTitle(file.title),
      file.locator ?? null,
      file.width ?? null,
      file.height ?? null,
      file.bitrate ?? null,
      file.videoCodec ?? null,
      file.audioCodec ?? null,
      file.delivery ?? 'file',
      file.refusal ?? null,
    ]),
  );
}

/** It says that there is a file, and nothing of it: an add-on tells of the file itself only when it is asked for it. */
function isOutline({ delivery, container, sizeBytes, stamp }: CatalogueFile): boolean {
  return delivery === undefined && container === null && sizeBytes === null && stamp === null;
}

/** Items that their files alone tell of. */
function insertItems(values: string, sourceId: number, nowMs: number): SQL {
  return sql`
    INSERT INTO media_items (source_id, key, type, title, year, created_at, sort_title)
    SELECT ${sourceId}, value ->> 0, value ->> 2, value ->> 3, value ->> 4, ${nowMs}, value ->> 9
    FROM json_each(${values}) WHERE true ON CONFLICT (source_id, key) DO NOTHING`;
}

function fileColumnsOf(folderId: number | null, nowMs: number): SQL {
  return sql`media.id, file.value ->> 1, file.value ->> 5, file.value ->> 6, file.value ->> 7, ${nowMs},
    ${folderId}, file.value ->> 8, file.value ->> 10, file.value ->> 11, file.value ->> 12, file.value ->> 13,
    file.value ->> 14, file.value ->> 15, file.value ->> 16, file.value ->> 17`;
}

function itemsOfFiles(values: string, sourceId: number): SQL {
  return sql`json_each(${values}) AS file CROSS JOIN media_items AS media
    ON media.source_id = ${sourceId} AND media.key = file.value ->> 0`;
}
