import { describe, expect, test } from 'bun:test';
import type { GetResult } from './checked-get.ts';
import { findSlopes } from './flatness.ts';
import type { Footprint } from './footprint.ts';
import { type LoadWindow, LoadWindows, windowTable } from './load-windows.ts';

const HELD = { proportionalBytes: 100e6, residentBytes: 150e6, descriptors: 80, threads: 20 };
const FEW_MS = Array.from({ length: 100 }, (_, index) => 1 + index / 50);

function windows(change: (index: number) => Partial<LoadWindow>): LoadWindow[] {
  return Array.from({ length: 10 }, (_, index) => ({
    requests: 100,
    warmMs: FEW_MS,
    coldMs: FEW_MS,
    held: HELD,
    ...change(index),
  }));
}

describe('findSlopes()', () => {
  test('finds nothing where windows differ by chance only', () => {
    const wobbling = windows((index) => ({ held: { ...HELD, proportionalBytes: 100e6 + (index % 3) * 10e6 } }));
    expect(findSlopes(wobbling)).toEqual([]);
  });

  test('finds memory, descriptors and threads that grow', () => {
    expect(findSlopes(windows((index) => ({ held: { ...HELD, proportionalBytes: 100e6 + index * 10e6 } })))).toEqual([
      'memory (PSS), MB: 120.0 at first, 180.0 at last',
    ]);
    const leaking = windows((index) => ({ held: { ...HELD, descriptors: 80 + index * 10, threads: 20 + index * 3 } }));
    expect(findSlopes(leaking).map((slope) => slope.split(':')[0])).toEqual(['descriptors', 'threads']);
  });

  test('finds first bytes that take longer and longer, and those of few requests not', () => {
    const slower = windows((index) => ({ warmMs: FEW_MS.map((ms) => ms * (1 + 5 * index)) }));
    expect(findSlopes(slower)).toHaveLength(2);
    expect(findSlopes(windows((index) => ({ warmMs: [index * 100] })))).toEqual([]);
  });

  test('does not look at the first window, in which everything is made', () => {
    expect(findSlopes(windows((index) => (index === 0 ? {} : { held: { ...HELD, threads: 60 } })))).toEqual([]);
  });
});

describe('LoadWindows', () => {
  const footprint: Footprint = {
    descriptors: new Map([['chunk files', 3]]),
    threads: new Map([['larder', 4]]),
    children: 0,
    residentBytes: 2e6,
    proportionalBytes: 1e6,
  };
  const result = (cache: string, firstByteMs: number | null): GetResult => ({
    status: 206,
    cache,
    version: 1,
    start: 0,
    bodyBytes: 10,
    headMs: firstByteMs,
    firstByteMs,
    ending: 'whole',
    silentMs: 0,
  });

  test('sorts waits into warm and cold, and means what was held', () => {
    const load = new LoadWindows();
    load.addRequest(result('HIT', 1), true);
    load.addRequest(result('MISS', 20), true);
    load.addRequest(result('MISS', 9_000), false);
    load.addRequest(result('PARTIAL', 3), true);
    load.addRequest(result('MISS', null), true);
    load.addLook(footprint);
    load.addLook({ ...footprint, proportionalBytes: 3e6 });
    load.close();
    expect(load.windows).toEqual([
      {
        requests: 5,
        warmMs: [1],
        coldMs: [20],
        held: { proportionalBytes: 2e6, residentBytes: 2e6, descriptors: 3, threads: 4 },
      },
    ]);
  });

  test('a window begins with nothing, and one without samples has none in the table', () => {
    const load = new LoadWindows();
    load.addRequest(result('HIT', 1), true);
    load.close();
    load.addLook(footprint);
    load.close();
    expect(load.windows[1]).toMatchObject({ requests: 0, warmMs: [], coldMs: [] });
    expect(windowTable(load.windows)).toContain('| warm, median ms | 1.0 | – |');
  });
});
