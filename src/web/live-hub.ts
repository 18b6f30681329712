// The event streams of open pages. One look a second for all that show the same; each hears only of the regions that
// read differently than before. Nobody looks when nobody listens.
import { type Rendered, renderFragment } from '../../views/render.ts';
import type { Clock, Timer } from '../clock.ts';
import { describeError } from '../errors.ts';
import { LIVE_HEARTBEAT_MS, LIVE_PERIOD_MS } from '../limits.ts';
import type { Log } from '../log.ts';
import { isListing, type Listing, type Regions } from './live-page.ts';
import { renderUpdate } from './live-update.ts';

export interface LiveSubscriber {
  /** Subscribers with the same key see the same regions: they are gathered once for all of them. */
  readonly key: string;
  readonly regions: () => Promise<Regions | null>;
  /** The page has not taken the last text yet: nothing more is made for it. */
  readonly isBusy: () => boolean;
  /** Sends text to the page; must not throw. */
  readonly send: (text: string) => void;
  readonly close: () => void;
}

interface Subscription {
  readonly subscriber: LiveSubscriber;
  /** What each region, and each row of a listing, said last. */
  readonly said: Map<string, string>;
  lastSentMs: number;
}

export interface LiveHubServices {
  readonly clock: Clock;
  readonly log: Log;
}

export function formatEvent(fragment: string): string {
  return `${fragment
    .split('\n')
    .map((line) => `data: ${line}`)
    .join('\n')}\n\n`;
}

/** The markup of every region; of a listing whole, as an action's answer and a first message say it. */
export function renderRegions(regions: Regions): Record<string, string> {
  return changedRegions(regions, new Map());
}

/** What reads differently than `said`, which is brought up to date. */
export function changedRegions(regions: Regions, said: Map<string, string>): Record<string, string> {
  const changed: Record<string, string> = {};
  for (const [id, region] of Object.entries(regions)) {
    if (isListing(region)) noteListing(id, region, said, changed);
    else noteRegion(id, region, said, changed);
  }
  return changed;
}

function noteRegion(id: string, region: Rendered, said: Map<string, string>, changed: Record<string, string>): void {
  const text = renderFragment(region);
  if (said.get(id) === text) return;
  said.set(id, text);
  changed[id] = text;
}

/** The whole list only when rows came, went or moved; else the rows that read differently. */
function noteListing(id: string, listing: Listing, said: Map<string, string>, changed: Record<string, string>): void {
  const isSame = said.get(id) === listing.key;
  const rows: Record<string, string> = {};
  for (const [rowId, row] of Object.entries(listing.rows)) noteRegion(rowId, row, said, rows);
  if (isSame) {
    Object.assign(changed, rows);
    return;
  }
  said.set(id, listing.key);
  changed[id] = renderFragment(listing.whole);
}

export class LiveHub {
  readonly #services: LiveHubServices;
  readonly #subscriptions = new Set<Subscription>();
  #timer: Timer | undefined;
  #looking = false;

  constructor(services: LiveHubServices) {
    this.#services = services;
  }

  /** The first message of a stream is the whole state; then what changes. @returns ends the subscription */
  subscribe(subscriber: LiveSubscriber): () => void {
    const subscription: Subscription = { subscriber, said: new Map(), lastSentMs: 0 };
    this.#subscriptions.add(subscription);
    this.#timer ??= this.#services.clock.every(LIVE_PERIOD_MS, () => void this.#look());
    void this.#look();
    return () => {
      this.#subscriptions.delete(subscription);
      if (this.#subscriptions.size > 0) return;
      this.#timer?.cancel();
      this.#timer = undefined;
    };
  }

  stop(): void {
    for (const subscription of [...this.#subscriptions]) subscription.subscriber.close();
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const seen = new Map<string, Promise<Regions | null>>();
    for (const subscription of [...this.#subscriptions]) {
      const { subscriber } = subscription;
      if (subscriber.isBusy()) continue;
      try {
        const looked = seen.get(subscriber.key) ?? subscriber.regions();
        seen.set(subscriber.key, looked);
        const regions = await looked;
        // What the page shows is gone, or its reader may not see it any more: loading it anew says so.
        if (regions === null) subscriber.close();
        else this.#tell(subscription, regions);
      } catch (error) {
        this.#services.log.error('a live page could not be updated', {
          page: subscriber.key,
          error: describeError(error),
        });
      }
    }
    this.#looking = false;
  }

  #tell(subscription: Subscription, regions: Regions): void {
    const now = this.#services.clock.monotonicMs();
    const changed = changedRegions(regions, subscription.said);
    if (Object.keys(changed).length > 0) {
      subscription.subscriber.send(formatEvent(renderUpdate(changed)));
      subscription.lastSentMs = now;
    } else if (now - subscription.lastSentMs > LIVE_HEARTBEAT_MS) {
      subscription.subscriber.send('event: heartbeat\ndata: x\n\n');
      subscription.lastSentMs = now;
    }
  }
}
