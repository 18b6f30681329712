// Settings of sources that have a catalogue, as the API takes and refuses them, and what is where for each kind.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MediaLarder, stepOf, until } from './media-streams-larder.ts';
import { UPSTREAMS, type Upstream } from './media-streams-upstreams.ts';
import { RawConnection } from './raw-client.ts';

const SECRET = 'hunter2secret';
let media: MediaLarder;
beforeEach(async () => {
  media = await MediaLarder.start();
});
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  await media[Symbol.asyncDispose]();
  for (const step of cleanUps.splice(0).reverse()) await step();
});

async function running(kind: keyof typeof UPSTREAMS): Promise<Upstream> {
  const upstream = await UPSTREAMS[kind]();
  cleanUps.push(() => upstream[Symbol.asyncDispose]());
  return upstream;
}

describe('what the API refuses', () => {
  const cases: [string, unknown][] = [
    ['a token for Jellyfin', { kind: 'jellyfin', url: 'http://h/', credentials: { token: SECRET } }],
    ['a password for Plex', { kind: 'plex', url: 'http://h/', credentials: { username: 'me', password: SECRET } }],
    [
      'a password for an add-on',
      { kind: 'stremio', url: 'http://h/manifest.json', credentials: { username: 'a', password: SECRET } },
    ],
    ['an API key for a base URL', { kind: 'http', url: 'http://h/', credentials: { apiKey: SECRET } }],
    ['an add-on without its manifest', { kind: 'stremio', url: `http://h/${SECRET}/x` }],
    ['a page of configuration', { kind: 'stremio', url: `http://h/${SECRET}/configure` }],
    ['a scheme that is none of the web', { kind: 'jellyfin', url: `ftp://${SECRET}@h/` }],
    ['a way of converting that is not known', { kind: 'jellyfin', url: 'http://h/', options: { transcode: SECRET } }],
    ['a ladder that is none', { kind: 'plex', url: 'http://h/', options: { ladder: { '720p': -1 } } }],
    ['a rung that is none', { kind: 'plex', url: 'http://h/', options: { ladder: { '721p': 1_000_000 } } }],
    ['an option that is not known', { kind: 'jellyfin', url: 'http://h/', options: { wibble: 1 } }],
    ['catalogues that are no list', { kind: 'stremio', url: 'http://h/manifest.json', options: { catalogues: 'top' } }],
    ['a kind that is not known', { kind: 'emby', url: 'http://h/' }],
  ];
  for (const [what, body] of cases) {
    test(`${what}: with the reason, and no secret repeated`, async () => {
      const added = await media.api('POST', '/sources', { name: 'attic', ...(body as object) });
      expect([added.status, added.body.type === undefined]).toEqual([422, false]);
      expect(added.text).not.toContain(SECRET);
      const tried = await media.api('POST', '/sources/test', body);
      expect(tried.status).toBe(422);
      expect((await media.api('GET', '/sources')).body.items).toEqual([]);
      expect(media.larder.log.join('\n')).not.toContain(SECRET);
    });
  }

  test('another kind for a source that there is', async () => {
    const upstream = await running('plex');
    await media.add(upstream.source);
    expect((await media.api('PATCH', '/sources/attic', { kind: 'http' })).status).toBe(422);
  });
});

test('the test of one kind says nothing of a source of another at the same address', async () => {
  const upstream = await running('plex');
  const { url } = upstream.source;
  const tried = await media.api('POST', '/sources/test', { kind: 'jellyfin', url });
  expect(tried.body.ok).toBe(false);
  const added = await media.api('POST', '/sources', { name: 'files', kind: 'http', url });
  expect(added.body).toMatchObject({ state: 'untried', lastTest: null });
});

test('the test of new settings is kept with the source that is made of them', async () => {
  const upstream = await running('jellyfin');
  await media.api('POST', '/sources/test', upstream.source);
  const added = await media.add(upstream.source);
  expect(added.body).toMatchObject({ state: 'well', lastTest: { ok: true } });
});

test('a source without credentials, or with none any more, says what it wants', async () => {
  for (const kind of ['jellyfin', 'plex'] as const) {
    const upstream = await running(kind);
    await media.add(upstream.source, kind);
    expect(await media.sync(kind)).toMatchObject({ state: 'idle' });
    expect((await media.api('PATCH', `/sources/${kind}`, { credentials: null })).body.credentials).toBe('none');
    const state = await media.sync(kind);
    expect([kind, state.state, state.error.hint]).toEqual([
      kind,
      'failed',
      expect.stringMatching(/token|password|credentials/),
    ]);
    expect(stepOf(await media.api('POST', `/sources/${kind}/test`), 'sign-in').ok).toBe(false);
    expect((await media.api('PATCH', `/sources/${kind}`, { credentials: upstream.source.credentials })).status).toBe(
      200,
    );
    expect(await media.sync(kind)).toMatchObject({ state: 'idle', error: null, missing: 0 });
  }
});

test('all kinds side by side: the same key of two sources is two entries', async () => {
  const upstreams = [await running('jellyfin'), await running('plex'), await running('stremio'), await running('plex')];
  for (const [at, upstream] of upstreams.entries()) {
    await media.add(upstream.source, `s${at}`);
    expect(await media.sync(`s${at}`)).toMatchObject({ state: 'idle', error: null });
  }
  await Promise.all(
    upstreams.map(async ({ films: [film] }, at) => {
      const { body } = await media.get(`/stream/s${at}/${film.mediaKey}/original/x.mkv`);
      film.assertBody(body);
    }),
  );
  expect((await media.entries()).map(({ source }: { source: string }) => source).sort()).toEqual([
    's0',
    's1',
    's2',
    's3',
  ]);
  const found = await media.api('GET', '/doctor');
  expect([200, 404].includes(found.status)).toBe(true);
  for (const [path, status] of [
    ['/s/s0', [301, 400]],
    ['/s/s0/', [400, 404]],
    ['/s/s0/Films/', [400, 404]],
    ['/stream/s0', [400, 404]],
    ['/stream/s0/', [400, 404]],
    ['/stream/', [400, 404]],
    ['/stream/nobody/1/original/x', [404]],
  ] as const) {
    const answer = await media.get(path);
    expect([path, answer.status, (status as readonly number[]).includes(answer.status)]).toEqual([
      path,
      answer.status,
      true,
    ]);
  }
  const text = Buffer.from((await media.get('/s/s0/')).body).toString();
  expect(text).toMatch(/library.*addresses/);
});

test('a Larder of little room: a quality makes room for another, and each goes alone', async () => {
  await media[Symbol.asyncDispose]();
  media = await MediaLarder.start(['--cache-size', '1MB', '--keep-free', '0']);
  const upstream = await running('jellyfin');
  await media.add(upstream.source);
  await media.sync();
  const [film, other] = upstream.films;
  const low = await media.pathOf(film.title, '720p');
  expect((await media.get(low)).isWhole).toBe(true);
  film.assertBody((await media.get(await media.pathOf(film.title))).body);
  other.assertBody((await media.get(await media.pathOf(other.title))).body);
  await until(async () => {
    const { body } = await media.api('GET', '/status');
    return (
      body.space === undefined ||
      (await media.entries()).reduce((sum: number, { cachedBytes }: { cachedBytes: number }) => sum + cachedBytes, 0) <=
        1_000_000
    );
  });
  film.assertBody((await media.get(await media.pathOf(film.title))).body);
});

test('a sync that a restart cuts off goes on, and finds everything', async () => {
  const upstream = await running('jellyfin');
  await media.add(upstream.source);
  await media.api('POST', '/sources/attic/sync');
  await media.larder.restart();
  expect(await media.sync()).toMatchObject({ state: 'idle', error: null });
  expect((await media.items('&type=movie')).length).toBe(2);
});

/** Takes connections, says nothing, and tells what was asked. */
async function silence(): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request) => void asked.push(request.url ?? ''));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked };
}

for (const kind of ['jellyfin', 'plex', 'stremio'] as const) {
  test(`a ${kind} server that is silent holds up neither a removal nor the stop of Larder`, async () => {
    const upstream = await running(kind);
    const { url, asked } = await silence();
    const { pathname } = new URL(upstream.source.url);
    for (const name of ['gone', 'there']) {
      await media.add(upstream.source, name);
      await media.sync(name);
      const { credentials } = upstream.source;
      const given = { url: new URL(pathname, url).href, ...(credentials === undefined ? {} : { credentials }) };
      expect((await media.api('PATCH', `/sources/${name}`, given)).status).toBe(200);
      await media.api('POST', `/sources/${name}/sync`);
    }
    const players = await Promise.all(
      ['gone', 'there'].flatMap((name) =>
        upstream.films.map(async ({ mediaKey }) => {
          const player = await RawConnection.open(media.larder.port);
          cleanUps.push(() => player[Symbol.dispose]());
          player.send('GET', `/stream/${name}/${mediaKey}/original/x.mkv`);
          return { name, player };
        }),
      ),
    );
    await until(() => asked.length >= 2);
    const startedAtMs = performance.now();
    expect((await media.api('DELETE', '/sources/gone')).status).toBe(202);
    for (const { name, player } of players) {
      // Cut, or told why.
      if (name === 'gone') expect((await player.readHead().catch(() => null))?.status ?? 404).toBeGreaterThan(399);
    }
    await until(async () => (await media.items('&source=gone')).length === 0);
    expect(performance.now() - startedAtMs).toBeLessThan(3_000);
    const stoppedAtMs = performance.now();
    await media.larder.stop();
    expect(performance.now() - stoppedAtMs).toBeLessThan(5_000);
  }, 20_000);
}

for (const how of ['its source is removed', 'the owner ends it'] as const) {
  test(`a player that waits for its first byte hears nothing, rather than an empty film, when ${how}`, async () => {
    const { url, asked } = await silence();
    await media.api('POST', '/sources', { name: 'files', url });
    using player = await RawConnection.open(media.larder.port);
    player.send('GET', '/s/files/film.mkv');
    await until(() => asked.includes('/film.mkv'));
    if (how === 'its source is removed') await media.api('DELETE', '/sources/files');
    else {
      const readers = async () => (await media.api('GET', '/readers')).body.items;
      // One that waits is shown when it has waited for a while.
      await until(async () => (await readers()).length > 0);
      const [reader] = await readers();
      expect((await media.api('DELETE', `/readers/${reader.id}`)).status).toBeLessThan(300);
    }
    await player.closed();
    expect(await player.readHead().catch((error: Error) => error.message)).toContain('ended before a head');
  });
}
