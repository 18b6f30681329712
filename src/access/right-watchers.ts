// Who holds something open by a right, such as a live page or a stream, and is to be told when the right ends.
import { describeError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { RightsVersion } from './rights-version.ts';

export class RightWatchers {
  readonly #version: RightsVersion;
  readonly #isGood: (id: number) => Promise<boolean>;
  readonly #log: Log;
  readonly #watchers = new Map<number, Set<() => void>>();

  constructor(version: RightsVersion, isGood: (id: number) => Promise<boolean>, log: Log) {
    this.#version = version;
    this.#isGood = isGood;
    this.#log = log;
  }

  ids(): number[] {
    return [...this.#watchers.keys()];
  }

  /** @returns how to stop watching */
  add(id: number, onEnded: () => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers);
    const unwatch = this.#version.watch();
    const tell = () => {
      stop();
      onEnded();
    };
    const stop = () => {
      if (!watchers.delete(tell)) return;
      unwatch();
      if (watchers.size === 0) this.#watchers.delete(id);
    };
    watchers.add(tell);
    this.#check(id); // it may have ended since it was shown
    return stop;
  }

  /** Something changed: whose right is over is told. */
  look(): void {
    for (const id of this.ids()) this.#check(id);
  }

  #check(id: number): void {
    this.#isGood(id).then(
      (isGood) => {
        if (isGood) return;
        for (const tell of [...(this.#watchers.get(id) ?? [])]) tell();
      },
      // Who cannot be asked about is not cut off: the next change asks again.
      (error: unknown) => this.#log.warning('a right could not be looked at', { error: describeError(error) }),
    );
  }
}
