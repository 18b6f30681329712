// Items apart from their files: parents that come late, ids, subtitles, the same work elsewhere, and rows that somebody
// else made meanwhile.
import { describe, expect, test } from 'bun:test';
import { CatalogueTable } from '../../../src/db/catalogue.ts';
import { type MediaDescription, MediaTable } from '../../../src/db/media.ts';
import { type CacheDatabase, NOW_MS, openCacheDatabase } from '../../support/cache-database.ts';

function described(key: string, details: Partial<MediaDescription> = {}): MediaDescription {
  return {
    key,
    type: 'movie',
    title: `Title of ${key}`,
    year: null,
    parentKey: null,
    season: null,
    episode: null,
    durationMs: null,
    overview: null,
    artwork: null,
    otherIds: [],
    subtitles: [],
    fingerprint: `of ${key}`,
    ...details,
  };
}

const subtitle = { language: 'de', title: null, format: 'srt', locator: 'l', isForced: false };

async function setUp() {
  const cache = await openCacheDatabase();
  const { id: sourceId } = await cache.sources.declare('films', 'http://h/', NOW_MS);
  return {
    cache,
    sourceId,
    media: new MediaTable(cache.database.tables),
    files: new CatalogueTable(cache.database.tables),
    [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose](),
  };
}

function rowsOf(cache: CacheDatabase) {
  return cache.rows(`
    SELECT item.key, item.type, item.title, parent.key AS parent FROM media_items AS item
    LEFT JOIN media_items AS parent ON parent.id = item.parent_id ORDER BY item.key`);
}

async function find(cache: CacheDatabase, words: string): Promise<unknown[]> {
  const rows = await cache.rows(`
    SELECT key FROM media_search JOIN media_items ON media_items.id = media_search.rowid
    WHERE media_search MATCH '${words}' ORDER BY key`);
  return rows.map(({ key }) => key);
}

const SERIES = described('series', { type: 'series', title: 'Night Train' });
const SEASON = described('season', { type: 'season', title: 'Season 1', parentKey: 'series', season: 1 });
const EPISODE = described('episode', { type: 'episode', title: 'Pilot', parentKey: 'season', season: 1, episode: 1 });

describe('MediaTable', () => {
  test('put() makes rows for parents that were not told of, which get their names when they are', async () => {
    await using setup = await setUp();
    const { media, cache, sourceId } = setup;
    await media.put(sourceId, [EPISODE], NOW_MS, new Set());
    expect(await rowsOf(cache)).toEqual([
      { key: 'episode', type: 'episode', title: 'Pilot', parent: 'season' },
      { key: 'season', type: 'season', title: 'season', parent: null },
    ]);
    expect(await media.fingerprints(sourceId, ['episode', 'season', 'none'])).toEqual(
      new Map([
        ['episode', 'of episode'],
        ['season', null],
      ]),
    );
    expect(await find(cache, 'night')).toEqual([]);
    await media.put(sourceId, [SEASON], NOW_MS, new Set(['season']));
    await media.put(sourceId, [SERIES], NOW_MS, new Set(['series']));
    expect(await rowsOf(cache)).toEqual([
      { key: 'episode', type: 'episode', title: 'Pilot', parent: 'season' },
      { key: 'season', type: 'season', title: 'Season 1', parent: 'series' },
      { key: 'series', type: 'series', title: 'Night Train', parent: null },
    ]);
    // By the name of what is two levels above it.
    expect(await find(cache, 'night')).toEqual(['episode', 'season', 'series']);
  });

  test('put() keeps what belongs together together, in whichever order and batches it comes', async () => {
    const orders = [
      [[SERIES, SEASON, EPISODE]],
      [[EPISODE, SEASON, SERIES]],
      [[SERIES], [SEASON], [EPISODE]],
      [[SEASON], [EPISODE, SERIES]],
    ];
    for (const batches of orders) {
      await using setup = await setUp();
      const { media, cache, sourceId } = setup;
      for (const batch of batches) {
        const known = await media.fingerprints(sourceId, ['series', 'season', 'episode']);
        await media.put(sourceId, batch, NOW_MS, new Set(known.keys()));
      }
      expect((await rowsOf(cache)).map(({ parent }) => parent)).toEqual(['season', 'series', null]);
      expect(await find(cache, 'night')).toEqual(['episode', 'season', 'series']);
    }
  });

  test('put() writes what it was told although a row of it was made since it was looked for', async () => {
    await using setup = await setUp();
    const { media, cache, sourceId } = setup;
    // As a folder of episodes does that is read at the same time.
    await media.put(sourceId, [SEASON], NOW_MS, new Set());
    await media.put(sourceId, [SERIES, described('film')], NOW_MS, new Set());
    expect(await rowsOf(cache)).toEqual([
      { key: 'film', type: 'movie', title: 'Title of film', parent: null },
      { key: 'season', type: 'season', title: 'Season 1', parent: 'series' },
      { key: 'series', type: 'series', title: 'Night Train', parent: null },
    ]);
  });

  test('put() replaces ids and subtitles by those that there are now', async () => {
    await using setup = await setUp();
    const { media, cache, sourceId } = setup;
    const film = described('film', { otherIds: ['imdb:tt1', 'tmdb:1'], subtitles: [subtitle, subtitle] });
    await media.put(sourceId, [film, described('other', { otherIds: ['imdb:tt2'] })], NOW_MS);
    const filmId = (await media.findId(sourceId, 'film'))!;
    expect((await media.listSubtitles([filmId])).map(({ number }) => number)).toEqual([1, 2]);
    const changed = { ...film, otherIds: ['imdb:tt3'], subtitles: [{ ...subtitle, language: 'en', isForced: true }] };
    await media.put(sourceId, [changed], NOW_MS, new Set(['film']));
    expect(await media.listSubtitles([filmId])).toEqual([
      { mediaId: filmId, number: 1, language: 'en', title: null, format: 'srt', locator: 'l', forced: true } as never,
    ]);
    expect((await cache.rows('SELECT id FROM media_ids ORDER BY id')).map(({ id }) => id)).toEqual([
      'imdb:tt2',
      'imdb:tt3',
    ]);
  });

  test('listSameWork() tells of other sources what has an id in common, once', async () => {
    await using setup = await setUp();
    const { media, cache, sourceId } = setup;
    const { id: otherId } = await cache.sources.declare('attic', 'http://a/', NOW_MS);
    const ids = { otherIds: ['imdb:tt1', 'tmdb:1'] };
    await media.put(sourceId, [described('film', ids), described('alone', { otherIds: ['imdb:tt9'] })], NOW_MS);
    await media.put(otherId, [described('7', { ...ids, title: 'The same' })], NOW_MS);
    const filmId = (await media.findId(sourceId, 'film'))!;
    const same = await media.findId(otherId, '7');
    expect(await media.listSameWork(filmId, 10)).toEqual([{ mediaId: same!, source: 'attic', title: 'The same' }]);
    expect(await media.listSameWork((await media.findId(sourceId, 'alone'))!, 10)).toEqual([]);
  });

  test('listChildren() and countChildren() go by season and number', async () => {
    await using setup = await setUp();
    const { media, sourceId } = setup;
    const episodes = [3, 1, 2].map((episode) => ({ ...EPISODE, key: `e${episode}`, episode }));
    await media.put(sourceId, [SERIES, SEASON, ...episodes], NOW_MS);
    const seasonId = (await media.findId(sourceId, 'season'))!;
    const listed = await media.listChildren(seasonId, 1, 10);
    expect(listed).toEqual([(await media.findId(sourceId, 'e2'))!, (await media.findId(sourceId, 'e3'))!]);
    expect(await media.countChildren(seasonId)).toBe(3);
  });

  test('noteRead() marks qualities that the source named before and does not now, and only such', async () => {
    await using setup = await setUp();
    const { media, files, cache, sourceId } = setup;
    const file = { type: 'movie', title: 'Film', year: null, container: null, sizeBytes: null, stamp: null } as const;
    const named = (quality: string, locator: string | null) => ({
      ...file,
      mediaKey: 'film',
      quality,
      path: quality,
      locator,
    });
    const all = [named('original', 'a'), named('720p', 'b'), named('480p', null)];
    await files.putFiles(sourceId, null, all, NOW_MS);
    const filmId = (await media.findId(sourceId, 'film'))!;
    await media.noteRead(filmId, ['original'], NOW_MS + 5);
    const rows = await cache.rows('SELECT quality, missing_since FROM cache_quality_variants ORDER BY quality');
    // A rung that was played has no locator: the source never named it.
    expect(rows).toEqual([
      { quality: '480p', missing_since: null },
      { quality: '720p', missing_since: NOW_MS + 5 },
      { quality: 'original', missing_since: null },
    ]);
    expect((await media.findFacts([filmId]))[0]?.readAt).toBe(NOW_MS + 5);
  });
});

describe('CatalogueTable', () => {
  test('putFiles() corrects a file that somebody else made a row of meanwhile', async () => {
    await using setup = await setUp();
    const { files, cache, sourceId } = setup;
    const file = {
      mediaKey: 'film',
      quality: 'original',
      type: 'movie',
      title: 'Film',
      year: null,
      path: 'Film/film:original.mkv',
      container: 'mkv',
      sizeBytes: 7,
      stamp: 'one',
      locator: 'here',
    } as const;
    const other = { ...file, mediaKey: 'other' };
    const known = await files.findKnown(sourceId, [file, other]);
    const { mediaKey, quality, title, year, path, container } = file;
    await cache.entries.ensure({ sourceId, mediaKey, quality, type: 'video', title, year, path, container }, NOW_MS);
    await files.putFiles(sourceId, null, [file, other], NOW_MS, known);
    expect(await cache.rows('SELECT stamp, locator, size_bytes FROM cache_quality_variants')).toEqual([
      { stamp: 'one', locator: 'here', size_bytes: 7 },
      { stamp: 'one', locator: 'here', size_bytes: 7 },
    ]);
  });

  test('countPresent() counts the files of a folder that are not gone', async () => {
    await using setup = await setUp();
    const { files, sourceId } = setup;
    await files.startRound(sourceId, NOW_MS);
    const [folder] = await files.listDue(sourceId, 1);
    const file = { type: 'movie', title: 'Film', year: null, container: null, sizeBytes: null, stamp: null } as const;
    const all = ['a', 'b', 'c'].map((mediaKey) => ({ ...file, mediaKey, quality: 'original', path: mediaKey }));
    await files.putFiles(sourceId, folder!.id, all, NOW_MS);
    const listed = await files.listFiles(folder!.id, 0, 10);
    await files.recordMissing([listed[1]!.variantId], NOW_MS);
    expect(await files.countPresent(folder!.id)).toBe(2);
    await files.putFiles(sourceId, folder!.id, all, NOW_MS);
    expect(await files.countPresent(folder!.id)).toBe(3);
  });
});

test('removeItems() takes what belongs to others first: no step writes the words of a whole series anew', async () => {
  await using setup = await setUp();
  const { cache, media, sourceId } = setup;
  // A parent whose rows come before those of its children, and a circle, which has no end to begin at.
  const episodes = Array.from({ length: 30 }, (_, index) =>
    described(`e${index}`, { type: 'episode', parentKey: 'a', season: 1, episode: index }),
  );
  await media.put(sourceId, [described('a', { type: 'series' }), ...episodes], NOW_MS);
  await media.put(sourceId, [described('x', { parentKey: 'y' }), described('y', { parentKey: 'x' })], NOW_MS);
  const left = async () => (await rowsOf(cache)).map(({ key, parent }) => [key, parent]);
  for (let step = 0; step < 3; step += 1) {
    expect(await cache.sources.removeItems(sourceId, 10)).toBe(10);
    expect((await left()).filter(([key, parent]) => String(key).startsWith('e') && parent !== 'a')).toEqual([]);
  }
  expect(await left()).toEqual([
    ['a', null],
    ['x', 'y'],
    ['y', 'x'],
  ]);
  expect(await cache.sources.removeItems(sourceId, 10)).toBe(3);
  expect(await cache.sources.removeItems(sourceId, 10)).toBe(0);
});
