// What is kept of HLS qualities: the download queue, eviction, what is dropped and pinned, who may play, live streams, and
// what a server that converts hears of it.
import { describe, expect, test } from 'bun:test';
import { readFileSync, statSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { commandLine } from '../support/command-line.ts';
import { contentOf } from '../support/content.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FRAMES, hasFfmpeg, hlsFolder, piecesOf } from '../support/hls-origin.ts';
import { ALICE, idOf, startJellyfinServer } from '../support/jellyfin-server.ts';
import { signedIn } from '../support/owner.ts';
import { addressesIn, countFrames, type HlsLarder, piecesBelow, startHlsLarder, until } from './hls-larder.ts';
import { inProcessThread } from './in-process-thread.ts';
import { startLarder } from './running-larder.ts';

interface Entry {
  readonly id: number;
  readonly quality: string;
  readonly media: string;
  readonly cachedBytes: number;
}

async function chunkFiles(hls: Pick<HlsLarder, 'larder'>): Promise<string[]> {
  const names = await readdir(join(hls.larder.dataFolder, 'chunks'), { recursive: true }).catch(() => []);
  return names.filter((name) => /\.(?:ts|m4s|mp4|key|m3u8)$/.test(name));
}

async function wholeEntry(hls: HlsLarder): Promise<Entry> {
  const { body } = await hls.api<{ items: Entry[] }>('GET', '/entries');
  expect(body.items.map(({ quality }) => quality)).toEqual(['original']);
  return body.items[0]!;
}

async function availability(hls: HlsLarder, name = 1): Promise<string> {
  const { body } = await hls.api<{ items: { title: string; availability: string }[] }>('GET', '/items?limit=50');
  return body.items.find(({ title }) => title === `Film ${name}`)?.availability ?? 'unknown';
}

describe.skipIf(!hasFfmpeg)('the download queue', () => {
  test('fetches all pieces, goes on after a restart in the middle, and the film plays with the origin down', async () => {
    await using hls = await startHlsLarder();
    await hls.get(hls.pathOf('ts'));
    const { id } = await wholeEntry(hls);
    const quick = ['ts-0.ts', 'ts-1.ts', 'ts-2.ts'];
    const quickBytes = quick.reduce((sum, name) => sum + statSync(join(hlsFolder(), name)).size, 0);
    hls.origin.slow = { pattern: /^ts-[3-9]/, stepBytes: 1, stepMs: 100 };
    expect((await hls.api('POST', `/entries/${id}/fetch`)).status).toBe(200);
    await until(async () => (await wholeEntry(hls)).cachedBytes >= quickBytes && hls.origin.countOf(/^ts-3/) === 1);
    expect(await availability(hls)).toBe('partly');
    await hls.larder.restart();
    hls.origin.slow = null;
    await until(async () => (await availability(hls)) === 'whole', 20_000);
    for (const path of quick) expect(hls.origin.countOf(path)).toBe(1);
    await hls.larder.restart();
    await hls.origin.stop();
    const lists = hls.origin.countOf(/m3u8/);
    const streams = hls.addon.countOf('stream');
    expect(await hls.countFrames(hls.pathOf('ts'))).toBe(FRAMES);
    expect([hls.origin.countOf(/m3u8/), hls.addon.countOf('stream')]).toEqual([lists, streams]);
    await hls.origin.start();
  }, 60_000);

  test('fetches the playlists of all sounds, and plays them apart', async () => {
    await using hls = await startHlsLarder();
    await hls.get(hls.pathOf('master'));
    const { id } = await wholeEntry(hls);
    await hls.api('POST', `/entries/${id}/fetch`);
    await until(async () => (await availability(hls, 6)) === 'whole', 20_000);
    await hls.origin.stop();
    const pieces = await piecesBelow(hls, hls.pathOf('master'));
    expect(new Set(pieces).size).toBe(piecesOf('v').length + piecesOf('a').length + piecesOf('b').length);
    expect(await hls.countFrames(hls.pathOf('master'))).toBe(FRAMES);
    await hls.origin.start();
  }, 60_000);

  test('refuses what has no end, and says so', async () => {
    await using hls = await startHlsLarder();
    await hls.get(hls.pathOf('live'));
    const { id } = await wholeEntry(hls);
    await hls.api('POST', `/entries/${id}/fetch`);
    await until(() => hls.larder.log.some((line) => line.includes('no end that could be fetched')));
  }, 30_000);

  test('fills in the background what is played, as one wish', async () => {
    await using hls = await startHlsLarder({ args: ['--background-fill', 'on'] });
    const pieces = await piecesBelow(hls, hls.pathOf('ts'));
    await hls.get(pieces[4]!);
    await until(async () => (await availability(hls)) === 'whole', 20_000);
    const done = hls.larder.log.filter((line) => line.includes('an entry is whole'));
    expect(done).toHaveLength(1);
  }, 30_000);
});

describe.skipIf(!hasFfmpeg)('what is kept', () => {
  test('is told as one film: one entry, one reader, one row of who read', async () => {
    await using hls = await startHlsLarder();
    await hls.countFrames(hls.pathOf('ts'));
    await hls.countFrames(hls.pathOf('master'));
    const { body } = await hls.api<{
      items: { path: string; quality: string; requests: number; entryId: number | null }[];
    }>('GET', '/readers/ended');
    expect(body.items.map(({ quality }) => quality)).toEqual(['original', 'original']);
    expect(body.items.every(({ path }) => path.endsWith(':original.m3u8'))).toBe(true);
    const { body: entries } = await hls.api<{ items: Entry[] }>('GET', '/entries');
    expect(entries.items.map(({ quality }) => quality)).toEqual(['original', 'original']);
    expect(new Set(body.items.map(({ entryId }) => entryId))).toEqual(new Set(entries.items.map(({ id }) => id)));
  }, 60_000);

  test('is dropped, brought back, played back into being, pinned and removed as one', async () => {
    await using hls = await startHlsLarder();
    await hls.countFrames(hls.pathOf('ts'));
    const { id } = await wholeEntry(hls);
    const files = (await chunkFiles(hls)).length;
    expect(files).toBe(piecesOf('ts').length);
    expect((await hls.api('POST', `/entries/${id}/drop`)).status).toBe(200);
    expect((await hls.api<{ items: unknown[] }>('GET', '/entries')).body.items).toHaveLength(0);
    await hls.api('POST', `/entries/${id}/restore`);
    expect((await wholeEntry(hls)).id).toBe(id);
    await hls.api('POST', `/entries/${id}/drop`);
    const pieces = await piecesBelow(hls, hls.pathOf('ts'));
    expect((await hls.get(pieces[0]!)).headers.get('x-cache')).toBe('HIT');
    await until(async () => (await hls.api<{ items: unknown[] }>('GET', '/entries')).body.items.length === 1);
    expect((await hls.api('POST', `/entries/${id}/pin`)).status).toBe(200);
    expect((await hls.api<{ pinned: boolean }>('GET', `/entries/${id}`)).body.pinned).toBe(true);
    expect(await availability(hls)).toBe('partly');
    expect((await hls.api('DELETE', `/entries/${id}`)).status).toBe(204);
    expect(await chunkFiles(hls)).toHaveLength(0);
    expect(await availability(hls)).toBe('none');
    // The player that is still there goes on, and finds what it plays noted again.
    expect((await hls.get(pieces[1]!)).status).toBe(200);
    await wholeEntry(hls);
  }, 60_000);

  test('makes room as one, and never what is being played', async () => {
    await using hls = await startHlsLarder({ args: ['--keep-free', '0'] });
    for (const name of ['ts', 'mp4'] as const) await hls.countFrames(hls.pathOf(name));
    // Somebody plays the third one, and its origin is slow.
    hls.origin.slow = { pattern: /^locked-0/, stepBytes: 5_000, stepMs: 100 };
    const pieces = await piecesBelow(hls, hls.pathOf('locked'));
    const playing = hls.get(pieces[1]!);
    await until(() => hls.origin.countOf('locked-0.ts') === 1);
    const { body } = await hls.api<{ usedBytes: number }>('GET', '/storage');
    const smaller = await hls.api('PATCH', '/storage', { cacheSize: `${Math.round(body.usedBytes / 3)}` });
    expect(smaller.status).toBe(200);
    await until(async () => (await hls.api<{ items: Entry[] }>('GET', '/entries')).body.items.length === 1);
    const left = await chunkFiles(hls);
    expect(left.length).toBeGreaterThan(0);
    for (const file of left) expect(file).toContain('tt1000005');
    const bytes = readFileSync(join(hlsFolder(), 'locked-0.ts'));
    expect(Buffer.from((await playing).bytes).equals(bytes)).toBe(true);
    const evicted = await hls.api<{ items: { subject: string }[] }>('GET', '/events/log?kind=evicted');
    expect(evicted.body.items.map(({ subject }) => subject.split(':').at(-1))).toEqual([
      'original.m3u8',
      'original.m3u8',
    ]);
  }, 60_000);

  test('goes with its source', async () => {
    await using hls = await startHlsLarder();
    await hls.countFrames(hls.pathOf('locked'));
    expect((await chunkFiles(hls)).length).toBeGreaterThan(0);
    await hls.api('DELETE', '/sources/addon');
    await until(async () => (await hls.api<{ items: unknown[] }>('GET', '/sources')).body.items.length === 0);
    await until(async () => (await chunkFiles(hls)).length === 0);
    expect((await hls.get(hls.pathOf('locked'))).status).toBe(404);
  }, 60_000);

  test('is taken up again when the database is lost', async () => {
    await using hls = await startHlsLarder();
    await hls.countFrames(hls.pathOf('ts'));
    await hls.larder.stop();
    const asked = hls.origin.countOf(/^ts-/);
    for (const name of await readdir(hls.larder.dataFolder)) {
      if (/^larder\.db/.test(name)) await rm(join(hls.larder.dataFolder, name));
    }
    await hls.larder.restart();
    // How its source may be reached was in the database, and who owns it as well.
    const signed = await signedIn(hls.larder.dataFolder);
    const patched = await fetch(`http://127.0.0.1:${hls.larder.port}/api/v1/sources/addon`, {
      method: 'PATCH',
      headers: { ...signed.headers, 'content-type': 'application/json' },
      body: JSON.stringify({ options: { local: true } }),
    });
    expect(patched.status).toBe(200);
    expect(await hls.countFrames(hls.pathOf('ts'))).toBe(FRAMES);
    for (const piece of await piecesBelow(hls, hls.pathOf('ts'))) {
      expect((await hls.get(piece)).headers.get('x-cache')).toBe('HIT');
    }
    expect(hls.origin.countOf(/^ts-/)).toBe(asked);
    expect(hls.larder.log.join('\n')).not.toContain('level=error');
    expect((await chunkFiles(hls)).length).toBe(piecesOf('ts').length);
  }, 60_000);

  test('is fetched whole without having been played, and a list of its source does not make it a file again', async () => {
    await using hls = await startHlsLarder();
    await hls.api('POST', '/sources/addon/sync');
    await until(async () => (await availability(hls)) !== 'unknown');
    const { body } = await hls.api<{ items: { id: number; title: string }[] }>('GET', '/items?limit=50');
    const { id } = body.items.find(({ title }) => title === 'Film 1')!;
    await hls.api('GET', `/items/${id}`);
    expect((await hls.api('POST', '/entries/bulk', { action: 'fetch', items: [id] })).status).toBe(202);
    await until(async () => (await availability(hls)) === 'whole', 20_000);
    await hls.api('POST', '/sources/addon/sync');
    await until(async () => (await hls.api<{ state: string }>('GET', '/sources/addon/sync')).body.state === 'idle');
    await hls.origin.stop();
    expect(await hls.countFrames(hls.pathOf('ts'))).toBe(FRAMES);
    await hls.origin.start();
  }, 60_000);

  test('a film that was listed only is asked whether it is a playlist before it is played', async () => {
    await using hls = await startHlsLarder();
    await hls.api('POST', '/sources/addon/sync');
    await until(async () => (await availability(hls)) !== 'unknown');
    const { text } = await hls.get(hls.pathOf('ts'));
    expect(text).not.toContain('secret');
    expect(await hls.countFrames(hls.pathOf('ts'))).toBe(FRAMES);
  }, 60_000);
});

describe.skipIf(!hasFfmpeg)('a live stream', () => {
  test('is passed through and nothing of it is kept; what just left it is still served', async () => {
    await using hls = await startHlsLarder();
    const first = await hls.get(hls.pathOf('live'));
    expect(first.headers.get('x-cache')).toBe('BYPASS');
    const pieces = addressesIn(first.text);
    expect(pieces.map((piece) => piece.split('/').at(-1))).toEqual(['0.ts', '1.ts', '2.ts']);
    const got = await Promise.all(pieces.map((piece) => hls.get(piece)));
    expect(got.map(({ status, headers }) => [status, headers.get('x-cache'), headers.get('content-type')])).toEqual(
      pieces.map(() => [200, 'BYPASS', 'video/mp2t']),
    );
    const part = await hls.get(pieces[1]!, { Range: 'bytes=10-19' });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 10-19/${got[1]!.bytes.length}`]);
    expect(part.bytes).toEqual(got[1]!.bytes.slice(10, 20));
    const before = hls.origin.countOf(/^ts-/);
    const head = await fetch(`http://127.0.0.1:${hls.larder.port}${pieces[0]}`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'video/mp2t']);
    expect(hls.origin.countOf(/^ts-/)).toBe(before);
    await until(async () => addressesIn((await hls.get(hls.pathOf('live'))).text)[0]!.endsWith('/2.ts'), 5_000);
    expect((await hls.get(pieces[0]!)).bytes).toEqual(got[0]!.bytes);
    expect((await hls.get(pieces[2]!)).bytes).toEqual(got[2]!.bytes);
    expect(await chunkFiles(hls)).toHaveLength(0);
    // Many players ask the origin for its playlist once in a while.
    const lists = hls.origin.countOf('live.m3u8');
    await Promise.all(Array.from({ length: 20 }, () => hls.get(hls.pathOf('live'))));
    expect(hls.origin.countOf('live.m3u8') - lists).toBeLessThanOrEqual(1);
  }, 30_000);
});

describe.skipIf(!hasFfmpeg)('locked streams', () => {
  test('lead to addresses that are open to who opened the playlist, below a base path', async () => {
    const args = ['--stream-access', 'locked', '--base-path', '/media'];
    await using hls = await startHlsLarder({ args });
    const { printed } = await commandLine(['token', 'create', '--scope', 'stream', '--data', hls.larder.dataFolder]);
    const token = printed[0]!;
    for (const name of ['locked', 'master', 'mp4'] as const) {
      const path = `/media${hls.pathOf(name)}`;
      expect((await hls.get(path)).status).toBe(401);
      const pieces = await piecesBelow(hls, `${path}?token=${token}`);
      for (const piece of pieces) {
        expect(piece).toStartWith('/media/stream/addon/');
        expect((await hls.get(piece)).status).toBe(200);
        expect((await hls.get(piece.split('?')[0]!)).status).toBe(401);
      }
      expect(await hls.countFrames(`${path}?token=${token}`)).toBe(FRAMES);
    }
  }, 60_000);

  test('by a signed address as well, each piece by its own', async () => {
    await using hls = await startHlsLarder({ args: ['--stream-access', 'locked'] });
    const { printed } = await commandLine(['token', 'create', '--scope', 'stream', '--data', hls.larder.dataFolder]);
    await hls.get(`${hls.pathOf('master')}?token=${printed[0]}`);
    const { body } = await hls.api<{ items: { streamUrl: string }[] }>('GET', '/entries');
    const signed = new URL(body.items[0]!.streamUrl, 'http://x');
    expect(signed.search).not.toBe('');
    const path = `${signed.pathname}${signed.search}`;
    const pieces = await piecesBelow(hls, path);
    expect(await piecesBelow(hls, path)).toEqual(pieces);
    for (const piece of pieces) expect((await hls.get(piece)).status).toBe(200);
    // Another file's signature opens nothing.
    const [first, second] = pieces;
    expect((await hls.get(`${first!.split('?')[0]}?${second!.split('?')[1]}`)).status).toBe(403);
    expect(await countFrames(`http://127.0.0.1:${hls.larder.port}${path}`)).toBe(FRAMES);
  }, 60_000);
});

describe('a server that converts', () => {
  test('hears that it is still wanted while its pieces are played, and that it is not once they are not', async () => {
    const clock = new FakeClock(Date.now());
    await using server = await startJellyfinServer({
      movies: 2,
      series: 0,
      albums: 0,
      videos: 0,
      nowMs: () => clock.nowMs(),
    });
    await using larder = await startLarder({ clock, startThread: (role) => inProcessThread(role, clock) });
    const turning = setInterval(() => clock.advance(50), 5);
    try {
      const added = await fetch(`http://127.0.0.1:${larder.port}/api/v1/sources`, {
        method: 'POST',
        headers: { ...larder.owner.headers, 'content-type': 'application/json' },
        body: JSON.stringify({
          name: 'jf',
          kind: 'jellyfin',
          url: server.url,
          credentials: { username: ALICE.name, password: ALICE.password },
          options: { transcode: 'hls' },
        }),
      });
      expect(added.status).toBe(201);
      const get = async (path: string) => {
        const response = await fetch(`http://127.0.0.1:${larder.port}${path}`);
        return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
      };
      const textOf = async (path: string) => Buffer.from((await get(path)).bytes).toString();
      const master = await textOf(`/stream/jf/${idOf('Movie', 1)}/480p/film.m3u8`);
      const main = await textOf(addressesIn(master)[0]!);
      const pieces = addressesIn(main);
      expect(pieces).toHaveLength(4);
      const got = await Promise.all([...pieces, ...pieces].map(get));
      for (const [at, { bytes }] of got.entries()) {
        const seed = server.library.seedOf(idOf('Movie', 1)) + (at % 4);
        expect(Buffer.from(bytes).equals(Buffer.from(contentOf(seed, 0, 10_000)))).toBe(true);
      }
      expect(server.requestsOf(/hls1\/main/)).toHaveLength(4);
      expect(server.conversions.running).toHaveLength(1);
      const pings = () => server.requestsOf(/Playing\/Ping/i).length;
      await until(() => pings() >= 2, 30_000);
      expect(server.conversions.running).toHaveLength(1);
      await until(() => server.requestsOf(/ActiveEncodings/i).length === 1, 60_000);
      expect(server.conversions.running).toHaveLength(0);
      const after = pings();
      const at = clock.nowMs();
      await until(() => clock.nowMs() - at > 60_000, 30_000);
      expect(pings()).toBe(after);
      // It plays again with another session; what was kept of it is not asked for.
      expect((await get(pieces[0]!)).status).toBe(200);
      expect(server.requestsOf(/hls1\/main/)).toHaveLength(4);
      // That one ends with Larder.
      await larder.stop();
      expect(server.requestsOf(/ActiveEncodings/i)).toHaveLength(2);
      expect(server.conversions.running).toHaveLength(0);
    } finally {
      clearInterval(turning);
    }
  }, 120_000);
});
