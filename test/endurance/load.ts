// npm run load -- --seconds 120 --readers 500 --films 50 --cuts 10000     exit code 1: wrong bytes, a leak, or a slope
import { temporaryFolder } from '../support/temporary-folder.ts';
import { readFlags } from './command-line.ts';
import { endOnSignal } from './end-on-signal.ts';
import { MIB } from './film.ts';
import { findSlopes } from './flatness.ts';
import { findLeaks, footprintTable } from './leaks.ts';
import { LoadRun } from './load-run.ts';
import { windowTable } from './load-windows.ts';

const flags = readFlags(
  'load',
  {
    seconds: { fallback: 120, says: 'how long the readers read' },
    windows: { fallback: 10, says: 'parts of that time that are compared, an even number' },
    cache: { fallback: 8, says: 'GiB that Larder may keep' },
    readers: { fallback: 500, says: 'readers at the same time' },
    wait: { fallback: 0, says: 'ms that a reader waits at most between two requests' },
    films: { fallback: 50, says: 'films that they choose from, 4 to 40 MiB each' },
    cuts: { fallback: 10_000, says: 'requests that are cut at once afterwards' },
    seed: { fallback: 1, says: 'everything random comes from it' },
  },
  {},
);
await using folder = await temporaryFolder();
endOnSignal(folder.path);
if (flags.windows < 2 || flags.windows % 2 !== 0) {
  console.error(`--windows ${flags.windows} is no even number`);
  process.exit(2);
}
const run = new LoadRun({
  ...flags,
  waitMostMs: flags.wait,
  cacheSize: `${flags.cache}GiB`,
  leastBytes: 4 * MIB,
  mostBytes: 40 * MIB,
  quietMs: 5_000,
  quietLimitMs: 90_000,
  folder: folder.path,
  report: console.log,
});
try {
  const result = await run.run();
  const { watched, cutRequests, originRequests } = result;
  console.log(`\n${footprintTable(result)}\n\n${windowTable(result.windows)}\n`);
  console.log(
    `${watched.requests} requests, ${(watched.bytes / 1e6).toFixed(0)} MB, every byte right; ${watched.refusals} gave up after 30 s; ` +
      `${cutRequests} cut at once; ${originRequests} requests at the origin`,
  );
  const leaks = findLeaks(result);
  for (const leak of leaks) console.error(`LEAK, seed ${flags.seed}: ${leak}`);
  const slopes = findSlopes(result.windows);
  for (const slope of slopes) console.error(`NOT FLAT, seed ${flags.seed}: ${slope}`);
  if (leaks.length + slopes.length > 0) process.exitCode = 1;
} catch (error) {
  console.error(`seed ${flags.seed}: ${error instanceof Error ? error.stack : error}`);
  process.exitCode = 1;
}
