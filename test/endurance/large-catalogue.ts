// npm run large-catalogue     How long a sync of 100,000 files takes, what it does to memory and to whoever waits for
// the main thread meanwhile: a first one, one that finds nothing new, and one in which a tenth has changed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { systemClock } from '../../src/clock.ts';
import { CatalogueTable } from '../../src/db/catalogue.ts';
import { CatalogueSync } from '../../src/library/catalogue-sync.ts';
import { CATALOGUE_REQUESTS } from '../../src/limits.ts';
import { createLog } from '../../src/log.ts';
import { HttpCatalogue } from '../../src/sources/http-catalogue.ts';
import { HttpListings } from '../../src/sources/http-listings.ts';
import { HttpSource } from '../../src/sources/http-source.ts';
import { OriginClient } from '../../src/sources/origin-client.ts';
import { openCacheDatabase } from '../support/cache-database.ts';
import { catalogueOf } from '../support/source-services.ts';
import { readFlags } from './command-line.ts';

const flags = readFlags(
  'large-catalogue',
  {
    files: { fallback: 100_000, says: 'files' },
    folders: { fallback: 2_000, says: 'folders that they lie in; 1 puts them all in one' },
  },
  {},
);
const origin = spawn(
  process.execPath,
  [new URL('large-catalogue-origin.ts', import.meta.url).pathname, String(flags.files), String(flags.folders)],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
process.once('exit', () => origin.kill());
const [line] = (await once(createInterface({ input: origin.stdout }), 'line')) as [string];
const url = `http://127.0.0.1:${line}/`;

await using cache = await openCacheDatabase();
const { id } = await cache.sources.declare('films', url, systemClock.nowMs());
const table = new CatalogueTable(cache.database.tables);
const listings = new HttpListings({ client: new OriginClient(systemClock), ownPort: () => 0, clock: systemClock });
const catalogue = new HttpCatalogue(new HttpSource(id, 'films', { url, credentials: null, local: true }), listings);
const log = createLog({ level: 'warning', write: (line) => console.error(line), nowMs: () => systemClock.nowMs() });

async function measure(what: string): Promise<void> {
  const row = await table.startRound(id, systemClock.nowMs());
  const sync = new CatalogueSync(catalogue, row, {
    table,
    media: catalogueOf(cache, systemClock),
    atOnce: () => CATALOGUE_REQUESTS,
    answered: () => undefined,
    clock: systemClock,
    log,
  });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let peakBytes = 0;
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  }, 50);
  const startedMs = performance.now();
  await sync.run(row.round);
  const seconds = (performance.now() - startedMs) / 1_000;
  clearInterval(timer);
  delay.disable();
  const { seen, added, changed, missing } = sync.counts;
  console.log(
    `${what.padEnd(22)}${seconds.toFixed(1).padStart(6)} s  peak ${(peakBytes / 1e6).toFixed(0)} MB  loop held up at most ${(delay.max / 1e6).toFixed(0)} ms, p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms  seen ${seen}, added ${added}, changed ${changed}, missing ${missing}`,
  );
}

console.log(
  `${flags.files} files in ${flags.folders} folders; ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB before`,
);
await measure('first');
await measure('nothing new');
await fetch(`${url}change`);
await measure('a tenth has changed');
origin.kill();
