// Conditional requests, RFC 9110 §13. Our entity tags are always strong.
import { parseHttpDate } from './http-date.ts';

export interface ConditionalHeaders {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
  readonly ifUnmodifiedSince: string | undefined;
  readonly ifRange: string | undefined;
}

export interface Validators {
  readonly etag: string;
  readonly lastModifiedMs: number | null;
}

export type PreconditionResult = 'proceed' | 'not-modified' | 'failed';

interface ListedTag {
  readonly weak: boolean;
  readonly tag: string;
}

function parseTags(header: string): ListedTag[] {
  const tags: ListedTag[] = [];
  for (const match of header.matchAll(/(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g)) {
    tags.push({ weak: match[1] !== undefined, tag: match[2]! });
  }
  return tags;
}

/** RFC 9110 §13.2.2: the order in which preconditions count. Range is looked at after this. */
export function evaluatePreconditions(headers: ConditionalHeaders, current: Validators): PreconditionResult {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = headers;
  if (ifMatch !== undefined) {
    // §13.1.1: strong comparison; a weak tag never matches.
    const matches = ifMatch.trim() === '*' || parseTags(ifMatch).some((tag) => !tag.weak && tag.tag === current.etag);
    if (!matches) return 'failed';
  } else if (ifUnmodifiedSince !== undefined && current.lastModifiedMs !== null) {
    const since = parseHttpDate(ifUnmodifiedSince);
    if (since !== null && current.lastModifiedMs > since) return 'failed';
  }
  if (ifNoneMatch !== undefined) {
    // §13.1.2: weak comparison.
    const matches = ifNoneMatch.trim() === '*' || parseTags(ifNoneMatch).some((tag) => tag.tag === current.etag);
    if (matches) return 'not-modified';
  } else if (ifModifiedSince !== undefined && current.lastModifiedMs !== null) {
    const since = parseHttpDate(ifModifiedSince);
    if (since !== null && current.lastModifiedMs <= since) return 'not-modified';
  }
  return 'proceed';
}

/** RFC 9110 §13.1.5: whether the Range header counts. A weak tag never matches, a date only to the second. */
export function rangeApplies(ifRange: string | undefined, current: Validators): boolean {
  if (ifRange === undefined) return true;
  const value = ifRange.trim();
  if (value.startsWith('"') || value.startsWith('W/')) return value === current.etag;
  const date = parseHttpDate(value);
  return date !== null && date === current.lastModifiedMs;
}
