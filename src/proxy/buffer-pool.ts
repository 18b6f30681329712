// Read buffers that responses share. Fast readers get large ones; past the budget, and for slow readers, small ones, so
// that hundreds of slow readers stay cheap.
import { READ_BUFFER_BYTES, READ_BUFFERS_BUDGET_BYTES, SMALL_READ_BUFFER_BYTES } from '../limits.ts';

/** Idle buffers are kept for the next response up to this much together. */
const KEPT_BYTES_MAX = 16 * READ_BUFFER_BYTES;

export class BufferPool {
  readonly #large: Uint8Array[] = [];
  readonly #small: Uint8Array[] = [];
  #usedBytes = 0;

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** A buffer of 1 MiB, or of 64 KiB where a small one will do or the budget is used up. */
  take(wantsLarge: boolean): Uint8Array {
    const large = wantsLarge && this.#usedBytes + READ_BUFFER_BYTES <= READ_BUFFERS_BUDGET_BYTES;
    const buffer = large
      ? (this.#large.pop() ?? new Uint8Array(READ_BUFFER_BYTES))
      : (this.#small.pop() ?? new Uint8Array(SMALL_READ_BUFFER_BYTES));
    this.#usedBytes += buffer.length;
    return buffer;
  }

  /** Only when nothing writes from it any more. */
  give(buffer: Uint8Array): void {
    this.#usedBytes -= buffer.length;
    const kept = buffer.length === READ_BUFFER_BYTES ? this.#large : this.#small;
    if ((kept.length + 1) * buffer.length <= KEPT_BYTES_MAX) kept.push(buffer);
  }
}
