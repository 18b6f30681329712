// Compares all that is stored of one generation with its checksums, step by step.
import type { ByteRange } from '../bytes/byte-range.ts';
import type { GenerationTable } from '../db/generations.ts';
import { CHUNK_BYTES } from '../limits.ts';

export interface VerifyOptions {
  readonly generations: Pick<GenerationTable, 'listChecksums' | 'findNextChecksum'>;
  /** crc32 of spans as they are on the disk; null for one that cannot be read. @throws LarderError when none can */
  readonly checksum: (fileName: string, spans: readonly ByteRange[]) => Promise<readonly (number | null)[]>;
  /** A span is not what was fetched. @returns how many bytes that costs */
  readonly damaged: (span: ByteRange) => Promise<number>;
  /** After so many bytes. @returns whether to go on */
  readonly afterStep: (bytes: number) => Promise<boolean>;
}

export interface VerifyResult {
  readonly verifiedBytes: number;
  readonly damagedBytes: number;
}

/** Bytes whose checksums are looked up and compared in one step. */
const STEP_BYTES = 2 * CHUNK_BYTES;

export async function verifyFile(
  file: { readonly generationId: number; readonly fileName: string },
  options: VerifyOptions,
): Promise<VerifyResult> {
  const { generations, checksum, damaged, afterStep } = options;
  let verifiedBytes = 0;
  let damagedBytes = 0;
  for (let position: number | null = 0; position !== null; ) {
    const step: ByteRange = { start: position, end: position + STEP_BYTES };
    const spans = await generations.listChecksums(file.generationId, step);
    const found = spans.length === 0 ? [] : await checksum(file.fileName, spans);
    let bytes = 0;
    for (const [index, span] of spans.entries()) {
      bytes += span.end - span.start;
      if (found[index] === span.crc32) verifiedBytes += span.end - span.start;
      else damagedBytes += await damaged(span);
    }
    if (!(await afterStep(bytes))) break;
    position = spans.at(-1)?.end ?? (await generations.findNextChecksum(file.generationId, position));
  }
  return { verifiedBytes, damagedBytes };
}
