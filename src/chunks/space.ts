// What files need of whoever looks after the disk (DESIGN.md §5, invariant 6). Bytes are counted before they are
// written: reserved, then stored when their rows commit, or released.

import type { LarderError } from '../errors.ts';

export interface Space {
  /**
   * Why bytes of a file of this length do not go to the disk now; null when they do. What does not is passed on from
   * memory to whoever reads it.
   */
  refusal(totalBytes: number | null): LarderError | null;
  /** @returns how many of `bytes` may be written, from 0 to all of them; room is being made for the rest, if it can */
  reserve(bytes: number): number;
  /** Of what was reserved, so much will not be recorded any more. */
  release(bytes: number): void;
  /** So many reserved bytes have their rows now; `added` of them were not counted before. */
  stored(reserved: number, added: number): void;
  /** Rows of so many bytes are gone. */
  removed(bytes: number): void;
  /** So many bytes in a generation's file have no rows (absolute); they take room until the file goes. */
  strayed(generationId: number, bytes: number): void;
  /** The disk or the database did not take something. */
  refused(error: unknown): void;
}
