// The upstream fetches of one file: plans them, starts and stops them, takes what they bring and decides what a failure
// means. Always true: live fetches never cover the same byte, and a fetch that cannot prove its version adds nothing.
import { assert } from '../assert.ts';
import type { Timer } from '../clock.ts';
import { isMissingReference } from '../db/database.ts';
import type { GenerationRow } from '../db/entries.ts';
import { type ErrorCode, fromErrorValue, LarderError } from '../errors.ts';
import { ACCELERATION_TRIAL_BYTES, CONTAINER_EDGE_BYTES, PROGRESS_BYTES } from '../limits.ts';
import { expectsMedia } from '../sources/media-address.ts';
import type { OriginHead, OriginRange } from '../sources/origin-response.ts';
import { Acceleration } from './acceleration.ts';
import { Fetch, type FetchOwner } from './fetch.ts';
import type { FetchClosed, FetchDurable, FetchEnded, VersionSample } from './fetch-messages.ts';
import { type FetchTerms, type NewFetch, planFetches, type Want } from './fetch-plan.ts';
import type { FetchRequest } from './fetch-request.ts';
import { FetchRoom } from './fetch-room.ts';
import { Priority } from './fetch-scheduler.ts';
import type { FileIdentity, FileServices } from './file-services.ts';
import { RetryGate } from './retry-gate.ts';
import { isLongPause } from './retry-policy.ts';
import type { StoredBytes } from './stored-bytes.ts';
import { compareVersion } from './version.ts';
import type { WaitReason } from './wait-reason.ts';

/** A fetch that comes this close to one without an answer goes on in its place; what it is told takes effect in time. */
const HELPER_MARGIN_BYTES = 2 * PROGRESS_BYTES;

/** What ends a fetch without the origin having refused a connection. */
const NO_REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'stopped',
  'storage',
  'file-lost',
  'origin-changed',
  'out-of-range',
]);

/** What the fetches need of their file. */
export interface FetchedFile {
  readonly identity: FileIdentity;
  readonly generation: GenerationRow;
  readonly bytes: StoredBytes;
  /** Another version is current, or all is being stopped: nothing is added any more. */
  readonly isOver: boolean;
  /** It has no rows, or the disk takes nothing: what is fetched is passed on. */
  readonly goesToMemory: boolean;
  readonly readerPositions: () => Iterable<number>;
  /** What is to be fetched now; looked at before each plan. */
  readonly wants: () => readonly Want[];
  /** A fetch that goes on to `end` brought the bytes from `from` to where it is now. */
  readonly progressed: (from: number, end: number) => void;
  /** Bytes have their rows. */
  readonly recorded: () => void;
  /** The end of the file was seen. */
  readonly lengthLearnt: () => void;
  /** The origin gave the file. */
  readonly answered: () => void;
  readonly failed: (error: LarderError) => void;
  /** The bytes of the range will not come now. */
  readonly givenUp: (error: LarderError, from: number, to: number, isFinal: boolean) => void;
  /** The version is over. */
  readonly ended: (why: 'changed' | 'lost') => void;
  /** A plan was made: some fetches may pause. */
  readonly planned: () => void;
  /** Nothing is under way any more. */
  readonly quiet: () => void;
  /** Writes rows in order with what is recorded. */
  readonly write: (action: () => Promise<void>) => void;
}

export class FileFetches implements FetchOwner {
  readonly live = new Set<Fetch>();
  /** Whether the origin serves from any offset. */
  seekable: boolean;
  lastError: LarderError | null = null;
  readonly #file: FetchedFile;
  readonly #services: FileServices;
  readonly #room: FetchRoom;
  readonly #gate: RetryGate;
  readonly #acceleration: Acceleration;
  /** Fetches whose connection is over and whose last bytes are being synced and recorded. */
  readonly #settling = new Set<Fetch>();
  #planDue = false;
  #widestWant = 0;
  #retryTimer: Timer | undefined;
  #onQuiet: (() => void) | undefined;
  #closed = false;

  constructor(file: FetchedFile, services: FileServices) {
    this.#file = file;
    this.#services = services;
    this.seekable = file.generation.seekable;
    this.#gate = new RetryGate(services.random);
    this.#acceleration = new Acceleration(file.identity.sourceId, services.connections);
    this.#room = new FetchRoom({
      space: services.space,
      generationId: () => file.generation.id,
      readerPositions: file.readerPositions,
    });
  }

  get isQuiet(): boolean {
    return this.live.size === 0 && this.#settling.size === 0;
  }

  /** Whether something is under way, or will be, for who waits. */
  isServing(nowMs: number): boolean {
    return !this.isQuiet || this.#planDue || this.#gate.notBeforeMs(Priority.critical) > nowMs;
  }

  /** The fetch that brings what is missing at `position`; undefined when none does. */
  fetchFor(position: number): Fetch | undefined {
    const able = [...this.live].filter((fetch) => fetch.state !== 'stopping' && fetch.state !== 'closed');
    const behind = able.filter((fetch) => fetch.position <= position && fetch.end > position);
    return behind.sort((left, right) => right.position - left.position)[0];
  }

  /** Why the byte at `position` is not there yet. */
  explainWait(position: number, nowMs: number): WaitReason {
    const { attempt } = this.#gate;
    const pause = this.#services.scheduler.pauseOf(this.#file.identity.sourceId);
    if (pause !== null) return { kind: 'pause', attempt, error: pause, untilMs: nowMs + (pause.retryAfterMs ?? 0) };
    const fetch = this.fetchFor(position);
    const error = attempt > 1 ? this.lastError : null;
    if (fetch !== undefined) {
      const kinds = { queued: 'connection', opening: 'first-byte' } as const;
      const kind = fetch.state === 'queued' || fetch.state === 'opening' ? kinds[fetch.state] : 'bytes';
      return { kind, attempt, error, untilMs: null };
    }
    const notBeforeMs = this.#gate.notBeforeMs(Priority.critical);
    if (notBeforeMs > nowMs) return { kind: 'retry', attempt, error: this.lastError, untilMs: notBeforeMs };
    return { kind: 'bytes', attempt, error, untilMs: null };
  }

  /** Many events of one turn of the loop make one plan. */
  schedulePlan(): void {
    if (this.#planDue || this.#closed) return;
    this.#planDue = true;
    queueMicrotask(() => {
      this.#planDue = false;
      if (!this.#closed) this.#plan();
    });
  }

  /** Takes over the fetch that opened this generation; its response begins at `head.start`. */
  adopt(fetch: Fetch, head: OriginHead): void {
    if (fetch.state !== 'opening') return; // it ended while the generation was made
    fetch.owner = this;
    this.live.add(fetch);
    fetch.setTerms({
      priority: fetch.priority,
      credit: head.start + CONTAINER_EDGE_BYTES,
      end: fetch.requestEnd ?? Number.POSITIVE_INFINITY,
    });
    this.#accept(fetch, head.start, head.start, null);
    // Who opened the file becomes its reader right after this; when nobody does, the plan stops the fetch.
    this.#services.clock.after(0, () => this.schedulePlan());
  }

  /** Who goes to memory and who does not is decided anew. */
  roomChanged(): void {
    for (const fetch of this.live) {
      if (fetch.toMemory && !this.#file.goesToMemory) this.#stop(fetch);
    }
    this.schedulePlan();
  }

  /** Readers have moved: what goes to memory follows them. */
  followReaders(): void {
    for (const fetch of this.live) if (fetch.toMemory) this.#room.extend(fetch);
  }

  stopAll(): void {
    for (const fetch of this.live) this.#stop(fetch);
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    if (this.isQuiet) return;
    await new Promise<void>((resolve) => {
      this.#onQuiet = resolve;
    });
  }

  close(): void {
    this.#closed = true;
    this.#retryTimer?.cancel();
  }

  /** A request for the file as it is known. */
  request(range: OriginRange | null): FetchRequest {
    const { identity, generation } = this.#file;
    return {
      upstream: identity.upstream,
      ownPort: this.#services.ownPort(),
      range,
      ifRange: range === null ? null : generation.etag,
      expectsMedia: expectsMedia(identity.address),
    };
  }

  /** While it waited for a connection, some of its bytes may have come by another fetch. */
  requestFor(fetch: Fetch): FetchRequest | null {
    const { known, totalBytes } = this.#file.bytes;
    const start = known.contiguousEnd(fetch.position);
    const fileEnd = totalBytes ?? Number.POSITIVE_INFINITY;
    const end = Math.min(fetch.requestEnd ?? fileEnd, known.nextKnown(start) ?? fileEnd);
    if (start >= end) {
      this.live.delete(fetch);
      this.schedulePlan();
      return null;
    }
    fetch.position = start;
    fetch.requestEnd = this.seekable && end < fileEnd ? end : null;
    return this.request(this.seekable ? { kind: 'from', start, end: fetch.requestEnd } : null);
  }

  fetchOpened(fetch: Fetch, head: OriginHead): void {
    const { generation, bytes, isOver, answered, ended, write } = this.#file;
    const { random, generations } = this.#services;
    const version = compareVersion(generation, bytes.totalBytes, head);
    if (isOver || version === 'other') {
      fetch.stop();
      ended('changed');
      return;
    }
    answered();
    // Not proven: some of the bytes that are or were known are compared before any is added.
    const isProven = version === 'same' || !bytes.wasEverKnown;
    const isPart = head.start === fetch.position && this.seekable;
    // An origin that ignores ranges is read from its start, and what nobody needs of it passed over.
    const writeFrom = isPart ? head.start : this.#sequentialStart();
    const sample = isProven ? null : bytes.sample(random, isPart ? undefined : writeFrom);
    if ((!isPart && head.start !== 0) || (!isProven && sample === null)) {
      fetch.stop();
      ended('changed');
      return;
    }
    if (!isPart && this.seekable) {
      write(() => generations.recordSeekable(generation.id, false));
      this.seekable = false;
    }
    this.#accept(fetch, head.start, writeFrom, sample);
  }

  /** Where an origin without ranges has something new: behind what is kept, or where a reader is. */
  #sequentialStart(): number {
    const known = this.#file.bytes.known.contiguousEnd(0);
    if (!this.#file.goesToMemory) return known;
    const positions = [...this.#file.readerPositions()];
    return positions.length === 0 ? known : Math.max(known, Math.min(...positions));
  }

  fetchProgressed(fetch: Fetch, from: number): void {
    this.#services.counters.originBytes += fetch.position - from;
    this.#gate.progressed();
    if (this.#accelerates(fetch, fetch.position - from)) this.schedulePlan();
    this.#passSilentHelper(fetch);
    if (!fetch.toMemory) this.#file.bytes.noteWritten(from, fetch.position);
    this.#room.extend(fetch);
    this.#file.progressed(from, fetch.end);
    if (fetch.isPaused) this.schedulePlan();
  }

  /** A fetch has come to where a helper was to begin that has no answer yet: nobody is to wait for that one. */
  #passSilentHelper(fetch: Fetch): void {
    for (const helper of this.live) {
      const aheadBytes = helper.position - fetch.position;
      const isWaiting = helper.isHelper && (helper.state === 'queued' || helper.state === 'opening');
      if (!isWaiting || aheadBytes < 0 || aheadBytes > HELPER_MARGIN_BYTES) continue;
      // A piece that ends where the next one begins gives it its connection, and could not go on in its place.
      if (fetch.requestEnd !== null && fetch.requestEnd <= helper.position) continue;
      if (helper.state === 'opening') this.#acceleration.refused();
      this.#stop(helper);
      this.schedulePlan();
    }
  }

  /** Its bytes come by another fetch then: nobody is told, and the source is not taken for one that fails. */
  #isHelperRefused(fetch: Fetch, { code }: LarderError): boolean {
    if (!fetch.isHelper || NO_REFUSALS.has(code)) return false;
    return [...this.live].some(({ state, receivedBytes }) => state === 'running' && receivedBytes > 0);
  }

  /**
   * Refused while one reader has more connections than it needs: it gives those up, and the origin is asked once more.
   * A helper may be the one that is needed by now, and the one that it helped be spare.
   */
  #takesSpare(fetch: Fetch, { code }: LarderError): boolean {
    if (fetch.isHelper || fetch.receivedBytes > 0 || NO_REFUSALS.has(code)) return false;
    const { bytes, wants } = this.#file;
    const needed = new Set(wants().map(({ start }) => bytes.known.contiguousEnd(start)));
    const others = [...this.live];
    const spare = others.filter(({ state, position }) => state === 'running' && !needed.has(position));
    // One that is being stopped still has its connection.
    if (spare.length === 0 && !others.some(({ state }) => state === 'stopping')) return false;
    if (spare.length > 0) this.#acceleration.refused();
    for (const other of spare) this.#stop(other);
    const nowMs = this.#services.clock.monotonicMs();
    const refusal = new LarderError('origin-busy', 'the origin gives no further connection', { retry: 'soon' });
    this.#planAt(nowMs + this.#gate.failed(refusal, nowMs).delayMs);
    return true;
  }

  /** Whether there are to be more or fewer connections from now on. */
  #accelerates(fetch: Fetch, bytes: number): boolean {
    if (!this.seekable || fetch.toMemory) return false;
    const running = [...this.live].filter(({ receivedBytes, state }) => receivedBytes > 0 && state === 'running');
    const isHeldUp = running.some(({ isPaused }) => isPaused);
    const mayTry = this.#widestWant >= ACCELERATION_TRIAL_BYTES;
    return this.#acceleration.progressed(bytes, { count: running.length, isHeldUp, mayTry });
  }

  fetchReceived(fetch: Fetch, bytes: Uint8Array): void {
    this.#file.bytes.noteVolatile(fetch.position, bytes);
  }

  fetchDurable(fetch: Fetch, message: FetchDurable): void {
    this.#file.bytes.record(message).then(
      () => {
        this.#room.recorded(fetch, message.start, message.end);
        this.#file.recorded();
      },
      (error: unknown) => {
        // Rows of what was removed meanwhile: there is nothing to add to any more.
        if (isMissingReference(error)) this.#file.ended('lost');
        else this.#services.space.refused(error);
        this.#stop(fetch);
      },
    );
  }

  fetchClosed(fetch: Fetch, message: FetchClosed): void {
    this.live.delete(fetch);
    this.#services.throughput.note(fetch.sourceId, fetch.freeRunBytes, fetch.freeRunMs);
    this.#settling.add(fetch);
    if (message.position > fetch.position) fetch.progressed(message.position);
    if (message.bodyEnded && this.#file.bytes.totalBytes === null) this.#learnLength(message.position);
    const error = message.error === null ? null : fromErrorValue(message.error);
    if (error !== null && this.#isHelperRefused(fetch, error)) this.#acceleration.refused();
    else if (error !== null && !this.#takesSpare(fetch, error)) this.#handleFailure(fetch, error);
    this.schedulePlan();
  }

  fetchEnded(fetch: Fetch, message: FetchEnded): void {
    const error = message.error === null ? null : fromErrorValue(message.error);
    const { bytes, quiet } = this.#file;
    void bytes.inOrder(() => {
      this.#settling.delete(fetch);
      const lost = fetch.toMemory ? [] : bytes.forgetUnrecorded(fetch.firstOffset, fetch.position);
      this.#room.ended(fetch, lost);
      if (lost.length > 0) this.schedulePlan();
      if (error?.code === 'storage') this.#handleFailure(fetch, error);
      if (!this.isQuiet) return;
      this.#onQuiet?.();
      quiet();
    });
  }

  #accept(fetch: Fetch, bodyStart: number, writeFrom: number, sample: VersionSample | null): void {
    const { generation, bytes, goesToMemory } = this.#file;
    assert(bodyStart <= writeFrom, 'a body is written from its start or behind it');
    const mayCreate = !bytes.hasFile;
    fetch.beginAt(writeFrom, goesToMemory);
    this.#room.extend(fetch);
    fetch.accept({ fileName: generation.fileName, mayCreate, sample, totalBytes: bytes.totalBytes });
  }

  #learnLength(totalBytes: number): void {
    const { generation, bytes, write, lengthLearnt } = this.#file;
    bytes.learnLength(totalBytes);
    write(() => this.#services.generations.recordLength(generation.id, totalBytes));
    lengthLearnt();
  }

  #plan(): void {
    const { bytes, wants, planned } = this.#file;
    const wanted = wants();
    this.#widestWant = wanted.reduce((widest, { start, until }) => Math.max(widest, until - start), 0);
    const plan = planFetches({
      wants: wanted,
      live: [...this.live].filter((fetch) => fetch.state !== 'stopping' && fetch.state !== 'closed'),
      known: bytes.known,
      totalBytes: bytes.totalBytes,
      seekable: this.seekable,
      helpers: this.#file.goesToMemory ? 0 : this.#acceleration.helpers,
    });
    for (const [fetch, terms] of plan.keep) this.#keep(fetch, terms);
    for (const fetch of plan.stop) this.#stop(fetch);
    for (const terms of plan.create) this.#create(terms);
    planned();
  }

  #keep(fetch: Fetch, terms: FetchTerms): void {
    fetch.setTerms(terms);
    if (fetch.state !== 'running') return;
    this.#room.extend(fetch);
    // There will be no room: another fetch goes on from here, past the disk.
    const isStuck = !fetch.toMemory && fetch.isPaused && fetch.position < fetch.wantedEnd;
    if (isStuck && this.#file.goesToMemory) this.#stop(fetch);
  }

  #create(terms: NewFetch): void {
    const { scheduler, threads, clock } = this.#services;
    const { sourceId } = this.#file.identity;
    const now = clock.monotonicMs();
    const pause = scheduler.pauseOf(sourceId);
    if (pause !== null && isLongPause(pause)) {
      // Whoever waits for these bytes hears at once for how long there will be none.
      this.#file.givenUp(pause, terms.position, terms.end, false);
      this.#planAt(now + pause.retryAfterMs!);
      return;
    }
    const notBeforeMs = this.#gate.notBeforeMs(terms.priority);
    if (notBeforeMs > now) {
      this.#planAt(notBeforeMs);
      return;
    }
    const { position, requestEnd, isHelper = false } = terms;
    const options = { sourceId, scheduler, threads, clock, owner: this, position, requestEnd, terms, isHelper };
    const fetch = new Fetch(options);
    this.live.add(fetch);
    fetch.enqueue();
  }

  /** One that had no connection yet is over at once; the others say so. */
  #stop(fetch: Fetch): void {
    fetch.stop();
    if (fetch.state === 'closed') this.live.delete(fetch);
  }

  #handleFailure(fetch: Fetch, error: LarderError): void {
    const { clock, log, scheduler, space } = this.#services;
    const { identity, ended, failed, givenUp } = this.#file;
    const now = clock.monotonicMs();
    this.lastError = error;
    if (error.code === 'stopped') return;
    const isShorter = error.code === 'out-of-range' && error.totalBytes !== undefined;
    if (
      error.code === 'file-lost' ||
      error.code === 'origin-changed' ||
      (isShorter && this.#isOther(error.totalBytes!))
    ) {
      ended(error.code === 'file-lost' ? 'lost' : 'changed');
      return;
    }
    if (error.code === 'storage' && !fetch.toMemory) {
      // The next fetch passes its bytes on from memory.
      space.refused(error);
      this.schedulePlan();
      return;
    }
    failed(error);
    const verdict = this.#gate.failed(error, now);
    if (error.retryAfterMs !== undefined) scheduler.pauseSource(identity.sourceId, now + verdict.delayMs, error);
    if (verdict.kind === 'retry') {
      this.#planAt(now + verdict.delayMs);
      return;
    }
    log.warning('a fetch was given up', { path: identity.address.path, error: error.message });
    givenUp(error, fetch.firstOffset, Math.max(fetch.end, fetch.position + 1), true);
  }

  /** Whether a length that the origin named is not the one that is known. */
  #isOther(totalBytes: number): boolean {
    const known = this.#file.bytes.totalBytes;
    return known !== null && known !== totalBytes;
  }

  /** Plans anew at that monotonic time. */
  #planAt(atMs: number): void {
    this.#retryTimer?.cancel();
    const delayMs = Math.max(0, atMs - this.#services.clock.monotonicMs());
    this.#retryTimer = this.#services.clock.after(delayMs, () => this.schedulePlan());
  }
}
