// Writes a reader's bytes to the response as they come: read a piece into a pooled buffer, write it, wait until the
// socket took it. Nothing is collected, and nothing grows with the length of the file.
import type { ServerResponse } from 'node:http';
import type { Reader } from '../chunks/reader.ts';
import { READ_AT_ONCE_MAX_BYTES, READ_BUFFER_TIERS } from '../limits.ts';
import type { BufferPool } from './buffer-pool.ts';
import { playerLeft, ResponseWriter } from './response-writer.ts';

const LARGEST_BYTES = READ_BUFFER_TIERS[0]!.size;
const SMALLEST_BYTES = READ_BUFFER_TIERS.at(-1)!.size;

/** A piece that took the socket longer than this is a slow reader's: the next one is small. */
const SLOW_WRITE_MS = 30;

export interface BodyParts {
  readonly writer: ResponseWriter;
  readonly reader: Reader;
  readonly pool: BufferPool;
  readonly monotonicMs: () => number;
}

/** One write to a response that has no writer of its own. @throws LarderError `stopped` when the player left */
export async function writeAndWait(response: ServerResponse, data: Uint8Array): Promise<void> {
  const writer = new ResponseWriter(response);
  try {
    await writer.write(data);
  } finally {
    writer.release();
  }
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
  /** Read at once since the last read that went through the event loop. */
  #atOnceBytes = 0;

  constructor(parts: BodyParts) {
    this.#parts = parts;
  }

  /**
   * Reads the reader's first bytes, so that whatever goes wrong until then can still be told in a status. Null when they
   * were there at once, else waits for them.
   * @throws LarderError when they do not come
   */
  prepare(): Promise<void> | null {
    return this.#fillAtOnce() ? null : this.#fill();
  }

  /**
   * Sends everything up to the reader's end, and with `endsResponse` ends the response there.
   * @throws LarderError when the rest does not come or the player left
   */
  async send(endsResponse: boolean): Promise<void> {
    const { reader, writer, monotonicMs } = this.#parts;
    while (reader.position < reader.end) {
      if (this.#filled === 0 && !this.#fillAtOnce()) await this.#fill();
      if (this.#filled === 0) break; // the end turned out to be here
      const isLast = endsResponse && reader.position + this.#filled >= reader.end;
      const startedAtMs = isLast ? 0 : monotonicMs();
      await writer.write(this.#buffer!.subarray(0, this.#filled), isLast);
      reader.advance(this.#filled);
      this.#filled = 0;
      if (isLast) break;
      this.#isFast = monotonicMs() - startedAtMs < SLOW_WRITE_MS;
      // A slow reader gives its large buffer back to those who can use one.
      if (!this.#isFast && this.#buffer!.length > SMALLEST_BYTES) this.release();
    }
  }

  release(): void {
    if (this.#buffer !== undefined) this.#parts.pool.give(this.#buffer);
    this.#buffer = undefined;
  }

  /** What is in memory already is worth no wait. @returns whether there was anything */
  #fillAtOnce(): boolean {
    const { reader } = this.#parts;
    if (!reader.isReadable || this.#atOnceBytes >= READ_AT_ONCE_MAX_BYTES) return false;
    this.#filled = reader.readAgain(this.#takeBuffer());
    this.#atOnceBytes += this.#filled;
    return this.#filled > 0;
  }

  async #fill(): Promise<void> {
    const { reader, writer } = this.#parts;
    while (this.#filled === 0 && reader.position < reader.end) {
      const wait = reader.waitReadable();
      if (wait !== null) {
        // Nothing is held while waiting: a thousand waiting readers need no buffers.
        this.release();
        await wait;
        if (writer.response.destroyed) throw playerLeft();
        continue;
      }
      this.#filled = await reader.read(this.#takeBuffer());
      this.#atOnceBytes = 0;
    }
  }

  #takeBuffer(): Uint8Array {
    const { reader, pool } = this.#parts;
    this.#buffer ??= pool.take(this.#isFast ? sizeFor(reader.end - reader.position) : SMALLEST_BYTES);
    return this.#buffer;
  }
}
