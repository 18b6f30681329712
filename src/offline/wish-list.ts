// What is to be fetched whole, in the order in which it will be, and how much that is.
import type { Clock } from '../clock.ts';
import type { DownloadQueueTable, Wish, WishPlace } from '../db/download-queue.ts';

export interface WishListServices {
  readonly queue: Pick<DownloadQueueTable, 'listOpen' | 'countOpen' | 'sumOpen'>;
  /** @returns how many were taken back */
  readonly cancelAll: () => Promise<number>;
  readonly clock: Clock;
}

export interface WishPage {
  readonly wishes: readonly Wish[];
  readonly next: WishPlace | null;
  readonly count: number;
  /** Still to come, as far as sizes are known; null where there are too many to add up. */
  readonly bytes: number | null;
}

/** Adding up looks at each wish: more than so many take longer than a page may. */
const SUMMED_MAX = 500;

export class WishList {
  readonly #services: WishListServices;

  constructor(services: WishListServices) {
    this.#services = services;
  }

  async list(limit: number, place: WishPlace | null): Promise<WishPage> {
    const { queue, clock } = this.#services;
    const count = await queue.countOpen();
    const rows = count === 0 ? [] : await queue.listOpen(limit + 1, place, clock.nowMs());
    const wishes = rows.slice(0, limit);
    return {
      wishes,
      next: rows.length > limit ? (wishes.at(-1) ?? null) : null,
      count,
      bytes: count > SUMMED_MAX ? null : count === 0 ? 0 : await queue.sumOpen(),
    };
  }

  /** Takes all back; what has come is kept. @returns how many */
  cancelAll(): Promise<number> {
    return this.#services.cancelAll();
  }
}
