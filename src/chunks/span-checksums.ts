// Reads spans of a chunk file back and sums them up, to compare what is stored with what was fetched. Blocks on the
// disk: for download threads, and for a command that has nothing else to do.
import { crc32 } from 'node:zlib';
import { type ByteRange, rangeLength } from '../bytes/byte-range.ts';
import type { ChunkReader, ChunkStore } from './chunk-store.ts';

/**
 * crc32 of each span, in order; null for one that the disk does not give, or not to its end.
 * @throws Error when the file cannot be opened
 */
export async function computeChecksums(
  store: ChunkStore,
  fileName: string,
  spans: readonly ByteRange[],
): Promise<(number | null)[]> {
  const reader = await store.openReader(fileName);
  try {
    const checksums: (number | null)[] = [];
    for (const span of spans) checksums.push(await checksumOf(reader, span));
    return checksums;
  } finally {
    await reader.close();
  }
}

async function checksumOf(reader: ChunkReader, span: ByteRange): Promise<number | null> {
  const buffer = new Uint8Array(rangeLength(span));
  for (let filled = 0; filled < buffer.length; ) {
    // A bad sector is an error here; it is the same as wrong bytes.
    const count = await reader.read(buffer.subarray(filled), span.start + filled).catch(() => 0);
    if (count === 0) return null;
    filled += count;
  }
  return crc32(buffer);
}
