// Generations of entries and the byte ranges that are available of each. The rows here are the one truth of what
// Larder has: a range exists from the moment its row commits.
import { and, asc, eq, exists, gt, gte, inArray, isNotNull, isNull, lt, notInArray, or, sql } from 'drizzle-orm';
import type { ByteRange } from '../bytes/byte-range.ts';
import { CHUNK_BYTES } from '../limits.ts';
import { yieldTurn } from '../yield-turn.ts';
import type { Tables } from './database.ts';
import type { GenerationRow, HeaderRow } from './entries.ts';
import { RANGES_PER_PAGE, rangePages } from './range-pages.ts';
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

/** Each runs the triggers that count what is kept: some 3 ms of the thread. */
const CLEARED_PER_STEP = 200;

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
    for (const generationId of generationIds) await this.clear(generationId);
    await this.#tables.delete(cacheGenerations).where(inArray(cacheGenerations.id, [...generationIds]));
  }

  /**
   * Takes out the ranges and checksums of a generation that goes next, some at a time: with it they would go in one
   * statement, which for a film in 100,000 pieces takes more than a second.
   */
  async clear(generationId: number): Promise<void> {
    for (const table of [cacheChunks, chunkChecksums]) {
      for (;;) {
        const first = this.#tables
          .select({ start: table.start })
          .from(table)
          .where(eq(table.generationId, generationId))
          .orderBy(asc(table.start))
          .limit(CLEARED_PER_STEP);
        const { rowsAffected } = await this.#tables
          .delete(table)
          .where(and(eq(table.generationId, generationId), inArray(table.start, first)));
        if (rowsAffected < CLEARED_PER_STEP) break;
        await yieldTurn();
      }
    }
  }

  async find(generationId: number): Promise<GenerationRow | null> {
    const rows = await this.#tables.select().from(cacheGenerations).where(eq(cacheGenerations.id, generationId));
    return rows[0] ?? null;
  }

  /** Available ranges in order. Nobody may change them meanwhile: many are read in several turns of the loop. */
  async listRanges(generationId: number): Promise<ByteRange[]> {
    const ranges: ByteRange[] = [];
    for await (const page of rangePages(this.#tables, generationId)) ranges.push(...page);
    return ranges;
  }

  /** Checksums of the spans that have a byte in `range`, in order; many of them in several turns of the loop. */
  async listChecksums(generationId: number, range: ByteRange): Promise<ChunkChecksum[]> {
    const checksums: ChunkChecksum[] = [];
    // No span is longer than a cell: the index is entered right before the range.
    for (let after = range.start - CHUNK_BYTES; ; ) {
      const page = await this.#tables
        .select({ start: chunkChecksums.start, end: chunkChecksums.end, crc32: chunkChecksums.crc32 })
        .from(chunkChecksums)
        .where(
          and(
            eq(chunkChecksums.generationId, generationId),
            gt(chunkChecksums.start, after),
            lt(chunkChecksums.start, range.end),
            gt(chunkChecksums.end, range.start),
          ),
        )
        .orderBy(asc(chunkChecksums.start))
        .limit(RANGES_PER_PAGE);
      checksums.push(...page);
      if (page.length < RANGES_PER_PAGE) return checksums;
      after = page.at(-1)!.start;
      await yieldTurn();
    }
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
   * Bytes turned out not to be there, or not to be right: `kept` is what is left of the ranges that reach into `lost` or
   * touch it, the others stay as they are. The checksums of spans that reach into `lost` go. `lost` must begin and end
   * where spans do.
   */
  async loseRange(generationId: number, kept: readonly ByteRange[], lost: ByteRange, nowMs: number): Promise<void> {
    const from = Math.min(lost.start, kept[0]?.start ?? lost.start);
    const to = Math.max(lost.end, kept.at(-1)?.end ?? lost.end);
    await this.#tables.batch([
      this.#tables
        .delete(cacheChunks)
        .where(
          and(eq(cacheChunks.generationId, generationId), gte(cacheChunks.start, from), lt(cacheChunks.start, to)),
        ),
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
      .select({ bytes: sql<number>`coalesce(sum(${cacheGenerations.cachedBytes}), 0)` })
      .from(cacheGenerations)
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

  /** Those of the files that no generation has. */
  async listUnknownFiles(fileNames: readonly string[]): Promise<string[]> {
    const rows = await this.#tables.all<{ fileName: string }>(sql`
      SELECT asked.value AS fileName FROM json_each(${JSON.stringify(fileNames)}) AS asked
      WHERE NOT EXISTS (SELECT 1 FROM cache_generations WHERE file_name = asked.value)`);
    return rows.map(({ fileName }) => fileName);
  }

  /** Files of generations, for the check at start; `afterId` pages through them. */
  async listFiles(limit: number, afterId: number): Promise<StoredFile[]> {
    // Ranges do not overlap: the last one is the one that starts last, and the index has it.
    const lastEnd = sql<number>`coalesce((
      SELECT "end" FROM cache_chunks WHERE generation_id = cache_generations.id ORDER BY start DESC LIMIT 1), 0)`;
    const rows = await this.#tables
      .select({
        generationId: cacheGenerations.id,
        entryId: cacheGenerations.entryId,
        fileName: cacheGenerations.fileName,
        lengthAtLeast: lastEnd,
        verifiedAt: cacheGenerations.verifiedAt,
        supersededAt: cacheGenerations.supersededAt,
      })
      .from(cacheGenerations)
      .where(gt(cacheGenerations.id, afterId))
      .orderBy(asc(cacheGenerations.id))
      .limit(limit);
    return rows.map(({ supersededAt, ...file }) => ({ ...file, superseded: supersededAt !== null }));
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
