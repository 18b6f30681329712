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
    readers: READERS,
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
}, 120_000);
