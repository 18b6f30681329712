// More than one connection for one film, at origins that do not like it: those that allow a few at a time and refuse the
// others in any way, and lines that are full with one. A film comes whole, once, and no slower than over one connection.
import { describe, expect, test } from 'bun:test';
import { LarderError } from '../../src/errors.ts';
import { assertContent } from '../support/content.ts';
import { drainReader, startEngine } from '../support/engine.ts';
import { createRandom, testSeed } from '../support/random.ts';
import type { VirtualFault } from '../support/virtual-origin.ts';

const MIB = 1024 * 1024;
const FILM = { sizeBytes: 64 * MIB + 5, seed: 3, etag: '"film"' };
const BYTES_PER_MS = 4_000;

/** Plays the film from its start to its end. @returns how long that took, in virtual ms */
async function play(change: { connectionsMax?: number; beyondConnections?: VirtualFault; lineBytesPerMs?: number }) {
  await using engine = await startEngine({ connectionsPerSource: 3 });
  const { origin, clock } = engine;
  origin.files.set('film.mkv', FILM);
  origin.fault = () => ({ bytesPerMs: BYTES_PER_MS });
  Object.assign(origin, change);
  const startedAtMs = clock.monotonicMs();
  const played = (async () => {
    const reader = await engine.read('film.mkv', 0, null);
    try {
      return await drainReader(reader);
    } finally {
      reader.close();
    }
  })();
  const body = await engine.finish(played, 600_000);
  expect(body.length).toBe(FILM.sizeBytes);
  assertContent(body, FILM.seed, 0);
  return { tookMs: clock.monotonicMs() - startedAtMs, requests: origin.requests.length, bodyBytes: origin.bodyBytes };
}

const ALONE_MS = FILM.sizeBytes / BYTES_PER_MS;

describe('an origin that gives each connection little', () => {
  test('is read over several', async () => {
    const { tookMs, bodyBytes } = await play({});
    expect(tookMs).toBeLessThan(ALONE_MS * 0.6);
    expect(bodyBytes).toBeLessThan(FILM.sizeBytes * 1.1);
  });
});

describe('an origin far away on a thin line that gives each connection a part of it', () => {
  test('is read over as many as fill it, film after film', async () => {
    await using engine = await startEngine({ connectionsPerSource: 3 });
    const { origin, clock } = engine;
    const lineBytesPerMs = 12_000;
    Object.assign(origin, { lineBytesPerMs, fault: () => ({ bytesPerMs: 5_000, latencyMs: 80 }) });
    for (const name of ['first.mkv', 'second.mkv', 'third.mkv']) {
      origin.files.set(name, FILM);
      const startedAtMs = clock.monotonicMs();
      const reader = await engine.finish(engine.read(name, 0, null));
      const body = await engine.finish(drainReader(reader), 600_000);
      reader.close();
      assertContent(body, FILM.seed, 0);
      const share = FILM.sizeBytes / (clock.monotonicMs() - startedAtMs) / lineBytesPerMs;
      // The first one learns what the source gives.
      expect(share).toBeGreaterThan(name === 'first.mkv' ? 0.7 : 0.85);
    }
    expect(origin.bodyBytes).toBeLessThan(3 * FILM.sizeBytes * 1.01);
  });
});

const refusals: [string, VirtualFault][] = [
  ['refuses to connect', { refused: true }],
  ['says 503', { status: 503 }],
  ['says 503 with a time', { status: 503, headers: { 'retry-after': '5' } }],
  ['says 503 with a long time', { status: 503, headers: { 'retry-after': '120' } }],
  ['says 429', { status: 429 }],
  ['says 429 with a time', { status: 429, headers: { 'retry-after': '60' } }],
  ['says 403', { status: 403 }],
  ['says 404', { status: 404 }],
  ['is silent', { silent: true }],
  ['cuts it at once', { cutAfterBytes: 0 }],
  ['cuts it after a while', { cutAfterBytes: 100_000 }],
];

describe('an origin that allows one connection', () => {
  for (const [what, beyondConnections] of refusals) {
    test(`and ${what} for others plays as over one`, async () => {
      const { tookMs, requests } = await play({ connectionsMax: 1, beyondConnections });
      expect(tookMs).toBeLessThan(ALONE_MS * 1.15 + 500);
      expect(requests).toBeLessThan(12);
    });
  }
});

describe('an origin that allows two connections, both of which one player has', () => {
  for (const [what, beyondConnections] of refusals) {
    if ('silent' in beyondConnections) continue;
    test(`and ${what} for others gives the second one to the next player`, async () => {
      await using engine = await startEngine({ connectionsPerSource: 4 });
      const { origin, clock } = engine;
      origin.files.set('film.mkv', FILM);
      origin.fault = () => ({ bytesPerMs: BYTES_PER_MS });
      Object.assign(origin, { connectionsMax: 2, beyondConnections });
      const play = async (start: number, bytes: number) => {
        const reader = await engine.read('film.mkv', start, null);
        try {
          assertContent(await drainReader(reader, bytes), FILM.seed, start);
        } finally {
          reader.close();
        }
      };
      const first = play(0, FILM.sizeBytes);
      await engine.until(() => origin.openCount === 2, 10_000);
      const startMs = clock.monotonicMs() + 500;
      await engine.until(() => clock.monotonicMs() >= startMs);
      await engine.finish(Promise.all([first, play(FILM.sizeBytes - 4 * MIB, 4 * MIB)]), 600_000);
      expect(origin.requests.length).toBeLessThan(20);
    });
  }
});

describe('a line that is full with one connection', () => {
  test('plays no slower for the trial', async () => {
    const { tookMs, requests } = await play({ lineBytesPerMs: BYTES_PER_MS });
    expect(tookMs).toBeLessThan(ALONE_MS * 1.1);
    expect(requests).toBeLessThan(8);
  });
});

const RUNS = Number(process.env.LARDER_TEST_RUNS ?? 0) || 8;

describe('several players at an origin of any limits', () => {
  const firstSeed = testSeed;
  for (let seed = firstSeed; seed < firstSeed + RUNS; seed += 1) {
    test(`are given the film, seed ${seed}`, async () => {
      const random = createRandom(seed);
      await using engine = await startEngine({ connectionsPerSource: random.between(1, 4), seed });
      const { origin, clock } = engine;
      const film = { ...FILM, sizeBytes: random.between(10, 40) * MIB + 7 };
      origin.files.set('film.mkv', film);
      origin.connectionsMax = random.pick([1, 2, 3, Number.POSITIVE_INFINITY]);
      origin.lineBytesPerMs = random.pick([2_000, 20_000, Number.POSITIVE_INFINITY]);
      origin.beyondConnections = random.pick(refusals)[1];
      // One that is slow to begin as well as one that is cut now and then.
      origin.fault = () => ({
        bytesPerMs: random.pick([500, 4_000, 30_000]),
        latencyMs: random.pick([5, 50, 900]),
        ...(random.chance(0.05) ? { cutAfterBytes: random.between(1, 3 * MIB) } : {}),
      });
      const player = async () => {
        await new Promise<void>((resolve) => clock.after(random.between(0, 2_000), resolve));
        for (let count = random.between(1, 3); count > 0; count -= 1) {
          const start = random.between(0, film.sizeBytes - 1);
          const reader = await engine.read('film.mkv', start, null);
          try {
            assertContent(await drainReader(reader, random.between(1, 30) * MIB), film.seed, start);
          } finally {
            reader.close();
          }
        }
      };
      // Where a player needs a second place at an origin that gives one, it may be refused: bytes are never wrong.
      const failures = await engine.finish(
        Promise.all(
          [player(), player()].map((played) =>
            played.then(
              () => null,
              (error: unknown) => error,
            ),
          ),
        ),
        3_600_000,
      );
      for (const failure of failures) if (failure !== null) expect(failure).toBeInstanceOf(LarderError);
      if (origin.connectionsMax === Number.POSITIVE_INFINITY) expect(failures).toEqual([null, null]);
      await engine.until(() => engine.liveDownloads === 0, 60_000);
      expect(origin.bodyBytes).toBeLessThan(film.sizeBytes + origin.requests.length * 8 * MIB);
    });
  }
});
