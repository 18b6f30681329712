// A Plex source over real sockets, with the client that fetches films, against a stand-in that is as strict as Plex is.
import { describe, expect, test } from 'bun:test';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LarderError } from '../../src/errors.ts';
import type { UpstreamRequest } from '../../src/sources/media-source.ts';
import type { OriginClient } from '../../src/sources/origin-client.ts';
import { plexKind } from '../../src/sources/plex/plex-kind.ts';
import { assertContent } from '../support/content.ts';
import { seedOfPart, standInFilm, standInFilms, standInVersion } from '../support/plex-server/plex-library.ts';
import {
  addressOf,
  BACKGROUND,
  failureOf,
  plexHarness,
  REFUSED,
  readFolder,
  WATCHED,
} from '../support/plex-server/plex-services.ts';
import { type PlexServer, startPlexServer } from '../support/plex-server.ts';

const never = new AbortController().signal;

function films(titles = standInFilms(3)) {
  return { key: '1', type: 'movie', title: 'Films', titles };
}

function shows() {
  return {
    key: '2',
    type: 'show',
    title: 'Series',
    titles: [
      { ratingKey: 100, type: 'show', title: 'Babylon 5', year: 1994, hasThumb: true },
      { ratingKey: 110, type: 'season', title: 'Season 4', index: 4, parent: 100 },
      standInFilm(111, { type: 'episode', title: 'The Illusion of Truth', index: 8, parent: 110 }),
      standInFilm(112, { type: 'episode', title: 'Atonement', index: 9, parent: 110 }),
    ],
  };
}

function music() {
  return {
    key: '3',
    type: 'artist',
    title: 'Music',
    titles: [
      { ratingKey: 200, type: 'artist', title: 'Miles Davis' },
      { ratingKey: 210, type: 'album', title: 'Kind of Blue', year: 1959, parent: 200, hasThumb: true },
      standInFilm(211, {
        type: 'track',
        title: 'So What',
        index: 1,
        parent: 210,
        versions: [{ container: 'flac', bitrate: 900, parts: [{ id: 2110, changeStamp: 2110, sizeBytes: 50_000 }] }],
      }),
    ],
  };
}

async function fetchBytes(client: OriginClient, request: UpstreamRequest, start = 0): Promise<Uint8Array> {
  const expectsMedia = !request.url.includes('.m3u8');
  const { body } = await client.open(
    { ...request, ownPort: 1, range: { kind: 'from', start, end: null }, ifRange: null, expectsMedia },
    new AbortController(),
  );
  return new Uint8Array(await new Response(body).arrayBuffer());
}

async function statusOf(client: OriginClient, request: UpstreamRequest): Promise<number> {
  const question = { ...request, ownPort: 1, range: null, ifRange: null, expectsMedia: false };
  const abort = new AbortController();
  const { status } = await client.ask(question, abort);
  abort.abort();
  return status;
}

/** Another program, which answers JSON to everything. */
async function startJson(body: string): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('the catalogue of a Plex source', () => {
  test('has one folder for each library and type, whose names are unique among siblings', async () => {
    const photos = { key: '4', type: 'photo', title: 'Photos', titles: [] };
    const other = { key: '5', type: 'clips', title: 'Clips', titles: [standInFilm(500, { type: 'clip' })] };
    await using plex = await startPlexServer({ sections: [films(), shows(), music(), photos, other] });
    const { source } = plexHarness(plex);
    const { folders, reading } = await readFolder(source.openCatalogue(), '');
    expect(folders).toEqual([
      'library/1-movies',
      'library/2-shows',
      'library/2-seasons',
      'library/2-episodes',
      'library/3-albums',
      'library/3-tracks',
      'library/5-videos',
    ]);
    expect(reading.isUnchanged).toBe(false);
    expect(source.openCatalogue()).toMatchObject({ id: 1, name: 'plex' });
    expect(source.describe('Film (1999)/7:part-2.mkv')).toMatchObject({
      mediaKey: '7',
      quality: 'part-2',
      type: 'video',
    });
    expect((await readFolder(source.openCatalogue(), 'library/5-videos')).items[0]).toMatchObject({ type: 'video' });
    expect(await failureOf(readFolder(source.openCatalogue(), 'library/4-photos'))).toMatchObject({
      code: 'not-found',
    });
  });

  test('sends the token to everything but /identity, and never in an address', async () => {
    await using plex = await startPlexServer({ sections: [films()] });
    const { source } = plexHarness(plex);
    await readFolder(source.openCatalogue(), '');
    await readFolder(source.openCatalogue(), 'library/1-movies');
    for (const { path, query, headers } of plex.requests) {
      expect(headers['x-plex-token']).toBe(path === '/identity' ? undefined : 'plex-token');
      expect(headers).toMatchObject({ 'x-plex-client-identifier': 'client-1', 'x-plex-product': 'Larder' });
      expect(query.toString()).not.toContain('plex-token');
    }
  });

  test('describes films with their files, pictures, ids and subtitles', async () => {
    const subtitles = [
      { id: 71, language: 'de', codec: 'srt' },
      { id: 72, language: 'en', codec: 'ass', forced: true },
    ];
    const part = { id: 70, changeStamp: 1_348_327_790, sizeBytes: 5_000, subtitles };
    const film = standInFilm(7, { title: 'Metropolis', year: 1927, versions: [standInVersion(70, { parts: [part] })] });
    await using plex = await startPlexServer({ sections: [films([film])] });
    const { source } = plexHarness(plex);
    const { items, media } = await readFolder(source.openCatalogue(), 'library/1-movies');
    expect(items).toEqual([
      {
        mediaKey: '7',
        quality: 'original',
        type: 'movie',
        title: 'Metropolis',
        year: 1927,
        path: 'Metropolis (1927)/7:original.mkv',
        container: 'mkv',
        sizeBytes: 5_000,
        stamp: '1348327790 5000',
        locator: '{"part":"/library/parts/70/1348327790/file.mkv","media":0,"parts":1}',
        width: 1920,
        height: 1080,
        bitrate: 9_000_000,
        videoCodec: 'h264',
        audioCodec: 'aac',
        delivery: 'file',
      },
    ]);
    expect(media[0]).toMatchObject({
      key: '7',
      parentKey: null,
      durationMs: 5_400_007,
      artwork: '/library/metadata/7/thumb/1600000000',
      otherIds: ['imdb:tt0000007'],
      subtitles: [
        { language: 'de', format: 'srt', locator: '/library/streams/71', isForced: false },
        { language: 'en', format: 'ass', locator: '/library/streams/72', isForced: true },
      ],
    });
  });

  test('names series, seasons, episodes, albums and tracks with what they belong to', async () => {
    await using plex = await startPlexServer({ sections: [shows(), music()] });
    const catalogue = plexHarness(plex).source.openCatalogue();
    expect((await readFolder(catalogue, 'library/2-shows')).media[0]).toMatchObject({ key: '100', type: 'series' });
    expect((await readFolder(catalogue, 'library/2-seasons')).media[0]).toMatchObject({
      type: 'season',
      parentKey: '100',
      season: 4,
      episode: null,
    });
    const episodes = await readFolder(catalogue, 'library/2-episodes');
    expect(episodes.media[0]).toMatchObject({ parentKey: '110', season: 4, episode: 8 });
    expect(episodes.items[0]?.path).toBe('Babylon 5 S04E08 The Illusion of Truth/111:original.mkv');
    expect((await readFolder(catalogue, 'library/3-albums')).media[0]).toMatchObject({
      type: 'album',
      parentKey: null,
    });
    const tracks = await readFolder(catalogue, 'library/3-tracks');
    expect(tracks.media[0]).toMatchObject({ type: 'track', parentKey: '210', episode: 1 });
    expect(tracks.items[0]?.path).toBe('Miles Davis – Kind of Blue – 01 So What/211:original.flac');
  });

  test('goes through 100,000 films in pages, and finds the same when numbers come as text', async () => {
    const count = 100_000;
    await using plex = await startPlexServer({ sections: [films(standInFilms(count))] });
    const catalogue = plexHarness(plex).source.openCatalogue();
    const reading = await catalogue.openFolder('library/1-movies', null, never);
    expect(reading.expected).toBe(count);
    const keys = new Set<string>();
    let mostInPage = 0;
    for await (const page of reading.pages) {
      mostInPage = Math.max(mostInPage, page.items.length);
      for (const item of page.items) keys.add(item.mediaKey);
    }
    expect(keys.size).toBe(count);
    expect(mostInPage).toBe(100);
    const lists = plex.requestsTo('/library/sections/1/all');
    expect(lists).toHaveLength(count / 100 + 1);
    for (const { headers, status } of lists) {
      expect([status, headers['x-plex-container-size']]).toEqual([200, '100']);
    }
    const textual = await startPlexServer({ sections: [films()], behaviour: { numbersAsText: true } });
    await using _ = textual;
    const plain = await startPlexServer({ sections: [films()] });
    await using __ = plain;
    const read = async (server: PlexServer) =>
      readFolder(plexHarness(server).source.openCatalogue(), 'library/1-movies');
    const [one, other] = [await read(textual), await read(plain)];
    expect(one.items).toEqual(other.items);
    expect(one.media).toEqual(other.media);
  }, 60_000);

  test('goes on past short pages, and stops where a page brings nothing new', async () => {
    await using plex = await startPlexServer({ sections: [films(standInFilms(25))], behaviour: { pageSizeMax: 10 } });
    const catalogue = plexHarness(plex).source.openCatalogue();
    expect((await readFolder(catalogue, 'library/1-movies')).items).toHaveLength(25);
    plex.behaviour.ignoresPaging = true;
    expect(await failureOf(readFolder(catalogue, 'library/1-movies'))).toMatchObject({ code: 'no-listing' });
    plex.behaviour.hidesTotal = true;
    expect((await readFolder(catalogue, 'library/1-movies')).items).toHaveLength(10);
  });

  test('goes on past a page of which nothing can be read', async () => {
    const titles = standInFilms(30).map((film, at) => (at < 20 ? { ...film, overrides: { ratingKey: null } } : film));
    await using plex = await startPlexServer({ sections: [films(titles)], behaviour: { pageSizeMax: 10 } });
    const catalogue = plexHarness(plex).source.openCatalogue();
    expect((await readFolder(catalogue, 'library/1-movies')).items).toHaveLength(10);
  });

  test('reads lists without streams where the server refuses the wish for them, or strips the rest', async () => {
    for (const streamElements of ['refused', 'stripped'] as const) {
      await using plex = await startPlexServer({ sections: [films(standInFilms(250))], behaviour: { streamElements } });
      const { items } = await readFolder(plexHarness(plex).source.openCatalogue(), 'library/1-movies');
      expect(items).toHaveLength(250);
      // Asked once, and not again with the later pages.
      const wishes = plex.requests.filter(({ query }) => query.has('includeElements'));
      expect(wishes).toHaveLength(1);
    }
  });

  test('skips what cannot be read, and takes the first of two with one key', async () => {
    const titles = [
      standInFilm(1, { overrides: { title: 'x'.repeat(200_000) } }),
      standInFilm(2, { overrides: { ratingKey: '../../identity' } }),
      standInFilm(3, { overrides: { Media: [null, 7, { Part: [null] }, { Part: 'x' }] } }),
      standInFilm(4, { title: 'First' }),
      standInFilm(4, { title: 'Second' }),
      standInFilm(5, { overrides: { title: null } }),
      standInFilm(6, {
        overrides: { Media: [{ Part: [{ key: 'http://elsewhere/x' }] }, { Part: [{ key: '/a/../b' }] }] },
      }),
      standInFilm(8, { type: 'season', overrides: { type: 'season', parentRatingKey: '9' } }),
      standInFilm(9, { type: 'season', overrides: { type: 'season', parentRatingKey: '8' } }),
    ];
    await using plex = await startPlexServer({
      sections: [films(titles), { key: '2', type: 'show', title: 'Series', titles: titles.slice(7) }],
    });
    const catalogue = plexHarness(plex).source.openCatalogue();
    const { items, media } = await readFolder(catalogue, 'library/1-movies');
    expect(items.map(({ title }) => title)).toEqual(['First']);
    expect(media.map(({ key }) => key)).toEqual(['3', '4', '6']);
    const seasons = await readFolder(catalogue, 'library/2-seasons');
    expect(seasons.media.map(({ key, parentKey }) => [key, parentKey])).toEqual([
      ['8', null],
      ['9', null],
    ]);
  });

  test('does not read a library that says it did not change', async () => {
    await using plex = await startPlexServer({ sections: [films()] });
    const catalogue = plexHarness(plex).source.openCatalogue();
    const { reading } = await readFolder(catalogue, 'library/1-movies');
    const asked = plex.requestsTo('/library/sections/1/all').length;
    const again = await readFolder(catalogue, 'library/1-movies', reading);
    expect(again.reading.isUnchanged).toBe(true);
    expect(again.pages).toEqual([]);
    expect(plex.requestsTo('/library/sections/1/all')).toHaveLength(asked);
  });

  test('asks a library that changed for its changes, and says how many files there are now', async () => {
    const split = standInVersion(50, {
      parts: [
        { id: 51, changeStamp: 51, sizeBytes: 100 },
        { id: 52, changeStamp: 52, sizeBytes: 100 },
      ],
    });
    const titles = [...standInFilms(300), standInFilm(900, { versions: [split, standInVersion(901)] })];
    await using plex = await startPlexServer({ sections: [films(titles), shows()] });
    const catalogue = plexHarness(plex).source.openCatalogue();
    const { reading, items } = await readFolder(catalogue, 'library/1-movies');
    expect(items).toHaveLength(303);
    plex.add('1', standInFilm(5_000, { title: 'New' }));
    plex.remove(17);
    plex.replace(20, [standInVersion(7_777), standInVersion(7_778, { width: 1280, height: 720 })]);
    const changes = await readFolder(catalogue, 'library/1-movies', reading);
    expect(changes.items.map(({ mediaKey, quality }) => `${mediaKey}:${quality}`)).toEqual([
      '20:original',
      '20:720p',
      '5000:original',
    ]);
    expect(changes.reading.changesOf).toBe(304);
    expect(changes.reading.etag).not.toBe(reading.etag);
    const filters = plex.requests.map(({ query }) => query.get('updatedAt>>')).filter((value) => value !== null);
    expect(Number(filters[0])).toBeGreaterThan(1_600_000_000);

    const shown = await readFolder(catalogue, 'library/2-shows');
    plex.add('2', { ratingKey: 150, type: 'show', title: 'Crusade' });
    const shownNow = await readFolder(catalogue, 'library/2-shows', shown.reading);
    expect(shownNow.reading.changesOf).toBe(0);
    expect(shownNow.media.map(({ title }) => title)).toEqual(['Crusade']);
  });

  test('reads a library whole where its changes cannot be asked for, are many, or have no beginning', async () => {
    await using plex = await startPlexServer({ sections: [films(standInFilms(3))] });
    const catalogue = plexHarness(plex).source.openCatalogue();
    const { reading } = await readFolder(catalogue, 'library/1-movies');
    plex.add('1', standInFilm(4));
    const readWhole = async (known = reading) => {
      const now = await readFolder(catalogue, 'library/1-movies', known);
      expect(now.reading.changesOf).toBeUndefined();
      return now;
    };
    plex.behaviour.refusesFilters = true;
    expect((await readWhole()).items).toHaveLength(4);
    plex.behaviour.refusesFilters = false;
    plex.behaviour.hidesTotal = true;
    expect((await readWhole()).items).toHaveLength(4);
    plex.behaviour.hidesTotal = false;
    expect((await readWhole({ ...reading, lastModified: null })).items).toHaveLength(4);
    for (let key = 10_000; key < 11_100; key += 1) plex.add('1', standInFilm(key));
    expect((await readWhole()).items).toHaveLength(1_104);
    plex.behaviour.hidesDate = true;
    expect((await readFolder(catalogue, 'library/1-movies')).reading.lastModified).toBeNull();
  });

  test('hasFile() tells a file that is gone from a server that does not say', async () => {
    await using plex = await startPlexServer({ sections: [films()] });
    const catalogue = plexHarness(plex).source.openCatalogue();
    expect(await catalogue.hasFile('Film/2:original.mkv', never)).toBe(true);
    expect(await catalogue.hasFile('Film/2:720p.mkv', never)).toBe(false);
    expect(await catalogue.hasFile('Film/99:original.mkv', never)).toBe(false);
    expect(await catalogue.hasFile('Film/no-number:original.mkv', never)).toBe(false);
    plex.behaviour.isStarting = true;
    expect(await failureOf(catalogue.hasFile('Film/2:original.mkv', never))).toMatchObject({ originStatus: 503 });
  });

  test('refuses to go through another server than the one that was chosen, or was there before', async () => {
    await using plex = await startPlexServer({ sections: [films()] });
    await using other = await startPlexServer({ sections: [films()], machineIdentifier: 'machine-2' });
    const options = plexKind.parseOptions({ machineIdentifier: 'machine-1' }, null, () => 'client-1');
    const chosen = plexHarness(other, { options });
    expect(await failureOf(readFolder(chosen.source.openCatalogue(), ''))).toMatchObject({
      code: 'origin-refused',
      message: expect.stringContaining('another Plex server'),
    });
    const { source, target } = plexHarness(plex);
    await readFolder(source.openCatalogue(), '');
    source.retarget({ ...target, url: other.url });
    expect((await readFolder(source.openCatalogue(), '')).folders).toHaveLength(1);
  });
});

describe('PlexSource.resolve()', () => {
  test('asks nothing where the file is known, and gives its bytes from any place', async () => {
    await using plex = await startPlexServer({ sections: [films()] });
    const { source, services, catalogue } = plexHarness(plex);
    for (const page of (await readFolder(source.openCatalogue(), 'library/1-movies')).pages) catalogue.put(page);
    const asked = plex.requests.length;
    const request = await source.resolve(addressOf(2, 'original'), WATCHED);
    expect(plex.requests).toHaveLength(asked);
    const part = plex.library.findPart(20)!;
    expect(request).toMatchObject({ url: `${plex.url}library/parts/20/1600000020/file.mkv`, local: true });
    expect(request.session).toBeUndefined();
    assertContent(await fetchBytes(services.client, request, 123), seedOfPart(part), 123);
  });

  test('marks what nobody waits for as a download', async () => {
    await using plex = await startPlexServer({ sections: [films()] });
    const { source, services } = plexHarness(plex);
    const request = await source.resolve(addressOf(2, 'original'), BACKGROUND);
    expect(new URL(request.url).search).toBe('?download=1');
    expect(await fetchBytes(services.client, request)).toHaveLength(400_020);
  });

  test('asks for a file plainly when the owner forbids downloads, from then on', async () => {
    await using plex = await startPlexServer({ sections: [films()], behaviour: { forbidsDownloads: true } });
    const { source, services, target } = plexHarness(plex);
    const refused = await source.resolve(addressOf(2, 'original'), BACKGROUND);
    expect(await statusOf(services.client, refused)).toBe(403);
    const anew = await source.resolve(addressOf(2, 'original'), { isFresh: true, isBackground: true });
    expect(await statusOf(services.client, anew)).toBe(200);
    expect((await source.resolve(addressOf(3, 'original'), BACKGROUND)).url).not.toContain('download');
    source.retarget(target);
    expect((await source.resolve(addressOf(3, 'original'), BACKGROUND)).url).toContain('download=1');
  });

  test('asks for a file as a download when it is not played without a decision', async () => {
    await using plex = await startPlexServer({ sections: [films()], behaviour: { needsDecision: true } });
    const { source, services } = plexHarness(plex);
    expect(await statusOf(services.client, await source.resolve(addressOf(2, 'original'), WATCHED))).toBe(503);
    expect(await statusOf(services.client, await source.resolve(addressOf(2, 'original'), REFUSED))).toBe(200);
  });

  test('finds a file again that has another number after a rescan, and notes it', async () => {
    await using plex = await startPlexServer({ sections: [films()] });
    const { source, services, catalogue } = plexHarness(plex);
    for (const page of (await readFolder(source.openCatalogue(), 'library/1-movies')).pages) catalogue.put(page);
    const stamp = catalogue.items.get('2:original')?.stamp;
    plex.rescan(2);
    expect(await statusOf(services.client, await source.resolve(addressOf(2, 'original'), WATCHED))).toBe(404);
    const [anew, other] = await Promise.all([
      source.resolve(addressOf(2, 'original'), REFUSED),
      source.resolve(addressOf(2, 'original'), REFUSED),
    ]);
    expect(other).toEqual(anew);
    expect(plex.requestsTo('/library/metadata/2')).toHaveLength(1);
    assertContent(await fetchBytes(services.client, anew), 1_600_000_020, 0);
    expect(catalogue.noted).toHaveLength(1);
    expect(catalogue.items.get('2:original')?.locator).toContain('/library/parts/900000020/');
    // It is the same file, and what is kept of it stays good.
    expect(catalogue.items.get('2:original')?.stamp).toBe(stamp!);
    expect((await source.resolve(addressOf(2, 'original'), WATCHED)).url).toBe(anew.url);
  });

  test('says that a title or a quality is gone', async () => {
    await using plex = await startPlexServer({ sections: [films()] });
    const { source } = plexHarness(plex);
    expect(await failureOf(source.resolve(addressOf(99, 'original'), WATCHED))).toMatchObject({ code: 'not-found' });
    expect(await failureOf(source.resolve(addressOf(2, '2160p'), WATCHED))).toMatchObject({ code: 'not-found' });
    expect(await failureOf(source.resolve(addressOf(2, '~sub-1'), WATCHED))).toMatchObject({ code: 'not-found' });
    source.remove();
    expect(await failureOf(source.resolve(addressOf(2, 'original'), WATCHED))).toMatchObject({
      code: 'unknown-source',
    });
    expect(() => source.openCatalogue()).not.toThrow();
  });

  test('gives pictures and subtitles by what is known, and asks for them otherwise', async () => {
    const part = { id: 70, changeStamp: 70, sizeBytes: 5_000, subtitles: [{ id: 71, language: 'de', codec: 'srt' }] };
    const film = standInFilm(7, { versions: [standInVersion(70, { parts: [part] })] });
    await using plex = await startPlexServer({ sections: [films([film])] });
    const { source, services } = plexHarness(plex);
    const poster = await source.resolve(addressOf(7, '~poster'), WATCHED);
    expect(new URL(poster.url).pathname).toBe('/library/metadata/7/thumb/1600000000');
    const subtitle = await source.resolve(addressOf(7, '~sub-1'), WATCHED);
    expect(plex.requestsTo('/library/metadata/7')).toHaveLength(1);
    const response = await services.client.ask(
      { ...subtitle, ownPort: 1, range: null, ifRange: null, expectsMedia: false },
      new AbortController(),
    );
    expect(await response.text()).toContain('/library/streams/71');
    expect((await source.resolve(addressOf(7, '~poster'), REFUSED)).url).toBe(poster.url);
    expect(await failureOf(source.resolve(addressOf(7, '~sub-2'), WATCHED))).toMatchObject({ code: 'not-found' });
    expect(await failureOf(source.resolve(addressOf(7, '~nothing'), WATCHED))).toMatchObject({ code: 'not-found' });
  });
});

describe('rungs of the ladder', () => {
  test('grow as one file in a session that is pinged and stopped', async () => {
    await using plex = await startPlexServer({ sections: [films()], convertedBytes: 150_000 });
    plex.transcoder.holdAfterBytes = 60_000;
    const { source, services, catalogue } = plexHarness(plex);
    for (const page of (await readFolder(source.openCatalogue(), 'library/1-movies')).pages) catalogue.put(page);
    const request = await source.resolve(addressOf(2, '720p'), WATCHED);
    const url = new URL(request.url);
    expect(url.pathname).toBe('/video/:/transcode/universal/start');
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      path: '/library/metadata/2',
      mediaIndex: '0',
      partIndex: '0',
      protocol: 'http',
      directPlay: '0',
      videoResolution: '1280x720',
      videoBitrate: '3808',
      peakBitrate: '4000',
    });
    expect(plex.requestsTo('/library/metadata/2')).toHaveLength(0);
    const { session } = request;
    expect(session?.pingEveryMs).toBe(15_000);
    const { head, body } = await services.client.open(
      { ...request, ownPort: 1, range: null, ifRange: null, expectsMedia: true },
      new AbortController(),
    );
    expect(head).toMatchObject({ totalBytes: null, seekable: false });
    const statusOfControl = (url: string) => statusOf(services.client, { ...request, url });
    expect(await statusOfControl(session!.ping!.url)).toBe(200);
    plex.transcoder.holdAfterBytes = null;
    plex.transcoder.release();
    const bytes = new Uint8Array(await new Response(body).arrayBuffer());
    const running = [...plex.transcoder.sessions.values()][0]!;
    expect(bytes).toHaveLength(150_000);
    assertContent(bytes, running.seed, 0);
    expect(running).toMatchObject({ pings: 1, ended: 'finished' });
    expect(await statusOfControl(session!.stop!.url)).toBe(404);
    expect(session!.stop!.url).not.toContain(plex.token);
  });

  test('are cut when the session is not heard of, and end when it is stopped', async () => {
    await using plex = await startPlexServer({ sections: [films()], reapSessionAfterMs: 20 });
    plex.transcoder.holdAfterBytes = 40_000;
    const { source, services } = plexHarness(plex);
    const request = await source.resolve(addressOf(2, '480p'), WATCHED);
    expect(await failureOf(fetchBytes(services.client, request))).toBeInstanceOf(Error);
    const session = [...plex.transcoder.sessions.values()][0]!;
    await plex.until(() => session.ended === 'reaped');
    expect(await statusOf(services.client, { ...request, url: request.session!.ping!.url })).toBe(404);
  });

  test('come whole from a server that knows neither ping nor stop', async () => {
    await using plex = await startPlexServer({ sections: [films()], behaviour: { hasNoSessionControl: true } });
    const { source, services } = plexHarness(plex);
    const request = await source.resolve(addressOf(2, '480p'), WATCHED);
    expect(await statusOf(services.client, { ...request, url: request.session!.ping!.url })).toBe(404);
    expect(await fetchBytes(services.client, request)).toHaveLength(plex.transcoder.bytes);
  });

  test('are asked for as a playlist where the owner chose that', async () => {
    await using plex = await startPlexServer({ sections: [films()] });
    const options = plexKind.parseOptions({ transcode: 'hls' }, null, () => 'client-1');
    const { source, services } = plexHarness(plex, { options });
    const request = await source.resolve(addressOf(2, '720p', 'm3u8'), WATCHED);
    expect(new URL(request.url).pathname).toBe('/video/:/transcode/universal/start.m3u8');
    const playlist = new TextDecoder().decode(await fetchBytes(services.client, request));
    expect(playlist).toStartWith('#EXTM3U');
    expect(await statusOf(services.client, { ...request, url: request.session!.stop!.url })).toBe(200);
    expect([...plex.transcoder.sessions.values()][0]?.ended).toBe('stopped');
  });

  test('are not made of a version that there really is', async () => {
    const versions = [standInVersion(20), standInVersion(21, { width: 1280, height: 720, bitrate: 3_000 })];
    await using plex = await startPlexServer({ sections: [films([standInFilm(2, { versions })])] });
    const { source, services, catalogue } = plexHarness(plex);
    for (const page of (await readFolder(source.openCatalogue(), 'library/1-movies')).pages) catalogue.put(page);
    const known = await source.resolve(addressOf(2, '720p'), WATCHED);
    assertContent(await fetchBytes(services.client, known), 1_600_000_021, 0);
    catalogue.items.clear();
    const asked = await source.resolve(addressOf(2, '720p'), WATCHED);
    expect(asked.url).toBe(known.url);
    expect(plex.transcoder.sessions.size).toBe(0);
  });

  test('are made of all parts of a split film, whose parts are qualities of their own', async () => {
    const parts = [
      { id: 31, changeStamp: 31, sizeBytes: 1_000 },
      { id: 32, changeStamp: 32, sizeBytes: 2_000 },
    ];
    const film = standInFilm(3, { versions: [standInVersion(30, { parts })] });
    await using plex = await startPlexServer({ sections: [films([film])] });
    const { source, services } = plexHarness(plex);
    const { items } = await readFolder(source.openCatalogue(), 'library/1-movies');
    expect(items.map(({ quality, sizeBytes }) => [quality, sizeBytes])).toEqual([
      ['part-1', 1_000],
      ['part-2', 2_000],
    ]);
    expect(await failureOf(source.resolve(addressOf(3, 'original'), WATCHED))).toMatchObject({ code: 'not-found' });
    assertContent(await fetchBytes(services.client, await source.resolve(addressOf(3, 'part-2'), WATCHED)), 32, 0);
    const request = await source.resolve(addressOf(3, '720p'), WATCHED);
    expect(new URL(request.url).searchParams.get('partIndex')).toBe('-1');
  });

  test('are refused in words when the server will not convert', async () => {
    await using plex = await startPlexServer({ sections: [films()] });
    const { source, target } = plexHarness(plex);
    const refusal = async () => {
      const error = await failureOf(source.resolve(addressOf(2, '720p'), REFUSED));
      if (!(error instanceof LarderError)) throw error;
      return error;
    };
    plex.behaviour.decision = { generalDecisionCode: 4005, generalDecisionText: 'Transcoder is disabled' };
    expect(await refusal()).toMatchObject({
      code: 'origin-refused',
      retry: 'never',
      message: expect.stringContaining('4005: Transcoder is disabled'),
    });
    plex.behaviour.decision = { transcodeDecisionCode: 2007, transcodeDecisionText: 'Not enough bandwidth' };
    expect(await refusal()).toMatchObject({ code: 'origin-busy', retry: 'later' });
    plex.behaviour.decision = { Metadata: [{ Media: [{ Part: [{ decision: 'directplay' }] }] }] };
    expect((await refusal()).message).toContain('the original in place of a conversion');
    plex.behaviour.decisionStatus = 400;
    expect(await refusal()).toMatchObject({ originStatus: 400, hint: expect.stringContaining('way of converting') });
    plex.behaviour.decisionStatus = 500;
    expect(await refusal()).toMatchObject({ code: 'origin-failed', retry: 'soon' });
    source.retarget({ ...target, options: plexKind.parseOptions({ transcode: 'off' }, null, () => 'client-1') });
    expect(source.ladder).toEqual([]);
    expect(await refusal()).toMatchObject({ code: 'not-found' });
  });
});

describe('a token that is not taken any more', () => {
  test('is said in words that tell what to do, and not repeated', async () => {
    await using plex = await startPlexServer({ sections: [films()] });
    const { source } = plexHarness(plex, { credentials: { token: 'old-token' } });
    const error = await failureOf(source.resolve(addressOf(2, 'original'), WATCHED));
    expect(error).toMatchObject({
      code: 'origin-refused',
      originStatus: 401,
      hint: expect.stringContaining('sign in to Plex again'),
    });
    expect(JSON.stringify([String(error), (error as LarderError).hint])).not.toContain('old-token');
  });
});

describe('the stand-in', () => {
  test('is as strict as a Plex server', async () => {
    await using plex = await startPlexServer({ sections: [films()] });
    const headers = { accept: 'application/json', 'x-plex-client-identifier': 'test', 'x-plex-token': plex.token };
    const ask = async (path: string, init: RequestInit = {}) =>
      (await fetch(plex.url + path, { headers, ...init })).status;
    expect(await ask('library/sections/1/all?type=1')).toBe(400);
    expect(await ask('library/sections/1/all?X-Plex-Container-Start=0&X-Plex-Container-Size=1')).toBe(200);
    expect(await ask('library/sections', { headers: { accept: 'application/json' } })).toBe(401);
    expect(await ask('identity', { headers: { accept: 'application/json' } })).toBe(200);
    expect(await ask('library/parts/20/1600000020/file.mkv', { method: 'HEAD' })).toBe(500);
    expect(await ask('library/parts/20/1600000019/file.mkv')).toBe(404);
    const tail = await fetch(`${plex.url}library/parts/20/1600000020/file.mkv`, {
      headers: { ...headers, range: 'bytes=400000-' },
    });
    expect([tail.status, tail.headers.get('content-range')]).toEqual([206, 'bytes 400000-400019/400020']);
    assertContent(new Uint8Array(await tail.arrayBuffer()), 1_600_000_020, 400_000);
    const past = await fetch(`${plex.url}library/parts/20/1600000020/file.mkv`, {
      headers: { ...headers, range: 'bytes=400020-' },
    });
    expect(past.status).toBe(416);
    const asXml = await fetch(`${plex.url}library/sections`, { headers: { ...headers, accept: '*/*' } });
    expect(asXml.headers.get('content-type')).toBe('text/xml');
  });
});

describe('single titles', () => {
  test('readItem() gives a series with its seasons and episodes, and an album with its tracks', async () => {
    await using plex = await startPlexServer({ sections: [films(), shows(), music()] });
    const { source } = plexHarness(plex);
    const series = await source.readItem('100', never);
    expect(series?.media?.map(({ key }) => key)).toEqual(['100', '110', '111', '112']);
    expect(series?.items.map(({ mediaKey }) => mediaKey)).toEqual(['111', '112']);
    expect((await source.readItem('110', never))?.media?.map(({ key }) => key)).toEqual(['110', '111', '112']);
    expect((await source.readItem('210', never))?.media?.map(({ key }) => key)).toEqual(['210', '211']);
    expect((await source.readItem('2', never))?.items).toHaveLength(1);
    expect(await source.readItem('200', never)).toBeNull();
    expect(await source.readItem('4711', never)).toBeNull();
    expect(await source.readItem('../identity', never)).toBeNull();
  });

  test('search() gives what is found of any type, once', async () => {
    await using plex = await startPlexServer({ sections: [films(), shows(), music()] });
    const { source } = plexHarness(plex);
    expect((await source.search('film 2', never)).items.map(({ mediaKey }) => mediaKey)).toEqual(['2']);
    expect((await source.search('kind of', never)).media?.map(({ type }) => type)).toEqual(['album']);
    const asked = plex.requests.length;
    expect(await source.search('   ', never)).toMatchObject({ items: [], folders: [] });
    expect(plex.requests).toHaveLength(asked);
  });

  test('a question that is called off is', async () => {
    await using plex = await startPlexServer({ sections: [films()], behaviour: { latencyMs: 60_000 } });
    const { source } = plexHarness(plex);
    const abort = new AbortController();
    const reading = failureOf(source.readItem('2', abort.signal));
    await plex.until(() => plex.requests.length > 0).finally(() => abort.abort());
    expect(await reading).toMatchObject({ code: 'stopped' });
  });
});

describe('trySignIn()', () => {
  test('says which server it is and gives a file to test with', async () => {
    await using plex = await startPlexServer({ sections: [shows(), films()] });
    const { target, services } = plexHarness(plex);
    const { finding, sample } = await plexKind.trySignIn(target, services, never);
    expect(finding).toMatchObject({ ok: true, hint: null });
    expect(finding.detail).toBe('it is Plex Media Server 1.43.2.10687, and lets us in with the token: 2 libraries');
    expect(sample?.name).toBe('The Illusion of Truth');
    expect((await fetchBytes(services.client, sample!.request)).length).toBeGreaterThan(0);
  });

  test('says what is wrong, step by step, and what to do', async () => {
    await using plex = await startPlexServer({ sections: [films([])] });
    const { target, services } = plexHarness(plex);
    const tried = async (changes = {}) =>
      (await plexKind.trySignIn({ ...target, ...changes }, services, never)).finding;
    expect(await tried()).toMatchObject({ ok: true, hint: expect.stringContaining('no film') });
    expect(await tried({ credentials: null })).toMatchObject({
      ok: false,
      detail: expect.stringContaining('wants a token'),
    });
    const wrong = await tried({ credentials: { token: 'secret-of-another' } });
    expect(wrong).toMatchObject({ ok: false, detail: expect.stringContaining('does not take the token (401)') });
    expect(JSON.stringify(wrong)).not.toContain('secret-of-another');
    expect(await tried({ options: { ...target.options, machineIdentifier: 'machine-2' } })).toMatchObject({
      ok: false,
      detail: expect.stringContaining('another Plex server'),
    });
    await using other = await startJson('{"product": "another"}');
    expect(await tried({ url: other.url })).toMatchObject({
      ok: false,
      detail: expect.stringContaining('what answers there is no Plex server'),
    });
    plex.behaviour.html = true;
    expect(await tried()).toMatchObject({ ok: false, detail: expect.stringContaining('no Plex server') });
    plex.behaviour.html = false;
    plex.behaviour.isStarting = true;
    expect(await tried()).toMatchObject({ ok: false, detail: expect.stringContaining('503') });
    plex.behaviour.isStarting = false;
    expect(await tried({ url: `${plex.url}somewhere/` })).toMatchObject({
      ok: false,
      detail: expect.stringContaining('asks who we are (401)'),
    });
    plex.library.sections.splice(0);
    expect(await tried()).toMatchObject({ ok: true, hint: expect.stringContaining('no libraries') });
    await plex.close();
    expect(await failureOf(tried())).toMatchObject({ code: 'origin-failed' });
  });
});
