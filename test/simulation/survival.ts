// One seed is one machine over several lives: readers, evictions, changes at the origin, damage and a disk that
// refuses, in virtual time, each life ended by a power cut, a kill or a stop in an arbitrary step, and looked through at
// the next start. What must hold stands at the checks. Used by survival.test.ts and simulate.ts.
import { RangeSet } from '../../src/bytes/range-set.ts';
import { LarderError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { reconcile, removeSuperseded } from '../../src/upkeep/reconcile.ts';
import type { CacheDatabase } from '../support/cache-database.ts';
import { findWrongByte } from '../support/content.ts';
import type { DatabaseDisk } from '../support/database-disk.ts';
import { drainReader, type Engine, startEngine } from '../support/engine.ts';
import { MemoryChunkStore } from '../support/memory-chunk-store.ts';
import { createRandom, type Random } from '../support/random.ts';
import type { VirtualFault } from '../support/virtual-origin.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** A reader that reads to the end has no more to read than this: seeds are to be cheap. */
const TO_END_MAX_BYTES = 500 * KIB;
const EVERYTHING = { start: 0, end: Number.MAX_SAFE_INTEGER };

interface Film {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sequential?: boolean;
  readonly hideLength?: boolean;
  /** Without validators a changed file cannot be told for sure, so that it never changes. */
  readonly isNamed: boolean;
}

const FILMS: readonly Film[] = [
  { path: 'film.mkv', sizeBytes: 2 * MIB + 300 * KIB + 7, isNamed: true },
  { path: 'song.mp3', sizeBytes: 300 * KIB, isNamed: true },
  { path: 'exact.bin', sizeBytes: 2 * MIB, isNamed: true },
  { path: 'bare.bin', sizeBytes: 200 * KIB + 1, isNamed: false },
  { path: 'line.mp4', sizeBytes: 250 * KIB, sequential: true, isNamed: true },
  { path: 'endless.ogg', sizeBytes: 150 * KIB + 3, sequential: true, hideLength: true, isNamed: true },
];

export interface RunStatistics {
  lives: number;
  servedBytes: number;
  evictions: number;
  damages: number;
}

/** What outlives a life. */
class World {
  readonly versions = new Map(FILMS.map(({ path }) => [path, 1]));
  readonly capBytes: number;

  constructor(random: Random) {
    this.capBytes = random.pick([600 * KIB, 3 * MIB, 3 * MIB, 64 * MIB]);
  }

  /** Content of a version of a film. */
  seedOf(path: string, version: number): number {
    return FILMS.findIndex((film) => film.path === path) * 1_000 + version;
  }

  showTo(engine: Engine): void {
    for (const { path, isNamed, ...film } of FILMS) {
      const version = this.versions.get(path)!;
      const etag = isNamed ? `"v${version}"` : null;
      engine.origin.files.set(path, { ...film, seed: this.seedOf(path, version), etag });
    }
  }
}

function faultOf(random: Random, faultiness: number): VirtualFault {
  const usual = { latencyMs: random.pick([1, 30, 200]), bytesPerMs: random.pick([50, 1_000, 20_000]) };
  if (!random.chance(faultiness)) return usual;
  return random.pick<VirtualFault>([
    { refused: true },
    { ...usual, status: 500 },
    { ...usual, status: 404 },
    { ...usual, cutAfterBytes: random.between(0, MIB) },
    { ...usual, stallAfterBytes: random.between(0, MIB) },
  ]);
}

/** @throws Error when something does not hold */
export async function simulate(seed: number, disk: DatabaseDisk): Promise<RunStatistics> {
  const random = createRandom(seed);
  const statistics: RunStatistics = { lives: 0, servedBytes: 0, evictions: 0, damages: 0 };
  const world = new World(random);
  let store = new MemoryChunkStore();
  let cache = await disk.install();
  for (let life = random.between(2, 4); life > 0; life--) {
    const ending = await new Life(world, random, cache, store, statistics).run(life === 1);
    if (ending === 'power') store = store.afterPowerLoss(random);
    else store = store.afterKill();
    cache = await disk.restart(ending === 'power' ? random : null);
    statistics.lives += 1;
  }
  return statistics;
}

class Life {
  readonly #world: World;
  readonly #random: Random;
  readonly #cache: CacheDatabase;
  readonly #store: MemoryChunkStore;
  readonly #statistics: RunStatistics;
  /** The first thing that did not hold. */
  #failure: Error | null = null;

  constructor(world: World, random: Random, cache: CacheDatabase, store: MemoryChunkStore, statistics: RunStatistics) {
    this.#world = world;
    this.#random = random;
    this.#cache = cache;
    this.#store = store;
    this.#statistics = statistics;
  }

  /** @returns how it ended */
  async run(isLast: boolean): Promise<'power' | 'kill' | 'stop'> {
    const random = this.#random;
    await this.#checkDisk();
    const { generations } = this.#cache;
    await removeSuperseded({ generations, store: this.#store });
    const engine = await startEngine({
      cache: this.#cache,
      store: this.#store,
      seed: random.between(1, 2 ** 30),
      policy: { capBytes: this.#world.capBytes, floorBytes: 0 },
      diskBytes: 2 ** 40,
      recheckAfterMs: random.pick([0, 3_600_000]),
      // The clock on the wall is set back and forth between two lives.
      startMs: Date.UTC(2026, 0, 1) + random.between(-500, 500) * 86_400_000,
    });
    this.#world.showTo(engine);
    const faultiness = random.pick([0, 0, 0.2]);
    engine.origin.fault = () => faultOf(random, faultiness);
    const reconciled = reconcile({
      generations,
      store: this.#store,
      loseBytes: (id, range, reason) => engine.manager.loseBytes(id, range, reason),
      signal: new AbortController().signal,
      log: createLog({ level: 'error', write: () => undefined, nowMs: () => 0 }),
    });
    const clients = Array.from({ length: random.between(1, 5) }, () => this.#client(engine));
    const everything = Promise.all([reconciled, this.#owner(engine), ...clients]);
    // What a life that is cut off still tries comes to nothing.
    everything.catch(() => undefined);
    if (!isLast && random.chance(0.8)) {
      // In the middle of whatever happens then.
      await this.#turn(engine, random.between(1, 400));
      this.#statistics.evictions += engine.events.filter((event) => event.kind === 'evicted').length;
      return random.chance(0.6) ? 'power' : 'kill';
    }
    await engine.finish(everything, 3_600_000);
    await engine.until(() => engine.liveDownloads === 0, 60_000);
    await engine.clock.run(2_000);
    this.#check();
    await this.#checkAtRest(engine);
    await engine.finish(engine.stop());
    return 'stop';
  }

  /** One timer after the other, with the checks that hold at every moment in between. */
  async #turn(engine: Engine, steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      this.#checkCap(engine);
      if (!engine.clock.step()) return;
    }
    this.#check();
  }

  async #client(engine: Engine): Promise<void> {
    const random = this.#random;
    const pause = (ms: number) => new Promise<void>((resolve) => engine.clock.after(ms, resolve));
    for (let count = random.between(1, 3); count > 0; count--) {
      await pause(random.between(0, 500));
      try {
        await this.#read(engine, random.pick(FILMS));
      } catch (error) {
        if (!(error instanceof LarderError)) this.#fail(error instanceof Error ? error : new Error(String(error)));
      }
    }
  }

  async #read(engine: Engine, film: Film): Promise<void> {
    const random = this.#random;
    // Around the seams of the grid, where it is hardest.
    const near = random.pick([0, 2 * MIB, film.sizeBytes]) + random.between(-200 * KIB, 200 * KIB);
    const start = Math.min(Math.max(0, near), film.sizeBytes - 1);
    const isToEnd = film.sizeBytes - start < TO_END_MAX_BYTES && random.chance(0.5);
    const end = isToEnd ? null : Math.min(film.sizeBytes, start + random.between(1, 300 * KIB));
    const versionAtOpen = this.#world.versions.get(film.path)!;
    const reader = await engine.read(film.path, start, end);
    try {
      let position = reader.position;
      let possible: number[] | null = null;
      while (reader.position < reader.end) {
        const body = await drainReader(reader, random.between(1, 200 * KIB));
        // Invariant 3: all of it is of one version, one that was or came to be.
        const at = position;
        const newest = this.#world.versions.get(film.path)!;
        possible ??= Array.from({ length: newest }, (_, index) => newest - index);
        possible = possible.filter(
          (version) => findWrongByte(body, this.#world.seedOf(film.path, version), at) === null,
        );
        if (possible.length === 0) {
          throw new Error(`wrong bytes of ${film.path} (version ${versionAtOpen}) at ${at}`);
        }
        position += body.length;
        this.#statistics.servedBytes += body.length;
        if (random.chance(0.1)) return;
      }
      if (end === null && position !== film.sizeBytes) throw new Error(`${film.path} ended at ${position}`);
    } finally {
      reader.close();
    }
  }

  /** What an owner, an origin and a bad disk do meanwhile. */
  async #owner(engine: Engine): Promise<void> {
    const random = this.#random;
    for (let count = random.between(0, 3); count > 0; count--) {
      await new Promise<void>((resolve) => engine.clock.after(random.between(0, 1_500), resolve));
      const dice = random.next();
      if (dice < 0.25) this.#changeFilm(engine);
      else if (dice < 0.45) await this.#removeEntry(engine);
      else if (dice < 0.6) await this.#pin(engine);
      else if (dice < 0.8) this.#flipBit(engine);
      else this.#refuseFor(engine, random.between(10, 20_000));
    }
  }

  #changeFilm(engine: Engine): void {
    const film = this.#random.pick(FILMS.filter((candidate) => candidate.isNamed));
    this.#world.versions.set(film.path, this.#world.versions.get(film.path)! + 1);
    this.#world.showTo(engine);
  }

  async #removeEntry(engine: Engine): Promise<void> {
    const rows = await this.#cache.entries.listRecent(10, null);
    if (rows.length === 0) return;
    await engine.manager.remove(this.#random.pick(rows).entryId);
  }

  async #pin(engine: Engine): Promise<void> {
    const rows = await this.#cache.entries.listRecent(10, null);
    if (rows.length === 0 || engine.space.state.trouble !== null) return;
    const { entryId } = this.#random.pick(rows);
    await this.#cache.entries.setPinned(entryId, this.#random.chance(0.5));
  }

  /** Only of what nobody reads: what a reader has verified once it believes for the rest of its life. */
  #flipBit(engine: Engine): void {
    for (const fileName of this.#store.fileNames) {
      const isOpen = [...engine.manager.files()].some((file) => file.generation.fileName === fileName);
      if (isOpen || !this.#random.chance(0.5)) continue;
      const length = this.#store.lengthOf(fileName);
      if (length === 0) continue;
      this.#store.flipBit(fileName, this.#random.between(0, length - 1));
      this.#statistics.damages += 1;
    }
  }

  #refuseFor(engine: Engine, ms: number): void {
    this.#store[this.#random.pick(['refuseWrites', 'refuseSyncs'] as const)] = 'ENOSPC';
    engine.clock.after(ms, () => {
      this.#store.refuseWrites = null;
      this.#store.refuseSyncs = null;
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** Invariant 6, at every moment. */
  #checkCap(engine: Engine): void {
    const { usedBytes, reservedBytes, capBytes } = engine.space.state;
    if (usedBytes < 0 || reservedBytes < 0) throw new Error(`used ${usedBytes}, reserved ${reservedBytes}`);
    if (usedBytes + reservedBytes > capBytes) {
      throw new Error(`the cap of ${capBytes} is exceeded: used ${usedBytes}, reserved ${reservedBytes}`);
    }
  }

  /** Invariants 1 and 8 right after a start: what the rows promise is on the disk, or its checksum says that it is not. */
  async #checkDisk(): Promise<void> {
    const { generations } = this.#cache;
    for (const row of await this.#cache.rows('SELECT id, file_name FROM cache_generations')) {
      const ranges = await generations.listRanges(Number(row.id));
      if (JSON.stringify(RangeSet.of(ranges).toArray()) !== JSON.stringify(ranges)) {
        throw new Error(`ranges of ${String(row.file_name)} overlap`);
      }
      const spans = RangeSet.of(await generations.listChecksums(Number(row.id), EVERYTHING));
      for (const { start, end } of ranges) {
        if (!spans.contains(start, end)) throw new Error(`bytes of ${String(row.file_name)} have no checksum`);
      }
      // A file that was removed or cut while the change of its rows was not durable yet: what the rows say too much
      // is found when the file is opened, or by its checksums.
      if (this.#store.wasShortened(String(row.file_name))) continue;
      const durable = this.#store.durableRanges(String(row.file_name));
      for (const { start, end } of ranges) {
        if (!durable.contains(start, end)) throw new Error(`rows of ${String(row.file_name)} promise what was lost`);
      }
    }
  }

  async #checkAtRest(engine: Engine): Promise<void> {
    const { reservedBytes, usedBytes } = engine.space.state;
    if (reservedBytes !== 0) throw new Error(`${reservedBytes} bytes are reserved for nobody`);
    const [sum] = await this.#cache.rows('SELECT coalesce(sum("end" - start), 0) AS bytes FROM cache_chunks');
    const stored = await this.#cache.statistics.get();
    if (stored.cachedBytes !== sum!.bytes) throw new Error(`counted ${stored.cachedBytes}, rows ${sum!.bytes}`);
    if (usedBytes < stored.cachedBytes) throw new Error(`used ${usedBytes}, rows ${stored.cachedBytes}`);
    for (const file of engine.manager.files()) {
      if (file.unservedWaits > 0) throw new Error(`a reader of ${file.identity.address.path} was forgotten`);
    }
    // Rows and files agree.
    const names = new Set<string>();
    for (const row of await this.#cache.rows('SELECT file_name FROM cache_generations')) {
      names.add(String(row.file_name));
    }
    for (const name of this.#store.fileNames) {
      if (!names.has(name)) throw new Error(`${name} has no row`);
    }
  }
}
