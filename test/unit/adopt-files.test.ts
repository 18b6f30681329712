// After the database was lost: what labels tell becomes rows, no more than the file and its checksums bear out.
import { describe, expect, test } from 'bun:test';
import { type FileLabel, formatLabel } from '../../src/chunks/file-label.ts';
import { CHUNK_BYTES } from '../../src/limits.ts';
import { createLog } from '../../src/log.ts';
import { type AdoptionResult, adoptFiles } from '../../src/upkeep/adopt-files.ts';
import { type CacheDatabase, NOW_MS, openCacheDatabase } from '../support/cache-database.ts';
import { contentOf } from '../support/content.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MemoryChunkStore } from '../support/memory-chunk-store.ts';

const SIZE = 2 * CHUNK_BYTES + 1_000;
const WHOLE: Partial<FileLabel> = {
  ranges: [{ start: 0, end: SIZE }],
  checksums: [
    { start: 0, end: CHUNK_BYTES, crc32: 1 },
    { start: CHUNK_BYTES, end: 2 * CHUNK_BYTES, crc32: 2 },
    { start: 2 * CHUNK_BYTES, end: SIZE, crc32: 3 },
  ],
};

function labelOf(path: string, details: Partial<FileLabel> = {}): string {
  return formatLabel({
    source: { name: 'films', kind: 'http', url: 'http://host/films/' },
    path,
    etag: '"v1"',
    lastModified: 'Wed, 01 Jan 2020 00:00:00 GMT',
    totalBytes: SIZE,
    seekable: true,
    contentType: 'video/x-matroska',
    contentLanguage: 'de',
    contentDisposition: null,
    lastUsedAt: NOW_MS - 5_000,
    pinned: false,
    ranges: [],
    checksums: [],
    ...details,
  });
}

interface Bench extends AsyncDisposable {
  readonly cache: CacheDatabase;
  readonly store: MemoryChunkStore;
  readonly logLines: string[];
  addFile(name: string, length: number, label: string | null): Promise<void>;
  adopt(): Promise<AdoptionResult>;
}

async function startBench(): Promise<Bench> {
  const cache = await openCacheDatabase();
  const store = new MemoryChunkStore();
  const clock = new FakeClock(NOW_MS);
  const logLines: string[] = [];
  const log = createLog({ level: 'debug', write: (line) => logLines.push(line), nowMs: () => NOW_MS });
  const { sources, entries, generations } = cache;
  return {
    cache,
    store,
    logLines,
    async addFile(name, length, label) {
      const writer = await store.openWriter(name, true);
      writer.write(contentOf(1, 0, length), 0);
      await writer.sync();
      if (label !== null) await store.writeLabel(name, label);
    },
    adopt: () => adoptFiles({ store, sources, entries, generations, clock, log }),
    [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose](),
  };
}

const RANGES = 'SELECT start, "end" FROM cache_chunks ORDER BY generation_id, start';
const SPANS = 'SELECT start, "end", crc32 FROM chunk_checksums ORDER BY generation_id, start';

describe('taking up files again', () => {
  test('everything that a label tells becomes rows', async () => {
    await using bench = await startBench();
    await bench.addFile('films/a.mkv', SIZE, labelOf('some/a.mkv', { ...WHOLE, pinned: true }));
    expect(await bench.adopt()).toEqual({ adoptedFiles: 1, adoptedBytes: SIZE, lostFiles: 0, lostBytes: 0 });
    const { cache } = bench;
    expect(await cache.rows('SELECT name, url FROM sources')).toEqual([{ name: 'films', url: 'http://host/films/' }]);
    const [entry] = await cache.entries.listRecent(10, null);
    expect(entry).toMatchObject({
      path: 'some/a.mkv',
      source: 'films',
      pinned: true,
      totalBytes: SIZE,
      lastUsedAt: NOW_MS - 5_000,
      ranges: [{ start: 0, end: SIZE }],
    });
    expect(await cache.rows('SELECT etag, last_modified, file_name, seekable FROM cache_generations')).toEqual([
      { etag: '"v1"', last_modified: 'Wed, 01 Jan 2020 00:00:00 GMT', file_name: 'films/a.mkv', seekable: 1 },
    ]);
    expect(await cache.rows('SELECT content_type, content_language FROM cache_headers')).toEqual([
      { content_type: 'video/x-matroska', content_language: 'de' },
    ]);
    expect(await cache.rows(SPANS)).toEqual(WHOLE.checksums as never);
    expect((await cache.statistics.get()).cachedBytes).toBe(SIZE);
  });

  test('a file that is shorter than its label says is taken up to the last whole span', async () => {
    await using bench = await startBench();
    await bench.addFile('films/a.mkv', 2 * CHUNK_BYTES + 10, labelOf('a.mkv', WHOLE));
    expect(await bench.adopt()).toMatchObject({ adoptedFiles: 1, adoptedBytes: 2 * CHUNK_BYTES });
    expect(await bench.cache.rows(RANGES)).toEqual([{ start: 0, end: 2 * CHUNK_BYTES }]);
    expect(await bench.cache.rows(SPANS)).toHaveLength(2);
  });

  test('bytes that no checksum covers are not taken up, nor are those that no range names', async () => {
    await using bench = await startBench();
    const ranges = [
      { start: 100, end: 200 },
      { start: CHUNK_BYTES + 100, end: SIZE },
    ];
    const checksums = [
      { start: 100, end: 200, crc32: 1 },
      { start: CHUNK_BYTES, end: CHUNK_BYTES + 300, crc32: 2 },
    ];
    await bench.addFile('films/a.mkv', SIZE, labelOf('a.mkv', { ranges, checksums }));
    expect(await bench.adopt()).toMatchObject({ adoptedFiles: 1, adoptedBytes: 300 });
    expect(await bench.cache.rows(RANGES)).toEqual([
      { start: 100, end: 200 },
      { start: CHUNK_BYTES + 100, end: CHUNK_BYTES + 300 },
    ]);
  });

  test('files without a label, and labels without a file', async () => {
    await using bench = await startBench();
    await bench.addFile('films/a.mkv', 1_000, null);
    await bench.addFile('films/b.mkv', 500, 'no label');
    await bench.store.writeLabel('films/c.mkv', labelOf('c.mkv', WHOLE));
    expect(await bench.adopt()).toEqual({ adoptedFiles: 0, adoptedBytes: 0, lostFiles: 2, lostBytes: 1_500 });
    expect(await bench.cache.rows('SELECT id FROM cache_entries')).toEqual([]);
  });

  test('two files of one entry: the one that was used later is current, and neither mixes with the other', async () => {
    await using bench = await startBench();
    await bench.addFile('films/a-new.mkv', SIZE, labelOf('a.mkv', { ...WHOLE, etag: '"new"', lastUsedAt: 2_000 }));
    await bench.addFile('films/a-old.mkv', SIZE, labelOf('a.mkv', { ...WHOLE, etag: '"old"', lastUsedAt: 1_000 }));
    expect(await bench.adopt()).toMatchObject({ adoptedFiles: 2, lostFiles: 0 });
    const current = 'SELECT etag FROM cache_generations WHERE superseded_at IS NULL';
    expect(await bench.cache.rows(current)).toEqual([{ etag: '"new"' }]);
  });

  test('a source that is declared anew keeps its new address', async () => {
    await using bench = await startBench();
    await bench.cache.sources.declare('films', 'http://other/', NOW_MS);
    await bench.addFile('films/a.mkv', SIZE, labelOf('a.mkv', WHOLE));
    expect((await bench.adopt()).adoptedFiles).toBe(1);
    expect(await bench.cache.rows('SELECT url FROM sources')).toEqual([{ url: 'http://other/' }]);
  });

  test('a span that does not lie within one cell is not taken', async () => {
    await using bench = await startBench();
    const details = { ranges: [{ start: 0, end: SIZE }], checksums: [{ start: 0, end: SIZE, crc32: 7 }] };
    await bench.addFile('films/a.mkv', SIZE, labelOf('a.mkv', details));
    await bench.adopt();
    expect(await bench.cache.rows(SPANS)).toEqual([]);
    expect(await bench.cache.rows(RANGES)).toEqual([]);
  });

  test('a file that is counted as lost leaves no row, so that it is removed', async () => {
    await using bench = await startBench();
    const checksums = [{ start: 0, end: 1_000, crc32: 2 ** 40 }];
    await bench.addFile('films/a.mkv', SIZE, labelOf('a.mkv', { ranges: [{ start: 0, end: 1_000 }], checksums }));
    expect((await bench.adopt()).lostFiles).toBe(1);
    expect(await bench.cache.generations.hasFile('films/a.mkv')).toBe(false);
  });

  test('taking up twice takes up what the first time did not come to', async () => {
    await using bench = await startBench();
    await bench.addFile('films/a.mkv', SIZE, labelOf('a.mkv', WHOLE));
    await bench.adopt();
    await bench.addFile('films/b.mkv', SIZE, labelOf('b.mkv', WHOLE));
    expect(await bench.adopt()).toEqual({ adoptedFiles: 1, adoptedBytes: SIZE, lostFiles: 0, lostBytes: 0 });
  });
});
