// Compares all that is kept of an entry with its checksums, now and as fast as the disk gives it. What is damaged is
// given up, so that it is fetched again when it is wanted.
import type { ByteRange } from '../bytes/byte-range.ts';
import type { FetchThreads } from '../chunks/fetch-scheduler.ts';
import type { Clock } from '../clock.ts';
import type { GenerationTable } from '../db/generations.ts';
import { LarderError } from '../errors.ts';
import { type VerifyResult, verifyFile } from './verify-file.ts';

export interface EntryVerifierServices {
  readonly generations: GenerationTable;
  readonly threads: Pick<FetchThreads, 'checksum'>;
  /** Gives up damaged bytes. @returns how many there were */
  readonly loseBytes: (generationId: number, range: ByteRange, reason: string) => Promise<number>;
  readonly clock: Clock;
}

export interface VerifyProgress {
  readonly signal: AbortSignal;
  /** So many bytes more were compared. */
  readonly advanced: (bytes: number) => void;
}

const EVERYTHING: ByteRange = { start: 0, end: Number.MAX_SAFE_INTEGER };

export class EntryVerifier {
  readonly #services: EntryVerifierServices;

  constructor(services: EntryVerifierServices) {
    this.#services = services;
  }

  /** @throws LarderError when the disk cannot read it, or when it was called off */
  async verify(entryId: number, progress: VerifyProgress): Promise<VerifyResult> {
    const { generations, threads, loseBytes, clock } = this.#services;
    const total = { verifiedBytes: 0, damagedBytes: 0 };
    for (const generation of await generations.listOfEntry(entryId)) {
      const { id: generationId, fileName, verifiedAt } = generation;
      try {
        const result = await verifyFile(
          { generationId, fileName, verifiedAt },
          {
            generations,
            checksum: (name, spans) => threads.checksum(name, spans),
            damaged: (span) => loseBytes(generationId, span, 'a check found that they are not what was fetched'),
            summed: (checksums) => generations.recordChecksums(generationId, checksums),
            afterStep: (bytes) => {
              progress.advanced(bytes);
              return Promise.resolve(!progress.signal.aborted);
            },
          },
        );
        total.verifiedBytes += result.verifiedBytes;
        total.damagedBytes += result.damagedBytes;
      } catch (error) {
        if (!(error instanceof LarderError) || error.code !== 'file-lost') throw error;
        total.damagedBytes += await loseBytes(generationId, EVERYTHING, 'the file is not there');
      }
      if (progress.signal.aborted) throw new LarderError('stopped', 'the check was called off');
      await generations.recordVerified(generationId, clock.nowMs());
    }
    return total;
  }
}
