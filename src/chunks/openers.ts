// Those who wait for a file to be opened. Each has a time of their own, counted from when they asked: who comes late is
// not told what is due to who came first, and the opening goes on for as long as somebody waits.
import type { Clock } from '../clock.ts';
import { LarderError } from '../errors.ts';
import { READER_WAIT_MAX_MS } from '../limits.ts';
import { nobodyWaits, type Opening } from './opening.ts';

export interface OpenerTerms {
  /** Monotonic time at which it was asked for; by default now. */
  readonly askedAtMs?: number;
  /** Aborted when who asked went away. */
  readonly signal: AbortSignal;
}

export class Openers {
  readonly #clock: Clock;
  /** The question to the origin that they wait for; null while none is under way. */
  readonly #opening: () => Opening | null;
  #count = 0;
  #waitUntilMs = 0;

  constructor(clock: Clock, opening: () => Opening | null) {
    this.#clock = clock;
    this.#opening = opening;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Monotonic time until which the last of them waits. */
  get waitUntilMs(): number {
    return this.#waitUntilMs;
  }

  /**
   * Resolves as `loading` does.
   * @throws LarderError `stopped` when who asked went away, what stands in the way when their time is over, or what
   * `loading` threw
   */
  wait<Result>(loading: Promise<Result>, { signal, askedAtMs }: OpenerTerms): Promise<Result> {
    const nowMs = this.#clock.monotonicMs();
    const untilMs = (askedAtMs ?? nowMs) + READER_WAIT_MAX_MS;
    this.#count += 1;
    this.#waitUntilMs = Math.max(this.#waitUntilMs, untilMs);
    return new Promise((resolve, reject) => {
      let isOver = false;
      const leave = () => {
        isOver = true;
        deadline.cancel();
        signal.removeEventListener('abort', goAway);
        this.#count -= 1;
      };
      const goAway = () => {
        reject(nobodyWaits());
        leave();
        if (this.isEmpty) this.#opening()?.cancel();
      };
      const deadline = this.#clock.after(Math.max(0, untilMs - nowMs), () => {
        const opening = this.#opening();
        reject(opening?.waitError ?? slowLookUp());
        leave();
        if (this.isEmpty) opening?.giveUp();
      });
      const settle = (tell: () => void) => {
        if (!isOver) leave();
        tell();
      };
      loading.then(
        (result) => settle(() => resolve(result)),
        (error: unknown) => settle(() => reject(error)),
      );
      if (signal.aborted) goAway();
      else signal.addEventListener('abort', goAway, { once: true });
    });
  }
}

/** The rows of a file take milliseconds to find: something holds up the disk or the database. */
function slowLookUp(): LarderError {
  return new LarderError('overloaded', 'what is kept of the file could not be looked up in time', {
    retry: 'soon',
    hint: 'look at the disk of the data folder: larder doctor says what is wrong with it',
  });
}
