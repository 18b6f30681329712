// npm run large-library     How long a sync of a Jellyfin or Plex server with 100,000 films and episodes takes, what it does
// to memory and to whoever waits for the main thread meanwhile: a first one, one that finds nothing new, one that reads all
// of it again, and one with a hundred changes. And what it takes to find the bytes of a file that is known.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { systemClock } from '../../src/clock.ts';
import { CatalogueTable } from '../../src/db/catalogue.ts';
import { CatalogueSync } from '../../src/library/catalogue-sync.ts';
import { CATALOGUE_REQUESTS } from '../../src/limits.ts';
import { createLog } from '../../src/log.ts';
import type { MediaSource, SourceTarget } from '../../src/sources/media-source.ts';
import { openCacheDatabase } from '../support/cache-database.ts';
import { PASSWORD } from '../support/jellyfin/source-services.ts';
import { createRandom } from '../support/random.ts';
import { allKinds, catalogueOf, sourceServices } from '../support/source-services.ts';
import { readFlags } from './command-line.ts';

const flags = readFlags(
  'large-library',
  {
    items: { fallback: 100_000, says: 'films and episodes' },
    latency: { fallback: 0, says: 'ms before each answer of the server' },
    resolves: { fallback: 10_000, says: 'files that are looked for at the end' },
  },
  {},
  { kind: ['jellyfin', 'plex'] },
);
const kind = flags.kind === 'plex' ? 'plex' : 'jellyfin';

const server = spawn(
  process.execPath,
  [new URL('large-library-server.ts', import.meta.url).pathname, kind, String(flags.items), String(flags.latency)],
  { stdio: ['pipe', 'pipe', 'inherit'] },
);
process.once('exit', () => server.kill());
const lines = createInterface({ input: server.stdout });
const [url] = (await once(lines, 'line')) as [string];

/** @returns how many requests the server has had */
async function tellServer(what: 'change' | 'count'): Promise<number> {
  const answer = once(lines, 'line');
  server.stdin.write(`${what}\n`);
  return Number((await answer)[0]);
}

await using cache = await openCacheDatabase();
const { tables } = cache.database;
const table = new CatalogueTable(tables);
const catalogue = catalogueOf(cache, systemClock);
const log = createLog({ level: 'warning', write: (line) => console.error(line), nowMs: () => systemClock.nowMs() });
const services = sourceServices({ catalogue, log });
const definition = await allKinds(services)(kind);
const row = await cache.sources.ensure('server', kind, url, systemClock.nowMs());
const target: SourceTarget = {
  url: definition.parseUrl(url).url,
  credentials: definition.parseCredentials(kind === 'plex' ? { token: 'plex-token' } : PASSWORD),
  local: true,
  options: definition.parseOptions({}, null, services.randomId),
};
const source: MediaSource = definition.create(row.id, row.name, target, services);

/** Most memory that the process ever had since the last call, in bytes (proc(5), clear_refs and VmHWM). */
function takePeakBytes(): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  writeFileSync('/proc/self/clear_refs', '5');
  return Number(kilobytes) * 1024;
}

interface Turns {
  /** Sorted. */
  readonly wallMs: readonly number[];
  readonly processorMs: readonly number[];
}

/**
 * How long whoever waits for the main thread was held up, between two calls of a timer of 1 ms: as it was, and in processor
 * time of that thread, in which what other processes of the machine take does not count. The kernel adds that up in steps
 * of up to 4 ms.
 */
function watchTurns(): () => Turns {
  const wallMs: number[] = [];
  const processorMs: number[] = [];
  let lastMs = performance.now();
  let last = process.threadCpuUsage();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    const now = process.threadCpuUsage();
    wallMs.push(nowMs - lastMs);
    processorMs.push((now.user + now.system - last.user - last.system) / 1_000);
    [lastMs, last] = [nowMs, now];
  }, 1);
  return () => {
    clearInterval(timer);
    for (const times of [wallMs, processorMs]) times.sort((one, other) => one - other);
    return { wallMs, processorMs };
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

async function measureSync(what: string): Promise<void> {
  const before = await tellServer('count');
  const round = await table.startRound(row.id, systemClock.nowMs());
  const sync = new CatalogueSync(source.openCatalogue(), round, {
    table,
    media: catalogue,
    atOnce: () => CATALOGUE_REQUESTS,
    answered: () => undefined,
    clock: systemClock,
    log,
  });
  takePeakBytes();
  const endTurns = watchTurns();
  const processor = process.cpuUsage();
  const startedMs = performance.now();
  await sync.run(round.round);
  const seconds = (performance.now() - startedMs) / 1_000;
  const { wallMs, processorMs } = endTurns();
  const { user, system } = process.cpuUsage(processor);
  const { seen, added, changed, missing } = sync.counts;
  const requests = (await tellServer('count')) - before;
  const [held, spentMs] = [wallMs, processorMs].map((times) =>
    [0.99, 1].map((part) => quantile(times, part).toFixed(1)).join(' and '),
  );
  const spent = `${seconds.toFixed(1).padStart(6)} s (${((user + system) / 1e6).toFixed(1)} s of processor time)`;
  console.log(
    `${what.padEnd(20)}${spent}, at most ${megabytes(takePeakBytes())}, held up p99 and most ${held} ms (${spentMs} ms of processor time), ${requests} requests: seen ${seen}, added ${added}, changed ${changed}, missing ${missing}`,
  );
}

async function measureResolves(): Promise<void> {
  const paths = (await cache.rows("SELECT path FROM cache_quality_variants WHERE quality = 'original'")).map(
    ({ path }) => String(path),
  );
  const random = createRandom(7);
  const times: number[] = [];
  const find = (path: string) => source.resolve(source.describe(path), { isFresh: false, isBackground: false });
  // The first calls are compiled while they run.
  for (const path of paths.slice(0, 1_000)) await find(path);
  const before = await tellServer('count');
  for (let round = 0; round < flags.resolves; round += 1) {
    const path = random.pick(paths);
    const startedMs = performance.now();
    await find(path);
    times.push(performance.now() - startedMs);
  }
  const requests = (await tellServer('count')) - before;
  times.sort((one, other) => one - other);
  const [median, most] = [quantile(times, 0.5), quantile(times, 0.99)].map((ms) => `${ms.toFixed(3)} ms`);
  console.log(`${flags.resolves} resolves: median ${median}, p99 ${most}, ${requests} requests`);
}

console.log(`${flags.items} films and episodes at a ${kind} server; ${megabytes(process.memoryUsage.rss())} before`);
await measureSync('first');
await cache.database.client.execute('PRAGMA wal_checkpoint(TRUNCATE)');
const items = (await cache.rows('SELECT COUNT(*) AS count FROM media_items'))[0]?.count;
const { size } = statSync(cache.file);
console.log(`${megabytes(size)} of database: ${(size / Number(items)).toFixed(0)} bytes for each of ${items} items`);
await measureSync('nothing new');
// As after a week, in which it was believed what it said of its changes.
await cache.database.client.execute('UPDATE catalogue_folders SET read_at = NULL');
await measureSync('read whole again');
await tellServer('change');
await measureSync('a hundred changes');
await measureResolves();
server.kill();
