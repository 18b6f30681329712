// The engine in one process and in virtual time: the real manager, files, plans, queue, downloaders and database, with
// a fake clock, an origin without sockets, and a disk that can forget.

import { crc32 } from 'node:zlib';
import type { RangeSpec } from '../../src/bytes/range-header.ts';
import type { CachedFile } from '../../src/chunks/cached-file.ts';
import { ChunkManager } from '../../src/chunks/chunk-manager.ts';
import { Downloader } from '../../src/chunks/downloader.ts';
import type { FromThread } from '../../src/chunks/fetch-messages.ts';
import type { FetchListener, FetchThreads, ThreadFetch } from '../../src/chunks/fetch-scheduler.ts';
import type { Reader } from '../../src/chunks/reader.ts';
import { LarderError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
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
      stop: () => tell(() => downloader.stop()),
    };
  }

  /** How long reading cells back takes. */
  checksumDelayMs = 0;

  async checksum(fileName: string, cells: readonly { chunkIndex: number; start: number; end: number }[]) {
    if (this.checksumDelayMs > 0) {
      await new Promise<void>((resolve) => this.#engine.clock.after(this.checksumDelayMs, resolve));
    }
    const reader = await this.#engine.store.openReader(fileName);
    const checksums: { chunkIndex: number; crc32: number }[] = [];
    for (const cell of cells) {
      const buffer = new Uint8Array(cell.end - cell.start);
      await reader.read(buffer, cell.start);
      checksums.push({ chunkIndex: cell.chunkIndex, crc32: crc32(buffer) });
    }
    await reader.close();
    return checksums;
  }

  #deliver(listener: FetchListener, message: FromThread): void {
    if (message.kind === 'opened') listener.opened(message.head);
    else if (message.kind === 'progress') listener.progressed(message.position);
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
}

export interface Engine extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly origin: VirtualOrigin;
  readonly store: MemoryChunkStore;
  readonly cache: CacheDatabase;
  readonly queue: FetchQueue;
  readonly manager: ChunkManager;
  readonly source: HttpSource;
  readonly logLines: string[];
  readonly sourceErrors: LarderError[];
  readonly liveDownloads: number;
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
  const clock = new FakeClock();
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
  const source = new HttpSource(row.id, { name: 'films', url: row.url, authorization: null });
  const logLines: string[] = [];
  const sourceErrors: LarderError[] = [];
  let lastId = 0;
  const manager = new ChunkManager({
    scheduler: queue,
    threads,
    generations: cache.generations,
    entries: cache.entries,
    store,
    clock,
    log: createLog({ level: 'info', write: (line) => logLines.push(line), nowMs: () => clock.nowMs() }),
    counters: { servedBytes: 0, servedFromDiskBytes: 0, originBytes: 0, hitCount: 0, partialCount: 0, missCount: 0 },
    random: () => random.next(),
    readAheadMaxBytes: () => 16 * 2 ** 20,
    ownPort: () => 1,
    sourceAnswered: (_, error) => void (error !== null && sourceErrors.push(error)),
    newId: () => `${(options.seed ?? 1).toString(16)}e${(++lastId).toString(16)}`,
    fileOpened: () => undefined,
  });

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
    source,
    logLines,
    sourceErrors,
    get liveDownloads() {
      return threads.live.size;
    },
    open,
    async read(path, start, end) {
      const file = await open(path, { kind: 'from', first: start, last: end === null ? null : end - 1 });
      const range = { start, end: end ?? file.totalBytes ?? Number.MAX_SAFE_INTEGER };
      return file.openReader(range, end !== null, { address: 'test', player: 'test' });
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
    async [Symbol.asyncDispose]() {
      if (options.cache === undefined) await cache[Symbol.asyncDispose]();
    },
  };
}
