// Properties run from a fixed seed; fast-check prints seed and path of a counterexample. LARDER_TEST_RUNS makes a
// longer run (`LARDER_TEST_SEED=7 LARDER_TEST_RUNS=20000 … test test/fuzz`).
import fc from 'fast-check';
import { testSeed } from './random.ts';

const factor = Number(process.env['LARDER_TEST_RUNS'] ?? 0);

export function holds<Arguments extends unknown[]>(
  property: fc.IRawProperty<Arguments>,
  runs = 300,
): void {
  fc.assert(property as fc.IProperty<Arguments>, { seed: testSeed, numRuns: factor > 0 ? factor : runs });
}

export async function holdsAsync<Arguments extends unknown[]>(
  property: fc.IAsyncProperty<Arguments>,
  runs = 100,
): Promise<void> {
  await fc.assert(property, { seed: testSeed, numRuns: factor > 0 ? factor : runs });
}
