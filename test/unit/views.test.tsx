// The first page and its live updates, rendered from plain data.
import { describe, expect, test } from 'bun:test';
import { knownTimeZone } from '../../src/web/time-zone.ts';
import {
  formatByteRange,
  formatBytes,
  formatClock,
  formatCount,
  formatDuration,
  formatMoment,
  formatPercent,
  formatRate,
  formatSentence,
  formatSince,
} from '../../views/format.ts';
import { ProblemPage } from '../../views/pages/problem.tsx';
import { describeChunkMap } from '../../views/parts/chunk-map.tsx';
import { type ByteRange, chunkMapRuns, chunkMapWidth } from '../../views/parts/chunk-map-runs.ts';
import { renderPage } from '../../views/render.ts';
import { HOSTILE_TEXT, PAGE_NOW_MS, pageContext } from '../support/page-context.ts';

const nowMs = PAGE_NOW_MS;
const hostile = HOSTILE_TEXT;

describe('format', () => {
  test('formatBytes() gives SI units with three significant digits, also where rounding moves the unit', () => {
    const cases: [number | null, string][] = [
      [0, '0 B'],
      [512, '512 B'],
      [999, '999 B'],
      [1000, '1.00 kB'],
      [999_499, '999 kB'],
      [999_500, '1.00 MB'],
      [1_333_350, '1.33 MB'],
      [412e9, '412 GB'],
      [10e12, '10.0 TB'],
      [5e18, '5000 PB'],
    ];
    for (const [bytes, text] of cases) expect(formatBytes(bytes)).toBe(text);
  });

  test('every format says "unknown" when the value is not known, never 0 and never infinity', () => {
    for (const format of [formatBytes, formatRate, formatPercent, formatDuration]) {
      for (const value of [null, Number.NaN, Number.POSITIVE_INFINITY, -1]) expect(format(value)).toBe('unknown');
    }
    expect(formatCount(null, 'entry', 'entries')).toBe('unknown entries');
  });

  test('formatPercent() says 100 % only when it is whole and never 0 % when there is something', () => {
    expect([0, 0.0001, 0.634, 0.9999, 1].map(formatPercent)).toEqual(['0 %', '<1 %', '63 %', '99 %', '100 %']);
  });

  test('formatDuration() and formatByteRange() are short', () => {
    expect([900, 59_999, 720_000, 7_500_000, 90_000_000].map(formatDuration)).toEqual([
      '0 s',
      '59 s',
      '12 min',
      '2 h 05 min',
      '1 d 01 h',
    ]);
    expect(formatByteRange(40e6, 44e6)).toBe('40–44 MB');
    expect(formatByteRange(0, 466_297)).toBe('0–466 kB');
  });

  test('formatSince() names the moment and how long it is, and the day only when it was another', () => {
    const at = Date.UTC(2026, 10, 20, 11, 50, 0);
    expect(formatSince(at, nowMs, 'UTC')).toBe('11:50 UTC (14 min)');
    expect(formatSince(nowMs - 5_000, nowMs, 'UTC')).toBe('12:04 UTC (less than a minute)');
    expect(formatSince(at - 49 * 3_600_000, nowMs, 'UTC')).toBe('2026-11-18 10:50 UTC (2 d 01 h)');
    // The clock was set back meanwhile.
    expect(formatSince(nowMs + 60_000, nowMs, 'UTC')).toBe('12:05 UTC (less than a minute)');
  });

  test('a moment is told in the zone of the visitor, which is named where it is not known', () => {
    expect(formatMoment(nowMs, 'UTC')).toBe('2026-11-20 12:04:31 UTC');
    expect(formatMoment(nowMs, 'Asia/Kolkata')).toBe('2026-11-20 17:34:31');
    expect(formatSince(Date.UTC(2026, 10, 20, 23), Date.UTC(2026, 10, 22), 'Europe/Vienna')).toBe(
      '2026-11-21 00:00 (1 d 01 h)',
    );
    expect(formatClock(nowMs, true, 'America/New_York')).toBe('11-20 07:04');
    for (const [told, zone] of [
      ['Europe/Vienna', 'Europe/Vienna'],
      ['Nowhere/Land', 'UTC'],
      ['x'.repeat(5_000), 'UTC'],
      [undefined, 'UTC'],
    ] as const) {
      expect(knownTimeZone(told)).toBe(zone);
    }
  });

  test('formatSentence() makes a sentence and leaves one as it is', () => {
    expect(formatSentence('make room on the disk')).toBe('Make room on the disk.');
    expect(formatSentence('Why not?')).toBe('Why not?');
  });
});

describe('chunk map', () => {
  const runsOf = (sizeBytes: number, ranges: ByteRange[], inFlight: ByteRange[] = []) =>
    chunkMapRuns({ sizeBytes, ranges, inFlight });

  test('chunkMapRuns() is one run for a whole file of any size, and none for nothing', () => {
    for (const size of [1, 7, 239, 240, 241, 466_297, 60e9 + 1]) {
      expect(runsOf(size, [[0, size]])).toEqual([{ state: 'whole', start: 0, width: chunkMapWidth }]);
      expect(runsOf(size, [])).toEqual([]);
    }
    expect(runsOf(0, [[0, 0]])).toEqual([]);
  });

  test('chunkMapRuns() puts half-open ranges where they are', () => {
    const bucket = 1000;
    const size = chunkMapWidth * bucket;
    expect(
      runsOf(size, [
        [0, 10 * bucket],
        [10 * bucket, 12 * bucket],
        [100 * bucket, 101 * bucket + 1],
        [size - 1, size],
      ]),
    ).toEqual([
      { state: 'whole', start: 0, width: 12 },
      { state: 'whole', start: 100, width: 1 },
      { state: 'partly', start: 101, width: 1 },
      { state: 'partly', start: 239, width: 1 },
    ]);
  });

  test('chunkMapRuns() shows what is in flight where it is not whole yet', () => {
    const bucket = 1000;
    expect(runsOf(chunkMapWidth * bucket, [[0, 2500]], [[1000, 5000]])).toEqual([
      { state: 'whole', start: 0, width: 2 },
      { state: 'in-flight', start: 2, width: 3 },
    ]);
  });

  test('chunkMapRuns() says whole exactly where every byte is there, against a byte by byte model', () => {
    const size = chunkMapWidth * 3 + 7;
    for (let seed = 1; seed < 60; seed += 1) {
      const start = (seed * 37) % size;
      const end = Math.min(size, start + ((seed * 101) % size));
      const painted = new Array<string>(chunkMapWidth).fill('missing');
      for (const run of runsOf(size, [[start, end]])) painted.fill(run.state, run.start, run.start + run.width);
      for (const [bucket, state] of painted.entries()) {
        const low = (bucket * size) / chunkMapWidth;
        const high = ((bucket + 1) * size) / chunkMapWidth;
        const whole = start <= low && end >= high;
        const touched = start < high && end > low;
        expect(state).toBe(whole ? 'whole' : touched ? 'partly' : 'missing');
      }
    }
  });

  test('describeChunkMap() says in words what the strip shows', () => {
    const map = { sizeBytes: 25.3e6, inFlight: [] };
    const ranges: ByteRange[] = [
      [0, 12e6],
      [20e6, 24e6],
    ];
    expect(describeChunkMap({ ...map, ranges })).toBe('63 % cached: 0–12 MB, 20–24 MB');
    expect(describeChunkMap({ ...map, ranges: [], inFlight: [[0, 2e6]] })).toBe('Nothing cached; in flight: 0–2 MB');
    const many = Array.from({ length: 30 }, (_, index): ByteRange => [index * 2000, index * 2000 + 1000]);
    expect(describeChunkMap({ ...map, ranges: many })).toEndWith(' and 24 more');
  });
});

describe('ProblemPage', () => {
  test('says what happened and what to do, and keeps hostile text as text', () => {
    const html = renderPage(
      <ProblemPage
        page={pageContext()}
        status={421}
        title={hostile}
        whatHappened="The name is not allowed"
        whatToDo={['Allow it']}
        snippet="LARDER_ALLOWED_HOSTS=nas"
      />,
    );
    expect(html).toStartWith('<!doctype html>');
    for (const text of ['The name is not allowed', 'Allow it', 'LARDER_ALLOWED_HOSTS=nas', '421']) {
      expect(html).toContain(text);
    }
    expect(html).not.toContain('<img src=x');
    expect(html).not.toContain('hx-sse:connect');
  });
});
