// Playlists of HLS qualities, and the entries that their pieces are: `720p~SIGNATURE-12` beside the entry `720p`.
import { and, eq, notInArray, sql } from 'drizzle-orm';
import type { Tables } from './database.ts';
import { cacheEntries, mediaItems, mediaPlaylists } from './schema.ts';

export type PlaylistRow = typeof mediaPlaylists.$inferSelect;

/** What is kept of the pieces of one quality. */
export interface KeptPieces {
  readonly mediaId: number;
  readonly quality: string;
  readonly pieceCount: number;
  readonly wholeCount: number;
  readonly cachedBytes: number;
}

export class PlaylistTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** @param others - names of those that the first one of its quality points to; all else is not of it any more */
  async put(row: PlaylistRow, others: readonly string[] = []): Promise<void> {
    const { mediaId, quality, name } = mediaPlaylists;
    const put = this.#tables
      .insert(mediaPlaylists)
      .values(row)
      .onConflictDoUpdate({ target: [mediaId, quality, name], set: row });
    if (row.name !== '') {
      await put;
      return;
    }
    await this.#tables.batch([
      put,
      this.#tables
        .delete(mediaPlaylists)
        .where(and(eq(mediaId, row.mediaId), eq(quality, row.quality), notInArray(name, ['', ...others]))),
    ]);
  }

  /** All of one quality. */
  async list(sourceId: number, mediaKey: string, quality: string): Promise<PlaylistRow[]> {
    const rows = await this.#tables
      .select({ playlist: mediaPlaylists })
      .from(mediaItems)
      .innerJoin(mediaPlaylists, eq(mediaPlaylists.mediaId, mediaItems.id))
      .where(and(eq(mediaItems.sourceId, sourceId), eq(mediaItems.key, mediaKey), eq(mediaPlaylists.quality, quality)));
    return rows.map(({ playlist }) => playlist);
  }

  /** Of these items, by item and quality; without those of which nothing is kept. */
  sumPieces(mediaIds: readonly number[]): Promise<KeptPieces[]> {
    return this.#tables.all<KeptPieces>(sql`
      SELECT piece.media_id AS mediaId, substr(piece.quality, 1, instr(piece.quality, '~') - 1) AS quality,
        COUNT(*) AS pieceCount, SUM(cached_bytes = total_bytes) AS wholeCount, SUM(cached_bytes) AS cachedBytes
      FROM json_each(${JSON.stringify(mediaIds)}) AS wanted
      CROSS JOIN cache_entries AS piece ON piece.media_id = wanted.value AND instr(piece.quality, '~') > 1
      CROSS JOIN cache_generations AS generation
        ON generation.entry_id = piece.id AND generation.superseded_at IS NULL
      GROUP BY 1, 2`);
  }

  /** Whether all pieces of it are here. */
  async isWhole(entryId: number): Promise<boolean> {
    const rows = await this.#tables
      .select({ isWhole: cacheEntries.piecesWhole })
      .from(cacheEntries)
      .where(eq(cacheEntries.id, entryId));
    return rows[0]?.isWhole ?? false;
  }

  /** Notes whether all pieces of it are here. @returns whether they are */
  async recordWhole(entryId: number): Promise<boolean> {
    // Quality and signature make a range of the index: a dot is behind the dash that ends them.
    const rows = await this.#tables.all<{ isWhole: number }>(sql`
      UPDATE cache_entries SET pieces_whole = (
        SELECT COALESCE(SUM(piece_count), 0) > 0 AND SUM(piece_count) = (
          SELECT COUNT(*) FROM media_playlists AS playlist
          CROSS JOIN cache_entries AS piece ON piece.source_id = cache_entries.source_id
            AND piece.media_id = playlist.media_id
            AND piece.quality > playlist.quality || '~' || playlist.signature || '-'
            AND piece.quality < playlist.quality || '~' || playlist.signature || '.'
          CROSS JOIN cache_generations AS generation ON generation.entry_id = piece.id
            AND generation.superseded_at IS NULL AND generation.cached_bytes = generation.total_bytes
          WHERE playlist.media_id = cache_entries.media_id AND playlist.quality = cache_entries.quality
            AND playlist.kind = 'media')
        FROM media_playlists
        WHERE media_id = cache_entries.media_id AND quality = cache_entries.quality)
      WHERE id = ${entryId} RETURNING pieces_whole AS isWhole`);
    return rows[0]?.isWhole === 1;
  }
}
