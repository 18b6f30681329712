// The event streams of open pages. One look at the engine a second for all of them; each hears only of the regions
// that read differently than before. Nobody looks when nobody listens.
import type { LiveUpdateProps } from '../../views/parts/live-update.tsx';
import type { Clock, Timer } from '../clock.ts';
import type { EntryCursor } from '../db/entries.ts';
import { describeError } from '../errors.ts';
import { LIVE_HEARTBEAT_MS, LIVE_PERIOD_MS, LIVE_STREAMS_MAX } from '../limits.ts';
import type { Log } from '../log.ts';
import { formatCursor, type HomeModel, type HomeRegions } from './home-model.ts';

export interface LiveSubscriber {
  readonly cursor: EntryCursor | null;
  /** The page has not taken the last text yet: nothing more is made for it. */
  readonly isBusy: () => boolean;
  /** Sends text to the page; must not throw. */
  readonly send: (text: string) => void;
  readonly close: () => void;
}

type RegionName = keyof HomeRegions;

/** They say how long ago something was: they read differently each minute, though nothing has changed. */
const AGEING: readonly RegionName[] = ['events', 'sources'];
const MINUTE_MS = 60_000;

interface Subscription {
  readonly subscriber: LiveSubscriber;
  /** What each region said last, as JSON. */
  readonly said: Map<RegionName, string>;
  lastSentMs: number;
}

export interface LiveHubServices {
  readonly model: HomeModel;
  /** Renders the fragment of the given regions. */
  readonly render: (changed: Omit<LiveUpdateProps, 'page'>) => string;
  readonly clock: Clock;
  readonly log: Log;
}

export function formatEvent(fragment: string): string {
  return `${fragment
    .split('\n')
    .map((line) => `data: ${line}`)
    .join('\n')}\n\n`;
}

export class LiveHub {
  readonly #services: LiveHubServices;
  readonly #subscriptions = new Set<Subscription>();
  #timer: Timer | undefined;
  #looking = false;

  constructor(services: LiveHubServices) {
    this.#services = services;
  }

  get isFull(): boolean {
    return this.#subscriptions.size >= LIVE_STREAMS_MAX;
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
    try {
      const seen = new Map<string, HomeRegions>();
      for (const subscription of [...this.#subscriptions]) {
        if (subscription.subscriber.isBusy()) continue;
        const { cursor } = subscription.subscriber;
        const key = cursor === null ? '' : formatCursor(cursor);
        let regions = seen.get(key);
        if (regions === undefined) {
          regions = await this.#services.model.regions(cursor);
          seen.set(key, regions);
        }
        this.#tell(subscription, regions);
      }
    } catch (error) {
      this.#services.log.error('the live pages could not be updated', { error: describeError(error) });
    } finally {
      this.#looking = false;
    }
  }

  #tell(subscription: Subscription, regions: HomeRegions): void {
    const now = this.#services.clock.monotonicMs();
    const minute = Math.floor(now / MINUTE_MS);
    const changed: Record<string, unknown> = {};
    for (const name of Object.keys(regions) as RegionName[]) {
      const text = JSON.stringify(regions[name]) + (AGEING.includes(name) ? minute : '');
      if (subscription.said.get(name) === text) continue;
      if (name === 'entries') this.#entriesChange(subscription, regions.entries, changed);
      else changed[name] = regions[name];
      subscription.said.set(name, text);
    }
    if (Object.keys(changed).length > 0) {
      subscription.subscriber.send(formatEvent(this.#services.render(changed as Omit<LiveUpdateProps, 'page'>)));
      subscription.lastSentMs = now;
    } else if (now - subscription.lastSentMs > LIVE_HEARTBEAT_MS) {
      subscription.subscriber.send('event: heartbeat\ndata: x\n\n');
      subscription.lastSentMs = now;
    }
  }

  /** The whole list only when entries came, went or moved; else the entries that read differently. */
  #entriesChange(subscription: Subscription, now: HomeRegions['entries'], changed: Record<string, unknown>): void {
    const before = JSON.parse(subscription.said.get('entries') ?? 'null') as HomeRegions['entries'] | null;
    const ids = (entries: HomeRegions['entries']) => entries.entries.map((entry) => entry.id).join();
    if (before === null || ids(before) !== ids(now) || before.total !== now.total || before.next !== now.next) {
      changed.entries = now;
      return;
    }
    changed.changedEntries = now.entries.filter(
      (entry, index) => JSON.stringify(entry) !== JSON.stringify(before.entries[index]),
    );
  }
}
