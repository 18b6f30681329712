// The 2 MiB grid that every entry is checked by. The last chunk of a file may be shorter.
import { CHUNK_BYTES } from '../limits.ts';
import type { ByteRange } from './byte-range.ts';

export function chunkIndexAt(offset: number): number {
  return Math.floor(offset / CHUNK_BYTES);
}

/** The bytes of chunk `index` in a file of `totalBytes`; `totalBytes` null means the length is not known yet. */
export function chunkRange(index: number, totalBytes: number | null): ByteRange {
  const start = index * CHUNK_BYTES;
  const end = start + CHUNK_BYTES;
  return { start, end: totalBytes === null ? end : Math.min(end, totalBytes) };
}
