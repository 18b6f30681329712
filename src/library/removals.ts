// Bytes that were dropped by hand and can still be brought back. They are hidden, and the first to go when room is
// needed; after a while they go for good. Playing one brings it back. The rows say what was dropped, so that a restart
// changes nothing of it.
import type { Clock, Timer } from '../clock.ts';
import type { EntryTable, RemovedEntry } from '../db/entries.ts';
import { describeError, LarderError } from '../errors.ts';
import { UNDO_MS } from '../limits.ts';
import type { Log } from '../log.ts';
import { yieldTurn } from '../yield-turn.ts';

export interface RemovalServices {
  readonly entries: Pick<EntryTable, 'setRemoved' | 'listRemoved' | 'findState'>;
  readonly isRead: (entryId: number) => boolean;
  /** @returns false when somebody reads it */
  readonly remove: (entryId: number) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

const PAGE_ENTRIES = 500;
/** What was due and could not go is tried again after this; also the least time between two looks. */
const RETRY_MS = 15_000;

export class Removals {
  readonly #services: RemovalServices;
  /** When each is due, by the clock that never jumps; in the order in which they were dropped. */
  readonly #due = new Map<number, number>();
  #timer: Timer | undefined;
  #writing: Promise<unknown> = Promise.resolve();
  #purging: Promise<void> | undefined;
  #stopped = false;

  constructor(services: RemovalServices) {
    this.#services = services;
  }

  /** Takes up what was dropped in an earlier life of the program. */
  async start(): Promise<void> {
    const { entries, clock } = this.#services;
    const nowMs = clock.nowMs();
    for (let cursor: RemovedEntry | null = null; ; ) {
      const page: RemovedEntry[] = await entries.listRemoved(PAGE_ENTRIES, cursor);
      for (const { entryId, removedAt } of page) {
        // A time that has not come yet is of a clock that was wrong.
        const leftMs = Math.min(Math.max(0, removedAt + UNDO_MS - nowMs), UNDO_MS);
        this.#due.set(entryId, clock.monotonicMs() + leftMs);
      }
      cursor = page.at(-1) ?? null;
      if (cursor === null) break;
    }
    this.#wakeIn(RETRY_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#purging;
    await this.#writing;
  }

  /** How long it can still be brought back, in milliseconds; null when it was not dropped. */
  leftMs(entryId: number): number | null {
    const dueMs = this.#due.get(entryId);
    return dueMs === undefined ? null : Math.max(0, dueMs - this.#services.clock.monotonicMs());
  }

  /** The newest first. */
  listNewest(limit: number): number[] {
    return [...this.#due.keys()].slice(-limit).reverse();
  }

  get count(): number {
    return this.#due.size;
  }

  /** @throws LarderError `conflict` when somebody reads it, `missing` when it is not there */
  async drop(entryId: number): Promise<void> {
    const { entries, clock, isRead } = this.#services;
    this.#due.delete(entryId);
    // Before anything is looked at: whoever opens it from here on brings it back.
    this.#due.set(entryId, clock.monotonicMs() + UNDO_MS);
    try {
      if (isRead(entryId)) throw beingRead();
      const isThere = await this.#write(() => entries.setRemoved(entryId, clock.nowMs()));
      if (!isThere) throw new LarderError('missing', 'that entry is not there any more');
    } catch (error) {
      this.#due.delete(entryId);
      throw error;
    }
    if (!this.#due.has(entryId)) throw beingRead();
    this.#wakeIn(UNDO_MS);
  }

  /** @returns false when it was not dropped, or is gone */
  async restore(entryId: number): Promise<boolean> {
    if (!this.#due.delete(entryId)) return false;
    return this.#write(() => this.#services.entries.setRemoved(entryId, null));
  }

  /** Somebody plays it. */
  played(entryId: number): void {
    if (!this.#due.has(entryId)) return;
    this.restore(entryId).catch((error: unknown) => {
      this.#services.log.warning('what was dropped and is played could not be taken up again', {
        entry: entryId,
        error: describeError(error),
      });
    });
  }

  /** One after the other: who drops and who brings back is decided in memory, in the order of the calls. */
  #write<Result>(action: () => Promise<Result>): Promise<Result> {
    const result = this.#writing.then(action);
    this.#writing = result.catch(() => undefined);
    return result;
  }

  #wakeIn(delayMs: number): void {
    if (this.#stopped || this.#timer !== undefined || this.#due.size === 0) return;
    this.#timer = this.#services.clock.after(Math.max(delayMs, RETRY_MS), () => {
      this.#timer = undefined;
      this.#purging ??= this.#purge().finally(() => {
        this.#purging = undefined;
        const [nextMs = 0] = this.#due.values();
        this.#wakeIn(nextMs - this.#services.clock.monotonicMs());
      });
    });
  }

  async #purge(): Promise<void> {
    const { clock, log } = this.#services;
    for (const [entryId, dueMs] of [...this.#due]) {
      if (this.#stopped) return;
      if (dueMs > clock.monotonicMs()) continue;
      try {
        await this.#purgeOne(entryId);
      } catch (error) {
        log.warning('what was dropped could not be removed yet', { entry: entryId, error: describeError(error) });
      }
      await yieldTurn();
    }
  }

  async #purgeOne(entryId: number): Promise<void> {
    const { entries, remove } = this.#services;
    await this.#writing;
    const state = await entries.findState(entryId);
    // It made room already, and its number may be another's by now.
    if (state === null || state.removedAt === null) this.#due.delete(entryId);
    else if (this.#due.has(entryId) && (await remove(entryId))) this.#due.delete(entryId);
  }
}

function beingRead(): LarderError {
  return new LarderError('conflict', 'it is being read', { hint: 'stop the player first' });
}
