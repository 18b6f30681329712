// Asks a source for one item when somebody looks at it: what is below it, and which qualities there are now. Nobody waits
// long for that; what comes later is there for the next look.
import type { Clock } from '../clock.ts';
import type { MediaFacts, MediaTable } from '../db/media.ts';
import { describeError, LarderError } from '../errors.ts';
import { ITEM_READ_MS, ITEM_READS_MAX, ITEM_TRUST_MS, ITEM_WAIT_MS } from '../limits.ts';
import type { Log } from '../log.ts';
import type { MediaSource } from '../sources/media-source.ts';
import type { MediaCatalogue } from './media-catalogue.ts';

export interface ItemRefreshServices {
  readonly media: Pick<MediaTable, 'findFacts'>;
  readonly catalogue: Pick<MediaCatalogue, 'noteItem'>;
  readonly sources: () => readonly MediaSource[];
  readonly answered: (sourceId: number, error: LarderError | null) => void;
  /** Rows of the source changed. */
  readonly noted: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

export class ItemRefresh {
  readonly #services: ItemRefreshServices;
  readonly #running = new Map<number, Promise<void>>();
  /** Of those that failed: not before (monotonic). */
  readonly #notBeforeMs = new Map<number, number>();

  constructor(services: ItemRefreshServices) {
    this.#services = services;
  }

  /** Resolves when the rows of the item are as its source says, or when that takes too long. Never throws. */
  async refresh(mediaId: number): Promise<void> {
    const { clock } = this.#services;
    // Who looks at so much at once is shown what is known of it.
    if (!this.#running.has(mediaId) && this.#running.size >= ITEM_READS_MAX) return;
    const running = this.#running.get(mediaId) ?? this.#start(mediaId);
    this.#running.set(mediaId, running);
    let timer: { cancel(): void } | undefined;
    const late = new Promise<void>((resolve) => {
      timer = clock.after(ITEM_WAIT_MS, resolve);
    });
    await Promise.race([running, late]);
    timer?.cancel();
  }

  #start(mediaId: number): Promise<void> {
    return this.#read(mediaId)
      .catch((error: unknown) => {
        this.#services.log.debug('an item could not be looked at', { item: mediaId, error: describeError(error) });
      })
      .finally(() => this.#running.delete(mediaId));
  }

  async #read(mediaId: number): Promise<void> {
    const { media, catalogue, sources, answered, noted, clock } = this.#services;
    const [facts] = await media.findFacts([mediaId]);
    if (facts === undefined || !this.#isDue(facts)) return;
    const source = sources().find(({ id }) => id === facts.sourceId);
    if (source?.readItem === undefined) return;
    const abort = new AbortController();
    const deadline = clock.after(ITEM_READ_MS, () => abort.abort());
    try {
      const page = await source.readItem(facts.key, abort.signal);
      answered(source.id, null);
      this.#notBeforeMs.delete(mediaId);
      if (page === null) this.#putOff(mediaId);
      else await catalogue.noteItem(source.id, page, facts.key);
      noted();
    } catch (error) {
      this.#putOff(mediaId);
      if (error instanceof LarderError && error.retry !== 'never') answered(source.id, error);
      throw error;
    } finally {
      deadline.cancel();
    }
  }

  #putOff(mediaId: number): void {
    const nowMs = this.#services.clock.monotonicMs();
    for (const [id, untilMs] of this.#notBeforeMs) if (untilMs < nowMs) this.#notBeforeMs.delete(id);
    this.#notBeforeMs.set(mediaId, nowMs + ITEM_TRUST_MS / 10);
  }

  #isDue({ mediaId, readAt }: MediaFacts): boolean {
    const { clock } = this.#services;
    if ((this.#notBeforeMs.get(mediaId) ?? 0) > clock.monotonicMs()) return false;
    const ageMs = readAt === null ? Number.POSITIVE_INFINITY : clock.nowMs() - readAt;
    return ageMs < 0 || ageMs >= ITEM_TRUST_MS;
  }
}
