// A Stremio add-on behind Larder: links that die, links that lead where nobody should go, and what it has that is no
// file.
import { afterEach, describe, expect, test } from 'bun:test';
import { assertContent } from '../support/content.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import {
  filmId,
  type StremioAddon,
  type StremioAddonOptions,
  startBadAddon,
  startStremioAddon,
} from '../support/stremio-addon.ts';
import { FILE_BYTES } from '../support/stremio-files.ts';
import { MediaLarder, pathOf, until } from './media-streams-larder.ts';

const FILM = filmId(1);
const TITLE = 'Film 1';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUps.splice(0).reverse()) await step();
});

async function startLarder(
  addon: StremioAddon,
  { sourceOptions = {}, args = [] }: { sourceOptions?: object; args?: string[] } = {},
): Promise<MediaLarder> {
  cleanUps.push(() => addon[Symbol.asyncDispose]());
  const media = await MediaLarder.start(args);
  cleanUps.push(() => media[Symbol.asyncDispose]());
  await media.add({ kind: 'stremio', url: addon.manifestUrl, options: sourceOptions });
  expect(await media.sync()).toMatchObject({ state: 'idle', error: null });
  return media;
}

async function start(options: StremioAddonOptions = {}, more: { sourceOptions?: object; args?: string[] } = {}) {
  const addon = await startStremioAddon(options);
  return { addon, media: await startLarder(addon, more) };
}

/** Streams of a film at a server of their own. */
async function withOrigin(streams: (origin: TestOrigin) => readonly Record<string, unknown>[], more = {}) {
  const origin = await startOrigin({
    files: { 'big.mkv': { sizeBytes: 30_000_000 }, 'small.mkv': { sizeBytes: 2_000_000, version: 2 } },
  });
  cleanUps.push(() => origin.stop());
  const found = await start({ streams: () => streams(origin) }, more);
  return { origin, ...found };
}

describe('what an add-on has of a film', () => {
  test('its streams are qualities side by side; what is no file says why', async () => {
    const { media } = await withOrigin((origin) => [
      {
        name: 'A\n1080p',
        url: `${origin.url}big.mkv`,
        behaviorHints: { filename: 'f.1080p.mkv', videoSize: 30_000_000 },
      },
      {
        name: 'A\n720p',
        url: `${origin.url}small.mkv`,
        behaviorHints: { filename: 'f.720p.mkv', videoSize: 2_000_000 },
      },
      { name: 'T 2160p', infoHash: 'a'.repeat(40) },
    ]);
    const item = await media.item(TITLE);
    const shown = item.qualities.map(({ quality, height, size, refusal }): unknown[] => [
      quality,
      height,
      size,
      refusal !== null,
    ]);
    expect(shown).toContainEqual(['original', 1080, 30_000_000, false]);
    expect(shown).toContainEqual(['720p', 720, 2_000_000, false]);
    const torrent = item.qualities.find(({ refusal }) => refusal !== null);
    expect(torrent?.refusal).toMatch(/torrent/);
    const refused = await media.get(pathOf(torrent?.streamUrl ?? ''));
    expect([refused.status, Buffer.from(refused.body).toString()]).toEqual([
      502,
      expect.stringMatching(/torrent[\s\S]*another/),
    ]);
    for (const quality of ['original', '720p']) {
      expect((await media.get(await media.pathOf(TITLE, quality))).isWhole).toBe(true);
    }
    const entries = (await media.entries()).map((entry: Record<string, unknown>) => [entry.quality, entry.size]).sort();
    expect(entries).toEqual([
      ['720p', 2_000_000],
      ['original', 30_000_000],
    ]);
  });

  test('its subtitles are kept', async () => {
    const { addon, media } = await start();
    const { subtitles } = await media.quality(TITLE, 'original');
    expect(subtitles.map(({ language }) => language)).toEqual(['eng', null]);
    const [first] = subtitles;
    const cold = await media.get(pathOf(first?.url ?? ''));
    expect(cold.status).toBe(200);
    await addon.files[Symbol.asyncDispose]();
    expect((await media.get(pathOf(first?.url ?? ''))).header('x-cache')).toBe('HIT');
  });
});

describe('links that die', () => {
  const seeking = { args: ['--read-ahead', '1MiB', '--background-fill', 'false'] };

  for (const status of [401, 403, 404, 410] as const) {
    test(`with ${status} after a while are asked for anew, and the player notices nothing`, async () => {
      const link = { number: 0 };
      const { origin, addon, media } = await withOrigin((files) => {
        link.number += 1;
        files.addFile(`link${link.number}.mkv`, { sizeBytes: 30_000_000, etag: '"film"' });
        return [
          {
            name: '1080p',
            url: `${files.url}link${link.number}.mkv`,
            behaviorHints: { filename: 'f.mkv', videoSize: 30_000_000 },
          },
        ];
      }, seeking);
      const path = await media.pathOf(TITLE);
      const first = await media.get(path, { Range: 'bytes=0-9999' });
      expect(first.status).toBe(206);
      const [dead] = origin.requests.slice(-1);
      origin.behave(dead?.path ?? '', { status });
      const streamsBefore = addon.countOf('stream');
      const asked = origin.requests.length;
      const part = await media.get(path, { Range: 'bytes=20000000-20009999' });
      expect([part.status, part.isWhole]).toEqual([206, true]);
      expect(addon.countOf('stream') - streamsBefore).toBe(1);
      expect(origin.requests.length - asked).toBeLessThanOrEqual(4);
    });
  }

  test('after two requests each: a player that seeks about gets every byte', async () => {
    const { addon, media } = await start({ cacheMaxAge: 3_600 }, seeking);
    addon.files.usesMax = 2;
    const path = await media.pathOf(TITLE);
    for (const from of [200_000, 50_000, 250_000, 120_000, 0]) {
      const part = await media.get(path, { Range: `bytes=${from}-${from + 4_999}` });
      expect([from, part.status, part.isWhole]).toEqual([from, 206, true]);
      assertContent(part.body, 1, from);
    }
    assertContent((await media.get(path)).body, 1, 0);
  });

  test('and are dead again: the reason, soon, and no storm', async () => {
    const { addon, media } = await start({ cacheMaxAge: 3_600 }, seeking);
    const path = await media.pathOf(TITLE);
    addon.files.usesMax = 0;
    addon.files.expireAll();
    for (const [status, answer] of [
      [403, 502],
      [404, 404],
      [410, 410],
    ] as const) {
      addon.files.expiredStatus = status;
      const before = [addon.files.requests.length, addon.requests.length];
      const startedAtMs = performance.now();
      const answers = await Promise.all([media.get(path), media.get(path)]);
      expect(answers.map((response) => response.status)).toEqual([answer, answer]);
      expect(Buffer.from(answers[0]?.body ?? []).toString()).toMatch(new RegExp(`${status}|${answer}`));
      expect(performance.now() - startedAtMs).toBeLessThan(5_000);
      expect(addon.files.requests.length - (before[0] ?? 0)).toBeLessThanOrEqual(4);
      expect(addon.requests.length - (before[1] ?? 0)).toBeLessThanOrEqual(6);
      // The add-on is well: it was a server of somebody else that refused.
      expect((await media.api('GET', '/sources/attic')).body).toMatchObject({ state: 'well', failingSince: null });
    }
  });

  test('a link that comes to lead to another file is another version: bytes never mix', async () => {
    const state = { name: 'big.mkv' };
    const { origin, media } = await withOrigin(
      (files) => [{ name: '1080p', url: `${files.url}${state.name}`, behaviorHints: { filename: 'f.mkv' } }],
      seeking,
    );
    const path = await media.pathOf(TITLE);
    const first = await media.get(path, { Range: 'bytes=0-99999' });
    origin.assertBody('big.mkv', first.body, 0);
    state.name = 'small.mkv';
    origin.behave('big.mkv', { status: 410 });
    let whole = await media.get(path);
    for (let round = 0; round < 5 && whole.header('content-length') !== '2000000'; round++)
      whole = await media.get(path);
    expect(whole.isWhole).toBe(true);
    origin.assertBody('small.mkv', whole.body, 0);
  });
});

describe('where an add-on may not lead', () => {
  async function answerOf(url: string, local = false): Promise<[number, string]> {
    const { media } = await start({ streams: () => [{ name: '1080p', url }] }, { sourceOptions: { local: true } });
    if (!local) await media.api('PATCH', '/sources/attic', { options: { local: false } });
    const response = await media.get(`/stream/attic/${FILM}/original/x.mkv`);
    return [response.status, Buffer.from(response.body).toString()];
  }

  test('Larder itself, the cloud’s metadata and other schemes, even for a source of a private network', async () => {
    const { media } = await start({ streams: () => [{ name: '1080p', url: `http://127.0.0.1:${port()}/healthz` }] });
    function port(): number {
      return media.larder.port;
    }
    const own = await media.get(`/stream/attic/${FILM}/original/x.mkv`);
    expect([own.status, Buffer.from(own.body).toString()]).toEqual([502, expect.stringContaining('Larder itself')]);
    for (const url of [
      'http://169.254.169.254/latest/meta-data/',
      'http://[fe80::1]/x',
      'http://0.0.0.0/x',
      'http://224.0.0.1/',
    ]) {
      const [status, text] = await answerOf(url, true);
      expect([url, status, text]).toEqual([url, 502, expect.stringContaining('refused')]);
    }
    for (const url of [
      'file:///etc/passwd',
      'ftp://127.0.0.1/x',
      'data:video/mp4;base64,AAAA',
      'gopher://127.0.0.1/',
    ]) {
      const [status] = await answerOf(url, true);
      expect([url, status >= 400]).toEqual([url, true]);
    }
  }, 30_000);

  test('private networks, unless the owner allows it: at once, and by a redirect', async () => {
    const origin = await startOrigin({ files: { 'x.mkv': { sizeBytes: 1_000 } } });
    cleanUps.push(() => origin.stop());
    const { addon, media } = await start({ streams: () => [{ name: '1080p', url: state.url }] });
    const state = { url: `${origin.url}x.mkv` };
    const path = `/stream/attic/${FILM}/original/x.mkv`;
    origin.behave('x.mkv', { redirectTo: 'http://169.254.169.254/latest' });
    const redirected = await media.get(path);
    expect([redirected.status, Buffer.from(redirected.body).toString()]).toEqual([
      502,
      expect.stringContaining('link-local'),
    ]);
    origin.behave('x.mkv', { redirectTo: `http://127.0.0.1:${media.larder.port}/api/v1/status` });
    const home = await media.get(path);
    expect([home.status, Buffer.from(home.body).toString()]).toEqual([502, expect.stringContaining('Larder itself')]);
    origin.behave('x.mkv', null);
    expect((await media.get(path)).status).toBe(200);

    const before = origin.requests.length;
    await media.api('PATCH', '/sources/attic', { options: { local: false } });
    for (const url of [
      origin.url,
      'http://10.0.0.1/',
      'http://192.168.0.1/',
      'http://[::1]:1/',
      'http://[::ffff:127.0.0.1]:1/',
      'http://2130706433/',
      'http://0x7f.1/',
    ]) {
      state.url = `${url}y.mkv`;
      const other = await media.get(`/stream/attic/${filmId(2)}/original/x.mkv`);
      expect([url, other.status]).toEqual([url, 502]);
    }
    expect(origin.requests.length).toBe(before);
    expect(addon.requests.length).toBeGreaterThan(0);
    // What is kept plays on.
    expect((await media.get(path)).header('x-cache')).toBe('HIT');
  }, 30_000);

  test('its own headers go to the host of the link only', async () => {
    const { addon, media } = await start({
      streams: (_, files) => [
        {
          name: '1080p',
          url: `${files.url}guarded/film.mkv`,
          behaviorHints: { filename: 'f.mkv', proxyHeaders: { request: { 'X-Key': 'open-4711', Cookie: 'a=b' } } },
        },
      ],
    });
    addon.files.guard = { 'x-key': 'open-4711' };
    const response = await media.get(await media.pathOf(TITLE), {
      Cookie: 'mine=1',
      Authorization: 'Bearer mine',
      Referer: 'http://me/',
    });
    expect([response.status, response.body.length]).toEqual([200, FILE_BYTES]);
    for (const { headers } of addon.files.requests) {
      expect([headers.authorization, headers.referer, String(headers.cookie).includes('mine')]).toEqual([
        undefined,
        undefined,
        false,
      ]);
    }
    for (const [place, text] of await media.told()) expect([place, text.includes('open-4711')]).toEqual([place, false]);
  });
});

describe('odd add-ons', () => {
  test('an address with a long configuration is taken', async () => {
    const addon = await startStremioAddon({ filmCount: 1, config: { apiKey: 'x'.repeat(9_000) } });
    const media = await startLarder(addon);
    const response = await media.get(`/stream/attic/${FILM}/original/x.mkv`);
    expect(response.status).toBe(200);
  });

  test('ids of any kind make addresses that play', async () => {
    const ids = [
      'kitsu:1:2',
      'a/b',
      '100% real',
      'söme films',
      'x?y=z&w#v',
      '../../etc',
      'a\\\\b',
      '"quoted"',
      "it's",
      '😀',
      '%2F',
      'a:original',
      '~poster',
      '+ +',
    ];
    const broken = ['', ' ', 'a\u0000b', 'line\nbreak', 'x'.repeat(10_000)];
    const origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: 5_000 } } });
    cleanUps.push(() => origin.stop());
    await using bad = await startBadAddon((path) => {
      if (path === '/manifest.json') {
        return {
          id: 'x',
          version: '1.0.0',
          name: 'x',
          resources: ['stream', 'catalog'],
          types: ['movie'],
          catalogs: [{ type: 'movie', id: 'top' }],
        };
      }
      const metas = [...ids, ...broken].map((id, at) => ({ id, type: 'movie', name: `Name ${at}` }));
      if (path.startsWith('/catalog')) return { metas };
      return { streams: [{ name: path, url: `${origin.url}film.mkv` }] };
    });
    await using media = await MediaLarder.start();
    await media.add({ kind: 'stremio', url: bad.manifestUrl });
    expect(await media.sync()).toMatchObject({ state: 'idle', error: null });
    const items = await media.items();
    for (const [at, id] of ids.entries()) {
      const item = items.find(({ title }) => title === `Name ${at}`);
      const path = pathOf(item?.qualities[0]?.streamUrl ?? 'http://none/');
      const response = await media.get(path);
      expect([id, path, response.status]).toEqual([id, path, 200]);
      origin.assertBody('film.mkv', response.body);
    }
    expect(items.length).toBeGreaterThanOrEqual(ids.length);
    for (const item of items) expect((await media.api('GET', `/items/${item.id}`)).status).toBe(200);
  });

  test('HTML in place of streams is a reason, not a film', async () => {
    await using bad = await startBadAddon((path) => {
      if (path === '/manifest.json') {
        return {
          id: 'x',
          version: '1.0.0',
          name: 'x',
          resources: ['stream', 'catalog'],
          types: ['movie'],
          catalogs: [{ type: 'movie', id: 'top' }],
        };
      }
      if (path.startsWith('/catalog')) return { metas: [{ id: 'tt1', type: 'movie', name: 'One' }] };
      return '<html>limit reached</html>';
    });
    await using media = await MediaLarder.start();
    await media.add({ kind: 'stremio', url: bad.manifestUrl });
    await media.sync();
    const before = bad.requests.length;
    const response = await media.get('/stream/attic/tt1/original/x.mkv');
    expect([response.status, Buffer.from(response.body).toString()]).toEqual([502, expect.stringMatching(/page/)]);
    expect(bad.requests.length - before).toBeLessThan(10);
  });

  test('streams that come late are waited for, together', async () => {
    const { addon, media } = await start({ cacheMaxAge: null });
    const { promise, resolve: go } = Promise.withResolvers<void>();
    addon.answerLate = promise;
    const before = addon.countOf('stream');
    const { length } = addon.requests;
    const asked = [1, 2, 3].map(() => media.get(`/stream/attic/${filmId(3)}/original/x.mkv`));
    await until(() => addon.requests.length > length);
    go();
    for (const { status } of await Promise.all(asked)) expect(status).toBe(200);
    expect(addon.countOf('stream') - before).toBeLessThanOrEqual(2);
  });
});
