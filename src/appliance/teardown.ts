// What is to be undone at a stop.
import { describeError } from '../errors.ts';
import type { Log } from '../log.ts';

/** Things to undo at the stop, newest first. */
export class Teardown {
  readonly #steps: (() => void | Promise<void>)[] = [];

  add(step: () => void | Promise<void>): void {
    this.#steps.push(step);
  }

  async run(log: Log): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step();
      } catch (error) {
        log.error('a part did not stop in order', { error: describeError(error) });
      }
    }
  }
}
