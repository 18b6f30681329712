// A half-open range of byte offsets, `[start, end)`. Inclusive ends exist only where HTTP is spoken.

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export function rangeLength(range: ByteRange): number {
  return range.end - range.start;
}
