// A Plex server behind Larder: part numbers that change, downloads that are forbidden, conversions with sessions.
import { afterEach, describe, expect, test } from 'bun:test';
import { assertContent } from '../support/content.ts';
import {
  LONG_AGO_S,
  type PlexStandInTitle,
  type PlexStandInVersion,
  seedOfPart,
  standInFilm,
  standInVersion,
} from '../support/plex-server/plex-library.ts';
import { type PlexServer, type PlexServerOptions, startPlexServer } from '../support/plex-server.ts';
import { MediaLarder, pathOf, until } from './media-streams-larder.ts';
import { RawConnection } from './raw-client.ts';

const TITLE = 'Film 1';
const seeking = ['--read-ahead', '1MiB', '--background-fill', 'false'];

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUps.splice(0).reverse()) await step();
});

/** Of 30 MB: one that is not read at once. */
function largeVersion(partId: number, details: Partial<PlexStandInVersion> = {}): PlexStandInVersion {
  return standInVersion(partId, {
    parts: [{ id: partId, changeStamp: LONG_AGO_S + partId, sizeBytes: 30_000_000 }],
    ...details,
  });
}

async function start(
  titles: PlexStandInTitle[] = [standInFilm(1), standInFilm(2)],
  { args = [], sourceOptions = {}, ...options }: PlexServerOptions & { args?: string[]; sourceOptions?: object } = {},
): Promise<{ plex: PlexServer; media: MediaLarder }> {
  const plex = await startPlexServer({ sections: [{ key: '1', type: 'movie', title: 'Films', titles }], ...options });
  cleanUps.push(() => plex.close());
  const media = await MediaLarder.start(args);
  cleanUps.push(() => media[Symbol.asyncDispose]());
  await media.add({ kind: 'plex', url: plex.url, credentials: { token: plex.token }, options: sourceOptions });
  expect(await media.sync()).toMatchObject({ state: 'idle', error: null });
  return { plex, media };
}

const partsAsked = (plex: PlexServer) => plex.requests.filter(({ path }) => path.startsWith('/library/parts/'));

describe('what a Plex server has of a title', () => {
  test('versions and conversions side by side; what it converts is Matroska and is called so', async () => {
    const small = standInVersion(11, { width: 1280, height: 720, bitrate: 3_000, container: 'mp4' });
    const { plex, media } = await start([standInFilm(1, { versions: [standInVersion(10), small] })]);
    const item = await media.item(TITLE);
    const shown = item.qualities.map(({ quality, container, delivery, streamUrl }): unknown[] => [
      quality,
      container,
      delivery,
      streamUrl.split('.').at(-1),
    ]);
    expect(shown).toEqual([
      ['original', 'mkv', 'file', 'mkv'],
      ['720p', 'mp4', 'file', 'mp4'],
      ['480p', 'mkv', 'growing', 'mkv'],
      ['360p', 'mkv', 'growing', 'mkv'],
    ]);
    for (const { quality, streamUrl } of item.qualities) {
      expect([quality, (await media.get(pathOf(streamUrl))).isWhole]).toEqual([quality, true]);
    }
    await until(async () => (await media.entries()).every(({ complete }: { complete: boolean }) => complete));
    expect(await media.entries()).toHaveLength(4);
    const after = (await media.item(TITLE)).qualities.map(({ quality, container }) => `${quality} ${container}`);
    expect(after).toEqual(['original mkv', '720p mp4', '480p mkv', '360p mkv']);
    await plex.close();
    for (const { streamUrl } of item.qualities)
      expect((await media.get(pathOf(streamUrl))).header('x-cache')).toBe('HIT');
  });

  test('its subtitles are kept', async () => {
    const part = {
      id: 10,
      changeStamp: LONG_AGO_S,
      sizeBytes: 400_000,
      subtitles: [{ id: 77, language: 'de', codec: 'srt' }],
    };
    const { plex, media } = await start([standInFilm(1, { versions: [standInVersion(10, { parts: [part] })] })]);
    const { subtitles } = await media.quality(TITLE, 'original');
    expect(subtitles.map(({ language }) => language)).toEqual(['de']);
    const path = pathOf(subtitles[0]?.url ?? '');
    const cold = await media.get(path);
    expect([cold.status, Buffer.from(cold.body).toString()]).toEqual([200, '1\n/library/streams/77\n']);
    await plex.close();
    expect((await media.get(path)).header('x-cache')).toBe('HIT');
  });

  test('what is forbidden as a download is fetched as what is watched', async () => {
    const { plex, media } = await start();
    plex.behaviour.forbidsDownloads = true;
    await media.get(await media.pathOf(TITLE), { Range: 'bytes=0-99' });
    const [entry] = await media.entries();
    expect((await media.api('POST', `/entries/${entry.id}/fetch`)).status).toBe(200);
    await until(async () => (await media.quality(TITLE, 'original')).complete);
    expect(partsAsked(plex).length).toBeLessThan(8);
  });
});

describe('what dies while somebody watches', () => {
  test('part numbers: after a rescan the new ones are asked for, once, and what is kept stays', async () => {
    const { plex, media } = await start([standInFilm(1, { versions: [largeVersion(10)] })], { args: seeking });
    const seed = LONG_AGO_S + 10;
    const path = await media.pathOf(TITLE);
    assertContent((await media.get(path, { Range: 'bytes=0-99999' })).body, seed, 0);
    plex.rescan(1);
    const before = plex.requests.length;
    const parts = await Promise.all(
      [5_000_000, 15_000_000, 25_000_000].map((from) => media.get(path, { Range: `bytes=${from}-${from + 99_999}` })),
    );
    for (const [at, part] of parts.entries()) {
      expect([part.status, part.isWhole]).toEqual([206, true]);
      assertContent(part.body, seed, 5_000_000 + at * 10_000_000);
    }
    expect(plex.requestsTo('/library/metadata/1').length).toBeLessThanOrEqual(3);
    expect(plex.requests.length - before).toBeLessThan(15);
    expect((await media.get(path, { Range: 'bytes=0-99999' })).header('x-cache')).toBe('HIT');
    // The next one knows.
    const later = plex.requests.length;
    expect((await media.get(path, { Range: 'bytes=10000000-10000099' })).status).toBe(206);
    expect(plex.requests.slice(later).filter(({ status }) => status === 404)).toEqual([]);
  });

  test('a file: replaced by another, its bytes never mix with the old ones', async () => {
    const { plex, media } = await start([standInFilm(1, { versions: [largeVersion(10)] })], { args: seeking });
    const path = await media.pathOf(TITLE);
    assertContent((await media.get(path, { Range: 'bytes=0-99999' })).body, LONG_AGO_S + 10, 0);
    plex.replace(1, [standInVersion(12)]);
    const size = 400_012;
    let whole = await media.get(path);
    for (let round = 0; round < 5 && whole.header('content-length') !== String(size); round++)
      whole = await media.get(path);
    expect([whole.status, whole.isWhole]).toEqual([200, true]);
    assertContent(whole.body, LONG_AGO_S + 12, 0);
  });

  test('a file of the same length and without a tag: its bytes are compared before any is added', async () => {
    const { plex, media } = await start([standInFilm(1, { versions: [largeVersion(10)] })], { args: seeking });
    const path = await media.pathOf(TITLE);
    assertContent((await media.get(path, { Range: 'bytes=0-99999' })).body, LONG_AGO_S + 10, 0);
    plex.replace(1, [largeVersion(12)]);
    let part = await media.get(path, { Range: 'bytes=20000000-20099999' });
    for (let round = 0; round < 5 && !part.isWhole; round++)
      part = await media.get(path, { Range: 'bytes=20000000-20099999' });
    assertContent(part.body, LONG_AGO_S + 12, 20_000_000);
    assertContent((await media.get(path, { Range: 'bytes=0-99999' })).body, LONG_AGO_S + 12, 0);
  });

  test('a title: 404 with the reason and what to do, without a storm', async () => {
    const { plex, media } = await start();
    const path = await media.pathOf(TITLE);
    plex.remove(1);
    const before = plex.requests.length;
    const answer = await media.get(path);
    expect([answer.status, Buffer.from(answer.body).toString()]).toEqual([
      404,
      expect.stringMatching(/no more[\s\S]*\n.*again/),
    ]);
    expect(plex.requests.length - before).toBeLessThan(8);
  });

  test('a token: the reason, soon, without a storm; a new one by PATCH, and on it goes', async () => {
    const { plex, media } = await start([standInFilm(1, { versions: [largeVersion(10)] })], {
      args: seeking,
      token: 'first-token',
    });
    const path = await media.pathOf(TITLE);
    await media.get(path, { Range: 'bytes=0-99999' });
    await media.api('PATCH', '/sources/attic', { credentials: { token: 'other-token' } });
    const before = plex.requests.length;
    const startedAtMs = performance.now();
    const answers = await Promise.all([1, 2, 3].map((at) => media.get(path, { Range: `bytes=${at * 8_000_000}-` })));
    for (const { status, body } of answers) {
      expect([status, Buffer.from(body).toString()]).toEqual([502, expect.stringMatching(/401|token/)]);
    }
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    expect(plex.requests.length - before).toBeLessThan(15);
    expect((await media.get(path, { Range: 'bytes=0-99999' })).header('x-cache')).toBe('HIT');
    await media.api('PATCH', '/sources/attic', { credentials: { token: 'first-token' } });
    const again = await media.get(path, { Range: 'bytes=20000000-20000099' });
    expect(again.status).toBe(206);
    assertContent(again.body, LONG_AGO_S + 10, 20_000_000);
  });

  test('the server is at work: 503 that names no time is waited out, or told within the promised time', async () => {
    const { plex, media } = await start();
    const path = await media.pathOf(TITLE);
    plex.behaviour.isStarting = true;
    const before = plex.requests.length;
    const startedAtMs = performance.now();
    const answer = await media.get(path);
    expect([answer.status, Buffer.from(answer.body).toString()]).toEqual([
      502,
      expect.stringMatching(/503|start|busy/i),
    ]);
    expect(performance.now() - startedAtMs).toBeLessThan(40_000);
    expect(plex.requests.length - before).toBeLessThan(20);
    plex.behaviour.isStarting = false;
    expect((await media.get(path)).status).toBe(200);
  }, 60_000);
});

describe('a conversion', () => {
  test('plays while it grows, is shared, pinged and over when it is whole', async () => {
    const { plex, media } = await start(undefined, { convertedBytes: 400_000 });
    plex.transcoder.holdAfterBytes = 200_000;
    const path = await media.pathOf(TITLE, '720p');
    using player = await RawConnection.open(media.larder.port);
    player.send('GET', path);
    const head = await player.readHead();
    expect([head.status, head.header('content-length'), head.header('accept-ranges')]).toEqual([
      200,
      undefined,
      undefined,
    ]);
    await player.readBytes(1_000);
    const second = media.get(path);
    const [session] = plex.transcoder.sessions.values();
    expect(session?.ended).toBe('no');
    plex.transcoder.holdAfterBytes = null;
    plex.transcoder.release();
    const shared = await second;
    expect([shared.status, shared.isWhole, shared.body.length]).toEqual([200, true, 400_000]);
    assertContent(shared.body, session?.seed ?? 0, 0);
    expect(plex.transcoder.sessions.size).toBe(1);
    await until(async () => (await media.quality(TITLE, '720p')).complete);
    const part = await media.get(path, { Range: 'bytes=-100' });
    expect([part.status, part.header('x-cache')]).toEqual([206, 'HIT']);
    assertContent(part.body, session?.seed ?? 0, 399_900);
    await plex.until(() => plex.requests.some(({ path: name }) => name.endsWith('/stop')));
  });

  test('is stopped when its player leaves; the next one begins another, and the two never mix', async () => {
    const { plex, media } = await start(undefined, { convertedBytes: 600_000, args: seeking });
    plex.transcoder.holdAfterBytes = 200_000;
    const path = await media.pathOf(TITLE, '720p');
    const player = await RawConnection.open(media.larder.port);
    player.send('GET', path);
    await player.readHead();
    await player.readBytes(150_000);
    player[Symbol.dispose]();
    await plex.until(() => [...plex.transcoder.sessions.values()].some(({ ended }) => ended === 'stopped'));
    expect(await media.quality(TITLE, '720p')).toMatchObject({ complete: false, size: null });
    plex.transcoder.holdAfterBytes = null;
    let whole = await media.get(path);
    for (let round = 0; round < 5 && !whole.isWhole; round++) whole = await media.get(path);
    expect([whole.isWhole, whole.body.length]).toEqual([true, 600_000]);
    const seeds = [...plex.transcoder.sessions.values()].map(({ seed }) => seed);
    const fits = seeds.filter((seed) => {
      try {
        assertContent(whole.body, seed, 0);
        return true;
      } catch {
        return false;
      }
    });
    expect(fits).toHaveLength(1);
    await plex.until(() => [...plex.transcoder.sessions.values()].every(({ ended }) => ended !== 'no'));
  });

  test('that somebody watches is not given up for others: it could not go on where it was', async () => {
    const args = ['--connections-per-source', '1', '--read-ahead', '1MiB', '--background-fill', 'false'];
    const { plex, media } = await start([standInFilm(1), standInFilm(2)], { convertedBytes: 80_000_000, args });
    using player = await RawConnection.open(media.larder.port);
    player.send('GET', await media.pathOf(TITLE, '720p'));
    expect((await player.readHead()).status).toBe(200);
    await player.readBytes(100_000);
    player.pause();
    // It has enough for now: nothing more is taken from the server.
    const asked = plex.requests.length;
    for (const title of ['Film 2', TITLE]) {
      const other = await media.get(await media.pathOf(title));
      expect([title, other.status, other.isWhole]).toEqual([title, 200, true]);
    }
    expect(plex.requests.slice(asked).filter(({ path }) => path.endsWith('/stop'))).toEqual([]);
    player.resume();
    const { isWhole } = await player.readChunked();
    expect(isWhole).toBe(true);
    expect(plex.transcoder.sessions.size).toBe(1);
    const whole = await media.get(await media.pathOf(TITLE, '720p'));
    expect(whole.body.length).toBe(80_000_000);
    assertContent(whole.body, [...plex.transcoder.sessions.values()][0]?.seed ?? 0, 0);
  }, 60_000);

  test('that is reaped in the middle is not passed for whole', async () => {
    const { plex, media } = await start(undefined, { convertedBytes: 600_000, args: seeking });
    plex.transcoder.holdAfterBytes = 200_000;
    const path = await media.pathOf(TITLE, '720p');
    using player = await RawConnection.open(media.larder.port);
    player.send('GET', path);
    await player.readHead();
    await player.readBytes(100_000);
    await plex.close();
    const rest = await player.readChunked().catch(() => ({ isWhole: false }));
    expect(rest.isWhole).toBe(false);
    expect(await media.quality(TITLE, '720p')).toMatchObject({ complete: false, size: null });
  }, 60_000);

  test('that the server will not make: the reason, and the original plays', async () => {
    const { plex, media } = await start();
    plex.behaviour.decision = { generalDecisionCode: 4001, generalDecisionText: 'Not enough power.' };
    const refused = await media.get(await media.pathOf(TITLE, '720p'));
    expect([refused.status, Buffer.from(refused.body).toString()]).toEqual([
      502,
      expect.stringMatching(/Not enough power[\s\S]*original/),
    ]);
    expect((await media.api('GET', '/sources/attic')).body).toMatchObject({ state: 'well', failingSince: null });
    expect((await media.get(await media.pathOf(TITLE))).status).toBe(200);
  });
});

test('a page of HTML in place of everything: a reason for the sync and for the player, and nothing is lost', async () => {
  const { plex, media } = await start();
  const path = await media.pathOf(TITLE);
  const items = (await media.items()).length;
  plex.behaviour.html = true;
  const state = await media.sync();
  expect(state).toMatchObject({ state: 'failed', missing: 0 });
  expect(`${state.error.message} ${state.error.hint}`).toMatch(/page|address/);
  const answer = await media.get(path);
  expect([answer.status, Buffer.from(answer.body).toString()]).toEqual([502, expect.stringMatching(/page/)]);
  expect(await media.items()).toHaveLength(items);
  plex.behaviour.html = false;
  expect(await media.sync()).toMatchObject({ state: 'idle', error: null });
  assertContent((await media.get(path)).body, seedOfPart({ changeStamp: LONG_AGO_S + 10 }), 0);
});
