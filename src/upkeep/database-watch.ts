// Looks through the whole database about once a week, on a thread of its own: damage that nobody meets is found while
// there is still something to make it anew from.
import { writeFile } from 'node:fs/promises';
import type { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../clock.ts';
import { describeError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { UpkeepRequest, UpkeepResult } from './upkeep-thread.ts';

export interface DatabaseWatchServices {
  readonly databaseFile: string;
  /** Its presence lets the next start check the database, and make it anew. */
  readonly suspectFile: string;
  readonly startUpkeepThread: () => Worker;
  /** When it was last found sound; null when never. */
  readonly checkedAtMs: number | null;
  readonly found: (checkedAtMs: number) => Promise<void>;
  readonly noteEvent: (kind: string, subject: string, text: string) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Log;
}

const PERIOD_MS = 7 * 86_400_000;
const LOOK_MS = 3_600_000;

export class DatabaseWatch {
  readonly #services: DatabaseWatchServices;
  readonly #calledOff = new Int32Array(new SharedArrayBuffer(4));
  #checkedAtMs: number | null;
  #problems: readonly string[] = [];
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;

  constructor(services: DatabaseWatchServices) {
    this.#services = services;
    this.#checkedAtMs = services.checkedAtMs;
  }

  get state(): { readonly checkedAtMs: number | null; readonly problems: readonly string[] } {
    return { checkedAtMs: this.#checkedAtMs, problems: this.#problems };
  }

  start(): void {
    this.#timer = this.#services.clock.every(LOOK_MS, () => {
      const ageMs = this.#services.clock.nowMs() - (this.#checkedAtMs ?? 0);
      if (ageMs > PERIOD_MS) void this.check();
    });
  }

  /** Looks now; who asks meanwhile waits for the same look. */
  check(): Promise<void> {
    this.#running ??= this.#check()
      .catch((error: unknown) => {
        this.#services.log.warning('the database could not be looked through', { error: describeError(error) });
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    Atomics.store(this.#calledOff, 0, 1);
    await this.#running;
  }

  async #check(): Promise<void> {
    const { clock, found, log, noteEvent, suspectFile } = this.#services;
    const problems = await this.#ask();
    if (problems === null) return;
    this.#problems = problems;
    if (problems[0] === undefined) {
      this.#checkedAtMs = clock.nowMs();
      await found(this.#checkedAtMs);
      return;
    }
    log.error('the database is damaged; Larder makes a new one from its files when it is started again', {
      problem: problems[0],
    });
    await writeFile(suspectFile, '');
    void noteEvent('damaged', 'database', `The database is damaged: ${problems[0]}. The next start makes it anew.`);
  }

  #ask(): Promise<readonly string[] | null> {
    const { databaseFile, startUpkeepThread } = this.#services;
    const thread = startUpkeepThread();
    return new Promise((resolve, reject) => {
      thread.once('message', (result: UpkeepResult) => resolve(result.kind === 'checked' ? result.problems : null));
      thread.once('error', reject);
      thread.once('exit', () => resolve(null));
      const calledOff = this.#calledOff.buffer as SharedArrayBuffer;
      thread.postMessage({ kind: 'check', databaseFile, calledOff } satisfies UpkeepRequest);
    });
  }
}
