// A clock that stands still until a test turns it. Timers fire in the order of their time, equals in the order they
// were set. What a timer sets off synchronously happens inside `advance`; what it promises needs `run`, which lets the
// event loop turn between two timers.
import type { Clock, Timer } from '../../src/clock.ts';

interface Pending {
  readonly id: number;
  dueMs: number;
  readonly periodMs: number | null;
  readonly action: () => void;
}

/** Lets promises, messages and finished reads of this turn of the event loop have their say. */
export function turnLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class FakeClock implements Clock {
  #elapsedMs = 0;
  #lastId = 0;
  #pending = new Map<number, Pending>();
  readonly #startMs: number;

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#startMs = startMs;
  }

  nowMs(): number {
    return this.#startMs + Math.floor(this.#elapsedMs); // whole, as the system's is
  }

  /** Starts at 1,000, so that a time of zero is never mistaken for now. */
  monotonicMs(): number {
    return 1_000 + this.#elapsedMs;
  }

  after(delayMs: number, action: () => void): Timer {
    return this.#add(delayMs, null, action);
  }

  every(periodMs: number, action: () => void): Timer {
    return this.#add(periodMs, periodMs, action);
  }

  /** Timers that are set. An idle appliance has none. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Time until the next timer fires; null when none is set. */
  get nextDelayMs(): number | null {
    const next = this.#next();
    return next === null ? null : next.dueMs - this.#elapsedMs;
  }

  /** Turns the clock by `ms` and fires what falls due, in order. */
  advance(ms: number): void {
    const endMs = this.#elapsedMs + ms;
    for (let next = this.#next(); next !== null && next.dueMs <= endMs; next = this.#next()) this.#fire(next);
    this.#elapsedMs = endMs;
  }

  /** Turns the clock to the next timer and fires that one only. @returns false when none is set */
  step(): boolean {
    const next = this.#next();
    if (next !== null) this.#fire(next);
    return next !== null;
  }

  /** Like `advance`, with turns of the event loop before, between and after the timers. */
  async run(ms: number, turnsBetween = 2): Promise<void> {
    const endMs = this.#elapsedMs + ms;
    for (;;) {
      for (let turn = 0; turn < turnsBetween; turn++) await turnLoop();
      const next = this.#next();
      if (next === null || next.dueMs > endMs) break;
      this.#fire(next);
    }
    this.#elapsedMs = endMs;
  }

  #add(delayMs: number, periodMs: number | null, action: () => void): Timer {
    const id = ++this.#lastId;
    this.#pending.set(id, { id, dueMs: this.#elapsedMs + Math.max(0, delayMs), periodMs, action });
    return { cancel: () => void this.#pending.delete(id) };
  }

  #next(): Pending | null {
    let best: Pending | null = null;
    for (const timer of this.#pending.values()) if (best === null || timer.dueMs < best.dueMs) best = timer;
    return best;
  }

  #fire(timer: Pending): void {
    this.#elapsedMs = Math.max(this.#elapsedMs, timer.dueMs);
    this.#pending.delete(timer.id);
    if (timer.periodMs !== null) {
      // Set again behind those that are due at the same time, so that a period of zero cannot starve them.
      this.#pending.set(timer.id, { ...timer, dueMs: timer.dueMs + Math.max(1, timer.periodMs) });
    }
    timer.action();
  }
}
