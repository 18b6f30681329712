// Bits that turn in files nobody reads: the background check finds them, at the rate it was given, and gives them up.
import { describe, expect, test } from 'bun:test';
import { crc32 } from 'node:zlib';
import type { ByteRange } from '../../src/bytes/byte-range.ts';
import { storageError } from '../../src/chunks/downloader.ts';
import { computeChecksums } from '../../src/chunks/span-checksums.ts';
import { CHUNK_BYTES, SCRUB_LOOK_MS, SCRUB_PERIOD_MS } from '../../src/limits.ts';
import { createLog } from '../../src/log.ts';
import { Scrubber } from '../../src/upkeep/scrubber.ts';
import { type CacheDatabase, entryOf, generationOf, NOW_MS, openCacheDatabase } from '../support/cache-database.ts';
import { contentOf } from '../support/content.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MemoryChunkStore } from '../support/memory-chunk-store.ts';

const SIZE = 3 * CHUNK_BYTES + 12_345;
const SEED = 7;
const RATE = 2 ** 20;

interface Bench extends AsyncDisposable {
  readonly cache: CacheDatabase;
  readonly store: MemoryChunkStore;
  readonly clock: FakeClock;
  readonly scrubber: Scrubber;
  readonly lost: { generationId: number; range: ByteRange }[];
  /** Ranges that were read back. */
  readonly read: ByteRange[];
  readonly logLines: string[];
  rate: number;
  addFile(name: string, ranges?: readonly ByteRange[]): Promise<number>;
  verifiedAt(generationId: number): Promise<number | null>;
}

async function startBench(): Promise<Bench> {
  const cache = await openCacheDatabase();
  const store = new MemoryChunkStore();
  const clock = new FakeClock(NOW_MS);
  const lost: { generationId: number; range: ByteRange }[] = [];
  const read: ByteRange[] = [];
  const logLines: string[] = [];
  const source = await cache.sources.declare('films', 'http://host/', NOW_MS);
  const bench: Bench = {
    cache,
    store,
    clock,
    lost,
    read,
    logLines,
    rate: RATE,
    scrubber: new Scrubber({
      generations: cache.generations,
      threads: {
        checksum: async (fileName, spans) => {
          read.push(...spans);
          try {
            return await computeChecksums(store, fileName, spans);
          } catch (error) {
            throw storageError(error);
          }
        },
      },
      loseBytes: async (generationId, { start, end }) => {
        lost.push({ generationId, range: { start, end } });
        return end - start;
      },
      bytesPerSecond: () => bench.rate,
      clock,
      log: createLog({ level: 'debug', write: (line) => logLines.push(line), nowMs: () => clock.nowMs() }),
    }),
    async addFile(name, ranges = [{ start: 0, end: SIZE }]) {
      const { entryId } = await cache.entries.ensure(entryOf(source.id, name), NOW_MS);
      const { generation } = await cache.generations.create(generationOf(entryId, name, { totalBytes: SIZE }), NOW_MS);
      const writer = await store.openWriter(name, true);
      for (const { start, end } of ranges) {
        writer.write(contentOf(SEED, start, end), start);
        for (let from = start; from < end; ) {
          const to = Math.min(end, (Math.floor(from / CHUNK_BYTES) + 1) * CHUNK_BYTES);
          const checksum = { start: from, end: to, crc32: crc32(contentOf(SEED, from, to)) };
          await cache.generations.recordRange(generation.id, { start, end: to }, [checksum], NOW_MS);
          from = to;
        }
      }
      await writer.sync();
      await writer.close();
      return generation.id;
    },
    async verifiedAt(generationId) {
      return (await cache.generations.find(generationId))!.verifiedAt;
    },
    async [Symbol.asyncDispose]() {
      await bench.scrubber.stop();
      await cache[Symbol.asyncDispose]();
    },
  };
  return bench;
}

/** Turns the clock in steps that files are read in between of. */
async function turn(bench: Bench, ms: number): Promise<void> {
  for (let turned = 0; turned < ms; turned += 1_000) await bench.clock.run(Math.min(1_000, ms - turned), 6);
}

const MONTH_MS = SCRUB_PERIOD_MS + 1;

describe('the background check', () => {
  test('leaves alone what was fetched less than a month ago', async () => {
    await using bench = await startBench();
    await bench.addFile('new.mkv');
    bench.scrubber.start();
    await turn(bench, 2 * SCRUB_LOOK_MS);
    expect(bench.read).toEqual([]);
  });

  test('finds no fault where there is none, and says when it looked', async () => {
    await using bench = await startBench();
    const id = await bench.addFile('good.mkv');
    bench.clock.advance(MONTH_MS);
    bench.scrubber.start();
    await turn(bench, SCRUB_LOOK_MS + 60_000);
    expect(bench.lost).toEqual([]);
    expect(bench.read.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(SIZE);
    expect(await bench.verifiedAt(id)).toBeGreaterThan(NOW_MS + MONTH_MS);
    // Once a month, not at each look.
    await turn(bench, 2 * SCRUB_LOOK_MS);
    expect(bench.read.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(SIZE);
  });

  for (const [place, offset] of [
    ['its first byte', 0],
    ['the middle', CHUNK_BYTES + 99],
    ['its short last span', 3 * CHUNK_BYTES + 5],
    ['its last byte', SIZE - 1],
  ] as const) {
    test(`finds a flipped bit at ${place} of a file that nobody reads, and gives up that span only`, async () => {
      await using bench = await startBench();
      const id = await bench.addFile('film.mkv');
      await bench.addFile('other.mkv');
      bench.store.flipBit('film.mkv', offset);
      bench.clock.advance(MONTH_MS);
      bench.scrubber.start();
      await turn(bench, SCRUB_LOOK_MS + 60_000);
      const start = Math.floor(offset / CHUNK_BYTES) * CHUNK_BYTES;
      expect(bench.lost).toEqual([{ generationId: id, range: { start, end: Math.min(start + CHUNK_BYTES, SIZE) } }]);
      expect(await bench.verifiedAt(id)).not.toBe(NOW_MS);
    });
  }

  test('finds a flipped bit behind a gap of many cells', async () => {
    await using bench = await startBench();
    const far = 40 * CHUNK_BYTES;
    const ranges = [
      { start: 100, end: 5_000 },
      { start: far + 7, end: far + CHUNK_BYTES + 900 },
    ];
    const id = await bench.addFile('film.mkv', ranges);
    bench.store.flipBit('film.mkv', far + CHUNK_BYTES + 899);
    bench.clock.advance(MONTH_MS);
    bench.scrubber.start();
    await turn(bench, SCRUB_LOOK_MS + 60_000);
    const range = { start: far + CHUNK_BYTES, end: far + CHUNK_BYTES + 900 };
    expect(bench.lost).toEqual([{ generationId: id, range }]);
  });

  test('reads no faster than it was told', async () => {
    await using bench = await startBench();
    for (let index = 0; index < 4; index++) await bench.addFile(`${index}.mkv`);
    bench.clock.advance(MONTH_MS);
    bench.scrubber.start();
    bench.clock.advance(SCRUB_LOOK_MS);
    for (let second = 1; second <= 20; second++) {
      await turn(bench, 1_000);
      const bytes = bench.read.reduce((sum, { start, end }) => sum + end - start, 0);
      // One step ahead at most.
      expect(bytes).toBeLessThanOrEqual(RATE * second + 2 * CHUNK_BYTES);
    }
    expect(bench.read.length).toBeGreaterThan(6);
  });

  test('a rate of nothing turns it off', async () => {
    await using bench = await startBench();
    bench.rate = 0;
    await bench.addFile('film.mkv');
    bench.store.flipBit('film.mkv', 5);
    bench.clock.advance(MONTH_MS);
    bench.scrubber.start();
    await turn(bench, 2 * SCRUB_LOOK_MS);
    expect(bench.read).toEqual([]);
  });

  test('a file that was deleted is given up as a whole, and the next one is looked at', async () => {
    await using bench = await startBench();
    const id = await bench.addFile('gone.mkv');
    const other = await bench.addFile('other.mkv');
    await bench.store.remove('gone.mkv');
    bench.clock.advance(MONTH_MS);
    bench.scrubber.start();
    await turn(bench, SCRUB_LOOK_MS + 60_000);
    expect(bench.lost).toEqual([{ generationId: id, range: { start: 0, end: Number.MAX_SAFE_INTEGER } }]);
    expect(await bench.verifiedAt(other)).not.toBe(NOW_MS);
  });

  test('stops at once in its pause, and what it had not finished is due again', async () => {
    await using bench = await startBench();
    bench.rate = 1_000;
    const id = await bench.addFile('film.mkv');
    bench.clock.advance(MONTH_MS);
    bench.scrubber.start();
    await turn(bench, SCRUB_LOOK_MS + 5_000);
    expect(bench.read.length).toBeGreaterThan(0);
    await bench.scrubber.stop();
    expect(bench.clock.pendingCount).toBe(0);
    expect(await bench.verifiedAt(id)).toBe(NOW_MS);
  });

  test('a file that was verified by a clock ten years ahead is verified again when the clock is right', async () => {
    await using bench = await startBench();
    const id = await bench.addFile('film.mkv');
    bench.store.flipBit('film.mkv', 5);
    await bench.cache.generations.recordVerified(id, NOW_MS + 10 * 365 * 86_400_000);
    bench.clock.advance(MONTH_MS);
    bench.scrubber.start();
    await turn(bench, SCRUB_LOOK_MS + 60_000);
    expect(bench.lost).toHaveLength(1);
  });
});
