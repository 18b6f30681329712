// Computes the crc32 of spans from bytes as they pass by. A span is a run of bytes within one cell of the grid: it
// begins where the cell or the bytes began, and grows until the cell ends.
import { crc32 } from 'node:zlib';
import { chunkIndexAt, chunkRange } from '../bytes/chunk-grid.ts';
import type { ChunkChecksum } from '../db/generations.ts';

export class ChunkChecksummer {
  #position: number;
  #spanStart: number;
  #crc = 0;
  #isTaken = true;
  #finished: ChunkChecksum[] = [];

  constructor(position: number) {
    this.#position = position;
    this.#spanStart = position;
  }

  /** `data` follows directly on what was given before. */
  update(data: Uint8Array): void {
    let done = 0;
    while (done < data.length) {
      const cellEnd = chunkRange(chunkIndexAt(this.#position), null).end;
      const part = data.subarray(done, done + Math.min(cellEnd - this.#position, data.length - done));
      this.#crc = crc32(part, this.#crc);
      this.#position += part.length;
      this.#isTaken = false;
      done += part.length;
      if (this.#position < cellEnd) continue;
      this.#finished.push(this.#span());
      this.#spanStart = this.#position;
      this.#crc = 0;
      this.#isTaken = true;
    }
  }

  /** Checksums that cover every byte since the last call; the last span may begin before that, and may grow later. */
  take(): ChunkChecksum[] {
    const taken = this.#finished;
    if (!this.#isTaken) taken.push(this.#span());
    this.#isTaken = true;
    this.#finished = [];
    return taken;
  }

  #span(): ChunkChecksum {
    return { start: this.#spanStart, end: this.#position, crc32: this.#crc };
  }
}
