// Looks after whoever waits: readers until their byte comes or their deadline passes, and fetches that hold a
// connection while their reader has enough. Its timer runs only while there is something to look after.
import type { Clock, Timer } from '../clock.ts';
import type { LarderError } from '../errors.ts';
import { PAUSED_FETCH_MAX_MS, READER_WAIT_MAX_MS, WATCHDOG_PERIOD_MS } from '../limits.ts';
import type { Fetch } from './fetch.ts';
import type { Reader } from './reader.ts';

export interface WatchdogOptions {
  readonly clock: Clock;
  /** What a reader hears whose deadline passed. */
  readonly waitError: () => LarderError;
  /** Whether something is under way for those who wait. */
  readonly isServed: (nowMs: number) => boolean;
  /** Readers wait and nothing is under way: a mistake of ours, to be counted and healed. */
  readonly onUnserved: () => void;
}

export class Watchdog {
  readonly #options: WatchdogOptions;
  /** With the monotonic time at which a fetch last came nearer to their byte; 0 before. */
  readonly #waiting = new Map<Reader, number>();
  readonly #pausedSinceMs = new Map<Fetch, number>();
  #timer: Timer | undefined;

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  add(reader: Reader): void {
    this.#waiting.set(reader, 0);
    this.#start();
  }

  delete(reader: Reader): void {
    this.#waiting.delete(reader);
  }

  /**
   * A fetch that goes on to `end` came from `from` to where it is: those whose byte is there go on, and deadlines begin
   * anew for those to whom it comes. What comes elsewhere in the file is nothing to who waits.
   */
  progressed(from: number, end: number): void {
    const now = this.#options.clock.monotonicMs();
    this.wakeReadable();
    for (const reader of this.#waiting.keys()) {
      if (from <= reader.position && reader.position < end) this.#waiting.set(reader, now);
    }
  }

  wakeReadable(): void {
    for (const reader of this.#waiting.keys()) {
      if (reader.wakeIfReadable()) this.#waiting.delete(reader);
    }
  }

  /** Fails those who wait and are `concerned`. */
  fail(error: LarderError, concerned: (reader: Reader) => boolean = () => true): void {
    for (const reader of [...this.#waiting.keys()]) {
      if (!concerned(reader)) continue;
      this.#waiting.delete(reader);
      reader.fail(error);
    }
  }

  /** Notes which fetches pause, and since when. */
  notePaused(fetches: Iterable<Fetch>): void {
    const now = this.#options.clock.monotonicMs();
    for (const fetch of fetches) {
      if (!fetch.isPaused) this.#pausedSinceMs.delete(fetch);
      else if (!this.#pausedSinceMs.has(fetch)) this.#pausedSinceMs.set(fetch, now);
    }
    if (this.#pausedSinceMs.size > 0) this.#start();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #start(): void {
    this.#timer ??= this.#options.clock.every(WATCHDOG_PERIOD_MS, () => this.#look());
  }

  #look(): void {
    const now = this.#options.clock.monotonicMs();
    for (const [fetch, sinceMs] of this.#pausedSinceMs) {
      if (!fetch.isPaused) this.#pausedSinceMs.delete(fetch);
      else if (now - sinceMs > PAUSED_FETCH_MAX_MS) fetch.stop();
    }
    const isOverdue = (reader: Reader) =>
      now - Math.max(reader.waitingSinceMs ?? now, this.#waiting.get(reader) ?? 0) > READER_WAIT_MAX_MS;
    if ([...this.#waiting.keys()].some(isOverdue)) this.fail(this.#options.waitError(), isOverdue);
    if (this.#waiting.size > 0 && !this.#options.isServed(now)) this.#options.onUnserved();
    if (this.#waiting.size === 0 && this.#pausedSinceMs.size === 0) this.stop();
  }
}
