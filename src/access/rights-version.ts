// What is remembered of users, sessions and tokens is true as long as the database's own count of changes stands still.
// `larder token` changes rows beside a running Larder: the count is looked at again every two seconds while it matters.
import type { Clock, Timer } from '../clock.ts';
import { RIGHTS_LOOK_MS } from '../limits.ts';

/** What it needs of the tables. */
export interface ChangeCount {
  changesVersion(): Promise<number>;
}

export class RightsVersion {
  readonly #table: ChangeCount;
  readonly #clock: Clock;
  readonly #listeners: (() => void)[] = [];
  readonly #tickListeners: (() => void)[] = [];
  #version = -1;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #watchers = 0;
  #timer: Timer | null = null;

  constructor(table: ChangeCount, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /** What was read under one version is not remembered under the next. */
  get current(): number {
    return this.#version;
  }

  /** Called after each change, in whichever process it was made. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Called every two seconds as long as somebody waits for a right to end. */
  onTick(listener: () => void): void {
    this.#tickListeners.push(listener);
  }

  /** Makes sure that no change is older than two seconds when it resolves, and no change of this process is unheard of. */
  async look(): Promise<void> {
    if (this.#clock.monotonicMs() - this.#lookedAtMs < RIGHTS_LOOK_MS) return;
    await this.changed();
  }

  /** A change was made here, or may have been made anywhere. */
  async changed(): Promise<void> {
    this.#lookedAtMs = this.#clock.monotonicMs();
    const version = await this.#table.changesVersion();
    if (version === this.#version) return;
    this.#version = version;
    for (const listener of this.#listeners) listener();
  }

  /** Looks by itself as long as somebody waits for a right to end. @returns what to call when nobody does any more */
  watch(): () => void {
    this.#watchers += 1;
    this.#timer ??= this.#clock.every(RIGHTS_LOOK_MS, () => {
      this.look().catch(() => undefined); // the next look tells
      for (const listener of this.#tickListeners) listener();
    });
    return () => {
      this.#watchers -= 1;
      if (this.#watchers > 0) return;
      this.#timer?.cancel();
      this.#timer = null;
    };
  }
}
