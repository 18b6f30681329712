// Pages, actions and the API take turns, so that players never wait for them: of what asks for one, a few are worked on
// at once, and one is begun in each turn of the event loop. Between two of them the bytes of streams move on.
import type { Clock } from '../clock.ts';
import { REQUEST_SLOT_MS, REQUESTS_AT_ONCE, REQUESTS_WAITING_MAX } from '../limits.ts';

export class RequestQueue {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #hasBegunInTurn = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Does the work when its turn has come. One that takes long waits for something itself, a body or a source, and gives
   * its place to another. @returns null when too many wait
   */
  run<Result>(work: () => Promise<Result>): Promise<Result> | null {
    if (this.#waiting.length === 0 && this.#isFree) return this.#begin(work);
    if (this.#waiting.length >= REQUESTS_WAITING_MAX) return null;
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.push(() => void this.#begin(work).then(resolve, reject));
    });
  }

  get #isFree(): boolean {
    return this.#running < REQUESTS_AT_ONCE && !this.#hasBegunInTurn;
  }

  async #begin<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#running++;
    this.#hasBegunInTurn = true;
    setImmediate(() => {
      this.#hasBegunInTurn = false;
      this.#beginNext();
    });
    let hasPlace = true;
    const leave = () => {
      if (!hasPlace) return;
      hasPlace = false;
      this.#running--;
      this.#beginNext();
    };
    const timer = this.#clock.after(REQUEST_SLOT_MS, leave);
    try {
      return await work();
    } finally {
      timer.cancel();
      leave();
    }
  }

  #beginNext(): void {
    if (this.#isFree) this.#waiting.shift()?.();
  }
}
