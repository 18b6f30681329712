// Which bytes of a reader's range were not there when it came: what it is served of those came from the origin. In a film
// of very many pieces they are looked up a stretch at a time, further ahead than anything is fetched for the reader: to
// look at all of it would cost each request ten milliseconds. What was fetched there meanwhile for others counts as kept.
import type { ByteRange } from '../bytes/byte-range.ts';
import { RangeSet } from '../bytes/range-set.ts';
import { CHUNK_BYTES } from '../limits.ts';

/** Looked at in a tenth of a millisecond. */
const FEW_RANGES = 1_000;

export class MissingBytes {
  readonly #known: Pick<RangeSet, 'gaps' | 'rangeCount'>;
  readonly #end: number;
  readonly #aheadBytes: number;
  /** Of what was looked up and not read yet. */
  readonly #gaps = new RangeSet();
  #lookedUpTo: number;

  /** @param readAheadBytes - what is fetched ahead of the reader at most, but for the last step of a fetch */
  constructor(known: Pick<RangeSet, 'gaps' | 'rangeCount'>, range: ByteRange, readAheadBytes: number) {
    this.#known = known;
    this.#end = range.end;
    this.#aheadBytes = known.rangeCount <= FEW_RANGES ? Number.POSITIVE_INFINITY : readAheadBytes + CHUNK_BYTES;
    this.#lookedUpTo = range.start;
    this.#lookAhead(range.start);
  }

  /** How many bytes of [start, end), which the reader has just read, were missing. */
  take(start: number, end: number): number {
    this.#lookAhead(end);
    const bytes = this.#gaps.countWithin(start, end);
    if (bytes > 0) this.#gaps.remove(start, end);
    return bytes;
  }

  #lookAhead(position: number): void {
    const due = Math.min(this.#end, position + this.#aheadBytes);
    if (due <= this.#lookedUpTo) return;
    // Twice as far as it has to be, so that not every piece looks.
    const until = Math.min(this.#end, position + 2 * this.#aheadBytes);
    for (const gap of this.#known.gaps(this.#lookedUpTo, until)) this.#gaps.add(gap.start, gap.end);
    this.#lookedUpTo = until;
  }
}
