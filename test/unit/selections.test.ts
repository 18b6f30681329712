// What acting on many would touch is the same, whichever way it is added up.
import { expect, test } from 'bun:test';
import { LibraryTable } from '../../src/db/library.ts';
import { MediaTable } from '../../src/db/media.ts';
import { PlaylistTable } from '../../src/db/playlists.ts';
import { EVERYTHING } from '../../src/library/item-filter.ts';
import { Library } from '../../src/library/library.ts';
import { Selections } from '../../src/library/selections.ts';
import { entryOf, generationOf, NOW_MS, openCacheDatabase } from '../support/cache-database.ts';

test('a filter, its items by number, and its words come to the same', async () => {
  await using cache = await openCacheDatabase();
  const { id: sourceId } = await cache.sources.declare('films', 'http://h/', NOW_MS);
  for (let index = 0; index < 12; index += 1) {
    const details = { title: `Film ${index}`, quality: index % 2 === 0 ? 'original' : '1080p' };
    const { entryId, mediaId } = await cache.entries.ensure(entryOf(sourceId, `f${index}`, details), NOW_MS);
    const totalBytes = index === 3 ? null : 1_000 * (index + 1);
    const { generation } = await cache.generations.create(generationOf(entryId, `g${index}`, { totalBytes }), NOW_MS);
    if (totalBytes !== null) await cache.entries.recordSize(mediaId, details.quality, totalBytes);
    const end = [0, 500, totalBytes ?? 700][index % 3]!;
    if (end > 0) await cache.generations.recordRange(generation.id, { start: 0, end }, [], NOW_MS);
    if (index === 6) await cache.entries.remove(entryId);
    if (index === 7) await cache.entries.setRemoved(entryId, NOW_MS);
  }
  const table = new LibraryTable(cache.database.tables);
  const library = new Library({
    library: table,
    media: new MediaTable(cache.database.tables),
    playlists: new PlaylistTable(cache.database.tables),
    sources: () => [{ id: sourceId, name: 'films', isFailing: false }],
  });
  const selections = new Selections({ library, table, entries: cache.entries });
  for (const change of [{}, { availability: 'none' }, { availability: 'partly' }, { availability: 'whole' }] as const) {
    const filter = { ...EVERYTHING, ...change };
    const mediaIds: number[] = [];
    for await (const ids of library.ids(filter, 5)) mediaIds.push(...ids);
    const byIds = await selections.measure({ kind: 'items', mediaIds });
    const byWords = await selections.measure({ kind: 'filter', filter: { ...filter, query: 'film' } });
    const byFacets = await selections.measure({ kind: 'filter', filter });
    expect(byFacets.itemCount).toBe(mediaIds.length);
    for (const size of [byIds, byWords]) {
      expect([size.itemCount, size.cachedBytes]).toEqual([byFacets.itemCount, byFacets.cachedBytes]);
    }
    expect(byWords).toEqual({ ...byIds, title: null });
    if (!('availability' in change) || change.availability === 'none') continue;
    expect(byFacets).toEqual(byWords);
  }
});
