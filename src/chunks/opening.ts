// The first touch of an entry of which nothing is known: one upstream request that is probe and data at once. It asks
// at the exact offset that the first client wants, and what its response says makes the generation. Everybody who
// opens the entry meanwhile waits for the same opening.
import type { Clock } from '../clock.ts';
import { fromErrorValue, LarderError } from '../errors.ts';
import { CONTAINER_EDGE_BYTES, FETCH_ATTEMPTS_MAX, READER_WAIT_MAX_MS } from '../limits.ts';
import type { OriginHead, OriginRange } from '../sources/origin-response.ts';
import { Fetch, type FetchOwner } from './fetch.ts';
import type { FetchClosed } from './fetch-messages.ts';
import type { FetchTerms } from './fetch-plan.ts';
import type { FetchRequest } from './fetch-request.ts';
import type { FetchScheduler, FetchThreads, Priority } from './fetch-scheduler.ts';
import { backoffDelayMs, isLongPause } from './retry-policy.ts';

export interface OpeningOptions {
  readonly sourceId: number;
  readonly scheduler: FetchScheduler;
  readonly threads: FetchThreads;
  readonly clock: Clock;
  readonly random: () => number;
  /** Of who opened it first. */
  readonly priority: Priority;
  /** Monotonic time until which the last of those who wait does so; who comes meanwhile moves it. */
  readonly waitUntilMs: () => number;
  /** What the first client wants; null asks for the head only (HEAD requests). */
  readonly range: OriginRange | null;
  /** Null asks for the whole file without a Range header. */
  readonly request: (range: OriginRange | null) => FetchRequest;
}

export interface OpeningResult {
  readonly head: OriginHead;
  /** The running fetch, to be adopted or stopped; null when the origin said all in an error (an empty file). */
  readonly fetch: Fetch | null;
}

const PROBE: OriginRange = { kind: 'from', start: 0, end: 1 };

const EMPTY_FILE: OriginHead = {
  start: 0,
  bodyBytes: 0,
  totalBytes: 0,
  seekable: true,
  etag: null,
  lastModified: null,
  contentType: null,
  contentLanguage: null,
  contentDisposition: null,
};

export class Opening implements FetchOwner {
  readonly #options: OpeningOptions;
  #priority: Priority;
  #attempts = 0;
  /** The origin's parts do not say how long the file is. */
  #withoutRange = false;
  #lastError: LarderError | null = null;
  #fetch: Fetch | undefined;
  #done = false;
  #resolve!: (result: OpeningResult) => void;
  #reject!: (error: LarderError) => void;
  /** @throws LarderError when the origin does not give the file */
  readonly result: Promise<OpeningResult>;

  constructor(options: OpeningOptions) {
    this.#options = options;
    this.#priority = options.priority;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#try();
  }

  /** What somebody hears whose wait is over. */
  get waitError(): LarderError {
    if (this.#lastError !== null) return this.#lastError;
    if (this.#fetch?.state === 'queued') {
      return new LarderError('overloaded', 'all connections to the source are taken', {
        retry: 'soon',
        hint: 'try again in a moment; the settings say how many connections a source has',
      });
    }
    const waited = `nothing came from the origin within ${READER_WAIT_MAX_MS / 1_000} s`;
    return new LarderError('origin-silent', waited, { retry: 'soon', hint: 'the origin may be asleep or down' });
  }

  /** The wait of the last one is over. */
  giveUp(): void {
    this.#fail(this.waitError);
  }

  /** Nobody waits for it any more. */
  cancel(): void {
    this.#fail(nobodyWaits());
  }

  /** Somebody waits for it who is more urgent than who began. */
  raise(priority: Priority): void {
    if (priority >= this.#priority) return;
    this.#priority = priority;
    if (!this.#done) this.#fetch?.setTerms(this.#termsFrom(this.#fetch.position));
  }

  #termsFrom(position: number): FetchTerms {
    return { priority: this.#priority, credit: position + CONTAINER_EDGE_BYTES, end: Number.POSITIVE_INFINITY };
  }

  requestFor(): FetchRequest {
    return this.#options.request(this.#withoutRange ? null : (this.#options.range ?? PROBE));
  }

  fetchOpened(fetch: Fetch, head: OriginHead): void {
    if (head.totalBytes === null && head.seekable) {
      // A part of nobody knows how much: the end of its body is no end of the file. Read from the start instead.
      this.#withoutRange = true;
      fetch.stop();
      return;
    }
    this.#done = true;
    this.#resolve({ head, fetch });
  }

  fetchClosed(_fetch: Fetch, message: FetchClosed): void {
    if (this.#done) return;
    if (message.error === null) {
      // The queue asked for the connection, or the request is to be another: ask again.
      this.#try();
      return;
    }
    const error = fromErrorValue(message.error);
    if (error.code === 'out-of-range' && error.totalBytes === 0) {
      this.#resolve({ head: EMPTY_FILE, fetch: null });
      return;
    }
    this.#lastError = error;
    const { clock, random } = this.#options;
    if (error.code === 'origin-lied' && this.#options.range?.kind === 'suffix' && !this.#withoutRange) {
      this.#withoutRange = true;
      this.#try();
      return;
    }
    this.#attempts += 1;
    const delayMs = Math.max(error.retryAfterMs ?? 0, backoffDelayMs(this.#attempts, random));
    if (error.retryAfterMs !== undefined) {
      // The whole source is left alone, not this file only.
      this.#options.scheduler.pauseSource(this.#options.sourceId, clock.monotonicMs() + delayMs, error);
    }
    const leftMs = this.#options.waitUntilMs() - clock.monotonicMs();
    const mayRetry = error.retry === 'soon' || error.retryAfterMs !== undefined;
    if (!mayRetry || this.#attempts >= FETCH_ATTEMPTS_MAX || delayMs > leftMs / 4) this.#fail(error);
    else clock.after(delayMs, () => this.#try());
  }

  fetchProgressed(): void {
    // Until a file adopts the fetch nothing is accepted, so nothing is written.
  }

  fetchReceived(): void {
    // As above.
  }

  fetchDurable(): void {
    // As above.
  }

  fetchEnded(): void {
    // What there is to know came with `fetchClosed`.
  }

  #fail(error: LarderError): void {
    this.#done = true;
    this.#fetch?.stop();
    this.#reject(error);
  }

  #try(): void {
    if (this.#done) return;
    const { range: wanted, clock, scheduler, sourceId, threads } = this.#options;
    const pause = scheduler.pauseOf(sourceId);
    if (pause !== null && isLongPause(pause)) {
      this.#fail(pause);
      return;
    }
    const range: OriginRange = this.#withoutRange ? { kind: 'from', start: 0, end: null } : (wanted ?? PROBE);
    const position = range.kind === 'from' ? range.start : 0;
    this.#fetch = new Fetch({
      sourceId,
      scheduler,
      threads,
      clock,
      owner: this,
      position,
      requestEnd: range.kind === 'from' ? range.end : null,
      terms: this.#termsFrom(position),
    });
    this.#fetch.enqueue();
  }
}

export function nobodyWaits(): LarderError {
  return new LarderError('stopped', 'nobody waits for this file any more');
}
