// Writes a reader's bytes to the response as they come: read a piece into a pooled buffer, write it, wait until the
// socket took it. Nothing is collected, and nothing grows with the length of the file.
import type { ServerResponse } from 'node:http';
import type { Reader } from '../chunks/reader.ts';
import { LarderError } from '../errors.ts';
import { READ_BUFFER_TIERS } from '../limits.ts';
import type { BufferPool } from './buffer-pool.ts';

const LARGEST_BYTES = READ_BUFFER_TIERS[0]!.size;
const SMALLEST_BYTES = READ_BUFFER_TIERS.at(-1)!.size;

/** A piece that took the socket longer than this is a slow reader's: the next one is small. */
const SLOW_WRITE_MS = 30;

export interface BodyParts {
  readonly response: ServerResponse;
  readonly pool: BufferPool;
  readonly monotonicMs: () => number;
}

/**
 * Resolves when the socket took `data`, or rejects with `stopped` when the player left. `data` may be reused then.
 * `isLast` ends the response with it, which for a short body saves a second trip to the socket.
 */
export function writeAndWait(response: ServerResponse, data: Uint8Array, isLast = false): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(playerLeft());
    if (response.destroyed || response.closed) {
      gone();
      return;
    }
    response.once('close', gone);
    const done = (error?: Error | null) => {
      response.off('close', gone);
      if (error) gone();
      else resolve();
    };
    if (isLast) response.end(data, done);
    else response.write(data, done);
  });
}

function playerLeft(): LarderError {
  return new LarderError('stopped', 'the player left');
}

/** The smallest size that takes all that is wanted, or the largest one. */
function sizeFor(wantedBytes: number): number {
  let size = LARGEST_BYTES;
  for (const tier of READ_BUFFER_TIERS) if (tier.size >= wantedBytes) size = tier.size;
  return size;
}

export class BodyWriter {
  readonly #parts: BodyParts;
  #buffer: Uint8Array | undefined;
  #filled = 0;
  #isFast = true;

  constructor(parts: BodyParts) {
    this.#parts = parts;
  }

  /**
   * Waits for the reader's first bytes and reads them, so that whatever goes wrong until then can still be told in a
   * status.
   * @throws LarderError when they do not come
   */
  async prepare(reader: Reader): Promise<void> {
    await this.#fill(reader);
  }

  /**
   * Sends everything up to the reader's end, and with `endsResponse` ends the response there.
   * @throws LarderError when the rest does not come or the player left
   */
  async send(reader: Reader, endsResponse: boolean): Promise<void> {
    while (reader.position < reader.end) {
      if (this.#filled === 0) await this.#fill(reader);
      if (this.#filled === 0) break; // the end turned out to be here
      const startedAtMs = this.#parts.monotonicMs();
      const isLast = endsResponse && reader.position + this.#filled >= reader.end;
      await writeAndWait(this.#parts.response, this.#buffer!.subarray(0, this.#filled), isLast);
      this.#isFast = this.#parts.monotonicMs() - startedAtMs < SLOW_WRITE_MS;
      reader.advance(this.#filled);
      this.#filled = 0;
      // A slow reader gives its large buffer back to those who can use one.
      if (!this.#isFast && this.#buffer!.length > SMALLEST_BYTES) this.release();
    }
  }

  release(): void {
    if (this.#buffer !== undefined) this.#parts.pool.give(this.#buffer);
    this.#buffer = undefined;
  }

  async #fill(reader: Reader): Promise<void> {
    while (this.#filled === 0 && reader.position < reader.end) {
      const wait = reader.waitReadable();
      if (wait !== null) {
        // Nothing is held while waiting: a thousand waiting readers need no buffers.
        this.release();
        await wait;
        if (this.#parts.response.destroyed) throw playerLeft();
        continue;
      }
      const wanted = reader.end - reader.position;
      this.#buffer ??= this.#parts.pool.take(this.#isFast ? sizeFor(wanted) : SMALLEST_BYTES);
      const count = reader.read(this.#buffer);
      this.#filled = typeof count === 'number' ? count : await count;
    }
  }
}
