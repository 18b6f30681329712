// Uses of entries since they were last written down. Each use is later than the one before it, also when the system's
// clock is set back: the order is what decides who is evicted first.
import type { Clock } from '../clock.ts';

export interface Use {
  readonly atMs: number;
  readonly count: number;
}

export class UseLog {
  readonly #clock: Clock;
  #uses = new Map<number, Use>();
  #newestMs: number;

  /** @param newestMs - time of the newest use that is written down */
  constructor(clock: Clock, newestMs: number) {
    this.#clock = clock;
    this.#newestMs = newestMs;
  }

  note(entryId: number): void {
    const count = (this.#uses.get(entryId)?.count ?? 0) + 1;
    this.#uses.set(entryId, { atMs: this.nextMs(), count });
  }

  /** When it was used since the last `take()`; null when not. */
  find(entryId: number): number | null {
    return this.#uses.get(entryId)?.atMs ?? null;
  }

  /** A time for a use that happens now. */
  nextMs(): number {
    this.#newestMs = Math.max(this.#clock.nowMs(), this.#newestMs + 1);
    return this.#newestMs;
  }

  /** Uses since the last call. */
  take(): ReadonlyMap<number, Use> {
    const uses = this.#uses;
    this.#uses = new Map();
    return uses;
  }

  /** Writing them down failed: they wait for the next time. */
  giveBack(uses: ReadonlyMap<number, Use>): void {
    for (const [entryId, use] of uses) {
      const newer = this.#uses.get(entryId);
      this.#uses.set(entryId, { atMs: newer?.atMs ?? use.atMs, count: use.count + (newer?.count ?? 0) });
    }
  }
}
