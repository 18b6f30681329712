// The engine in one process and in virtual time: the real manager, files, plans, queue, downloaders and database, with
// a fake clock, an origin without sockets, and a disk that can forget.

import type { ByteRange } from '../../src/bytes/byte-range.ts';
import type { RangeSpec } from '../../src/bytes/range-header.ts';
import { ConnectionMemory } from '../../src/chunks/acceleration.ts';
import type { CachedFile } from '../../src/chunks/cached-file.ts';
import { ChunkManager } from '../../src/chunks/chunk-manager.ts';
import { Downloader, storageError } from '../../src/chunks/downloader.ts';
import type { FromThread } from '../../src/chunks/fetch-messages.ts';
import type { FetchListener, FetchThreads, ThreadFetch } from '../../src/chunks/fetch-scheduler.ts';
import type { Reader } from '../../src/chunks/reader.ts';
import { computeChecksums } from '../../src/chunks/span-checksums.ts';
import { UseLog } from '../../src/chunks/use-log.ts';
import { LarderError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { SpaceKeeper, type SpacePolicy } from '../../src/offline/space-keeper.ts';
import { FetchQueue } from '../../src/scheduler/fetch-queue.ts';
import { HttpSource } from '../../src/sources/http-source.ts';
import { describePath } from '../../src/sources/media-address.ts';
import type { OriginRequest } from '../../src/sources/origin-client.ts';
import { type CacheDatabase, openCacheDatabase } from './cache-database.ts';
import { FakeClock, turnLoop } from './fake-clock.ts';
import { MemoryChunkStore } from './memory-chunk-store.ts';
import { createRandom } from './random.ts';
import { VirtualOrigin } from './virtual-origin.ts';

/** Download threads without threads: messages take one turn of the clock each way, in order. */
class InlineThreads implements FetchThreads {
  readonly live = new Map<number, Downloader>();
  readonly #engine: { clock: FakeClock; origin: VirtualOrigin; store: MemoryChunkStore };
  #lastId = 0;

  constructor(engine: { clock: FakeClock; origin: VirtualOrigin; store: MemoryChunkStore }) {
    this.#engine = engine;
    engine.clock.every(1_000, () => {
      for (const downloader of this.live.values()) downloader.tick();
    });
  }

  start(request: OriginRequest, listener: FetchListener): ThreadFetch {
    const { clock, origin, store } = this.#engine;
    const fetchId = ++this.#lastId;
    const post = (message: FromThread) => void clock.after(0, () => this.#deliver(listener, message));
    const downloader = new Downloader(fetchId, { client: origin.client, store, clock, post });
    this.live.set(fetchId, downloader);
    const tell = (action: () => void) => void clock.after(0, action);
    tell(() => void downloader.run({ kind: 'start', fetchId, request }).then(() => this.live.delete(fetchId)));
    return {
      accept: (message) => tell(() => downloader.accept({ kind: 'accept', fetchId, ...message })),
      setCredit: (credit, end) => tell(() => downloader.setCredit({ kind: 'credit', fetchId, credit, end })),
      recorded: (position) => tell(() => downloader.recorded({ kind: 'recorded', fetchId, position })),
      stop: () => tell(() => downloader.stop()),
    };
  }

  /** How long reading cells back takes. */
  checksumDelayMs = 0;

  async checksum(fileName: string, spans: readonly ByteRange[]) {
    const { clock, store } = this.#engine;
    await new Promise<void>((resolve) => clock.after(this.checksumDelayMs, resolve));
    try {
      return await computeChecksums(store, fileName, spans);
    } catch (error) {
      throw storageError(error);
    }
  }

  async probe(): Promise<void> {
    await this.#engine.store.probe();
  }

  #deliver(listener: FetchListener, message: FromThread): void {
    if (message.kind === 'opened') listener.opened(message.head);
    else if (message.kind === 'progress') listener.progressed(message.position);
    else if (message.kind === 'data') listener.received(message.position, message.bytes);
    else if (message.kind === 'durable') listener.durable(message);
    else if (message.kind === 'closed') listener.closed(message);
    else if (message.kind === 'ended') listener.ended(message);
  }
}

export interface EngineOptions {
  readonly seed?: number;
  readonly connectionsPerSource?: number;
  readonly connectionsTotal?: number;
  /** Continue on what another engine left, as after a restart. */
  readonly cache?: CacheDatabase;
  readonly store?: MemoryChunkStore;
  /** How long a thread takes to read cells back and sum them. */
  readonly checksumDelayMs?: number;
  /** Default: room for everything. */
  readonly policy?: SpacePolicy;
  /** Bytes that the disk has for everybody; default: plenty. */
  readonly diskBytes?: number;
  readonly recheckAfterMs?: number;
  /** What the clock on the wall says at the start. */
  readonly startMs?: number;
}

export interface Engine extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly origin: VirtualOrigin;
  readonly store: MemoryChunkStore;
  readonly cache: CacheDatabase;
  readonly queue: FetchQueue;
  readonly manager: ChunkManager;
  readonly space: SpaceKeeper;
  readonly uses: UseLog;
  readonly source: HttpSource;
  /** Bytes of the disk that others take. */
  othersBytes: number;
  readonly events: { kind: string; subject: string; text: string }[];
  readonly logLines: string[];
  readonly sourceErrors: LarderError[];
  readonly liveDownloads: number;
  /** As at a shutdown: what is being fetched is recorded, then all is closed. */
  stop(): Promise<void>;
  open(path: string, spec?: RangeSpec | null, options?: { probe?: boolean; signal?: AbortSignal }): Promise<CachedFile>;
  /** Opens and makes a reader, as the proxy does. */
  read(path: string, start: number, end: number | null): Promise<Reader>;
  /** Turns the clock until `promise` settled. @throws Error when it does not within `limitMs` of virtual time */
  finish<T>(promise: Promise<T>, limitMs?: number): Promise<T>;
  /** Turns the clock until `condition` holds. @throws Error when it does not within `limitMs` of virtual time */
  until(condition: () => boolean, limitMs?: number): Promise<void>;
}

/**
 * Reads `reader` to its end or `bytes` further, as the proxy does, turning no clock: to be given to `finish`.
 * `isGone` says that the player left, so that the reader was closed from outside.
 */
export async function drainReader(
  reader: Reader,
  bytes: number = Number.POSITIVE_INFINITY,
  isGone: () => boolean = () => false,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const stopAt = Math.min(reader.end, reader.position + bytes);
  while (reader.position < Math.min(stopAt, reader.end)) {
    await reader.waitReadable();
    if (isGone()) throw new LarderError('stopped', 'the player left');
    if (reader.position >= reader.end) break;
    const buffer = new Uint8Array(Math.min(64 * 1024, stopAt - reader.position));
    const count = await reader.read(buffer);
    pieces.push(buffer.subarray(0, count));
    reader.advance(count);
  }
  return Buffer.concat(pieces);
}

export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const clock = new FakeClock(options.startMs);
  const cache = options.cache ?? (await openCacheDatabase());
  const store = options.store ?? new MemoryChunkStore();
  const origin = new VirtualOrigin(clock);
  const threads = new InlineThreads({ clock, origin, store });
  threads.checksumDelayMs = options.checksumDelayMs ?? 0;
  const random = createRandom(options.seed ?? 1);
  const queue = new FetchQueue({
    clock,
    connectionsPerSource: options.connectionsPerSource ?? 3,
    connectionsTotal: options.connectionsTotal ?? 24,
  });
  const row = await cache.sources.declare('films', 'http://origin.test/', clock.nowMs());
  const source = new HttpSource(row.id, 'films', { url: row.url, credentials: null, local: null });
  const logLines: string[] = [];
  const sourceErrors: LarderError[] = [];
  let lastId = 0;
  const log = createLog({ level: 'info', write: (line) => logLines.push(line), nowMs: () => clock.nowMs() });
  const events: { kind: string; subject: string; text: string }[] = [];
  const noteEvent = (kind: string, subject: string, text: string) => {
    events.push({ kind, subject, text });
    return Promise.resolve(true);
  };
  const uses = new UseLog(clock, await cache.entries.findNewestUse());
  const diskBytes = options.diskBytes ?? 2 ** 45;
  let othersBytes = 0;
  const space: SpaceKeeper = new SpaceKeeper((await cache.statistics.get()).cachedBytes, {
    policy: () => options.policy ?? { capBytes: 2 ** 44, floorBytes: 0 },
    lookAtDisk: () =>
      Promise.resolve({ freeBytes: diskBytes - othersBytes - store.writtenBytes, totalBytes: diskBytes }),
    listEvictable: async (limit, cursor) => {
      await cache.entries.recordUse(uses.take());
      return cache.entries.listEvictable(limit, cursor);
    },
    evict: (entryId) => manager.evict(entryId),
    isWanted: () => [...manager.files()].some((file) => file.isUsed),
    changed: () => manager.roomChanged(),
    tryToWrite: async () => {
      await threads.probe();
      await cache.statistics.touch(clock.nowMs());
    },
    giveUpBallast: () => Promise.resolve(false),
    restoreBallast: () => Promise.resolve(),
    noteEvent,
    clock,
    log,
  });
  const manager: ChunkManager = new ChunkManager({
    scheduler: queue,
    threads,
    generations: cache.generations,
    entries: cache.entries,
    store,
    space,
    uses,
    clock,
    log,
    recheckAfterMs: () => options.recheckAfterMs ?? 3_600_000,
    damaged: (file, range) => void noteEvent('damaged', file.identity.address.path, `${range.start}-${range.end}`),
    counters: { servedBytes: 0, servedFromDiskBytes: 0, originBytes: 0, hitCount: 0, partialCount: 0, missCount: 0 },
    random: () => random.next(),
    readAheadMaxBytes: () => 16 * 2 ** 20,
    ownPort: () => 1,
    sourceAnswered: (_, error) => void (error !== null && sourceErrors.push(error)),
    newId: () => `${(options.seed ?? 1).toString(16)}e${(++lastId).toString(16)}`,
    fileOpened: () => undefined,
    throughput: { note: () => undefined },
    connections: new ConnectionMemory(clock, () => options.connectionsPerSource ?? 3),
    resolve: (source, address, resolving) => source.resolve(address, resolving),
  });
  await space.start();

  async function until(condition: () => boolean, limitMs = 600_000): Promise<void> {
    const endMs = clock.monotonicMs() + limitMs;
    for (let idle = 0; ; ) {
      // One timer for each turn: messages of threads come one by one as well.
      for (let turn = 0; turn < 2; turn++) await turnLoop();
      if (condition()) return;
      if (clock.monotonicMs() > endMs) throw new Error(`nothing came of it within ${limitMs} ms of virtual time`);
      if (!clock.step() && ++idle > 50) throw new Error('nothing is left that could happen');
    }
  }

  async function open(
    path: string,
    spec: RangeSpec | null = null,
    details: { probe?: boolean; signal?: AbortSignal } = {},
  ) {
    const { probe = false, signal = new AbortController().signal } = details;
    return manager.open(source, describePath(path), { spec, probe, signal });
  }

  return {
    clock,
    origin,
    store,
    cache,
    queue,
    manager,
    space,
    uses,
    source,
    get othersBytes() {
      return othersBytes;
    },
    set othersBytes(bytes) {
      othersBytes = bytes;
    },
    events,
    logLines,
    sourceErrors,
    get liveDownloads() {
      return threads.live.size;
    },
    open,
    async read(path, start, end) {
      const askedAtMs = clock.monotonicMs();
      const file = await open(path, { kind: 'from', first: start, last: end === null ? null : end - 1 });
      const range = { start, end: end ?? file.totalBytes ?? Number.MAX_SAFE_INTEGER };
      return file.openReader(range, end !== null, { address: 'test', player: 'test' }, askedAtMs);
    },
    async finish(promise, limitMs) {
      let settled = false;
      const done = () => {
        settled = true;
      };
      promise.then(done, done);
      await until(() => settled, limitMs);
      return promise;
    },
    until,
    async stop() {
      await manager.settle();
      await manager.close();
      await space.stop();
    },
    async [Symbol.asyncDispose]() {
      if (options.cache === undefined) await cache[Symbol.asyncDispose]();
    },
  };
}
