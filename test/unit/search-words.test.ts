import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { LibraryTable } from '../../src/db/library.ts';
import { MediaTable } from '../../src/db/media.ts';
import { PlaylistTable } from '../../src/db/playlists.ts';
import { EVERYTHING } from '../../src/library/item-filter.ts';
import { Library } from '../../src/library/library.ts';
import { readSearchWords } from '../../src/library/search-words.ts';
import { entryOf, NOW_MS, openCacheDatabase } from '../support/cache-database.ts';
import { runs } from '../support/property.ts';

test('readSearchWords() takes words out of anything', () => {
  expect(readSearchWords('  The "Big" sleep* ')).toEqual(['the', 'big', 'sleep']);
  expect(readSearchWords("l'été AND (noir) OR NEAR/2")).toEqual(['l', 'été', 'and', 'noir', 'or', 'near', '2']);
  expect(readSearchWords('🎬 — …')).toEqual([]);
  expect(readSearchWords('e\u0301te\u0301')).toEqual(['été']);
  expect(readSearchWords('x'.repeat(10_000))).toEqual(['x'.repeat(64)]);
  expect(readSearchWords('a '.repeat(5_000))).toEqual(['a']);
});

test('whatever is typed finds something or nothing, and is never an error', async () => {
  await using cache = await openCacheDatabase();
  const { id: sourceId } = await cache.sources.declare('films', 'http://h/', NOW_MS);
  const titles = ['The Big Sleep', "L'Été meurtrier", 'Straße', '東京物語', 'AND', 'Alien³'];
  for (const title of titles) await cache.entries.ensure(entryOf(sourceId, title, { title, year: 1980 }), NOW_MS);
  const library = new Library({
    library: new LibraryTable(cache.database.tables),
    media: new MediaTable(cache.database.tables),
    playlists: new PlaylistTable(cache.database.tables),
    sources: () => [{ id: sourceId, name: 'films', isFailing: false }],
  });
  const find = async (query: string) => {
    const page = await library.search({ ...EVERYTHING, query, sort: 'title', cursor: null, limit: 50 });
    return page.items.map((item) => item.title);
  };
  expect(await find('')).toHaveLength(titles.length);
  expect(await find('big sl')).toEqual(['The Big Sleep']);
  expect(await find('ete')).toEqual(["L'Été meurtrier"]);
  expect(await find('ÉTÉ 1980')).toEqual(["L'Été meurtrier"]);
  expect(await find('東京')).toEqual(['東京物語']);
  expect(await find('and')).toEqual(['AND']);
  expect(await find('"')).toEqual([]);
  expect(await find('sleep" OR "and')).toEqual([]);
  for (const odd of [
    '*',
    '"',
    "'",
    'a"b',
    '\\',
    'NEAR(',
    'title:x',
    '-x',
    '^x',
    '{',
    '\0',
    'a\0b',
    '%',
    '\ud83d',
    '🎬 film',
    '𞤀𞤁',
  ]) {
    await find(odd);
  }
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async (query) => {
      await find(query);
    }),
    runs(200),
  );
});
