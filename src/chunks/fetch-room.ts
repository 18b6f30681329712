// How far each fetch of one file may go: on the disk as far as room was taken for it, in memory a little ahead of its
// reader. Keeps account of what it took, so that every reserved byte is recorded, released, or counted as stray.
import { RangeSet } from '../bytes/range-set.ts';
import { MEMORY_AHEAD_BYTES, RESERVE_AHEAD_BYTES } from '../limits.ts';
import type { Fetch } from './fetch.ts';
import type { Space } from './space.ts';

export interface FetchRoomOptions {
  readonly space: Space;
  readonly generationId: () => number;
  readonly readerPositions: () => Iterable<number>;
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
      for (const position of this.#options.readerPositions()) {
        if (position <= fetch.position) lead = Math.max(lead, position);
      }
      fetch.setCeiling(lead + MEMORY_AHEAD_BYTES);
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
    fetch.recorded(end);
    if (this.#stray.byteCount === 0) return;
    this.#stray.remove(start, end);
    this.#reportStray();
  }

  /** Nothing more will be written by it, and what it wrote was recorded if it could be. */
  ended(fetch: Fetch): void {
    if (fetch.toMemory) return;
    this.#options.space.release(fetch.reservedEnd - fetch.settledEnd);
    const written = Math.min(fetch.position, fetch.reservedEnd);
    fetch.reservedEnd = fetch.settledEnd;
    if (written <= fetch.settledEnd) return;
    this.#stray.add(fetch.settledEnd, written);
    this.#reportStray();
  }

  #reportStray(): void {
    this.#options.space.strayed(this.#options.generationId(), this.#stray.byteCount);
  }
}
