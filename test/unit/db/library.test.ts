// The rows that the library is listed by are kept true by triggers: whatever is done to items, entries, versions and
// ranges, in any order, they say what counting everything anew would say.
import { describe, expect, test } from 'bun:test';
import { RangeSet } from '../../../src/bytes/range-set.ts';
import type { EvictableEntry } from '../../../src/db/entries.ts';
import { type Availability, type ItemCursor, type ItemSort, LibraryTable } from '../../../src/db/library.ts';
import { foldTitle } from '../../../src/db/sort-title.ts';
import { type CacheDatabase, entryOf, generationOf, NOW_MS, openCacheDatabase } from '../../support/cache-database.ts';
import { createRandom, type Random, testSeed } from '../../support/random.ts';

const LIMIT_MS = 60_000;

interface Known {
  readonly entryId: number;
  readonly mediaId: number;
  generationId: number | null;
}

/** Everything counted anew, with plain statements that share nothing with the triggers. */
async function counted(cache: CacheDatabase) {
  const items = await cache.rows('SELECT * FROM media_items ORDER BY id');
  const variants = await cache.rows('SELECT * FROM cache_quality_variants');
  const entries = await cache.rows('SELECT * FROM cache_entries');
  const generations = await cache.rows('SELECT * FROM cache_generations');
  const chunks = await cache.rows('SELECT * FROM cache_chunks');
  const bytesOf = (id: unknown) =>
    chunks
      .filter((chunk) => chunk.generation_id === id)
      .reduce((sum, chunk) => sum + Number(chunk.end) - Number(chunk.start), 0);
  return {
    bytes: generations.map((generation) => [generation.id, bytesOf(generation.id)]),
    items: items.map((item) => {
      const own = entries.filter((entry) => entry.media_id === item.id && entry.removed_at === null);
      const current = generations.filter(
        (generation) => generation.superseded_at === null && own.some((entry) => entry.id === generation.entry_id),
      );
      const availability: Availability = current.some((one) => bytesOf(one.id) === one.total_bytes)
        ? 'whole'
        : current.some((one) => bytesOf(one.id) > 0)
          ? 'partly'
          : 'none';
      return {
        media_id: item.id,
        source_id: item.source_id,
        type: item.type,
        sort_title: item.sort_title ?? String(item.title).toLowerCase(),
        size_bytes: Math.max(
          0,
          ...variants.filter((one) => one.media_id === item.id).map((one) => Number(one.size_bytes)),
        ),
        availability,
        pinned: own.some((entry) => entry.pinned === 1) ? 1 : 0,
        missing: own.some((entry) => entry.missing_since !== null) ? 1 : 0,
        added_at: item.created_at,
      };
    }),
  };
}

async function expectTrue(cache: CacheDatabase): Promise<void> {
  const { items, bytes } = await counted(cache);
  const columns = 'media_id, source_id, type, sort_title, size_bytes, availability, pinned, missing, added_at';
  expect(await cache.rows(`SELECT ${columns} FROM media_statistics ORDER BY media_id`)).toEqual(items as never);
  const sums = await cache.rows('SELECT id, cached_bytes FROM cache_generations');
  expect(sums.map((row) => [row.id, row.cached_bytes])).toEqual(bytes as never);
  const facets = await cache.rows(
    'SELECT facet, COUNT(*) AS item_count FROM media_statistics GROUP BY facet ORDER BY facet',
  );
  expect(await cache.rows('SELECT facet, item_count FROM media_facets WHERE item_count > 0 ORDER BY facet')).toEqual(
    facets,
  );
  const used = await cache.rows(
    `SELECT media_items.id FROM media_items JOIN media_statistics ON media_id = media_items.id
     WHERE last_used_at < (SELECT MAX(last_played_at) FROM cache_entries WHERE cache_entries.media_id = media_items.id)`,
  );
  expect(used).toEqual([]);
  const found = await new LibraryTable(cache.database.tables).match(['film'], 'used', 1_000);
  expect(found.map((place) => place.mediaId).sort((one, other) => one - other)).toEqual(
    items.map((item) => Number(item.media_id)),
  );
}

async function changeSomething(cache: CacheDatabase, random: Random, known: Known[], sourceId: number): Promise<void> {
  const { entries, generations } = cache;
  const dice = random.between(1, 14);
  const nowMs = NOW_MS + random.between(0, 1_000_000);
  if (dice <= 2 || known.length === 0) {
    const name = `f${random.between(1, 6)}`;
    const quality = random.pick(['original', '1080p']);
    const path = `${name}.${quality}`;
    const made = await entries.ensure(
      entryOf(sourceId, name, { quality, title: `The Film ${random.between(1, 3)}`, path }),
      nowMs,
    );
    if (!known.some((one) => one.entryId === made.entryId)) known.push({ ...made, generationId: null });
    return;
  }
  const one = random.pick(known);
  if (dice === 3 || one.generationId === null) {
    const totalBytes = random.pick([null, 0, 40, 100]);
    const fileName = `g${nowMs}-${random.between(1, 1e9)}`;
    const { generation } = await generations.create(generationOf(one.entryId, fileName, { totalBytes }), nowMs);
    one.generationId = generation.id;
    if (totalBytes !== null) await entries.recordSize(one.mediaId, random.pick(['original', '1080p']), totalBytes);
    return;
  }
  const { generationId } = one;
  const ranges = RangeSet.of(await generations.listRanges(generationId));
  if (dice <= 8) {
    const start = random.between(0, 90);
    const end = random.chance(0.1) ? 100 : random.between(start + 1, 100);
    await generations.recordRange(generationId, ranges.mergedWith(start, end), [{ start, end, crc32: 1 }], nowMs);
  } else if (dice === 9) {
    const start = random.between(0, 50);
    const lost = { start, end: random.between(start + 1, 100) };
    ranges.remove(lost.start, lost.end);
    await generations.loseRange(generationId, ranges.toArray(), lost, nowMs);
  } else if (dice === 10) {
    await entries.setPinned(one.entryId, random.chance(0.5));
    await entries.setRemoved(one.entryId, random.chance(0.5) ? nowMs : null);
  } else if (dice === 11) {
    if (random.chance(0.5)) await entries.recordMissing(one.entryId, 'gone', nowMs);
    else await entries.recordFound(one.entryId);
  } else if (dice === 12) {
    if (random.chance(0.5)) await generations.supersede(generationId, nowMs);
    else await generations.remove([generationId]);
    one.generationId = null;
  } else if (dice === 13) {
    await entries.recordUse(new Map([[one.entryId, { atMs: nowMs, count: 1 }]]));
    await generations.recordLength(generationId, random.between(1, 100));
  } else {
    await entries.remove(one.entryId);
    known.splice(known.indexOf(one), 1);
  }
}

describe('media_statistics', () => {
  test(
    'says what counting anew says, after anything that was done to the tables below it',
    async () => {
      for (let seed = testSeed; seed < testSeed + 8; seed += 1) {
        await using cache = await openCacheDatabase();
        const random = createRandom(seed);
        const { id: sourceId } = await cache.sources.declare('films', 'http://h/', NOW_MS);
        const known: Known[] = [];
        for (let step = 0; step < 60; step += 1) {
          await changeSomething(cache, random, known, sourceId);
          if (step % 5 === 4) await expectTrue(cache);
        }
      }
    },
    LIMIT_MS,
  );

  test('goes with its item, and the words to search with it', async () => {
    await using cache = await openCacheDatabase();
    const { id: sourceId } = await cache.sources.declare('films', 'http://h/', NOW_MS);
    const { mediaId } = await cache.entries.ensure(entryOf(sourceId, 'film'), NOW_MS);
    await cache.database.client.execute('DELETE FROM sources');
    expect(await cache.rows('SELECT * FROM media_statistics')).toEqual([]);
    expect(await cache.rows('SELECT item_count FROM media_facets WHERE item_count > 0')).toEqual([]);
    const library = new LibraryTable(cache.database.tables);
    expect(await library.match(['film'], 'used', 5)).toEqual([]);
    expect(await library.listItems([mediaId])).toEqual([]);
  });
});

describe('LibraryTable', () => {
  test('listPlaces() gives every item once, in order, page by page, for any facets and any order', async () => {
    await using cache = await openCacheDatabase();
    const random = createRandom(testSeed);
    const sources = [
      await cache.sources.declare('one', 'http://h/', NOW_MS),
      await cache.sources.declare('two', 'http://h/', NOW_MS),
    ];
    for (let index = 0; index < 60; index += 1) {
      const details = {
        title: random.pick(['Able', 'Ébène', 'The Zoo', 'abba', 'A 2', 'a 10']),
        type: random.pick(['video', 'audio'] as const),
      };
      const { entryId } = await cache.entries.ensure(
        entryOf(random.pick(sources).id, `f${index}`, details),
        NOW_MS + random.between(0, 9),
      );
      if (random.chance(0.3)) await cache.entries.setPinned(entryId, true);
    }
    const library = new LibraryTable(cache.database.tables);
    const facets = (await library.listFacets()).map((facet) => facet.facet);
    const columns = { used: 'last_used_at', title: 'sort_title', size: 'size_bytes', added: 'added_at' };
    for (const sort of Object.keys(columns) as ItemSort[]) {
      for (let round = 0; round < 5; round += 1) {
        const wanted = round === 0 ? facets : facets.filter(() => random.chance(0.5));
        const direction = sort === 'title' ? 'ASC' : 'DESC';
        const expected = await cache.rows(
          `SELECT media_id FROM media_statistics WHERE facet IN (${wanted.join() || 'NULL'}) ORDER BY ${columns[sort]} ${direction}, media_id ${direction}`,
        );
        const seen: number[] = [];
        for (let cursor: ItemCursor | null = null; ; ) {
          const page = await library.listPlaces(wanted, sort, cursor, 7);
          seen.push(...page.map((place) => place.mediaId));
          const last = page.at(-1);
          if (last === undefined) break;
          cursor = last;
        }
        expect(seen).toEqual(expected.map((row) => Number(row.media_id)));
      }
    }
  });

  test('titles sort without case, accents, articles and marks, and with numbers in their order', () => {
    const titles = ['Zulu', 'The Ark', 'épisode 10', 'Épisode 2', '“Bar”', 'an Axe', 'A', 'Theory', '7 Up', '12 Men'];
    const sorted = titles.toSorted((left, right) => (foldTitle(left) < foldTitle(right) ? -1 : 1));
    expect(sorted).toEqual([
      '7 Up',
      '12 Men',
      'A',
      'The Ark',
      'an Axe',
      '“Bar”',
      'Épisode 2',
      'épisode 10',
      'Theory',
      'Zulu',
    ]);
  });
});

test('listEvictable() gives what was dropped by hand first, also when it is pinned', async () => {
  await using cache = await openCacheDatabase();
  const { id: sourceId } = await cache.sources.declare('films', 'http://h/', NOW_MS);
  const ids: number[] = [];
  for (let index = 0; index < 4; index += 1) {
    const { entryId } = await cache.entries.ensure(entryOf(sourceId, `f${index}`), NOW_MS + index);
    const { generation } = await cache.generations.create(generationOf(entryId, `g${index}`), NOW_MS);
    await cache.generations.recordRange(generation.id, { start: 0, end: 5 }, [], NOW_MS);
    ids.push(entryId);
  }
  await cache.entries.setPinned(ids[3]!, true);
  await cache.entries.setRemoved(ids[3]!, NOW_MS);
  await cache.entries.setRemoved(ids[2]!, NOW_MS + 1);
  const order = [ids[3]!, ids[2]!, ids[0]!, ids[1]!];
  for (const limit of [1, 2, 3, 5]) {
    const seen: number[] = [];
    for (let cursor: EvictableEntry | null = null; seen.length < 4; ) {
      const page: EvictableEntry[] = await cache.entries.listEvictable(limit, cursor);
      seen.push(...page.map((entry) => entry.entryId));
      cursor = page.at(-1) ?? null;
      if (cursor === null || (limit === 1 && seen.length === 1)) break;
    }
    // What was dropped goes, so that nobody pages through it: of a page that is full of it the rest comes with the next.
    expect(seen).toEqual(limit === 1 ? [ids[3]!] : order);
  }
});
