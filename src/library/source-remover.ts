// Takes out what is left of removed sources, entry by entry, while everything else goes on: rows first, then files, as
// any removal. The source's row goes last, so that a kill at any moment leaves something to go on from.
import type { Clock, Timer } from '../clock.ts';
import type { SourceTable } from '../db/sources.ts';
import { describeError } from '../errors.ts';
import type { Log } from '../log.ts';

export interface SourceRemoverServices {
  readonly table: Pick<SourceTable, 'listEntryIds' | 'removeItems' | 'remove' | 'holdings'>;
  /** Ends the download of an entry. */
  readonly cancelDownload: (entryId: number) => Promise<void>;
  /** @returns false when somebody still reads it */
  readonly removeEntry: (entryId: number) => Promise<boolean>;
  /** Whoever still reads of the source is cut. */
  readonly cutReaders: (sourceId: number) => void;
  /** What is in memory of the source goes. */
  readonly forget: (sourceId: number) => Promise<void>;
  readonly removed: (removal: SourceRemoval) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** What of a removed source is still there. */
export interface SourceRemoval {
  readonly sourceId: number;
  /** The name that it had. */
  readonly name: string;
  readonly entryCount: number;
  readonly cachedBytes: number;
}

const PAGE_ENTRIES = 50;
const PAGE_ITEMS = 200;
/** Players that were cut need a moment to be gone. */
const READERS_PAUSE_MS = 100;
/** A database or a disk that refuses is tried again after this. */
const RETRY_MS = 30_000;

export class SourceRemover {
  readonly #services: SourceRemoverServices;
  readonly #waiting: SourceRemoval[] = [];
  #working: Promise<void> | undefined;
  #timer: Timer | undefined;
  #wake: (() => void) | undefined;
  #started = false;
  #stopped = false;

  constructor(services: SourceRemoverServices) {
    this.#services = services;
  }

  /** What is being removed or waits for it, with what was there at the beginning. */
  get removals(): readonly SourceRemoval[] {
    return this.#waiting;
  }

  add(removal: SourceRemoval): void {
    this.#waiting.push(removal);
    if (this.#started) this.#work();
  }

  /** What a stop cut off, and what comes from now on. */
  start(): void {
    this.#started = true;
    this.#work();
  }

  /** Resolves when nothing is left to be removed, or after `stop`. */
  async idle(): Promise<void> {
    await this.#working;
  }

  /** The entry at hand is finished; the next start goes on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#wake?.();
    await this.#working;
  }

  #work(): void {
    this.#working ??= this.#run().finally(() => {
      this.#working = undefined;
    });
  }

  async #run(): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined && !this.#stopped; next = this.#waiting[0]) {
      try {
        await this.#remove(next);
        if (this.#stopped) return;
        this.#waiting.shift();
        this.#services.removed(next);
      } catch (error) {
        this.#services.log.warning('a removed source is not gone yet and will be tried again', {
          source: next.name,
          error: describeError(error),
        });
        await this.#pause(RETRY_MS);
      }
    }
  }

  async #remove({ sourceId, name }: SourceRemoval): Promise<void> {
    const { table, forget, log } = this.#services;
    for (;;) {
      const left = await this.#removeEntries(sourceId);
      if (this.#stopped) return;
      if (left === 0) break;
      await this.#pause(READERS_PAUSE_MS);
    }
    await forget(sourceId);
    while ((await table.removeItems(sourceId, PAGE_ITEMS)) > 0) if (this.#stopped) return;
    // What was recorded in the last moment goes with its row; its file has no row then, and goes at the next start.
    await table.remove(sourceId);
    log.info('a source is gone with all that was kept of it', { source: name });
  }

  /** One pass over its entries. @returns how many could not be removed */
  async #removeEntries(sourceId: number): Promise<number> {
    const { table, cancelDownload, removeEntry, cutReaders } = this.#services;
    let left = 0;
    let afterId = 0;
    // Also who still waits for a first byte, of which there is no entry yet.
    cutReaders(sourceId);
    while (!this.#stopped) {
      const ids = await table.listEntryIds(sourceId, afterId, PAGE_ENTRIES);
      const last = ids.at(-1);
      if (last === undefined) break;
      afterId = last;
      cutReaders(sourceId);
      for (const entryId of ids) {
        if (this.#stopped) return left;
        await cancelDownload(entryId);
        if (!(await removeEntry(entryId))) left += 1;
      }
    }
    return left;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#timer = this.#services.clock.after(ms, resolve);
    });
  }
}
