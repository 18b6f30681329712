// A fixed set of seeds of survival.ts; `npm run simulate -- --seeds N` runs as many as wanted.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { DatabaseDisk } from '../support/database-disk.ts';
import { testSeed } from '../support/random.ts';
import { simulate } from './survival.ts';

const SEEDS = Number(process.env.LARDER_TEST_RUNS ?? 0) || 150;
const SEEDS_PER_TEST = 30;

let disk: DatabaseDisk;

beforeAll(async () => {
  disk = await DatabaseDisk.create();
});

afterAll(() => disk[Symbol.asyncDispose]());

describe('a machine that loses power, is killed, and whose disk fails', () => {
  for (let first = 0; first < SEEDS; first += SEEDS_PER_TEST) {
    const count = Math.min(SEEDS_PER_TEST, SEEDS - first);
    test(`seeds ${testSeed + first} to ${testSeed + first + count - 1}: no wrong byte, no byte over the cap, and all ends at rest`, async () => {
      for (let seed = testSeed + first; seed < testSeed + first + count; seed++) {
        const { lives } = await simulate(seed, disk).catch((error: unknown) => {
          throw new Error(`npm run simulate -- --seeds 1 --from ${seed}: ${String(error)}`, { cause: error });
        });
        expect(lives).toBeGreaterThan(1);
      }
    }, 60_000);
  }
});
