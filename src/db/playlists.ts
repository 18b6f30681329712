// Playlists of HLS qualities, and the entries that their pieces are: `720p~SIGNATURE-12` beside the entry `720p`.
import { and, eq, sql } from 'drizzle-orm';
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

  async put(row: PlaylistRow): Promise<void> {
    await this.#tables
      .insert(mediaPlaylists)
      .values(row)
      .onConflictDoUpdate({
        target: [mediaPlaylists.mediaId, mediaPlaylists.quality, mediaPlaylists.name],
        set: row,
      });
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

  /** All pieces of it were fetched. */
  async recordWhole(entryId: number): Promise<void> {
    await this.#tables.update(cacheEntries).set({ piecesWhole: true }).where(eq(cacheEntries.id, entryId));
  }
}
