// A Jellyfin source against a server that behaves as the real one, through the client that fetches films.
import { describe, expect, test } from 'bun:test';
import { systemClock } from '../../src/clock.ts';
import { LarderError } from '../../src/errors.ts';
import type { CataloguePage } from '../../src/sources/catalogue-source.ts';
import { jellyfinKind } from '../../src/sources/jellyfin/jellyfin-kind.ts';
import { pollQuickConnect, startQuickConnect } from '../../src/sources/jellyfin/quick-connect.ts';
import type { MediaSource, UpstreamRequest } from '../../src/sources/media-source.ts';
import { OriginClient } from '../../src/sources/origin-client.ts';
import { assertContent } from '../support/content.ts';
import { FakeClock } from '../support/fake-clock.ts';
import {
  openSource,
  PASSWORD,
  readAll,
  readFolder,
  SIGNAL,
  targetOf,
  testServices,
} from '../support/jellyfin/source-services.ts';
import { ALICE, idOf, LIBRARIES, PlainAnswer, startJellyfinServer } from '../support/jellyfin-server.ts';
import { startOrigin } from '../support/origin.ts';

const [FILMS, SHOWS, MUSIC, HOME] = LIBRARIES.map(({ id }) => id);
const SMALL = { movies: 6, series: 2, seasonsEach: 2, episodesEach: 3, albums: 2, tracksEach: 3, videos: 2 };
const ONCE = { isFresh: false, isBackground: false };
const FRESH = { isFresh: true, isBackground: false };

async function failureOf(work: Promise<unknown>): Promise<LarderError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof LarderError) return error;
  throw new Error(`it did not fail as it should: ${String(error)}`);
}

function address(source: MediaSource, mediaKey: string, quality: string, container = 'mkv') {
  return source.describe(`Label/${mediaKey}:${quality}.${container}`);
}

async function readBytes(request: UpstreamRequest, range: { start: number; end: number } | null = null) {
  const client = new OriginClient(systemClock);
  const abort = new AbortController();
  const asked = range === null ? null : ({ kind: 'from', ...range } as const);
  const question = { ...request, ownPort: 0, range: asked, ifRange: null, expectsMedia: true };
  const { head, body } = await client.open(question, abort);
  return { head, bytes: new Uint8Array(await new Response(body).arrayBuffer()) };
}

describe('the catalogue', () => {
  test('openFolder() goes from the libraries through kinds to what is below, parents first', async () => {
    await using server = await startJellyfinServer({ ...SMALL, versionsEvery: 3, virtualEvery: 6 });
    const all = await readAll(openSource(targetOf(server.url), testServices()).openCatalogue());
    expect([...all.keys()]).toEqual([
      '',
      `movies-${FILMS}`,
      `series-${SHOWS}`,
      `albums-${MUSIC}`,
      `videos-${HOME}`,
      `series-${SHOWS}/episodes`,
      `albums-${MUSIC}/tracks`,
    ]);
    const films = all.get(`movies-${FILMS}`)!;
    expect(films.media).toHaveLength(6);
    expect(films.items.map(({ quality }) => quality)).toEqual([
      'original',
      '720p',
      'original',
      'original',
      'original',
      '720p',
      'original',
      'original',
    ]);
    expect(films.items[0]).toMatchObject({
      mediaKey: idOf('Movie', 0),
      type: 'movie',
      title: 'Movie 000000',
      year: 1950,
      path: `Movie 000000 (1950)/${idOf('Movie', 0)}:original.mkv`,
      container: 'mkv',
      sizeBytes: server.library.sizeOf(idOf('Movie', 0)),
      width: 1920,
      height: 1080,
      bitrate: 12_000_000,
      videoCodec: 'h264',
      audioCodec: 'aac',
      delivery: 'file',
      refusal: null,
    });
    expect(films.items[1]).toMatchObject({ quality: '720p', container: 'mp4', height: 720 });
    expect(films.media![0]).toMatchObject({
      key: idOf('Movie', 0),
      durationMs: 5_400_000,
      otherIds: ['imdb:tt7000000', 'tmdb:1'],
      subtitles: [{ language: 'ger', title: 'Deutsch', format: 'srt', isForced: false }],
    });
    const shows = all.get(`series-${SHOWS}`)!;
    expect(shows.items).toEqual([]);
    expect(shows.media!.map(({ type }) => type)).toEqual(['series', 'series', 'season', 'season', 'season', 'season']);
    expect(shows.media![2]).toMatchObject({ parentKey: idOf('Series', 0), season: 1, episode: null });
    const episodes = all.get(`series-${SHOWS}/episodes`)!;
    // Each sixth is missing at the server.
    expect(episodes.items).toHaveLength(10);
    expect(episodes.media).toHaveLength(10);
    expect(episodes.media![1]).toMatchObject({ parentKey: idOf('Season', 0), season: 1, episode: 2 });
    expect(episodes.items[1]!.path).toStartWith('Series 000000 S01E02 Episode 000001/');
    const tracks = all.get(`albums-${MUSIC}/tracks`)!;
    expect(tracks.items[0]).toMatchObject({ type: 'track', container: 'flac', bitrate: 900_000 });
    expect(tracks.items[0]!.path).toStartWith('Artist 0 – MusicAlbum 000000 – 01 Audio 000000/');
    expect(all.get(`videos-${HOME}`)!.items.map(({ type }) => type)).toEqual(['video', 'video']);
    for (const { items } of all.values()) expect(items.every(({ path }) => !path.includes(server.url))).toBe(true);
  });

  test('openFolder() sees all libraries with an API key, which has no user', async () => {
    await using server = await startJellyfinServer({ ...SMALL, apiKeys: ['key-1'], virtualEvery: 3, withDashes: true });
    const all = await readAll(openSource(targetOf(server.url, { apiKey: 'key-1' }), testServices()).openCatalogue());
    expect(all.get(`movies-${FILMS}`)!.items).toHaveLength(6);
    // Without a user the server lists what is missing, too.
    expect(all.get(`series-${SHOWS}/episodes`)!.items).toHaveLength(8);
    expect(server.requestsOf('Users/AuthenticateByName')).toHaveLength(0);
    expect(server.requestsOf('Library/MediaFolders')).not.toHaveLength(0);
    expect(server.requests.every(({ query }) => query.userId === undefined)).toBe(true);
  });

  test('openFolder() goes through 100,000 films in bounded pages, and holds none of them', async () => {
    await using server = await startJellyfinServer({ movies: 100_000 });
    const catalogue = openSource(targetOf(server.url), testServices()).openCatalogue();
    const reading = await catalogue.openFolder(`movies-${FILMS}`, null, SIGNAL);
    expect(reading.expected).toBe(100_000);
    let seen = 0;
    let largest = 0;
    let last = '';
    for await (const page of reading.pages) {
      seen += page.items.length;
      largest = Math.max(largest, page.items.length);
      last = page.items.at(-1)?.mediaKey ?? last;
    }
    expect(seen).toBe(100_000);
    expect(last).toBe(idOf('Movie', 99_999));
    expect(largest).toBe(100);
    const lists = server.requestsOf('Items');
    expect(lists.length).toBeLessThanOrEqual(1_002);
    // One after the other, counted once.
    expect(server.mostAtOnce('Items')).toBe(1);
    expect(lists.filter(({ query }) => query.enableTotalRecordCount !== 'false')).toHaveLength(1);
    expect(lists.every(({ query }) => Number(query.limit) <= 500)).toBe(true);
  }, 60_000);

  test('openFolder() says that nothing changed, with two small questions', async () => {
    await using server = await startJellyfinServer(SMALL);
    const catalogue = openSource(targetOf(server.url), testServices()).openCatalogue();
    const folder = `movies-${FILMS}`;
    const { validators } = await readFolder(catalogue, folder);
    const before = server.requests.length;
    const again = await readFolder(catalogue, folder, validators);
    expect(again).toMatchObject({ isUnchanged: true, pages: [], validators });
    const asked = server.requests.slice(before);
    expect(asked.map(({ query }) => query.limit)).toEqual(['1', '1']);
  });

  test('openFolder() tells what changed, and how many files there are now', async () => {
    await using server = await startJellyfinServer({ ...SMALL, versionsEvery: 3 });
    const catalogue = openSource(targetOf(server.url), testServices()).openCatalogue();
    const folder = `movies-${FILMS}`;
    const first = await readFolder(catalogue, folder);
    const stampOf = (page: CataloguePage | undefined) => page?.items[0]?.stamp;
    server.library.addMovies(2);
    server.edit(idOf('Movie', 3), { name: 'Renamed' });
    server.edit(idOf('Movie', 4), { fileVersion: 2 });
    const changed = await readFolder(catalogue, folder, first.validators);
    expect(changed.isUnchanged).toBe(false);
    const items = changed.pages.flatMap((page) => page.items);
    const keys = [...new Set(items.map(({ mediaKey }) => mediaKey))];
    expect(keys).toEqual([3, 4, 6, 7].map((index) => idOf('Movie', index)));
    // 8 films, of which those with the numbers 0, 3 and 6 have two files.
    expect(changed.changesOf).toBe(11);
    const former = first.pages.flatMap((page) => page.items);
    const find = (from: typeof items, index: number) => from.find(({ mediaKey }) => mediaKey === idOf('Movie', index));
    expect(find(items, 3)).toMatchObject({ title: 'Renamed', stamp: find(former, 3)!.stamp });
    expect(find(items, 4)!.stamp).not.toBe(find(former, 4)!.stamp);
    expect(stampOf(first.pages[0])).toBeString();
    // From here the next changes are told.
    server.edit(idOf('Movie', 7), { name: 'Again' });
    const next = await readFolder(catalogue, folder, changed.validators);
    expect(next.changesOf).toBe(11);
  });

  test('openFolder() is read whole when something is gone, a version went, or nothing is remembered', async () => {
    await using server = await startJellyfinServer({ ...SMALL, versionsEvery: 3 });
    const services = testServices();
    const catalogue = openSource(targetOf(server.url), services).openCatalogue();
    const folder = `movies-${FILMS}`;
    const first = await readFolder(catalogue, folder);
    server.edit(idOf('Movie', 0), { fields: { MediaSources: [] } });
    const lost = await readFolder(catalogue, folder, first.validators);
    expect(lost.changesOf).toBeUndefined();
    expect(lost.pages.flatMap((page) => page.items)).toHaveLength(6);
    server.edit(idOf('Movie', 1), { isDeleted: true, savedAtMs: 0 });
    server.edit(idOf('Movie', 0), { savedAtMs: 0 });
    const gone = await readFolder(catalogue, folder, lost.validators);
    expect(gone).toMatchObject({ isUnchanged: false, changesOf: undefined });
    expect(gone.pages.flatMap((page) => page.items)).toHaveLength(5);
    server.edit(idOf('Movie', 2), { name: 'After a restart' });
    const other = openSource(targetOf(server.url), services).openCatalogue();
    expect(await readFolder(other, folder, gone.validators)).toMatchObject({ changesOf: undefined });
    const shows = await readFolder(other, `series-${SHOWS}`);
    server.edit(idOf('Season', 1), { name: 'The last one' });
    const changedShows = await readFolder(other, `series-${SHOWS}`, shows.validators);
    expect(changedShows.changesOf).toBe(0);
    expect(changedShows.pages.at(-1)!.folders).toEqual([`series-${SHOWS}/episodes`]);
  });

  test('openFolder() tells what changed of servers before 10.11, which fail at one date', async () => {
    await using server = await startJellyfinServer({ ...SMALL, version: '10.10.7' });
    const catalogue = openSource(targetOf(server.url), testServices()).openCatalogue();
    const folder = `movies-${FILMS}`;
    const { validators } = await readFolder(catalogue, folder);
    server.edit(idOf('Movie', 3), { name: 'Renamed' });
    const changed = await readFolder(catalogue, folder, validators);
    expect(changed).toMatchObject({ changesOf: 6, expected: 1 });
    expect((await readFolder(catalogue, folder, changed.validators)).changesOf).toBe(6);
    expect(server.requests.filter(({ status }) => status === 500)).toHaveLength(1);
    server.replace('Items', ({ query }) =>
      query.minDateLastSaved === undefined ? undefined : new PlainAnswer(500, ''),
    );
    expect(await failureOf(readFolder(catalogue, folder, validators))).toMatchObject({ retry: 'soon' });
  });

  test('openFolder() is read whole when the address leads to another server', async () => {
    await using server = await startJellyfinServer(SMALL);
    await using other = await startJellyfinServer({ ...SMALL, serverId: 'e'.repeat(32) });
    const source = openSource(targetOf(server.url), testServices());
    const folder = `movies-${FILMS}`;
    const { validators } = await readFolder(source.openCatalogue(), folder);
    source.retarget(targetOf(other.url));
    const reading = await readFolder(source.openCatalogue(), folder, validators);
    expect(reading).toMatchObject({ isUnchanged: false, changesOf: undefined });
    expect(reading.pages.flatMap((page) => page.items)).toHaveLength(6);
  });

  test('openFolder() says that a library is not there', async () => {
    await using server = await startJellyfinServer(SMALL);
    const catalogue = openSource(targetOf(server.url), testServices()).openCatalogue();
    for (const folder of ['nowhere', `movies-${'e'.repeat(32)}`, `films-${FILMS}`]) {
      expect(await failureOf(readFolder(catalogue, folder))).toMatchObject({ code: 'not-found' });
    }
    // A server that answers an empty list in place of 400.
    server.replace('Items', () => ({ Items: [], TotalRecordCount: 0, StartIndex: 0 }));
    expect(await failureOf(readFolder(catalogue, `movies-${'e'.repeat(32)}`))).toMatchObject({ code: 'not-found' });
    expect((await readFolder(catalogue, `movies-${FILMS}`)).pages).toEqual([]);
  });

  test('openFolder() outlives what is malformed, endless, circular and double', async () => {
    await using server = await startJellyfinServer(SMALL);
    const services = testServices();
    const catalogue = openSource(targetOf(server.url), services).openCatalogue();
    const good = (id: string, more: object = {}) => ({ Id: id, Name: `Season of ${id[0]}`, Type: 'Season', ...more });
    const ids = ['1', '2', '3'].map((digit) => digit.repeat(32)) as [string, string, string];
    const page = [
      null,
      17,
      'text',
      {},
      { Id: 'short', Name: 'x', Type: 'Season' },
      { Id: '4'.repeat(32), Name: 'x'.repeat(10_000_000), Type: 'Season' },
      { Id: '5'.repeat(32), Name: 'A book', Type: 'Book' },
      good(ids[0], { SeriesId: ids[1], IndexNumber: '7' }),
      good(ids[1], { SeriesId: ids[0] }),
      good(ids[0], { IndexNumber: 9 }),
      good(ids[2], { SeriesId: ids[2], ProviderIds: [1], ImageTags: 'x', RunTimeTicks: 'soon', Overview: 5 }),
    ];
    server.replace('Items', () => ({ Items: page, TotalRecordCount: '1000000', StartIndex: 0 }));
    const { pages } = await readFolder(catalogue, `series-${SHOWS}`);
    const media = pages.flatMap((one) => one.media ?? []);
    expect(media.map(({ key, parentKey, season }) => [key, parentKey, season])).toEqual([
      // Once for each of the two lists of the folder: the server gives the same to all questions.
      ...[0, 1].flatMap(() => [
        [ids[0], null, 7],
        [ids[1], null, null],
        [ids[2], null, null],
      ]),
    ]);
    // The count, and for each list the page and the same page again.
    expect(server.requestsOf('Items')).toHaveLength(5);
    server.replace('Items', () => ({ what: 'no list' }));
    expect(await failureOf(readFolder(catalogue, `movies-${FILMS}`))).toMatchObject({ code: 'origin-lied' });
    server.replace('Items', () => new PlainAnswer(200, '<html>sign in</html>', 'text/html'));
    expect(await failureOf(readFolder(catalogue, `movies-${FILMS}`))).toMatchObject({ code: 'origin-refused' });
    server.replace('UserViews', () => ({ hello: 'world' }));
    expect(await failureOf(readFolder(catalogue, ''))).toMatchObject({ code: 'origin-lied' });
  });

  test('hasFile() asks the server for the item, and throws where it does not say', async () => {
    await using server = await startJellyfinServer({ ...SMALL, versionsEvery: 3, virtualEvery: 6 });
    const catalogue = openSource(targetOf(server.url), testServices()).openCatalogue();
    const path = (id: string, quality: string) => `Any label/${id}:${quality}.mkv`;
    expect(await catalogue.hasFile(path(idOf('Movie', 0), 'original'), SIGNAL)).toBe(true);
    expect(await catalogue.hasFile(path(idOf('Movie', 0), '720p'), SIGNAL)).toBe(true);
    expect(await catalogue.hasFile(path(idOf('Movie', 1), '720p'), SIGNAL)).toBe(false);
    expect(await catalogue.hasFile(path(idOf('Movie', 9), 'original'), SIGNAL)).toBe(false);
    expect(await catalogue.hasFile(path('no-guid', 'original'), SIGNAL)).toBe(false);
    expect(await catalogue.hasFile(path(idOf('Episode', 5), 'original'), SIGNAL)).toBe(false);
    server.setStarting(true);
    const busy = await failureOf(catalogue.hasFile(path(idOf('Movie', 0), 'original'), SIGNAL));
    // `Retry-After: 005`
    expect(busy).toMatchObject({ code: 'origin-busy', retry: 'later', retryAfterMs: 5_000 });
    server.setStarting('without Retry-After');
    expect(await failureOf(catalogue.hasFile(path(idOf('Movie', 0), 'original'), SIGNAL))).toMatchObject({
      code: 'origin-busy',
      retry: 'later',
    });
  });
});

describe('signing in', () => {
  test('it is done when first needed, once for all who wait, and never in an address', async () => {
    await using server = await startJellyfinServer({ ...SMALL, latencyMs: 5 });
    const services = testServices();
    const source = openSource(targetOf(server.url), services);
    expect(server.requests).toHaveLength(0);
    const keys = [0, 1, 2, 3, 0, 0].map((index) => idOf('Movie', index));
    const requests = await Promise.all(keys.map((key) => source.resolve(address(source, key, 'original'), ONCE)));
    expect(server.requestsOf('Users/AuthenticateByName')).toHaveLength(1);
    // Those for the same film share a question.
    expect(server.requestsOf('Items')).toHaveLength(4);
    const token = /Token="(\w+)"/.exec(requests[0]!.headers.authorization!)![1]!;
    for (const { url, headers } of requests) {
      expect(url).not.toContain(token);
      expect(headers.authorization).toBe(
        `MediaBrowser Token="${token}", Client="Larder", Device="Larder", DeviceId="larder-device", Version="1.2.3"`,
      );
    }
    expect(server.requests.every(({ path, query }) => !`${path}${JSON.stringify(query)}`.includes(token))).toBe(true);
  });

  test('a token that died is replaced once, by one sign-in for all', async () => {
    await using server = await startJellyfinServer({ ...SMALL, latencyMs: 2 });
    const source = openSource(targetOf(server.url), testServices());
    const catalogue = source.openCatalogue();
    await readFolder(catalogue, '');
    server.signOutAll();
    const folders = [`movies-${FILMS}`, `series-${SHOWS}`, `albums-${MUSIC}`, `videos-${HOME}`];
    const all = await Promise.all(folders.map((folder) => readFolder(catalogue, folder)));
    expect(all[0]!.pages[0]!.items).toHaveLength(6);
    expect(server.requestsOf('Users/AuthenticateByName')).toHaveLength(2);
    expect(server.mostAtOnce('Users/AuthenticateByName')).toBe(1);
    // A server that takes no token at all is not asked for ever.
    server.replace('Items', () => new PlainAnswer(401, ''));
    expect(await failureOf(readFolder(catalogue, folders[0]!))).toMatchObject({ originStatus: 401 });
    expect(server.requestsOf('Users/AuthenticateByName')).toHaveLength(3);
  });

  test('a password that was refused is not tried again for a while, until it is changed', async () => {
    await using server = await startJellyfinServer(SMALL);
    const clock = new FakeClock();
    const wrong = { ...PASSWORD, password: 'a secret that is wrong' };
    const source = openSource(targetOf(server.url, wrong), { ...testServices(), clock });
    const read = () => source.openCatalogue().openFolder('', null, SIGNAL);
    const first = await failureOf(read());
    expect(first).toMatchObject({ code: 'origin-refused', originStatus: 401, retry: 'never' });
    expect(first.hint).toBeString();
    expect(`${first.message} ${first.hint}`).not.toContain('a secret');
    await failureOf(read());
    expect(server.requestsOf('Users/AuthenticateByName')).toHaveLength(1);
    clock.advance(300_000);
    await failureOf(read());
    expect(server.requestsOf('Users/AuthenticateByName')).toHaveLength(2);
    source.retarget(targetOf(server.url));
    await read();
    expect(server.requestsOf('Users/AuthenticateByName')).toHaveLength(3);
    source.retarget(targetOf(server.url, PASSWORD, { transcode: 'off' }));
    await read();
    expect(server.requestsOf('Users/AuthenticateByName')).toHaveLength(3);
  });

  test('a sign-in for what was entered before ends before the next one begins', async () => {
    await using server = await startJellyfinServer({ ...SMALL, latencyMs: 10 });
    const source = openSource(targetOf(server.url, { ...PASSWORD, password: 'wrong' }), testServices());
    const read = () => source.openCatalogue().openFolder('', null, SIGNAL);
    const first = failureOf(read());
    source.retarget(targetOf(server.url));
    await read();
    expect(await first).toMatchObject({ originStatus: 401 });
    expect(server.mostAtOnce('Users/AuthenticateByName')).toBe(1);
    expect((await read()).isUnchanged).toBe(false);
    expect(server.requestsOf('Users/AuthenticateByName')).toHaveLength(2);
  });

  test('who leaves while it is signed in keeps nobody else from it', async () => {
    await using server = await startJellyfinServer({ ...SMALL, latencyMs: 10 });
    const catalogue = openSource(targetOf(server.url), testServices()).openCatalogue();
    const abort = new AbortController();
    const gone = failureOf(catalogue.hasFile(`L/${idOf('Movie', 0)}:original.mkv`, abort.signal));
    const stays = catalogue.hasFile(`L/${idOf('Movie', 0)}:original.mkv`, SIGNAL);
    abort.abort();
    expect(await gone).toMatchObject({ code: 'stopped' });
    expect(await stays).toBe(true);
    expect(server.requestsOf('Users/AuthenticateByName')).toHaveLength(1);
  });

  test('keys and tokens that are not good say what to do, and are not replaced', async () => {
    await using server = await startJellyfinServer(SMALL);
    for (const credentials of [{ apiKey: 'gone' }, { accessToken: 'gone', userId: ALICE.id }, null]) {
      const source = openSource(targetOf(server.url, credentials), testServices());
      const error = await failureOf(source.openCatalogue().openFolder('', null, SIGNAL));
      expect(error).toMatchObject({ code: 'origin-refused' });
      expect(error.hint).toMatch(/API key|Quick Connect/);
    }
    expect(server.requestsOf('Users/AuthenticateByName')).toHaveLength(0);
  });

  test('Quick Connect gives a code, and a token once it was entered elsewhere', async () => {
    await using server = await startJellyfinServer(SMALL);
    const services = testServices();
    const target = targetOf(server.url, null);
    const { code, secret } = await startQuickConnect(target, services, SIGNAL);
    expect(code).toMatch(/^\d{6}$/);
    expect(await pollQuickConnect(target, secret, services, SIGNAL)).toBeNull();
    server.authorise(code);
    const credentials = await pollQuickConnect(target, secret, services, SIGNAL);
    expect(jellyfinKind.credentialKind(jellyfinKind.parseCredentials(credentials))).toBe('quick connect');
    const source = openSource(targetOf(server.url, { ...credentials }), services);
    expect((await readFolder(source.openCatalogue(), `movies-${FILMS}`)).pages[0]!.items).toHaveLength(6);
    expect(await failureOf(pollQuickConnect(target, 'unknown', services, SIGNAL))).toMatchObject({
      code: 'not-found',
      hint: 'ask for a new one',
    });
    server.replace('QuickConnect/Initiate', () => ({ Code: 5 }));
    expect(await failureOf(startQuickConnect(target, services, SIGNAL))).toMatchObject({ code: 'origin-lied' });
    await using closed = await startJellyfinServer({ quickConnect: false });
    expect(await failureOf(startQuickConnect(targetOf(closed.url, null), services, SIGNAL))).toMatchObject({
      code: 'origin-refused',
      hint: expect.stringContaining('switch it on'),
    });
    closed.setStarting(true);
    expect(await failureOf(startQuickConnect(targetOf(closed.url, null), services, SIGNAL))).toMatchObject({
      code: 'origin-busy',
    });
  });
});

describe('resolving', () => {
  test('what is known costs no question, and the bytes are those of the version', async () => {
    await using server = await startJellyfinServer({ ...SMALL, versionsEvery: 3 });
    const services = testServices();
    const source = openSource(targetOf(server.url), services);
    for (const page of (await readAll(source.openCatalogue())).values()) services.keep(page);
    const before = server.requests.length;
    for (const [quality, id] of [
      ['original', idOf('Movie', 0)],
      ['720p', idOf('Movie', 0, 'b')],
    ] as const) {
      const request = await source.resolve(address(source, idOf('Movie', 0), quality), ONCE);
      expect(request.session).toBeUndefined();
      const { head, bytes } = await readBytes(request, { start: 1_000, end: 90_000 });
      expect(head).toMatchObject({ start: 1_000, totalBytes: server.library.sizeOf(id), seekable: true, etag: null });
      expect(head.lastModified).toBeString();
      assertContent(bytes, server.library.seedOf(id), 1_000);
    }
    const track = await source.resolve(address(source, idOf('Audio', 2), 'original', 'flac'), ONCE);
    const { head, bytes } = await readBytes(track);
    expect(head.contentType).toBe('audio/flac');
    assertContent(bytes, server.library.seedOf(idOf('Audio', 2)), 0);
    expect(new URL(track.url).pathname).toBe(`/Audio/${idOf('Audio', 2)}/stream.flac`);
    const paths = server.requests.slice(before).map(({ path }) => path);
    expect(paths.filter((path) => !/\/stream\./.test(path))).toEqual([]);
  });

  test('what is not known, or was refused, is asked for anew and told to the catalogue', async () => {
    await using server = await startJellyfinServer(SMALL);
    const services = testServices();
    const source = openSource(targetOf(server.url), services);
    const film = address(source, idOf('Movie', 2), 'original');
    await source.resolve(film, ONCE);
    expect(services.noted.map(({ items }) => items.map(({ mediaKey }) => mediaKey))).toEqual([[idOf('Movie', 2)]]);
    await source.resolve(film, ONCE);
    expect(services.noted).toHaveLength(1);
    server.signOutAll();
    const fresh = await source.resolve(film, FRESH);
    expect(services.noted).toHaveLength(2);
    expect(fresh.headers.authorization).toContain('Token="');
    server.edit(idOf('Movie', 2), { isDeleted: true });
    expect(await failureOf(Promise.resolve(source.resolve(film, FRESH)))).toMatchObject({ code: 'not-found' });
    source.remove();
    expect(await failureOf(Promise.resolve(source.resolve(film, ONCE)))).toMatchObject({ code: 'unknown-source' });
    expect(await failureOf(source.openCatalogue().openFolder('', null, SIGNAL))).toMatchObject({
      code: 'unknown-source',
    });
  });

  test('a rung is a conversion to one growing file, which is kept alive and can be stopped', async () => {
    const clock = new FakeClock();
    await using server = await startJellyfinServer({ ...SMALL, nowMs: () => clock.nowMs() });
    const services = testServices();
    const source = openSource(targetOf(server.url), services);
    expect(source.ladder.map(({ quality }) => quality)).toEqual(['1080p', '720p', '480p', '360p']);
    const request = await source.resolve(address(source, idOf('Movie', 1), '720p', 'mp4'), ONCE);
    const url = new URL(request.url);
    expect(url.pathname).toBe(`/Videos/${idOf('Movie', 1)}/stream.mp4`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      mediaSourceId: idOf('Movie', 1),
      deviceId: 'larder-device',
      playSessionId: expect.stringContaining('random-'),
      videoCodec: 'h264',
      audioCodec: 'aac',
      videoBitRate: '3808000',
      audioBitRate: '192000',
      maxAudioChannels: '2',
      maxWidth: '1280',
      maxHeight: '720',
    });
    const { head, bytes } = await readBytes(request);
    expect(head).toMatchObject({ totalBytes: null, seekable: false, contentType: 'video/mp4' });
    assertContent(bytes, server.library.seedOf(idOf('Movie', 1)) + 1, 0);
    const { session, headers } = request;
    expect(session!.pingEveryMs).toBeLessThan(10_000);
    const ask = (question: { method: string; url: string } | null) =>
      fetch(question!.url, { method: question!.method, headers: { ...headers } }).then(({ status }) => status);
    clock.advance(9_000);
    expect(await ask(session!.ping)).toBe(204);
    clock.advance(9_000);
    expect(server.conversions.running).toHaveLength(1);
    expect(await ask(session!.stop)).toBe(204);
    expect(server.conversions.ended).toEqual([
      { playSessionId: url.searchParams.get('playSessionId')!, reason: 'stopped' },
    ]);
    const other = await source.resolve(address(source, idOf('Movie', 1), '360p', 'mp4'), ONCE);
    expect(new URL(other.url).searchParams.get('playSessionId')).not.toBe(url.searchParams.get('playSessionId'));
    await readBytes(other);
    clock.advance(10_000);
    expect(server.conversions.running).toHaveLength(0);
    expect(server.conversions.ended.at(-1)!.reason).toBe('idle');
  });

  test('a rung is a playlist where the owner wants HLS, with the token in the header only', async () => {
    await using server = await startJellyfinServer(SMALL);
    const source = openSource(targetOf(server.url, PASSWORD, { transcode: 'hls' }), testServices());
    const request = await source.resolve(address(source, idOf('Movie', 1), '480p', 'm3u8'), ONCE);
    expect(new URL(request.url).pathname).toEndWith('/master.m3u8');
    expect(request.session!.pingEveryMs).toBe(20_000);
    const get = async (url: string) => (await fetch(url, { headers: { ...request.headers } })).text();
    const token = /Token="(\w+)"/.exec(request.headers.authorization!)![1]!;
    const master = await get(request.url);
    const main = new URL(master.split('\n').find((line) => line.startsWith('main'))!, request.url).href;
    const list = await get(main);
    const segment = new URL(list.split('\n').find((line) => line.startsWith('hls1'))!, main).href;
    expect(`${master}${list}`).not.toContain(token);
    expect((await fetch(segment, { headers: { ...request.headers } })).status).toBe(200);
    expect(server.conversions.running).toHaveLength(1);
  });

  test('there is no rung at or above the original, without conversions, or of music', async () => {
    await using server = await startJellyfinServer(SMALL);
    const services = testServices();
    const source = openSource(targetOf(server.url), services);
    for (const [key, quality] of [
      [idOf('Movie', 1), '1080p'],
      [idOf('Movie', 1), '2160p'],
      [idOf('Movie', 1), '~sub-2'],
      [idOf('Audio', 1), '480p'],
      [idOf('Series', 1), 'original'],
      ['never-an-id', 'original'],
    ] as const) {
      const error = await failureOf(Promise.resolve(source.resolve(address(source, key, quality), ONCE)));
      expect(error).toMatchObject({ code: 'not-found', hint: expect.any(String) });
    }
    source.retarget(targetOf(server.url, PASSWORD, { transcode: 'off' }));
    expect(source.ladder).toEqual([]);
    const off = await failureOf(Promise.resolve(source.resolve(address(source, idOf('Movie', 1), '480p'), ONCE)));
    expect(off.code).toBe('not-found');
  });

  test('posters and subtitles are found as they were listed, and anew', async () => {
    await using server = await startJellyfinServer(SMALL);
    const services = testServices();
    const source = openSource(targetOf(server.url), services);
    const poster = await source.resolve(source.describe(`L/${idOf('Movie', 1)}:~poster`), ONCE);
    const { pathname, searchParams } = new URL(poster.url);
    expect(pathname).toBe(`/Items/${idOf('Movie', 1)}/Images/Primary`);
    expect(searchParams.get('tag')).toMatch(/^[0-9a-f]{32}$/);
    expect((await readBytes(poster)).head.contentType).toBe('image/jpeg');
    const subtitles = await source.resolve(source.describe(`L/${idOf('Movie', 1)}:~sub-1.srt`), ONCE);
    expect(new TextDecoder().decode((await readBytes(subtitles)).bytes)).toBe(`srt of ${idOf('Movie', 1)}`);
    expect(server.requestsOf('Items')).toHaveLength(1);
    await source.resolve(source.describe(`L/${idOf('Movie', 1)}:~sub-1.srt`), FRESH);
    expect(server.requestsOf('Items')).toHaveLength(2);
  });

  test('a .strm file plays through the server, by ranges where the far one has them', async () => {
    await using far = await startOrigin({ files: { 'film-1.mp4': { sizeBytes: 50_000 } } });
    await using server = await startJellyfinServer({ movies: 2, strmEvery: 2, remoteUrl: far.url });
    const services = testServices();
    const source = openSource(targetOf(server.url), services);
    const { pages } = await readFolder(source.openCatalogue(), `movies-${FILMS}`);
    const item = pages[0]!.items.find(({ mediaKey }) => mediaKey === idOf('Movie', 1))!;
    expect(item).toMatchObject({ sizeBytes: null, container: 'mp4', refusal: null });
    expect(item.locator).not.toContain('http');
    const request = await source.resolve(source.describe(item.path), ONCE);
    const { head, bytes } = await readBytes(request, { start: 100, end: 200 });
    expect(head).toMatchObject({ start: 100, totalBytes: 50_000, seekable: true });
    far.assertBody('film-1.mp4', bytes, 100);
  });

  test('a server below a path is reached there', async () => {
    await using server = await startJellyfinServer({ ...SMALL, basePath: '/media/jellyfin' });
    const source = openSource(targetOf(`${server.url}web/#/home`), testServices());
    expect(source.url).toBe(server.url);
    const request = await source.resolve(address(source, idOf('Movie', 1), 'original'), ONCE);
    expect(request.url).toStartWith(`${server.url}Videos/`);
    expect((await readBytes(request)).head.totalBytes).toBe(server.library.sizeOf(idOf('Movie', 1)));
  });
});

describe('single items and words', () => {
  test('readItem() brings what is below', async () => {
    await using server = await startJellyfinServer({ ...SMALL, episodesEach: 150 });
    const source = openSource(targetOf(server.url), testServices());
    const series = await source.readItem!(idOf('Series', 1), SIGNAL);
    expect(series!.items).toHaveLength(300);
    expect(series!.media!.slice(0, 3).map(({ type }) => type)).toEqual(['series', 'season', 'season']);
    const season = await source.readItem!(idOf('Season', 3), SIGNAL);
    expect(season!.items).toHaveLength(150);
    expect(season!.media![0]!.type).toBe('season');
    expect(season!.media!.slice(1).every(({ parentKey }) => parentKey === idOf('Season', 3))).toBe(true);
    const album = await source.readItem!(idOf('MusicAlbum', 0), SIGNAL);
    expect(album!.items).toHaveLength(3);
    expect((await source.readItem!(idOf('Movie', 0), SIGNAL))!.items).toHaveLength(1);
    expect(await source.readItem!(idOf('Movie', 6), SIGNAL)).toBeNull();
  });

  test('search() finds by words', async () => {
    await using server = await startJellyfinServer({ ...SMALL, movies: 2_000 });
    const source = openSource(targetOf(server.url), testServices());
    const found = await source.search!(' movie 00012 ', SIGNAL);
    expect(found.media!.map(({ title }) => title)).toEqual(
      Array.from({ length: 10 }, (_, digit) => `Movie 00012${digit}`),
    );
    expect(found.items).toHaveLength(10);
    expect((await source.search!('movie', SIGNAL)).media).toHaveLength(100);
    expect(await source.search!('  ', SIGNAL)).toEqual({ items: [], folders: [] });
  });
});

describe('trySignIn()', () => {
  const attempt = (url: string, credentials: Record<string, unknown> | null = PASSWORD) =>
    jellyfinKind.trySignIn(targetOf(url, credentials), testServices(), SIGNAL);

  test('says who lets us in, gives a film to test with, and leaves the token of the source alone', async () => {
    await using server = await startJellyfinServer({ ...SMALL, version: '10.9.11', apiKeys: ['key-1'] });
    const source = openSource(targetOf(server.url), testServices());
    await source.openCatalogue().openFolder('', null, SIGNAL);
    const { finding, sample } = await attempt(server.url);
    expect(finding).toEqual({
      ok: true,
      detail: 'Jellyfin 10.9.11 "Attic" lets us in with the user name and password',
    });
    expect(sample!.name).toBe('Movie 000000');
    const { bytes } = await readBytes(sample!.request, { start: 5, end: 100 });
    assertContent(bytes, server.library.seedOf(idOf('Movie', 0)), 5);
    await source.openCatalogue().openFolder('', null, SIGNAL);
    expect(server.requestsOf('Users/AuthenticateByName')).toHaveLength(2);
    expect((await attempt(server.url, { apiKey: 'key-1' })).finding.detail).toEndWith('with the API key');
  });

  test('says that there is nothing to play', async () => {
    await using server = await startJellyfinServer({ apiKeys: ['key-1'] });
    const { finding, sample } = await attempt(server.url);
    expect(sample).toBeNull();
    expect(finding).toMatchObject({ ok: true, detail: expect.stringContaining('no films'), hint: expect.any(String) });
    expect((await attempt(server.url, { apiKey: 'key-1' })).finding.hint).toContain('add a library');
  });

  test('says what is wrong, and what to do next', async () => {
    await using server = await startJellyfinServer(SMALL);
    const failure = async (credentials: Record<string, unknown> | null = PASSWORD, url = server.url) =>
      failureOf(attempt(url, credentials));
    const wrong = await failure({ username: 'alice', password: 'not this one' });
    expect(wrong.message).toContain('does not take the user name and password');
    expect(await failure({ apiKey: 'nope' })).toMatchObject({ hint: expect.stringContaining('new one') });
    expect(await failure(null)).toMatchObject({ hint: expect.stringContaining('enter a user') });
    expect((await failure(PASSWORD, `${server.url}films/`)).message).toContain('not Jellyfin');
    for (const answer of [
      new PlainAnswer(200, '<html>router</html>', 'text/html'),
      new PlainAnswer(200, 'hello'),
      { Version: '4.8.10.0', Id: 'x', ServerName: 'Emby' },
      { ProductName: 'Jellyfin Server', Version: 'new' },
      [],
    ]) {
      server.replace('System/Info/Public', () => answer);
      const error = await failure();
      expect(error.message).toContain('not Jellyfin');
      expect(error.hint).toContain('http://nas:8096/');
    }
    server.replace('System/Info/Public', () => ({ ProductName: 'Jellyfin Server', Version: '10.8.13' }));
    expect(await failure()).toMatchObject({ hint: 'update it to 10.9 or later' });
    server.replace('System/Info/Public', null);
    server.replace('Users/AuthenticateByName', () => new PlainAnswer(403, 'Error processing request.'));
    expect(await failure()).toMatchObject({ originStatus: 403, hint: expect.stringContaining('sessions') });
    server.replace('Users/AuthenticateByName', () => ({ AccessToken: 5 }));
    expect(await failure()).toMatchObject({ code: 'origin-lied' });
    server.setStarting(true);
    expect(await failure()).toMatchObject({ message: expect.stringContaining('starting'), retryAfterMs: 5_000 });
    await server.close();
    expect(await failure()).toMatchObject({ code: 'origin-failed', hint: expect.any(String) });
  });
});

describe('the stand-in', () => {
  test('refuses a download as the real one does, and gives the file', async () => {
    const bob = { ...ALICE, name: 'bob', mayDownload: false };
    await using server = await startJellyfinServer({ movies: 1, people: [bob] });
    const source = openSource(targetOf(server.url, { ...PASSWORD, username: 'bob' }), testServices());
    const { headers } = await source.resolve(address(source, idOf('Movie', 0), 'original'), ONCE);
    const get = (path: string, method = 'GET') =>
      fetch(`${server.url}Items/${idOf('Movie', 0)}/${path}`, { method, headers: { ...headers } });
    const refused = await get('Download');
    expect([refused.status, await refused.text()]).toEqual([400, 'Error processing request.']);
    expect((await get('File', 'HEAD')).headers.get('content-length')).toBe('1000000');
    expect((await fetch(`${server.url}Items/${idOf('Movie', 0)}/File`)).status).toBe(401);
    const past = { range: 'bytes=2000000-' };
    const file = `${server.url}Videos/${idOf('Movie', 0)}/stream.mkv`;
    expect((await fetch(`${file}?static=true`, { headers: past })).status).toBe(416);
    // A version that is not there is a wrong argument.
    expect((await fetch(`${file}?static=true&mediaSourceId=${'9'.repeat(32)}`)).status).toBe(400);
    const head = await fetch(`${server.url}Videos/${idOf('Movie', 0)}/stream.mp4`, { method: 'HEAD' });
    expect([head.headers.get('accept-ranges'), server.conversions.running.length]).toEqual(['none', 0]);
  });

  test('gives a device one token at a time', async () => {
    await using server = await startJellyfinServer({ movies: 1 });
    const services = testServices();
    const [first, second] = [openSource(targetOf(server.url), services), openSource(targetOf(server.url), services)];
    const { headers } = await first.resolve(address(first, idOf('Movie', 0), 'original'), ONCE);
    await second.openCatalogue().openFolder('', null, SIGNAL);
    expect((await fetch(`${server.url}Items?ids=${idOf('Movie', 0)}`, { headers: { ...headers } })).status).toBe(401);
  });

  test('ends a conversion where it is when it is told to stop', async () => {
    await using server = await startJellyfinServer({ movies: 1, conversionBytes: 50_000_000, conversionStepMs: 1 });
    const source = openSource(targetOf(server.url), testServices());
    const { url, headers, session } = await source.resolve(address(source, idOf('Movie', 0), '480p', 'mp4'), ONCE);
    const response = await fetch(url, { headers: { ...headers } });
    const { method, url: stopUrl } = session!.stop!;
    await fetch(stopUrl, { method, headers: { ...headers } });
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(bytes.length).toBeLessThan(50_000_000);
    assertContent(bytes, server.library.seedOf(idOf('Movie', 0)) + 1, 0);
  });
});
