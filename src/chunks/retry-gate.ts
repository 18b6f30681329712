// When a file's bytes may be asked for again after the origin failed to give them. Those who wait for a byte are let
// through sooner than those who only want it soon.
import type { LarderError } from '../errors.ts';
import { FETCH_ATTEMPTS_MAX, REFUSED_PAUSE_MS } from '../limits.ts';
import { Priority } from './fetch-scheduler.ts';
import { backoffDelayMs, READER_PAUSE_MAX_MS } from './retry-policy.ts';

export type FailureVerdict =
  | { readonly kind: 'retry'; readonly delayMs: number }
  /** Those who wait are told; who comes later may try at once. */
  | { readonly kind: 'give-up'; readonly delayMs: number };

export class RetryGate {
  readonly #random: () => number;
  /** Failures in a row without a byte in between. */
  #failures = 0;
  /** Rounds that were given up in a row: what nobody waits for is asked for more and more seldom. */
  #roundsGivenUp = 0;
  #criticalNotBeforeMs = 0;
  #othersNotBeforeMs = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** The try that is under way or comes next: 1 for the first. */
  get attempt(): number {
    return this.#failures + 1;
  }

  progressed(): void {
    this.#failures = 0;
    this.#roundsGivenUp = 0;
  }

  failed(error: LarderError, nowMs: number): FailureVerdict {
    this.#failures += 1;
    const backoffMs = backoffDelayMs(this.#failures + this.#roundsGivenUp, this.#random);
    const delayMs = Math.max(error.retryAfterMs ?? 0, backoffMs);
    this.#othersNotBeforeMs = nowMs + delayMs;
    // Refused for good: nobody waits for it, so it is asked for seldom.
    if (error.retry === 'never') this.#othersNotBeforeMs = nowMs + REFUSED_PAUSE_MS;
    const mayRetry = error.retry === 'soon' || (error.retry === 'later' && error.retryAfterMs !== undefined);
    if (mayRetry && this.#failures < FETCH_ATTEMPTS_MAX && delayMs < READER_PAUSE_MAX_MS) {
      this.#criticalNotBeforeMs = nowMs + delayMs;
      return { kind: 'retry', delayMs };
    }
    this.#failures = 0;
    this.#roundsGivenUp += 1;
    this.#criticalNotBeforeMs = 0;
    return { kind: 'give-up', delayMs };
  }

  /** Monotonic time before which no fetch of this priority is started. */
  notBeforeMs(priority: Priority): number {
    return priority === Priority.critical ? this.#criticalNotBeforeMs : this.#othersNotBeforeMs;
  }
}
