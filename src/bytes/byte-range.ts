// A half-open range of byte offsets, `[start, end)`. Inclusive ends exist only where HTTP is spoken.

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What is left of `ranges` in a file that ends at `length`. */
export function clipRanges(ranges: readonly ByteRange[], length: number): ByteRange[] {
  return ranges
    .filter((range) => range.start < length)
    .map((range) => ({ start: range.start, end: Math.min(range.end, length) }));
}

export function rangeLength(range: ByteRange): number {
  return range.end - range.start;
}
