// One open response to a player, as the engine sees it: a position that moves through a range, and a wait for bytes.
import type { ByteRange } from '../bytes/byte-range.ts';
import type { RangeSet } from '../bytes/range-set.ts';
import { LarderError } from '../errors.ts';
import { READ_AHEAD_START_BYTES, STALL_MIN_MS } from '../limits.ts';
import type { Want } from './fetch-plan.ts';
import { Priority } from './fetch-scheduler.ts';
import { MissingBytes } from './missing-bytes.ts';

/** Who reads, for pages and logs. */
export interface ReaderLabel {
  readonly address: string;
  readonly player: string;
}

/** What a reader needs of its file. */
export interface ReaderFile {
  readonly totalBytes: number | null;
  readableEnd(offset: number): number;
  read(buffer: Uint8Array, position: number): Promise<number>;
  readAgain(buffer: Uint8Array, position: number): number;
  readerWaits(reader: Reader): void;
  readerMoved(reader: Reader, bytes: number, bytesFromDisk: number): void;
  readerClosed(reader: Reader): void;
}

export interface ReaderOptions {
  readonly file: ReaderFile;
  /** While the file's length is not known its end is the largest safe integer. */
  readonly range: ByteRange;
  /** The client named the end, so nothing behind it is wanted. */
  readonly bounded: boolean;
  readonly label: ReaderLabel;
  readonly readAheadMaxBytes: number;
  /** What of the file nobody needs to fetch, as it is now. */
  readonly known: Pick<RangeSet, 'contains' | 'gaps' | 'nextKnown' | 'rangeCount'>;
  /** What is missing goes to no disk. */
  readonly isPassedOn: boolean;
  readonly nowMs: () => number;
  /** Monotonic time at which the client asked: its wait for a first byte began then. */
  readonly askedAtMs: number;
}

export type CacheStatus = 'HIT' | 'PARTIAL' | 'MISS' | 'BYPASS';

export class Reader {
  readonly label: ReaderLabel;
  readonly cacheStatus: CacheStatus;
  position: number;
  servedBytes = 0;
  /** Of those, what was there when the reader came. */
  servedFromDiskBytes = 0;
  /** Waits in mid-stream that are over: how often, how long together, and the longest. */
  stallCount = 0;
  stalledMs = 0;
  worstStallMs = 0;
  /** Monotonic time since which it waits for a byte; null while it does not. */
  waitingSinceMs: number | null = null;
  readonly #options: ReaderOptions;
  /** Null when all was there. */
  readonly #missing: MissingBytes | null;
  #replanAt: number;
  #wake: (() => void) | undefined;
  #fail: ((error: LarderError) => void) | undefined;
  #closed = false;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.label = options.label;
    this.position = options.range.start;
    const { known, range, readAheadMaxBytes } = options;
    const isHit = known.contains(range.start, range.end);
    this.#missing = isHit ? null : new MissingBytes(known, range, readAheadMaxBytes);
    this.cacheStatus = isHit ? 'HIT' : missStatusOf(options);
    this.#replanAt = this.position;
  }

  /** End of what the response will send, exclusive; the largest safe integer while the length is not known. */
  get end(): number {
    return Math.min(this.#options.range.end, this.#options.file.totalBytes ?? Number.MAX_SAFE_INTEGER);
  }

  /** Read-ahead starts small, so that a seek that is dropped costs little, and grows with what was consumed. */
  get #windowBytes(): number {
    return Math.min(this.#options.readAheadMaxBytes, READ_AHEAD_START_BYTES + 2 * this.servedBytes);
  }

  /** Whether there is a byte to read now. */
  get isReadable(): boolean {
    return this.position < this.end && this.#options.file.readableEnd(this.position) > this.position;
  }

  want(): Want | null {
    const { end, position } = this;
    if (position >= end || this.#closed) return null;
    const window = this.#windowBytes;
    const waits = this.#options.file.readableEnd(position) === position;
    return {
      start: position,
      until: Math.min(end, position + window),
      limit: this.#options.bounded ? end : null,
      priority: waits ? Priority.critical : Priority.high,
      slackBytes: waits ? 0 : window / 2,
    };
  }

  /**
   * Resolves when the byte at the position can be read, or when the end turned out to be here.
   * @throws LarderError when it will not come
   */
  waitReadable(): Promise<void> | null {
    // The check and the registration are one step: no wake-up can come between them.
    if (this.#options.file.readableEnd(this.position) > this.position || this.position >= this.end) return null;
    if (this.#closed) return Promise.reject(new LarderError('stopped', 'the reader was closed'));
    this.waitingSinceMs = this.servedBytes === 0 ? this.#options.askedAtMs : this.#options.nowMs();
    return new Promise((resolve, reject) => {
      this.#wake = resolve;
      this.#fail = reject;
      this.#options.file.readerWaits(this);
    });
  }

  /** Called by the file when bytes came or its length became known. */
  wakeIfReadable(): boolean {
    if (this.#wake === undefined) return true;
    if (this.#options.file.readableEnd(this.position) <= this.position && this.position < this.end) return false;
    this.#settle()?.resolve();
    return true;
  }

  fail(error: LarderError): void {
    this.#settle()?.reject(error);
  }

  /** Reads at the position, at most `buffer.length` and never past what is readable; 0 means the file lost bytes. */
  read(buffer: Uint8Array): Promise<number> {
    return this.#options.file.read(this.#readablePart(buffer), this.position);
  }

  /** The same at once, of what is most likely in memory; 0 when `read` is to be asked. */
  readAgain(buffer: Uint8Array): number {
    return this.#options.file.readAgain(this.#readablePart(buffer), this.position);
  }

  /** The next `bytes` went to the player. */
  advance(bytes: number): void {
    const missing = this.#missing?.take(this.position, this.position + bytes) ?? 0;
    const fromDisk = bytes - missing;
    this.position += bytes;
    this.servedBytes += bytes;
    this.servedFromDiskBytes += fromDisk;
    this.#options.file.readerMoved(this, bytes, fromDisk);
  }

  /** Whether it has moved far enough for the plan to be made anew. */
  takeReplanDue(): boolean {
    if (this.position < this.#replanAt) return false;
    this.#replanAt = this.position + this.#windowBytes / 4;
    return true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#settle()?.resolve();
    this.#options.file.readerClosed(this);
  }

  #readablePart(buffer: Uint8Array): Uint8Array {
    const readable = Math.min(this.#options.file.readableEnd(this.position), this.end) - this.position;
    return readable < buffer.length ? buffer.subarray(0, readable) : buffer;
  }

  #settle(): { resolve: () => void; reject: (error: LarderError) => void } | null {
    const resolve = this.#wake;
    const reject = this.#fail;
    this.#wake = undefined;
    this.#fail = undefined;
    if (this.waitingSinceMs !== null) this.#noteWait(this.#options.nowMs() - this.waitingSinceMs);
    this.waitingSinceMs = null;
    return resolve === undefined || reject === undefined ? null : { resolve, reject };
  }

  /** The wait for the first byte is no stall: nothing plays yet. */
  #noteWait(ms: number): void {
    if (this.servedBytes === 0 || ms < STALL_MIN_MS) return;
    this.stallCount += 1;
    this.stalledMs += ms;
    this.worstStallMs = Math.max(this.worstStallMs, ms);
  }
}

function missStatusOf({ known, range, isPassedOn }: ReaderOptions): CacheStatus {
  if (isPassedOn) return 'BYPASS';
  return (known.nextKnown(range.start) ?? range.end) < range.end ? 'PARTIAL' : 'MISS';
}
