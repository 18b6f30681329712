// A Jellyfin server behind Larder, with what players meet there: versions, conversions that grow, sign-ins that die.
import { afterEach, describe, expect, test } from 'bun:test';
import { assertContent } from '../support/content.ts';
import {
  ALICE,
  idOf,
  type JellyfinServer,
  type JellyfinServerOptions,
  PlainAnswer,
  startJellyfinServer,
} from '../support/jellyfin-server.ts';
import { MediaLarder, pathOf, until } from './media-streams-larder.ts';
import { RawConnection } from './raw-client.ts';

const PASSWORD = { username: ALICE.name, password: ALICE.password };
const FILM = idOf('Movie', 0);
const TITLE = 'Movie 000000';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUps.splice(0).reverse()) await step();
});

async function start(
  options: JellyfinServerOptions = {},
  {
    credentials = PASSWORD,
    sourceOptions = {},
    args = [],
  }: { credentials?: unknown; sourceOptions?: object; args?: string[] } = {},
): Promise<{ jellyfin: JellyfinServer; media: MediaLarder }> {
  const jellyfin = await startJellyfinServer({ movies: 2, fileBytes: 600_000, ...options });
  cleanUps.push(() => jellyfin.close());
  const media = await MediaLarder.start(args);
  cleanUps.push(() => media[Symbol.asyncDispose]());
  await media.add({ kind: 'jellyfin', url: jellyfin.url, credentials, options: sourceOptions });
  expect(await media.sync()).toMatchObject({ state: 'idle', error: null });
  return { jellyfin, media };
}

function seedOf(jellyfin: JellyfinServer, id = FILM): number {
  return jellyfin.library.seedOf(id);
}

describe('what a Jellyfin server has of a title', () => {
  test('its versions and conversions are qualities side by side, each kept, counted and removed alone', async () => {
    const { jellyfin, media } = await start({ versionsEvery: 1 });
    const item = await media.item(TITLE);
    expect(
      item.qualities.map(({ quality, height, width, bitrate, container, delivery }) => [
        quality,
        width,
        height,
        bitrate,
        container,
        delivery,
      ]),
    ).toEqual([
      ['original', 1920, 1080, 12_000_000, 'mkv', 'file'],
      ['720p', 1280, 720, 3_000_000, 'mp4', 'file'],
      ['480p', 854, 480, 2_000_000, 'mp4', 'growing'],
      ['360p', 640, 360, 1_000_000, 'mp4', 'growing'],
    ]);
    const bytes = new Map<string, number>();
    for (const { quality, streamUrl } of item.qualities) {
      const response = await media.get(pathOf(streamUrl));
      expect([quality, response.status, response.isWhole]).toEqual([quality, 200, true]);
      bytes.set(quality, response.body.length);
    }
    const entries = async () =>
      (await media.entries())
        .map(({ quality, cachedBytes, complete, size }: Record<string, unknown>) => [
          quality,
          cachedBytes,
          complete,
          size,
        ])
        .sort();
    await until(async () => (await entries()).every(([, , complete]: [unknown, unknown, boolean]) => complete));
    expect(await entries()).toEqual(
      ['360p', '480p', '720p', 'original'].map((quality) => [quality, bytes.get(quality), true, bytes.get(quality)]),
    );
    const small = (await media.entries()).find(({ quality }: { quality: string }) => quality === '720p');
    expect((await media.api('DELETE', `/entries/${small.id}`)).status).toBe(204);
    const after = await media.item(TITLE);
    const shown = after.qualities.map(({ quality, complete, cachedBytes }): unknown[] => [
      quality,
      complete,
      cachedBytes,
    ]);
    expect(shown).toEqual([
      ['original', true, bytes.get('original')],
      ['720p', false, 0],
      ['480p', true, bytes.get('480p')],
      ['360p', true, bytes.get('360p')],
    ]);
    await jellyfin.close();
    for (const quality of ['original', '480p', '360p']) {
      expect([quality, (await media.get(await media.pathOf(TITLE, quality))).header('x-cache')]).toEqual([
        quality,
        'HIT',
      ]);
    }
  });

  test('its subtitles are kept with it and come with their type', async () => {
    const { jellyfin, media } = await start();
    const { subtitles } = await media.quality(TITLE, 'original');
    expect(subtitles.map(({ language }) => language)).toEqual(['ger']);
    const path = pathOf(subtitles[0]?.url ?? '');
    const cold = await media.get(path);
    expect([cold.status, cold.header('content-type'), Buffer.from(cold.body).toString()]).toEqual([
      200,
      'application/x-subrip',
      `srt of ${FILM}`,
    ]);
    await jellyfin.close();
    const warm = await media.get(path);
    expect([warm.status, warm.header('x-cache'), Buffer.from(warm.body).toString()]).toEqual([
      200,
      'HIT',
      `srt of ${FILM}`,
    ]);
  });

  test('music plays, album by album, in its order', async () => {
    const { media } = await start({ movies: 0, albums: 1, tracksEach: 3 });
    const [album] = await media.items('&type=album');
    const tracks = await media.items(`&parent=${album?.id}`);
    expect(tracks.map(({ type, episode }) => [type, episode])).toEqual([
      ['track', 1],
      ['track', 2],
      ['track', 3],
    ]);
    const response = await media.get(pathOf(tracks[0]?.qualities[0]?.streamUrl ?? ''));
    expect([response.status, response.header('content-type')]).toEqual([200, 'audio/flac']);
  });

  test('a file that was replaced there is another version: its bytes never mix with the old ones', async () => {
    const { jellyfin, media } = await start({}, { args: ['--recheck-after', '0'] });
    const path = await media.pathOf(TITLE);
    const old = await media.get(path, { Range: 'bytes=0-299999' });
    assertContent(old.body, seedOf(jellyfin), 0);
    jellyfin.edit(FILM, { fileVersion: 2 });
    expect(await media.sync()).toMatchObject({ state: 'idle', changed: 1 });
    let response = await media.get(path);
    // The first to come may be the one by whom the change is found out: its connection is cut.
    for (
      let round = 0;
      round < 5 && !(response.isWhole && response.body.length === jellyfin.library.sizeOf(FILM));
      round++
    ) {
      response = await media.get(path);
    }
    assertContent(response.body, seedOf(jellyfin), 0);
    expect(response.header('etag')).not.toBe(old.header('etag'));
  });
});

describe('a conversion', () => {
  const BYTES = 2_000_000;
  const growing = { conversionBytes: BYTES, conversionStepMs: 20 };
  const seedOfConversion = (jellyfin: JellyfinServer) => seedOf(jellyfin) + 1;

  test('plays while it grows, without length and ranges, is shared by all, pinged, and stopped at its end', async () => {
    const { jellyfin, media } = await start({ ...growing, conversionStepMs: 150 });
    const path = await media.pathOf(TITLE, '720p');
    using player = await RawConnection.open(media.larder.port);
    player.send('GET', path);
    const head = await player.readHead();
    expect([head.status, head.header('content-length'), head.header('accept-ranges'), head.header('x-cache')]).toEqual([
      200,
      undefined,
      undefined,
      'MISS',
    ]);
    // The first bytes are here long before the last ones are made.
    expect(jellyfin.conversions.running).toHaveLength(1);
    const second = media.get(path);
    const seeking = await RawConnection.open(media.larder.port);
    seeking.send('GET', path, { Range: 'bytes=100000-' });
    expect((await seeking.readHead()).status).toBe(200);
    seeking[Symbol.dispose]();
    const { body, isWhole } = await player.readChunked();
    expect([isWhole, body.length]).toEqual([true, BYTES]);
    assertContent(new Uint8Array(body), seedOfConversion(jellyfin), 0);
    const shared = await second;
    expect([shared.status, shared.isWhole, shared.body.length]).toEqual([200, true, BYTES]);
    assertContent(shared.body, seedOfConversion(jellyfin), 0);
    expect(jellyfin.requestsOf(/\/stream\.mp4$/)).toHaveLength(1);
    await until(() => jellyfin.requestsOf(/ActiveEncodings/).length === 1);
    await until(() => jellyfin.conversions.running.length === 0);
    expect(jellyfin.requestsOf(/Ping$/).length).toBeGreaterThan(0);

    // Whole by now: as any file.
    const part = await media.get(path, { Range: 'bytes=1500000-1500999' });
    expect([part.status, part.header('content-range'), part.header('x-cache')]).toEqual([
      206,
      `bytes 1500000-1500999/${BYTES}`,
      'HIT',
    ]);
    assertContent(part.body, seedOfConversion(jellyfin), 1_500_000);
    const whole = await media.get(path, {}, 'HEAD');
    expect([whole.header('content-length'), whole.header('accept-ranges')]).toEqual([String(BYTES), 'bytes']);
    expect(await media.quality(TITLE, '720p')).toMatchObject({
      complete: true,
      seekable: true,
      size: BYTES,
      videoCodec: 'h264',
      audioCodec: 'aac',
    });
    expect(jellyfin.requestsOf(/\/stream\.mp4$/)).toHaveLength(1);
  }, 20_000);

  test('is stopped when its player leaves, and what it brought is not taken for the whole', async () => {
    const { jellyfin, media } = await start(
      { ...growing, conversionBytes: 20_000_000 },
      { args: ['--background-fill', 'false'] },
    );
    const path = await media.pathOf(TITLE, '720p');
    const player = await RawConnection.open(media.larder.port);
    player.send('GET', path);
    await player.readHead();
    await player.readBytes(200_000);
    expect(jellyfin.conversions.running).toHaveLength(1);
    player[Symbol.dispose]();
    await until(() => jellyfin.conversions.ended.some(({ reason }) => reason === 'stopped'));
    expect(jellyfin.conversions.running).toHaveLength(0);
    await until(async () => (await media.quality(TITLE, '720p')).cachedBytes > 0);
    expect(await media.quality(TITLE, '720p')).toMatchObject({ complete: false, size: null });
  }, 20_000);

  test('that breaks off is not passed for whole', async () => {
    const { jellyfin, media } = await start({ ...growing, conversionBytes: 20_000_000 });
    using player = await RawConnection.open(media.larder.port);
    player.send('GET', await media.pathOf(TITLE, '720p'));
    await player.readHead();
    await player.readBytes(300_000);
    await jellyfin.close();
    const rest = await player.readChunked().catch(() => ({ isWhole: false }));
    expect(rest.isWhole).toBe(false);
    expect(await media.quality(TITLE, '720p')).toMatchObject({ complete: false, size: null });
  }, 60_000);

  test('that ends before its first byte is a failure, and the next player tries again', async () => {
    const { jellyfin, media } = await start({ conversionBytes: 0 });
    const path = await media.pathOf(TITLE, '720p');
    const empty = await media.get(path);
    expect([empty.status, Buffer.from(empty.body).toString()]).toEqual([
      502,
      expect.stringMatching(/convert|conversion/),
    ]);
    expect(await media.quality(TITLE, '720p')).toMatchObject({ complete: false });
    const before = jellyfin.requestsOf(/\/stream\.mp4$/).length;
    expect((await media.get(path)).status).toBe(502);
    expect(jellyfin.requestsOf(/\/stream\.mp4$/).length).toBeGreaterThan(before);
    expect(before).toBeLessThan(6);
  });

  test('is ended when Larder is', async () => {
    const { jellyfin, media } = await start({ ...growing, conversionBytes: 20_000_000 });
    using player = await RawConnection.open(media.larder.port);
    player.send('GET', await media.pathOf(TITLE, '720p'));
    await player.readHead();
    await player.readBytes(100_000);
    await media.larder.stop();
    await until(() => jellyfin.conversions.running.length === 0);
    expect(jellyfin.conversions.ended).toEqual([expect.objectContaining({ reason: 'stopped' })]);
  });

  test('of which a part is kept plays that part after a restart with the server down, and is not whole', async () => {
    const { jellyfin, media } = await start(
      { ...growing, conversionBytes: 20_000_000 },
      { args: ['--background-fill', 'false'] },
    );
    const path = await media.pathOf(TITLE, '720p');
    const player = await RawConnection.open(media.larder.port);
    player.send('GET', path);
    await player.readHead();
    await player.readBytes(300_000);
    player[Symbol.dispose]();
    await until(async () => (await media.quality(TITLE, '720p')).cachedBytes > 100_000);
    await jellyfin.close();
    await media.larder.restart();
    using again = await RawConnection.open(media.larder.port);
    again.send('GET', path);
    expect((await again.readHead()).status).toBe(200);
    const { body, isWhole } = await again.readChunked();
    expect(isWhole).toBe(false);
    assertContent(new Uint8Array(body), seedOfConversion(jellyfin), 0);
    expect(await media.quality(TITLE, '720p')).toMatchObject({ complete: false, size: null });
  }, 60_000);

  test('is not begun by a HEAD that is only curious: it is stopped again at once', async () => {
    const { jellyfin, media } = await start(growing);
    const head = await media.get(await media.pathOf(TITLE, '720p'), {}, 'HEAD');
    expect([head.status, head.header('content-length')]).toEqual([200, undefined]);
    await until(() => jellyfin.conversions.running.length === 0);
  });

  for (const [from, to] of [
    ['growing', 'hls'],
    ['hls', 'growing'],
  ] as const) {
    test(`that was asked for as ${from} comes as ${to} from the moment on at which the owner wants that`, async () => {
      const { jellyfin, media } = await start({ conversionBytes: 100_000 }, { sourceOptions: { transcode: from } });
      const address = (id: string) => `/stream/attic/${id}/720p/x`;
      const other = idOf('Movie', 1);
      const check = async (id: string, way: 'growing' | 'hls') => {
        const response = await media.get(address(id));
        const isPlaylist = Buffer.from(response.body.slice(0, 7)).toString() === '#EXTM3U';
        expect([way, response.status, isPlaylist]).toEqual([way, 200, way === 'hls']);
        if (isPlaylist) expect(Buffer.from(response.body).toString()).not.toContain(jellyfin.url);
        else assertContent(response.body, seedOf(jellyfin, id) + 1, 0);
      };
      await check(FILM, from);
      // Looked at, and not kept.
      await media.get(address(other), {}, 'HEAD');
      expect((await media.api('PATCH', '/sources/attic', { options: { transcode: to } })).status).toBe(200);
      await check(other, to);
      expect(await media.quality('Movie 000001', '720p')).toMatchObject({
        delivery: to,
        container: to === 'hls' ? 'm3u8' : 'mp4',
      });
      // What is kept stays what it is.
      if (from === 'growing') await check(FILM, from);
    });
  }

  test('that is whole is not made again to see whether it changed', async () => {
    const { jellyfin, media } = await start({ conversionBytes: 100_000 }, { args: ['--recheck-after', '0'] });
    const path = await media.pathOf(TITLE, '720p');
    expect((await media.get(path)).isWhole).toBe(true);
    await until(async () => (await media.quality(TITLE, '720p')).complete);
    for (let round = 0; round < 3; round++) expect((await media.get(path)).header('x-cache')).toBe('HIT');
    // What is asked for last is answered last.
    await media.get(await media.pathOf('Movie 000001'));
    expect(jellyfin.requestsOf(/\/stream\.mp4$/)).toHaveLength(1);
  });

  test('of a film that was never listed is found by asking the server', async () => {
    const jellyfin = await startJellyfinServer({ movies: 1, conversionBytes: 50_000 });
    cleanUps.push(() => jellyfin.close());
    const media = await MediaLarder.start();
    cleanUps.push(() => media[Symbol.asyncDispose]());
    await media.add({ kind: 'jellyfin', url: jellyfin.url, credentials: PASSWORD });
    const answers = await Promise.all(
      ['720p', '480p', '~poster', '~sub-1', '1080p'].map((quality) => media.get(`/stream/attic/${FILM}/${quality}/x`)),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 404]);
    expect(jellyfin.requestsOf('Items').length).toBeLessThan(6);
  });

  test('is not offered above the original, nor where the owner wants none', async () => {
    const { jellyfin, media } = await start({}, { sourceOptions: { ladder: { '720p': 3_000_000, '480p': 0 } } });
    expect((await media.item(TITLE)).qualities.map(({ quality, bitrate }) => [quality, bitrate])).toEqual([
      ['original', 12_000_000],
      ['720p', 3_000_000],
      ['360p', 1_000_000],
    ]);
    for (const quality of ['1080p', '480p', '2160p']) {
      expect([quality, (await media.get(`/stream/attic/${FILM}/${quality}/x.mp4`)).status]).toEqual([quality, 404]);
    }
    await media.api('PATCH', '/sources/attic', { options: { transcode: 'off' } });
    expect((await media.item(TITLE)).qualities.map(({ quality }) => quality)).toEqual(['original']);
    expect((await media.get(`/stream/attic/${FILM}/720p/x.mp4`)).status).toBe(404);
    expect(jellyfin.conversions.ended).toHaveLength(0);
  });
});

describe('what dies while somebody watches', () => {
  /** Addresses of files that want the newest token, as behind a server that checks them. */
  function guard(jellyfin: JellyfinServer, id = FILM): void {
    let isOut = false;
    jellyfin.replace(`videos/${id}/stream.mkv`, ({ headers }) => {
      const token = /Token="([^"]*)"/.exec(headers.authorization ?? '')?.[1] ?? '';
      if (!isOut) firstTokens.add(token);
      return (isOut || tokensOut.has(token)) && firstTokens.has(token) ? new PlainAnswer(401, 'no') : undefined;
    });
    const firstTokens = new Set<string>();
    const tokensOut = new Set<string>();
    outs.set(jellyfin, () => {
      isOut = true;
      for (const token of firstTokens) tokensOut.add(token);
      jellyfin.signOutAll();
    });
  }
  const outs = new WeakMap<JellyfinServer, () => void>();
  const signOut = (jellyfin: JellyfinServer) => outs.get(jellyfin)?.();

  test('a token: Larder signs in again, once, and the player notices nothing', async () => {
    const { jellyfin, media } = await start(
      { fileBytes: 30_000_000 },
      { args: ['--read-ahead', '1MiB', '--background-fill', 'false'] },
    );
    guard(jellyfin);
    const path = await media.pathOf(TITLE);
    const first = await media.get(path, { Range: 'bytes=0-99999' });
    expect(first.status).toBe(206);
    signOut(jellyfin);
    const before = jellyfin.requests.length;
    const parts = await Promise.all(
      [5_000_000, 15_000_000, 25_000_000].map((from) => media.get(path, { Range: `bytes=${from}-${from + 99_999}` })),
    );
    for (const [at, part] of parts.entries()) {
      expect([part.status, part.isWhole]).toEqual([206, true]);
      assertContent(part.body, seedOf(jellyfin), 5_000_000 + at * 10_000_000);
    }
    const asked = jellyfin.requests.slice(before).map(({ path: name }) => name);
    expect(asked.filter((name) => /AuthenticateByName/i.test(name))).toHaveLength(1);
    expect(asked.length).toBeLessThan(12);
  });

  test('a password: the player hears why, soon, and the server is not stormed', async () => {
    const { jellyfin, media } = await start(
      { fileBytes: 30_000_000 },
      { args: ['--read-ahead', '1MiB', '--background-fill', 'false'] },
    );
    guard(jellyfin);
    const path = await media.pathOf(TITLE);
    await media.get(path, { Range: 'bytes=0-99999' });
    jellyfin.replace('users/authenticatebyname', () => new PlainAnswer(401, 'no'));
    signOut(jellyfin);
    const before = jellyfin.requests.length;
    const startedAtMs = performance.now();
    const answers = await Promise.all([1, 2, 3].map((at) => media.get(path, { Range: `bytes=${at * 8_000_000}-` })));
    for (const { status, body } of answers) {
      expect([status, Buffer.from(body).toString()]).toEqual([502, expect.stringMatching(/password|credentials/)]);
    }
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    const names = () => jellyfin.requests.slice(before).map(({ path: name }) => name);
    expect(names().filter((name) => /AuthenticateByName/i.test(name)).length).toBeLessThanOrEqual(1);
    expect(names().length).toBeLessThan(15);
    // What is kept plays all the same.
    expect((await media.get(path, { Range: 'bytes=0-99999' })).header('x-cache')).toBe('HIT');
    expect((await media.api('GET', '/sources/attic')).body).toMatchObject({ state: 'failing' });
    // The owner enters the new one.
    jellyfin.replace('users/authenticatebyname', null);
    expect((await media.api('PATCH', '/sources/attic', { credentials: PASSWORD })).status).toBe(200);
    const again = await media.get(path, { Range: 'bytes=20000000-20000999' });
    expect(again.status).toBe(206);
    assertContent(again.body, seedOf(jellyfin), 20_000_000);
    expect((await media.api('GET', '/sources/attic')).body).toMatchObject({ state: 'well' });
  }, 20_000);

  test('an item: 404 with the reason, after two looks', async () => {
    const { jellyfin, media } = await start();
    const path = await media.pathOf(TITLE);
    jellyfin.edit(FILM, { isDeleted: true });
    const before = jellyfin.requests.length;
    const answer = await media.get(path);
    expect([answer.status, Buffer.from(answer.body).toString()]).toEqual([
      404,
      expect.stringContaining('no such file'),
    ]);
    expect(jellyfin.requests.length - before).toBeLessThan(8);
  });

  test('the server starts: the player waits as long as it says, or hears of it', async () => {
    const { jellyfin, media } = await start();
    jellyfin.setStarting(true);
    const answer = media.get(await media.pathOf(TITLE));
    setTimeout(() => jellyfin.setStarting(false), 300);
    const { status, body } = await answer;
    expect(status).toBe(200);
    assertContent(body, seedOf(jellyfin), 0);
  }, 20_000);
});

test('a source that is removed cuts who plays of it, and ends its conversions', async () => {
  const { jellyfin, media } = await start({ fileBytes: 30_000_000, conversionBytes: 20_000_000, conversionStepMs: 20 });
  const players = [];
  for (const quality of ['original', '720p']) {
    const player = await RawConnection.open(media.larder.port);
    cleanUps.push(() => player[Symbol.dispose]());
    player.send('GET', await media.pathOf(TITLE, quality));
    expect((await player.readHead()).status).toBe(200);
    player.pause();
    players.push(player);
  }
  expect((await media.api('DELETE', '/sources/attic')).status).toBe(202);
  for (const player of players) {
    player.resume();
    await player.closed();
  }
  await until(() => jellyfin.conversions.running.length === 0);
  const asked = jellyfin.requests.length;
  expect((await media.get(`/stream/attic/${FILM}/original/x.mkv`)).status).toBe(404);
  expect(jellyfin.requests.length).toBe(asked);
}, 20_000);

describe('bad answers', () => {
  test('a page of HTML in place of JSON ends a sync with the reason, and nothing of what was known is lost', async () => {
    const { jellyfin, media } = await start();
    const before = (await media.items()).length;
    jellyfin.replace('Items', () => new PlainAnswer(200, '<html><form>sign in</form></html>', 'text/html'));
    const state = await media.sync();
    expect(state).toMatchObject({ missing: 0, passedOver: { message: expect.stringContaining('page') } });
    expect(state.passedOver.hint).toMatch(/sign-in/);
    expect(await media.items()).toHaveLength(before);
    jellyfin.replace('Items', null);
    expect(await media.sync()).toMatchObject({ state: 'idle', error: null, missing: 0 });
  });

  test('a sign-in page in place of a film is refused, and never kept', async () => {
    const { jellyfin, media } = await start();
    jellyfin.replace(`videos/${FILM}/stream.mkv`, () => new PlainAnswer(200, '<html>Sign in</html>', 'text/html'));
    const path = await media.pathOf(TITLE);
    const answer = await media.get(path);
    expect([answer.status, Buffer.from(answer.body).toString()]).toEqual([502, expect.stringMatching(/page/)]);
    jellyfin.replace(`videos/${FILM}/stream.mkv`, null);
    assertContent((await media.get(path)).body, seedOf(jellyfin), 0);
  });

  test('what a service says in JSON in place of a film is refused, and never kept', async () => {
    const { jellyfin, media } = await start();
    jellyfin.replace(`videos/${FILM}/stream.mkv`, () => ({ error: 'limit reached' }));
    const path = await media.pathOf(TITLE);
    const answer = await media.get(path);
    expect([answer.status, Buffer.from(answer.body).toString()]).toEqual([502, expect.stringMatching(/data in place/)]);
    jellyfin.replace(`videos/${FILM}/stream.mkv`, null);
    assertContent((await media.get(path)).body, seedOf(jellyfin), 0);
  });

  test('a sign-in page in place of a poster is refused, and never kept', async () => {
    const { jellyfin, media } = await start();
    const page = () => new PlainAnswer(200, '<!DOCTYPE html><html>Sign in</html>', 'text/html; charset=utf-8');
    jellyfin.replace(`items/${FILM}/images/primary`, page);
    const path = pathOf((await media.item(TITLE)).artworkUrl ?? '');
    const answer = await media.get(path);
    expect([answer.status, Buffer.from(answer.body).toString()]).toEqual([502, expect.stringMatching(/page/)]);
    jellyfin.replace(`items/${FILM}/images/primary`, null);
    expect((await media.get(path)).header('content-type')).toBe('image/jpeg');
  });
});

test('an API key is another way in', async () => {
  const key = 'k'.repeat(32);
  const { jellyfin, media } = await start({ apiKeys: [key] }, { credentials: { apiKey: key } });
  assertContent((await media.get(await media.pathOf(TITLE))).body, seedOf(jellyfin), 0);
  expect((await media.api('GET', '/sources/attic')).body.credentials).toBe('api key');
  for (const [place, text] of await media.told()) expect([place, text.includes(key)]).toEqual([place, false]);
});
