// Bits that turned in chunk files while Larder was off: never served, fetched again, and only what is damaged
// (DESIGN.md §5, invariants 2 and 8).
import { describe, expect, test } from 'bun:test';
import { open } from 'node:fs/promises';
import { CHUNK_BYTES } from '../../src/limits.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { createRandom, testSeed } from '../support/random.ts';
import { rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';
import { chunkFileOf, eventsOf, hurriedClock, query, Viewer } from './small-machine.ts';

/** Three whole cells and a short one. */
const SIZE = 3 * CHUNK_BYTES + 500_000;
const LIMIT_MS = 30_000;

async function flipBit(file: string, offset: number, bit = 3): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, offset);
    byte[0]! ^= 1 << bit;
    await handle.write(byte, 0, 1, offset);
  } finally {
    await handle.close();
  }
}

async function startWithFilm(fetchFirst: (larder: RunningLarder) => Promise<unknown>): Promise<{
  origin: TestOrigin;
  larder: RunningLarder;
  stack: AsyncDisposableStack;
}> {
  const stack = new AsyncDisposableStack();
  const origin = stack.use(await startOrigin({ files: { 'film.mkv': { sizeBytes: SIZE } } }));
  const larder = stack.use(await startLarder({ args: ['--source', `films=${origin.url}`], clock: hurriedClock }));
  await fetchFirst(larder);
  await larder.stop();
  return { origin, larder, stack };
}

const whole = (larder: RunningLarder) => rawRequest(larder.port, '/s/films/film.mkv');

describe('a flipped bit in a span, while Larder was off', () => {
  const places: [string, number][] = [
    ['the first byte', 0],
    ['the first cell', 1_234_567],
    ['the last byte of a cell', CHUNK_BYTES - 1],
    ['the first byte of a cell in the middle', CHUNK_BYTES],
    ['a cell in the middle', CHUNK_BYTES + 777_777],
    ['the last cell, a short one', 3 * CHUNK_BYTES + 250_000],
    ['the last byte of the file', SIZE - 1],
  ];
  for (const [place, offset] of places) {
    test(
      `${place}: the next reader gets right bytes, and only that span is fetched again`,
      async () => {
        const { origin, larder, stack } = await startWithFilm(whole);
        await using _ = stack;
        await flipBit(await chunkFileOf(larder.dataFolder, 'film'), offset);
        const before = origin.bytesSent('film.mkv');
        await larder.restart();
        const response = await whole(larder);
        expect([response.status, response.isWhole]).toEqual([200, true]);
        origin.assertBody('film.mkv', response.body);
        expect(origin.bytesSent('film.mkv') - before).toBeLessThanOrEqual(CHUNK_BYTES + 64 * 1024);
        expect(await eventsOf(larder.dataFolder, 'damaged')).toHaveLength(1);
        // It is whole again: also with the origin down, and after one more start.
        await origin.goDown();
        await larder.restart();
        const again = await whole(larder);
        expect([again.header('x-cache'), again.isWhole]).toEqual(['HIT', true]);
        origin.assertBody('film.mkv', again.body);
        expect(await eventsOf(larder.dataFolder, 'damaged')).toHaveLength(1);
      },
      LIMIT_MS,
    );
  }
});

test(
  'with the origin down a reader is cut before the damage, and everything else of the film is served',
  async () => {
    const { origin, larder, stack } = await startWithFilm(whole);
    await using _ = stack;
    await flipBit(await chunkFileOf(larder.dataFolder, 'film'), CHUNK_BYTES + 777_777);
    await origin.goDown();
    await larder.restart();
    using viewer = await Viewer.open(larder.port, '/s/films/film.mkv', (bytes, offset) =>
      origin.assertBody('film.mkv', bytes, offset),
    );
    expect(viewer.promisedBytes).toBe(SIZE);
    expect(await viewer.takeRest()).toBe(false);
    expect(viewer.position).toBe(CHUNK_BYTES);
    for (const [start, end] of [
      [0, CHUNK_BYTES],
      [2 * CHUNK_BYTES, SIZE],
    ] as const) {
      const part = await rawRequest(larder.port, '/s/films/film.mkv', { Range: `bytes=${start}-${end - 1}` });
      expect([part.status, part.isWhole]).toEqual([206, true]);
      origin.assertBody('film.mkv', part.body, start);
    }
    const damaged = await rawRequest(larder.port, '/s/films/film.mkv', { Range: `bytes=${CHUNK_BYTES + 777_777}-` });
    expect(damaged.status).toBe(502);
    await origin.comeBack();
    const healed = await whole(larder);
    expect(healed.isWhole).toBe(true);
    origin.assertBody('film.mkv', healed.body);
  },
  LIMIT_MS,
);

test(
  'spans that seeks and probes left, in any order and overlapping: damage in each of them is found',
  async () => {
    const random = createRandom(testSeed);
    console.log(`seed ${testSeed}`);
    const probes = Array.from({ length: 12 }, () => {
      const start = random.between(0, SIZE - 2);
      return [start, Math.min(SIZE, start + random.between(1, 900_000))] as const;
    });
    const { origin, larder, stack } = await startWithFilm(async (running) => {
      for (const [start, end] of probes) {
        const part = await rawRequest(running.port, '/s/films/film.mkv', { Range: `bytes=${start}-${end - 1}` });
        expect(part.isWhole).toBe(true);
      }
    });
    await using _ = stack;
    const spans = await query(larder.dataFolder, 'SELECT start, "end" FROM chunk_checksums ORDER BY start');
    expect(spans.length).toBeGreaterThan(5);
    const available = await query(larder.dataFolder, 'SELECT start, "end" FROM cache_chunks ORDER BY start');
    for (const { start, end } of available) {
      const covered = spans.filter((span) => Number(span.start) < Number(end) && Number(span.end) > Number(start));
      let reached = Number(start);
      for (const span of covered) {
        expect(Number(span.start)).toBeLessThanOrEqual(reached);
        reached = Math.max(reached, Number(span.end));
      }
      expect(reached).toBeGreaterThanOrEqual(Number(end));
    }
    const file = await chunkFileOf(larder.dataFolder, 'film');
    for (const { start, end } of spans) await flipBit(file, random.between(Number(start), Number(end) - 1));
    await larder.restart();
    const response = await whole(larder);
    expect(response.isWhole).toBe(true);
    origin.assertBody('film.mkv', response.body);
    for (const [start, end] of probes) {
      const part = await rawRequest(larder.port, '/s/films/film.mkv', { Range: `bytes=${start}-${end - 1}` });
      origin.assertBody('film.mkv', part.body, start);
    }
  },
  LIMIT_MS,
);

test(
  'a file of unknown length: a flipped bit in its short last span is found',
  async () => {
    await using origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: SIZE } } });
    origin.behave('film.mkv', { ranges: 'none', hideLength: true });
    await using larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
    origin.assertBody('film.mkv', (await whole(larder)).body);
    await larder.stop();
    await flipBit(await chunkFileOf(larder.dataFolder, 'film'), SIZE - 10);
    await larder.restart();
    const response = await whole(larder);
    expect(response.isWhole).toBe(true);
    origin.assertBody('film.mkv', response.body);
    expect(await eventsOf(larder.dataFolder, 'damaged')).toHaveLength(1);
  },
  LIMIT_MS,
);

test('the file of one film under the name of another is not served', async () => {
  await using origin = await startOrigin({ files: { 'a.mkv': { sizeBytes: SIZE }, 'b.mkv': { sizeBytes: SIZE } } });
  await using larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  for (const name of ['a', 'b']) await rawRequest(larder.port, `/s/films/${name}.mkv`);
  await larder.stop();
  const [a, b] = [await chunkFileOf(larder.dataFolder, 'a-'), await chunkFileOf(larder.dataFolder, 'b-')];
  await Bun.write(a, Bun.file(b));
  await larder.restart();
  const response = await rawRequest(larder.port, '/s/films/a.mkv');
  expect(response.isWhole).toBe(true);
  origin.assertBody('a.mkv', response.body);
});
