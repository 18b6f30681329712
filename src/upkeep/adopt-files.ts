// After the database was lost: takes up again what the labels beside the chunk files tell. What a label claims is
// compared with its checksums before it is served, as anything is that was there before the start.
import { type ByteRange, rangeLength } from '../bytes/byte-range.ts';
import { chunkIndexAt } from '../bytes/chunk-grid.ts';
import { RangeSet } from '../bytes/range-set.ts';
import type { ChunkStore } from '../chunks/chunk-store.ts';
import { type FileLabel, parseLabel } from '../chunks/file-label.ts';
import type { Clock } from '../clock.ts';
import type { EntryTable } from '../db/entries.ts';
import type { GenerationTable } from '../db/generations.ts';
import type { SourceTable } from '../db/sources.ts';
import { describeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { parseCataloguePath } from '../sources/catalogue-path.ts';
import { describePath } from '../sources/media-address.ts';

export interface AdoptionServices {
  readonly store: ChunkStore;
  readonly sources: SourceTable;
  readonly entries: EntryTable;
  readonly generations: GenerationTable;
  readonly clock: Clock;
  readonly log: Log;
}

export interface AdoptionResult {
  readonly adoptedFiles: number;
  readonly adoptedBytes: number;
  readonly lostFiles: number;
  /** Length of the files that could not be taken up, as the file system counts it. */
  readonly lostBytes: number;
}

/**
 * To be called before anything is served; again after it was cut off in the middle. Files that cannot be taken up are
 * left for `reconcile` to remove.
 */
export async function adoptFiles(services: AdoptionServices): Promise<AdoptionResult> {
  const { store, generations, log } = services;
  const result = { adoptedFiles: 0, adoptedBytes: 0, lostFiles: 0, lostBytes: 0 };
  for (const fileName of await listByUse(store)) {
    const length = await store.findLength(fileName);
    if (length === null || (await generations.hasFile(fileName))) continue;
    try {
      const label = parseLabel((await store.readLabel(fileName)) ?? '');
      if (label === null) throw new Error('nothing beside it says what of it is there');
      result.adoptedBytes += await adopt(services, fileName, label, length);
      result.adoptedFiles += 1;
    } catch (error) {
      log.warning('a chunk file cannot be taken up again', { file: fileName, reason: describeError(error) });
      result.lostFiles += 1;
      result.lostBytes += length;
    }
  }
  return result;
}

/** Least recently used first: of two versions of a file the later one taken up is the current one. */
async function listByUse(store: ChunkStore): Promise<string[]> {
  const found: { fileName: string; lastUsedAt: number }[] = [];
  for await (const fileName of store.list()) {
    const text = await store.readLabel(fileName).catch(() => null);
    found.push({ fileName, lastUsedAt: parseLabel(text ?? '')?.lastUsedAt ?? 0 });
  }
  return found.sort((left, right) => left.lastUsedAt - right.lastUsedAt).map(({ fileName }) => fileName);
}

/** A checksum is of use when its span lies in one cell, and in the file. */
function isUsable({ start, end }: ByteRange, length: number): boolean {
  return end <= length && chunkIndexAt(start) === chunkIndexAt(end - 1);
}

async function adopt(
  { sources, entries, generations, clock }: AdoptionServices,
  fileName: string,
  label: FileLabel,
  length: number,
): Promise<number> {
  const checksums = label.checksums.filter((checksum) => isUsable(checksum, length));
  const claimed = RangeSet.of(label.ranges);
  const covered = RangeSet.of(checksums.flatMap(({ start, end }) => claimed.parts(start, end)));
  const nowMs = clock.nowMs();
  const { kind } = label.source;
  const source = await sources.ensure(label.source.name, kind, label.source.url, nowMs);
  const address = kind === 'http' ? describePath(label.path) : parseCataloguePath(label.path);
  const { entryId, mediaId } = await entries.ensure({ ...address, sourceId: source.id }, label.lastUsedAt);
  const { etag, lastModified, totalBytes, seekable, contentType, contentLanguage, contentDisposition } = label;
  const { generation } = await generations.create(
    {
      entryId,
      fileName,
      etag,
      lastModified,
      totalBytes,
      seekable,
      contentType,
      contentLanguage,
      contentDisposition,
    },
    nowMs,
  );
  try {
    await generations.adopt(generation.id, covered.toArray(), checksums, nowMs);
  } catch (error) {
    await generations.remove([generation.id]);
    throw error;
  }
  if (totalBytes !== null) await entries.recordSize(mediaId, address.quality, totalBytes);
  if (label.pinned) await entries.setPinned(entryId, true);
  return covered.toArray().reduce((sum, range) => sum + rangeLength(range), 0);
}
