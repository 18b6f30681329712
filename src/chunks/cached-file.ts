// One generation of an entry while it is in use: which bytes are there, who reads, what is being fetched.
//
// Owns: the mirror of the generation's rows (`available`), the watermarks of running fetches (`readable` is both
// together), its readers, its fetches and their plan. Always true: `available` changes only after the rows committed;
// live fetches never cover the same byte; whoever waits is in #waiting and is woken by data, failure or a deadline.
import { assert } from '../assert.ts';
import type { ByteRange } from '../bytes/byte-range.ts';
import { chunkIndexAt, chunkRange } from '../bytes/chunk-grid.ts';
import { RangeSet } from '../bytes/range-set.ts';
import type { Clock, Timer } from '../clock.ts';
import type { GenerationRow, HeaderRow } from '../db/entries.ts';
import type { GenerationTable } from '../db/generations.ts';
import type { Counters } from '../db/statistics.ts';
import { describeError, fromErrorValue, LarderError, systemCode } from '../errors.ts';
import {
  CONTAINER_EDGE_BYTES,
  EDGES_MIN_FILE_BYTES,
  EDGES_MIN_FIRST_BYTE_MS,
  FETCH_ATTEMPTS_MAX,
  PAUSED_FETCH_MAX_MS,
  READER_WAIT_MAX_MS,
  WATCHDOG_PERIOD_MS,
} from '../limits.ts';
import type { Log } from '../log.ts';
import type { UpstreamRequest } from '../sources/http-source.ts';
import type { MediaAddress } from '../sources/media-address.ts';
import type { OriginRequest } from '../sources/origin-client.ts';
import type { OriginHead, OriginRange } from '../sources/origin-response.ts';
import type { ChunkReader, ChunkStore } from './chunk-store.ts';
import { Fetch, type FetchOwner } from './fetch.ts';
import type { FetchClosed, FetchDurable, FetchEnded } from './fetch-messages.ts';
import { planFetches, type Want } from './fetch-plan.ts';
import { type FetchScheduler, type FetchThreads, Priority } from './fetch-scheduler.ts';
import { Reader, type ReaderFile, type ReaderLabel } from './reader.ts';
import { backoffDelayMs } from './retry-policy.ts';
import { compareVersion } from './version.ts';

/** Somebody who wants bytes without reading them: a download. */
export interface Consumer {
  want(file: CachedFile): Want | null;
  /** The bytes will not come now. */
  fail(error: LarderError): void;
  /** Bytes were recorded. */
  advanced(file: CachedFile): void;
}

/** What all files share. */
export interface FileServices {
  readonly scheduler: FetchScheduler;
  readonly threads: FetchThreads;
  readonly generations: GenerationTable;
  readonly store: ChunkStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: Counters;
  readonly random: () => number;
  readonly readAheadMaxBytes: () => number;
  readonly ownPort: () => number;
  readonly sourceAnswered: (sourceId: number, error: LarderError | null) => void;
}

export interface FileIdentity {
  readonly entryId: number;
  readonly sourceId: number;
  readonly address: MediaAddress;
  readonly upstream: () => UpstreamRequest;
}

export class CachedFile implements ReaderFile, FetchOwner {
  readonly identity: FileIdentity;
  readonly generation: GenerationRow;
  readonly headers: HeaderRow;
  /** Mirror of the rows. */
  readonly available: RangeSet;
  readonly readers = new Set<Reader>();
  readonly fetches = new Set<Fetch>();
  totalBytes: number | null;
  seekable: boolean;
  /** The origin has another version by now: what is here is still served, nothing is added. */
  superseded = false;
  lastError: LarderError | null = null;
  /** Watchdog findings: waiters that nothing served. More than none is a bug of ours. */
  unservedWaits = 0;
  readonly #services: FileServices;
  readonly #onUnused: (file: CachedFile) => void;
  readonly #readable: RangeSet;
  readonly #waiting = new Set<Reader>();
  readonly #consumers = new Set<Consumer>();
  /** Fetches whose connection is over and whose last bytes are being synced and recorded. */
  readonly #settling = new Set<Fetch>();
  #edges: ByteRange[] = [];
  #recording: Promise<void> = Promise.resolve();
  #chunkReader: Promise<ChunkReader> | undefined;
  #planDue = false;
  #failures = 0;
  /** Monotonic times before which no fetch is started, for those who wait and for those who do not. */
  #criticalNotBeforeMs = 0;
  #othersNotBeforeMs = 0;
  #retryTimer: Timer | undefined;
  #watchdog: Timer | undefined;
  #lastProgressMs = 0;
  #pausedSinceMs = new Map<Fetch, number>();
  #closed = false;

  constructor(
    identity: FileIdentity,
    stored: { generation: GenerationRow; headers: HeaderRow; ranges: readonly ByteRange[] },
    services: FileServices,
    onUnused: (file: CachedFile) => void,
  ) {
    this.identity = identity;
    this.generation = stored.generation;
    this.headers = stored.headers;
    this.totalBytes = stored.generation.totalBytes;
    this.seekable = stored.generation.seekable;
    this.available = RangeSet.of(stored.ranges);
    this.#readable = RangeSet.of(stored.ranges);
    this.#services = services;
    this.#onUnused = onUnused;
  }

  get isComplete(): boolean {
    return this.totalBytes !== null && this.available.contains(0, this.totalBytes);
  }

  get isUsed(): boolean {
    return this.readers.size > 0 || this.#consumers.size > 0 || this.fetches.size > 0 || this.#settling.size > 0;
  }

  /** The one answer to "is this range there?": how far bytes can be read from `offset` on without a gap. */
  readableEnd(offset: number): number {
    return this.#readable.contiguousEnd(offset);
  }

  /** Written, and not recorded yet. */
  inFlight(): ByteRange[] {
    return this.#readable.toArray().flatMap((range) => this.available.gaps(range.start, range.end));
  }

  openReader(range: ByteRange, bounded: boolean, label: ReaderLabel): Reader {
    assert(!this.#closed, 'a closed file is not read');
    const reader = new Reader({
      file: this,
      range,
      bounded,
      label,
      readAheadMaxBytes: this.#services.readAheadMaxBytes(),
      gapsAtOpen: this.#readable.gaps(range.start, range.end),
      nowMs: () => this.#services.clock.monotonicMs(),
    });
    this.readers.add(reader);
    const { counters } = this.#services;
    if (reader.cacheStatus === 'HIT') counters.hitCount += 1;
    else if (reader.cacheStatus === 'PARTIAL') counters.partialCount += 1;
    else counters.missCount += 1;
    this.#schedulePlan();
    return reader;
  }

  addConsumer(consumer: Consumer): void {
    this.#consumers.add(consumer);
    this.#schedulePlan();
  }

  removeConsumer(consumer: Consumer): void {
    if (!this.#consumers.delete(consumer)) return;
    this.#schedulePlan();
    this.#checkUnused();
  }

  /**
   * Head and tail, where containers keep their tables, are asked for while somebody reads: a player asks for them
   * next. Not where a request costs next to nothing, nor in a short file.
   */
  wantContainerEdges(firstByteMs: number): void {
    const total = this.totalBytes;
    if (total === null || !this.seekable || this.identity.address.type !== 'video') return;
    if (firstByteMs < EDGES_MIN_FIRST_BYTE_MS || total < EDGES_MIN_FILE_BYTES) return;
    this.#edges = [
      { start: 0, end: Math.min(CONTAINER_EDGE_BYTES, total) },
      { start: Math.max(0, total - CONTAINER_EDGE_BYTES), end: total },
    ];
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    if (this.#chunkReader === undefined) {
      const opening = this.#services.store.openReader(this.generation.fileName);
      this.#chunkReader = opening;
      opening.catch(() => {
        if (this.#chunkReader === opening) this.#chunkReader = undefined;
      });
    }
    try {
      const reader = await this.#chunkReader;
      const isRecent = this.available.contiguousEnd(position) === position;
      const count = isRecent ? reader.readRecent(buffer, position) : await reader.read(buffer, position);
      if (count === 0) await this.#loseBytes(position, 'it is shorter than its rows say');
      return count;
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      await this.#loseBytes(0, 'it was deleted');
      return 0;
    }
  }

  readerWaits(reader: Reader): void {
    this.#waiting.add(reader);
    this.#startWatchdog();
    this.#schedulePlan();
  }

  readerMoved(reader: Reader, bytes: number, bytesFromDisk: number): void {
    this.#services.counters.servedBytes += bytes;
    this.#services.counters.servedFromDiskBytes += bytesFromDisk;
    if (reader.takeReplanDue()) this.#schedulePlan();
  }

  readerClosed(reader: Reader): void {
    this.readers.delete(reader);
    this.#waiting.delete(reader);
    this.#schedulePlan();
    this.#checkUnused();
  }

  /** Takes over the fetch that opened this generation; its response begins at `head.start`. */
  adopt(fetch: Fetch, head: OriginHead): void {
    fetch.owner = this;
    this.fetches.add(fetch);
    fetch.setTerms({
      priority: fetch.priority,
      credit: head.start + CONTAINER_EDGE_BYTES,
      end: fetch.requestEnd ?? Number.POSITIVE_INFINITY,
    });
    this.#accept(fetch, head.start, head.start);
    // Who opened the file becomes its reader right after this; when nobody does, the plan stops the fetch.
    this.#services.clock.after(0, () => this.#schedulePlan());
  }

  /** While it waited for a connection, some of its bytes may have come by another fetch. */
  requestFor(fetch: Fetch): OriginRequest | null {
    const start = this.#readable.contiguousEnd(fetch.position);
    const fileEnd = this.totalBytes ?? Number.POSITIVE_INFINITY;
    const end = Math.min(fetch.requestEnd ?? fileEnd, this.#readable.nextKnown(start) ?? fileEnd);
    if (start >= end) {
      this.fetches.delete(fetch);
      this.#schedulePlan();
      return null;
    }
    fetch.position = start;
    fetch.requestEnd = this.seekable && end < fileEnd ? end : null;
    const range: OriginRange | null = this.seekable ? { kind: 'from', start, end: fetch.requestEnd } : null;
    return {
      ...this.identity.upstream(),
      ownPort: this.#services.ownPort(),
      range,
      ifRange: this.generation.etag,
      expectsMedia: this.identity.address.type !== 'file',
    };
  }

  fetchOpened(fetch: Fetch, head: OriginHead): void {
    const version = compareVersion(this.generation, this.totalBytes, head);
    if (this.superseded || version === 'other') {
      fetch.stop();
      void this.supersede();
      return;
    }
    this.#services.sourceAnswered(this.identity.sourceId, null);
    if (head.start === fetch.position) {
      this.#accept(fetch, head.start, fetch.position);
    } else if (head.start === 0 && version === 'same') {
      // The origin ignored the range: its body is read from the start, what is known of it passed over.
      if (this.seekable) void this.#services.generations.recordSeekable(this.generation.id, false);
      this.seekable = false;
      this.#accept(fetch, 0, this.#readable.contiguousEnd(0));
    } else {
      fetch.stop();
      void this.supersede();
    }
  }

  fetchProgressed(fetch: Fetch, from: number): void {
    this.#services.counters.originBytes += fetch.position - from;
    this.#lastProgressMs = this.#services.clock.monotonicMs();
    this.#failures = 0;
    this.#readable.add(from, fetch.position);
    this.#wakeWaiting();
    if (fetch.isPaused) this.#schedulePlan();
  }

  fetchDurable(_fetch: Fetch, message: FetchDurable): void {
    this.#recording = this.#recording.then(() => this.#record(message));
  }

  fetchClosed(fetch: Fetch, message: FetchClosed): void {
    this.fetches.delete(fetch);
    this.#settling.add(fetch);
    if (message.position > fetch.position) fetch.progressed(message.position);
    if (message.bodyEnded && this.totalBytes === null) this.#learnLength(message.position);
    if (message.error !== null) this.#handleFailure(fetch, fromErrorValue(message.error));
    this.#schedulePlan();
  }

  fetchEnded(fetch: Fetch, message: FetchEnded): void {
    const error = message.error === null ? null : fromErrorValue(message.error);
    this.#recording = this.#recording.then(() => {
      this.#settling.delete(fetch);
      this.#forgetUnrecorded();
      if (error?.code === 'storage') this.#handleFailure(fetch, error);
      this.#checkUnused();
    });
  }

  /** Another version is at the origin: nothing is added any more; who waits for more hears of it. */
  async supersede(): Promise<void> {
    if (this.superseded) return;
    this.superseded = true;
    const { generations, clock, log } = this.#services;
    log.info('the file changed at its origin; new readers get the new version', { path: this.identity.address.path });
    await generations.supersede(this.generation.id, clock.nowMs());
    const error = new LarderError('origin-changed', 'the file changed at its origin while it was being read', {
      retry: 'soon',
    });
    for (const fetch of this.fetches) fetch.stop();
    for (const reader of [...this.#waiting]) this.#failReader(reader, error);
    for (const consumer of [...this.#consumers]) consumer.fail(error);
    this.#checkUnused();
  }

  /** Stops all fetches and resolves when what they brought is recorded. */
  async settle(): Promise<void> {
    const error = new LarderError('stopped', 'Larder is stopping', { retry: 'later' });
    for (const reader of [...this.#waiting]) this.#failReader(reader, error);
    for (const consumer of [...this.#consumers]) this.removeConsumer(consumer);
    for (const reader of [...this.readers]) reader.close();
    while (this.fetches.size > 0 || this.#settling.size > 0) {
      for (const fetch of this.fetches) {
        fetch.stop();
        if (fetch.state === 'closed') this.fetches.delete(fetch);
      }
      await new Promise<void>((resolve) => this.#services.clock.after(1, resolve));
    }
    await this.#recording;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#retryTimer?.cancel();
    this.#watchdog?.cancel();
    await this.#recording;
    const reader = await this.#chunkReader?.catch(() => undefined);
    await reader?.close();
  }

  #accept(fetch: Fetch, bodyStart: number, writeFrom: number): void {
    const { fileName } = this.generation;
    assert(bodyStart <= writeFrom, 'a body is written from its start or behind it');
    fetch.accept({ fileName, writeFrom, totalBytes: this.totalBytes }, writeFrom);
  }

  /** Many events of one turn of the loop make one plan. */
  #schedulePlan(): void {
    if (this.#planDue || this.#closed || (this.fetches.size === 0 && this.isComplete)) return;
    this.#planDue = true;
    queueMicrotask(() => {
      this.#planDue = false;
      if (!this.#closed) this.#plan();
    });
  }

  #wants(): Want[] {
    if (this.superseded) return [];
    const wants: Want[] = [];
    for (const reader of this.readers) {
      const want = reader.want();
      if (want !== null) wants.push(want);
    }
    if (this.readers.size > 0) {
      this.#edges = this.#edges.filter((edge) => !this.#readable.contains(edge.start, edge.end));
      for (const edge of this.#edges) {
        const { start, end } = edge;
        wants.push({ start, until: end, limit: end, priority: Priority.high, slackBytes: Number.POSITIVE_INFINITY });
      }
    }
    for (const consumer of this.#consumers) {
      const want = consumer.want(this);
      if (want !== null) wants.push(want);
    }
    return wants;
  }

  #plan(): void {
    const live = [...this.fetches].filter((fetch) => fetch.state !== 'stopping' && fetch.state !== 'closed');
    const plan = planFetches({
      wants: this.#wants(),
      live,
      known: this.#readable,
      totalBytes: this.totalBytes,
      seekable: this.seekable,
    });
    for (const [fetch, terms] of plan.keep) fetch.setTerms(terms);
    for (const fetch of plan.stop) {
      fetch.stop();
      if (fetch.state === 'closed') this.fetches.delete(fetch);
    }
    const now = this.#services.clock.monotonicMs();
    for (const terms of plan.create) {
      const notBefore = terms.priority === Priority.critical ? this.#criticalNotBeforeMs : this.#othersNotBeforeMs;
      if (notBefore > now) {
        this.#retryAt(notBefore);
        continue;
      }
      const fetch = new Fetch({
        sourceId: this.identity.sourceId,
        scheduler: this.#services.scheduler,
        threads: this.#services.threads,
        clock: this.#services.clock,
        owner: this,
        position: terms.position,
        requestEnd: terms.requestEnd,
        terms,
      });
      this.fetches.add(fetch);
      fetch.enqueue();
    }
    this.#notePaused(now);
  }

  #notePaused(now: number): void {
    for (const fetch of this.fetches) {
      if (!fetch.isPaused) this.#pausedSinceMs.delete(fetch);
      else if (!this.#pausedSinceMs.has(fetch)) this.#pausedSinceMs.set(fetch, now);
    }
    if (this.#pausedSinceMs.size > 0) this.#startWatchdog();
  }

  async #record(message: FetchDurable): Promise<void> {
    const { generations, clock, log } = this.#services;
    const { start, end, checksums } = message;
    try {
      const merged = this.available.mergedWith(start, end);
      await generations.recordRange(this.generation.id, merged, checksums, clock.nowMs());
      this.available.add(start, end);
    } catch (error) {
      log.error('bytes could not be recorded; they will be fetched again', { error: describeError(error) });
      return;
    }
    for (const consumer of [...this.#consumers]) consumer.advanced(this);
    await this.#checksumCompleted(start, end, new Set(checksums.map((checksum) => checksum.chunkIndex)));
  }

  /** Cells that this record completed and no single fetch saw whole. */
  async #checksumCompleted(start: number, end: number, known: ReadonlySet<number>): Promise<void> {
    const cells: { chunkIndex: number; start: number; end: number }[] = [];
    for (let chunkIndex = chunkIndexAt(start); chunkIndex <= chunkIndexAt(end - 1); chunkIndex++) {
      const cell = chunkRange(chunkIndex, this.totalBytes);
      if (!known.has(chunkIndex) && this.available.contains(cell.start, cell.end)) cells.push({ chunkIndex, ...cell });
    }
    if (cells.length === 0) return;
    const { generations, threads, clock, log } = this.#services;
    try {
      const checksums = await threads.checksum(this.generation.fileName, cells);
      await generations.recordChecksums(this.generation.id, checksums, clock.nowMs());
    } catch (error) {
      log.warning('a checksum could not be recorded', { error: describeError(error) });
    }
  }

  #learnLength(totalBytes: number): void {
    this.totalBytes = totalBytes;
    this.#recording = this.#recording.then(() =>
      this.#services.generations.recordLength(this.generation.id, totalBytes).catch((error: unknown) => {
        this.#services.log.error('the length of a file could not be recorded', { error: describeError(error) });
      }),
    );
    this.#wakeWaiting();
  }

  /** What was written but did not become durable is not there. */
  #forgetUnrecorded(): void {
    if (this.fetches.size > 0 || this.#settling.size > 0) return;
    for (const range of this.#readable.toArray()) {
      for (const gap of this.available.gaps(range.start, range.end)) this.#readable.remove(gap.start, gap.end);
    }
  }

  #handleFailure(fetch: Fetch, error: LarderError): void {
    const { clock, log, random, scheduler } = this.#services;
    const now = clock.monotonicMs();
    this.lastError = error;
    if (error.code === 'stopped') return;
    if (error.code !== 'storage') this.#services.sourceAnswered(this.identity.sourceId, error);
    if (error.code === 'out-of-range') {
      void this.supersede();
      return;
    }
    this.#failures += 1;
    const delayMs = error.retryAfterMs ?? backoffDelayMs(this.#failures, random);
    if (error.retryAfterMs !== undefined) scheduler.pauseSource(this.identity.sourceId, now + delayMs);
    this.#othersNotBeforeMs = now + delayMs;
    const mayRetry = error.retry === 'soon' || (error.retry === 'later' && error.retryAfterMs !== undefined);
    if (mayRetry && this.#failures < FETCH_ATTEMPTS_MAX && delayMs < READER_WAIT_MAX_MS / 4) {
      this.#criticalNotBeforeMs = now + delayMs;
      this.#retryAt(now + delayMs);
      return;
    }
    log.warning('the origin gives no more bytes', { path: this.identity.address.path, error: error.message });
    this.#failures = 0;
    this.#criticalNotBeforeMs = 0;
    for (const reader of [...this.#waiting]) {
      if (reader.position >= fetch.firstOffset && reader.position < Math.max(fetch.end, fetch.position + 1)) {
        this.#failReader(reader, error);
      }
    }
    for (const consumer of [...this.#consumers]) consumer.fail(error);
  }

  #retryAt(atMs: number): void {
    this.#retryTimer?.cancel();
    const delayMs = Math.max(0, atMs - this.#services.clock.monotonicMs());
    this.#retryTimer = this.#services.clock.after(delayMs, () => this.#schedulePlan());
  }

  #wakeWaiting(): void {
    for (const reader of this.#waiting) {
      if (reader.wakeIfReadable()) this.#waiting.delete(reader);
    }
  }

  #failReader(reader: Reader, error: LarderError): void {
    this.#waiting.delete(reader);
    reader.fail(error);
  }

  /** Runs only while somebody waits or a fetch is paused. */
  #startWatchdog(): void {
    this.#watchdog ??= this.#services.clock.every(WATCHDOG_PERIOD_MS, () => this.#watch());
  }

  #watch(): void {
    const now = this.#services.clock.monotonicMs();
    for (const [fetch, sinceMs] of this.#pausedSinceMs) {
      if (!this.fetches.has(fetch) || !fetch.isPaused) this.#pausedSinceMs.delete(fetch);
      else if (now - sinceMs > PAUSED_FETCH_MAX_MS) fetch.stop();
    }
    for (const reader of [...this.#waiting]) {
      const sinceMs = Math.max(reader.waitingSinceMs ?? now, this.#lastProgressMs);
      if (now - sinceMs > READER_WAIT_MAX_MS) this.#failReader(reader, this.#waitError());
      else if (!this.#isServed(now)) {
        // Cannot happen: counted, so that it is seen, and healed by planning anew.
        this.unservedWaits += 1;
        this.#services.log.error('a reader waited for bytes that nothing fetched', {
          path: this.identity.address.path,
        });
        this.#schedulePlan();
      }
    }
    if (this.#waiting.size === 0 && this.#pausedSinceMs.size === 0) {
      this.#watchdog?.cancel();
      this.#watchdog = undefined;
    }
  }

  #isServed(nowMs: number): boolean {
    return this.fetches.size > 0 || this.#settling.size > 0 || this.#planDue || this.#criticalNotBeforeMs > nowMs;
  }

  #waitError(): LarderError {
    const waited = `nothing came within ${READER_WAIT_MAX_MS / 1_000} s`;
    if ([...this.fetches].some((fetch) => fetch.state !== 'queued')) {
      return this.lastError?.code === 'origin-silent'
        ? this.lastError
        : new LarderError('origin-silent', `${waited} from the origin`, { retry: 'soon' });
    }
    if (this.fetches.size > 0) {
      return new LarderError('overloaded', `${waited}: all connections to the source are taken`, { retry: 'soon' });
    }
    return this.lastError ?? new LarderError('origin-silent', waited, { retry: 'soon' });
  }

  /** Rows promised bytes that the disk does not have: the rows are corrected, the bytes fetched again. */
  async #loseBytes(from: number, reason: string): Promise<void> {
    const { generations, store, clock, log } = this.#services;
    const length = from === 0 ? 0 : ((await store.findLength(this.generation.fileName)) ?? 0);
    const before = this.available.byteCount;
    this.available.remove(length, Number.MAX_SAFE_INTEGER);
    this.#readable.remove(length, Number.MAX_SAFE_INTEGER);
    if (this.available.byteCount === before) return;
    log.warning('a chunk file has lost bytes; they are fetched again', {
      file: this.generation.fileName,
      reason,
      bytes: before - this.available.byteCount,
    });
    const reader = await this.#chunkReader?.catch(() => undefined);
    this.#chunkReader = undefined;
    await reader?.close();
    await generations.truncate(this.generation.id, this.available.toArray(), length, clock.nowMs());
    this.#schedulePlan();
  }

  #checkUnused(): void {
    if (!this.isUsed) this.#onUnused(this);
  }
}
