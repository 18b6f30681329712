// A set of byte offsets held as sorted, disjoint, non-touching half-open ranges.
// Look-ups are binary searches, so that a file in 100,000 pieces costs no more than one in ten.
import { assert } from '../assert.ts';
import { type ByteRange, rangeLength } from './byte-range.ts';

export class RangeSet {
  // Two parallel columns instead of objects: position i is the range [starts[i], ends[i]).
  #starts: number[] = [];
  #ends: number[] = [];
  #byteCount = 0;

  static of(ranges: Iterable<ByteRange>): RangeSet {
    const set = new RangeSet();
    for (const range of ranges) set.add(range.start, range.end);
    return set;
  }

  copy(): RangeSet {
    const copy = new RangeSet();
    copy.#take(this.#starts.slice(), this.#ends.slice());
    return copy;
  }

  /** Sum of the lengths of all ranges, in bytes. */
  get byteCount(): number {
    return this.#byteCount;
  }

  get rangeCount(): number {
    return this.#starts.length;
  }

  /** Adds [start, end), joining it with what it touches. Adding what is there already changes nothing. */
  add(start: number, end: number): void {
    assert(start <= end, 'range ends before it starts');
    if (start === end) return;
    // Ranges mostly come in order, and many at a time.
    if (start > (this.#ends.at(-1) ?? -1)) {
      this.#starts.push(start);
      this.#ends.push(end);
      this.#byteCount += end - start;
      return;
    }
    // The first range that touches or follows `start`, and the first that lies wholly behind `end`.
    const first = this.#firstEndAtOrAfter(start);
    const behind = this.#firstStartAfter(end);
    const merged = this.mergedWith(start, end);
    for (let index = first; index < behind; index++) this.#byteCount -= this.#ends[index]! - this.#starts[index]!;
    this.#starts.splice(first, behind - first, merged.start);
    this.#ends.splice(first, behind - first, merged.end);
    this.#byteCount += rangeLength(merged);
  }

  /** The range that [start, end) would become part of when it was added. */
  mergedWith(start: number, end: number): ByteRange {
    const first = this.#firstEndAtOrAfter(start);
    const behind = this.#firstStartAfter(end);
    if (first >= behind) return { start, end };
    return { start: Math.min(start, this.#starts[first]!), end: Math.max(end, this.#ends[behind - 1]!) };
  }

  /** Takes [start, end) out, splitting ranges where needed. */
  remove(start: number, end: number): void {
    assert(start <= end, 'range ends before it starts');
    if (start === end) return;
    const first = this.#firstEndAtOrAfter(start + 1);
    const behind = this.#firstStartAfter(end - 1);
    if (first >= behind) return;
    const left = this.#starts[first]!;
    const right = this.#ends[behind - 1]!;
    for (let index = first; index < behind; index++) this.#byteCount -= this.#ends[index]! - this.#starts[index]!;
    const starts: number[] = [];
    const ends: number[] = [];
    if (left < start) {
      starts.push(left);
      ends.push(start);
    }
    if (end < right) {
      starts.push(end);
      ends.push(right);
    }
    for (let index = 0; index < starts.length; index++) this.#byteCount += ends[index]! - starts[index]!;
    this.#starts.splice(first, behind - first, ...starts);
    this.#ends.splice(first, behind - first, ...ends);
  }

  /** Takes out whatever is not in `other`. */
  keepOnly(other: RangeSet): void {
    const starts: number[] = [];
    const ends: number[] = [];
    for (let index = 0, otherIndex = 0; index < this.#starts.length && otherIndex < other.#starts.length; ) {
      const start = Math.max(this.#starts[index]!, other.#starts[otherIndex]!);
      const end = Math.min(this.#ends[index]!, other.#ends[otherIndex]!);
      if (start < end) {
        starts.push(start);
        ends.push(end);
      }
      if (this.#ends[index]! < other.#ends[otherIndex]!) index += 1;
      else otherIndex += 1;
    }
    this.#take(starts, ends);
  }

  /** End of the known bytes that run on from `offset` without a gap; `offset` itself when it is not known. */
  contiguousEnd(offset: number): number {
    const index = this.#firstEndAtOrAfter(offset + 1);
    return index < this.#starts.length && this.#starts[index]! <= offset ? this.#ends[index]! : offset;
  }

  /** First known offset at or after `offset`, or null when nothing is known from there on. */
  nextKnown(offset: number): number | null {
    const index = this.#firstEndAtOrAfter(offset + 1);
    return index < this.#starts.length ? Math.max(offset, this.#starts[index]!) : null;
  }

  contains(start: number, end: number): boolean {
    return start >= end || this.contiguousEnd(start) >= end;
  }

  /** The parts of [start, end) that are not in the set, in order. */
  gaps(start: number, end: number): ByteRange[] {
    const gaps: ByteRange[] = [];
    let position = start;
    for (let index = this.#firstEndAtOrAfter(start + 1); index < this.#starts.length; index++) {
      const rangeStart = this.#starts[index]!;
      if (rangeStart >= end) break;
      if (rangeStart > position) gaps.push({ start: position, end: rangeStart });
      position = Math.max(position, this.#ends[index]!);
    }
    if (position < end) gaps.push({ start: position, end });
    return gaps;
  }

  /** The parts of [start, end) that are in the set, in order. */
  parts(start: number, end: number): ByteRange[] {
    const parts: ByteRange[] = [];
    for (let index = this.#firstEndAtOrAfter(start + 1); index < this.#starts.length; index++) {
      if (this.#starts[index]! >= end) break;
      parts.push({ start: Math.max(start, this.#starts[index]!), end: Math.min(end, this.#ends[index]!) });
    }
    return parts;
  }

  /** The ranges, whole, that have a byte in [start, end) or touch it, in order. */
  touching(start: number, end: number): ByteRange[] {
    const ranges: ByteRange[] = [];
    const behind = this.#firstStartAfter(end);
    for (let index = this.#firstEndAtOrAfter(start); index < behind; index++) {
      ranges.push({ start: this.#starts[index]!, end: this.#ends[index]! });
    }
    return ranges;
  }

  /** How many bytes of [start, end) are in the set. */
  countWithin(start: number, end: number): number {
    return this.parts(start, end).reduce((sum, part) => sum + rangeLength(part), 0);
  }

  toArray(): ByteRange[] {
    return this.#starts.map((start, index) => ({ start, end: this.#ends[index]! }));
  }

  #take(starts: number[], ends: number[]): void {
    this.#starts = starts;
    this.#ends = ends;
    this.#byteCount = starts.reduce((sum, start, index) => sum + ends[index]! - start, 0);
  }

  #firstEndAtOrAfter(offset: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #firstStartAfter(offset: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle]! <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
