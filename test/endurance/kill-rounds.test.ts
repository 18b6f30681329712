// A small version of `npm run kill-rounds`.
import { expect, test } from 'bun:test';
import { testSeed } from '../support/random.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { MIB } from './film.ts';
import { KillRounds } from './kill-rounds-run.ts';

const ROUNDS = 6;
/** At most the unrecorded tail of each fetch comes again. */
const BOUND_BYTES = 4 * MIB;

test('kill -9 at any moment: what is recorded is there and right, and little has to be fetched again', async () => {
  await using folder = await temporaryFolder();
  const run = new KillRounds({
    rounds: ROUNDS,
    seed: testSeed,
    filmCount: 6,
    films: {
      leastBytes: 1 * MIB,
      mostBytes: 12 * MIB,
      oddOneIn: 4,
      bytesPerSecond: [10e6, 40e6, Number.POSITIVE_INFINITY],
      latencyMostMs: 40,
    },
    boundBytes: BOUND_BYTES,
    killWithinMs: 400,
    folder: folder.path,
    report: () => undefined,
  });
  await run.run().catch((error: unknown) => {
    throw new Error(`LARDER_TEST_SEED=${testSeed}, round ${run.summary.rounds}: ${error}`, { cause: error });
  });
  expect(run.summary.kills).toBeGreaterThanOrEqual(ROUNDS);
  expect(run.summary.jobsAtKills).toBeGreaterThan(0);
  expect(run.summary.verifiedBytes).toBeGreaterThan(0);
}, 60_000);
