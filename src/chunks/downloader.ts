// A download thread's side of one fetch: reads the origin's body, writes it at its offsets, reports how far it came,
// syncs behind itself and reports what is durable. It decides nothing about what is fetched, and writes nothing past
// its credit: what is not granted stays with the origin. Where the disk takes nothing, the bytes are handed on instead.
import { type ByteRange, rangeLength } from '../bytes/byte-range.ts';
import type { Clock, Timer } from '../clock.ts';
import { describeError, type ErrorValue, LarderError, systemCode, toErrorValue } from '../errors.ts';
import {
  PROGRESS_BYTES,
  PROGRESS_INTERVAL_MS,
  RECORD_BYTES,
  RECORD_INTERVAL_MS,
  RECORD_MAX_BYTES,
  STALL_TIMEOUT_MS,
  UNRECORDED_MAX_BYTES,
} from '../limits.ts';
import { type OriginClient, type OriginRequest, type OriginResponse, reasonOf } from '../sources/origin-client.ts';
import type { OriginHead, OriginRange } from '../sources/origin-response.ts';
import { ChunkChecksummer } from './chunk-checksummer.ts';
import type { ChunkStore, ChunkWriter } from './chunk-store.ts';
import type {
  FetchAccept,
  FetchCredit,
  FetchRecorded,
  FetchStart,
  FromThread,
  VersionSample,
} from './fetch-messages.ts';
import { SessionKeeper } from './session-keeper.ts';

export interface DownloaderParts {
  readonly client: OriginClient;
  readonly store: ChunkStore;
  readonly clock: Clock;
  readonly post: (message: FromThread) => void;
}

export class Downloader {
  readonly #parts: DownloaderParts;
  readonly #fetchId: number;
  readonly #abort = new AbortController();
  #accept: ((message: FetchAccept | null) => void) | undefined;
  #wake: (() => void) | undefined;
  #stopped = false;
  #end = Number.POSITIVE_INFINITY;
  #credit = 0;
  /** Next offset of the body; everything from #writeFrom to here is written. */
  #position = 0;
  #writeFrom = 0;
  /** The end of the body is the end of the file, not of a piece that was asked for. */
  #endsFile = true;
  #reported = 0;
  #durable = 0;
  /** Everything before it has its rows. */
  #recorded = 0;
  /** How much waits for a sync when the next one is started. */
  #syncStepBytes = RECORD_MAX_BYTES;
  #toMemory = false;
  #sample: { readonly start: number; readonly end: number; readonly bytes: Uint8Array } | null = null;
  #lastDataAtMs = 0;
  #waitsForOrigin = false;
  #stalled = false;
  #writer: ChunkWriter | undefined;
  #checksummer: ChunkChecksummer | undefined;
  #syncing: Promise<void> | undefined;
  #lastSyncAtMs = 0;
  #writeError: LarderError | undefined;
  #reportTimer: Timer | undefined;

  constructor(fetchId: number, parts: DownloaderParts) {
    this.#fetchId = fetchId;
    this.#parts = parts;
  }

  accept(message: FetchAccept): void {
    this.#end = message.end ?? Number.POSITIVE_INFINITY;
    this.#credit = message.credit;
    this.#accept?.(message);
  }

  setCredit(message: FetchCredit): void {
    this.#credit = message.credit;
    this.#end = message.end ?? Number.POSITIVE_INFINITY;
    this.#wake?.();
  }

  recorded(message: FetchRecorded): void {
    const recordedBytes = message.position - this.#recorded;
    if (recordedBytes > 0) {
      this.#syncStepBytes = this.#nextSyncStep(recordedBytes, this.#position - message.position);
      this.#recorded = message.position;
    }
    this.#wake?.();
  }

  stop(): void {
    this.#stopped = true;
    this.#abort.abort();
    this.#accept?.(null);
    this.#wake?.();
  }

  /** Once a second: notices stalls, and syncs what trickles in. */
  tick(): void {
    const now = this.#parts.clock.monotonicMs();
    if (this.#waitsForOrigin && now - this.#lastDataAtMs > STALL_TIMEOUT_MS) {
      this.#stalled = true;
      this.#abort.abort();
    }
    if (now - this.#lastSyncAtMs > RECORD_INTERVAL_MS) this.#startSync(1);
  }

  async run(start: FetchStart): Promise<void> {
    const { post } = this.#parts;
    let error: ErrorValue | null = null;
    let bodyEnded = false;
    const session = start.request.session === undefined ? null : new SessionKeeper(start.request, this.#parts);
    session?.start();
    try {
      const response = await this.#parts.client.open(start.request, this.#abort);
      this.#endsFile = !isPiece(start.request.range, response.head);
      bodyEnded = (await this.#receive(response, start.request)) && this.#endsFile;
    } catch (caught) {
      if (!this.#stopped) error = toErrorValue(this.#stalled ? this.#stallError() : bodyError(caught));
    }
    this.#abort.abort();
    this.#reportTimer?.cancel();
    this.#reportProgress();
    void session?.stop();
    post({ kind: 'closed', fetchId: this.#fetchId, position: this.#position, bodyEnded, error });
    post({ kind: 'ended', fetchId: this.#fetchId, error: await this.#finish() });
  }

  async #receive(response: OriginResponse, request: OriginRequest): Promise<boolean> {
    const { head, body } = response;
    const accepted = new Promise<FetchAccept | null>((resolve) => {
      this.#accept = resolve;
    });
    if (this.#stopped) return false;
    this.#parts.post({ kind: 'opened', fetchId: this.#fetchId, head });
    const accept = await accepted;
    if (accept === null) return false;
    this.#position = head.start;
    this.#writeFrom = Math.max(head.start, accept.writeFrom);
    this.#reported = this.#writeFrom;
    this.#durable = this.#writeFrom;
    this.#recorded = this.#writeFrom;
    this.#toMemory = accept.toMemory;
    this.#checksummer = new ChunkChecksummer(this.#writeFrom);
    this.#lastSyncAtMs = this.#parts.clock.monotonicMs();
    if (accept.sample !== null) await this.#prepareSample(request, accept.fileName, accept.sample, head.start);
    if (!this.#toMemory) {
      this.#writer = await this.#parts.store.openWriter(accept.fileName, accept.mayCreate).catch((error: unknown) => {
        throw storageError(error);
      });
    }
    const bodyEnd = head.bodyBytes === null ? accept.totalBytes : head.start + head.bodyBytes;
    return body === null ? bodyEnd === head.start : await this.#pump(body, bodyEnd);
  }

  /**
   * Without validators only the bytes themselves say whether they are of the version that is known. What the body
   * passes on its way to new bytes is compared as it comes; anything else is asked for first.
   * @throws LarderError `origin-changed` when they differ
   */
  async #prepareSample(
    request: OriginRequest,
    fileName: string,
    sample: VersionSample,
    bodyStart: number,
  ): Promise<void> {
    const ours = sample.bytes ?? (await this.#readBack(fileName, sample));
    if (bodyStart <= sample.start && sample.end <= this.#writeFrom) {
      this.#sample = { start: sample.start, end: sample.start + ours.length, bytes: ours };
      return;
    }
    const abort = new AbortController();
    const stop = () => abort.abort();
    this.#abort.signal.addEventListener('abort', stop);
    try {
      const range = { kind: 'from', start: sample.start, end: sample.end } as const;
      const { head, body } = await this.#parts.client.open({ ...request, range, ifRange: null }, abort);
      if (head.start !== sample.start || head.bodyBytes !== ours.length) {
        throw new LarderError('origin-lied', 'the origin gives a range once and not the next time', { retry: 'soon' });
      }
      this.#lastDataAtMs = this.#parts.clock.monotonicMs();
      this.#waitsForOrigin = true;
      const theirs = new Uint8Array(await new Response(body).arrayBuffer());
      this.#waitsForOrigin = false;
      if (!isEqual(theirs, ours)) throw changedError();
    } finally {
      this.#abort.signal.removeEventListener('abort', stop);
      abort.abort();
    }
  }

  async #readBack(fileName: string, range: ByteRange): Promise<Uint8Array> {
    const bytes = new Uint8Array(rangeLength(range));
    const reader = await this.#parts.store.openReader(fileName).catch((error: unknown) => {
      throw storageError(error);
    });
    try {
      if ((await reader.read(bytes, range.start)) === bytes.length) return bytes;
      throw new LarderError('file-lost', 'a chunk file is shorter than it was', { retry: 'soon' });
    } finally {
      await reader.close();
    }
  }

  /** Compares what the body passes with what is known of it. */
  #compare(data: Uint8Array): void {
    if (this.#sample === null || this.#position >= this.#sample.end) return;
    const { start, end, bytes } = this.#sample;
    const from = Math.max(start, this.#position);
    const to = Math.min(end, this.#position + data.length);
    if (from >= to) return;
    const theirs = data.subarray(from - this.#position, to - this.#position);
    if (!isEqual(theirs, bytes.subarray(from - start, to - start))) throw changedError();
  }

  /** @returns whether the body came to its proper end */
  async #pump(body: ReadableStream<Uint8Array>, bodyEnd: number | null): Promise<boolean> {
    const reader = body.getReader();
    while (this.#mayGoOn()) {
      await this.#waitForRoom();
      if (!this.#mayGoOn()) break;
      this.#lastDataAtMs = this.#parts.clock.monotonicMs();
      this.#waitsForOrigin = true;
      const result = await reader.read();
      this.#waitsForOrigin = false;
      if (result.done) return this.#checkBodyEnd(bodyEnd);
      if (bodyEnd !== null && this.#position + result.value.length > bodyEnd) {
        throw new LarderError('origin-lied', 'the origin sent more bytes than it announced', { retry: 'soon' });
      }
      await this.#takeAll(result.value);
    }
    if (this.#stopped || bodyEnd === null || this.#position !== bodyEnd) return false;
    this.#reportProgress();
    // Everything is here; reading on to the body's end lets the connection be used again.
    await reader.read();
    return true;
  }

  #mayGoOn(): boolean {
    if (this.#writeError !== undefined) throw this.#writeError;
    return !this.#stopped && this.#position < this.#end;
  }

  /** Takes a piece of the body as far as there is room, waiting for more room in between. */
  async #takeAll(data: Uint8Array): Promise<void> {
    let rest = data;
    while (rest.length > 0) {
      await this.#waitForRoom();
      if (!this.#mayGoOn()) return;
      const count = Math.min(rest.length, this.#roomEnd() - this.#position);
      this.#take(rest.subarray(0, count));
      rest = rest.subarray(count);
    }
  }

  /** How far it may write: its credit, and not too far ahead of the rows. */
  #roomEnd(): number {
    return Math.min(this.#credit, this.#end, this.#toMemory ? Infinity : this.#recorded + UNRECORDED_MAX_BYTES);
  }

  async #waitForRoom(): Promise<void> {
    if (this.#position < this.#roomEnd()) return;
    this.#reportProgress();
    while (this.#mayGoOn() && this.#position >= this.#roomEnd()) {
      // No sooner because it waits: a player that is full lets it go on in small steps.
      this.#startSync(this.#syncStepBytes);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #take(data: Uint8Array): void {
    this.#compare(data);
    const wanted = data.subarray(Math.min(Math.max(0, this.#writeFrom - this.#position), data.length));
    const isFirst = this.#reported === this.#writeFrom;
    if (wanted.length > 0) this.#keep(wanted, Math.max(this.#position, this.#writeFrom));
    this.#position += data.length;
    if (this.#toMemory) return;
    if (isFirst || this.#position - this.#reported >= PROGRESS_BYTES) this.#reportProgress();
    else this.#reportSoon();
    this.#startSync(this.#syncStepBytes);
  }

  #keep(data: Uint8Array, position: number): void {
    if (this.#toMemory) {
      this.#reported = position + data.length;
      this.#parts.post({ kind: 'data', fetchId: this.#fetchId, position, bytes: data });
      return;
    }
    try {
      this.#writer!.write(data, position);
    } catch (error) {
      throw storageError(error);
    }
    this.#checksummer!.update(data);
  }

  #checkBodyEnd(bodyEnd: number | null): boolean {
    if (bodyEnd !== null && this.#position < bodyEnd) {
      throw new LarderError('origin-failed', `the origin's body ended ${bodyEnd - this.#position} bytes early`, {
        retry: 'soon',
      });
    }
    return true;
  }

  #reportProgress(): void {
    if (this.#position <= this.#reported) return;
    this.#reported = this.#position;
    this.#parts.post({ kind: 'progress', fetchId: this.#fetchId, position: this.#position });
  }

  /** What a thin line brought does not wait for the next full step. */
  #reportSoon(): void {
    this.#reportTimer ??= this.#parts.clock.after(PROGRESS_INTERVAL_MS, () => {
      this.#reportTimer = undefined;
      this.#reportProgress();
    });
  }

  /** Starts a sync when at least `bytes` wait for one and none runs; the body goes on being read meanwhile. */
  #startSync(bytes: number): void {
    if (this.#writer === undefined || this.#syncing !== undefined) return;
    if (this.#position - this.#durable < bytes || this.#writeError !== undefined) return;
    this.#syncing = this.#sync(this.#writer).finally(() => {
      this.#syncing = undefined;
      this.#wake?.();
    });
  }

  /**
   * Each sync and its rows cost the disk pages of their own, so that fewer are better, as long as there is room for what
   * comes during one: where `cameBytes` came while `recordedBytes` were synced and recorded, the room is shared alike.
   */
  #nextSyncStep(recordedBytes: number, cameBytes: number): number {
    const wasHeldUp = recordedBytes + cameBytes >= UNRECORDED_MAX_BYTES;
    const share = wasHeldUp ? 0 : recordedBytes / (recordedBytes + cameBytes);
    return Math.min(RECORD_MAX_BYTES, Math.max(RECORD_BYTES, UNRECORDED_MAX_BYTES * share));
  }

  async #sync(writer: ChunkWriter): Promise<void> {
    const start = this.#durable;
    const end = this.#position;
    const checksums = this.#checksummer!.take();
    this.#lastSyncAtMs = this.#parts.clock.monotonicMs();
    try {
      await writer.sync();
    } catch (error) {
      this.#writeError = storageError(error);
      return;
    }
    this.#durable = end;
    if (end > start) this.#parts.post({ kind: 'durable', fetchId: this.#fetchId, start, end, checksums });
  }

  async #finish(): Promise<ErrorValue | null> {
    await this.#syncing;
    this.#startSync(1);
    await this.#syncing;
    await this.#writer?.close().catch((error: unknown) => {
      this.#writeError ??= storageError(error);
    });
    return this.#writeError === undefined ? null : toErrorValue(this.#writeError);
  }

  #stallError(): LarderError {
    return new LarderError('origin-silent', `the origin sent nothing more for ${STALL_TIMEOUT_MS / 1_000} s`, {
      retry: 'soon',
    });
  }
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

function changedError(): LarderError {
  return new LarderError('origin-changed', 'the file changed at its origin', { retry: 'soon' });
}

/** What goes wrong while a body is read is the connection's fault, unless it was found out by us. */
function bodyError(error: unknown): LarderError {
  if (error instanceof LarderError) return error;
  return new LarderError('origin-failed', reasonOf(error), { retry: 'soon', cause: error });
}

/** A bounded request whose answer does not tell the total says nothing of where the file ends. */
function isPiece(range: OriginRange | null, head: OriginHead): boolean {
  return range?.kind === 'from' && range.end !== null && head.bodyBytes !== null && head.totalBytes === null;
}

export function storageError(error: unknown): LarderError {
  if (error instanceof LarderError) return error;
  if (systemCode(error) === 'ENOENT') {
    return new LarderError('file-lost', 'a chunk file is not there any more', { retry: 'soon', cause: error });
  }
  const full = systemCode(error) === 'ENOSPC' || systemCode(error) === 'EDQUOT';
  return new LarderError('storage', `the cache cannot be written: ${describeError(error)}`, {
    retry: 'later',
    cause: error,
    hint: full ? 'the disk of the data folder is full: make room on it' : 'check the disk of the data folder',
  });
}
