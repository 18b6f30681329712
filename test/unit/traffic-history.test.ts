// The history of traffic against what really flowed: over restarts, clock jumps and a database that takes nothing.
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Counters } from '../../src/db/statistics.ts';
import { TrafficHistoryTable } from '../../src/db/traffic-history.ts';
import { createLog } from '../../src/log.ts';
import { emptyCounters } from '../../src/upkeep/bookkeeper.ts';
import { chartRanges, TrafficHistory, type TrafficHistoryServices } from '../../src/upkeep/traffic-history.ts';
import { openCacheDatabase } from '../support/cache-database.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { runs } from '../support/property.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

function historyOf(clock: FakeClock, counters: Counters, table: TrafficHistoryServices['table']): TrafficHistory {
  const log = createLog({ level: 'error', write: () => undefined, nowMs: () => clock.nowMs() });
  return new TrafficHistory({ table, counters, clock, log });
}

function flow(counters: Counters, bytes: number): void {
  counters.servedBytes += bytes;
  counters.servedFromDiskBytes += Math.floor(bytes / 2);
  counters.originBytes += bytes - Math.floor(bytes / 2);
  counters.hitCount += 1;
}

async function servedIn(history: TrafficHistory, range: 'hour' | 'day' | 'week' | 'quarter'): Promise<number> {
  const { points } = await history.chart(range);
  return points.reduce((sum, point) => sum + point.servedBytes, 0);
}

describe('TrafficHistory', () => {
  test('chart() has at most 120 points without gaps, in every range, and the newest holds what flowed just now', async () => {
    await using cache = await openCacheDatabase();
    const clock = new FakeClock();
    const counters = emptyCounters();
    const history = historyOf(clock, counters, new TrafficHistoryTable(cache.database.tables));
    flow(counters, 1_000);
    for (const range of chartRanges) {
      const { points, slotMs } = await history.chart(range);
      expect(points.length).toBeLessThanOrEqual(120);
      expect(points.every((point, index) => index === 0 || point.atMs - points[index - 1]!.atMs === slotMs)).toBe(true);
      expect(points.at(-1)!.servedBytes).toBe(1_000);
      expect(points.at(-1)!.atMs).toBeLessThanOrEqual(clock.nowMs());
      expect(points.at(-1)!.atMs + slotMs).toBeGreaterThan(clock.nowMs());
    }
  });

  test('what flowed is in the charts after a restart, and out of them when it is too old', async () => {
    await using cache = await openCacheDatabase();
    const table = new TrafficHistoryTable(cache.database.tables);
    const clock = new FakeClock();
    const counters = emptyCounters();
    const before = historyOf(clock, counters, table);
    before.start();
    flow(counters, 500);
    clock.advance(10_000);
    await before.flush();
    before.stop();
    const after = historyOf(clock, emptyCounters(), table);
    for (const range of chartRanges) expect(await servedIn(after, range)).toBe(500);
    clock.advance(2 * HOUR_MS);
    expect(await servedIn(after, 'hour')).toBe(0);
    expect(await servedIn(after, 'day')).toBe(500);
    clock.advance(3 * DAY_MS);
    expect(await servedIn(after, 'day')).toBe(0);
    expect(await servedIn(after, 'week')).toBe(500);
  });

  test('nothing is written when nothing flowed, and one batch a minute when something did', async () => {
    const clock = new FakeClock();
    const counters = emptyCounters();
    const batches: number[] = [];
    const history = historyOf(clock, counters, {
      add: async (spans) => void batches.push(spans.length),
      listSlots: async () => [],
    });
    history.start();
    clock.advance(10 * MINUTE_MS);
    await history.flush();
    expect(batches).toEqual([]);
    for (let second = 0; second < 60; second++) {
      flow(counters, 10);
      clock.advance(1_000);
    }
    await history.flush();
    // Six or seven of 10 s, one or two of a minute, one of 15 min and of 6 h.
    expect(batches).toHaveLength(1);
    expect(batches[0]!).toBeLessThanOrEqual(11);
  });

  test('a database that takes nothing loses nothing, and memory stays bounded', async () => {
    await using cache = await openCacheDatabase();
    const table = new TrafficHistoryTable(cache.database.tables);
    const clock = new FakeClock();
    const counters = emptyCounters();
    let refuses = true;
    const history = historyOf(clock, counters, {
      add: (spans, keepFrom) => (refuses ? Promise.reject(new Error('disk full')) : table.add(spans, keepFrom)),
      listSlots: (...args) => table.listSlots(...args),
    });
    flow(counters, 700);
    await history.flush();
    expect(await servedIn(history, 'hour')).toBe(700);
    refuses = false;
    await history.flush();
    expect(await servedIn(historyOf(clock, emptyCounters(), table), 'hour')).toBe(700);
  });

  test('old spans are removed: rows stay few', async () => {
    await using cache = await openCacheDatabase();
    const clock = new FakeClock();
    const counters = emptyCounters();
    const history = historyOf(clock, counters, new TrafficHistoryTable(cache.database.tables));
    for (let hour = 0; hour < 24 * 100; hour += 12) {
      flow(counters, 1);
      await history.flush();
      clock.advance(12 * HOUR_MS);
    }
    const rows = await cache.rows('SELECT span_ms, count(*) AS count FROM traffic_history GROUP BY span_ms');
    expect(rows).toEqual([
      { span_ms: 10_000, count: 1 },
      { span_ms: 60_000, count: 5 },
      { span_ms: 900_000, count: 181 },
      { span_ms: 21_600_000, count: 181 },
    ]);
  });

  test('chart() agrees with a model, whatever flowed when, with writes in between', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ waitMs: fc.integer({ min: 0, max: 400_000 }), bytes: fc.nat(1_000), flush: fc.boolean() }),
          {
            maxLength: 30,
          },
        ),
        async (steps) => {
          await using cache = await openCacheDatabase();
          const clock = new FakeClock();
          const counters = emptyCounters();
          const history = historyOf(clock, counters, new TrafficHistoryTable(cache.database.tables));
          const flowed: { atMs: number; bytes: number }[] = [];
          history.start();
          for (const { waitMs, bytes, flush } of steps) {
            flow(counters, bytes);
            // Seen at the next look, which a chart is as well.
            await history.chart('hour');
            flowed.push({ atMs: clock.nowMs(), bytes });
            if (flush) await history.flush();
            clock.advance(waitMs);
          }
          const { points, slotMs } = await history.chart('day');
          for (const point of points) {
            const expected = flowed
              .filter(({ atMs }) => Math.floor(atMs / slotMs) * slotMs === point.atMs)
              .reduce((sum, { bytes }) => sum + bytes, 0);
            expect(point.servedBytes).toBe(expected);
          }
        },
      ),
      runs(15),
    );
  });
});
