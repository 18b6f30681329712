// How costs grow: `npm run growth`. Measures each curve size by size, each in its own temporary folder, and prints a
// table and what is to be thought of each column. Exit code 0: everything was measured; 1: a size failed or gave wrong
// bytes; 2: wrong usage. A cost that grew too fast does not change it: a measurement on a shared machine is no test.
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { larderBinary } from '../peers/larder.ts';
import { machineLine } from '../report.ts';
import { Belongings } from '../system/belongings.ts';
import { within } from '../system/within.ts';
import type { Curve, CurveResult, Measured } from './curve.ts';
import { CURVES } from './curves/all.ts';
import { GrowthRun } from './growth-run.ts';
import { type GrowthOptions, parseOptions, USAGE } from './options.ts';
import { type GrowthFacts, jsonOf, markdownOf, sizeOf } from './report.ts';

const NEEDED_SPACE_BYTES = 8e9;

function chooseCurves(names: readonly string[]): readonly Curve[] {
  const unknown = names.find((name) => !CURVES.some((curve) => curve.name === name));
  if (unknown !== undefined) throw new Error(`No curve is named "${unknown}", see --list`);
  return names.length === 0 ? CURVES : CURVES.filter((curve) => names.includes(curve.name));
}

async function measureSize(curve: Curve, size: number, run: GrowthRun): Promise<Measured> {
  try {
    return { size, costs: await within(curve.limitSeconds, curve.measure(run, size)) };
  } catch (error) {
    return { size, costs: {}, failure: error instanceof Error ? error.message : String(error) };
  } finally {
    await run.close();
  }
}

async function main(options: GrowthOptions, belongings: Belongings): Promise<number> {
  const curves = chooseCurves(options.curveNames);
  if (options.isListing) {
    for (const curve of curves) console.log(`${curve.name}: ${curve.description}`);
    return 0;
  }
  const version = spawnSync(larderBinary(), ['version'], { encoding: 'utf8', timeout: 10_000 }).stdout.trim();
  const facts: GrowthFacts = { startedAt: new Date().toISOString(), seed: options.seed, version };
  const folder = await belongings.makeFolder(options.folder ?? tmpdir(), NEEDED_SPACE_BYTES);
  console.log(`# How costs grow\n\n${machineLine()}; ${version}; ${facts.startedAt}\n`);
  const results: CurveResult[] = [];
  for (const curve of curves) {
    const measured: Measured[] = [];
    for (const size of curve.sizes.filter((candidate) => candidate <= options.mostSize)) {
      const adopt = belongings.adopt.bind(belongings);
      const run = new GrowthRun({ folder: join(folder, `${curve.name}-${size}`), seed: options.seed, adopt });
      const one = await measureSize(curve, size, run);
      measured.push(one);
      if (options.isQuiet) continue;
      const costs = Object.entries(one.costs).map(([cost, value]) => `${cost} ${Number(value.toPrecision(4))}`);
      console.error(`${curve.name} ${sizeOf(curve, size)}: ${one.failure ?? costs.join(', ')}`);
    }
    const result = { curve, measured };
    results.push(result);
    console.log(markdownOf(result));
    if (options.jsonFile !== undefined) await writeFile(options.jsonFile, jsonOf(facts, results));
  }
  return results.some(({ measured }) => measured.some(({ failure }) => failure !== undefined)) ? 1 : 0;
}

function readOptionsOrExit(): GrowthOptions {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return process.exit(2);
  }
}

const options = readOptionsOrExit();
try {
  process.exitCode = await main(options, new Belongings());
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
process.exit();
