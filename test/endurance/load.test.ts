// A small version of `npm run load`.
import { expect, test } from 'bun:test';
import { testSeed } from '../support/random.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { MIB } from './film.ts';
import { findLeaks } from './leaks.ts';
import { LoadRun } from './load-run.ts';

const READERS = 60;
const CUTS = 500;

test('many readers, and many that leave at once: every byte is right, and nothing is left behind', async () => {
  await using folder = await temporaryFolder();
  const run = new LoadRun({
    seconds: 6,
    windows: 4,
    cacheSize: '2GiB',
    readers: READERS,
    waitMostMs: 0,
    films: 20,
    cuts: CUTS,
    seed: testSeed,
    leastBytes: 1 * MIB,
    mostBytes: 8 * MIB,
    quietMs: 500,
    quietLimitMs: 20_000,
    folder: folder.path,
    report: () => undefined,
  });
  const result = await run.run().catch((error: unknown) => {
    throw new Error(`LARDER_TEST_SEED=${testSeed}: ${error}`, { cause: error });
  });
  expect(findLeaks(result)).toEqual([]);
  expect(result.watched.requests).toBeGreaterThanOrEqual(READERS);
  expect(result.watched.bytes).toBeGreaterThan(0);
  // Whether these few seconds are flat says nothing.
  expect(result.windows.length).toBe(4);
  for (const { requests, held } of result.windows) {
    expect(requests).toBeGreaterThan(0);
    expect(held.proportionalBytes).toBeGreaterThan(1e6);
  }
}, 120_000);
