// How far each fetch of one file may go: on the disk as far as room was taken for it, in memory a little ahead of its
// reader. Keeps account of what it took, so that every reserved byte is recorded, released, or counted as stray.
import type { ByteRange } from '../bytes/byte-range.ts';
import { RangeSet } from '../bytes/range-set.ts';
import { MEMORY_AHEAD_MAX_BYTES, MEMORY_AHEAD_MIN_BYTES, MEMORY_FILE_BYTES, RESERVE_AHEAD_BYTES } from '../limits.ts';
import type { Fetch } from './fetch.ts';
import type { Space } from './space.ts';

export interface FetchRoomOptions {
  readonly space: Space;
  readonly generationId: () => number;
  readonly readerPositions: () => Iterable<number>;
}

/** How far ahead of each of so many readers of a file bytes may wait in memory. */
export function memoryAheadBytes(readerCount: number): number {
  const share = Math.floor(MEMORY_FILE_BYTES / Math.max(1, readerCount));
  return Math.max(MEMORY_AHEAD_MIN_BYTES, Math.min(MEMORY_AHEAD_MAX_BYTES, share));
}

export class FetchRoom {
  readonly #options: FetchRoomOptions;
  /** Written to the file, and without rows: they take room all the same. */
  readonly #stray = new RangeSet();

  constructor(options: FetchRoomOptions) {
    this.#options = options;
  }

  /** Gives the fetch as much room as it wants now, or as there is. */
  extend(fetch: Fetch): void {
    if (fetch.toMemory) {
      let lead = 0;
      let readerCount = 0;
      for (const position of this.#options.readerPositions()) {
        readerCount += 1;
        if (position <= fetch.position) lead = Math.max(lead, position);
      }
      fetch.setCeiling(lead + memoryAheadBytes(readerCount));
      return;
    }
    const goal = Math.min(fetch.wantedEnd, fetch.position + RESERVE_AHEAD_BYTES);
    // In steps, so that the books are not kept for every piece.
    if (goal > fetch.reservedEnd && fetch.reservedEnd - fetch.position <= RESERVE_AHEAD_BYTES / 2) {
      fetch.reservedEnd += this.#options.space.reserve(goal - fetch.reservedEnd);
    }
    fetch.setCeiling(fetch.reservedEnd);
  }

  recorded(fetch: Fetch, start: number, end: number): void {
    fetch.recordedBytes += end - start;
    fetch.recorded(end);
    if (this.#stray.byteCount === 0) return;
    this.#stray.remove(start, end);
    this.#reportStray();
  }

  /** Nothing more will be written by it; of what it wrote `lost` has no rows. */
  ended(fetch: Fetch, lost: readonly ByteRange[]): void {
    if (fetch.toMemory || fetch.reservedEnd === 0) return;
    this.#options.space.release(fetch.reservedEnd - fetch.firstOffset - fetch.recordedBytes);
    fetch.reservedEnd = 0;
    if (lost.length === 0) return;
    for (const range of lost) this.#stray.add(range.start, range.end);
    this.#reportStray();
  }

  #reportStray(): void {
    this.#options.space.strayed(this.#options.generationId(), this.#stray.byteCount);
  }
}
