// Computes crc32 of grid cells from bytes as they pass by. A cell that the bytes enter in its middle has none here.
import { crc32 } from 'node:zlib';
import { chunkIndexAt, chunkRange } from '../bytes/chunk-grid.ts';
import type { ChunkChecksum } from '../db/generations.ts';

export class ChunkChecksummer {
  readonly #totalBytes: number | null;
  #position: number;
  #crc = 0;
  /** Whether the running crc covers the current cell from its start. */
  #covers: boolean;
  #finished: ChunkChecksum[] = [];

  constructor(position: number, totalBytes: number | null) {
    this.#totalBytes = totalBytes;
    this.#position = position;
    this.#covers = position === chunkRange(chunkIndexAt(position), totalBytes).start;
  }

  /** `data` follows directly on what was given before. */
  update(data: Uint8Array): void {
    let done = 0;
    while (done < data.length) {
      const chunkIndex = chunkIndexAt(this.#position);
      const cell = chunkRange(chunkIndex, this.#totalBytes);
      const part = data.subarray(done, done + Math.min(cell.end - this.#position, data.length - done));
      if (this.#covers) this.#crc = crc32(part, this.#crc);
      this.#position += part.length;
      done += part.length;
      if (this.#position < cell.end) continue;
      if (this.#covers) this.#finished.push({ chunkIndex, crc32: this.#crc });
      this.#crc = 0;
      this.#covers = true;
    }
  }

  /** The body ended here, so the cell that is under way is the file's last. */
  finish(): void {
    // With a known length `update` has seen the last cell's end, or the body ended inside a cell that goes on.
    if (this.#totalBytes !== null) return;
    const chunkIndex = chunkIndexAt(this.#position);
    if (this.#covers && this.#position > chunkRange(chunkIndex, null).start) {
      this.#finished.push({ chunkIndex, crc32: this.#crc });
    }
    this.#covers = false;
  }

  /** Checksums of the cells finished since the last call. */
  take(): ChunkChecksum[] {
    const finished = this.#finished;
    this.#finished = [];
    return finished;
  }
}
