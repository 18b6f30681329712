// What the rows must hold: disjoint ranges, true statistics, unique identities (facts/schema.md §4).
import { describe, expect, test } from 'bun:test';
import { RangeSet } from '../../../src/bytes/range-set.ts';
import { connect } from '../../../src/db/database.ts';
import { CHUNK_BYTES } from '../../../src/limits.ts';
import { type CacheDatabase, entryOf, generationOf, NOW_MS, openCacheDatabase } from '../../support/cache-database.ts';
import { createRandom, testSeed } from '../../support/random.ts';

async function newGeneration(
  cache: CacheDatabase,
  name = 'a',
): Promise<{ sourceId: number; entryId: number; generationId: number }> {
  const { id: sourceId } = await cache.sources.declare('films', 'http://h/', NOW_MS);
  const { entryId } = await cache.entries.ensure(entryOf(sourceId, name), NOW_MS);
  const { generation } = await cache.generations.create(generationOf(entryId, `films/${name}`), NOW_MS);
  return { sourceId, entryId, generationId: generation.id };
}

const ALL = { start: 0, end: Number.MAX_SAFE_INTEGER };

describe('GenerationTable.recordRange()', () => {
  test('invariant 2: recordRange() keeps the rows sorted, disjoint and coalesced when ranges come in any order', async () => {
    await using cache = await openCacheDatabase();
    const { generationId } = await newGeneration(cache);
    const { generationId: neighbour } = await newGeneration(cache, 'b');
    await cache.generations.recordRange(neighbour, { start: 0, end: 500 }, [], NOW_MS);
    const random = createRandom(testSeed);
    const model = new RangeSet();
    for (let step = 0; step < 300; step++) {
      const start = random.between(0, 400);
      const end = start + random.between(1, 40);
      await cache.generations.recordRange(generationId, model.mergedWith(start, end), [], NOW_MS);
      model.add(start, end);
      expect({ seed: testSeed, step, ranges: await cache.generations.listRanges(generationId) }).toEqual({
        seed: testSeed,
        step,
        ranges: model.toArray(),
      });
      if (step % 40 === 39) {
        const length = random.between(100, 500);
        model.remove(length, 1_000);
        await cache.generations.loseRange(generationId, model.toArray(), { start: length, end: 1_000 }, NOW_MS);
      }
    }
    expect(await cache.generations.listRanges(neighbour)).toEqual([{ start: 0, end: 500 }]);
  });

  test('recordRange() is seen by another connection when it resolved', async () => {
    await using cache = await openCacheDatabase();
    const { generationId } = await newGeneration(cache);
    await cache.generations.recordRange(generationId, { start: 5, end: 10 }, [{ start: 5, end: 10, crc32: 7 }], NOW_MS);
    const other = connect(cache.file);
    expect(
      (await other.execute('SELECT start, "end" FROM cache_chunks')).rows.map((row) => [row.start, row.end]),
    ).toEqual([[5, 10]]);
    expect((await other.execute('SELECT crc32 FROM chunk_checksums')).rows[0]!.crc32).toBe(7);
    other.close();
  });

  test('recordRange() records neither range nor checksums when one of them is refused', async () => {
    await using cache = await openCacheDatabase();
    const { generationId } = await newGeneration(cache);
    await cache.generations.recordRange(generationId, { start: 0, end: 10 }, [], NOW_MS);
    const bad = [
      { start: 0, end: 10, crc32: 5 },
      { start: 10, end: 99, crc32: -1 },
    ];
    await expect(cache.generations.recordRange(generationId, { start: 0, end: 99 }, bad, NOW_MS)).rejects.toThrow();
    expect(await cache.generations.listRanges(generationId)).toEqual([{ start: 0, end: 10 }]);
    expect(await cache.generations.listChecksums(generationId, ALL)).toEqual([]);
  });

  test('recordRange() keeps the longer of two spans that begin at the same byte', async () => {
    await using cache = await openCacheDatabase();
    const { generationId } = await newGeneration(cache);
    const record = (end: number, crc32: number) =>
      cache.generations.recordRange(generationId, { start: 0, end }, [{ start: 0, end, crc32 }], NOW_MS);
    await record(100, 1);
    await record(200, 2);
    await record(150, 3);
    expect(await cache.generations.listChecksums(generationId, ALL)).toEqual([{ start: 0, end: 200, crc32: 2 }]);
  });

  test('listChecksums() gives the spans that have a byte in the range, and no other', async () => {
    await using cache = await openCacheDatabase();
    const { generationId } = await newGeneration(cache);
    const spans = [0, 1, 2, 3].map((cell) => ({
      start: cell * CHUNK_BYTES,
      end: (cell + 1) * CHUNK_BYTES,
      crc32: cell,
    }));
    await cache.generations.recordRange(generationId, { start: 0, end: 4 * CHUNK_BYTES }, spans, NOW_MS);
    const list = async (start: number, end: number) =>
      (await cache.generations.listChecksums(generationId, { start, end })).map((span) => span.crc32);
    expect(await list(CHUNK_BYTES, CHUNK_BYTES + 1)).toEqual([1]);
    expect(await list(CHUNK_BYTES - 1, CHUNK_BYTES + 1)).toEqual([0, 1]);
    expect(await list(2 * CHUNK_BYTES - 1, 2 * CHUNK_BYTES)).toEqual([1]);
    expect(await list(0, 9 * CHUNK_BYTES)).toEqual([0, 1, 2, 3]);
  });

  test('loseRange() drops the checksums of the spans that it reaches into', async () => {
    await using cache = await openCacheDatabase();
    const { generationId } = await newGeneration(cache);
    const spans = [0, 1, 2, 3].map((cell) => ({
      start: cell * CHUNK_BYTES,
      end: (cell + 1) * CHUNK_BYTES,
      crc32: cell,
    }));
    await cache.generations.recordRange(generationId, { start: 0, end: 4 * CHUNK_BYTES }, spans, NOW_MS);
    const kept = [
      { start: 0, end: CHUNK_BYTES },
      { start: 3 * CHUNK_BYTES, end: 4 * CHUNK_BYTES },
    ];
    const lost = { start: CHUNK_BYTES, end: 3 * CHUNK_BYTES };
    await cache.generations.loseRange(generationId, kept, lost, NOW_MS);
    expect(await cache.generations.listChecksums(generationId, ALL)).toEqual([spans[0]!, spans[3]!]);
    expect(await cache.generations.listRanges(generationId)).toEqual(kept);
  });
});

describe('many ranges of one file', () => {
  /** More than one page, and more than one step. */
  const COUNT = 1_300;
  const ranges = Array.from({ length: COUNT }, (_, index) => ({ start: index * 10, end: index * 10 + 5 }));

  /** Turns of the loop that others get while `action` runs. */
  async function countTurns(action: () => Promise<unknown>): Promise<number> {
    let turns = 0;
    let isOver = false;
    const count = () => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    await action();
    isOver = true;
    return turns;
  }

  async function withManyRanges(cache: CacheDatabase): Promise<{ entryId: number; generationId: number }> {
    const made = await newGeneration(cache);
    const checksums = ranges.map((range, crc32) => ({ ...range, crc32 }));
    await cache.generations.adopt(made.generationId, ranges, checksums, NOW_MS);
    return made;
  }

  test('loseRange() writes no row that does not touch what was lost', async () => {
    await using cache = await openCacheDatabase();
    const { generationId } = await withManyRanges(cache);
    const lost = { start: 5_000, end: 5_003 };
    await cache.generations.loseRange(generationId, [{ start: 5_003, end: 5_005 }], lost, NOW_MS + 1);
    const written = await cache.rows(`SELECT start, "end" FROM cache_chunks WHERE recorded_at = ${NOW_MS + 1}`);
    expect(written.map(({ start, end }) => [start, end])).toEqual([[5_003, 5_005]]);
    const model = RangeSet.of(ranges);
    model.remove(lost.start, lost.end);
    expect(await cache.generations.listRanges(generationId)).toEqual(model.toArray());
  });

  test('listRanges(), listChecksums() and findSummary() let others have a turn, and give all', async () => {
    await using cache = await openCacheDatabase();
    const { entryId, generationId } = await withManyRanges(cache);
    const { generationId: neighbour } = await newGeneration(cache, 'b');
    await cache.generations.recordRange(neighbour, { start: 0, end: 5 }, [], NOW_MS);
    const asked: readonly (() => Promise<number>)[] = [
      async () => (await cache.generations.listRanges(generationId)).length,
      async () => (await cache.generations.listChecksums(generationId, ALL)).length,
      async () => (await cache.entries.findSummary(entryId))!.ranges.length,
    ];
    for (const ask of asked) {
      let found = 0;
      const turns = await countTurns(async () => {
        found = await ask();
      });
      expect(found).toBe(COUNT);
      expect(turns).toBeGreaterThanOrEqual(2);
    }
    const listed = await cache.entries.listRecent(9, null);
    expect(listed.map((entry) => entry.ranges.length).sort()).toEqual([1, COUNT]);
  });

  test('clear() and remove() let others have a turn, and leave nothing', async () => {
    for (const method of ['clear', 'remove'] as const) {
      await using cache = await openCacheDatabase();
      const { generationId } = await withManyRanges(cache);
      const { generationId: neighbour } = await newGeneration(cache, 'b');
      await cache.generations.recordRange(neighbour, { start: 0, end: 5 }, [{ start: 0, end: 5, crc32: 1 }], NOW_MS);
      const turns = await countTurns(() =>
        method === 'clear' ? cache.generations.clear(generationId) : cache.generations.remove([generationId]),
      );
      expect(turns).toBeGreaterThanOrEqual(COUNT / 200 - 1);
      expect(await cache.generations.listRanges(generationId)).toEqual([]);
      expect(await cache.generations.listChecksums(generationId, ALL)).toEqual([]);
      expect(await cache.generations.listRanges(neighbour)).toEqual([{ start: 0, end: 5 }]);
      expect((await cache.statistics.get()).cachedBytes).toBe(5);
    }
  });

  test('listUnknownFiles() names the files that no generation has', async () => {
    await using cache = await openCacheDatabase();
    await newGeneration(cache);
    const asked = ['films/x', 'films/a', 'films/"\\'];
    expect(await cache.generations.listUnknownFiles(asked)).toEqual(['films/x', 'films/"\\']);
  });

  test('listFiles() says where the last range ends', async () => {
    await using cache = await openCacheDatabase();
    const { generationId } = await withManyRanges(cache);
    const { generationId: empty } = await newGeneration(cache, 'b');
    const files = await cache.generations.listFiles(9, 0);
    expect(files.map((file) => [file.generationId, file.lengthAtLeast])).toEqual([
      [generationId, ranges.at(-1)!.end],
      [empty, 0],
    ]);
  });
});

describe('cache_statistics', () => {
  test('the triggers keep entry count and cached bytes true when anything happens in any order', async () => {
    await using cache = await openCacheDatabase();
    const { id: sourceId } = await cache.sources.declare('films', 'http://h/', NOW_MS);
    const random = createRandom(testSeed);
    const model = new Map<number, Map<number, RangeSet>>();
    for (let step = 0; step < 400; step++) {
      const entryIds = [...model.keys()];
      const entryId = entryIds.length > 0 ? random.pick(entryIds) : null;
      const generations = entryId === null ? [] : [...model.get(entryId)!];
      const dice = random.next();
      if (entryId === null || dice < 0.15) {
        const made = await cache.entries.ensure(entryOf(sourceId, `film ${random.between(0, 30)}`), NOW_MS);
        if (!model.has(made.entryId)) model.set(made.entryId, new Map());
      } else if (generations.length === 0 || dice < 0.25) {
        for (const [id] of generations) await cache.generations.supersede(id, NOW_MS);
        const { generation } = await cache.generations.create(generationOf(entryId, `f${step}`), NOW_MS);
        model.get(entryId)!.set(generation.id, new RangeSet());
      } else if (dice < 0.85) {
        const [generationId, ranges] = random.pick(generations);
        const start = random.between(0, 5_000);
        const end = start + random.between(1, 500);
        await cache.generations.recordRange(generationId, ranges.mergedWith(start, end), [], NOW_MS);
        ranges.add(start, end);
      } else if (dice < 0.9) {
        const [generationId, ranges] = random.pick(generations);
        const length = random.between(0, 5_000);
        ranges.remove(length, 10_000);
        await cache.generations.loseRange(generationId, ranges.toArray(), { start: length, end: 10_000 }, NOW_MS);
      } else if (dice < 0.95) {
        const [generationId] = random.pick(generations);
        await cache.generations.remove([generationId]);
        model.get(entryId)!.delete(generationId);
      } else {
        await cache.entries.remove(entryId);
        model.delete(entryId);
      }
      const bytes = [...model.values()]
        .flatMap((one) => [...one.values()])
        .reduce((sum, ranges) => sum + ranges.byteCount, 0);
      const { entryCount, cachedBytes } = await cache.statistics.get();
      expect({ seed: testSeed, step, entryCount, cachedBytes }).toEqual({
        seed: testSeed,
        step,
        entryCount: model.size,
        cachedBytes: bytes,
      });
    }
    // The owner takes the source away: the cascade counts as well.
    await cache.database.client.execute(`DELETE FROM sources WHERE id = ${sourceId}`);
    expect(await cache.statistics.get()).toMatchObject({ entryCount: 0, cachedBytes: 0 });
  });

  test('add() adds up counters and touches nothing else', async () => {
    await using cache = await openCacheDatabase();
    const counters = {
      servedBytes: 1,
      servedFromDiskBytes: 2,
      originBytes: 3,
      hitCount: 4,
      partialCount: 5,
      missCount: 6,
    };
    await cache.statistics.add(counters, 1);
    await cache.statistics.add(counters, 2);
    expect(await cache.statistics.get()).toEqual({
      id: 1,
      entryCount: 0,
      cachedBytes: 0,
      servedBytes: 2,
      servedFromDiskBytes: 4,
      originBytes: 6,
      hitCount: 8,
      partialCount: 10,
      missCount: 12,
      updatedAt: 2,
    });
  });
});

describe('identities', () => {
  test('ensure() makes each source, item and entry once when it is asked again', async () => {
    await using cache = await openCacheDatabase();
    const source = await cache.sources.declare('films', 'http://one/', NOW_MS);
    const again = await cache.sources.declare('films', 'http://two/', NOW_MS + 1);
    expect(again).toMatchObject({ id: source.id, url: 'http://two/', createdAt: NOW_MS, updatedAt: NOW_MS + 1 });
    const one = await cache.entries.ensure(entryOf(source.id, 'a'), NOW_MS);
    expect(await cache.entries.ensure(entryOf(source.id, 'a', { title: 'A' }), NOW_MS)).toEqual(one);
    const other = await cache.entries.ensure(entryOf(source.id, 'a', { quality: '720p' }), NOW_MS);
    expect(other.mediaId).toBe(one.mediaId);
    expect(other.entryId).not.toBe(one.entryId);
    expect(await cache.rows('SELECT count(*) AS n FROM cache_entries')).toEqual([{ n: 2 }]);
  });

  test('create() ends the generation that was current, in the same transaction', async () => {
    await using cache = await openCacheDatabase();
    const { entryId, generationId, sourceId } = await newGeneration(cache);
    const { generation } = await cache.generations.create(generationOf(entryId, 'other'), NOW_MS);
    expect((await cache.entries.find(entryOf(sourceId, 'a')))!.generation!.id).toBe(generation.id);
    expect((await cache.generations.listSuperseded()).map((row) => row.id)).toEqual([generationId]);
    // The name of a file is taken once: nothing of it is done.
    await expect(cache.generations.create(generationOf(entryId, 'other'), NOW_MS)).rejects.toThrow();
    expect((await cache.entries.find(entryOf(sourceId, 'a')))!.generation!.id).toBe(generation.id);
  });

  test('create() leaves no generation without headers when something goes wrong between them', async () => {
    await using cache = await openCacheDatabase();
    await newGeneration(cache);
    const rows = await cache.rows(
      'SELECT count(*) AS n FROM cache_generations LEFT JOIN cache_headers ON generation_id = id WHERE generation_id IS NULL',
    );
    expect(rows).toEqual([{ n: 0 }]);
  });

  test('the tables refuse words, negative numbers and ranges that make no sense', async () => {
    await using cache = await openCacheDatabase();
    const { entryId, generationId, sourceId } = await newGeneration(cache);
    const wrong = [
      "INSERT INTO sources (name, kind, url, created_at, updated_at) VALUES ('x', 'ftp', 'u', 0, 0)",
      `INSERT INTO media_items (source_id, key, type, title, created_at) VALUES (${sourceId}, 'k', 'podcast', 't', 0)`,
      `INSERT INTO media_items (source_id, key, type, title, created_at) VALUES (999, 'k', 'video', 't', 0)`,
      `INSERT INTO cache_chunks VALUES (${generationId}, 5, 5, 0)`,
      `INSERT INTO cache_chunks VALUES (${generationId}, -1, 5, 0)`,
      `INSERT INTO cache_chunks VALUES (999, 1, 5, 0)`,
      `INSERT INTO cache_chunks VALUES (${generationId}, 1.5, 5, 0)`,
      `INSERT INTO chunk_checksums VALUES (${generationId}, 0, 5, 4294967296)`,
      `INSERT INTO chunk_checksums VALUES (${generationId}, 5, 5, 0)`,
      `INSERT INTO cache_entries (source_id, media_id, quality, created_at, last_used_at, pinned) VALUES (${sourceId}, 1, 'q', 0, 0, 2)`,
      `INSERT INTO cache_download_queue (entry_id, requested_by, state, next_attempt_at, created_at) VALUES (${entryId}, 'me', 'queued', 0, 0)`,
      `INSERT INTO cache_download_queue (entry_id, requested_by, state, next_attempt_at, created_at) VALUES (${entryId}, 'person', 'processing', 0, 0)`,
      'INSERT INTO cache_statistics (id, entry_count, cached_bytes) VALUES (2, 0, 0)',
    ];
    for (const sql of wrong) {
      await expect(cache.database.client.execute(sql)).rejects.toThrow(/constraint|cannot store|FOREIGN KEY/i);
    }
  });
});

describe('EntryTable', () => {
  test('find() gives the current generation with its headers, null for what was never opened', async () => {
    await using cache = await openCacheDatabase();
    const { entryId, sourceId, generationId } = await newGeneration(cache);
    expect(await cache.entries.find(entryOf(sourceId, 'a'))).toMatchObject({
      entryId,
      generation: { id: generationId },
      headers: { generationId },
    });
    await cache.generations.supersede(generationId, NOW_MS);
    expect(await cache.entries.find(entryOf(sourceId, 'a'))).toMatchObject({
      entryId,
      generation: null,
      headers: null,
    });
    expect(await cache.entries.find(entryOf(sourceId, 'a', { quality: '480p' }))).toBeNull();
    expect(await cache.entries.find(entryOf(sourceId + 1, 'a'))).toBeNull();
  });

  test('only what a player used was played', async () => {
    await using cache = await openCacheDatabase();
    const { id } = await cache.sources.declare('films', 'http://h/', NOW_MS);
    const { entryId } = await cache.entries.ensure(entryOf(id, 'a'), NOW_MS);
    await cache.entries.ensure(entryOf(id, 'a'), NOW_MS + 10);
    const played = async () => [
      (await cache.entries.findSummary(entryId))?.lastPlayedAt,
      (await cache.rows('SELECT last_used_at FROM media_statistics'))[0]!.last_used_at,
    ];
    expect(await played()).toEqual([null, 0]);
    await cache.entries.recordUse(new Map([[entryId, { atMs: NOW_MS + 20, count: 1 }]]));
    await cache.entries.ensure(entryOf(id, 'a'), NOW_MS + 30);
    expect(await played()).toEqual([NOW_MS + 20, NOW_MS + 20]);
  });

  test('recordUse() changes the order of the list when an older entry is read', async () => {
    await using cache = await openCacheDatabase();
    const { id } = await cache.sources.declare('films', 'http://h/', NOW_MS);
    const ids: number[] = [];
    for (const [index, name] of ['a', 'b', 'c'].entries())
      ids.push((await cache.entries.ensure(entryOf(id, name), NOW_MS + index)).entryId);
    const titles = async () => (await cache.entries.listRecent(10, null)).map((entry) => entry.title);
    expect(await titles()).toEqual(['c', 'b', 'a']);
    await cache.entries.recordUse(
      new Map([
        [ids[0]!, { atMs: NOW_MS + 99, count: 3 }],
        [ids[1]!, { atMs: NOW_MS + 50, count: 1 }],
      ]),
    );
    expect(await titles()).toEqual(['a', 'b', 'c']);
    expect((await cache.rows('SELECT use_count FROM cache_entries ORDER BY id')).map((row) => row.use_count)).toEqual([
      3, 1, 0,
    ]);
    await cache.entries.recordUse(new Map());
  });

  test('listRecent() gives each entry once, with its ranges, when it is paged through and times are equal', async () => {
    await using cache = await openCacheDatabase();
    const { id } = await cache.sources.declare('films', 'http://h/', NOW_MS);
    for (let index = 0; index < 25; index++) {
      const { entryId } = await cache.entries.ensure(entryOf(id, `film ${index}`), NOW_MS + Math.floor(index / 4));
      const { generation } = await cache.generations.create(generationOf(entryId, `f${index}`), NOW_MS);
      await cache.generations.recordRange(generation.id, { start: index, end: index + 1 }, [], NOW_MS);
    }
    const seen: string[] = [];
    let cursor: { lastUsedAt: number; entryId: number } | null = null;
    for (;;) {
      const page = await cache.entries.listRecent(7, cursor);
      if (page.length === 0) break;
      for (const entry of page) {
        seen.push(entry.title);
        const index = Number(entry.title.slice(5));
        expect(entry.ranges).toEqual([{ start: index, end: index + 1 }]);
      }
      const { lastUsedAt, entryId } = page.at(-1)!;
      cursor = { lastUsedAt, entryId };
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => `film ${24 - index}`));
  });
});
