// Who holds something open by a right, such as a live page or a stream, and is to be told when the right ends: because
// somebody ended it, or because its time is over.
import type { Clock } from '../clock.ts';
import { describeError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { RightsVersion } from './rights-version.ts';

export interface RightWatcherServices {
  readonly version: RightsVersion;
  /** The last moment at which the right is good, as far as is known now; null when it is gone. */
  readonly endOf: (id: number) => Promise<number | null>;
  readonly clock: Clock;
  readonly log: Log;
}

interface Watched {
  readonly tells: Set<() => void>;
  /** To be asked about again after this: a session that is used lasts longer than was known. */
  endsAtMs: number;
}

export class RightWatchers {
  readonly #services: RightWatcherServices;
  readonly #watched = new Map<number, Watched>();

  constructor(services: RightWatcherServices) {
    this.#services = services;
    services.version.onTick(() => {
      const nowMs = services.clock.nowMs();
      for (const [id, { endsAtMs }] of this.#watched) if (nowMs > endsAtMs) this.#check(id);
    });
  }

  ids(): number[] {
    return [...this.#watched.keys()];
  }

  /** @returns how to stop watching */
  add(id: number, onEnded: () => void): () => void {
    const watched = this.#watched.get(id) ?? { tells: new Set(), endsAtMs: Number.POSITIVE_INFINITY };
    this.#watched.set(id, watched);
    const unwatch = this.#services.version.watch();
    const tell = () => {
      stop();
      onEnded();
    };
    const stop = () => {
      if (!watched.tells.delete(tell)) return;
      unwatch();
      if (watched.tells.size === 0) this.#watched.delete(id);
    };
    watched.tells.add(tell);
    this.#check(id); // it may have ended since it was shown
    return stop;
  }

  /** Something changed: whose right is over is told. */
  look(): void {
    for (const id of this.ids()) this.#check(id);
  }

  #check(id: number): void {
    const { endOf, clock, log } = this.#services;
    endOf(id).then(
      (endsAtMs) => {
        const watched = this.#watched.get(id);
        if (watched === undefined) return;
        watched.endsAtMs = endsAtMs ?? Number.NEGATIVE_INFINITY;
        if (clock.nowMs() <= watched.endsAtMs) return;
        for (const tell of [...watched.tells]) tell();
      },
      // Who cannot be asked about is not cut off: the next change asks again.
      (error: unknown) => log.warning('a right could not be looked at', { error: describeError(error) }),
    );
  }
}
