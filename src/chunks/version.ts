// Whether a response is of the version that a generation holds.
import type { OriginHead } from '../sources/origin-response.ts';
import { isStrongEtag } from '../sources/origin-response.ts';

export interface VersionMarks {
  readonly etag: string | null;
  readonly lastModified: string | null;
}

/**
 * `same` when a validator proves it, `other` when one disproves it, `unknown` when the origin names none: then nothing
 * speaks against it but its length. Order: length, strong ETag, Last-Modified, weak ETag (facts/upstreams.md §1).
 */
export function compareVersion(
  known: VersionMarks,
  knownTotalBytes: number | null,
  head: OriginHead,
): 'same' | 'other' | 'unknown' {
  if (knownTotalBytes !== null && head.totalBytes !== null && knownTotalBytes !== head.totalBytes) return 'other';
  if (isStrongEtag(known.etag) && head.etag !== null) return known.etag === head.etag ? 'same' : 'other';
  if (known.lastModified !== null && head.lastModified !== null) {
    return known.lastModified === head.lastModified ? 'same' : 'other';
  }
  if (known.etag !== null && head.etag !== null) return known.etag === head.etag ? 'same' : 'other';
  return 'unknown';
}
