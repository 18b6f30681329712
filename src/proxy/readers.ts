// Who reads now: one open response to a player each, with what it is given, how fast, and what it waits for. Stops one
// when a person says so. What ended goes to `EndedReaders`.
import type { ServerResponse } from 'node:http';
import type { CachedFile } from '../chunks/cached-file.ts';
import type { Reader, ReaderLabel } from '../chunks/reader.ts';
import type { WaitReason } from '../chunks/wait-reason.ts';
import type { Clock, Timer } from '../clock.ts';
import type { ReaderHistoryRow } from '../db/reader-history.ts';
import { LarderError } from '../errors.ts';
import { STALL_MIN_MS } from '../limits.ts';
import type { MediaAddress } from '../sources/media-address.ts';
import { cutResponse } from './cut-response.ts';
import type { EndedReaders } from './ended-readers.ts';
import { playerName } from './player-name.ts';
import { isWaiting, METER_PERIOD_MS, ReaderMeter, type ReaderSecond } from './reader-meter.ts';

/** Times are of the wall clock, in ms. */
export interface ReaderWait {
  readonly kind: WaitReason['kind'];
  readonly source: string;
  readonly sinceMs: number;
  readonly attempt: number;
  /** What went wrong last, in words; null when nothing did. */
  readonly reason: string | null;
  readonly hint: string | null;
  /** When it is tried again; null when that is not set. */
  readonly untilMs: number | null;
}

export interface OpenReader {
  readonly id: string;
  /** Null while nothing of it is kept. */
  readonly entryId: number | null;
  readonly source: string;
  readonly path: string;
  readonly title: string;
  readonly quality: string;
  /** The player's name as far as it told. */
  readonly player: string | null;
  readonly userAgent: string;
  readonly address: string;
  readonly startedAtMs: number;
  readonly positionBytes: number;
  readonly sizeBytes: number | null;
  readonly servedBytes: number;
  readonly fromDiskBytes: number;
  /** Bytes per second; null while it is too early to say. */
  readonly toPlayerRate: number | null;
  readonly fromOriginRate: number | null;
  /** Bytes ahead of the position that are here without a gap. */
  readonly runwayBytes: number;
  /** Whether the runway goes to the end of what was asked for. */
  readonly isRunwayWhole: boolean;
  readonly firstByteMs: number | null;
  readonly stallCount: number;
  readonly stalledMs: number;
  readonly worstStallMs: number;
  readonly waiting: ReaderWait | null;
  /** The last minute, oldest first. */
  readonly seconds: readonly ReaderSecond[];
}

export interface ReaderStart {
  readonly file: CachedFile;
  readonly source: string;
  readonly reader: Reader;
  readonly response: ServerResponse;
  /** Monotonic time at which the request came. */
  readonly requestedAtMs: number;
}

/** A request whose file is not open yet: its origin has not said anything. */
export interface ReaderArrival {
  readonly source: string;
  readonly address: MediaAddress;
  readonly label: ReaderLabel;
  readonly response: ServerResponse;
  /** Monotonic. */
  readonly requestedAtMs: number;
}

export interface Arrival {
  readonly id: string;
  /** Its file is open, or will not be. */
  end(): void;
}

export interface ReaderServices {
  readonly ended: Pick<EndedReaders, 'note' | 'list'>;
  readonly clock: Clock;
}

/** One response, from its first reader to its end. */
export class OpenResponse {
  readonly id: string;
  readonly start: ReaderStart;
  readonly meter: ReaderMeter;
  reader: Reader;
  isStopped = false;
  firstByteMs: number | null = null;
  /** Of the parts of a multipart answer that are over. */
  #before = { servedBytes: 0, fromDiskBytes: 0, stallCount: 0, stalledMs: 0, worstStallMs: 0 };
  readonly #onEnd: (response: OpenResponse, error: unknown) => void;
  readonly #nowMs: () => number;
  #isOver = false;

  constructor(
    id: string,
    start: ReaderStart,
    nowMs: () => number,
    onEnd: (response: OpenResponse, error: unknown) => void,
  ) {
    this.id = id;
    this.start = start;
    this.reader = start.reader;
    this.meter = new ReaderMeter(start.requestedAtMs);
    this.#nowMs = nowMs;
    this.#onEnd = onEnd;
  }

  get totals() {
    const { reader } = this;
    const before = this.#before;
    return {
      servedBytes: before.servedBytes + reader.servedBytes,
      fromDiskBytes: before.fromDiskBytes + reader.servedFromDiskBytes,
      stallCount: before.stallCount + reader.stallCount,
      stalledMs: before.stalledMs + reader.stalledMs,
      worstStallMs: Math.max(before.worstStallMs, reader.worstStallMs),
    };
  }

  /** The next part of a multipart answer. */
  continueWith(reader: Reader): void {
    this.#before = this.totals;
    this.reader = reader;
  }

  /** The head goes out, and the first byte with it. */
  answered(): void {
    this.firstByteMs = this.#nowMs() - this.start.requestedAtMs;
  }

  /** @param error - what ended it early; undefined when all of it was sent */
  end(error?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onEnd(this, error);
  }
}

export class Readers {
  readonly #services: ReaderServices;
  readonly #open = new Map<string, OpenResponse>();
  readonly #arrivals = new Map<string, ReaderArrival>();
  #lastId = 0;
  #timer: Timer | undefined;
  readonly #monotonicMs: () => number;
  readonly #onEnd = (over: OpenResponse, error: unknown) => this.#ended(over, error);

  constructor(services: ReaderServices) {
    this.#services = services;
    this.#monotonicMs = () => services.clock.monotonicMs();
  }

  get count(): number {
    return this.#open.size;
  }

  /** Somebody asks for a file that has to be opened first. */
  arrived(arrival: ReaderArrival): Arrival {
    const id = String(++this.#lastId);
    this.#arrivals.set(id, arrival);
    return { id, end: () => void this.#arrivals.delete(id) };
  }

  /** @param arrival - goes over into it */
  opened(start: ReaderStart, arrival?: Arrival): OpenResponse {
    arrival?.end();
    const id = arrival?.id ?? String(++this.#lastId);
    const response = new OpenResponse(id, start, this.#monotonicMs, this.#onEnd);
    this.#open.set(id, response);
    this.#timer ??= this.#services.clock.every(METER_PERIOD_MS, () => this.#look());
    return response;
  }

  /** In the order in which they came. */
  list(): OpenReader[] {
    const nowMs = this.#services.clock.monotonicMs();
    const waiting = [...this.#arrivals].filter(([, { requestedAtMs }]) => nowMs - requestedAtMs >= STALL_MIN_MS);
    return [
      ...[...this.#open.values()].map((response) => this.#describe(response)),
      ...waiting.map(([id, arrival]) => this.#describeArrival(id, arrival)),
    ]
      .filter(isPlaying)
      .sort((left, right) => Number(left.id) - Number(right.id));
  }

  find(id: string): OpenReader | null {
    return this.list().find((reader) => reader.id === id) ?? null;
  }

  /**
   * Cuts the response. What was fetched for it is kept.
   * @throws LarderError `missing` when there is no such reader (any more)
   */
  stop(id: string): OpenReader {
    const response = this.#open.get(id);
    const arrival = this.#arrivals.get(id);
    if (arrival !== undefined) {
      cutResponse(arrival.response);
      return this.#describeArrival(id, arrival);
    }
    if (response === undefined) {
      throw new LarderError('missing', 'that reader is not there any more', {
        hint: 'it has ended by itself: nothing is left to stop',
      });
    }
    const described = this.#describe(response);
    response.isStopped = true;
    cutResponse(response.start.response);
    return described;
  }

  /** Those that ended, newest first, from behind the one with the id `before`. */
  listEnded(limit: number, before: number | null): Promise<ReaderHistoryRow[]> {
    return this.#services.ended.list(limit, before);
  }

  #look(): void {
    if (this.#open.size === 0) {
      this.#timer?.cancel();
      this.#timer = undefined;
      return;
    }
    const nowMs = this.#services.clock.monotonicMs();
    for (const { meter, start, reader, totals } of this.#open.values()) meter.look(start.file, reader, totals, nowMs);
  }

  #ended(response: OpenResponse, error: unknown): void {
    // The next look ends the timer when nobody has come by then: players ask for one piece after the other.
    this.#open.delete(response.id);
    const { start, reader, totals, firstByteMs } = response;
    const { identity, totalBytes } = start.file;
    const { path, quality, entryId } = shownAs(identity);
    if (!isPlaying({ quality })) return;
    const { clock, ended } = this.#services;
    const { outcome, reason } = outcomeOf(response, error);
    ended.note({
      entryId,
      source: start.source,
      path,
      title: titleOf(identity.address),
      quality,
      address: reader.label.address,
      userAgent: reader.label.player,
      startedAt: this.#wallMs(start.requestedAtMs),
      endedAt: clock.nowMs(),
      requestCount: 1,
      servedBytes: totals.servedBytes,
      servedFromDiskBytes: totals.fromDiskBytes,
      position: reader.position,
      sizeBytes: totalBytes,
      firstByteMs: firstByteMs === null ? null : Math.round(firstByteMs),
      stallCount: totals.stallCount,
      stalledMs: Math.round(totals.stalledMs),
      worstStallMs: Math.round(totals.worstStallMs),
      outcome,
      reason,
    });
  }

  #describe({ id, start, reader, meter, totals, firstByteMs }: OpenResponse): OpenReader {
    const { file, source } = start;
    const { address } = file.identity;
    const { path, quality, entryId } = shownAs(file.identity);
    const runwayBytes = Math.max(0, Math.min(file.runwayBytes(reader.position), reader.end - reader.position));
    const waiting = this.#describeWait(file, source, reader);
    const waitedMs = waiting === null ? 0 : this.#services.clock.nowMs() - waiting.sinceMs;
    return {
      id,
      entryId,
      source,
      path,
      title: titleOf(address),
      quality,
      player: playerName(reader.label.player),
      userAgent: reader.label.player,
      address: reader.label.address,
      startedAtMs: this.#wallMs(start.requestedAtMs),
      positionBytes: reader.position,
      sizeBytes: file.totalBytes,
      servedBytes: totals.servedBytes,
      fromDiskBytes: totals.fromDiskBytes,
      toPlayerRate: meter.rate('servedBytes'),
      fromOriginRate: meter.rate('originBytes'),
      runwayBytes,
      isRunwayWhole: reader.position + runwayBytes >= reader.end,
      firstByteMs,
      stallCount: totals.stallCount,
      stalledMs: totals.stalledMs,
      worstStallMs: Math.max(totals.worstStallMs, reader.servedBytes > 0 ? waitedMs : 0),
      waiting,
      seconds: meter.seconds,
    };
  }

  #describeArrival(id: string, { source, address, label, requestedAtMs }: ReaderArrival): OpenReader {
    const startedAtMs = this.#wallMs(requestedAtMs);
    return {
      id,
      entryId: null,
      source,
      path: (address.partOf ?? address).path,
      title: titleOf(address),
      quality: (address.partOf ?? address).quality,
      player: playerName(label.player),
      userAgent: label.player,
      address: label.address,
      startedAtMs,
      positionBytes: 0,
      sizeBytes: null,
      servedBytes: 0,
      fromDiskBytes: 0,
      toPlayerRate: null,
      fromOriginRate: null,
      runwayBytes: 0,
      isRunwayWhole: false,
      firstByteMs: null,
      stallCount: 0,
      stalledMs: 0,
      worstStallMs: 0,
      waiting: {
        kind: 'first-byte',
        source,
        sinceMs: startedAtMs,
        attempt: 1,
        reason: null,
        hint: null,
        untilMs: null,
      },
      seconds: [],
    };
  }

  #describeWait(file: CachedFile, source: string, reader: Reader): ReaderWait | null {
    if (!isWaiting(reader, this.#services.clock.monotonicMs())) return null;
    const { kind, attempt, error, untilMs } = file.explainWait(reader);
    return {
      kind,
      source,
      sinceMs: this.#wallMs(reader.waitingSinceMs ?? 0),
      attempt,
      reason: error?.message ?? null,
      hint: error?.hint ?? null,
      untilMs: untilMs === null ? null : this.#wallMs(untilMs),
    };
  }

  #wallMs(monotonicMs: number): number {
    const { clock } = this.#services;
    return Math.round(clock.nowMs() - (clock.monotonicMs() - monotonicMs));
  }
}

/** Pieces of a playlist are read by the hundred: people think of the film. */
function shownAs({ address, entryId }: { readonly address: MediaAddress; readonly entryId: number }) {
  const { path, quality } = address.partOf ?? address;
  const shownId = address.partOf === undefined ? entryId : (address.partOf.entryId ?? 0);
  return { path, quality, entryId: shownId === 0 ? null : shownId };
}

function titleOf({ title, year }: MediaAddress): string {
  return year === null ? title : `${title} (${year})`;
}

function outcomeOf(response: OpenResponse, error: unknown): Pick<ReaderHistoryRow, 'outcome' | 'reason'> {
  if (response.isStopped) return { outcome: 'stopped', reason: null };
  if (error === undefined) return { outcome: 'finished', reason: null };
  if (!(error instanceof LarderError)) return { outcome: 'failed', reason: 'a mistake of Larder: see its log' };
  return error.code === 'stopped' ? { outcome: 'left', reason: null } : { outcome: 'failed', reason: error.message };
}

/** Pictures and subtitles are read by pages and players on the way: nobody plays them. */
function isPlaying({ quality }: { readonly quality: string }): boolean {
  return !quality.startsWith('~');
}
