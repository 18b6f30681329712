// What sources say of items, made into rows, and what sources are told of them again.
import { describe, expect, test } from 'bun:test';
import { MediaTable } from '../../../src/db/media.ts';
import type { CatalogueItem, CatalogueMedia } from '../../../src/sources/catalogue-source.ts';
import { NOW_MS, openCacheDatabase } from '../../support/cache-database.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { catalogueOf } from '../../support/source-services.ts';

function mediaOf(key: string, details: Partial<CatalogueMedia> = {}): CatalogueMedia {
  return {
    key,
    type: 'movie',
    title: 'Film',
    year: 2001,
    parentKey: null,
    season: null,
    episode: null,
    durationMs: 60_000,
    overview: 'Of a film.',
    artwork: 'picture',
    otherIds: ['imdb:tt1'],
    subtitles: [],
    ...details,
  };
}

function itemOf(mediaKey: string, quality: string, details: Partial<CatalogueItem> = {}): CatalogueItem {
  const path = `Film/${mediaKey}:${quality}.mkv`;
  const facts = { container: 'mkv', sizeBytes: 5, stamp: 's', locator: `${quality} of it` };
  return { mediaKey, quality, type: 'movie', title: 'Film', year: 2001, path, ...facts, ...details };
}

async function setUp() {
  const cache = await openCacheDatabase();
  const { id: sourceId } = await cache.sources.declare('films', 'http://h/', NOW_MS);
  const clock = new FakeClock(NOW_MS);
  return {
    cache,
    sourceId,
    clock,
    catalogue: catalogueOf(cache, clock),
    media: new MediaTable(cache.database.tables),
    refuseWrites: () =>
      cache.database.client.execute(
        "CREATE TEMP TRIGGER refuse BEFORE INSERT ON main.media_items BEGIN SELECT RAISE(FAIL, 'written'); END",
      ),
    [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose](),
  };
}

describe('MediaCatalogue', () => {
  test('putMedia() writes what reads differently, and nothing else', async () => {
    await using setup = await setUp();
    const { catalogue, sourceId, cache } = setup;
    const films = Array.from({ length: 45 }, (_, at) => mediaOf(`film-${at}`));
    await catalogue.putMedia(sourceId, films);
    await setup.refuseWrites();
    await catalogue.putMedia(sourceId, films);
    const changed = films.with(30, mediaOf('film-30', { overview: 'Another word.' }));
    expect(catalogue.putMedia(sourceId, changed)).rejects.toThrow();
    await cache.database.client.execute('DROP TRIGGER temp.refuse');
    await catalogue.putMedia(sourceId, changed);
    expect(await cache.rows("SELECT key FROM media_items WHERE overview = 'Another word.'")).toEqual([
      { key: 'film-30' },
    ]);
  });

  test('a fingerprint moves with each thing that is kept of an item', async () => {
    const changes: Partial<CatalogueMedia>[] = [
      { type: 'video' },
      { title: 'Other' },
      { year: null },
      { parentKey: 'above' },
      { season: 1 },
      { episode: 1 },
      { durationMs: null },
      { overview: null },
      { artwork: null },
      { otherIds: [] },
      { subtitles: [{ language: 'de', title: null, format: 'srt', locator: 'l', isForced: false }] },
    ];
    await using setup = await setUp();
    const { catalogue, media, sourceId } = setup;
    const seen = new Set<string | null | undefined>();
    for (const change of [{}, ...changes]) {
      await catalogue.putMedia(sourceId, [mediaOf('film', change)]);
      seen.add((await media.fingerprints(sourceId, ['film'])).get('film'));
    }
    expect(seen.size).toBe(changes.length + 1);
  });

  test('putMedia() bounds what it keeps of an item', async () => {
    await using setup = await setUp();
    const { catalogue, cache, media, sourceId } = setup;
    const subtitles = Array.from({ length: 200 }, (_, at) => ({
      language: 'de',
      title: null,
      format: 'srt',
      locator: String(at),
      isForced: false,
    }));
    const otherIds = Array.from({ length: 50 }, (_, at) => `tmdb:${at}`);
    await catalogue.putMedia(sourceId, [
      mediaOf('film', { title: 't'.repeat(1_000), overview: 'o'.repeat(9_000), subtitles, otherIds }),
    ]);
    const [row] = await cache.rows('SELECT LENGTH(title) AS title, LENGTH(overview) AS overview FROM media_items');
    expect(row).toEqual({ title: 500, overview: 4_000 });
    expect(await media.listSubtitles([(await media.findId(sourceId, 'film'))!])).toHaveLength(100);
    expect(await cache.rows('SELECT COUNT(*) AS count FROM media_ids')).toEqual([{ count: 10 }]);
  });

  test('noteItem() makes the rows say what the source says now', async () => {
    await using setup = await setUp();
    const { catalogue, cache, sourceId, clock, media } = setup;
    await catalogue.noteItem(
      sourceId,
      {
        items: [itemOf('film', 'original'), itemOf('film', '720p')],
        folders: [],
        media: [mediaOf('film')],
      },
      'film',
    );
    clock.advance(1_000);
    await catalogue.noteItem(
      sourceId,
      {
        items: [itemOf('film', 'original', { stamp: 'new', locator: 'elsewhere' })],
        folders: [],
        media: [mediaOf('film', { title: 'The film' })],
      },
      'film',
    );
    const rows = await cache.rows(
      'SELECT quality, stamp, locator, missing_since IS NULL AS present FROM cache_quality_variants ORDER BY quality',
    );
    expect(rows).toEqual([
      { quality: '720p', stamp: 's', locator: '720p of it', present: 0 },
      { quality: 'original', stamp: 'new', locator: 'elsewhere', present: 1 },
    ]);
    const [facts] = await media.findFacts([(await media.findId(sourceId, 'film'))!]);
    expect(facts?.readAt).toBe(NOW_MS + 1_000);
    // It is there again.
    await catalogue.noteItem(
      sourceId,
      { items: [itemOf('film', 'original'), itemOf('film', '720p')], folders: [] },
      'film',
    );
    expect(await cache.rows('SELECT quality FROM cache_quality_variants WHERE missing_since IS NOT NULL')).toEqual([]);
  });

  test('noteItem() of a series takes nothing from an episode of which it does not list all', async () => {
    await using setup = await setUp();
    const { catalogue, cache, sourceId, media } = setup;
    const episode = { type: 'episode', parentKey: 'series', season: 1, episode: 1 } as const;
    const told = [mediaOf('series', { type: 'series' }), mediaOf('episode', episode)];
    const whole = [itemOf('episode', 'original', { type: 'episode' }), itemOf('episode', '720p', { type: 'episode' })];
    await catalogue.noteItem(sourceId, { items: whole, folders: [], media: told.slice(1) }, 'episode');
    const readAt = async (key: string) => (await media.findFacts([(await media.findId(sourceId, key))!]))[0]?.readAt;
    await cache.database.client.execute('UPDATE media_items SET read_at = NULL');
    // An add-on tells of the streams of an episode only when it is asked for that one.
    const outline = itemOf('episode', 'original', { type: 'episode', sizeBytes: null, stamp: null, container: null });
    await catalogue.noteItem(sourceId, { items: [outline], folders: [], media: told }, 'series');
    expect(await cache.rows('SELECT quality FROM cache_quality_variants WHERE missing_since IS NOT NULL')).toEqual([]);
    expect([await readAt('series'), await readAt('episode')]).toEqual([NOW_MS, null]);
  });

  test('an outline that tells nothing of the file leaves what is known of it', async () => {
    await using setup = await setUp();
    const { catalogue, cache, sourceId } = setup;
    const known = itemOf('film', 'original', {
      path: 'Film/film:original.m3u8',
      container: 'm3u8',
      delivery: 'hls',
      sizeBytes: null,
      stamp: null,
    });
    await catalogue.noteItem(sourceId, { items: [known], folders: [] }, 'film');
    const outline = { container: null, sizeBytes: null, stamp: null, locator: null, path: 'Film/film:original' };
    const row = () =>
      cache.rows('SELECT path, container, delivery, missing_since, refusal FROM cache_quality_variants');
    const before = await row();
    await cache.database.client.execute('UPDATE cache_quality_variants SET missing_since = 5');
    await catalogue.putPage(sourceId, { items: [itemOf('film', 'original', outline)], folders: [] });
    expect(await row()).toEqual(before);
    await catalogue.putPage(sourceId, {
      items: [itemOf('film', 'original', { ...outline, delivery: 'file' })],
      folders: [],
    });
    expect(await row()).toEqual([{ ...before[0], path: 'Film/film:original', container: null, delivery: 'file' }]);
  });

  test('noteItem() leaves a file in the folder that it was found in', async () => {
    await using setup = await setUp();
    const { catalogue, cache, sourceId } = setup;
    await catalogue.noteItem(sourceId, { items: [itemOf('film', 'original')], folders: [] }, 'film');
    await cache.database.client.execute(
      `INSERT INTO catalogue_folders (id, source_id, path, depth, due_round) VALUES (5, ${sourceId}, 'films', 1, 1)`,
    );
    await cache.database.client.execute('UPDATE cache_quality_variants SET folder_id = 5');
    await catalogue.noteItem(sourceId, { items: [itemOf('film', 'original', { stamp: 'new' })], folders: [] }, 'film');
    expect(await cache.rows('SELECT folder_id, stamp FROM cache_quality_variants')).toEqual([
      { folder_id: 5, stamp: 'new' },
    ]);
  });

  test('findQuality() gives back what finds files, pictures and subtitles', async () => {
    await using setup = await setUp();
    const { catalogue, sourceId } = setup;
    const subtitle = { language: 'de', title: null, format: 'vtt', locator: 'words', isForced: false };
    await catalogue.noteItem(
      sourceId,
      {
        items: [itemOf('film', 'original', { height: 1080, bitrate: 9 })],
        folders: [],
        media: [mediaOf('film', { subtitles: [subtitle] }), mediaOf('bare', { artwork: null })],
      },
      'film',
    );
    const find = (key: string, quality: string) => catalogue.findQuality(sourceId, key, quality);
    expect(await find('film', 'original')).toEqual({
      mediaKey: 'film',
      quality: 'original',
      locator: 'original of it',
      container: 'mkv',
      sizeBytes: 5,
      height: 1080,
      bitrate: 9,
    });
    expect(await find('film', '~poster')).toMatchObject({ locator: 'picture', container: 'jpg' });
    expect(await find('film', '~sub-1')).toMatchObject({ locator: 'words', container: 'vtt' });
    const nothing = [
      ['film', '720p'],
      ['film', '~sub-2'],
      ['film', '~sub-0'],
      ['film', '~other'],
      ['bare', '~poster'],
      ['none', '~poster'],
      ['none', 'original'],
    ] as const;
    for (const [key, quality] of nothing) expect(await find(key, quality)).toBeNull();
    expect(await catalogue.findQuality(sourceId + 1, 'film', 'original')).toBeNull();
  });
});
