// A source of the kind `stremio` over real sockets: against an add-on made with Stremio's own SDK and a file server whose
// links expire, and against servers that only say they are add-ons.
import { describe, expect, test } from 'bun:test';
import { createServer } from 'node:http';
import { systemClock } from '../../src/clock.ts';
import type { LarderError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { isQualityName } from '../../src/sources/catalogue-path.ts';
import type { CatalogueItem, CatalogueMedia, CataloguePage } from '../../src/sources/catalogue-source.ts';
import type {
  KnownQuality,
  MediaSource,
  SourceServices,
  SourceTarget,
  UpstreamRequest,
} from '../../src/sources/media-source.ts';
import { OriginClient } from '../../src/sources/origin-client.ts';
import { ANSWER_WAIT_MS } from '../../src/sources/stremio/addon-client.ts';
import { stremioKind } from '../../src/sources/stremio/stremio-kind.ts';
import { findWrongByte } from '../support/content.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { CHANNEL, filmId, SERIES, startBadAddon, startStremioAddon } from '../support/stremio-addon.ts';
import { FILE_BYTES } from '../support/stremio-files.ts';

const signal = new AbortController().signal;

/** The catalogue as far as sources see it: what was noted is found again. */
function memoryCatalogue() {
  const rows = new Map<string, KnownQuality>();
  const notes: CataloguePage[] = [];
  let next = Promise.withResolvers<void>();
  const put = (mediaKey: string, quality: string, locator: string | null) =>
    rows.set(`${mediaKey} ${quality}`, {
      mediaKey,
      quality,
      locator,
      container: null,
      sizeBytes: null,
      height: null,
      bitrate: null,
    });
  const take = (page: CataloguePage) => {
    for (const item of page.items) put(item.mediaKey, item.quality, item.locator ?? null);
    for (const media of page.media ?? []) {
      if (media.artwork !== null) put(media.key, '~poster', media.artwork);
      for (const [index, entry] of media.subtitles.entries()) put(media.key, `~sub-${index + 1}`, entry.locator);
    }
  };
  return {
    rows,
    notes,
    take,
    put,
    /** The next note, however late it comes. */
    noted: () => next.promise,
    findQuality: async (_id: number, mediaKey: string, quality: string) => rows.get(`${mediaKey} ${quality}`) ?? null,
    noteItem: async (_id: number, page: CataloguePage) => {
      notes.push(page);
      take(page);
      next.resolve();
      next = Promise.withResolvers();
    },
  };
}

interface Setup {
  readonly manifestUrl: string;
  readonly local?: boolean | null;
  readonly options?: Record<string, unknown>;
  readonly lookup?: (host: string) => Promise<readonly string[]>;
  readonly clock?: FakeClock;
}

function open({ manifestUrl, local = true, options = {}, lookup, clock }: Setup) {
  const catalogue = memoryCatalogue();
  const lines: string[] = [];
  const logged = Promise.withResolvers<void>();
  const write = (line: string) => {
    lines.push(line);
    logged.resolve();
  };
  const client = new OriginClient(clock ?? systemClock, lookup);
  const services: SourceServices = {
    client,
    catalogue,
    ownPort: () => 1,
    version: '0',
    randomId: () => 'id',
    clock: clock ?? systemClock,
    log: createLog({ level: 'debug', write, nowMs: () => 0 }),
  };
  const target: SourceTarget = {
    ...stremioKind.parseUrl(manifestUrl),
    local,
    options: stremioKind.parseOptions(options, null, () => 'id'),
  };
  const source = stremioKind.create(1, 'addon', target, services);
  return { source, target, services, catalogue, client, lines, logged: logged.promise };
}

async function readFolder(source: MediaSource, folder: string) {
  const { pages } = await source.openCatalogue().openFolder(folder, null, signal);
  const items: CatalogueItem[] = [];
  const media: CatalogueMedia[] = [];
  const folders: string[] = [];
  let pageCount = 0;
  for await (const page of pages) {
    pageCount += 1;
    items.push(...page.items);
    media.push(...(page.media ?? []));
    folders.push(...page.folders);
  }
  return { items, media, folders, pageCount };
}

async function failure(promise: Promise<unknown>): Promise<LarderError> {
  return promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as LarderError,
  );
}

const addressOf = (source: MediaSource, key: string, quality = 'original') =>
  source.describe(`Film/${encodeURIComponent(key)}:${quality}`);

async function resolve(source: MediaSource, key: string, quality = 'original', isFresh = false) {
  return source.resolve(addressOf(source, key, quality), { isFresh, isBackground: false });
}

/** As the engine asks for bytes. */
async function fetchBytes(client: OriginClient, request: UpstreamRequest): Promise<Uint8Array> {
  const { body } = await client.open(
    { ...request, ownPort: 1, range: { kind: 'from', start: 10, end: 50 }, ifRange: null, expectsMedia: true },
    new AbortController(),
  );
  return new Uint8Array(await new Response(body).arrayBuffer());
}

describe('the catalogue of an add-on', () => {
  test('its catalogues are folders; those that ask for something are left out', async () => {
    await using addon = await startStremioAddon();
    const { source } = open(addon);
    const { folders, items, media } = await readFolder(source, '');
    expect(folders).toEqual(['movie:films', 'series:shows', 'other:mixed']);
    expect([items, media]).toEqual([[], []]);
    expect(addon.requests).toEqual(['/manifest.json']);
  });

  test('a catalogue is read page by page, and no stream or episode is asked for on the way', async () => {
    await using addon = await startStremioAddon({ filmCount: 250 });
    const { source } = open(addon);
    const { items, media, pageCount } = await readFolder(source, 'movie:films');
    expect([items.length, media.length, pageCount]).toEqual([250, 250, 3]);
    expect(addon.requests.slice(1)).toEqual([
      '/catalog/movie/films.json',
      '/catalog/movie/films/skip=100.json',
      '/catalog/movie/films/skip=200.json',
      // Nothing comes: that was all.
      '/catalog/movie/films/skip=250.json',
    ]);
    expect(items[0]).toEqual({
      mediaKey: filmId(1),
      quality: 'original',
      type: 'movie',
      title: 'Film 1',
      year: 2001,
      path: `Film 1 (2001)/${filmId(1)}:original`,
      container: null,
      sizeBytes: null,
      stamp: null,
      locator: null,
      refusal: null,
    });
    expect(media[0]).toMatchObject({
      key: filmId(1),
      type: 'movie',
      durationMs: 7_200_000,
      overview: 'About film 1',
      artwork: `${addon.files.url}open/poster-1.jpg`,
      otherIds: [`imdb:${filmId(1)}`],
    });
    expect(source.describe(items[0]!.path)).toMatchObject({ mediaKey: filmId(1), quality: 'original', type: 'video' });
  });

  test('series have no file of their own, live television says why it is not kept', async () => {
    await using addon = await startStremioAddon();
    const { source } = open(addon);
    const shows = await readFolder(source, 'series:shows');
    expect(shows.items).toEqual([]);
    expect(shows.media).toMatchObject([{ key: `series/${SERIES}`, type: 'series', title: 'Series', year: 1994 }]);
    const mixed = await readFolder(source, 'other:mixed');
    expect(mixed.media.map(({ key, type }) => [key, type])).toEqual([
      ['tv/live:1', 'video'],
      [`channel/${CHANNEL}`, 'series'],
    ]);
    expect(mixed.items).toMatchObject([{ mediaKey: 'tv/live:1', refusal: expect.stringContaining('no end') }]);
  });

  test('options choose catalogues and how far they are read', async () => {
    await using addon = await startStremioAddon({ filmCount: 250 });
    const { source, target } = open({ ...addon, options: { catalogues: ['films'], itemsPerCatalogue: 120 } });
    expect((await readFolder(source, '')).folders).toEqual(['movie:films']);
    expect((await readFolder(source, 'movie:films')).items).toHaveLength(120);
    expect(addon.countOf('catalog')).toBe(2);
    expect(await failure(readFolder(source, 'series:shows'))).toMatchObject({ code: 'not-found' });
    source.retarget({ ...target, options: { catalogues: ['nothing'] } });
    const error = await failure(readFolder(source, ''));
    expect(error).toMatchObject({ code: 'no-listing', hint: expect.stringContaining('movie:films') });
  });

  test('hasFile() asks the add-on for the item', async () => {
    await using addon = await startStremioAddon();
    const { source } = open(addon);
    const catalogue = source.openCatalogue();
    const has = (key: string) => catalogue.hasFile(`Any/${encodeURIComponent(key)}:original`, signal);
    expect(await has(filmId(1))).toBe(true);
    expect(await has(`${SERIES}:1:2`)).toBe(true);
    addon.dropped.add(filmId(1));
    expect(await has(filmId(1))).toBe(false);
    addon.dropped.add(`${SERIES}:9:9`);
    expect(await has(`${SERIES}:9:9`)).toBe(false);
    expect(await has('series/a/b')).toBe(false);
    await addon.files[Symbol.asyncDispose]();
    await using broken = await startBadAddon((path) => (path === '/manifest.json' ? manifest() : 500));
    const other = open(broken).source.openCatalogue();
    expect(await failure(other.hasFile('Any/tt1:original', signal))).toMatchObject({ originStatus: 500 });
  });
});

test('what somebody types as the name of an item leads to no other address of the add-on', async () => {
  await using addon = await startStremioAddon();
  const { source } = open(addon);
  const never = new AbortController().signal;
  for (const key of ['../manifest', '%2e%2e/x', './x']) {
    expect(await source.readItem?.(key, never)).toBeNull();
    expect(await failure(resolve(source, key))).toMatchObject({ code: 'not-found' });
  }
  expect(addon.requests.filter((path) => !/^\/(?:manifest\.json$|catalog\/)/.test(path))).toEqual([]);
});

describe('readItem()', () => {
  test('readItem() tells a film with its streams, playable or not, and its subtitles', async () => {
    await using addon = await startStremioAddon();
    const { source } = open(addon);
    const page = await source.readItem!(filmId(1), signal);
    const id = filmId(1);
    expect(page?.items.map(({ quality, height, sizeBytes, refusal }) => [quality, height, sizeBytes, refusal])).toEqual(
      [
        ['original', 1080, 3_000, null],
        ['720p', 720, 2_000, null],
        ['torrent-1', 2160, null, expect.stringContaining('torrent')],
        ['external-1', null, null, expect.stringContaining('browser')],
      ],
    );
    expect(page?.items[0]).toMatchObject({
      path: `Film 1 (2001)/${id}:original`,
      container: 'mkv',
      videoCodec: 'hevc',
      audioCodec: 'eac3',
      delivery: 'file',
      stamp: `3000 ${id}.1080p.x265-GRP.mkv`,
    });
    expect(page?.items.every(({ quality }) => isQualityName(quality))).toBe(true);
    expect(JSON.stringify(page)).not.toContain('sig=');
    expect(page?.media).toMatchObject([
      {
        key: id,
        type: 'movie',
        subtitles: [
          { language: 'eng', format: 'srt', locator: `${addon.files.url}open/${id}.1080p.x265-GRP.mkv.srt` },
          { language: null, title: 'Deutsch (erzwungen)', format: 'vtt', isForced: true },
        ],
      },
    ]);
    expect(addon.requests).toContain(`/subtitles/movie/${id}/filename=${id}.1080p.x265-GRP.mkv&videoSize=3000.json`);
  });

  test('readItem() tells seasons and episodes of a series, and asks for no stream of them', async () => {
    await using addon = await startStremioAddon();
    const { source } = open(addon);
    const page = await source.readItem!(`series/${SERIES}`, signal);
    expect(
      page?.media?.map(({ key, type, parentKey, season, episode }) => [key, type, parentKey, season, episode]),
    ).toEqual([
      [`series/${SERIES}`, 'series', null, null, null],
      [`series/${SERIES}/0`, 'season', `series/${SERIES}`, 0, null],
      [`series/${SERIES}/1`, 'season', `series/${SERIES}`, 1, null],
      [`series/${SERIES}/2`, 'season', `series/${SERIES}`, 2, null],
      [`${SERIES}:0:1`, 'episode', `series/${SERIES}/0`, 0, 1],
      [`${SERIES}:1:1`, 'episode', `series/${SERIES}/1`, 1, 1],
      [`${SERIES}:1:2`, 'episode', `series/${SERIES}/1`, 1, 2],
      [`${SERIES}:2:1`, 'episode', `series/${SERIES}/2`, 2, 1],
    ]);
    expect(page?.items.map(({ path, quality }) => [path, quality])[2]).toEqual([
      `Series S01E02 Part 2/${encodeURIComponent(`${SERIES}:1:2`)}:original`,
      'original',
    ]);
    // The id of an episode says of which series it is.
    expect(page?.items[0]?.locator).toBe(null);
    expect(addon.countOf('stream')).toBe(0);

    const season = await source.readItem!(`series/${SERIES}/1`, signal);
    expect(season?.items.map(({ mediaKey }) => mediaKey)).toEqual([`${SERIES}:1:1`, `${SERIES}:1:2`]);
    expect(await source.readItem!(`series/${SERIES}/7`, signal)).toBeNull();

    const episode = await source.readItem!(`${SERIES}:1:2`, signal);
    expect(episode?.items.slice(0, 2).map(({ mediaKey, quality, type }) => [mediaKey, quality, type])).toEqual([
      [`${SERIES}:1:2`, 'original', 'episode'],
      [`${SERIES}:1:2`, '720p', 'episode'],
    ]);
    expect(episode?.media?.map(({ key }) => key)).toEqual([`series/${SERIES}`, `series/${SERIES}/1`, `${SERIES}:1:2`]);
    expect(addon.requests).toContain(`/stream/series/${encodeURIComponent(`${SERIES}:1:2`)}.json`);
  });

  test('readItem() tells the videos of a channel, which have no seasons', async () => {
    await using addon = await startStremioAddon();
    const { source } = open(addon);
    const page = await source.readItem!(`channel/${CHANNEL}`, signal);
    expect(page?.media?.map(({ key, parentKey }) => [key, parentKey])).toEqual([
      [`channel/${CHANNEL}`, null],
      [`channel/${CHANNEL}:abc`, `channel/${CHANNEL}`],
    ]);
    const video = await source.readItem!(`channel/${CHANNEL}:abc`, signal);
    expect(video?.items[0]).toMatchObject({ mediaKey: `channel/${CHANNEL}:abc`, quality: 'original', refusal: null });
  });

  test('readItem() says so when there is no stream, or none that is a file', async () => {
    const streams = (id: string) => (id === filmId(1) ? [] : [{ infoHash: 'a'.repeat(40) }]);
    await using addon = await startStremioAddon({ streams });
    const { source } = open(addon);
    const empty = await source.readItem!(filmId(1), signal);
    expect(empty?.items).toMatchObject([{ quality: 'original', refusal: expect.stringContaining('at the moment') }]);
    const torrents = await source.readItem!(filmId(2), signal);
    expect(torrents?.items).toMatchObject([
      { quality: 'original', refusal: expect.stringContaining('torrent') },
      { quality: 'torrent-1', refusal: expect.stringContaining('torrent') },
    ]);
    expect(await failure(resolve(source, filmId(2)))).toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('torrent'),
    });
    expect(await source.readItem!('tt9999999', signal)).toBeNull();
    expect(await source.readItem!('series/a/b', signal)).toBeNull();
  });

  test('readItem() knows films from the catalogue where the add-on describes none', async () => {
    await using addon = await startStremioAddon({ manifest: { resources: ['catalog', 'stream'] } });
    const { source } = open(addon);
    const page = await source.readItem!(filmId(2), signal);
    expect(page?.items[0]).toMatchObject({ title: 'Film 2', quality: 'original', height: 1080 });
    expect(await source.readItem!(filmId(2), signal)).not.toBeNull();
    expect(addon.countOf('catalog')).toBe(1);
    expect(await source.readItem!('tt9999999', signal)).toBeNull();
    expect(await source.openCatalogue().hasFile('Any/tt9999999:original', signal)).toBe(true);
  });
});

describe('resolve()', () => {
  test('a film plays with one request for its streams, and the address is remembered', async () => {
    await using addon = await startStremioAddon();
    const { source, client, target } = open(addon);
    const request = await resolve(source, filmId(1));
    expect(request).toMatchObject({ headers: {}, baseUrl: target.url, local: true });
    expect(addon.countOf('stream')).toBe(1);
    const bytes = await fetchBytes(client, request);
    expect([bytes.length, findWrongByte(bytes, 1, 10)]).toEqual([40, null]);
    expect((await resolve(source, filmId(1))).url).toBe(request.url);
    expect(addon.countOf('stream')).toBe(1);
  });

  test('an address is forgotten when the add-on says so', async () => {
    const clock = new FakeClock();
    await using addon = await startStremioAddon({ cacheMaxAge: 60 });
    const { source } = open({ ...addon, clock });
    const first = await resolve(source, filmId(1));
    clock.advance(59_000);
    expect((await resolve(source, filmId(1))).url).toBe(first.url);
    clock.advance(2_000);
    expect((await resolve(source, filmId(1))).url).not.toBe(first.url);
  });

  test('an address is remembered for minutes when the add-on says nothing, and never when it says 0', async () => {
    const clock = new FakeClock();
    await using addon = await startStremioAddon({ cacheMaxAge: null });
    const { source } = open({ ...addon, clock });
    const first = await resolve(source, filmId(1));
    clock.advance(299_000);
    expect((await resolve(source, filmId(1))).url).toBe(first.url);
    clock.advance(2_000);
    expect((await resolve(source, filmId(1))).url).not.toBe(first.url);
    await using forgetful = await startStremioAddon({ cacheMaxAge: 0 });
    const other = open(forgetful).source;
    expect((await resolve(other, filmId(1))).url).not.toBe((await resolve(other, filmId(1))).url);
  });

  for (const status of [403, 404, 410] as const) {
    test(`a link that expired with ${status} is asked for anew, and the same file comes back`, async () => {
      let isTurned = false;
      await using addon = await startStremioAddon({
        streams: (id, files) => {
          const streams = ['a', 'b'].map((name) => ({
            url: files.link(`${id}.${name}.mkv`),
            behaviorHints: { filename: `${id}.${name}.mkv`, videoSize: FILE_BYTES },
          }));
          return isTurned ? streams.reverse() : streams;
        },
      });
      addon.files.expiredStatus = status;
      const { source, client, catalogue } = open(addon);
      const noted = catalogue.noted();
      const first = await resolve(source, filmId(1));
      await noted;
      await fetchBytes(client, first);
      await fetchBytes(client, first);
      const error = await failure(fetchBytes(client, first));
      expect(error.originStatus).toBe(status);

      isTurned = true;
      const again = catalogue.noted();
      const second = await resolve(source, filmId(1), 'original', true);
      await again;
      expect(second.url).not.toBe(first.url);
      expect(new URL(second.url).pathname).toBe(new URL(first.url).pathname);
      expect((await fetchBytes(client, second)).length).toBe(40);
      expect(catalogue.notes).toHaveLength(2);
      expect(catalogue.rows.get(`${filmId(1)} original`)?.locator).toContain('.a.mkv');
      expect(JSON.stringify(catalogue.notes)).not.toContain('sig=');
    });
  }

  test('who asks at the same time shares one request', async () => {
    await using addon = await startStremioAddon();
    const { source } = open(addon);
    const requests = await Promise.all([1, 2, 3, 4].map(() => resolve(source, filmId(1))));
    expect(new Set(requests.map(({ url }) => url)).size).toBe(1);
    expect(addon.countOf('stream')).toBe(1);
    const fresh = await Promise.all([1, 2, 3].map(() => resolve(source, filmId(1), 'original', true)));
    expect(new Set(fresh.map(({ url }) => url)).size).toBe(1);
    expect(addon.countOf('stream')).toBe(2);
  });

  test('headers that the add-on wants sent go to the host of the stream and are written down nowhere', async () => {
    await using addon = await startStremioAddon({
      streams: (_id, files) => [
        {
          url: `${files.url}guarded/film.mkv`,
          behaviorHints: {
            filename: 'film.mkv',
            proxyHeaders: {
              request: { 'X-Play-Key': 'hunter2', Referer: 'https://site/', Range: 'bytes=0-0', Host: 'x' },
            },
          },
        },
      ],
    });
    addon.files.guard = { 'x-play-key': 'hunter2', referer: 'https://site/' };
    const { source, client, catalogue, lines } = open(addon);
    const noted = catalogue.noted();
    const request = await resolve(source, filmId(1));
    await noted;
    expect(request.headers).toEqual({ 'x-play-key': 'hunter2', referer: 'https://site/' });
    expect((await fetchBytes(client, request)).length).toBe(40);
    expect(addon.files.requests.at(-1)?.headers.range).toBe('bytes=10-49');
    expect(JSON.stringify([catalogue.notes, [...catalogue.rows.values()], lines])).not.toContain('hunter2');
  });

  test('headers stay behind when a link leads to another host', async () => {
    await using addon = await startStremioAddon();
    await using other = await startStremioAddon({
      streams: () => [
        {
          url: `${redirector.origin}film.mkv`,
          behaviorHints: { proxyHeaders: { request: { 'X-Play-Key': 'hunter2' } } },
        },
      ],
    });
    await using redirector = await startRedirector(`${addon.files.url}open/film.mkv`);
    const { source, client } = open(other);
    await fetchBytes(client, await resolve(source, filmId(1)));
    expect(redirector.keys).toEqual(['hunter2']);
    expect(addon.files.requests.at(-1)?.headers['x-play-key']).toBeUndefined();
  });

  test('a redirect of the file server is followed, and a playlist is told as one', async () => {
    await using addon = await startStremioAddon({
      streams: (_id, files) => [
        { url: `${files.url}moved/film.mkv` },
        { name: '720p', url: `${files.url}open/list.m3u8` },
      ],
    });
    const { source, client, catalogue } = open(addon);
    expect((await fetchBytes(client, await resolve(source, filmId(1)))).length).toBe(40);
    const page = await source.readItem!(filmId(1), signal);
    catalogue.take(page!);
    expect(page?.items.map(({ quality, delivery }) => [quality, delivery])).toEqual([
      ['original', 'file'],
      ['720p', 'hls'],
    ]);
    expect((await resolve(source, filmId(1), '720p')).url).toEndWith('open/list.m3u8');
    expect(await failure(resolve(source, filmId(1), '480p'))).toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('480p'),
    });
  });

  test('the next episode is of the kind that the last one was', async () => {
    const kinds = ['web', 'disc'];
    await using addon = await startStremioAddon({
      streams: (id, files) => {
        const streams = kinds.map((kind) => ({
          name: '1080p',
          url: files.link(`${id}.${kind}.mkv`),
          behaviorHints: { filename: `${id}.${kind}.mkv`, bingeGroup: kind },
        }));
        // The order is of what is popular at the moment.
        return id.endsWith(':2') ? streams.reverse() : streams;
      },
    });
    const { source } = open(addon);
    const fileOf = async (key: string, quality = 'original') =>
      decodeURIComponent(new URL((await resolve(source, key, quality)).url).pathname.slice('/signed/'.length));
    expect(await fileOf(`${SERIES}:1:1`)).toBe(`${SERIES}:1:1.web.mkv`);
    expect(await fileOf(`${SERIES}:1:2`)).toBe(`${SERIES}:1:2.web.mkv`);
    expect(await fileOf(`${SERIES}:1:2`, '1080p')).toBe(`${SERIES}:1:2.disc.mkv`);
  });

  test('side files are found by what was noted of them, and by asking where nothing was', async () => {
    await using addon = await startStremioAddon();
    const { source, catalogue, client } = open(addon);
    const poster = await resolve(source, filmId(1), '~poster');
    expect(poster.url).toBe(`${addon.files.url}open/poster-1.jpg`);
    expect(catalogue.notes).toHaveLength(1);
    const requests = addon.requests.length;
    const subtitles = await resolve(source, filmId(1), '~sub-2');
    expect(subtitles).toMatchObject({ url: `${addon.files.url}open/de.vtt`, headers: {}, local: true });
    expect(addon.requests).toHaveLength(requests);
    expect((await fetchBytes(client, subtitles)).length).toBe(40);
    expect((await resolve(source, filmId(1), '~sub-1', true)).url).toEndWith('.srt');
    for (const quality of ['~sub-9', '~other']) {
      expect(await failure(resolve(source, filmId(1), quality))).toMatchObject({ code: 'not-found' });
    }
    expect(await failure(resolve(source, 'tt9999999', '~poster'))).toMatchObject({ code: 'not-found' });
  });

  test('nothing is asked of a source that was removed, and no key of another kind is asked for', async () => {
    await using addon = await startStremioAddon();
    const { source } = open(addon);
    for (const key of ['series/a/b', `series/${SERIES}/1`]) {
      expect(await failure(resolve(source, key))).toMatchObject({ code: 'not-found' });
    }
    source.remove();
    for (const key of [filmId(1), 'series/a/b']) {
      expect(await failure(resolve(source, key))).toMatchObject({ code: 'unknown-source' });
    }
    expect(await failure(resolve(source, filmId(1), '~poster'))).toMatchObject({ code: 'unknown-source' });
    expect(addon.requests).toEqual([]);
  });

  test('a note that cannot be written does not keep the film from playing', async () => {
    await using addon = await startStremioAddon();
    const { source, services, lines, logged } = open(addon);
    services.catalogue.noteItem = async () => {
      throw new Error('disk full at /secret');
    };
    expect((await resolve(source, filmId(1))).url).toContain('/signed/');
    await logged;
    expect(lines.join('')).toContain('was not noted');
    expect(lines.join('')).not.toContain('/secret');
  });

  test('an add-on that never comes to an end is given up', async () => {
    const clock = new FakeClock();
    await using addon = await startStremioAddon();
    const never = Promise.withResolvers<void>();
    const { source } = open({ ...addon, clock });
    addon.answerLate = never.promise;
    const failing = failure(resolve(source, filmId(1)));
    while (addon.requests.length === 0) await clock.run(0);
    await clock.run(ANSWER_WAIT_MS);
    expect(await failing).toMatchObject({ code: 'origin-silent', retry: 'soon' });
    never.resolve();
  });

  test('who is called off stops waiting, and the others get their answer', async () => {
    await using addon = await startStremioAddon();
    const late = Promise.withResolvers<void>();
    const { source } = open(addon);
    addon.answerLate = late.promise;
    const abort = new AbortController();
    const called = failure(source.readItem!(filmId(1), abort.signal));
    const other = source.readItem!(filmId(1), signal);
    abort.abort();
    expect(await called).toMatchObject({ code: 'stopped' });
    expect(await failure(source.readItem!(filmId(1), abort.signal))).toMatchObject({ code: 'stopped' });
    late.resolve();
    expect((await other)?.items).toHaveLength(4);
  });
});

describe('what an add-on may lead to', () => {
  const places = {
    'cloud metadata': 'http://169.254.169.254/latest/meta-data/',
    loopback: 'http://127.0.0.1:9/film.mkv',
    'loopback of IPv6': 'http://[::1]:9/film.mkv',
    'a name that is at loopback': 'http://films.example:9/film.mkv',
    'a private network': 'http://192.168.1.1/film.mkv',
  };
  const lookup = async () => ['127.0.0.1'];

  for (const [name, url] of Object.entries(places)) {
    test(`streams, pictures and subtitles at ${name} are refused unless the source is a local one`, async () => {
      await using addon = await startStremioAddon({
        streams: () => [{ url, subtitles: [{ id: '1', url: `${url}.srt`, lang: 'eng' }] }],
      });
      for (const local of [null, false]) {
        // The add-on itself is at loopback: its owner wrote that down, it did not.
        const { source, client, services, catalogue } = open({ ...addon, local: null, lookup });
        const target = { ...source.target, local };
        if (local === false) source.retarget(target);
        catalogue.put(filmId(1), '~poster', url);
        catalogue.put(filmId(1), '~sub-1', `${url}.srt`);
        const requests = [
          local === null ? await resolve(source, filmId(1)) : null,
          await resolve(source, filmId(1), '~poster'),
          await resolve(source, filmId(1), '~sub-1'),
        ].filter((request) => request !== null);
        for (const request of requests) {
          expect(request.local).toBe(false);
          expect(await failure(fetchBytes(client, request))).toMatchObject({ code: 'forbidden-address' });
        }
        expect(services.ownPort()).toBe(1);
      }
    });
  }

  test('a redirect is looked at as the address before it was', async () => {
    await using redirector = await startRedirector('http://169.254.169.254/latest/meta-data/');
    await using addon = await startStremioAddon({ streams: () => [{ url: `${redirector.origin}film.mkv` }] });
    const { source, client } = open(addon);
    const error = await failure(fetchBytes(client, await resolve(source, filmId(1))));
    expect(error).toMatchObject({ code: 'forbidden-address', message: expect.stringContaining('169.254.169.254') });
    expect(redirector.keys).toHaveLength(1);
  });

  test('even a local source leads to no metadata service and not to Larder itself', async () => {
    const urls = ['http://169.254.169.254/', 'http://127.0.0.1:1/api/v1/status'];
    await using addon = await startStremioAddon({ streams: (id) => [{ url: urls[id === filmId(1) ? 0 : 1] }] });
    const { source, client } = open(addon);
    for (const id of [filmId(1), filmId(2)]) {
      const request = await resolve(source, id);
      expect(await failure(fetchBytes(client, request))).toMatchObject({ code: 'forbidden-address' });
    }
  });
});

describe('the configuration of an add-on', () => {
  const config = { apiKey: 'hunter2' };

  test('it is sent to the add-on and told to nobody', async () => {
    await using addon = await startStremioAddon({ config });
    const { source, target, catalogue, lines } = open(addon);
    expect(target.url).toBe(addon.origin);
    expect(target.credentials).toEqual({ manifestUrl: addon.manifestUrl });
    const { items, media } = await readFolder(source, 'movie:films');
    expect(items).toHaveLength(3);
    const noted = catalogue.noted();
    const request = await resolve(source, filmId(1));
    await noted;
    expect(addon.requests.every((path) => path.includes('hunter2'))).toBe(true);
    expect(JSON.stringify([items, media, request, catalogue.notes, lines, source.url])).not.toContain('hunter2');
  });

  test('no error repeats it', async () => {
    await using broken = await startBadAddon(() => 500);
    const manifestUrl = `${broken.origin}hunter2/manifest.json`;
    const { source, target, services } = open({ manifestUrl });
    const questions = [
      () => readFolder(source, ''),
      () => resolve(source, filmId(1)),
      () => source.readItem!(filmId(1), signal),
      () => stremioKind.trySignIn(target, services, signal),
    ];
    for (const ask of questions) {
      const error = await failure(ask());
      expect(error).toMatchObject({ originStatus: 500 });
      expect(`${error.message} ${error.hint}`).not.toContain('hunter2');
    }
  });

  test('pictures below the add-on are kept without it, and found again when it changed', async () => {
    await using addon = await startBadAddon((path) => {
      if (path.endsWith('/manifest.json')) return manifest();
      const base = `${addon.origin}hunter2/`;
      const meta = { id: 'tt1234567', type: 'movie', name: 'Film', poster: `${base}poster.jpg` };
      return path.includes('/meta/') ? { meta } : { streams: [] };
    });
    const { source, catalogue } = open({ manifestUrl: `${addon.origin}hunter2/manifest.json` });
    const page = await source.readItem!('tt1234567', signal);
    expect(page?.media?.[0]?.artwork).toBe('./poster.jpg');
    catalogue.take(page!);
    source.retarget({ ...source.target, credentials: { manifestUrl: `${addon.origin}other/manifest.json` } });
    expect((await resolve(source, 'tt1234567', '~poster')).url).toBe(`${addon.origin}other/poster.jpg`);
  });

  test('user and password in the address are sent as a header', async () => {
    await using addon = await startStremioAddon();
    const { source } = open({ manifestUrl: addon.manifestUrl.replace('//', '//me:pass@') });
    await readFolder(source, '');
    expect(addon.authorizations).toEqual([`Basic ${btoa('me:pass')}`]);
  });

  test('the next question goes to where the source was moved', async () => {
    await using first = await startStremioAddon();
    await using second = await startStremioAddon();
    const { source, target } = open(first);
    await resolve(source, filmId(1));
    source.retarget({ ...target, ...stremioKind.parseUrl(second.manifestUrl) });
    expect((await resolve(source, filmId(1))).url).toStartWith(second.files.url);
    expect([first.countOf('stream'), second.countOf('stream')]).toEqual([1, 1]);
  });
});

describe('search()', () => {
  test('search() asks every catalogue that can be searched, and tells each film once', async () => {
    await using addon = await startStremioAddon({ filmCount: 30 });
    const { source } = open(addon);
    const { items, media } = await source.search!('Film 2', signal);
    expect(items.map(({ title }) => title)).toEqual(['Film 2', ...Array.from({ length: 10 }, (_, n) => `Film 2${n}`)]);
    expect(media).toHaveLength(items.length);
    expect(addon.requests.filter((path) => path.includes('search=')).sort()).toEqual([
      '/catalog/movie/films/search=Film%202.json',
      '/catalog/movie/finder/search=Film%202.json',
    ]);
  });

  test('search() makes do with the catalogues that answer, and fails when none does', async () => {
    const searched = (id: string) => ({ type: 'movie', id, name: id, extra: [{ name: 'search' }] });
    let isDown = false;
    await using addon = await startBadAddon((path) => {
      if (path === '/manifest.json') return manifest({ catalogs: [searched('a'), searched('b')] });
      return isDown || path.includes('/a/') ? 500 : { metas: [{ id: 'tt1', type: 'movie', name: 'One' }] };
    });
    const { source } = open(addon);
    expect((await source.search!('x', signal)).items).toHaveLength(1);
    isDown = true;
    expect(await failure(source.search!('x', signal))).toMatchObject({ originStatus: 500 });
    await using mute = await startBadAddon(() => manifest());
    expect(await open(mute).source.search!('x', signal)).toEqual({ items: [], folders: [], media: [] });
  });
});

function manifest(details: Record<string, unknown> = {}) {
  return {
    id: 'bad.add-on',
    name: 'Bad',
    version: '1.0.0',
    resources: ['catalog', 'meta', 'stream'],
    types: ['movie', 'series'],
    catalogs: [{ type: 'movie', id: 'top', name: 'Top', extraSupported: ['skip'] }],
    ...details,
  };
}

describe('add-ons that are none, or bad ones', () => {
  test('a catalogue without an end is left when a page brings nothing new', async () => {
    const page = Array.from({ length: 100 }, (_, index) => ({
      id: `tt${index}`,
      type: 'movie',
      name: `Film ${index}`,
    }));
    await using addon = await startBadAddon((path) => (path === '/manifest.json' ? manifest() : { metas: page }));
    const { source } = open(addon);
    expect((await readFolder(source, 'movie:top')).items).toHaveLength(100);
    expect(addon.requests).toHaveLength(3);
  });

  test('a catalogue that always has more is left at the bound', async () => {
    let next = 0;
    await using addon = await startBadAddon((path) => {
      if (path === '/manifest.json') return manifest();
      return { metas: Array.from({ length: 100 }, () => ({ id: `tt${next++}`, type: 'movie', name: 'Film' })) };
    });
    const { source } = open(addon);
    expect((await readFolder(source, 'movie:top')).items).toHaveLength(1_000);
    expect(addon.requests).toHaveLength(11);
  });

  test('nonsense among films is left out, and the first of each id counts', async () => {
    await using addon = await startBadAddon((path) => {
      if (path === '/manifest.json') return manifest();
      return {
        metas: [
          null,
          7,
          'film',
          {},
          { id: 'tt1', name: null },
          { id: 'tt2', name: 'x'.repeat(10_000_000) },
          { id: 'x'.repeat(600), name: 'A long id' },
          {
            id: 'tt3',
            type: 'movie',
            name: 'First',
            releaseInfo: 1999,
            runtime: '1h 30min',
            poster: 'javascript:alert(1)',
          },
          { id: 'tt3', type: 'movie', name: 'Second' },
          { id: 42, type: 'movie', name: 43, releaseInfo: '2000-', description: 'd'.repeat(1_000_000) },
          { id: 'a/b', type: 'movie', name: '../../etc/passwd\u0000' },
          { id: 'no type', name: 'Of the catalogue' },
        ],
      };
    });
    const { source } = open(addon);
    const { items, media } = await readFolder(source, 'movie:top');
    expect(items.map(({ mediaKey, title, year }) => [mediaKey, title, year])).toEqual([
      ['tt3', 'First', 1999],
      ['42', '43', 2000],
      ['movie/a%2Fb', '../../etc/passwd\u0000', null],
      ['no type', 'Of the catalogue', null],
    ]);
    expect(media[0]).toMatchObject({ artwork: null, durationMs: 5_400_000 });
    expect(media[1]?.overview).toHaveLength(4_000);
    for (const { path, mediaKey } of items) expect(source.describe(path).mediaKey).toBe(mediaKey);
    expect(items[2]?.path).toBe('.. .. etc passwd/movie%2Fa%252Fb:original');
  });

  test('a series with odd videos has no circles, and each episode once', async () => {
    await using addon = await startBadAddon((path) => {
      if (path === '/manifest.json') return manifest();
      const videos = [
        null,
        { id: 'show' },
        { id: 'tt5:1:1', name: 'Named', number: '1', season: '1' },
        { id: 'tt5:1:1', title: 'Twice' },
        { id: 'tt5:2:3' },
        { id: 'odd', title: 'No number', season: -1, episode: 1.5 },
      ];
      return { meta: { id: 'other', type: 'movie', name: 'Show', videos } };
    });
    const { source } = open(addon);
    const page = await source.readItem!('series/show', signal);
    expect(
      page?.media?.map(({ key, title, parentKey, season, episode }) => [key, title, parentKey, season, episode]),
    ).toEqual([
      ['series/show', 'Show', null, null, null],
      ['series/show/1', 'Season 1', 'series/show', 1, null],
      ['series/show/2', 'Season 2', 'series/show', 2, null],
      ['tt5:1:1', 'Named', 'series/show/1', 1, 1],
      ['tt5:2:3', 'Episode 3', 'series/show/2', 2, 3],
      ['series/odd', 'No number', 'series/show', null, null],
    ]);
    expect(page?.items).toHaveLength(3);
  });

  test('streams that come with the description are played where there are no others', async () => {
    await using addon = await startBadAddon((path) => {
      if (path === '/manifest.json') return manifest({ resources: ['catalog', 'meta'], types: [], idPrefixes: [] });
      if (!path.startsWith('/meta/')) return 404;
      const files = ['a', 'b'].map((id) => ({ id, title: id, streams: [{ url: `https://files.example/${id}.mkv` }] }));
      return { meta: { id: 'mine', type: 'other', name: 'My files', videos: files } };
    });
    const { source, catalogue } = open(addon);
    const page = await source.readItem!('other/mine', signal);
    catalogue.take(page!);
    expect(page?.items.map(({ mediaKey, quality, type }) => [mediaKey, quality, type])).toEqual([
      ['other/mine', 'original', 'video'],
      ['other/a', 'original', 'video'],
      ['other/b', 'original', 'video'],
    ]);
    expect((await resolve(source, 'other/b')).url).toBe('https://files.example/b.mkv');
    expect((await resolve(source, 'other/mine')).url).toBe('https://files.example/a.mkv');
  });

  test('a film is told without subtitles when they cannot be had, and with those of the shorter address', async () => {
    let answer: unknown = 500;
    await using addon = await startBadAddon((path) => {
      if (path === '/manifest.json') return manifest({ resources: ['catalog', 'meta', 'stream', 'subtitles'] });
      if (path.startsWith('/meta/')) return { meta: { id: 'tt1', type: 'movie', name: 'Film' } };
      if (path.startsWith('/stream/')) {
        return { streams: [{ url: 'https://a/b.mkv', behaviorHints: { filename: 'b.mkv' } }] };
      }
      return path === '/subtitles/movie/tt1.json' && answer === 404
        ? { subtitles: [{ url: 'https://a/b.srt' }] }
        : answer;
    });
    const { source } = open(addon);
    const count = async () => (await source.readItem!('tt1', signal))?.media?.[0]?.subtitles.length;
    expect(await count()).toBe(0);
    answer = 404;
    expect(await count()).toBe(1);
  });

  test('streams are asked for by the video that the description names', async () => {
    await using addon = await startBadAddon((path) => {
      if (path === '/manifest.json') return manifest();
      if (path.startsWith('/meta/')) {
        return { meta: { id: 'tmdb:1', type: 'movie', name: 'Film', behaviorHints: { defaultVideoId: 'tt7' } } };
      }
      return { streams: path === '/stream/movie/tt7.json' ? [{ url: 'https://files.example/7.mkv' }] : [] };
    });
    const { source } = open(addon);
    expect((await resolve(source, 'tmdb:1')).url).toBe('https://files.example/7.mkv');
    expect((await source.readItem!('tmdb:1', signal))?.items[0]?.locator).toBe('{"video":"tt7"}');
  });

  test('an add-on that answers 307 is followed', async () => {
    await using addon = await startStremioAddon();
    await using redirector = await startRedirector((path) => addon.origin + path.slice(1));
    const { source } = open({ manifestUrl: `${redirector.origin}manifest.json` });
    expect((await readFolder(source, 'movie:films')).items).toHaveLength(3);
  });

  test('what has no catalogue that could be listed says so', async () => {
    const bare: [Record<string, unknown>, string][] = [
      [{ catalogs: [] }, 'searching'],
      [{ catalogs: [], behaviorHints: { configurationRequired: true } }, 'configured'],
    ];
    for (const [details, word] of bare) {
      await using addon = await startBadAddon(() => manifest(details));
      const error = await failure(readFolder(open(addon).source, ''));
      expect(error).toMatchObject({ code: 'no-listing', hint: expect.stringContaining(word) });
    }
  });

  test('catalogues that cannot be told apart are one, and odd ones none', async () => {
    const catalogs = [
      null,
      { id: 'x' },
      { type: 'movie', id: 'top' },
      { type: 'movie', id: 'top' },
      { type: 'series', id: 'top', extra: [null, { name: 'skip', isRequired: true }] },
      { type: 'movie', id: 'a/b ü', extra: [{}] },
      { type: 'movie', id: 'y', extraRequired: ['genre'] },
      { type: 'movie', id: 'z'.repeat(1_024) },
    ];
    await using addon = await startBadAddon((path) => {
      return path === '/manifest.json' ? manifest({ catalogs }) : { metas: [{ id: 'tt1', name: 'One' }] };
    });
    const { source } = open(addon);
    const { folders } = await readFolder(source, '');
    expect(folders).toEqual(['movie:top', 'series:top', 'movie:a%2Fb%20%C3%BC']);
    expect((await readFolder(source, folders[2]!)).items).toHaveLength(1);
    expect(addon.requests.at(-1)).toBe('/catalog/movie/a%2Fb%20%C3%BC.json');
  });
});

describe('trySignIn()', () => {
  async function tryIt(addon: { readonly manifestUrl: string }, options = {}) {
    const { target, services } = open({ ...addon, options });
    return stremioKind.trySignIn(target, services, signal);
  }

  test('trySignIn() names the add-on and what it gives, and finds a film to test with', async () => {
    await using addon = await startStremioAddon();
    const { finding, sample } = await tryIt(addon);
    expect(finding).toEqual({
      ok: true,
      detail: 'it is "Test add-on" 1.2.3, which gives catalogues, descriptions, streams, subtitles',
    });
    expect(sample?.name).toBe('Film 1 (2001)');
    expect(sample?.request.url).toStartWith(`${addon.files.url}signed/`);
  });

  test('trySignIn() tests with an episode where there are only series, and with search where nothing is listed', async () => {
    await using addon = await startStremioAddon();
    expect((await tryIt(addon, { catalogues: ['shows'] })).sample?.name).toBe('Series S00E01 Part 1');
    const nothing = await tryIt(addon, { catalogues: ['year'] });
    expect(nothing).toMatchObject({ finding: { ok: true, hint: expect.stringContaining('search') }, sample: null });
  });

  test('trySignIn() says why no film was found', async () => {
    await using addon = await startStremioAddon({ streams: () => [{ infoHash: 'a' }] });
    const { finding, sample } = await tryIt(addon);
    expect([finding.ok, sample]).toEqual([true, null]);
    expect(finding.hint).toContain('torrent');
    await using live = await startStremioAddon({ streams: () => [] });
    expect((await tryIt(live, { catalogues: ['mixed'] })).finding.hint).toContain('no streams');
    await using empty = await startStremioAddon({ filmCount: 0 });
    expect((await tryIt(empty, { catalogues: ['films'] })).finding.hint).toContain('empty');
    await using failing = await startBadAddon((path) => {
      if (path === '/manifest.json') return manifest();
      return path.startsWith('/catalog/') ? { metas: [{ id: 'tt1', name: 'One' }] } : 500;
    });
    expect((await tryIt(failing)).finding.hint).toContain('500');
  });

  test('trySignIn() says that an add-on wants to be configured first, or cannot be used alone', async () => {
    await using addon = await startStremioAddon({ config: { apiKey: 'a' } });
    const unconfigured = await tryIt({ manifestUrl: `${addon.origin}manifest.json` });
    expect(unconfigured).toMatchObject({
      finding: { ok: false, hint: expect.stringContaining('/configure') },
      sample: null,
    });
    expect((await tryIt(addon)).finding.ok).toBe(true);
    const useless: [Record<string, unknown>, string][] = [
      [{ resources: ['stream'], catalogs: [] }, 'no catalogue'],
      [{ resources: ['subtitles'], catalogs: [] }, 'no streams'],
      [{ resources: [null, { name: 'other' }], catalogs: [] }, 'gives nothing'],
    ];
    for (const [details, words] of useless) {
      await using bad = await startBadAddon(() => manifest(details));
      const { finding } = await tryIt(bad);
      expect(finding).toMatchObject({ ok: false, detail: expect.stringContaining(words), hint: expect.any(String) });
    }
  });

  test('trySignIn() says what is wrong with the address', async () => {
    const cases: [unknown, string, string][] = [
      ['<html>sign in</html>', 'web page', 'browser'],
      [{ hello: 'world' }, 'no manifest', 'link'],
      [[], 'no manifest', 'link'],
      [404, 'no manifest', 'copy'],
      [401, 'let us in', 'configure'],
      [403, 'let us in', 'configure'],
      [503, '503', 'try again'],
    ];
    for (const [answer, message, hint] of cases) {
      await using bad = await startBadAddon(() => answer);
      const error = await failure(tryIt(bad));
      expect(error).toMatchObject({ message: expect.stringContaining(message), hint: expect.stringContaining(hint) });
    }
  });
});

async function startRedirector(to: string | ((path: string) => string)) {
  const keys: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    keys.push(request.headers['x-play-key']?.toString());
    const location = typeof to === 'string' ? to : to(request.url ?? '/');
    response.writeHead(307, { location }).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    origin: `http://127.0.0.1:${(server.address() as { port: number }).port}/`,
    keys,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
