// The side-by-side benchmark: `npm run bench`. Runs each scenario in its own temporary folder, prints a table after
// each, and ends every program it started, also on Ctrl-C and on its own errors. Exit code 0: everything was measured;
// 1: a peer failed or gave wrong bytes; 2: wrong usage. Goals that are not met never change the exit code: a
// benchmark on a shared machine is no test.
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchOptions, parseOptions, USAGE } from './options.ts';
import { larderBinary } from './peers/larder.ts';
import { jsonOf, machineLine, markdownOf, type RunFacts } from './report.ts';
import type { Scenario, ScenarioResult } from './scenario.ts';
import { ScenarioRun } from './scenario-run.ts';
import { SCENARIOS } from './scenarios/all.ts';
import { Belongings } from './system/belongings.ts';
import { requiredCommand } from './system/required-command.ts';
import { within } from './system/within.ts';

const NEEDED_SPACE_BYTES = 8e9;
const TOUCHED_MEMORY_BYTES = 8e9;

const belongings = new Belongings();

function firstLineOf(command: string, ...commandArguments: string[]): string {
  const { stdout, stderr } = spawnSync(command, commandArguments, { encoding: 'utf8', timeout: 10_000 });
  return `${stdout}${stderr}`.split('\n', 1)[0]?.trim() ?? '';
}

// Everything that could be missing is looked for before anything is started.
function findVersions(options: BenchOptions): Record<string, string> {
  const versions: Record<string, string> = {
    bun: `Bun ${Bun.version}`,
    nginx: firstLineOf(requiredCommand('nginx'), '-v'),
  };
  if (options.peerNames.includes('rclone')) versions.rclone = firstLineOf(requiredCommand('rclone'), 'version');
  if (options.peerNames.includes('larder')) versions.larder = firstLineOf(larderBinary(), 'version');
  return versions;
}

function chooseScenarios(names: readonly string[]): readonly Scenario[] {
  const unknown = names.find((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown !== undefined) throw new Error(`No scenario is named "${unknown}", see --list`);
  return names.length === 0 ? SCENARIOS : SCENARIOS.filter((scenario) => names.includes(scenario.name));
}

// See touch-memory-process.ts: the peers should meet memory that the machine has already got.
function touchMemory(): void {
  const program = join(import.meta.dirname, 'system/touch-memory-process.ts');
  const bytes = Math.floor(Math.min(TOUCHED_MEMORY_BYTES, freemem() / 2));
  spawnSync(process.execPath, [program, String(bytes)], { stdio: 'ignore', timeout: 60_000 });
}

async function runScenario(scenario: Scenario, folder: string, options: BenchOptions): Promise<ScenarioResult> {
  const log = (text: string) => {
    if (!options.isQuiet) console.error(text);
  };
  log(`${scenario.name}: ${scenario.description}`);
  const run = new ScenarioRun({
    folder: join(folder, scenario.name),
    contentFolder: join(folder, 'content'),
    peerNames: options.peerNames,
    rounds: options.rounds,
    seed: options.seed,
    adopt: (child) => belongings.adopt(child),
    log,
  });
  const failures = new Map<Parameters<typeof run.failures.get>[0] | 'scenario', string>();
  const startedAtMs = performance.now();
  try {
    await within(scenario.limitSeconds * Math.max(1, options.rounds / 5), scenario.run(run));
  } catch (error) {
    failures.set('scenario', error instanceof Error ? error.message : String(error));
  } finally {
    await run.close();
  }
  for (const [peer, reason] of run.failures) failures.set(peer, reason);
  return { scenario, seconds: (performance.now() - startedAtMs) / 1000, samples: run.samples, failures };
}

async function main(options: BenchOptions): Promise<number> {
  const scenarios = chooseScenarios(options.scenarioNames);
  if (options.isListing) {
    for (const scenario of scenarios) console.log(`${scenario.name}: ${scenario.description}`);
    return 0;
  }
  const facts: RunFacts = {
    startedAt: new Date().toISOString(),
    rounds: options.rounds,
    seed: options.seed,
    peers: options.peerNames,
    versions: findVersions(options),
  };
  const temporaryFolder = await belongings.makeFolder(options.folder ?? tmpdir(), NEEDED_SPACE_BYTES);
  console.log(`# Larder bench\n\n${machineLine()}; ${Object.values(facts.versions).join(', ')}; ${facts.startedAt}\n`);
  console.log(`Medians of ${options.rounds} interleaved rounds (lowest–highest).\n`);
  touchMemory();
  const results: ScenarioResult[] = [];
  for (const scenario of scenarios) {
    const result = await runScenario(scenario, temporaryFolder, options);
    results.push(result);
    console.log(markdownOf(result, options.peerNames));
    if (options.jsonFile !== undefined) await writeFile(options.jsonFile, jsonOf(facts, results));
  }
  return results.some((result) => result.failures.size > 0) ? 1 : 0;
}

function readOptionsOrExit(): BenchOptions {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return process.exit(2);
  }
}

const options = readOptionsOrExit();
try {
  process.exitCode = await main(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
process.exit();
