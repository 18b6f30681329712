// Writes to a response and waits until the socket took it, with one listener for the player that leaves, however many
// writes there are: adding and removing one for each of them costs more than a small write itself.
import type { ServerResponse } from 'node:http';
import { LarderError } from '../errors.ts';

export class ResponseWriter {
  readonly response: ServerResponse;
  /** Who waits for something else than the socket. */
  onGone: (() => void) | undefined;
  #failWrite: ((error: LarderError) => void) | undefined;
  readonly #gone = () => {
    this.#failWrite?.(playerLeft());
    this.onGone?.();
  };

  constructor(response: ServerResponse) {
    this.response = response;
    response.once('close', this.#gone);
  }

  /**
   * Resolves when the socket took `data`, which may be reused then. `isLast` ends the response with it: for a short body
   * that saves a second trip to the socket.
   * @throws LarderError `stopped` when the player left
   */
  write(data: Uint8Array, isLast = false): Promise<void> {
    const { response } = this;
    if (response.destroyed || response.closed) return Promise.reject(playerLeft());
    return new Promise((resolve, reject) => {
      this.#failWrite = reject;
      const done = (error?: Error | null) => {
        this.#failWrite = undefined;
        if (error) reject(playerLeft());
        else resolve();
      };
      if (isLast) response.end(data, done);
      else response.write(data, done);
    });
  }

  release(): void {
    this.response.off('close', this.#gone);
  }
}

export function playerLeft(): LarderError {
  return new LarderError('stopped', 'the player left');
}
