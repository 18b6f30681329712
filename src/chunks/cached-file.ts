// One generation of an entry while it is in use: which bytes are there, who reads, what is being fetched.
//
// Owns its readers, its fetches and their plan; what is on the disk is its `StoredBytes`. Always true: live fetches
// never cover the same byte; whoever waits is with the watchdog and is woken by data, failure or a deadline.
import { assert } from '../assert.ts';
import type { ByteRange } from '../bytes/byte-range.ts';
import type { RangeSet } from '../bytes/range-set.ts';
import type { Timer } from '../clock.ts';
import type { GenerationRow, HeaderRow } from '../db/entries.ts';
import { describeError, fromErrorValue, LarderError } from '../errors.ts';
import { CONTAINER_EDGE_BYTES, EDGES_MIN_FILE_BYTES, EDGES_MIN_FIRST_BYTE_MS, READER_WAIT_MAX_MS } from '../limits.ts';
import type { OriginRequest } from '../sources/origin-client.ts';
import type { OriginHead, OriginRange } from '../sources/origin-response.ts';
import { Fetch, type FetchOwner } from './fetch.ts';
import type { FetchClosed, FetchDurable, FetchEnded } from './fetch-messages.ts';
import { planFetches, type Want } from './fetch-plan.ts';
import { Priority } from './fetch-scheduler.ts';
import type { FileIdentity, FileServices } from './file-services.ts';
import { Reader, type ReaderFile, type ReaderLabel } from './reader.ts';
import { RetryGate } from './retry-gate.ts';
import { StoredBytes } from './stored-bytes.ts';
import { compareVersion } from './version.ts';
import { Watchdog } from './watchdog.ts';

/** Somebody who wants bytes without reading them: a download. */
export interface Consumer {
  want(file: CachedFile): Want | null;
  /** The bytes will not come now. */
  fail(error: LarderError): void;
  /** Bytes were recorded. */
  advanced(file: CachedFile): void;
}

const CHANGED = 'the file changed at its origin';
const FILE_LOST = 'its chunk file was deleted';

export class CachedFile implements ReaderFile, FetchOwner {
  readonly identity: FileIdentity;
  readonly generation: GenerationRow;
  readonly headers: HeaderRow;
  readonly bytes: StoredBytes;
  readonly readers = new Set<Reader>();
  readonly fetches = new Set<Fetch>();
  seekable: boolean;
  /** The origin has another version by now: what is here is still served, nothing is added. */
  superseded = false;
  lastError: LarderError | null = null;
  /** Watchdog findings: waiters that nothing served. More than none is a bug of ours. */
  unservedWaits = 0;
  readonly #services: FileServices;
  readonly #onUnused: (file: CachedFile) => void;
  readonly #gate: RetryGate;
  readonly #watchdog: Watchdog;
  readonly #consumers = new Set<Consumer>();
  /** Fetches whose connection is over and whose last bytes are being synced and recorded. */
  readonly #settling = new Set<Fetch>();
  #edges: ByteRange[] = [];
  #planDue = false;
  #onSettled: (() => void) | undefined;
  #retryTimer: Timer | undefined;
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
    this.seekable = stored.generation.seekable;
    this.bytes = new StoredBytes(stored.generation, stored.ranges, services);
    this.#gate = new RetryGate(services.random);
    this.#services = services;
    this.#watchdog = new Watchdog({
      clock: services.clock,
      waitError: () => this.#waitError(),
      isServed: (nowMs) => this.#isServed(nowMs),
      onUnserved: () => this.#healUnserved(),
    });
    this.#onUnused = onUnused;
  }

  /** Null while the origin has not said it and its end was not seen. */
  get totalBytes(): number | null {
    return this.bytes.totalBytes;
  }

  get isComplete(): boolean {
    return this.bytes.isComplete;
  }

  get isUsed(): boolean {
    return this.readers.size > 0 || this.#consumers.size > 0 || this.fetches.size > 0 || this.#settling.size > 0;
  }

  /** What is on disk, synced and recorded. */
  get available(): RangeSet {
    return this.bytes.available;
  }

  /** The one answer to "is this range there?": how far bytes can be read from `offset` on without a gap. */
  readableEnd(offset: number): number {
    return this.bytes.readable.contiguousEnd(offset);
  }

  openReader(range: ByteRange, bounded: boolean, label: ReaderLabel): Reader {
    assert(!this.#closed, 'a closed file is not read');
    const reader = new Reader({
      file: this,
      range,
      bounded,
      label,
      readAheadMaxBytes: this.#services.readAheadMaxBytes(),
      gapsAtOpen: this.bytes.readable.gaps(range.start, range.end),
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
    assert(!this.#closed, 'a closed file is not wanted');
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

  /** Reads what `readableEnd` promised; 0 when the file was cut short. It is fetched again then. */
  async read(buffer: Uint8Array, position: number): Promise<number> {
    try {
      const count = await this.bytes.read(buffer, position);
      if (count === 0) this.#schedulePlan();
      return count;
    } catch (error) {
      if (!(error instanceof LarderError) || error.code !== 'file-lost') throw error;
      this.supersede(FILE_LOST);
      throw new LarderError('origin-changed', FILE_LOST, { retry: 'soon' });
    }
  }

  readerWaits(reader: Reader): void {
    if (this.superseded) {
      reader.fail(supersededError());
      return;
    }
    this.#watchdog.add(reader);
    this.#schedulePlan();
  }

  readerMoved(reader: Reader, bytes: number, bytesFromDisk: number): void {
    this.#services.counters.servedBytes += bytes;
    this.#services.counters.servedFromDiskBytes += bytesFromDisk;
    if (reader.takeReplanDue()) this.#schedulePlan();
  }

  readerClosed(reader: Reader): void {
    this.readers.delete(reader);
    this.#watchdog.delete(reader);
    this.#schedulePlan();
    this.#checkUnused();
  }

  /** Takes over the fetch that opened this generation; its response begins at `head.start`. */
  adopt(fetch: Fetch, head: OriginHead): void {
    if (fetch.state !== 'opening') return; // it ended while the generation was made
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
    const start = this.bytes.readable.contiguousEnd(fetch.position);
    const fileEnd = this.totalBytes ?? Number.POSITIVE_INFINITY;
    const end = Math.min(fetch.requestEnd ?? fileEnd, this.bytes.readable.nextKnown(start) ?? fileEnd);
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
      this.supersede(CHANGED);
      return;
    }
    this.#services.sourceAnswered(this.identity.sourceId, null);
    if (head.start === fetch.position) {
      this.#accept(fetch, head.start, fetch.position);
    } else if (head.start === 0 && version === 'same') {
      // The origin ignored the range: its body is read from the start, what is known of it passed over.
      if (this.seekable) {
        void this.bytes.afterRecording(() => this.#services.generations.recordSeekable(this.generation.id, false));
      }
      this.seekable = false;
      this.#accept(fetch, 0, this.bytes.readable.contiguousEnd(0));
    } else {
      fetch.stop();
      this.supersede(CHANGED);
    }
  }

  fetchProgressed(fetch: Fetch, from: number): void {
    this.#services.counters.originBytes += fetch.position - from;
    this.#gate.progressed();
    this.bytes.noteWritten(from, fetch.position);
    this.#watchdog.progressed();
    if (fetch.isPaused) this.#schedulePlan();
  }

  fetchDurable(_fetch: Fetch, message: FetchDurable): void {
    void this.bytes.record(message).then(() => {
      for (const consumer of [...this.#consumers]) consumer.advanced(this);
    });
  }

  fetchClosed(fetch: Fetch, message: FetchClosed): void {
    this.fetches.delete(fetch);
    this.#settling.add(fetch);
    if (message.position > fetch.position) fetch.progressed(message.position);
    if (message.bodyEnded && this.totalBytes === null) {
      this.bytes.learnLength(message.position);
      this.#watchdog.wakeReadable();
    }
    if (message.error !== null) this.#handleFailure(fetch, fromErrorValue(message.error));
    this.#schedulePlan();
  }

  fetchEnded(fetch: Fetch, message: FetchEnded): void {
    const error = message.error === null ? null : fromErrorValue(message.error);
    void this.bytes.afterRecording(() => {
      this.#settling.delete(fetch);
      if (this.fetches.size === 0 && this.#settling.size === 0) this.bytes.forgetUnrecorded();
      if (error?.code === 'storage') this.#handleFailure(fetch, error);
      this.#checkUnused();
    });
  }

  /**
   * This generation is over, because another version is at the origin or because its file was deleted: nothing is
   * added any more, who waits for more hears of it, and the next to open the file gets a new generation with a file of
   * its own. What a fetch still writes into a deleted file can so never be taken for bytes of a new one.
   */
  supersede(reason: string): void {
    if (this.superseded) return;
    this.superseded = true;
    const { generations, clock, log } = this.#services;
    log.info('a version of a file is over; who opens it now gets a new one', {
      path: this.identity.address.path,
      reason,
    });
    // At once, not behind what is still to be recorded: whoever opens the file next must not find it current.
    generations.supersede(this.generation.id, clock.nowMs()).catch((error: unknown) => {
      log.error('a new version could not be recorded', { error: describeError(error) });
    });
    for (const fetch of this.fetches) this.#stop(fetch);
    this.#watchdog.fail(supersededError());
    for (const consumer of [...this.#consumers]) consumer.fail(supersededError());
    this.#checkUnused();
  }

  /** Stops all fetches and resolves when what they brought is recorded. */
  async settle(): Promise<void> {
    const error = new LarderError('stopped', 'Larder is stopping', { retry: 'later' });
    this.#watchdog.fail(error);
    for (const consumer of [...this.#consumers]) this.removeConsumer(consumer);
    for (const reader of [...this.readers]) reader.close();
    for (const fetch of this.fetches) this.#stop(fetch);
    if (this.fetches.size > 0 || this.#settling.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onSettled = resolve;
      });
    }
    await this.bytes.afterRecording(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#retryTimer?.cancel();
    this.#watchdog.stop();
    await this.bytes.close();
  }

  #accept(fetch: Fetch, bodyStart: number, writeFrom: number): void {
    const { fileName } = this.generation;
    assert(bodyStart <= writeFrom, 'a body is written from its start or behind it');
    // With no validator at all, nothing but the bytes themselves says which version they are of.
    const isNamed = this.generation.etag !== null || this.generation.lastModified !== null;
    const sample = isNamed ? null : this.bytes.sample(this.#services.random);
    const mayCreate = this.bytes.readable.byteCount === 0;
    fetch.accept({ fileName, mayCreate, sample, writeFrom, totalBytes: this.totalBytes }, writeFrom);
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
      this.#edges = this.#edges.filter((edge) => !this.bytes.readable.contains(edge.start, edge.end));
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
      known: this.bytes.readable,
      totalBytes: this.totalBytes,
      seekable: this.seekable,
    });
    for (const [fetch, terms] of plan.keep) fetch.setTerms(terms);
    for (const fetch of plan.stop) this.#stop(fetch);
    const now = this.#services.clock.monotonicMs();
    for (const terms of plan.create) {
      const notBeforeMs = this.#gate.notBeforeMs(terms.priority);
      if (notBeforeMs > now) {
        this.#planAt(notBeforeMs);
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
    this.#watchdog.notePaused(this.fetches);
  }

  /** One that had no connection yet is over at once; the others say so. */
  #stop(fetch: Fetch): void {
    fetch.stop();
    if (fetch.state === 'closed') this.fetches.delete(fetch);
  }

  #handleFailure(fetch: Fetch, error: LarderError): void {
    const { clock, log, scheduler } = this.#services;
    const now = clock.monotonicMs();
    this.lastError = error;
    if (error.code === 'stopped') return;
    if (error.code === 'file-lost' || error.code === 'origin-changed' || error.code === 'out-of-range') {
      this.supersede(error.code === 'file-lost' ? FILE_LOST : CHANGED);
      return;
    }
    if (error.code !== 'storage') this.#services.sourceAnswered(this.identity.sourceId, error);
    const verdict = this.#gate.failed(error, now);
    if (error.retryAfterMs !== undefined) scheduler.pauseSource(this.identity.sourceId, now + verdict.delayMs);
    if (verdict.kind === 'retry') {
      this.#planAt(now + verdict.delayMs);
      return;
    }
    log.warning('a fetch was given up', { path: this.identity.address.path, error: error.message });
    const end = Math.max(fetch.end, fetch.position + 1);
    this.#watchdog.fail(error, (reader) => reader.position >= fetch.firstOffset && reader.position < end);
    for (const consumer of [...this.#consumers]) consumer.fail(error);
  }

  /** Plans anew at that monotonic time. */
  #planAt(atMs: number): void {
    this.#retryTimer?.cancel();
    const delayMs = Math.max(0, atMs - this.#services.clock.monotonicMs());
    this.#retryTimer = this.#services.clock.after(delayMs, () => this.#schedulePlan());
  }

  /** Cannot happen: counted, so that it is seen, and healed by planning anew. */
  #healUnserved(): void {
    this.unservedWaits += 1;
    this.#services.log.error('a reader waited for bytes that nothing fetched', { path: this.identity.address.path });
    this.#schedulePlan();
  }

  #isServed(nowMs: number): boolean {
    return (
      this.fetches.size > 0 ||
      this.#settling.size > 0 ||
      this.#planDue ||
      this.#gate.notBeforeMs(Priority.critical) > nowMs
    );
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

  #checkUnused(): void {
    if (this.fetches.size === 0 && this.#settling.size === 0) this.#onSettled?.();
    if (!this.isUsed) this.#onUnused(this);
  }
}

function supersededError(): LarderError {
  return new LarderError('origin-changed', 'the version that was being read is over', { retry: 'soon' });
}
