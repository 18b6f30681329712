// HLS through a whole Larder, with real playlists and a real player: what is played is all there, is fetched once, and
// plays again with the origin down.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { FRAMES, hasFfmpeg, hlsFolder, piecesOf } from '../support/hls-origin.ts';
import { addressesIn, type HlsLarder, piecesBelow, startHlsLarder, until } from './hls-larder.ts';

let hls: HlsLarder;

beforeAll(async () => {
  if (hasFfmpeg) hlsFolder();
}, 120_000);

describe.skipIf(!hasFfmpeg)('HLS', () => {
  beforeAll(async () => {
    hls = await startHlsLarder();
  }, 30_000);
  afterAll(async () => {
    await hls?.[Symbol.asyncDispose]();
  });

  for (const name of ['ts', 'mp4', 'single', 'one', 'locked', 'master'] as const) {
    test(`${name}: a player gets each frame, and each piece comes from the origin once, with two players as well`, async () => {
      const before = hls.origin.requests.length;
      const frames = await Promise.all([hls.countFrames(hls.pathOf(name)), hls.countFrames(hls.pathOf(name))]);
      expect(frames).toEqual([FRAMES, FRAMES]);
      const asked = hls.origin.requests.slice(before).filter(({ path }) => !path.endsWith('.m3u8'));
      expect(asked.length).toBeGreaterThan(0);
      expect(await hls.countFrames(hls.pathOf(name))).toBe(FRAMES);
      // A file that is read in ranges is one entry: no byte of it comes twice, in however many requests.
      if (name !== 'single' && name !== 'one') {
        const all = hls.origin.requests.slice(before).filter(({ path }) => !path.endsWith('.m3u8'));
        const counts = Map.groupBy(all, ({ path }) => path);
        for (const [path, requests] of counts) expect([path, requests.length]).toEqual([path, 1]);
      }
      const lists = hls.origin.requests.slice(before).filter(({ path }) => path.endsWith('.m3u8'));
      expect(new Set(lists.map(({ path }) => path)).size).toBe(lists.length);
    }, 60_000);

    test(`${name}: nothing that a player is shown leads to the origin or tells of it`, async () => {
      const { text, headers } = await hls.get(hls.pathOf(name));
      expect(headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
      const texts = [text];
      for (const address of addressesIn(text)) if (address.endsWith('.m3u8')) texts.push((await hls.get(address)).text);
      for (const shown of texts) {
        expect(shown).not.toMatch(/:\/\/|secret|\?/);
        for (const address of addressesIn(shown)) expect(address).toStartWith('/stream/addon/');
      }
    });
  }

  test('what was played plays again with the origin and the add-on away', async () => {
    await hls.countFrames(hls.pathOf('mp4'));
    await hls.larder.restart();
    await hls.origin.stop();
    hls.addon.dropped.add('tt1000002');
    try {
      expect(await hls.countFrames(hls.pathOf('mp4'))).toBe(FRAMES);
      for (const piece of await piecesBelow(hls, hls.pathOf('mp4'))) {
        const { status, headers } = await hls.get(piece);
        expect([status, headers.get('x-cache')]).toEqual([200, 'HIT']);
      }
      expect((await hls.get(hls.pathOf('mp4'))).headers.get('x-cache')).toBe('HIT');
    } finally {
      hls.addon.dropped.clear();
      await hls.origin.start();
    }
  }, 60_000);

  test('HEAD says the same and fetches nothing; pieces have ranges', async () => {
    const path = hls.pathOf('locked');
    const whole = await hls.get(path);
    const head = await fetch(`http://127.0.0.1:${hls.larder.port}${path}`, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.headers.get('content-length')).toBe(String(whole.bytes.length));
    expect(await head.text()).toBe('');
    const [key, piece] = addressesIn(whole.text);
    expect(key).toEndWith('/k0.key');
    expect((await hls.get(key!)).bytes).toEqual(new Uint8Array(16).fill(7));
    const { bytes } = await hls.get(piece!);
    const part = await hls.get(piece!, { Range: 'bytes=100-199' });
    expect(part.status).toBe(206);
    expect(part.bytes).toEqual(bytes.slice(100, 200));
    const post = await fetch(`http://127.0.0.1:${hls.larder.port}${path}`, { method: 'POST' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('pieces that there are not are said to be missing, and ask the source for nothing', async () => {
    await hls.get(hls.pathOf('ts'));
    const before = hls.origin.requests.length;
    const [piece] = addressesIn((await hls.get(hls.pathOf('ts'))).text);
    for (const path of [
      piece!.replace(/-0\//, '-9999/'),
      piece!.replace(/~[0-9a-f]{8}-/, '~00000000-'),
      piece!.replace(/~[0-9a-f]{8}-0/, '~m7'),
      piece!.replace(/original~/, '480p~'),
    ]) {
      expect((await hls.get(path)).status).toBe(404);
    }
    expect(hls.origin.requests.length).toBe(before);
  });

  test('what comes next is fetched ahead of the player', async () => {
    await using fresh = await startHlsLarder();
    const [first] = addressesIn((await fresh.get(fresh.pathOf('ts'))).text);
    expect(fresh.origin.countOf(/\.ts$/)).toBe(0);
    await fresh.get(first!);
    await until(() => fresh.origin.countOf(/\.ts$/) === piecesOf('ts').length);
    // In the order of playing.
    const order = fresh.origin.requests.filter(({ path }) => path.endsWith('.ts')).map(({ path }) => path);
    expect(order[0]).toBe('ts-0.ts');
    expect(order.at(-1)).toBe(`ts-${piecesOf('ts').length - 1}.ts`);
  }, 30_000);

  test('fetching ahead ends within a second when the player goes or jumps', async () => {
    await using fresh = await startHlsLarder();
    fresh.origin.slow = { pattern: /^ts-/, stepBytes: 500, stepMs: 100 };
    const pieces = addressesIn((await fresh.get(fresh.pathOf('ts'))).text);
    const leave = new AbortController();
    const reading = fetch(`http://127.0.0.1:${fresh.larder.port}${pieces[0]}`, { signal: leave.signal }).then(
      (response) => response.arrayBuffer(),
    );
    await until(() => fresh.origin.countOf(/^ts-[01]/) === 2);
    leave.abort();
    await reading.catch(() => undefined);
    await until(() => fresh.origin.openCount === 0, 1_000);
    expect(fresh.origin.countOf(/^ts-/)).toBe(2);
    // A jump: what lies before it is not wanted any more.
    const jump = new AbortController();
    const get = (at: number) =>
      fetch(`http://127.0.0.1:${fresh.larder.port}${pieces[at]}`, { signal: jump.signal })
        .then((response) => response.arrayBuffer())
        .catch(() => undefined);
    const reads = [get(0)];
    await until(() => fresh.origin.openOf('ts-1.ts') > 0);
    reads.push(get(4));
    await until(() => fresh.origin.openOf('ts-4.ts') > 0);
    await until(() => fresh.origin.openOf('ts-1.ts') === 0, 1_000);
    await until(() => fresh.origin.countOf('ts-5.ts') === 1);
    jump.abort();
    await Promise.all(reads);
    await until(() => fresh.origin.openCount === 0, 1_000);
  }, 30_000);

  test('links that expire are asked anew, once for all pieces that are refused', async () => {
    await using fresh = await startHlsLarder();
    fresh.origin.expires = true;
    const pieces = await piecesBelow(fresh, fresh.pathOf('ts'));
    expect(fresh.origin.countOf('ts.m3u8')).toBe(1);
    fresh.origin.expire();
    const got = await Promise.all(pieces.map((piece) => fresh.get(piece)));
    expect(got.map(({ status }) => status)).toEqual(pieces.map(() => 200));
    expect(fresh.origin.countOf('ts.m3u8')).toBe(2);
    const refused = fresh.origin.requests.filter(({ status }) => status === 403).length;
    expect(refused).toBeGreaterThan(0);
    // What is refused for another reason is not asked for without an end.
    fresh.origin.replace = ({ path }) => (path.startsWith('mp4-') ? { status: 403, text: 'no' } : undefined);
    const others = await piecesBelow(fresh, fresh.pathOf('mp4'));
    const answers = await Promise.all(others.map((piece) => fresh.get(piece)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([502]));
    expect(fresh.origin.countOf('mp4.m3u8')).toBeLessThanOrEqual(2);
  }, 30_000);

  test('a playlist that is always refused is not asked for again and again', async () => {
    await using fresh = await startHlsLarder();
    fresh.origin.replace = ({ path }) => (path === 'v.m3u8' ? { status: 404, text: 'no' } : undefined);
    const [audio, , video] = addressesIn((await fresh.get(fresh.pathOf('master'))).text);
    expect((await fresh.get(audio!)).status).toBe(200);
    expect((await fresh.get(video!)).status).toBe(404);
    expect(fresh.origin.countOf('v.m3u8')).toBeLessThanOrEqual(3);
    expect(fresh.origin.countOf('master.m3u8')).toBeLessThanOrEqual(2);
  });

  test('a playlist that is cut otherwise after it was asked anew mixes nothing: old pieces are gone', async () => {
    await using fresh = await startHlsLarder();
    fresh.origin.expires = true;
    const pieces = await piecesBelow(fresh, fresh.pathOf('ts'));
    fresh.origin.expire();
    fresh.origin.replace = ({ path }) =>
      path === 'ts.m3u8'
        ? { status: 200, text: '#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nmp4-0.m4s\n#EXT-X-ENDLIST\n' }
        : undefined;
    const old = await fresh.get(pieces[0]!);
    expect(old.status).toBe(404);
    const now = await piecesBelow(fresh, fresh.pathOf('ts'));
    expect(now).toHaveLength(1);
    expect(now[0]!.split('/')[4]).not.toBe(pieces[0]!.split('/')[4]);
  });

  test('an error page in place of a playlist is told as what it is', async () => {
    await using fresh = await startHlsLarder();
    fresh.origin.replace = ({ path }) =>
      path === 'ts.m3u8' ? { status: 200, text: '<html>Sign in</html>' } : undefined;
    const { status, text } = await fresh.get(fresh.pathOf('ts'));
    expect(status).toBe(502);
    expect(text).toContain('playlist');
    expect(text).not.toContain('secret');
  });
});
