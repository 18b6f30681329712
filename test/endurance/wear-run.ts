// One way of filling a cache, in a life of its own: what the disk had to take for what was kept in the end.
import { createRandom } from '../support/random.ts';
import { readCacheRows } from './cache-rows.ts';
import { checkedGet, Violation } from './checked-get.ts';
import { type Film, MIB } from './film.ts';
import { FilmOrigin } from './film-origin.ts';
import { LarderProcess } from './larder-process.ts';
import { readProcessIo } from './process-io.ts';
import { WriteTrace } from './write-trace.ts';

export interface WearWay {
  readonly name: string;
  readonly films: readonly Film[];
  /** What a viewer reads, one after the other. */
  readonly reads: readonly WearRead[];
  /** Ends the last of them. */
  readonly seconds?: number;
}

export interface WearRead {
  readonly film: Film;
  readonly range?: { readonly start: number; readonly end: number | null };
  readonly leaveAfter?: number;
  /** As a player does that shows it; as fast as it comes without. */
  readonly bytesPerSecond?: number;
}

export interface WearOptions {
  readonly seed: number;
  /** Nobody reads for so long afterwards: what is written down now and then is. */
  readonly idleMs: number;
  /** Empty; on a real disk. */
  readonly folder: string;
  readonly isTraced: boolean;
}

export interface WearResult {
  readonly name: string;
  /** What the rows have in the end. */
  readonly cachedBytes: number;
  /** Of the disk, until it listened: a new data folder. */
  readonly startBytes: number;
  /** Of the disk from then on: until it was idle, in the idle time, and for its stop. */
  readonly fillBytes: number;
  readonly idleBytes: number;
  readonly stopBytes: number;
  readonly cancelledBytes: number;
  /** Of its write calls; null unless they were traced. */
  readonly bytesByKind: ReadonlyMap<string, number> | null;
}

export function wearOf({ fillBytes, idleBytes, stopBytes, cachedBytes }: WearResult): number {
  return (fillBytes + idleBytes + stopBytes) / cachedBytes;
}

const SOURCE = 'films';
/** The start goes on for a moment after it listens (ballast), and a fetch after its reader has left. */
const SETTLE_MS = 2_000;

const ALL_FAST = Number.POSITIVE_INFINITY;
const HOME_LINE_BYTES_PER_SECOND = 12.5e6;

export function fastFilms(bytes: number): WearWay {
  const filmBytes = 256 * MIB;
  const films = Array.from({ length: Math.max(1, Math.round(bytes / filmBytes)) }, (_, index) =>
    seekableFilm(`whole-${index}.mkv`, Math.min(bytes, filmBytes), ALL_FAST),
  );
  return { name: 'whole films, fast origin', films, reads: films.map((film) => ({ film })) };
}

export function thinFilm(bytesPerSecond: number, seconds: number): WearWay {
  const film = seekableFilm('thin.mkv', bytesPerSecond * (seconds + 60), bytesPerSecond);
  return {
    name: `one film, ${(bytesPerSecond / 1e6).toFixed(1)} MB/s a connection`,
    films: [film],
    reads: [{ film }],
    seconds,
  };
}

/** Somebody watches at home: what is ahead of the player is fetched in bursts, over a line of 100 Mbit/s. */
export function playedFilm(bytesPerSecond: number, seconds: number): WearWay {
  const film = seekableFilm('played.mkv', bytesPerSecond * (seconds + 60), HOME_LINE_BYTES_PER_SECOND);
  const name = `one film, played at ${(bytesPerSecond / 1e6).toFixed(1)} MB/s`;
  return { name, films: [film], reads: [{ film, bytesPerSecond }], seconds };
}

/** A player that jumps about: reads some megabytes wherever it lands. */
export function seeks(count: number, seed: number): WearWay {
  const film = seekableFilm('sought.mkv', 1024 * MIB, ALL_FAST);
  const random = createRandom(seed);
  const reads = Array.from({ length: count }, () => ({
    film,
    range: { start: random.between(0, film.firstBytes - 8 * MIB), end: null },
    leaveAfter: random.between(MIB / 4, 4 * MIB),
  }));
  return { name: 'seeks, ¼ to 4 MiB each', films: [film], reads };
}

/** Pieces far apart, each a range of its own: what they cost has nothing to be shared among. */
export function pieces(count: number, seed: number): WearWay {
  const film = seekableFilm('pieces.mkv', 4096 * MIB, ALL_FAST);
  const random = createRandom(seed + 1);
  const reads = Array.from({ length: count }, () => {
    const start = random.between(0, film.firstBytes - MIB);
    return { film, range: { start, end: start + 64 * 1024 } };
  });
  return { name: 'pieces of 64 KiB', films: [film], reads };
}

function seekableFilm(path: string, firstBytes: number, bytesPerSecond: number): Film {
  return { path, kind: 'seekable', firstBytes: Math.round(firstBytes), latencyMs: 5, bytesPerSecond };
}

/** @throws Violation when a byte was wrong */
export async function runWear(way: WearWay, options: WearOptions): Promise<WearResult> {
  const { seed, folder, idleMs, isTraced } = options;
  using origin = new FilmOrigin({ seed, findFilm: (path) => way.films.find((film) => film.path === path) ?? null });
  const dataFolder = `${folder}/data`;
  // What a process wrote is added to its parent's account when it ends, and this one writes to no disk meanwhile.
  const before = readProcessIo(process.pid);
  await using larder = new LarderProcess(dataFolder, ['--source', `${SOURCE}=${origin.url}`]);
  const port = await larder.listening();
  await Bun.sleep(SETTLE_MS);
  const trace = isTraced ? await WriteTrace.attach(larder.pid) : null;
  const started = readProcessIo(larder.pid);
  await readAll(way, port, seed);
  await Bun.sleep(SETTLE_MS);
  const filled = readProcessIo(larder.pid);
  await Bun.sleep(idleMs);
  const idle = readProcessIo(larder.pid);
  await larder.terminate();
  await trace?.ended;
  const after = readProcessIo(process.pid);
  const rows = await readCacheRows({
    dataFolder,
    scratchFile: `${folder}/rows.db`,
    source: SOURCE,
    checkIntegrity: false,
  });
  const ranges = [...rows.films.values()].flatMap((film) => film.ranges);
  return {
    name: way.name,
    cachedBytes: ranges.reduce((sum, range) => sum + range.end - range.start, 0),
    startBytes: started.diskBytes,
    fillBytes: filled.diskBytes - started.diskBytes,
    idleBytes: idle.diskBytes - filled.diskBytes,
    stopBytes: after.diskBytes - before.diskBytes - idle.diskBytes,
    cancelledBytes: after.cancelledBytes - before.cancelledBytes,
    bytesByKind: trace?.sums.bytesByKind ?? null,
  };
}

async function readAll(way: WearWay, port: number, seed: number): Promise<void> {
  const over = new AbortController();
  const timer = way.seconds === undefined ? undefined : setTimeout(() => over.abort(), way.seconds * 1_000);
  try {
    for (const read of way.reads) {
      const { bytesPerSecond, ...asked } = read;
      const pace = bytesPerSecond === undefined ? {} : { pauseMs: paceOf(bytesPerSecond) };
      const result = await checkedGet({ port, source: SOURCE, seed, signal: over.signal, ...asked, ...pace });
      if (result.ending === 'cut' || result.ending === 'refused' || result.status >= 300) {
        throw new Violation(`${read.film.path} got ${JSON.stringify(result)} from a healthy origin`);
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Of whoever reads at that rate: how long it rests once so many bytes have come. */
function paceOf(bytesPerSecond: number): (receivedBytes: number) => number {
  const startedAtMs = performance.now();
  return (receivedBytes) => (receivedBytes * 1_000) / bytesPerSecond - (performance.now() - startedAtMs);
}
