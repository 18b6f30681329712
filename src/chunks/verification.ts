// Compares stored bytes of one file with their checksums before they are first served in this life of the program: a
// disk may have lost or turned bits while nobody looked. What is damaged is lost, so that it is fetched again.
import type { ByteRange } from '../bytes/byte-range.ts';
import { chunkIndexAt, chunkRange } from '../bytes/chunk-grid.ts';
import { RangeSet } from '../bytes/range-set.ts';
import type { ChunkChecksum } from '../db/generations.ts';
import { LarderError } from '../errors.ts';
import { VERIFY_SPANS_MAX } from '../limits.ts';
import type { FetchThreads } from './fetch-scheduler.ts';
import type { StoredBytes } from './stored-bytes.ts';

export interface VerificationOptions {
  readonly bytes: StoredBytes;
  readonly fileName: string;
  readonly threads: Pick<FetchThreads, 'checksum'>;
  /** Something was verified, or lost. */
  readonly onChange: () => void;
  readonly onDamage: (range: ByteRange, lostBytes: number) => void;
  /** The file cannot be read at all. */
  readonly onError: (error: unknown) => void;
}

const ATTEMPTS_MAX = 3;
/** No bytes have this checksum: what lost its own is as good as damaged. */
const NEVER = -1;

/** A span without `crc32` is of a time when not every byte had a checksum: there is nothing to compare it with. */
type Span = ByteRange & { readonly crc32: number | null };

export class Verification {
  readonly #options: VerificationOptions;
  /** Cells of the grid that are being verified. */
  readonly #running = new Set<number>();
  /** Cells that could not be read for another reason than damage: asked for again when somebody waits. */
  readonly #failed = new Set<number>();

  constructor(options: VerificationOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#running.size > 0;
  }

  /** Somebody waits for this byte: it is tried again if it failed. */
  retry(offset: number): void {
    this.#failed.delete(chunkIndexAt(offset));
  }

  /**
   * Begins, from the front of `range` on, what is stored, may not be served yet, and is not under way. What somebody
   * waits for does not wait for what others come to later.
   */
  want(range: ByteRange, isWaitedFor: boolean): void {
    const { bytes } = this.#options;
    for (const gap of bytes.trusted.gaps(range.start, range.end)) {
      for (let start = gap.start; start < gap.end; start = chunkRange(chunkIndexAt(start), null).end) {
        if (this.#running.size >= VERIFY_SPANS_MAX && !isWaitedFor) return;
        const cell = chunkIndexAt(start);
        const end = Math.min(gap.end, chunkRange(cell, null).end);
        if (this.#running.has(cell) || this.#failed.has(cell) || bytes.available.countWithin(start, end) === 0)
          continue;
        this.#running.add(cell);
        void this.#verify(cell);
      }
    }
  }

  async #verify(cell: number): Promise<void> {
    const { bytes, onChange, onDamage, onError } = this.#options;
    try {
      const spans = await this.#spansOf(chunkRange(cell, null));
      const checksums = await this.#readBack(spans);
      const found: ChunkChecksum[] = [];
      for (const [index, { start, end, crc32 }] of spans.entries()) {
        const checksum = checksums[index] ?? null;
        if (checksum === null || (crc32 !== null && checksum !== crc32)) {
          const reason = checksum === null ? 'the disk cannot read them' : 'they are not what was fetched';
          onDamage({ start, end }, await bytes.lose({ start, end }, reason));
          continue;
        }
        bytes.trust({ start, end });
        if (crc32 === null) found.push({ start, end, crc32: checksum });
      }
      if (found.length > 0) await bytes.recordChecksums(found);
    } catch (error) {
      this.#failed.add(cell);
      onError(error);
    } finally {
      this.#running.delete(cell);
      onChange();
    }
  }

  /** A thread that dies is replaced: its work is asked for again. */
  async #readBack(spans: readonly Span[]): Promise<readonly (number | null)[]> {
    const { fileName, threads } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await threads.checksum(fileName, spans);
      } catch (error) {
        const isPassing = error instanceof LarderError && error.code === 'origin-failed';
        if (!isPassing || attempt >= ATTEMPTS_MAX) throw error;
      }
    }
  }

  /** What covers the available bytes of a cell. */
  async #spansOf(cell: ByteRange): Promise<Span[]> {
    const { bytes } = this.#options;
    const recorded = await bytes.listChecksums(cell);
    const bare = RangeSet.of(recorded)
      .gaps(cell.start, cell.end)
      .flatMap((gap) => bytes.available.parts(gap.start, gap.end));
    return [...recorded, ...bare.map((range) => ({ ...range, crc32: bytes.mayBeBare ? null : NEVER }))];
  }
}
