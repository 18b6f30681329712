// Who gets a connection next. Each source has a few; within a source the most urgent goes first, equals in the order
// they came. Waiting work rises with age, so that LOW never starves; what a person waits for takes the connection of
// what nobody waits for, and equals take turns. Where a reader goes on waiting although it has a connection, the line
// is too thin for all: downloads of that source rest until nobody waited for a while.

import { type FetchScheduler, Priority, type ScheduledFetch } from '../chunks/fetch-scheduler.ts';
import type { Clock, Timer } from '../clock.ts';
import { fromErrorValue, type LarderError, toErrorValue } from '../errors.ts';
import { AGEING_MS, DOWNLOADS_REST_MS, FAIR_SLICE_MS, LINE_SHORTAGE_MS } from '../limits.ts';

export interface FetchLimits {
  readonly connectionsPerSource: number;
  readonly connectionsTotal: number;
}

export interface FetchQueueOptions extends FetchLimits {
  readonly clock: Clock;
}

interface Waiting {
  readonly fetch: ScheduledFetch;
  readonly sinceMs: number;
}

interface Running {
  readonly fetch: ScheduledFetch;
  readonly sinceMs: number;
  yielding: boolean;
}

interface Turn {
  readonly sourceId: number;
  waiting: Waiting[];
  running: Running[];
  pausedUntilMs: number;
  pauseReason: LarderError | null;
  /** Since when a reader was found waiting each time that it was looked; null when none was. */
  shortSinceMs: number | null;
  downloadsRestUntilMs: number;
}

const TICK_MS = 500;

export class FetchQueue implements FetchScheduler {
  readonly #clock: Clock;
  #limits: FetchLimits;
  readonly #turns = new Map<number, Turn>();
  #runningCount = 0;
  #ticking: Timer | undefined;

  constructor(options: FetchQueueOptions) {
    this.#clock = options.clock;
    this.#limits = options;
  }

  /** Fetches that are over a lower limit run on; the next ones wait until there is room below it. */
  setLimits(limits: FetchLimits): void {
    this.#limits = limits;
    this.#dispatch();
  }

  get runningCount(): number {
    return this.#runningCount;
  }

  /** Whether anything is fetched from the source. */
  isBusy(sourceId: number): boolean {
    return (this.#turns.get(sourceId)?.running.length ?? 0) > 0;
  }

  get waitingCount(): number {
    let count = 0;
    for (const turn of this.#turns.values()) count += turn.waiting.length;
    return count;
  }

  enqueue(fetch: ScheduledFetch): void {
    this.#turnOf(fetch.sourceId).waiting.push({ fetch, sinceMs: this.#now() });
    this.#dispatch();
  }

  reorder(fetch: ScheduledFetch): void {
    const turn = this.#turnOf(fetch.sourceId);
    if (turn.waiting.some((waiting) => waiting.fetch === fetch)) {
      this.#dispatch();
      return;
    }
    this.#noteShortage(turn);
    this.#keepTicking();
  }

  release(fetch: ScheduledFetch): void {
    const turn = this.#turnOf(fetch.sourceId);
    const running = turn.running.findIndex((candidate) => candidate.fetch === fetch);
    if (running >= 0) {
      turn.running.splice(running, 1);
      this.#runningCount -= 1;
    } else {
      turn.waiting = turn.waiting.filter((candidate) => candidate.fetch !== fetch);
    }
    this.#dispatch();
  }

  pauseSource(sourceId: number, untilMonotonicMs: number, reason: LarderError): void {
    const turn = this.#turnOf(sourceId);
    if (untilMonotonicMs > turn.pausedUntilMs) {
      turn.pausedUntilMs = untilMonotonicMs;
      turn.pauseReason = reason;
    }
    this.#keepTicking();
  }

  /** The owner changed the source: what it said before holds no longer. */
  resumeSource(sourceId: number): void {
    const turn = this.#turnOf(sourceId);
    turn.pausedUntilMs = 0;
    turn.pauseReason = null;
    this.#dispatch();
  }

  pauseOf(sourceId: number): LarderError | null {
    const { pausedUntilMs, pauseReason } = this.#turnOf(sourceId);
    const leftMs = pausedUntilMs - this.#now();
    if (leftMs <= 0 || pauseReason === null) return null;
    return fromErrorValue({ ...toErrorValue(pauseReason), retryAfterMs: leftMs });
  }

  /** Whether a reader of the source goes on waiting, and downloads of it stand back until it does not. */
  downloadsRest(sourceId: number): boolean {
    return this.#areDownloadsResting(this.#turnOf(sourceId));
  }

  #now(): number {
    return this.#clock.monotonicMs();
  }

  #turnOf(sourceId: number): Turn {
    let turn = this.#turns.get(sourceId);
    if (turn === undefined) {
      turn = {
        sourceId,
        waiting: [],
        running: [],
        pausedUntilMs: 0,
        pauseReason: null,
        shortSinceMs: null,
        downloadsRestUntilMs: 0,
      };
      this.#turns.set(sourceId, turn);
    }
    return turn;
  }

  /** The one place that fills connections. */
  #dispatch(): void {
    for (const turn of this.#turns.values()) this.#noteShortage(turn);
    for (;;) {
      const next = this.#next();
      if (next === null) break;
      const { turn, waiting } = next;
      turn.waiting.splice(turn.waiting.indexOf(waiting), 1);
      turn.running.push({ fetch: waiting.fetch, sinceMs: this.#now(), yielding: false });
      this.#runningCount += 1;
      waiting.fetch.start();
    }
    for (const turn of this.#turns.values()) {
      this.#makeRoom(turn);
      this.#restDownloads(turn);
    }
    this.#keepTicking();
  }

  /** Most urgent of all sources that have a connection free. */
  #next(): { turn: Turn; waiting: Waiting } | null {
    if (this.#runningCount >= this.#limits.connectionsTotal) return null;
    let best: { turn: Turn; waiting: Waiting } | null = null;
    for (const turn of this.#turns.values()) {
      if (this.#isFull(turn) || turn.pausedUntilMs > this.#now()) continue;
      for (const waiting of turn.waiting) {
        if (this.#areDownloadsResting(turn) && this.#urgency(waiting) > Priority.high) continue;
        if (best === null || this.#compare(waiting, best.waiting) < 0) best = { turn, waiting };
      }
    }
    return best;
  }

  #isFull({ running }: Turn): boolean {
    return running.filter(({ fetch }) => fetch.isHeld !== true).length >= this.#limits.connectionsPerSource;
  }

  #compare(left: Waiting, right: Waiting): number {
    return this.#urgency(left) - this.#urgency(right) || left.sinceMs - right.sinceMs;
  }

  /** Age lifts waiting work step by step, but never to where somebody waits for a byte. */
  #urgency(waiting: Waiting): number {
    const { priority } = waiting.fetch;
    if (priority <= Priority.high) return priority;
    return Math.max(Priority.high, priority - Math.floor((this.#now() - waiting.sinceMs) / AGEING_MS));
  }

  /** To start and to seek takes a moment of waiting anywhere: what goes on for longer is a line that is shared. */
  #noteShortage(turn: Turn): void {
    const now = this.#now();
    turn.shortSinceMs = hasWaitingReader(turn) ? (turn.shortSinceMs ?? now) : null;
    if (turn.shortSinceMs !== null && now - turn.shortSinceMs >= LINE_SHORTAGE_MS) {
      turn.downloadsRestUntilMs = now + DOWNLOADS_REST_MS;
    }
  }

  #areDownloadsResting({ downloadsRestUntilMs }: Turn): boolean {
    return downloadsRestUntilMs > this.#now();
  }

  /** One that has just been given a connection, because of its age, has it for a moment. */
  #restDownloads(turn: Turn): void {
    if (!this.#areDownloadsResting(turn)) return;
    for (const running of turn.running) {
      if (!isDownload(running) || running.yielding || this.#now() - running.sinceMs < FAIR_SLICE_MS) continue;
      if (running.fetch.losesItsPlace === true) continue;
      running.yielding = true;
      running.fetch.yieldConnection();
    }
  }

  /** Somebody waits for a byte and all connections are taken: the least urgent one is asked back. */
  #makeRoom(turn: Turn): void {
    if (turn.pausedUntilMs > this.#now()) return;
    const sourceIsFull = this.#isFull(turn);
    if (!sourceIsFull && this.#runningCount < this.#limits.connectionsTotal) return;
    // Where the total is the limit, another source's work may have to give way.
    const all = sourceIsFull ? turn.running : [...this.#turns.values()].flatMap((other) => other.running);
    let needed = turn.waiting.filter((waiting) => waiting.fetch.priority === Priority.critical).length;
    needed -= all.filter((running) => running.yielding).length;
    const candidates = all
      .filter((running) => !running.yielding && running.fetch.isHeld !== true)
      .sort(
        (left, right) =>
          Number(right.fetch.isPaused) - Number(left.fetch.isPaused) ||
          right.fetch.priority - left.fetch.priority ||
          left.sinceMs - right.sinceMs,
      );
    for (const running of candidates) {
      if (needed <= 0) return;
      const isLess = running.fetch.isPaused || running.fetch.priority > Priority.critical;
      if (!isLess && !this.#mayTakeTurn(turn, running)) continue;
      running.yielding = true;
      needed -= 1;
      running.fetch.yieldConnection();
    }
  }

  #mayTakeTurn(turn: Turn, running: Running): boolean {
    const now = this.#now();
    return (
      running.fetch.losesItsPlace !== true &&
      running.fetch.openedAtMs !== null &&
      now - running.fetch.openedAtMs >= FAIR_SLICE_MS &&
      turn.waiting.some(
        (waiting) => waiting.fetch.priority === Priority.critical && now - waiting.sinceMs >= FAIR_SLICE_MS,
      )
    );
  }

  /** Ageing, turns, pauses and shortage are matters of time; no timer runs while nothing waits. */
  #keepTicking(): void {
    const waits =
      this.waitingCount > 0 ||
      [...this.#turns.values()].some((turn) => turn.running.some(isDownload) && hasWaitingReader(turn));
    if (waits && this.#ticking === undefined) {
      this.#ticking = this.#clock.every(TICK_MS, () => this.#dispatch());
    } else if (!waits && this.#ticking !== undefined) {
      this.#ticking.cancel();
      this.#ticking = undefined;
    }
  }
}

function isDownload({ fetch }: Running): boolean {
  return fetch.priority > Priority.high;
}

function hasWaitingReader({ running, waiting }: Turn): boolean {
  return [...running, ...waiting].some(({ fetch }) => fetch.priority === Priority.critical && !fetch.isPaused);
}
