// A signal that the player went away before it had its answer. Made only when somebody asks for it: most answers are
// there at once, and a controller with its listener would be a good part of what a small one costs.
import type { ServerResponse } from 'node:http';

export class PlayerGone {
  readonly #response: ServerResponse;
  #controller: AbortController | undefined;
  readonly #onClose = () => {
    // Not after the last byte: nobody waits then.
    if (!this.#response.writableFinished) this.#controller?.abort();
  };

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#response.destroyed) this.#onClose();
      else this.#response.once('close', this.#onClose);
    }
    return this.#controller.signal;
  }

  release(): void {
    if (this.#controller === undefined) return;
    // Destroyed, and its event still to come.
    if (this.#response.destroyed) this.#onClose();
    this.#response.off('close', this.#onClose);
  }
}
