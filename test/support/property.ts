// Properties run from a fixed seed, so that every run is the same; fast-check prints seed and path of a counterexample.
// A longer or another run: LARDER_TEST_SEED=7 LARDER_TEST_RUNS=20000 node .ci/bun.mjs test test/fuzz
import { testSeed } from './random.ts';

const runsOverride = Number(process.env.LARDER_TEST_RUNS ?? 0);

export function runs(count: number): { seed: number; numRuns: number } {
  return { seed: testSeed, numRuns: runsOverride > 0 ? runsOverride : count };
}
