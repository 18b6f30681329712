// Slows guessing down: a few tries are free, then each makes the next one wait longer, up to a limit, so that nobody is
// locked out for ever. A try counts before it is looked at: a thousand at the same time are no way around.
import type { Clock } from '../clock.ts';
import { LarderError } from '../errors.ts';
import { FREE_TRIES, THROTTLED_KEYS_MAX, TRIES_KEPT_MS, TRY_DELAY_FIRST_MS } from '../limits.ts';

interface Tries {
  count: number;
  lastMs: number;
  nextMs: number;
}

export class Throttle {
  readonly #clock: Clock;
  readonly #delayMaxMs: number;
  /** The one that was tried longest ago comes first. */
  readonly #tries = new Map<string, Tries>();

  constructor(clock: Clock, delayMaxMs: number) {
    this.#clock = clock;
    this.#delayMaxMs = delayMaxMs;
  }

  /** Milliseconds until the next try is looked at. */
  waitOf(key: string): number {
    const tries = this.#tries.get(key);
    return tries === undefined ? 0 : Math.max(0, tries.nextMs - this.#clock.monotonicMs());
  }

  /** A try is about to be looked at. @returns how many there were in a row */
  note(key: string): number {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#tries.get(key);
    const count = known === undefined || nowMs - known.lastMs > TRIES_KEPT_MS ? 1 : known.count + 1;
    const delayMs = count < FREE_TRIES ? 0 : Math.min(this.#delayMaxMs, TRY_DELAY_FIRST_MS * 2 ** (count - FREE_TRIES));
    this.#tries.delete(key);
    this.#tries.set(key, { count, lastMs: nowMs, nextMs: nowMs + delayMs });
    if (this.#tries.size > THROTTLED_KEYS_MAX) {
      const [oldest] = this.#tries.keys();
      this.#tries.delete(oldest!);
    }
    return count;
  }

  /** It was right. */
  clear(key: string): void {
    this.#tries.delete(key);
  }

  get size(): number {
    return this.#tries.size;
  }
}

/** So many in a minute, and no more. */
export class MinuteLimit {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #minutes = new Map<string, { readonly sinceMs: number; count: number }>();

  constructor(clock: Clock, most: number) {
    this.#clock = clock;
    this.#most = most;
  }

  /** Counts one. @returns 0, or milliseconds until there is room for another one: then it was not counted */
  take(key: string): number {
    const nowMs = this.#clock.monotonicMs();
    let minute = this.#minutes.get(key);
    if (minute === undefined || nowMs - minute.sinceMs >= 60_000) {
      minute = { sinceMs: nowMs, count: 0 };
      this.#minutes.delete(key);
      this.#minutes.set(key, minute);
      if (this.#minutes.size > THROTTLED_KEYS_MAX) {
        const [oldest] = this.#minutes.keys();
        this.#minutes.delete(oldest!);
      }
    }
    if (minute.count >= this.#most) return minute.sinceMs + 60_000 - nowMs;
    minute.count += 1;
    return 0;
  }
}

export function throttled(waitMs: number): LarderError {
  return new LarderError('throttled', 'there were too many wrong tries', {
    hint: `the next one is looked at in ${describeWait(waitMs)}`,
    retryAfterMs: waitMs,
  });
}

function describeWait(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 90) return seconds === 1 ? '1 second' : `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}
