// The bytes of one generation on this machine: its file, the rows that say what of it is available, and what running
// fetches have brought on top. Always true: `available` changes only after the rows committed, and what is served was
// either fetched in this life of the program or compared with its checksum.
import { type ByteRange, rangeLength } from '../bytes/byte-range.ts';
import { RangeSet } from '../bytes/range-set.ts';
import type { Clock } from '../clock.ts';
import type { GenerationRow } from '../db/entries.ts';
import type { ChunkChecksum, GenerationTable } from '../db/generations.ts';
import { LarderError, systemCode } from '../errors.ts';
import type { Log } from '../log.ts';
import type { ChunkReader, ChunkStore } from './chunk-store.ts';
import type { FetchDurable, VersionSample } from './fetch-messages.ts';
import type { Space } from './space.ts';
import { VolatileBytes } from './volatile-bytes.ts';

export interface StoredBytesServices {
  readonly generations: GenerationTable;
  readonly store: ChunkStore;
  readonly space: Space;
  readonly clock: Clock;
  readonly log: Log;
}

/** Enough to tell any two films apart. */
const SAMPLE_BYTES = 4_096;

export class StoredBytes {
  /** What is available is more than the label beside the file says. */
  isLabelDue = false;
  #generation: GenerationRow;
  readonly #services: StoredBytesServices;
  /** Mirror of the rows. */
  readonly #available: RangeSet;
  /** The rows and what running fetches have brought together: nobody needs to fetch it. */
  readonly #known: RangeSet;
  /** What of it may be served: the rest was not compared with its checksums yet. */
  readonly #trusted: RangeSet;
  readonly #volatile = new VolatileBytes();
  #wasEverKnown: boolean;
  #wasLossTold = false;
  #totalBytes: number | null;
  /** Writes to the rows go one after the other. */
  #recording: Promise<void> = Promise.resolve();
  #chunkReader: Promise<ChunkReader> | undefined;
  /** The same once it is open. */
  #openReaderNow: ChunkReader | undefined;

  /** `trusted` is kept beyond this object's life, so that nothing is verified twice in one life of the program. */
  constructor(
    generation: GenerationRow,
    ranges: readonly ByteRange[],
    trusted: RangeSet,
    services: StoredBytesServices,
  ) {
    this.#generation = generation;
    this.#services = services;
    this.#totalBytes = generation.totalBytes;
    this.#available = RangeSet.of(ranges);
    this.#known = this.#available.copy();
    this.#trusted = trusted;
    trusted.keepOnly(this.#available);
    this.#wasEverKnown = ranges.length > 0;
  }

  get available(): RangeSet {
    return this.#available;
  }

  get known(): RangeSet {
    return this.#known;
  }

  get trusted(): RangeSet {
    return this.#trusted;
  }

  get totalBytes(): number | null {
    return this.#totalBytes;
  }

  get isComplete(): boolean {
    return this.#totalBytes !== null && this.#available.contains(0, this.#totalBytes);
  }

  /** Whether anything of it was written to its file. */
  get hasFile(): boolean {
    return this.#known.byteCount > this.#volatile.byteCount;
  }

  /**
   * The one answer to "is this range there?": how far bytes can be read from `offset` on without a gap. What is trusted
   * outlives this object, and a comparison that was under way when its file was removed may still add to it: alone it
   * says nothing of what is there.
   */
  readableEnd(offset: number): number {
    return Math.min(this.#trusted.contiguousEnd(offset), this.#known.contiguousEnd(offset));
  }

  /** A generation of a time when not every byte had a checksum, and that was not gone through since. */
  get mayBeBare(): boolean {
    return this.#generation.verifiedAt === null;
  }

  /** Whether there ever was a byte of it: somebody may have been given it, also when it is gone by now. */
  get wasEverKnown(): boolean {
    return this.#wasEverKnown;
  }

  /** Brought by a fetch, and not recorded (yet). */
  inFlight(): ByteRange[] {
    return this.#known.toArray().flatMap((range) => this.#available.gaps(range.start, range.end));
  }

  noteWritten(start: number, end: number): void {
    this.#wasEverKnown ||= end > start;
    this.#known.add(start, end);
    this.#trusted.add(start, end);
  }

  /** Bytes that go to no disk. */
  noteVolatile(start: number, bytes: Uint8Array): void {
    this.noteWritten(start, start + bytes.length);
    this.#volatile.add(start, bytes);
  }

  /** Lets go of what is in memory only and nobody `needs`. */
  trimVolatile(needs: (piece: ByteRange) => boolean): void {
    if (this.#volatile.byteCount > 0) this.#forget(this.#volatile.trim(needs));
  }

  /**
   * What a fetch wrote to [start, end) and what has no rows now that it has ended is not there: a disk that failed to
   * sync may have dropped it.
   * @returns what is not there
   */
  forgetUnrecorded(start: number, end: number): ByteRange[] {
    const lost = this.#available.gaps(start, end);
    this.#forget(lost);
    return lost;
  }

  /** The end was seen: the length is known from now on. */
  learnLength(totalBytes: number): void {
    this.#totalBytes = totalBytes;
  }

  /** The generation has rows from now on. */
  becomeStored(generation: GenerationRow): void {
    this.#generation = generation;
  }

  /**
   * Records durable bytes; resolves when the rows committed.
   * @throws what the database threw: the bytes are not recorded then
   */
  record({ start, end, checksums }: FetchDurable): Promise<void> {
    return this.inOrder(async () => {
      const { generations, clock, space } = this.#services;
      const merged = this.#available.mergedWith(start, end);
      await generations.recordRange(this.#generation.id, merged, checksums, clock.nowMs());
      const before = this.#available.byteCount;
      this.#available.add(start, end);
      this.noteWritten(start, end);
      space.stored(end - start, this.#available.byteCount - before);
      this.isLabelDue = true;
    });
  }

  /** Runs `action` when everything that waits to be recorded was, or failed. */
  inOrder<Result>(action: () => Promise<Result> | Result): Promise<Result> {
    const result = this.#recording.then(action);
    this.#recording = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** Reads what is most likely in memory, without waiting for anything; 0 when `read` is to be asked. */
  readAgain(buffer: Uint8Array, position: number): number {
    // Where memory has bytes the file has holes.
    if (this.#volatile.byteCount > 0) return 0;
    try {
      return this.#openReaderNow?.readAgain(buffer, position) ?? 0;
    } catch {
      return 0; // `read` meets the same, and knows what to do
    }
  }

  /**
   * Resolves to the number of bytes read; 0 when they turned out not to be there, and the rows were corrected.
   * @throws LarderError `file-lost` when the file was deleted
   */
  async read(buffer: Uint8Array, position: number): Promise<number> {
    if (this.#volatile.byteCount > 0) {
      const count = this.#volatile.read(buffer, position);
      if (count > 0) return count;
    }
    // Where memory has the bytes the file has a hole.
    const part = buffer.subarray(0, Math.min(buffer.length, this.#volatile.nextStart(position) - position));
    try {
      const reader = await this.#openReader();
      const isRecent = this.#available.contiguousEnd(position) === position;
      const count = isRecent ? reader.readRecent(part, position) : await reader.read(part, position);
      if (count === 0 && (await this.#loseTail(position))) return 0;
      if (count === 0) {
        // The file by this name has the bytes, the one that was open had not: once more, and then no further.
        const again = await (await this.#openReader()).read(part, position);
        if (again === 0) throw new LarderError('storage', 'a chunk file cannot be read', { retry: 'later' });
        return again;
      }
      return count;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') {
        throw new LarderError('file-lost', 'a chunk file is not there any more', { retry: 'soon', cause: error });
      }
      // A bad sector: what it held is fetched again, and written to where the disk thinks fit.
      if (systemCode(error) !== 'EIO') throw error;
      await this.lose({ start: position, end: position + 1 }, 'the disk cannot read them');
      return 0;
    }
  }

  /**
   * A few bytes from anywhere within [0, before), to be compared with the origin's. Those that are only in memory come
   * with their content, those of the file without. Null when there are none.
   */
  sample(random: () => number, before: number = Number.POSITIVE_INFINITY): VersionSample | null {
    // What was compared before first: a damaged byte would pass for a changed file.
    const trusted = this.#volatile.byteCount === 0 ? this.#trusted.parts(0, before) : [];
    const ranges = trusted.length > 0 ? trusted : this.#available.parts(0, before);
    const range = ranges[Math.floor(random() * ranges.length)];
    if (range === undefined) {
      const kept = this.#volatile.sample(SAMPLE_BYTES);
      return kept === null || kept.start + kept.bytes.length > before
        ? null
        : { start: kept.start, end: kept.start + kept.bytes.length, bytes: kept.bytes };
    }
    const start = range.start + Math.floor(random() * Math.max(1, rangeLength(range) - SAMPLE_BYTES));
    return { start, end: Math.min(range.end, start + SAMPLE_BYTES), bytes: null };
  }

  /** Checksums of the spans that have a byte in `range`. */
  listChecksums(range: ByteRange): Promise<ChunkChecksum[]> {
    return this.#services.generations.listChecksums(this.#generation.id, range);
  }

  /** The bytes of `range` are what was fetched. Those that are not available (any more) are passed over. */
  trust(range: ByteRange): void {
    for (const part of this.#available.parts(range.start, range.end)) this.#trusted.add(part.start, part.end);
  }

  /** Bytes that a database of an earlier schema has no checksums of get theirs. */
  async recordChecksums(checksums: readonly ChunkChecksum[]): Promise<void> {
    await this.inOrder(() => this.#services.generations.recordChecksums(this.#generation.id, checksums));
  }

  /**
   * Bytes are not there, or not right: the rows are corrected, so that they are fetched again. What shares a checksum
   * with them goes, too.
   * @returns how many bytes were lost
   */
  async lose(range: ByteRange, reason: string): Promise<number> {
    const { generations, space, clock, log } = this.#services;
    const spans = await this.listChecksums(range);
    const lost = {
      start: Math.min(range.start, spans[0]?.start ?? range.start),
      end: Math.max(range.end, spans.at(-1)?.end ?? range.end),
    };
    const before = this.#available.byteCount;
    this.#available.remove(lost.start, lost.end);
    this.#forget([lost]);
    const bytes = before - this.#available.byteCount;
    if (bytes === 0) return 0;
    // A dead disk loses a film in five thousand pieces.
    const tell = this.#wasLossTold ? log.debug : log.warning;
    this.#wasLossTold = true;
    tell('stored bytes were lost; they are fetched again', {
      file: this.#generation.fileName,
      from: lost.start,
      bytes,
      reason,
    });
    try {
      await this.inOrder(() =>
        generations.loseRange(this.#generation.id, this.#available.touching(lost.start, lost.end), lost, clock.nowMs()),
      );
      space.removed(bytes);
    } catch (error) {
      space.refused(error);
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.#recording;
    await this.#closeReader();
  }

  #forget(ranges: readonly ByteRange[]): void {
    for (const range of ranges) {
      this.#known.remove(range.start, range.end);
      this.#trusted.remove(range.start, range.end);
    }
  }

  #openReader(): Promise<ChunkReader> {
    if (this.#chunkReader === undefined) {
      const opening = this.#services.store.openReader(this.#generation.fileName);
      this.#chunkReader = opening;
      opening.then(
        (reader) => {
          if (this.#chunkReader === opening) this.#openReaderNow = reader;
        },
        () => {
          // The next read tries again.
          if (this.#chunkReader === opening) this.#chunkReader = undefined;
        },
      );
    }
    return this.#chunkReader;
  }

  async #closeReader(): Promise<void> {
    // Whoever reads meanwhile opens another.
    const opened = this.#chunkReader;
    this.#chunkReader = undefined;
    this.#openReaderNow = undefined;
    const reader = await opened?.catch(() => undefined);
    await reader?.close();
  }

  /**
   * Rows promised bytes behind the file's end.
   * @returns whether the byte at `position` is one of those that were lost, now or by another reader
   */
  async #loseTail(position: number): Promise<boolean> {
    const length = (await this.#services.store.findLength(this.#generation.fileName)) ?? 0;
    await this.#closeReader();
    await this.lose({ start: length, end: Number.MAX_SAFE_INTEGER }, 'the file ends before them');
    return this.#known.contiguousEnd(position) === position;
  }
}
