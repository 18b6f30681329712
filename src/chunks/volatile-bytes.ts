// Bytes of one file that are in memory only, because the disk takes none: what was fetched and is still ahead of a
// reader. Bounded: past the bound the oldest go first, and whoever still needs them has them fetched again.
import type { ByteRange } from '../bytes/byte-range.ts';
import { MEMORY_FILE_MAX_BYTES } from '../limits.ts';

interface Piece extends ByteRange {
  readonly bytes: Uint8Array;
}

export class VolatileBytes {
  /** Oldest first. */
  readonly #pieces = new Set<Piece>();
  #byteCount = 0;

  get byteCount(): number {
    return this.#byteCount;
  }

  /** @returns what had to go for it */
  add(start: number, bytes: Uint8Array): ByteRange[] {
    this.#pieces.add({ start, end: start + bytes.length, bytes });
    this.#byteCount += bytes.length;
    const dropped: ByteRange[] = [];
    for (const piece of this.#pieces) {
      if (this.#byteCount <= MEMORY_FILE_MAX_BYTES) break;
      dropped.push(this.#drop(piece));
    }
    return dropped;
  }

  /** Copies into `buffer` what there is from `position` on; 0 when that byte is not here. */
  read(buffer: Uint8Array, position: number): number {
    for (const piece of this.#pieces) {
      if (position < piece.start || position >= piece.end) continue;
      const part = piece.bytes.subarray(position - piece.start, position - piece.start + buffer.length);
      buffer.set(part);
      return part.length;
    }
    return 0;
  }

  /** Drops the pieces that nobody `needs`. @returns what went */
  trim(needs: (piece: ByteRange) => boolean): ByteRange[] {
    return [...this.#pieces].filter((piece) => !needs(piece)).map((piece) => this.#drop(piece));
  }

  #drop(piece: Piece): ByteRange {
    this.#pieces.delete(piece);
    this.#byteCount -= piece.bytes.length;
    return piece;
  }
}
