// One generation of an entry while it is in use: which bytes are there, who reads, what is being fetched.
//
// Owns its readers and downloads, and joins the parts that serve them: what is on the disk (`StoredBytes`), what is being
// fetched (`FileFetches`), what is compared before it is served (`Verification`), what the origin said of the version
// (`VersionCheck`). Always true: whoever waits is with the watchdog and is woken by data, failure or a deadline.
import { assert } from '../assert.ts';
import type { ByteRange } from '../bytes/byte-range.ts';
import type { RangeSet } from '../bytes/range-set.ts';
import type { GenerationRow, HeaderRow } from '../db/entries.ts';
import { describeError, LarderError } from '../errors.ts';
import {
  CONTAINER_EDGE_BYTES,
  EDGES_MIN_FILE_BYTES,
  EDGES_MIN_FIRST_BYTE_MS,
  READER_WAIT_MAX_MS,
  VERIFY_AHEAD_BYTES,
} from '../limits.ts';
import type { OriginHead } from '../sources/origin-response.ts';
import type { Fetch } from './fetch.ts';
import type { Want } from './fetch-plan.ts';
import { memoryAheadBytes } from './fetch-room.ts';
import { Priority } from './fetch-scheduler.ts';
import { type FetchedFile, FileFetches } from './file-fetches.ts';
import type { FileIdentity, FileServices } from './file-services.ts';
import { Reader, type ReaderFile, type ReaderLabel } from './reader.ts';
import { StoredBytes } from './stored-bytes.ts';
import { Verification } from './verification.ts';
import { compareVersion } from './version.ts';
import { type CheckedFile, VersionCheck } from './version-check.ts';
import type { WaitReason } from './wait-reason.ts';
import { Watchdog } from './watchdog.ts';

/** Somebody who wants bytes without reading them: a download. */
export interface Consumer {
  want(file: CachedFile): Want | null;
  /** The bytes will not come now. */
  fail(error: LarderError): void;
  /** Bytes were recorded. */
  advanced(file: CachedFile): void;
}

export interface StoredGeneration {
  readonly generation: GenerationRow;
  readonly headers: HeaderRow;
  readonly ranges: readonly ByteRange[];
  /** What of it was fetched or verified in this life of the program. */
  readonly trusted: RangeSet;
  /** Since when the origin says that it has no such file; null while it does not. */
  readonly missingSince: number | null;
}

const CHANGED = 'the file changed at its origin';
const FILE_LOST = 'its chunk file was deleted';

/** In place of a row's id, while there is no row. */
export const TRANSIENT_ID = 0;

export class CachedFile implements ReaderFile {
  readonly bytes: StoredBytes;
  readonly readers = new Set<Reader>();
  /** The origin has another version by now: what is here is still served, nothing is added. */
  superseded = false;
  /** Watchdog findings: waiters that nothing served. More than none is a bug of ours. */
  unservedWaits = 0;
  #identity: FileIdentity;
  #generation: GenerationRow;
  #headers: HeaderRow;
  readonly #fetches: FileFetches;
  readonly #verification: Verification;
  readonly #services: FileServices;
  readonly #onUnused: (file: CachedFile) => void;
  readonly #watchdog: Watchdog;
  readonly #consumers = new Set<Consumer>();
  #edges: ByteRange[] = [];
  readonly #check: VersionCheck;
  #isSettling = false;
  #closed = false;

  constructor(
    identity: FileIdentity,
    stored: StoredGeneration,
    services: FileServices,
    onUnused: (file: CachedFile) => void,
  ) {
    this.#identity = identity;
    this.#generation = stored.generation;
    this.#headers = stored.headers;
    this.bytes = new StoredBytes(stored.generation, stored.ranges, stored.trusted, services);
    this.#services = services;
    this.#fetches = new FileFetches(this.#fetchedFile(), services);
    this.#verification = new Verification({
      bytes: this.bytes,
      fileName: stored.generation.fileName,
      threads: services.threads,
      onChange: () => this.#verificationChanged(),
      onDamage: (range, lostBytes) => services.damaged(this, range, lostBytes),
      onError: (error) => this.#verificationFailed(error),
    });
    this.#check = new VersionCheck(this.#checkedFile(), stored.missingSince !== null, services);
    this.#watchdog = new Watchdog({
      clock: services.clock,
      waitError: () => this.#waitError(),
      isServed: (nowMs) => this.#isServed(nowMs),
      onUnserved: () => this.#healUnserved(),
    });
    this.#onUnused = onUnused;
  }

  /** Fetches that have a connection or wait for one. */
  get fetches(): ReadonlySet<Fetch> {
    return this.#fetches.live;
  }

  /** Whether the origin serves from any offset. */
  get seekable(): boolean {
    return this.#fetches.seekable;
  }

  get lastError(): LarderError | null {
    return this.#fetches.lastError;
  }

  get identity(): FileIdentity {
    return this.#identity;
  }

  get generation(): GenerationRow {
    return this.#generation;
  }

  get headers(): HeaderRow {
    return this.#headers;
  }

  /** The database did not take its rows: it is passed on from memory, and forgotten with its last reader. */
  get isTransient(): boolean {
    return this.#generation.id === TRANSIENT_ID;
  }

  /** Null while the origin has not said it and its end was not seen. */
  get totalBytes(): number | null {
    return this.bytes.totalBytes;
  }

  get isComplete(): boolean {
    return this.bytes.isComplete;
  }

  get isUsed(): boolean {
    return (
      this.readers.size > 0 ||
      this.#consumers.size > 0 ||
      !this.#fetches.isQuiet ||
      this.#verification.isRunning ||
      this.#check.isRunning
    );
  }

  /** What is on disk, synced and recorded. */
  get available(): RangeSet {
    return this.bytes.available;
  }

  readableEnd(offset: number): number {
    return this.bytes.readableEnd(offset);
  }

  /** What a reader that waits is waiting for. */
  explainWait(reader: Reader): WaitReason {
    if (this.bytes.known.contains(reader.position, reader.position + 1)) {
      return { kind: 'comparison', attempt: 1, error: null, untilMs: null };
    }
    return this.#fetches.explainWait(reader.position, this.#services.clock.monotonicMs());
  }

  /** Bytes behind `position` that are here without a gap. */
  runwayBytes(position: number): number {
    return this.bytes.known.contiguousEnd(position) - position;
  }

  /** The fetch that goes on where a reader's runway ends; undefined when there is none. */
  inflowOf(reader: Reader): Fetch | undefined {
    return this.#fetches.fetchFor(this.bytes.known.contiguousEnd(reader.position));
  }

  /** @param askedAtMs - monotonic time at which the client asked; its first byte is to come within a limited time of it */
  openReader(
    range: ByteRange,
    bounded: boolean,
    label: ReaderLabel,
    askedAtMs = this.#services.clock.monotonicMs(),
  ): Reader {
    // It was removed in the moment in which it was opened: once more.
    if (this.#isSettling || this.#closed) throw supersededError();
    const reader = new Reader({
      file: this,
      range,
      bounded,
      label,
      readAheadMaxBytes: this.#services.readAheadMaxBytes(),
      known: this.bytes.known,
      isPassedOn: this.isTransient || this.#refusal() !== null,
      nowMs: () => this.#services.clock.monotonicMs(),
      askedAtMs,
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
    if (this.#isSettling || this.#closed) {
      consumer.fail(supersededError());
      return;
    }
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

  /** Reads what `readableEnd` promised and what is most likely in memory; 0 when `read` is to be asked. */
  readAgain(buffer: Uint8Array, position: number): number {
    return this.bytes.readAgain(buffer, position);
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
    // What is stored is still served, when it was compared with its checksums.
    if ((this.superseded || this.#isSettling) && !this.#isStored(reader)) {
      reader.fail(this.superseded ? supersededError() : stoppingError());
      return;
    }
    this.#watchdog.add(reader);
    this.#verification.retry(reader.position);
    this.#schedulePlan();
  }

  readerMoved(reader: Reader, bytes: number, bytesFromDisk: number): void {
    this.#services.counters.servedBytes += bytes;
    this.#services.counters.servedFromDiskBytes += bytesFromDisk;
    if (reader.takeReplanDue()) this.#schedulePlan();
    this.#trimMemory();
  }

  readerClosed(reader: Reader): void {
    this.readers.delete(reader);
    this.#watchdog.delete(reader);
    this.#schedulePlan();
    this.#trimMemory();
    this.#checkUnused();
  }

  /** There is more room on the disk than before, or less: who goes to memory and who does not is decided anew. */
  roomChanged(): void {
    this.#fetches.roomChanged();
  }

  /** The database takes rows again: what was only passed on is kept from now on. */
  becomeStored(entryId: number, stored: Pick<StoredGeneration, 'generation' | 'headers'>): void {
    assert(this.isTransient, 'a file gets its rows once');
    this.#identity = { ...this.#identity, entryId };
    this.#generation = stored.generation;
    this.#headers = stored.headers;
    this.bytes.becomeStored(stored.generation);
    this.roomChanged();
  }

  /** Asks the origin whether this is still its version, if that was not asked for long. Nobody waits for the answer. */
  recheckIfDue(): void {
    const isStored = !this.superseded && !this.isTransient && this.available.byteCount > 0;
    // What comes of it is noted where it comes.
    if (isStored && !this.#isMadeForUs && this.#check.isDue) this.#check.ask().catch(() => undefined);
  }

  /** Asks the origin now. @returns whether it still has this version @throws LarderError when it did not say */
  recheck(): Promise<'same' | 'other'> {
    return this.#check.ask();
  }

  /** Takes over the fetch that opened this generation; its response begins at `head.start`. */
  adopt(fetch: Fetch, head: OriginHead): void {
    this.#fetches.adopt(fetch, head);
  }

  /**
   * This generation is over, because another version is at the origin or because its file was deleted: nothing is
   * added any more, who waits for more hears of it, and the next to open the file gets a new generation with a file of
   * its own. What a fetch still writes into a deleted file can so never be taken for bytes of a new one.
   */
  supersede(reason: string): void {
    if (this.superseded) return;
    this.superseded = true;
    const { log, space } = this.#services;
    log.info('a version of a file is over; who opens it now gets a new one', {
      path: this.identity.address.path,
      reason,
    });
    // At once, not behind what is still to be recorded: whoever opens the file next must not find it current.
    this.#services.superseded(this).catch((error: unknown) => space.refused(error));
    this.#fetches.stopAll();
    this.#watchdog.fail(supersededError(), (reader) => reason === FILE_LOST || !this.#isStored(reader));
    for (const consumer of [...this.#consumers]) consumer.fail(supersededError());
    this.#checkUnused();
  }

  /** Stops all fetches and resolves when what they brought is recorded. Readers go on with what is there. */
  async settle(): Promise<void> {
    this.#isSettling = true;
    this.#watchdog.fail(stoppingError(), (reader) => !this.#isStored(reader));
    for (const consumer of [...this.#consumers]) this.removeConsumer(consumer);
    this.#check.cancel();
    this.#fetches.stopAll();
    await this.#fetches.settled();
    await this.bytes.inOrder(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#fetches.close();
    this.#watchdog.stop();
    await this.bytes.close();
  }

  /** What a server converts is no version of a file: to ask for its version would have it converted once more. */
  get #isMadeForUs(): boolean {
    const { etag, lastModified } = this.generation;
    return this.identity.upstream.mayExpire && !this.seekable && etag === null && lastModified === null;
  }

  #refusal(): LarderError | null {
    return this.#services.space.refusal(this.totalBytes);
  }

  #goesToMemory(): boolean {
    return this.isTransient || this.#refusal() !== null;
  }

  /** Writes rows in order with what is recorded; a database that does not take them is the space's trouble. */
  #write(action: () => Promise<void>): void {
    if (this.isTransient) return;
    this.bytes.inOrder(action).catch((error: unknown) => this.#services.space.refused(error));
  }

  #fetchedFile(): FetchedFile {
    const file = this;
    return {
      get identity() {
        return file.identity;
      },
      get generation() {
        return file.generation;
      },
      get isOver() {
        return file.superseded;
      },
      get goesToMemory() {
        return file.#goesToMemory();
      },
      bytes: this.bytes,
      readerPositions: () => [...this.readers].map((reader) => reader.position),
      wants: () => this.#wants(),
      progressed: (from, end) => this.#watchdog.progressed(from, end),
      recorded: () => {
        for (const consumer of [...this.#consumers]) consumer.advanced(this);
      },
      lengthLearnt: () => {
        this.#watchdog.wakeReadable();
        // All of it may have been recorded before.
        for (const consumer of [...this.#consumers]) consumer.advanced(this);
      },
      answered: () => this.#check.answered(),
      failed: (error) => this.#check.failed(error),
      givenUp: (error, from, to, isFinal) => this.#giveUp(error, from, to, isFinal),
      ended: (why) => this.supersede(why === 'lost' ? FILE_LOST : CHANGED),
      planned: () => this.#watchdog.notePaused(this.#fetches.live),
      quiet: () => this.#checkUnused(),
      write: (action) => this.#write(action),
    };
  }

  /** The bytes of [from, to) will not come now: who waits for them hears why. */
  #giveUp(error: LarderError, from: number, to: number, isFinal: boolean): void {
    this.#watchdog.fail(error, ({ position }) => position >= from && position < to);
    if (isFinal) for (const consumer of [...this.#consumers]) consumer.fail(error);
  }

  #checkedFile(): CheckedFile {
    const file = this;
    return {
      get identity() {
        return file.identity;
      },
      get generation() {
        return file.generation;
      },
      get seekable() {
        return file.seekable;
      },
      bytes: this.bytes,
      // Without If-Range: the head says which version it is of.
      request: (range) => ({ ...this.#fetches.request(this.seekable ? range : null), ifRange: null }),
      compare: (head) => compareVersion(this.generation, this.totalBytes, head),
      changed: () => this.supersede(CHANGED),
      checkEnded: () => this.#checkUnused(),
      write: (action) => this.#write(action),
    };
  }

  /** Whether the byte that it waits for is stored, and only has to be compared. */
  #isStored({ position }: Reader): boolean {
    return this.available.contains(position, position + 1);
  }

  #verificationChanged(): void {
    if (this.superseded || this.#isSettling) {
      // What turned out to be damaged will not come any more.
      const error = this.superseded ? supersededError() : stoppingError();
      this.#watchdog.fail(error, (reader) => !this.#isStored(reader));
    }
    this.#watchdog.wakeReadable();
    this.#schedulePlan();
    this.#checkUnused();
  }

  #verificationFailed(error: unknown): void {
    if (error instanceof LarderError && error.code === 'file-lost') {
      this.supersede(FILE_LOST);
      this.#watchdog.fail(supersededError());
      return;
    }
    this.#services.log.error('stored bytes could not be verified', { error: describeError(error) });
    const failure = new LarderError('storage', `stored bytes cannot be verified: ${describeError(error)}`);
    this.#watchdog.fail(failure, (reader) => this.bytes.known.contiguousEnd(reader.position) > reader.position);
  }

  /** Lets go of what is in memory behind the readers, and lets the fetches follow them. */
  #trimMemory(): void {
    // A little more than a fetch may run ahead, so that what is on its way is not dropped.
    const aheadBytes = 2 * memoryAheadBytes(this.readers.size);
    const isNear = (piece: ByteRange, position: number) => piece.end > position && piece.start < position + aheadBytes;
    this.bytes.trimVolatile((piece) => [...this.readers].some((reader) => isNear(piece, reader.position)));
    this.#fetches.followReaders();
  }

  #schedulePlan(): void {
    const isIdle = this.#fetches.live.size === 0 && this.isComplete && this.bytes.trusted.contains(0, this.totalBytes!);
    if (!isIdle) this.#fetches.schedulePlan();
  }

  #wants(): Want[] {
    this.#verifyAhead();
    this.#refuseConsumers();
    if (this.superseded || this.#isSettling) return [];
    const wants: Want[] = [];
    for (const reader of this.readers) {
      const want = reader.want();
      if (want !== null) wants.push(want);
    }
    // What goes to no disk is fetched for whoever reads it now, and no further ahead than it can wait.
    if (this.#goesToMemory()) {
      const aheadBytes = memoryAheadBytes(this.readers.size);
      return wants.map((want) => ({
        ...want,
        until: Math.min(want.until, want.start + aheadBytes),
        slackBytes: Math.min(want.slackBytes, aheadBytes / 2),
      }));
    }
    if (this.readers.size > 0) {
      this.#edges = this.#edges.filter((edge) => !this.bytes.known.contains(edge.start, edge.end));
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

  /** What readers come to next is compared with its checksums before they are there. */
  #verifyAhead(): void {
    for (const { position, waitingSinceMs } of this.readers) {
      if (waitingSinceMs !== null) this.#verification.want({ start: position, end: position + 1 }, true);
    }
    for (const { position, end } of this.readers) {
      const ahead = Math.min(end, position + VERIFY_AHEAD_BYTES);
      if (position < ahead) this.#verification.want({ start: position, end: ahead }, false);
    }
  }

  #refuseConsumers(): void {
    if (this.#consumers.size === 0) return;
    const refusal = this.#refusal();
    if (refusal !== null) for (const consumer of [...this.#consumers]) consumer.fail(refusal);
  }

  /** Cannot happen: counted, so that it is seen, and healed by planning anew. */
  #healUnserved(): void {
    this.unservedWaits += 1;
    this.#services.log.error('a reader waited for bytes that nothing fetched', { path: this.identity.address.path });
    this.#schedulePlan();
  }

  #isServed(nowMs: number): boolean {
    return this.#fetches.isServing(nowMs) || this.#verification.isRunning;
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
    if (!this.isUsed) this.#onUnused(this);
  }
}

function stoppingError(): LarderError {
  return new LarderError('stopped', 'Larder is stopping', { retry: 'later' });
}

function supersededError(): LarderError {
  return new LarderError('origin-changed', 'the version that was being read is over', { retry: 'soon' });
}
