// npm run simulate -- --seeds N [--from SEED]: as many seeds of survival.ts as wanted. Stops at the first that fails.
import { DatabaseDisk } from '../support/database-disk.ts';
import { simulate } from './survival.ts';

const DEFAULT_SEEDS = 1_000;
const REPORT_EVERY = 1_000;

function numberOf(name: string, fallback: number): number {
  const at = process.argv.indexOf(`--${name}`);
  const value = at < 0 ? fallback : Number(process.argv[at + 1]);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`--${name} takes a whole number`);
  process.exit(2);
}

const count = numberOf('seeds', DEFAULT_SEEDS);
const from = numberOf('from', 1);
const startedAt = performance.now();
const total = { lives: 0, servedBytes: 0, evictions: 0, damages: 0 };
await using disk = await DatabaseDisk.create();
for (let seed = from; seed < from + count; seed++) {
  try {
    const run = await simulate(seed, disk);
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += run[name];
  } catch (error) {
    console.error(`seed ${seed} failed (npm run simulate -- --seeds 1 --from ${seed})`);
    console.error(error);
    process.exitCode = 1;
    break;
  }
  const done = seed - from + 1;
  if (done % REPORT_EVERY === 0 || done === count) {
    const seconds = (performance.now() - startedAt) / 1_000;
    const megabytes = (total.servedBytes / 1e6).toFixed(0);
    console.log(
      `${done} seeds in ${seconds.toFixed(0)} s: ${total.lives} lives, ${megabytes} MB served and checked, ${total.evictions} evictions, ${total.damages} turned bits`,
    );
  }
}
