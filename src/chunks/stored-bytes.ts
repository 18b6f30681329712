// The bytes of one generation on this machine: its file, the rows that say what of it is available, and what running
// fetches have written on top. Always true: `available` changes only after the rows committed.
import { type ByteRange, rangeLength } from '../bytes/byte-range.ts';
import { chunkIndexAt, chunkRange } from '../bytes/chunk-grid.ts';
import { RangeSet } from '../bytes/range-set.ts';
import type { Clock } from '../clock.ts';
import type { GenerationRow } from '../db/entries.ts';
import type { GenerationTable } from '../db/generations.ts';
import { describeError, LarderError, systemCode } from '../errors.ts';
import type { Log } from '../log.ts';
import type { ChunkReader, ChunkStore } from './chunk-store.ts';
import type { FetchDurable } from './fetch-messages.ts';
import type { FetchThreads } from './fetch-scheduler.ts';

export interface StoredBytesServices {
  readonly threads: FetchThreads;
  readonly generations: GenerationTable;
  readonly store: ChunkStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** Enough to tell any two films apart. */
const SAMPLE_BYTES = 4_096;

export class StoredBytes {
  readonly #generation: GenerationRow;
  readonly #services: StoredBytesServices;
  /** Mirror of the rows. */
  readonly #available: RangeSet;
  /** The rows and the watermarks of running fetches together. */
  readonly #readable: RangeSet;
  #totalBytes: number | null;
  /** Writes to the rows go one after the other. */
  #recording: Promise<void> = Promise.resolve();
  #chunkReader: Promise<ChunkReader> | undefined;

  constructor(generation: GenerationRow, ranges: readonly ByteRange[], services: StoredBytesServices) {
    this.#generation = generation;
    this.#services = services;
    this.#totalBytes = generation.totalBytes;
    this.#available = RangeSet.of(ranges);
    this.#readable = RangeSet.of(ranges);
  }

  get available(): RangeSet {
    return this.#available;
  }

  get readable(): RangeSet {
    return this.#readable;
  }

  get totalBytes(): number | null {
    return this.#totalBytes;
  }

  get isComplete(): boolean {
    return this.#totalBytes !== null && this.#available.contains(0, this.#totalBytes);
  }

  /** Written, and not recorded yet. */
  inFlight(): ByteRange[] {
    return this.#readable.toArray().flatMap((range) => this.#available.gaps(range.start, range.end));
  }

  noteWritten(start: number, end: number): void {
    this.#readable.add(start, end);
  }

  /** What was written but did not become durable is not there. To be called when no fetch writes any more. */
  forgetUnrecorded(): void {
    for (const range of this.inFlight()) this.#readable.remove(range.start, range.end);
  }

  /** The end was seen: the length is known from now on. */
  learnLength(totalBytes: number): void {
    this.#totalBytes = totalBytes;
    void this.afterRecording(() => this.#services.generations.recordLength(this.#generation.id, totalBytes));
  }

  /** Records durable bytes; resolves when the rows committed, or when that failed and was logged. */
  record(message: FetchDurable): Promise<void> {
    return this.afterRecording(() => this.#record(message));
  }

  /** Runs `action` when everything that waits to be recorded was. Its failure is logged, not thrown. */
  afterRecording(action: () => Promise<void> | void): Promise<void> {
    this.#recording = this.#recording.then(action).catch((error: unknown) => {
      this.#services.log.error('bytes could not be recorded; they will be fetched again', {
        file: this.#generation.fileName,
        error: describeError(error),
      });
    });
    return this.#recording;
  }

  /**
   * Resolves to the number of bytes read; 0 when the file turned out to end before them, and the rows were corrected.
   * @throws LarderError `file-lost` when the file was deleted
   */
  async read(buffer: Uint8Array, position: number): Promise<number> {
    try {
      const reader = await this.#openReader();
      const isRecent = this.#available.contiguousEnd(position) === position;
      const count = isRecent ? reader.readRecent(buffer, position) : await reader.read(buffer, position);
      if (count === 0 && !(await this.#loseBytes())) {
        // The file by this name has the bytes, the one that was open had not: once more, and then no further.
        const again = await (await this.#openReader()).read(buffer, position);
        if (again === 0) throw new LarderError('storage', 'a chunk file cannot be read', { retry: 'later' });
        return again;
      }
      return count;
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      throw new LarderError('file-lost', 'a chunk file is not there any more', { retry: 'soon', cause: error });
    }
  }

  /** A few stored bytes from anywhere, to compare with the origin's; null when there are none. */
  sample(random: () => number): ByteRange | null {
    const ranges = this.#available.toArray();
    const range = ranges[Math.floor(random() * ranges.length)];
    if (range === undefined) return null;
    const start = range.start + Math.floor(random() * Math.max(1, rangeLength(range) - SAMPLE_BYTES));
    return { start, end: Math.min(range.end, start + SAMPLE_BYTES) };
  }

  async close(): Promise<void> {
    await this.#recording;
    await this.#closeReader();
  }

  #openReader(): Promise<ChunkReader> {
    if (this.#chunkReader === undefined) {
      const opening = this.#services.store.openReader(this.#generation.fileName);
      this.#chunkReader = opening;
      // The next read tries again.
      opening.catch(() => {
        if (this.#chunkReader === opening) this.#chunkReader = undefined;
      });
    }
    return this.#chunkReader;
  }

  async #closeReader(): Promise<void> {
    const reader = await this.#chunkReader?.catch(() => undefined);
    this.#chunkReader = undefined;
    await reader?.close();
  }

  async #record({ start, end, checksums }: FetchDurable): Promise<void> {
    const { generations, clock } = this.#services;
    const merged = this.#available.mergedWith(start, end);
    await generations.recordRange(this.#generation.id, merged, checksums, clock.nowMs());
    this.#available.add(start, end);
    this.#readable.add(start, end);
    await this.#checksumCompleted(start, end, new Set(checksums.map((checksum) => checksum.chunkIndex)));
  }

  /** Cells that this record completed and no single fetch saw whole. */
  async #checksumCompleted(start: number, end: number, known: ReadonlySet<number>): Promise<void> {
    const cells: { chunkIndex: number; start: number; end: number }[] = [];
    for (let chunkIndex = chunkIndexAt(start); chunkIndex <= chunkIndexAt(end - 1); chunkIndex++) {
      const cell = chunkRange(chunkIndex, this.#totalBytes);
      if (!known.has(chunkIndex) && this.#available.contains(cell.start, cell.end)) cells.push({ chunkIndex, ...cell });
    }
    if (cells.length === 0) return;
    const { generations, threads, clock, log } = this.#services;
    try {
      const checksums = await threads.checksum(this.#generation.fileName, cells);
      await generations.recordChecksums(this.#generation.id, checksums, clock.nowMs());
    } catch (error) {
      // The bytes are there all the same; they have no checksum until they are read through.
      log.warning('a checksum could not be recorded', { file: this.#generation.fileName, error: describeError(error) });
    }
  }

  /**
   * Rows promised bytes behind the file's end: the rows are corrected, the bytes fetched again.
   * @returns whether any were lost
   */
  async #loseBytes(): Promise<boolean> {
    const { generations, store, clock, log } = this.#services;
    const length = (await store.findLength(this.#generation.fileName)) ?? 0;
    const before = this.#available.byteCount;
    const readableBefore = this.#readable.byteCount;
    this.#available.remove(length, Number.MAX_SAFE_INTEGER);
    this.#readable.remove(length, Number.MAX_SAFE_INTEGER);
    await this.#closeReader();
    if (this.#available.byteCount === before) return this.#readable.byteCount < readableBefore;
    log.warning('a chunk file has lost bytes; they are fetched again', {
      file: this.#generation.fileName,
      bytes: before - this.#available.byteCount,
    });
    const kept = this.#available.toArray();
    await this.afterRecording(() => generations.truncate(this.#generation.id, kept, length, clock.nowMs()));
    return true;
  }
}
