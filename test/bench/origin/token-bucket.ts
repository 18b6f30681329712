// A rate as a timetable: each piece of bytes books the next free time on the line. Being late (timers are coarse) may
// be made up for within a small burst, so that the mean rate holds, but idle time is never saved up.

const BURST_MS = 20;

export class TokenBucket {
  readonly #bytesPerMs: number;
  #freeAtMs = 0;

  /** Infinity for no limit. */
  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  /** The time at which the bytes may be sent. */
  book(bytes: number, nowMs: number): number {
    const atMs = Math.max(this.#freeAtMs, nowMs - BURST_MS);
    this.#freeAtMs = atMs + bytes / this.#bytesPerMs;
    return atMs;
  }
}
