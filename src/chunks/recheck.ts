// Asks the origin whether it still has the version that is stored: one upstream request that brings no bytes. Where
// the origin names no version at all, a few stored bytes are compared with its own.
import { fromErrorValue, LarderError } from '../errors.ts';
import type { OriginHead, OriginRange } from '../sources/origin-response.ts';
import { Fetch, type FetchOptions, type FetchOwner } from './fetch.ts';
import type { FetchClosed, VersionSample } from './fetch-messages.ts';
import type { FetchRequest } from './fetch-request.ts';
import { Priority } from './fetch-scheduler.ts';

export interface RecheckOptions extends Pick<FetchOptions, 'sourceId' | 'scheduler' | 'threads' | 'clock'> {
  readonly request: (range: OriginRange) => FetchRequest;
  readonly compare: (head: OriginHead) => 'same' | 'other' | 'unknown';
  readonly fileName: string;
  readonly sample: VersionSample | null;
}

const PROBE: OriginRange = { kind: 'from', start: 0, end: 1 };

export class Recheck implements FetchOwner {
  readonly #options: RecheckOptions;
  #verdict: 'same' | 'other' | null = null;
  #resolve!: (verdict: 'same' | 'other') => void;
  #reject!: (error: LarderError) => void;
  /** @throws LarderError when the origin did not say */
  readonly result: Promise<'same' | 'other'>;
  readonly fetch: Fetch;

  constructor(options: RecheckOptions) {
    this.#options = options;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { sourceId, scheduler, threads, clock } = options;
    this.fetch = new Fetch({
      sourceId,
      scheduler,
      threads,
      clock,
      owner: this,
      position: 0,
      requestEnd: 1,
      terms: { priority: Priority.high, credit: 0, end: 0 },
    });
    this.fetch.enqueue();
  }

  /** Nobody needs to know any more. */
  cancel(): void {
    this.fetch.stop();
    this.#reject(new LarderError('stopped', 'the check was called off'));
  }

  requestFor(): FetchRequest {
    return this.#options.request(PROBE);
  }

  fetchOpened(fetch: Fetch, head: OriginHead): void {
    const { compare, fileName, sample } = this.#options;
    const version = compare(head);
    this.#verdict = version === 'other' ? 'other' : 'same';
    if (version !== 'unknown' || sample === null) {
      fetch.stop();
      return;
    }
    // The thread compares before it would write; its credit of nothing keeps it from writing.
    fetch.beginAt(head.start, true);
    fetch.accept({ fileName, mayCreate: false, sample, totalBytes: null });
  }

  fetchClosed(_fetch: Fetch, message: FetchClosed): void {
    const error = message.error === null ? null : fromErrorValue(message.error);
    if (error?.code === 'origin-changed') this.#resolve('other');
    else if (error !== null) this.#reject(error);
    else if (this.#verdict !== null) this.#resolve(this.#verdict);
    else this.#reject(new LarderError('stopped', 'the connection was needed for something else'));
  }

  fetchProgressed(): void {
    // Nothing is written.
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
}
