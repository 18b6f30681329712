// Generations of entries and the byte ranges that are available of each. The rows here are the one truth of what
// Larder has: a range exists from the moment its row commits.
import { and, asc, eq, gt, gte, inArray, isNotNull, lt } from 'drizzle-orm';
import type { ByteRange } from '../bytes/byte-range.ts';
import { chunkIndexAt } from '../bytes/chunk-grid.ts';
import type { Tables } from './database.ts';
import type { GenerationRow, HeaderRow } from './entries.ts';
import { cacheChunks, cacheGenerations, cacheHeaders, chunkChecksums } from './schema.ts';

export interface NewGeneration {
  readonly entryId: number;
  readonly etag: string | null;
  readonly lastModified: string | null;
  readonly totalBytes: number | null;
  readonly seekable: boolean;
  readonly fileName: string;
  readonly contentType: string | null;
  readonly contentLanguage: string | null;
  readonly contentDisposition: string | null;
}

export interface ChunkChecksum {
  readonly chunkIndex: number;
  readonly crc32: number;
}

export interface StoredFile {
  readonly generationId: number;
  readonly entryId: number;
  readonly fileName: string;
  /** End of the last available range: the file on disk must be at least this long. */
  readonly lengthAtLeast: number;
  readonly superseded: boolean;
}

export class GenerationTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async create(generation: NewGeneration, nowMs: number): Promise<{ generation: GenerationRow; headers: HeaderRow }> {
    const { contentType, contentLanguage, contentDisposition, ...row } = generation;
    const created = await this.#tables
      .insert(cacheGenerations)
      .values({ ...row, createdAt: nowMs })
      .returning();
    const headers = { generationId: created[0]!.id, contentType, contentLanguage, contentDisposition };
    await this.#tables.insert(cacheHeaders).values(headers);
    return { generation: created[0]!, headers };
  }

  /** The entry's bytes changed upstream: what there is of the old version is no longer current. */
  async supersede(generationId: number, nowMs: number): Promise<void> {
    await this.#tables
      .update(cacheGenerations)
      .set({ supersededAt: nowMs })
      .where(eq(cacheGenerations.id, generationId));
  }

  /** The end was seen: the length is known from now on. */
  async recordLength(generationId: number, totalBytes: number): Promise<void> {
    await this.#tables.update(cacheGenerations).set({ totalBytes }).where(eq(cacheGenerations.id, generationId));
  }

  async recordSeekable(generationId: number, seekable: boolean): Promise<void> {
    await this.#tables.update(cacheGenerations).set({ seekable }).where(eq(cacheGenerations.id, generationId));
  }

  async remove(generationIds: readonly number[]): Promise<void> {
    if (generationIds.length === 0) return;
    await this.#tables.delete(cacheGenerations).where(inArray(cacheGenerations.id, [...generationIds]));
  }

  listRanges(generationId: number): Promise<ByteRange[]> {
    return this.#tables
      .select({ start: cacheChunks.start, end: cacheChunks.end })
      .from(cacheChunks)
      .where(eq(cacheChunks.generationId, generationId))
      .orderBy(asc(cacheChunks.start));
  }

  /** Chunks of the grid that have a checksum. */
  async listChecksums(generationId: number): Promise<ChunkChecksum[]> {
    return this.#tables
      .select({ chunkIndex: chunkChecksums.chunkIndex, crc32: chunkChecksums.crc32 })
      .from(chunkChecksums)
      .where(eq(chunkChecksums.generationId, generationId))
      .orderBy(asc(chunkChecksums.chunkIndex));
  }

  /**
   * Makes bytes available, in one transaction. `merged` is the recorded range together with the available ranges that
   * it overlaps or touches, so that the rows stay disjoint and coalesced.
   */
  async recordRange(
    generationId: number,
    merged: ByteRange,
    checksums: readonly ChunkChecksum[],
    nowMs: number,
  ): Promise<void> {
    await this.#tables.batch([
      this.#tables
        .delete(cacheChunks)
        .where(
          and(
            eq(cacheChunks.generationId, generationId),
            gt(cacheChunks.start, merged.start),
            lt(cacheChunks.start, merged.end),
          ),
        ),
      this.#tables
        .insert(cacheChunks)
        .values({ generationId, start: merged.start, end: merged.end, recordedAt: nowMs })
        .onConflictDoUpdate({
          target: [cacheChunks.generationId, cacheChunks.start],
          set: { end: merged.end, recordedAt: nowMs },
        }),
      ...this.#checksumStatements(generationId, checksums, nowMs),
    ]);
  }

  async recordChecksums(generationId: number, checksums: readonly ChunkChecksum[], nowMs: number): Promise<void> {
    const [first, ...rest] = this.#checksumStatements(generationId, checksums, nowMs);
    if (first !== undefined) await this.#tables.batch([first, ...rest]);
  }

  /**
   * The file turned out to end at `length`: `kept` is what is left of its ranges; checksums of cells that reach past
   * the length go.
   */
  async truncate(generationId: number, kept: readonly ByteRange[], length: number, nowMs: number): Promise<void> {
    await this.#tables.batch([
      this.#tables.delete(cacheChunks).where(eq(cacheChunks.generationId, generationId)),
      ...kept.map((range) =>
        this.#tables
          .insert(cacheChunks)
          .values({ generationId, start: range.start, end: range.end, recordedAt: nowMs }),
      ),
      this.#tables
        .delete(chunkChecksums)
        .where(
          and(eq(chunkChecksums.generationId, generationId), gte(chunkChecksums.chunkIndex, chunkIndexAt(length))),
        ),
    ]);
  }

  async hasFile(fileName: string): Promise<boolean> {
    const rows = await this.#tables
      .select({ id: cacheGenerations.id })
      .from(cacheGenerations)
      .where(eq(cacheGenerations.fileName, fileName));
    return rows.length > 0;
  }

  /** Files of generations, for the check at start; `afterId` pages through them. */
  async listFiles(limit: number, afterId: number): Promise<StoredFile[]> {
    const rows = await this.#tables
      .select()
      .from(cacheGenerations)
      .where(gt(cacheGenerations.id, afterId))
      .orderBy(asc(cacheGenerations.id))
      .limit(limit);
    if (rows.length === 0) return [];
    const ends = new Map<number, number>();
    const ranges = await this.#tables
      .select({ generationId: cacheChunks.generationId, end: cacheChunks.end })
      .from(cacheChunks)
      .where(
        inArray(
          cacheChunks.generationId,
          rows.map((row) => row.id),
        ),
      );
    for (const range of ranges) ends.set(range.generationId, Math.max(ends.get(range.generationId) ?? 0, range.end));
    return rows.map((row) => ({
      generationId: row.id,
      entryId: row.entryId,
      fileName: row.fileName,
      lengthAtLeast: ends.get(row.id) ?? 0,
      superseded: row.supersededAt !== null,
    }));
  }

  /** Generations no one reads after a restart: superseded ones. */
  listSuperseded(): Promise<GenerationRow[]> {
    return this.#tables.select().from(cacheGenerations).where(isNotNull(cacheGenerations.supersededAt));
  }

  listOfEntry(entryId: number): Promise<GenerationRow[]> {
    return this.#tables.select().from(cacheGenerations).where(eq(cacheGenerations.entryId, entryId));
  }

  #checksumStatements(generationId: number, checksums: readonly ChunkChecksum[], nowMs: number) {
    return checksums.map((checksum) =>
      this.#tables
        .insert(chunkChecksums)
        .values({ generationId, ...checksum, recordedAt: nowMs })
        .onConflictDoUpdate({
          target: [chunkChecksums.generationId, chunkChecksums.chunkIndex],
          set: { crc32: checksum.crc32, recordedAt: nowMs },
        }),
    );
  }
}
