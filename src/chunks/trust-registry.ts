// Which stored bytes were fetched or verified in this life of the program, by generation: kept beyond the time a file is
// open, so that nothing is compared with its checksums twice.
import { RangeSet } from '../bytes/range-set.ts';
import { TRUSTED_FILES_MAX } from '../limits.ts';

export class TrustRegistry {
  /** Least recently asked for first. */
  readonly #sets = new Map<number, RangeSet>();

  /** The set of a generation, to be changed in place. */
  of(generationId: number): RangeSet {
    const set = this.#sets.get(generationId) ?? new RangeSet();
    this.#sets.delete(generationId);
    this.#sets.set(generationId, set);
    const [oldest] = this.#sets.keys();
    if (this.#sets.size > TRUSTED_FILES_MAX && oldest !== undefined) this.#sets.delete(oldest);
    return set;
  }

  delete(generationId: number): void {
    this.#sets.delete(generationId);
  }
}
