// The Range request header and Content-Range, RFC 9110 §14.
import type { ByteRange } from './byte-range.ts';

/** One member of a `Range: bytes=…` list before the length is known; `last` is inclusive as on the wire. */
export type RangeSpec =
  | { readonly kind: 'from'; readonly first: number; readonly last: number | null }
  | { readonly kind: 'suffix'; readonly length: number };

/** Digits only, and small enough to count exactly: a longer number saturates, which clips to the file's end. */
function parseOffset(digits: string): number {
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : Number.MAX_SAFE_INTEGER;
}

/** Null when it ends before it starts, which is invalid (RFC 9110 §14.1.1). */
function fromTo(firstDigits: string, lastDigits: string): RangeSpec | null {
  const first = parseOffset(firstDigits);
  const last = lastDigits === '' ? null : parseOffset(lastDigits);
  return last !== null && last < first ? null : { kind: 'from', first, last };
}

/**
 * Reads a Range header. Null means the header is to be ignored (RFC 9110 §14.2): absent, another unit, or malformed.
 * The members are returned as sent; whether they can be satisfied depends on the length.
 */
export function parseRangeHeader(header: string | undefined): RangeSpec[] | null {
  if (header === undefined) return null;
  // What nearly all players send, all day.
  const plain = /^bytes=(\d+)-(\d+)$/.exec(header);
  if (plain !== null) {
    const spec = fromTo(plain[1]!, plain[2]!);
    return spec === null ? null : [spec];
  }
  const unit = /^bytes=/i.exec(header.trim());
  if (unit === null) return null;
  const specs: RangeSpec[] = [];
  for (const part of header.trim().slice(unit[0].length).split(',')) {
    const text = part.trim();
    if (text === '') continue; // RFC 9110 §5.6.1: empty list members are allowed
    const match = /^(\d*)-(\d*)$/.exec(text);
    if (match === null) return null;
    const [, first = '', last = ''] = match;
    if (first === '') {
      if (last === '') return null;
      specs.push({ kind: 'suffix', length: parseOffset(last) });
    } else {
      const spec = fromTo(first, last);
      if (spec === null) return null;
      specs.push(spec);
    }
  }
  return specs.length === 0 ? null : specs;
}

/** The half-open range that `spec` means in a file of `totalBytes`, or null when it cannot be satisfied. */
export function resolveRangeSpec(spec: RangeSpec, totalBytes: number): ByteRange | null {
  if (spec.kind === 'suffix') {
    if (spec.length === 0 || totalBytes === 0) return null;
    return { start: Math.max(0, totalBytes - spec.length), end: totalBytes };
  }
  if (spec.first >= totalBytes) return null;
  const end = spec.last === null ? totalBytes : Math.min(spec.last + 1, totalBytes);
  return { start: spec.first, end };
}

/** Sorts ranges and joins those that overlap or touch (RFC 9110 §15.3.7.2 allows it). */
export function coalesceRanges(ranges: readonly ByteRange[]): ByteRange[] {
  const sorted = [...ranges].sort((left, right) => left.start - right.start);
  const joined: { start: number; end: number }[] = [];
  for (const range of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else joined.push({ ...range });
  }
  return joined;
}

export function formatContentRange(range: ByteRange, totalBytes: number): string {
  return `bytes ${range.start}-${range.end - 1}/${totalBytes}`;
}

export interface ContentRange {
  /** Null for the unsatisfied form, a star in place of the range. */
  readonly range: ByteRange | null;
  /** Null when the origin does not know (a star). */
  readonly totalBytes: number | null;
}

/** Reads a Content-Range header (RFC 9110 §14.4); null when it is absent, malformed or contradicts itself. */
export function parseContentRange(header: string | null): ContentRange | null {
  const match = /^\s*bytes\s+(?:(\d+)-(\d+)|\*)\/(\d+|\*)\s*$/i.exec(header ?? '');
  if (match === null) return null;
  const [, first, last, total = '*'] = match;
  const totalBytes = total === '*' ? null : Number(total);
  if (totalBytes !== null && !Number.isSafeInteger(totalBytes)) return null;
  if (first === undefined || last === undefined) return totalBytes === null ? null : { range: null, totalBytes };
  const range = { start: Number(first), end: Number(last) + 1 };
  if (!Number.isSafeInteger(range.end) || range.end <= range.start) return null;
  if (totalBytes !== null && range.end > totalBytes) return null;
  return { range, totalBytes };
}
