// Compares everything that is kept with its checksums, file after file, as fast as the disk gives it.
import type { ByteRange } from '../bytes/byte-range.ts';
import type { ChunkStore } from '../chunks/chunk-store.ts';
import { computeChecksums } from '../chunks/span-checksums.ts';
import type { GenerationTable, StoredFile } from '../db/generations.ts';
import { describeError, rootCause, systemCode } from '../errors.ts';
import { type VerifyResult, verifyFile } from './verify-file.ts';

export interface FolderVerification {
  readonly generations: GenerationTable;
  readonly store: ChunkStore;
  /** Gives up damaged bytes, or only counts them. @returns how many there are */
  readonly giveUp: (generationId: number, range: ByteRange) => Promise<number>;
  /** A file was read through. */
  readonly verified: (file: StoredFile, result: VerifyResult) => Promise<void>;
  /** Says in a line what is wrong. */
  readonly say: (line: string) => void;
}

export interface FolderResult extends VerifyResult {
  readonly fileCount: number;
  /** Files of which nothing can be said. */
  readonly uncheckedCount: number;
}

interface FileResult extends VerifyResult {
  readonly isChecked: boolean;
}

/** Files looked up in one statement. */
const PAGE_FILES = 200;

export async function verifyFolder(parts: FolderVerification): Promise<FolderResult> {
  const total = { fileCount: 0, uncheckedCount: 0, verifiedBytes: 0, damagedBytes: 0 };
  for (let afterId = 0; ; ) {
    const page = await parts.generations.listFiles(PAGE_FILES, afterId);
    const last = page.at(-1);
    if (last === undefined) return total;
    afterId = last.generationId;
    for (const file of page) {
      if (file.lengthAtLeast === 0) continue;
      const { verifiedBytes, damagedBytes, isChecked } = await verifyOne(file, parts);
      total.fileCount += 1;
      if (!isChecked) total.uncheckedCount += 1;
      total.verifiedBytes += verifiedBytes;
      total.damagedBytes += damagedBytes;
    }
  }
}

async function verifyOne(file: StoredFile, parts: FolderVerification): Promise<FileResult> {
  const { generations, store, giveUp, verified, say } = parts;
  const { generationId, fileName } = file;
  try {
    const result = await verifyFile(file, {
      generations,
      checksum: (name, spans) => computeChecksums(store, name, spans),
      damaged: (span) => {
        say(`damaged: ${fileName}, bytes ${span.start} to ${span.end - 1}`);
        return giveUp(generationId, span);
      },
      summed: (checksums) => generations.recordChecksums(generationId, checksums),
      afterStep: () => Promise.resolve(true),
    });
    await verified(file, result);
    return { ...result, isChecked: true };
  } catch (error) {
    const isGone = (await generations.find(generationId)) === null;
    // Evicted meanwhile by a Larder that runs.
    if (isGone) return { verifiedBytes: 0, damagedBytes: 0, isChecked: true };
    if (systemCode(error) === 'ENOENT') {
      say(`missing: ${fileName}`);
      const damagedBytes = await giveUp(generationId, { start: 0, end: file.lengthAtLeast });
      return { verifiedBytes: 0, damagedBytes, isChecked: true };
    }
    // Whatever else went wrong says nothing of the bytes.
    say(`could not be checked: ${fileName} (${describeError(rootCause(error))})`);
    return { verifiedBytes: 0, damagedBytes: 0, isChecked: false };
  }
}
