// Generations of entries and the byte ranges that are available of each. The rows here are the one truth of what
// Larder has: a range exists from the moment its row commits.
import { and, asc, eq, exists, gt, inArray, isNotNull, isNull, lt, notInArray, or, sql } from 'drizzle-orm';
import type { ByteRange } from '../bytes/byte-range.ts';
import { CHUNK_BYTES } from '../limits.ts';
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

/** crc32 of a run of bytes within one cell of the grid. */
export interface ChunkChecksum extends ByteRange {
  readonly crc32: number;
}

/** A generation that is due to be compared with its checksums. */
export interface ScrubCandidate {
  readonly generationId: number;
  readonly fileName: string;
  readonly verifiedAt: number | null;
}

export interface StoredFile {
  readonly generationId: number;
  readonly entryId: number;
  readonly fileName: string;
  /** End of the last available range: the file on disk must be at least this long. */
  readonly lengthAtLeast: number;
  readonly verifiedAt: number | null;
  readonly superseded: boolean;
}

export class GenerationTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async create(generation: NewGeneration, nowMs: number): Promise<{ generation: GenerationRow; headers: HeaderRow }> {
    const { contentType, contentLanguage, contentDisposition, ...row } = generation;
    const { entryId, fileName } = row;
    const [, created, headers] = await this.#tables.batch([
      // Whatever was current is over: also one of which a cut life left half.
      this.#tables
        .update(cacheGenerations)
        .set({ supersededAt: nowMs })
        .where(and(eq(cacheGenerations.entryId, entryId), isNull(cacheGenerations.supersededAt))),
      this.#tables
        .insert(cacheGenerations)
        .values({ ...row, createdAt: nowMs, checkedAt: nowMs, verifiedAt: nowMs })
        .returning(),
      this.#tables
        .insert(cacheHeaders)
        .values({
          generationId: sql`(SELECT id FROM cache_generations WHERE file_name = ${fileName})`,
          contentType,
          contentLanguage,
          contentDisposition,
        })
        .returning(),
    ]);
    return { generation: created[0]!, headers: headers[0]! };
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

  async find(generationId: number): Promise<GenerationRow | null> {
    const rows = await this.#tables.select().from(cacheGenerations).where(eq(cacheGenerations.id, generationId));
    return rows[0] ?? null;
  }

  listRanges(generationId: number): Promise<ByteRange[]> {
    return this.#tables
      .select({ start: cacheChunks.start, end: cacheChunks.end })
      .from(cacheChunks)
      .where(eq(cacheChunks.generationId, generationId))
      .orderBy(asc(cacheChunks.start));
  }

  /** Checksums of the spans that have a byte in `range`, in order. */
  listChecksums(generationId: number, range: ByteRange): Promise<ChunkChecksum[]> {
    return this.#tables
      .select({ start: chunkChecksums.start, end: chunkChecksums.end, crc32: chunkChecksums.crc32 })
      .from(chunkChecksums)
      .where(
        and(
          eq(chunkChecksums.generationId, generationId),
          // No span is longer than a cell: the index is entered right before the range.
          gt(chunkChecksums.start, range.start - CHUNK_BYTES),
          lt(chunkChecksums.start, range.end),
          gt(chunkChecksums.end, range.start),
        ),
      )
      .orderBy(asc(chunkChecksums.start));
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
    const { cachedBytes, totalBytes, joinedBytes, joinedCount } = await this.#joined(generationId, merged);
    const bytesAfter = cachedBytes - joinedBytes + (merged.end - merged.start);
    const isFirstOrLast =
      (cachedBytes === 0) !== (bytesAfter === 0) || (cachedBytes === totalBytes) !== (bytesAfter === totalBytes);
    await this.#tables.batch([
      this.#tables
        .insert(cacheChunks)
        .values({ generationId, start: merged.start, end: merged.end, recordedAt: nowMs })
        .onConflictDoUpdate({
          target: [cacheChunks.generationId, cacheChunks.start],
          set: { end: merged.end, recordedAt: nowMs },
        }),
      // A statement that changes rows is compiled with its triggers, which is most of its price: none is sent in vain.
      ...(joinedCount > 0 ? [this.#tables.delete(cacheChunks).where(this.#within(generationId, merged))] : []),
      ...this.#checksumStatements(generationId, checksums),
      ...(isFirstOrLast ? [this.#recountStatement(generationId)] : []),
    ]);
  }

  /** Rows of a file that was there before them. */
  async adopt(
    generationId: number,
    ranges: readonly ByteRange[],
    checksums: readonly ChunkChecksum[],
    nowMs: number,
  ): Promise<void> {
    const statements = [
      // Of what was there before nobody knows when it was last asked for or compared.
      this.#tables
        .update(cacheGenerations)
        .set({ checkedAt: null, verifiedAt: null })
        .where(eq(cacheGenerations.id, generationId)),
      ...ranges.map(({ start, end }) =>
        this.#tables.insert(cacheChunks).values({ generationId, start, end, recordedAt: nowMs }),
      ),
      ...this.#checksumStatements(generationId, checksums),
      this.#recountStatement(generationId),
    ];
    const [first, ...rest] = statements;
    if (first !== undefined) await this.#tables.batch([first, ...rest]);
  }

  async recordChecksums(generationId: number, checksums: readonly ChunkChecksum[]): Promise<void> {
    const [first, ...rest] = this.#checksumStatements(generationId, checksums);
    if (first !== undefined) await this.#tables.batch([first, ...rest]);
  }

  /**
   * Bytes turned out not to be there, or not to be right: `kept` is what is left of the ranges, the checksums of spans
   * that reach into `lost` go. `lost` must begin and end where spans do.
   */
  async loseRange(generationId: number, kept: readonly ByteRange[], lost: ByteRange, nowMs: number): Promise<void> {
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
          and(
            eq(chunkChecksums.generationId, generationId),
            lt(chunkChecksums.start, lost.end),
            gt(chunkChecksums.end, lost.start),
          ),
        ),
      this.#recountStatement(generationId),
    ]);
  }

  /** The origin said that this is still its version. */
  async recordChecked(generationId: number, nowMs: number): Promise<void> {
    await this.#tables.update(cacheGenerations).set({ checkedAt: nowMs }).where(eq(cacheGenerations.id, generationId));
  }

  /** All its bytes were compared with their checksums. */
  async recordVerified(generationId: number, nowMs: number): Promise<void> {
    await this.#tables.update(cacheGenerations).set({ verifiedAt: nowMs }).where(eq(cacheGenerations.id, generationId));
  }

  /** The generation that was verified longest ago, or never; null when all were since `beforeMs`. */
  async findScrubCandidate(
    beforeMs: number,
    nowMs: number,
    skippedIds: readonly number[],
  ): Promise<ScrubCandidate | null> {
    const rows = await this.#tables
      .select({
        generationId: cacheGenerations.id,
        fileName: cacheGenerations.fileName,
        verifiedAt: cacheGenerations.verifiedAt,
      })
      .from(cacheGenerations)
      .where(
        and(
          notInArray(cacheGenerations.id, [...skippedIds]),
          // A time that has not come yet is of a clock that was wrong.
          or(
            isNull(cacheGenerations.verifiedAt),
            lt(cacheGenerations.verifiedAt, beforeMs),
            gt(cacheGenerations.verifiedAt, nowMs),
          ),
          exists(
            this.#tables
              .select({ one: sql`1` })
              .from(cacheChunks)
              .where(eq(cacheChunks.generationId, cacheGenerations.id)),
          ),
        ),
      )
      // Null sorts first.
      .orderBy(asc(cacheGenerations.verifiedAt), asc(cacheGenerations.id))
      .limit(1);
    return rows[0] ?? null;
  }

  /** Sum of the available bytes of an entry's generations. */
  async countBytesOfEntry(entryId: number): Promise<number> {
    const rows = await this.#tables
      .select({ bytes: sql<number>`coalesce(sum(${cacheChunks.end} - ${cacheChunks.start}), 0)` })
      .from(cacheGenerations)
      .innerJoin(cacheChunks, eq(cacheChunks.generationId, cacheGenerations.id))
      .where(eq(cacheGenerations.entryId, entryId));
    return rows[0]?.bytes ?? 0;
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
      verifiedAt: row.verifiedAt,
    }));
  }

  /** Generations no one reads after a restart: superseded ones. */
  listSuperseded(): Promise<GenerationRow[]> {
    return this.#tables.select().from(cacheGenerations).where(isNotNull(cacheGenerations.supersededAt));
  }

  listOfEntry(entryId: number): Promise<GenerationRow[]> {
    return this.#tables.select().from(cacheGenerations).where(eq(cacheGenerations.entryId, entryId));
  }

  /** Available ranges that begin within `merged`, behind its start. */
  #within(generationId: number, merged: ByteRange) {
    return and(
      eq(cacheChunks.generationId, generationId),
      gt(cacheChunks.start, merged.start),
      lt(cacheChunks.start, merged.end),
    );
  }

  /** What a range that is to be recorded takes up. */
  async #joined(generationId: number, merged: ByteRange) {
    const [row] = await this.#tables.all<{
      cachedBytes: number;
      totalBytes: number | null;
      joinedBytes: number;
      joinedCount: number;
    }>(sql`
      SELECT cached_bytes AS cachedBytes, total_bytes AS totalBytes,
        COALESCE(SUM("end" - start), 0) AS joinedBytes, COALESCE(SUM(start > ${merged.start}), 0) AS joinedCount
      FROM cache_generations LEFT JOIN cache_chunks
        ON generation_id = cache_generations.id AND start >= ${merged.start} AND start < ${merged.end}
      WHERE cache_generations.id = ${generationId}`);
    return row ?? { cachedBytes: 0, totalBytes: null, joinedBytes: 0, joinedCount: 0 };
  }

  /** The media item's row in the library follows what is kept. */
  #recountStatement(generationId: number) {
    return this.#tables.run(sql`
      INSERT INTO media_recount (media_id)
      SELECT media_id FROM cache_entries
      WHERE id = (SELECT entry_id FROM cache_generations WHERE id = ${generationId})`);
  }

  #checksumStatements(generationId: number, checksums: readonly ChunkChecksum[]) {
    return checksums.map(({ start, end, crc32 }) =>
      this.#tables
        .insert(chunkChecksums)
        .values({ generationId, start, end, crc32 })
        .onConflictDoUpdate({
          target: [chunkChecksums.generationId, chunkChecksums.start],
          set: { end, crc32 },
          // A span grows while its cell is being fetched; a shorter one would leave bytes without a checksum.
          setWhere: sql`excluded."end" >= ${chunkChecksums.end}`,
        }),
    );
  }
}
