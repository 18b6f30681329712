// One upstream request as the main thread sees it: waits for a connection, runs on a download thread, reports to its
// owner. It knows nothing of files and readers.
import type { Clock } from '../clock.ts';
import { type ErrorValue, toErrorValue } from '../errors.ts';
import type { OriginRequest } from '../sources/origin-client.ts';
import type { OriginHead } from '../sources/origin-response.ts';
import type { UpstreamRequest } from '../sources/upstream-request.ts';
import type { FetchAccept, FetchClosed, FetchDurable, FetchEnded } from './fetch-messages.ts';
import type { FetchTerms, LiveFetch } from './fetch-plan.ts';
import { type FetchRequest, isExpired } from './fetch-request.ts';
import {
  type FetchListener,
  type FetchScheduler,
  type FetchThreads,
  Priority,
  type ScheduledFetch,
  type ThreadFetch,
} from './fetch-scheduler.ts';

export interface FetchOwner {
  /** Whether the origin serves the file from any offset; absent where that is not known yet. */
  readonly seekable?: boolean;
  /** The request as it should be by now, for a fetch that got its connection; null when its bytes came otherwise. */
  requestFor(fetch: Fetch): FetchRequest | null;
  fetchOpened(fetch: Fetch, head: OriginHead): void;
  fetchProgressed(fetch: Fetch, from: number): void;
  /** Bytes at the fetch's position that are on no disk; progress is told right after. */
  fetchReceived(fetch: Fetch, bytes: Uint8Array): void;
  fetchDurable(fetch: Fetch, message: FetchDurable): void;
  fetchClosed(fetch: Fetch, message: FetchClosed): void;
  fetchEnded(fetch: Fetch, message: FetchEnded): void;
}

export interface FetchOptions {
  readonly sourceId: number;
  readonly scheduler: FetchScheduler;
  readonly threads: FetchThreads;
  readonly clock: Clock;
  readonly owner: FetchOwner;
  readonly position: number;
  readonly requestEnd: number | null;
  readonly terms: FetchTerms;
  /** Its bytes would come without it, too. */
  readonly isHelper?: boolean;
}

/** A converter that fails at its start leaves a body of nothing in good order: there is no such film. */
const EMPTY_CONVERSION: ErrorValue = {
  code: 'origin-failed',
  message: 'the server ended the conversion before its first byte',
  retry: 'never',
  isOfFile: true,
  hint: 'play the original, or look for the reason in the log of the server',
};
/** Until the source was measured: a guess at the time to a first byte. */
const FIRST_BYTE_GUESS_MS = 100;
/** Weight of the newest sample in the running speed. */
const SPEED_SAMPLE_WEIGHT = 0.3;

export class Fetch implements ScheduledFetch, LiveFetch, FetchListener {
  readonly sourceId: number;
  requestEnd: number | null;
  readonly isHelper: boolean;
  readonly createdAtMs: number;
  owner: FetchOwner;
  state: 'queued' | 'opening' | 'running' | 'stopping' | 'closed' = 'queued';
  /** First byte that this fetch writes. */
  firstOffset: number;
  position: number;
  bytesPerMs: number | null = null;
  firstByteMs = FIRST_BYTE_GUESS_MS;
  receivedBytes = 0;
  openedAtMs: number | null = null;
  /** Bytes and time of its body until it was first held up by us. */
  freeRunBytes = 0;
  freeRunMs = 0;
  #isHeldUp = false;
  /** Its bytes are passed on from memory; none of them is written. */
  toMemory = false;
  /** Room on the disk is taken up to here, and so many bytes of it have their rows. */
  reservedEnd = 0;
  recordedBytes = 0;
  #terms: FetchTerms;
  /** It may not go further, whatever its terms say: there is no room. */
  #ceiling = Number.POSITIVE_INFINITY;
  #thread: ThreadFetch | undefined;
  /** Asked anew when its address turns out to have expired; null where that brings nothing, or was done. */
  #again: FetchRequest | null = null;
  /** A server converts for it. */
  #isConversion = false;
  /** Its bytes are at a server of somebody else, to which its source led. */
  #isElsewhere = false;
  /** Ends that are still to come of addresses that had expired. */
  #expiredEnds = 0;
  #askedAtMs = 0;
  #sampledAtMs = 0;
  readonly #options: FetchOptions;

  constructor(options: FetchOptions) {
    this.#options = options;
    this.sourceId = options.sourceId;
    this.requestEnd = options.requestEnd;
    this.isHelper = options.isHelper ?? false;
    this.owner = options.owner;
    this.firstOffset = options.position;
    this.position = options.position;
    this.#terms = { ...options.terms };
    this.createdAtMs = options.clock.monotonicMs();
  }

  get priority(): Priority {
    return this.#terms.priority;
  }

  get end(): number {
    return this.#terms.end;
  }

  /** How far it is wanted now. */
  get wantedEnd(): number {
    return Math.min(this.#terms.credit, this.#terms.end);
  }

  get isPaused(): boolean {
    return this.state === 'running' && this.position >= this.#credit;
  }

  get isHeld(): boolean {
    return this.#isConversion && this.state === 'running' && this.priority <= Priority.high;
  }

  get losesItsPlace(): boolean {
    return this.owner.seekable === false;
  }

  get #credit(): number {
    return Math.min(this.#terms.credit, this.#ceiling);
  }

  enqueue(): void {
    this.#options.scheduler.enqueue(this);
  }

  /** Called by the scheduler: a connection is free. */
  start(): void {
    const request = this.owner.requestFor(this);
    if (request === null) {
      this.state = 'closed';
      this.#options.scheduler.release(this);
      return;
    }
    this.state = 'opening';
    this.#askedAtMs = this.#options.clock.monotonicMs();
    this.#resolve(request, false);
  }

  /** Finds out where the bytes are now. It has its connection meanwhile: the source may have to be asked. */
  #resolve(request: FetchRequest, isFresh: boolean): void {
    this.#again = request.upstream.mayExpire && !isFresh ? request : null;
    try {
      const upstream = request.upstream.resolve({ isFresh, isBackground: this.priority >= Priority.medium });
      if (!(upstream instanceof Promise)) this.#open(request, upstream);
      else
        upstream.then(
          (resolved) => this.#open(request, resolved),
          (error: unknown) => this.#unresolved(toErrorValue(error)),
        );
    } catch (error) {
      // Behind whoever called: a fetch does not end while it is being started.
      queueMicrotask(() => this.#unresolved(toErrorValue(error)));
    }
  }

  #open(request: FetchRequest, upstream: UpstreamRequest): void {
    // It was stopped meanwhile, and has said so.
    if (this.state !== 'opening') return;
    this.#isConversion = upstream.session !== undefined;
    this.#isElsewhere = new URL(upstream.url).host !== new URL(upstream.baseUrl).host;
    const { upstream: _, ...asked } = request;
    const origin: OriginRequest = { ...asked, ...upstream };
    this.#thread = this.#options.threads.start(origin, this);
  }

  /** It ends without having asked for a byte. */
  #unresolved(error: ErrorValue | null): void {
    if (this.state !== 'opening' && this.state !== 'stopping') return;
    const { position } = this;
    this.#again = null;
    this.closed({ kind: 'closed', fetchId: 0, position, bodyEnded: false, error });
    this.ended({ kind: 'ended', fetchId: 0, error: null });
  }

  /** The response is taken: `position` is the first byte that it writes. */
  beginAt(position: number, toMemory: boolean): void {
    this.firstOffset = position;
    this.position = position;
    this.reservedEnd = position;
    this.toMemory = toMemory;
    this.#sampledAtMs = this.#options.clock.monotonicMs();
  }

  accept(message: Pick<FetchAccept, 'fileName' | 'mayCreate' | 'sample' | 'totalBytes'>): void {
    const { toMemory, position: writeFrom } = this;
    this.state = 'running';
    this.#thread?.accept({
      ...message,
      toMemory,
      writeFrom,
      credit: this.#credit,
      end: finiteOrNull(this.#terms.end),
    });
  }

  setTerms(terms: FetchTerms): void {
    const credit = this.#credit;
    const before = this.#terms;
    this.#terms = { ...terms };
    if (terms.priority !== before.priority) this.#options.scheduler.reorder(this);
    this.#tellCredit(credit, before.end);
  }

  setCeiling(offset: number): void {
    const credit = this.#credit;
    this.#ceiling = offset;
    this.#tellCredit(credit, this.#terms.end);
  }

  /** The rows of everything before `position` have committed. */
  recorded(position: number): void {
    this.#thread?.recorded(position);
  }

  #tellCredit(creditBefore: number, endBefore: number): void {
    if (this.state !== 'running' || (this.#credit === creditBefore && this.#terms.end === endBefore)) return;
    this.#thread?.setCredit(this.#credit, finiteOrNull(this.#terms.end));
  }

  /** Nobody wants it any more. What it has written is kept. */
  stop(): void {
    if (this.state === 'queued') {
      this.state = 'closed';
      this.#options.scheduler.release(this);
    } else if (this.state === 'opening' || this.state === 'running') {
      this.state = 'stopping';
      if (this.#thread === undefined) queueMicrotask(() => this.#unresolved(null));
      else this.#thread.stop();
    }
  }

  yieldConnection(): void {
    this.stop();
  }

  opened(head: OriginHead): void {
    if (this.state !== 'opening') return;
    this.openedAtMs = this.#options.clock.monotonicMs();
    this.firstByteMs = this.openedAtMs - this.#askedAtMs;
    this.owner.fetchOpened(this, head);
  }

  progressed(position: number): void {
    const from = this.position;
    if (position <= from) return;
    const now = this.#options.clock.monotonicMs();
    const elapsedMs = Math.max(now - this.#sampledAtMs, 0.1);
    const sample = (position - from) / elapsedMs;
    this.bytesPerMs =
      this.bytesPerMs === null ? sample : this.bytesPerMs + (sample - this.bytesPerMs) * SPEED_SAMPLE_WEIGHT;
    this.#sampledAtMs = now;
    this.position = position;
    this.receivedBytes += position - from;
    if (!this.#isHeldUp && this.openedAtMs !== null) {
      this.freeRunBytes = this.receivedBytes;
      this.freeRunMs = now - this.openedAtMs;
      this.#isHeldUp = position >= this.#credit;
    }
    this.owner.fetchProgressed(this, from);
  }

  received(position: number, bytes: Uint8Array): void {
    if (this.state === 'closed') return;
    this.owner.fetchReceived(this, bytes);
    this.progressed(position + bytes.length);
  }

  durable(message: FetchDurable): void {
    // What was synced may not have been told as progress yet: a plan would take a fetch for one that stops at its own bytes.
    this.progressed(message.end);
    this.owner.fetchDurable(this, message);
  }

  closed(message: FetchClosed): void {
    if (this.state === 'opening' && this.#again !== null && isExpired(message.error)) {
      this.#thread = undefined;
      this.#expiredEnds += 1;
      this.#resolve(this.#again, true);
      return;
    }
    this.state = 'closed';
    this.#options.scheduler.release(this);
    const isEmpty = this.#isConversion && message.bodyEnded && message.position === 0;
    const error = isEmpty ? EMPTY_CONVERSION : message.error;
    const told = error !== null && this.#isElsewhere ? { ...error, isOfFile: true } : error;
    this.owner.fetchClosed(this, { ...message, bodyEnded: message.bodyEnded && !isEmpty, error: told });
  }

  ended(message: FetchEnded): void {
    if (this.#expiredEnds > 0 && message.fetchId !== 0) {
      this.#expiredEnds -= 1;
      return;
    }
    this.owner.fetchEnded(this, message);
  }
}

function finiteOrNull(offset: number): number | null {
  return Number.isFinite(offset) ? offset : null;
}
