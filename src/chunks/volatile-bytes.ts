// Bytes of one file that are in memory only, because the disk takes none: what was fetched and is still ahead of a
// reader. Bounded by how far a fetch may run ahead of its reader, and by what is trimmed behind them.
import type { ByteRange } from '../bytes/byte-range.ts';

export interface SampleBytes {
  readonly start: number;
  readonly bytes: Uint8Array;
}

interface Piece extends ByteRange {
  readonly bytes: Uint8Array;
}

export class VolatileBytes {
  /** Oldest first. */
  readonly #pieces = new Set<Piece>();
  #byteCount = 0;
  #lastDropped: Piece | null = null;

  get byteCount(): number {
    return this.#byteCount;
  }

  add(start: number, bytes: Uint8Array): void {
    this.#pieces.add({ start, end: start + bytes.length, bytes });
    this.#byteCount += bytes.length;
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

  /** First offset behind `position` that is here; infinite when there is none. */
  nextStart(position: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const piece of this.#pieces) if (piece.start > position) next = Math.min(next, piece.start);
    return next;
  }

  /** Drops the pieces that nobody `needs`. @returns what went */
  trim(needs: (piece: ByteRange) => boolean): ByteRange[] {
    return [...this.#pieces].filter((piece) => !needs(piece)).map((piece) => this.#drop(piece));
  }

  /** Some bytes that were here, kept to be compared with the origin's; null when there never were any. */
  sample(bytesMax: number): SampleBytes | null {
    const piece = this.#lastDropped ?? [...this.#pieces][0];
    return piece === undefined ? null : { start: piece.start, bytes: piece.bytes.slice(0, bytesMax) };
  }

  #drop(piece: Piece): ByteRange {
    this.#lastDropped = piece;
    this.#pieces.delete(piece);
    this.#byteCount -= piece.bytes.length;
    return piece;
  }
}
