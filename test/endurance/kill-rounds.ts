// npm run kill-rounds -- --rounds N --seed S     exit code 0: everything held; 1: it did not, with seed and reason
import { temporaryFolder } from '../support/temporary-folder.ts';
import { readFlags } from './command-line.ts';
import { endOnSignal } from './end-on-signal.ts';
import { MIB } from './film.ts';
import { KillRounds } from './kill-rounds-run.ts';
import { summaryText } from './kill-summary.ts';

const flags = readFlags(
  'kill-rounds',
  {
    rounds: { fallback: 60, says: 'rounds' },
    seed: { fallback: 1, says: 'everything random comes from it' },
    films: { fallback: 8, says: 'films of 6 to 40 MiB' },
    bound: { fallback: 4 * MIB, says: 'bytes that a kill may lose of one fetch job' },
  },
  { verbose: 'a line for each round' },
);

await using folder = await temporaryFolder();
endOnSignal(folder.path);
const run = new KillRounds({
  rounds: flags.rounds,
  seed: flags.seed,
  filmCount: flags.films,
  films: {
    leastBytes: 6 * MIB,
    mostBytes: 40 * MIB,
    oddOneIn: 5,
    bytesPerSecond: [4e6, 15e6, 60e6, Number.POSITIVE_INFINITY],
    latencyMostMs: 80,
  },
  boundBytes: flags.bound,
  killWithinMs: 800,
  folder: folder.path,
  report: (line) => {
    if (flags.verbose) console.log(line);
  },
});
try {
  await run.run();
} catch (error) {
  console.error(`seed ${flags.seed}, round ${run.summary.rounds}: ${error instanceof Error ? error.stack : error}`);
  process.exitCode = 1;
}
console.log(summaryText(run.summary, flags.seed));
