// Compares all that is stored of one generation with its checksums, cell after cell.
import type { ByteRange } from '../bytes/byte-range.ts';
import { chunkIndexAt, chunkRange } from '../bytes/chunk-grid.ts';
import { RangeSet } from '../bytes/range-set.ts';
import type { ChunkChecksum, GenerationTable } from '../db/generations.ts';

export interface VerifiedFile {
  readonly generationId: number;
  readonly fileName: string;
  /** Null for one that may have bytes without a checksum: of a time when not every byte had one. */
  readonly verifiedAt: number | null;
}

export interface VerifyOptions {
  readonly generations: Pick<GenerationTable, 'listChecksums' | 'listRanges'>;
  /** crc32 of spans as they are on the disk; null for one that cannot be read. @throws LarderError when none can */
  readonly checksum: (fileName: string, spans: readonly ByteRange[]) => Promise<readonly (number | null)[]>;
  /** A span is not what was fetched. @returns how many bytes that costs */
  readonly damaged: (span: ByteRange) => Promise<number>;
  /** Bytes that had no checksum have one now. */
  readonly summed: (checksums: readonly ChunkChecksum[]) => Promise<void>;
  /** After so many bytes. @returns whether to go on */
  readonly afterStep: (bytes: number) => Promise<boolean>;
}

export interface VerifyResult {
  readonly verifiedBytes: number;
  readonly damagedBytes: number;
}

export async function verifyFile(file: VerifiedFile, options: VerifyOptions): Promise<VerifyResult> {
  const { generations, checksum, damaged, summed, afterStep } = options;
  const { generationId, fileName, verifiedAt } = file;
  const available = RangeSet.of(await generations.listRanges(generationId));
  let verifiedBytes = 0;
  let damagedBytes = 0;
  for (let next = available.nextKnown(0); next !== null; ) {
    const cell = chunkRange(chunkIndexAt(next), null);
    const recorded = await generations.listChecksums(generationId, cell);
    const bare = RangeSet.of(recorded)
      .gaps(cell.start, cell.end)
      .flatMap((gap) => available.parts(gap.start, gap.end));
    const found = await checksum(fileName, [...recorded, ...bare]);
    const sums: ChunkChecksum[] = [];
    let bytes = 0;
    for (const [index, span] of [...recorded, ...bare].entries()) {
      const length = span.end - span.start;
      const sum = found[index] ?? null;
      const isRight = 'crc32' in span ? sum === span.crc32 : sum !== null && verifiedAt === null;
      bytes += length;
      if (!isRight) damagedBytes += await damaged(span);
      else verifiedBytes += length;
      if (isRight && !('crc32' in span)) sums.push({ ...span, crc32: sum! });
    }
    if (sums.length > 0) await summed(sums);
    if (!(await afterStep(bytes))) break;
    next = available.nextKnown(cell.end);
  }
  return { verifiedBytes, damagedBytes };
}
