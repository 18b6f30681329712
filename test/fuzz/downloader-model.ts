// What a download thread's fetch may write and say, told by what was said to it.
import type { FromThread } from '../../src/chunks/fetch-messages.ts';
import type { MemoryChunkStore } from '../support/memory-chunk-store.ts';
import type { ScriptedBody } from '../support/scripted-body.ts';

export const FILE = 'films/Film-1.mkv';

export type Plain = 'accept' | 'rest' | 'stop' | 'end' | 'cut' | 'hold' | 'release' | 'refuseWrites' | 'refuseSyncs';
export type Step =
  | { readonly kind: Plain }
  | { readonly kind: 'piece'; readonly bytes: number }
  | { readonly kind: 'credit'; readonly ahead: number; readonly end: number | null }
  | { readonly kind: 'tick'; readonly ms: number };

export interface Script {
  readonly start: number;
  readonly bodyBytes: number | null;
  /** Behind the start of the body. */
  readonly skipped: number;
  readonly credit: number;
  /** Behind the start of the body; null is its end. */
  readonly end: number | null;
  readonly acceptsAtOnce: boolean;
  /** Each with the turns that the event loop makes after it. */
  readonly steps: readonly (readonly [Step, turns: number])[];
}

/** What was said to the fetch, and whether what it does and says fits to that. */
export class DownloaderModel {
  readonly wrong: string[] = [];
  readonly faults = new Set<string>();
  isOpened = false;
  isAccepted = false;
  isStopped = false;
  endInForce = Number.POSITIVE_INFINITY;
  writtenTo = 0;
  durableTo = 0;
  reportedTo = 0;
  closed: Extract<FromThread, { kind: 'closed' }> | undefined;
  ended: Extract<FromThread, { kind: 'ended' }> | undefined;
  readonly #store: MemoryChunkStore;
  #seenEvents = 0;

  constructor(store: MemoryChunkStore) {
    this.#store = store;
  }

  accept(writeFrom: number, end: number | null): void {
    this.isAccepted = true;
    this.writtenTo = writeFrom;
    this.durableTo = writeFrom;
    this.reportedTo = writeFrom;
    this.#setEnd(end);
  }

  /** @returns the end as it was told */
  credit(end: number | null, mayLieBehind: boolean): number | null {
    this.#lookAtWrites();
    const told = end === null || mayLieBehind ? end : Math.max(end, this.writtenTo);
    this.#setEnd(told);
    return told;
  }

  hear(message: FromThread): void {
    this.#lookAtWrites();
    this.#check(this.ended === undefined, `${message.kind} came after ended`);
    switch (message.kind) {
      case 'opened':
        this.#check(!this.isOpened && !this.isStopped, 'opened twice, or after stop');
        this.isOpened = true;
        return;
      case 'progress':
        this.#check(this.isAccepted && this.closed === undefined, 'progress before accept or after closed');
        this.#check(message.position > this.reportedTo, `progress to ${message.position} after ${this.reportedTo}`);
        this.#check(message.position <= this.writtenTo, `progress to ${message.position}, written ${this.writtenTo}`);
        this.reportedTo = message.position;
        return;
      case 'durable':
        this.#check(message.start === this.durableTo, `durable from ${message.start} after ${this.durableTo}`);
        this.#check(message.end > message.start && message.end <= this.writtenTo, `durable to ${message.end}`);
        this.#check(
          this.#store.durableRanges(FILE).contains(message.start, message.end),
          `durable [${message.start}, ${message.end}) before its sync`,
        );
        this.durableTo = message.end;
        return;
      case 'closed':
        this.#check(this.closed === undefined, 'closed twice');
        if (this.isStopped) this.#check(message.error === null, `stopped, and closed with ${message.error?.code}`);
        this.closed = message;
        return;
      case 'ended':
        this.#check(this.closed !== undefined, 'ended before closed');
        this.ended = message;
        return;
    }
  }

  finish(script: Script, body: ScriptedBody): void {
    const { closed, ended, faults } = this;
    this.#lookAtWrites();
    if (closed === undefined || ended === undefined) {
      this.wrong.push(`it did not end: ${closed === undefined ? 'not even closed' : 'closed only'}`);
      return;
    }
    if (!this.isAccepted) {
      this.#check(closed.position === 0 && this.#store.events.length === 0, 'something was written before accept');
      return;
    }
    this.#check(this.writtenTo === Math.max(this.writtenTo, closed.position), `closed at ${closed.position}`);
    this.#check(closed.position <= body.sentTo, 'closed behind what was sent');
    const writeFrom = script.start + script.skipped;
    if (closed.position > writeFrom) this.#check(closed.position === this.writtenTo, 'closed before what was written');
    const isRefused = faults.has('refuseWrites') || faults.has('refuseSyncs');
    if (!isRefused) {
      this.#check(ended.error === null, `ended with ${ended.error?.code} on a disk that works`);
      this.#check(this.durableTo === this.writtenTo, `durable to ${this.durableTo}, written to ${this.writtenTo}`);
    }
    if (ended.error !== null) this.#check(ended.error.code === 'storage', `ended with ${ended.error.code}`);
    if (closed.bodyEnded) {
      const bodyEnd = script.bodyBytes === null ? body.sentTo : script.start + script.bodyBytes;
      this.#check(closed.position === bodyEnd && closed.error === null, `the body ended at ${closed.position}`);
      if (script.bodyBytes === null) this.#check(faults.has('end'), 'the body ended, and the origin had not said so');
    }
    this.#checkCause(closed.error?.code, script, body);
  }

  /** An error must have been given a reason. */
  #checkCause(code: string | undefined, script: Script, body: ScriptedBody): void {
    const { faults } = this;
    const isExcess = script.bodyBytes !== null && body.sentTo > script.start + script.bodyBytes;
    const causes: Record<string, boolean> = {
      'origin-failed': faults.has('end') || faults.has('cut'),
      'origin-lied': isExcess,
      'origin-silent': faults.has('silence'),
      storage: faults.has('refuseWrites') || faults.has('refuseSyncs'),
    };
    if (code !== undefined) this.#check(causes[code] === true, `closed with ${code} without a reason`);
  }

  #setEnd(end: number | null): void {
    this.endInForce = end ?? Number.POSITIVE_INFINITY;
  }

  #lookAtWrites(): void {
    for (const event of this.#store.events.slice(this.#seenEvents)) {
      this.#seenEvents += 1;
      if (event.kind !== 'write') continue;
      this.#check(event.start === this.writtenTo, `written at ${event.start}, after ${this.writtenTo}`);
      this.#check(event.end <= this.endInForce, `written to ${event.end}, past the end ${this.endInForce}`);
      this.writtenTo = event.end;
    }
  }

  #check(holds: boolean, complaint: string): void {
    if (!holds) this.wrong.push(complaint);
  }
}
