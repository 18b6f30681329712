// Read buffers that responses share. The first few fast readers get large ones; the more readers there are, and the
// slower they are, the smaller a buffer is, so that hundreds of slow readers stay cheap. A socket that cannot take a
// write copies what is left of it, so that each buffer in use may cost its size twice.
import { READ_BUFFER_TIERS } from '../limits.ts';

export class BufferPool {
  readonly #kept = new Map<number, Uint8Array[]>();
  #usedBytes = 0;

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The largest buffer of at most `sizeMax` bytes that the budgets allow; the smallest size is always to be had. */
  take(sizeMax: number): Uint8Array {
    const tier =
      READ_BUFFER_TIERS.find(({ size, budget }) => size <= sizeMax && this.#usedBytes + size <= budget) ??
      READ_BUFFER_TIERS.at(-1)!;
    this.#usedBytes += tier.size;
    return this.#kept.get(tier.size)?.pop() ?? new Uint8Array(tier.size);
  }

  /** Only when nothing writes from it any more. */
  give(buffer: Uint8Array): void {
    this.#usedBytes -= buffer.length;
    let kept = this.#kept.get(buffer.length);
    if (kept === undefined) {
      kept = [];
      this.#kept.set(buffer.length, kept);
    }
    const tier = READ_BUFFER_TIERS.find(({ size }) => size === buffer.length);
    if (tier !== undefined && kept.length < tier.keptCount) kept.push(buffer);
  }
}
