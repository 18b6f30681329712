// Writes down, now and then, what adds up in memory: counters and uses; and has the write-ahead log moved into the
// database by the upkeep thread. Nothing is written when nothing happened.
import { stat } from 'node:fs/promises';
import type { Worker } from 'node:worker_threads';
import type { UseLog } from '../chunks/use-log.ts';
import type { Clock, Timer } from '../clock.ts';
import type { EntryTable } from '../db/entries.ts';
import type { Counters, StatisticsTable } from '../db/statistics.ts';
import { describeError } from '../errors.ts';
import { CHECKPOINT_PERIOD_MS, STATISTICS_FLUSH_MS } from '../limits.ts';
import type { Log } from '../log.ts';
import type { UpkeepRequest, UpkeepResult } from './upkeep-thread.ts';

export interface BookkeeperServices {
  readonly statistics: StatisticsTable;
  readonly entries: EntryTable;
  /** Grow only, while the program runs. */
  readonly counters: Readonly<Counters>;
  /** Are asked to write down what they have, at the same time. */
  readonly others: readonly { flush(): Promise<void> }[];
  readonly uses: UseLog;
  readonly databaseFile: string;
  readonly startUpkeepThread: () => Worker;
  readonly clock: Clock;
  readonly log: Log;
}

/** A smaller log is left alone: moving it costs an fsync, reading through it costs next to nothing. */
const CHECKPOINT_MIN_BYTES = 4 * 1024 * 1024;

export function emptyCounters(): Counters {
  return { servedBytes: 0, servedFromDiskBytes: 0, originBytes: 0, hitCount: 0, partialCount: 0, missCount: 0 };
}

const COUNTER_NAMES = Object.keys(emptyCounters()) as readonly (keyof Counters)[];

/** All that was ever counted, and what is kept now. */
export type Totals = Readonly<Counters> & { readonly entryCount: number; readonly cachedBytes: number };

export class Bookkeeper {
  readonly #services: BookkeeperServices;
  readonly #timers: Timer[] = [];
  #upkeep: Promise<void> | undefined;
  /** What of the counters is in the database. */
  #written: Readonly<Counters> = emptyCounters();
  /** Time of the last write to the log that the last checkpoint saw. */
  #movedUpToMs = 0;
  #isFailing = false;

  constructor(services: BookkeeperServices) {
    this.#services = services;
  }

  start(): void {
    const { clock } = this.#services;
    this.#timers.push(clock.every(STATISTICS_FLUSH_MS, () => void this.flush()));
    this.#timers.push(clock.every(CHECKPOINT_PERIOD_MS, () => void this.#checkpoint()));
  }

  /** Writes counters and uses; counters that cannot be written are kept for the next time. */
  async flush(): Promise<void> {
    const { counters, statistics, clock, log, others } = this.#services;
    const snapshot = { ...counters };
    const unwritten = this.#unwritten();
    try {
      await this.writeUses();
      if (Object.values(unwritten).some((value) => value !== 0)) {
        await statistics.add(unwritten, clock.nowMs());
        this.#written = snapshot;
      }
      this.#isFailing = false;
    } catch (error) {
      // Once, not each minute.
      if (!this.#isFailing) log.warning('statistics could not be written', { error: describeError(error) });
      this.#isFailing = true;
    }
    for (const other of others) await other.flush();
  }

  async totals(): Promise<Totals> {
    const stored = await this.#services.statistics.get();
    const totals = { ...this.#unwritten(), entryCount: stored.entryCount, cachedBytes: stored.cachedBytes };
    for (const name of COUNTER_NAMES) totals[name] += stored[name];
    return totals;
  }

  #unwritten(): Counters {
    const unwritten = { ...this.#services.counters };
    for (const name of COUNTER_NAMES) unwritten[name] -= this.#written[name];
    return unwritten;
  }

  /** Writes down who was used when; must come before anybody asks who was not. */
  async writeUses(): Promise<void> {
    const { entries, uses } = this.#services;
    const taken = uses.take();
    if (taken.size === 0) return;
    try {
      await entries.recordUse(taken);
    } catch (error) {
      uses.giveBack(taken);
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    await this.#upkeep;
    await this.flush();
  }

  async #checkpoint(): Promise<void> {
    const { databaseFile, log } = this.#services;
    const writeAheadLog = await stat(`${databaseFile}-wal`).catch(() => null);
    if (writeAheadLog === null || writeAheadLog.size < CHECKPOINT_MIN_BYTES || this.#upkeep !== undefined) return;
    // The log keeps its size when its content was moved: only what was written since matters.
    if (writeAheadLog.mtimeMs === this.#movedUpToMs) return;
    this.#movedUpToMs = writeAheadLog.mtimeMs;
    // The thread lives for one checkpoint: between them it would only hold memory. It ends by itself.
    const thread = this.#services.startUpkeepThread();
    this.#upkeep = new Promise<void>((resolve) => {
      thread.once('message', (result: UpkeepResult) => {
        if (result.kind === 'checkpointed' && result.error !== null)
          log.debug('the database log could not be checkpointed', { error: result.error });
        resolve();
      });
      thread.once('error', (error: unknown) => {
        log.warning('the upkeep thread failed', { error: describeError(error) });
        resolve();
      });
      thread.once('exit', () => resolve());
    }).then(() => {
      this.#upkeep = undefined;
    });
    thread.postMessage({ kind: 'checkpoint', databaseFile } satisfies UpkeepRequest);
  }
}
