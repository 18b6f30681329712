// How many connections one file gets from its source: one, until it was seen that one is the limit. Then another is tried,
// and kept where it brings more; what a source was seen to be worth is remembered for the next file.
import type { Clock } from '../clock.ts';
import {
  ACCELERATION_BELOW_BYTES_PER_MS,
  ACCELERATION_MEMORY_MS,
  ACCELERATION_RETRY_MS,
  ACCELERATION_WINDOW_MS,
} from '../limits.ts';

/** Less than this times what came before is not worth a connection. */
const WORTH = 1.1;

interface Memory {
  readonly level: number;
  readonly atMs: number;
  /** No further connection is tried before. */
  readonly notBeforeMs: number;
}

/** What all files of a source learnt. */
export class ConnectionMemory {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #most: () => number;
  readonly #bySource = new Map<number, Memory>();

  /** @param most - connections that a source gets in all */
  constructor(clock: Pick<Clock, 'monotonicMs'>, most: () => number) {
    this.#clock = clock;
    this.#most = most;
  }

  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  levelOf(sourceId: number): number {
    const known = this.#bySource.get(sourceId);
    if (known === undefined || this.nowMs() - known.atMs > ACCELERATION_MEMORY_MS) return 1;
    return Math.min(known.level, this.#most());
  }

  mayTry(sourceId: number, level: number): boolean {
    return level <= this.#most() && this.nowMs() >= (this.#bySource.get(sourceId)?.notBeforeMs ?? 0);
  }

  remember(sourceId: number, level: number, wasWorth: boolean): void {
    const nowMs = this.nowMs();
    const notBeforeMs = wasWorth ? 0 : nowMs + ACCELERATION_RETRY_MS;
    this.#bySource.set(sourceId, { level, atMs: nowMs, notBeforeMs });
  }

  forget(sourceId: number): void {
    this.#bySource.delete(sourceId);
  }
}

/** What is looked at of a file's fetches. */
export interface Running {
  /** Fetches whose first bytes have come. */
  readonly count: number;
  /** Some of them wait for us: for their reader, for room, or for a connection. */
  readonly isHeldUp: boolean;
  /** Somebody wants enough in a row for a trial to harm nobody. */
  readonly mayTry: boolean;
}

export class Acceleration {
  readonly #sourceId: number;
  readonly #memory: ConnectionMemory;
  #level: number;
  /** What one connection less brought, in bytes/ms, while one more is tried; null while none is. */
  #before: number | null = null;
  #windowAtMs: number | null = null;
  #windowBytes = 0;

  constructor(sourceId: number, memory: ConnectionMemory) {
    this.#sourceId = sourceId;
    this.#memory = memory;
    this.#level = memory.levelOf(sourceId);
  }

  /** Connections beside the first one. */
  get helpers(): number {
    return this.#level - 1;
  }

  /** @returns whether there are to be more or fewer connections now */
  progressed(bytes: number, running: Running): boolean {
    const nowMs = this.#memory.nowMs();
    if (running.isHeldUp || running.count !== this.#level) {
      this.#windowAtMs = null;
      return false;
    }
    if (this.#windowAtMs === null) {
      this.#windowAtMs = nowMs;
      this.#windowBytes = 0;
      return false;
    }
    this.#windowBytes += bytes;
    const elapsedMs = nowMs - this.#windowAtMs;
    if (elapsedMs < ACCELERATION_WINDOW_MS) return false;
    this.#windowAtMs = null;
    return this.#judge(this.#windowBytes / elapsedMs, running.mayTry);
  }

  /** The source does not give as many connections as there were to be. */
  refused(): void {
    this.#before = null;
    this.#windowAtMs = null;
    this.#level = Math.max(1, this.#level - 1);
    this.#memory.remember(this.#sourceId, this.#level, false);
  }

  #judge(bytesPerMs: number, mayTry: boolean): boolean {
    const before = this.#before;
    this.#before = null;
    if (before !== null) {
      const isWorth = bytesPerMs >= before * WORTH;
      if (!isWorth) this.#level -= 1;
      this.#memory.remember(this.#sourceId, this.#level, isWorth);
      if (!isWorth) return true;
    }
    const isFast = bytesPerMs / this.#level > ACCELERATION_BELOW_BYTES_PER_MS;
    if (!mayTry || isFast || !this.#memory.mayTry(this.#sourceId, this.#level + 1)) return false;
    this.#level += 1;
    this.#before = bytesPerMs;
    return true;
  }
}
