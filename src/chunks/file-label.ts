// The text beside a chunk file that says what the file is and what of it is there, so that it can be taken up again
// when the database is lost. It decides nothing while there is a database (DESIGN.md §5, invariant 2), and what it
// claims is compared with its checksums before it is served.
import { crc32 } from 'node:zlib';
import type { ByteRange } from '../bytes/byte-range.ts';
import type { ChunkChecksum } from '../db/generations.ts';
import { SOURCE_KINDS, type SourceKind } from '../sources/media-source.ts';

export interface FileLabel {
  readonly source: { readonly name: string; readonly kind: SourceKind; readonly url: string };
  readonly path: string;
  readonly etag: string | null;
  readonly lastModified: string | null;
  readonly totalBytes: number | null;
  readonly seekable: boolean;
  readonly contentType: string | null;
  readonly contentLanguage: string | null;
  readonly contentDisposition: string | null;
  readonly lastUsedAt: number;
  readonly pinned: boolean;
  readonly ranges: readonly ByteRange[];
  readonly checksums: readonly ChunkChecksum[];
}

const FORMAT = 'larder chunk file 1';
const CRC32_MAX = 0xffffffff;

/**
 * One line of facts, with ranges and checksums as flat lists (a film of 10 GB has 5,000 of them), and one with the crc32
 * of the first: a bit that turns in a length would make a short film look whole.
 */
export function formatLabel({ ranges, checksums, ...facts }: FileLabel): string {
  const line = JSON.stringify({
    format: FORMAT,
    ...facts,
    ranges: ranges.flatMap(({ start, end }) => [start, end]),
    checksums: checksums.flatMap(({ start, end, crc32: sum }) => [start, end, sum]),
  });
  return `${line}\n${sumOf(line)}\n`;
}

function sumOf(line: string): string {
  return crc32(line).toString(16).padStart(8, '0');
}

/** Null for anything that is no label, or not whole, or not as it was written. */
export function parseLabel(text: string): FileLabel | null {
  const [line = '', sum = ''] = text.split('\n');
  if (sum !== sumOf(line)) return null;
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
  if (value === null || typeof value !== 'object' || value.format !== FORMAT) return null;
  const { source, path, totalBytes, seekable, lastUsedAt, pinned } = value;
  // Labels of a time when there was one kind do not say it.
  const { name, kind = 'http', url } = (source ?? {}) as Record<string, unknown>;
  const ranges = readGroups(value.ranges, 2);
  const checksums = readGroups(value.checksums, 3);
  if (typeof name !== 'string' || typeof url !== 'string' || typeof path !== 'string' || !isKind(kind)) return null;
  if (totalBytes !== null && !isOffset(totalBytes)) return null;
  if (typeof seekable !== 'boolean' || typeof pinned !== 'boolean' || !isOffset(lastUsedAt)) return null;
  if (ranges === null || checksums === null || checksums.some(([, , sum = 0]) => sum > CRC32_MAX)) return null;
  return {
    source: { name, kind, url },
    path,
    etag: textOrNull(value.etag),
    lastModified: textOrNull(value.lastModified),
    totalBytes,
    seekable,
    contentType: textOrNull(value.contentType),
    contentLanguage: textOrNull(value.contentLanguage),
    contentDisposition: textOrNull(value.contentDisposition),
    lastUsedAt,
    pinned,
    ranges: ranges.map(([start, end]) => ({ start: start!, end: end! })),
    checksums: checksums.map(([start, end, sum]) => ({ start: start!, end: end!, crc32: sum! })),
  };
}

function isKind(value: unknown): value is SourceKind {
  return SOURCE_KINDS.includes(value as SourceKind);
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** A flat list in groups of `size` that each begin with a range; null when it is not that. */
function readGroups(value: unknown, size: number): number[][] | null {
  if (!Array.isArray(value) || value.length % size !== 0 || !value.every(isOffset)) return null;
  const groups: number[][] = [];
  for (let index = 0; index < value.length; index += size) groups.push(value.slice(index, index + size) as number[]);
  return groups.every(([start = 0, end = 0]) => start < end) ? groups : null;
}
