// What one open response did in each of the last seconds: for its rates, and for a strip of its last minute.
import type { CachedFile } from '../chunks/cached-file.ts';
import type { Fetch } from '../chunks/fetch.ts';
import type { Reader } from '../chunks/reader.ts';
import { STALL_MIN_MS } from '../limits.ts';

export interface ReaderSecond {
  readonly spanMs: number;
  readonly servedBytes: number;
  readonly fromDiskBytes: number;
  readonly originBytes: number;
  /** Whether it waited for bytes at the end of the span. */
  readonly waited: boolean;
}

export const METER_PERIOD_MS = 1_000;
const SECONDS_KEPT = 60;
/** Rates are averages over so many seconds: a player takes what it plays in gulps, half a minute apart at most. */
const RATE_SECONDS = 30;

/** Whether it waits for so long that a player may notice: from a slow origin every piece is waited for a little. */
export function isWaiting({ waitingSinceMs }: Reader, nowMs: number): boolean {
  return waitingSinceMs !== null && nowMs - waitingSinceMs >= STALL_MIN_MS;
}

export class ReaderMeter {
  readonly #seconds: ReaderSecond[] = [];
  #atMs: number;
  #servedBytes = 0;
  #fromDiskBytes = 0;
  #fetch: Fetch | undefined;
  #receivedBytes = 0;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  get seconds(): readonly ReaderSecond[] {
    return this.#seconds;
  }

  /** To be called once a second. */
  look(file: CachedFile, reader: Reader, totals: { servedBytes: number; fromDiskBytes: number }, nowMs: number): void {
    const spanMs = nowMs - this.#atMs;
    if (spanMs <= 0) return;
    const fetch = file.inflowOf(reader);
    this.#seconds.push({
      spanMs,
      servedBytes: totals.servedBytes - this.#servedBytes,
      fromDiskBytes: totals.fromDiskBytes - this.#fromDiskBytes,
      originBytes: this.#receivedSince(fetch),
      waited: isWaiting(reader, nowMs),
    });
    if (this.#seconds.length > SECONDS_KEPT) this.#seconds.shift();
    this.#fetch = fetch;
    this.#receivedBytes = fetch?.receivedBytes ?? 0;
    this.#atMs = nowMs;
    this.#servedBytes = totals.servedBytes;
    this.#fromDiskBytes = totals.fromDiskBytes;
  }

  /** Bytes per second, as an average of the last seconds; null before the first of them is over. */
  rate(what: 'servedBytes' | 'originBytes'): number | null {
    const last = this.#seconds.slice(-RATE_SECONDS);
    const spanMs = last.reduce((sum, second) => sum + second.spanMs, 0);
    if (spanMs === 0) return null;
    return (last.reduce((sum, second) => sum + second[what], 0) * 1_000) / spanMs;
  }

  #receivedSince(fetch: Fetch | undefined): number {
    if (fetch === undefined) return 0;
    if (fetch === this.#fetch) return fetch.receivedBytes - this.#receivedBytes;
    // One that began for this reader, or one that ran already.
    return fetch.createdAtMs >= this.#atMs ? fetch.receivedBytes : 0;
  }
}
