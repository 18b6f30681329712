// What all sources with a catalogue promise alike, from the API that adds one to the bytes that a player gets.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { readdirSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { signedIn } from '../support/owner.ts';
import { MediaLarder, pathOf, stepOf, until } from './media-streams-larder.ts';
import { UPSTREAMS, type Upstream } from './media-streams-upstreams.ts';
import { RawConnection } from './raw-client.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUps.splice(0).reverse()) await step();
});

/** A server of another kind. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

for (const [kind, start] of Object.entries(UPSTREAMS)) {
  describe(kind, () => {
    let upstream: Upstream;
    let media: MediaLarder;

    beforeEach(async () => {
      upstream = await start();
      media = await MediaLarder.start();
    });
    afterEach(async () => {
      await media[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    });

    /** A Larder that has gone through the source. */
    async function listed(): Promise<void> {
      await media.add(upstream.source);
      const state = await media.sync();
      expect(state).toMatchObject({ state: 'idle', error: null });
    }

    test('a source is added, tested and gone through, and its secrets are told to nobody', async () => {
      const added = await media.add(upstream.source);
      expect(added.body).toMatchObject({
        name: 'attic',
        kind,
        credentials: upstream.credentialsWord,
        options: { local: true },
        state: 'untried',
      });
      const tried = await media.api('POST', '/sources/attic/test');
      expect(tried.body).toMatchObject({ ok: true, capabilities: { ranges: true, length: true } });
      expect(await media.sync()).toMatchObject({ state: 'idle', error: null, missing: 0 });
      const [film] = upstream.films;
      film.assertBody((await media.get(await media.pathOf(film.title))).body);
      const wrong = await media.api('POST', '/sources/attic/test', { credentials: upstream.wrong.source.credentials });
      expect(wrong.status).toBe(200);
      await media.api('PATCH', '/sources/attic', { options: { local: true } });
      await until(async () => {
        const { body } = await media.api('GET', '/sources/attic');
        expect(body.credentials).toBe(upstream.credentialsWord);
        return body.holdings.cachedBytes === film.bytes;
      });
      await media.larder.stop();
      await media.larder.restart();
      for (const [place, text] of await media.told()) {
        for (const secret of [...upstream.secrets, 'guess-4711']) {
          expect([place, text.includes(secret), text.includes(encodeURIComponent(secret))]).toEqual([
            place,
            false,
            false,
          ]);
        }
      }
    });

    test('its test says what is wrong and what to do', async () => {
      const { source, wrong } = upstream;
      const refused = stepOf(await media.api('POST', '/sources/test', wrong.source), 'sign-in');
      expect(refused.ok).toBe(false);
      expect(`${refused.detail} ${refused.hint}`).toMatch(wrong.says);

      const page = await serve((_, response) => {
        response
          .writeHead(200, { 'Content-Type': 'text/html' })
          .end('<html><title>Router</title><form>…</form></html>');
      });
      const elsewhere = stepOf(
        await media.api('POST', '/sources/test', { ...source, url: at(source.url, page) }),
        'sign-in',
      );
      expect(elsewhere.ok).toBe(false);
      expect(elsewhere.hint).toMatch(/address/);

      const busy = await serve((_, response) => response.writeHead(503, { 'Retry-After': '005' }).end('starting'));
      const starting = stepOf(
        await media.api('POST', '/sources/test', { ...source, url: at(source.url, busy) }),
        'sign-in',
      );
      expect(starting.ok).toBe(false);
      expect(`${starting.detail} ${starting.hint}`).toMatch(/start|wait|again|busy|in a/i);

      await upstream.goDown();
      const down = stepOf(await media.api('POST', '/sources/test', source), 'connect');
      expect(down.ok).toBe(false);
      expect(down.hint).toMatch(/port|running|started/);
    });

    test('what it has is listed with what is below it, found by type and by words', async () => {
      await listed();
      const [film] = upstream.films;
      const movies = await media.items('&type=movie');
      expect(movies.map(({ title }) => title)).toEqual(upstream.films.map(({ title }) => title));
      const words = film.title
        .split(' ')
        .map((word) => word.slice(0, 6))
        .join('+');
      expect((await media.items(`&q=${words}`)).map(({ title }) => title)).toContain(film.title);
      const item = await media.item(film.title);
      expect(item).toMatchObject({ type: 'movie', source: 'attic', parentId: null, season: null, episode: null });
      expect(item.qualities[0]).toMatchObject({ quality: 'original', delivery: 'file', height: 1080, refusal: null });
      expect(item.qualities[0]?.size).toBeGreaterThan(0);
      expect(item.qualities[0]?.container).toBe('mkv');

      const series = await media.item(upstream.series.title);
      expect(series).toMatchObject({ type: 'series', qualities: [] });
      const seasons = await media.items(`&parent=${series.id}`);
      const numbered = seasons.filter(({ season }) => season !== 0);
      expect(numbered.map(({ type, season, parentId }) => [type, season, parentId])).toEqual([
        ['season', 1, series.id as number | null],
        ['season', 2, series.id as number | null],
      ]);
      const episodes = await media.items(`&parent=${numbered[0]?.id}`);
      expect(episodes.map(({ type, season, episode, parentId }) => [type, season, episode, parentId])).toEqual([
        ['episode', 1, 1, numbered[0]?.id ?? null],
        ['episode', 1, 2, numbered[0]?.id ?? null],
      ]);
      const [episode] = episodes;
      const looked = (await media.api('GET', `/items/${episode?.id}`)).body;
      const played = await media.get(pathOf(looked.qualities[0].streamUrl));
      expect([played.status, played.isWhole]).toEqual([200, true]);
    });

    test('its bytes come exactly, whole and in ranges, and again with the server down', async () => {
      await listed();
      const [film] = upstream.films;
      const path = await media.pathOf(film.title);
      const end = film.bytes - 1;
      const head = await media.get(path, {}, 'HEAD');
      expect([
        head.status,
        head.header('content-length'),
        head.header('accept-ranges'),
        head.header('x-cache'),
      ]).toEqual([200, String(film.bytes), 'bytes', 'MISS']);
      const tag = head.header('etag');
      expect(tag).toMatch(/^"[^"]+"$/);
      const cold = await media.get(path);
      expect([cold.status, cold.isWhole, cold.body.length]).toEqual([200, true, film.bytes]);
      film.assertBody(cold.body);
      expect([cold.header('etag'), cold.header('content-type')]).toEqual([tag, film.contentType]);
      await upstream.goDown();
      const before = upstream.requestCount();
      const warm = await media.get(path);
      expect([warm.header('x-cache'), warm.header('etag'), warm.body.length]).toEqual(['HIT', tag, film.bytes]);
      film.assertBody(warm.body);
      for (const [range, first, last] of [
        ['bytes=1000-1999', 1_000, 1_999],
        ['bytes=200001-', 200_001, end],
        ['bytes=-777', film.bytes - 777, end],
        [`bytes=${end}-${end + 99}`, end, end],
      ] as const) {
        const part = await media.get(path, { Range: range });
        const said = [part.status, part.header('content-range'), part.header('x-cache'), part.header('content-length')];
        expect([range, ...said]).toEqual([
          range,
          206,
          `bytes ${first}-${last}/${film.bytes}`,
          'HIT',
          String(last - first + 1),
        ]);
        film.assertBody(part.body, first);
      }
      const beyond = await media.get(path, { Range: `bytes=${film.bytes}-` });
      expect([beyond.status, beyond.header('content-range')]).toEqual([416, `bytes */${film.bytes}`]);
      expect((await media.get(path, { 'If-None-Match': tag ?? '' })).status).toBe(304);
      expect((await media.get(path, { 'If-Range': '"other"', Range: 'bytes=1-2' })).status).toBe(200);
      const several = await media.get(path, { Range: 'bytes=0-9,100-109' });
      expect([several.status, several.header('content-type')?.split(';')[0]]).toEqual([206, 'multipart/byteranges']);
      expect(upstream.requestCount()).toBe(before);
    });

    test('a cold seek asks for what is behind it', async () => {
      await listed();
      const [film] = upstream.films;
      const path = await media.pathOf(film.title);
      const seek = await media.get(path, { Range: 'bytes=200000-200999' });
      expect([seek.status, seek.header('x-cache'), seek.header('content-range')]).toEqual([
        206,
        'MISS',
        `bytes 200000-200999/${film.bytes}`,
      ]);
      film.assertBody(seek.body, 200_000);
      const suffix = await media.get(await media.pathOf(upstream.films[1].title), { Range: 'bytes=-1000' });
      expect(suffix.status).toBe(206);
      upstream.films[1].assertBody(suffix.body, upstream.films[1].bytes - 1_000);
      const late = await media.get(path, { Range: `bytes=${film.bytes + 5}-` });
      expect([late.status, late.header('content-range')]).toEqual([416, `bytes */${film.bytes}`]);
    });

    test('the name in an address is cosmetic; what is not there is 404 with what to do', async () => {
      await listed();
      const [film] = upstream.films;
      const address = `/stream/attic/${film.mediaKey}/original`;
      film.assertBody((await media.get(`${address}/anything%20at%20all.avi`)).body);
      for (const path of [address, `${address}/`, `${address}/a/b/c.mkv`, `${address}/x.mkv?a=b`]) {
        const found = await media.get(path, { Range: 'bytes=0-9' });
        expect([path, found.status, found.header('x-cache')]).toEqual([path, 206, 'HIT']);
      }
      const before = upstream.requestCount();
      for (const path of [
        '/stream/attic/77777777/original/x.mkv',
        `/stream/attic/${film.mediaKey}/4711p/x.mkv`,
        `/stream/attic/${film.mediaKey}/~sub-99/x.srt`,
        `/stream/attic/${film.mediaKey}/~nonsense/x`,
      ]) {
        const missing = await media.get(path);
        const text = Buffer.from(missing.body).toString();
        expect([path, missing.status, missing.header('content-type')]).toEqual([
          path,
          404,
          'text/plain; charset=utf-8',
        ]);
        expect([path, text]).toEqual([path, expect.stringMatching(/\n.*\w/)]);
      }
      // A handful of questions, not a storm.
      expect(upstream.requestCount() - before).toBeLessThan(20);
      const below = await media.get('/s/attic/Films/x.mkv');
      expect([below.status, Buffer.from(below.body).toString()]).toEqual([400, expect.stringContaining('/stream/')]);
    });

    test('its poster is kept, and shown with the server down', async () => {
      await listed();
      const [film] = upstream.films;
      const { artworkUrl } = await media.item(film.title);
      const path = pathOf(artworkUrl ?? '');
      const cold = await media.get(path);
      expect([cold.status, cold.isWhole]).toEqual([200, true]);
      await upstream.goDown();
      const warm = await media.get(path);
      expect([warm.status, warm.header('x-cache'), Buffer.from(warm.body).equals(Buffer.from(cold.body))]).toEqual([
        200,
        'HIT',
        true,
      ]);
      // A picture is no film: it is no item and no quality.
      expect((await media.items()).some(({ title }) => title.includes('poster'))).toBe(false);
      expect((await media.item(film.title)).qualities.some(({ quality }) => quality.startsWith('~'))).toBe(false);
    });

    test('a restart: all that is kept plays with the server down', async () => {
      await listed();
      const paths = [];
      for (const film of upstream.films) {
        const path = await media.pathOf(film.title);
        film.assertBody((await media.get(path)).body);
        paths.push(path);
      }
      const poster = pathOf((await media.item(upstream.films[0].title)).artworkUrl ?? '');
      const picture = await media.get(poster);
      await upstream.goDown();
      await media.larder.restart();
      for (const [at, film] of upstream.films.entries()) {
        const warm = await media.get(paths[at] ?? '');
        expect([warm.status, warm.header('x-cache'), warm.body.length]).toEqual([200, 'HIT', film.bytes]);
        film.assertBody(warm.body);
      }
      expect(Buffer.from((await media.get(poster)).body).equals(Buffer.from(picture.body))).toBe(true);
      expect((await media.item(upstream.films[0].title)).qualities[0]).toMatchObject({ complete: true });
    });

    test('a lost database is made anew from the labels: kind, item and quality are known again', async () => {
      await listed();
      const [film] = upstream.films;
      const path = await media.pathOf(film.title);
      film.assertBody((await media.get(path)).body);
      await upstream.goDown();
      const { larder } = media;
      await larder.stop();
      for (const name of readdirSync(larder.dataFolder)) {
        if (name.startsWith('larder.db') || name === 'backups')
          rmSync(join(larder.dataFolder, name), { recursive: true });
      }
      await larder.restart();
      const warm = await media.get(path);
      expect([warm.status, warm.header('x-cache')]).toEqual([200, 'HIT']);
      film.assertBody(warm.body);
      const { headers } = await signedIn(larder.dataFolder);
      const ask = async (what: string) =>
        (await fetch(`http://localhost:${larder.port}/api/v1/${what}`, { headers: { ...headers } })).json();
      expect(await ask('sources/attic')).toMatchObject({ kind, holdings: { entries: 1, cachedBytes: film.bytes } });
      const { items } = (await ask('entries')) as { items: unknown[] };
      expect(items).toEqual([expect.objectContaining({ quality: 'original', complete: true, source: 'attic' })]);
    });

    test('after that the owner gives what only the owner knows, and all is as it was', async () => {
      await listed();
      const [film, other] = upstream.films;
      const path = await media.pathOf(film.title);
      film.assertBody((await media.get(path)).body);
      const { larder } = media;
      await larder.stop();
      for (const name of readdirSync(larder.dataFolder)) {
        if (name.startsWith('larder.db') || name === 'backups')
          rmSync(join(larder.dataFolder, name), { recursive: true });
      }
      await larder.restart();
      const { headers } = await signedIn(larder.dataFolder);
      const ask = async (method: string, what: string, body?: unknown) => {
        const response = await fetch(`http://localhost:${larder.port}/api/v1/${what}`, {
          method,
          headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return response.json();
      };
      const { url, credentials } = upstream.source;
      expect(await ask('GET', 'sources/attic')).toMatchObject({ kind, credentials: 'none' });
      const given = { url, ...(credentials === undefined ? {} : { credentials }) };
      expect(await ask('PATCH', 'sources/attic', given)).toMatchObject({ credentials: upstream.credentialsWord });
      await ask('POST', 'sources/attic/sync');
      await until(async () => (await ask('GET', 'sources/attic/sync')).state === 'idle');
      const { items } = await ask('GET', `items?type=movie`);
      const shown = items.map(({ title, availability }: { title: string; availability: string }) => [
        title,
        availability,
      ]);
      expect(shown).toEqual([
        [film.title, 'whole'],
        [other.title, 'none'],
      ]);
      expect((await media.get(path)).header('x-cache')).toBe('HIT');
      const cold = await media.get(pathOf(items[1].qualities[0].streamUrl));
      expect(cold.status).toBe(200);
      other.assertBody(cold.body);
    });

    test('settings that change keep what is kept; another host wants its credentials anew; removal takes everything', async () => {
      await listed();
      const [film, other] = upstream.films;
      const path = await media.pathOf(film.title);
      film.assertBody((await media.get(path)).body);
      if (kind !== 'stremio') {
        const moved = await media.api('PATCH', '/sources/attic', { url: 'http://127.0.0.1:9/' });
        expect([moved.status, moved.body.detail ?? moved.body.title]).toEqual([422, expect.stringContaining('host')]);
      }
      // Another name of the same machine is another host.
      const url = at(upstream.source.url, upstream.source.url.replace('127.0.0.1', 'localhost'));
      const { credentials } = upstream.source;
      const changed = await media.api('PATCH', '/sources/attic', {
        url,
        ...(credentials === undefined ? {} : { credentials }),
      });
      expect([changed.status, changed.body.url.startsWith('http://localhost:')]).toEqual([200, true]);
      expect((await media.get(path)).header('x-cache')).toBe('HIT');
      const cold = await media.get(await media.pathOf(other.title));
      expect([cold.status, cold.header('x-cache')]).toEqual([200, 'MISS']);
      other.assertBody(cold.body);
      const removed = await media.api('DELETE', '/sources/attic');
      expect([removed.status, removed.body.entries]).toEqual([202, 2]);
      expect((await media.get(path)).status).toBe(404);
      await until(async () => (await media.items()).length === 0 && (await media.entries()).length === 0);
      const chunks = join(media.larder.dataFolder, 'chunks');
      await until(() => !readdirSync(chunks, { recursive: true, withFileTypes: true }).some((entry) => entry.isFile()));
    });

    test('an entry that is deleted goes alone, and is fetched again', async () => {
      await listed();
      const [film, other] = upstream.films;
      const [path, otherPath] = [await media.pathOf(film.title), await media.pathOf(other.title)];
      await media.get(path);
      await media.get(otherPath);
      const entries = await media.entries();
      const entry = entries.find(({ title }: { title: string }) => title === film.title);
      expect((await media.api('DELETE', `/entries/${entry.id}`)).status).toBe(204);
      expect((await media.get(otherPath)).header('x-cache')).toBe('HIT');
      const again = await media.get(path);
      expect([again.status, again.header('x-cache')]).toEqual([200, 'MISS']);
      film.assertBody(again.body);
    });

    test('without having been gone through, an item is asked for by its key', async () => {
      await media.add(upstream.source);
      const [film] = upstream.films;
      const response = await media.get(`/stream/attic/${film.mediaKey}/original/x.mkv`);
      expect([
        response.status,
        Buffer.from(response.body.slice(0, 200))
          .toString('latin1')
          .slice(0, response.status === 200 ? 0 : 200),
      ]).toEqual([200, '']);
      film.assertBody(response.body);
    });

    test('many players who ask at once are served from one request', async () => {
      await listed();
      const [film] = upstream.films;
      const path = await media.pathOf(film.title);
      const before = upstream.requestCount();
      const players = await Promise.all(Array.from({ length: 12 }, () => media.get(path)));
      for (const { status, isWhole, body } of players) {
        expect([status, isWhole]).toEqual([200, true]);
        film.assertBody(body);
      }
      // One for the bytes, and what finding them out costs.
      expect(upstream.requestCount() - before).toBeLessThanOrEqual(5);
    });

    test('a source that was removed is added again under its name, and begins anew', async () => {
      await listed();
      const [film] = upstream.films;
      const path = await media.pathOf(film.title);
      film.assertBody((await media.get(path)).body);
      await media.api('DELETE', '/sources/attic');
      expect((await media.get(path)).status).toBe(404);
      await listed();
      const cold = await media.get(await media.pathOf(film.title));
      expect([cold.status, cold.header('x-cache')]).toEqual([200, 'MISS']);
      film.assertBody(cold.body);
    });

    test('settings that change while one plays change nothing for the player', async () => {
      await listed();
      const [film] = upstream.films;
      const path = await media.pathOf(film.title);
      using player = await RawConnection.open(media.larder.port);
      player.send('GET', path);
      const head = await player.readHead();
      await media.api('PATCH', '/sources/attic', { options: { local: true } });
      const body = await player.readBytes(Number(head.header('content-length')));
      film.assertBody(body);
    });

    test('an item that was never played is taken offline, pinned, dropped and restored', async () => {
      await listed();
      const [film] = upstream.films;
      const item = await media.item(film.title);
      const job = async (action: string) => {
        const started = await media.api('POST', '/entries/bulk', { action, items: [item.id] });
        expect([action, started.status]).toEqual([action, 202]);
        await until(async () => (await media.api('GET', `/jobs/${started.body.id}`)).body.state === 'done');
        const { body } = await media.api('GET', `/jobs/${started.body.id}`);
        expect([action, body.failures]).toEqual([action, []]);
      };
      await job('fetch');
      await until(async () => (await media.quality(film.title, 'original')).complete);
      // The original, not all that it could be converted to.
      expect((await media.entries()).map(({ quality }: { quality: string }) => quality)).toEqual(['original']);
      await job('pin');
      expect((await media.api('GET', `/items/${item.id}`)).body).toMatchObject({ pinned: true, availability: 'whole' });
      await job('drop');
      expect((await media.api('GET', `/items/${item.id}`)).body.cachedBytes).toBe(0);
      await job('restore');
      await upstream.goDown();
      const warm = await media.get(await media.pathOf(film.title));
      expect([warm.status, warm.header('x-cache')]).toEqual([200, 'HIT']);
      film.assertBody(warm.body);
    });

    test('locked streams open by the addresses that the API tells, and by no others', async () => {
      await media[Symbol.asyncDispose]();
      media = await MediaLarder.start(['--stream-access', 'locked']);
      await listed();
      const [film] = upstream.films;
      const item = await media.item(film.title);
      const paths = [item.qualities[0]?.streamUrl, item.artworkUrl].map((url) => pathOf(url ?? ''));
      for (const path of paths) {
        expect([path, path.includes('signature=')]).toEqual([path, true]);
        expect([path, (await media.get(path)).status]).toEqual([path, 200]);
        expect([path, (await media.get(path.split('?')[0] ?? '')).status]).toEqual([path, 401]);
        const other = path.replace(`/${film.mediaKey}/`, `/${upstream.films[1].mediaKey}/`);
        expect([other, (await media.get(other)).status]).toEqual([other, 403]);
      }
    });

    test('private networks are out of bounds where the owner said so, and the source says that', async () => {
      await media.add({ ...upstream.source, options: { local: false } });
      const before = upstream.requestCount();
      const state = await media.sync();
      expect(state).toMatchObject({ state: 'failed', error: { message: expect.stringContaining('private networks') } });
      const tried = await media.api('POST', '/sources/attic/test');
      expect(stepOf(tried, 'name')).toMatchObject({ ok: false, hint: expect.stringContaining('allow private') });
      const [film] = upstream.films;
      const played = await media.get(`/stream/attic/${film.mediaKey}/original/x.mkv`);
      expect([played.status, Buffer.from(played.body).toString()]).toEqual([
        502,
        expect.stringContaining('private networks'),
      ]);
      expect(upstream.requestCount()).toBe(before);
    });

    test('Larder itself is no source', async () => {
      const own = `http://127.0.0.1:${media.larder.port}/`;
      await media.add({ ...upstream.source, url: at(upstream.source.url, own) });
      expect(await media.sync()).toMatchObject({
        state: 'failed',
        error: { message: expect.stringContaining('itself') },
      });
    });

    test('nonsense in addresses is told, and harms nothing', async () => {
      await listed();
      const [film] = upstream.films;
      await media.get(await media.pathOf(film.title));
      const keys = [
        'a%2Fb',
        '%25',
        '%',
        '%zz',
        'a:b',
        ':',
        '..',
        '%2e%2e',
        '.',
        '%00',
        '%0d%0aX-Evil:1',
        '~',
        'x'.repeat(10_000),
        '%F0%9F%98%80',
        '%ff',
        '..%2f..%2fetc',
        "'--",
        '*',
        '1%20OR%201',
        '%7B%22a%22%3A1%7D',
      ];
      for (const key of keys) {
        const response = await media.get(`/stream/attic/${key}/original/x.mkv`);
        expect([key.slice(0, 30), [400, 404, 414].includes(response.status)]).toEqual([key.slice(0, 30), true]);
        expect(Buffer.from(response.body).toString().trim()).not.toBe('');
      }
      for (const quality of [
        '~',
        'auto~x',
        '..',
        '%2e%2e',
        'ORIGINAL',
        'original%00',
        'original%2f',
        '~sub-0',
        '~sub-',
        '~poster~poster',
        '720p~seg-1',
        '~pl-1',
        'x'.repeat(100),
        '%',
        '-1',
        'original.mkv',
        '%E2%80%AE',
      ]) {
        const response = await media.get(`/stream/attic/${film.mediaKey}/${quality}/x.mkv`);
        expect([quality.slice(0, 30), response.status, [400, 404].includes(response.status)]).toEqual([
          quality.slice(0, 30),
          response.status,
          true,
        ]);
      }
      expect((await media.entries()).map(({ quality }: { quality: string }) => quality)).toEqual(['original']);
      film.assertBody((await media.get(await media.pathOf(film.title))).body);
      expect(media.larder.log.filter((line) => /a stream failed|unhandled/i.test(line))).toEqual([]);
    });
  });
}

/** The same address, at another server; add-ons are named by the address of their manifest. */
function at(address: string, server: string): string {
  const { pathname } = new URL(address);
  return new URL(pathname, server).href;
}
