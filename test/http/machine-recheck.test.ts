// A cached film whose origin has changed, lost or does not give it any more: what is cached is served meanwhile
// (DESIGN.md §5, invariant 3; CONTRACT.md, stream promises 1 and 7).
import { expect, test } from 'bun:test';
import { type Clock, systemClock } from '../../src/clock.ts';
import { assertContent } from '../support/content.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';
import { chunkFiles, hurriedBy, query, until, Viewer } from './small-machine.ts';

const SIZE = 24_000_000;
const SMALL = 1_000_000;
const LIMIT_MS = 30_000;

interface Cached extends AsyncDisposable {
  readonly origin: TestOrigin;
  readonly larder: RunningLarder;
}

async function startCached(
  sizeBytes: number,
  after = '0',
  file: object = {},
  clock: Clock = systemClock,
): Promise<Cached> {
  const origin = await startOrigin({ files: { 'film.mkv': { sizeBytes, ...file } } });
  const larder = await startLarder({ args: ['--source', `films=${origin.url}`, '--recheck-after', after], clock });
  const first = await rawRequest(larder.port, '/s/films/film.mkv');
  expect(first.isWhole).toBe(true);
  return {
    origin,
    larder,
    async [Symbol.asyncDispose]() {
      await origin.stop();
      await larder[Symbol.asyncDispose]();
    },
  };
}

const missing = async ({ larder }: Cached) =>
  (await query(larder.dataFolder, 'SELECT missing_since, missing_reason FROM cache_entries'))[0]!;

test(
  'a film that changed: who reads it goes on with the old version to its end, who comes later gets the new one',
  async () => {
    await using cached = await startCached(SIZE, '0', {}, hurriedBy(40));
    const { origin, larder } = cached;
    const old = origin.seedOf('film.mkv');
    using viewer = await Viewer.open(larder.port, '/s/films/film.mkv', (bytes, offset) =>
      assertContent(bytes, old, offset),
    );
    await viewer.take(100_000);
    viewer.connection.pause();
    origin.change('film.mkv', SIZE + 5);
    // Asks in the background, and is served the old version or the new, never both.
    const asker = await rawRequest(larder.port, '/s/films/film.mkv');
    expect(asker.isWhole).toBe(true);
    assertContent(asker.body, asker.body.length === SIZE ? old : origin.seedOf('film.mkv'), 0);
    await until(
      'the new version is served',
      async () => {
        const response = await rawRequest(larder.port, '/s/films/film.mkv');
        expect(response.isWhole).toBe(true);
        const isNew = response.body.length === SIZE + 5;
        assertContent(response.body, isNew ? origin.seedOf('film.mkv') : old, 0);
        return isNew;
      },
      20_000,
    );
    viewer.connection.resume();
    expect(await viewer.takeRest()).toBe(true);
    expect(viewer.position).toBe(SIZE);
    // The old file goes when its last reader did.
    await until('one file is left', async () => (await chunkFiles(larder.dataFolder)).length === 1);
    await origin.goDown();
    await larder.restart();
    const kept = await rawRequest(larder.port, '/s/films/film.mkv');
    expect([kept.header('x-cache'), kept.body.length]).toEqual(['HIT', SIZE + 5]);
    origin.assertBody('film.mkv', kept.body);
  },
  LIMIT_MS,
);

test(
  'a film without any validator that changed, of the same length: found by its bytes',
  async () => {
    await using cached = await startCached(SMALL, '0', { etag: null, lastModified: null });
    const { origin, larder } = cached;
    origin.change('film.mkv');
    origin.addFile('film.mkv', { sizeBytes: SMALL, version: 2, etag: null, lastModified: null });
    const old = origin.seedOf('film.mkv', 1);
    await until(
      'the new version is served',
      async () => {
        const response = await rawRequest(larder.port, '/s/films/film.mkv');
        expect(response.isWhole).toBe(true);
        try {
          origin.assertBody('film.mkv', response.body);
          return true;
        } catch {
          assertContent(response.body, old, 0);
          return false;
        }
      },
      25_000,
    );
  },
  LIMIT_MS,
);

test(
  'a film that is gone at its origin is served on, the page knows since when, and forgets it when the film is back',
  async () => {
    await using cached = await startCached(SMALL);
    const { origin, larder } = cached;
    origin.behave('film.mkv', { status: 404 });
    const startedAtMs = Date.now();
    for (let round = 0; round < 3; round++) {
      const response = await rawRequest(larder.port, '/s/films/film.mkv');
      expect([response.header('x-cache'), response.isWhole]).toEqual(['HIT', true]);
      origin.assertBody('film.mkv', response.body);
    }
    await until('it is noted', async () => {
      // The check of a play before may still be under way: it knows the film as it was.
      await rawRequest(larder.port, '/s/films/film.mkv');
      return (await missing(cached)).missing_since !== null;
    });
    const { missing_since: since, missing_reason: reason } = await missing(cached);
    expect(Number(since)).toBeGreaterThanOrEqual(startedAtMs);
    expect(String(reason)).toMatch(/404/);
    // Also after a restart, and with nothing of it removed.
    await larder.restart();
    expect((await rawRequest(larder.port, '/s/films/film.mkv')).header('x-cache')).toBe('HIT');
    expect((await missing(cached)).missing_since).toBe(since!);
    origin.behave('film.mkv', null);
    await larder.restart();
    expect((await rawRequest(larder.port, '/s/films/film.mkv')).header('x-cache')).toBe('HIT');
    await until('it is back', async () => (await missing(cached)).missing_since === null);
  },
  LIMIT_MS,
);

test(
  'an origin that is down, silent or busy changes nothing of what is cached',
  async () => {
    await using cached = await startCached(SMALL);
    const { origin, larder } = cached;
    for (const behaviour of [{ status: 500 }, { status: 503 }, { status: 403 }, { stallBeforeHead: true }]) {
      origin.behave('film.mkv', behaviour);
      await larder.restart();
      const response = await rawRequest(larder.port, '/s/films/film.mkv');
      expect([response.header('x-cache'), response.isWhole]).toEqual(['HIT', true]);
      origin.assertBody('film.mkv', response.body);
      origin.behave('film.mkv', null);
    }
    await origin.goDown();
    await larder.restart();
    expect((await rawRequest(larder.port, '/s/films/film.mkv')).header('x-cache')).toBe('HIT');
    expect(await missing(cached)).toEqual({ missing_since: null, missing_reason: null });
    expect(await chunkFiles(larder.dataFolder)).toHaveLength(1);
  },
  LIMIT_MS,
);

test(
  'a film that its origin was asked about a moment ago is not asked about again',
  async () => {
    await using cached = await startCached(SMALL, '1h');
    const { origin, larder } = cached;
    const asked = origin.requests.length;
    for (let round = 0; round < 5; round++) await rawRequest(larder.port, '/s/films/film.mkv');
    await larder.restart();
    await rawRequest(larder.port, '/s/films/film.mkv');
    expect(origin.requests.length).toBe(asked);
  },
  LIMIT_MS,
);

test('with --recheck-after 0 the origin is asked at each open', async () => {
  await using cached = await startCached(SMALL);
  const { origin, larder } = cached;
  for (let round = 1; round <= 3; round++) {
    const asked = origin.requests.length;
    // An open that comes while the last check is under way shares it.
    await until('the origin is asked', async () => {
      await rawRequest(larder.port, '/s/films/film.mkv');
      return origin.requests.length > asked;
    });
  }
});
