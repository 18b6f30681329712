// Why a reader waits, as values: pages and the API put it into words.
import type { LarderError } from '../errors.ts';

export interface WaitReason {
  /**
   * `connection`: all of the source's are taken · `first-byte`: the origin was asked · `bytes`: they come, slowly ·
   * `retry`: the last try failed · `pause`: the source asked to be left alone · `comparison`: what is stored is being
   * compared with its checksums.
   */
  readonly kind: 'connection' | 'first-byte' | 'bytes' | 'retry' | 'pause' | 'comparison';
  /** 1 for the first try. */
  readonly attempt: number;
  /** What went wrong last; null when nothing did. */
  readonly error: LarderError | null;
  /** Monotonic time at which it is tried again; null when that is not set. */
  readonly untilMs: number | null;
}
