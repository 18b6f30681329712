// From the words of a stream address (media, quality) to the file that they name: listed, below a listed original, or
// beside it. What is not known is asked of its source, once.

import type { Clock } from '../clock.ts';
import type { EntryTable } from '../db/entries.ts';
import type { MediaTable, VariantRow } from '../db/media.ts';
import { describeError, LarderError } from '../errors.ts';
import {
  READER_WAIT_MAX_MS,
  UNLISTED_AT_ONCE,
  UNLISTED_IN_A_ROW,
  UNLISTED_PERIOD_MS,
  UNLISTED_TRUST_MS,
} from '../limits.ts';
import type { Log } from '../log.ts';
import { cataloguePath, isQualityName, MEDIA_KEY_MAX } from '../sources/catalogue-path.ts';
import type { CataloguePage } from '../sources/catalogue-source.ts';
import { isHttpSource } from '../sources/http-kind.ts';
import { parseTranscodeWay } from '../sources/ladder.ts';
import { describePath, type MediaAddress, pathOf } from '../sources/media-address.ts';
import type { MediaSource } from '../sources/media-source.ts';
import type { MediaCatalogue } from './media-catalogue.ts';

export interface MediaFinderServices {
  readonly media: Pick<MediaTable, 'findVariant'>;
  readonly catalogue: Pick<MediaCatalogue, 'findQuality' | 'noteItem'>;
  readonly entries: Pick<EntryTable, 'find' | 'listPieceIds'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Container of what comes in pieces. */
const PLAYLIST = 'm3u8';
/** Paths that are remembered, so that who plays asks the database once. */
const REMEMBERED_MAX = 1_000;

export class MediaFinder {
  readonly #services: MediaFinderServices;
  readonly #paths = new Map<string, string>();
  readonly #reading = new Map<string, Promise<CataloguePage | null>>();
  /** Whether there is such an item, as its source said until then (monotonic); the oldest first. */
  readonly #answers = new Map<string, { readonly isThere: boolean; readonly untilMs: number }>();
  /** Until when the questions that were put to a source count, by its id (monotonic). */
  readonly #spentUntilMs = new Map<number, number>();

  constructor(services: MediaFinderServices) {
    this.#services = services;
  }

  /** @throws LarderError `not-found`, `origin-refused` for what cannot be played here, or why its source did not say */
  async find(source: MediaSource, mediaKey: string, quality: string): Promise<MediaAddress> {
    if (isHttpSource(source)) return describePath(pathOf(mediaKey, quality));
    if (!isQualityName(quality) || mediaKey.length > MEDIA_KEY_MAX) throw noSuchQuality(quality);
    const key = JSON.stringify([source.id, mediaKey, quality, rungContainer(source)]);
    const known = this.#paths.get(key);
    if (known !== undefined) return source.describe(known);
    const { path: unread, isSure } = await this.#askOfUnread(source, mediaKey, quality);
    const path =
      unread ??
      (await this.#findListed(source, mediaKey, quality)) ??
      (isSure ? await this.#ask(source, mediaKey, quality) : null);
    if (path === null) throw noSuchQuality(quality);
    if (!isSure) return source.describe(path);
    if (this.#paths.size >= REMEMBERED_MAX) this.#paths.clear();
    this.#paths.set(key, path);
    return source.describe(path);
  }

  /** Rows of a source read otherwise from now on. */
  forget(): void {
    this.#paths.clear();
    this.#answers.clear();
  }

  /**
   * What an add-on lists without its streams, and what was never played: only they say whether it is a file or a playlist.
   * Where it does not say, it is a file, until it does.
   */
  async #askOfUnread(
    source: MediaSource,
    mediaKey: string,
    quality: string,
  ): Promise<{ readonly path: string | null; readonly isSure: boolean }> {
    const nothing = { path: null, isSure: true };
    if (source.kind !== 'stremio') return nothing;
    const row = await this.#services.media.findVariant(source.id, mediaKey, quality);
    // What had no stream, or none that is a file, may have one now.
    if (row === null || (row.container ?? row.sizeBytes ?? row.stamp) !== null) return nothing;
    try {
      return { path: await this.#ask(source, mediaKey, quality), isSure: true };
    } catch (error) {
      if (error instanceof LarderError && error.code !== 'overloaded') return { path: null, isSure: false };
      throw error;
    }
  }

  async #findListed(source: MediaSource, mediaKey: string, quality: string): Promise<string | null> {
    const { media, catalogue } = this.#services;
    const row = await media.findVariant(source.id, mediaKey, quality);
    if (row !== null && !(await this.#isConvertedAnew(source, mediaKey, row))) return pathOfVariant(row);
    const original = await media.findVariant(source.id, mediaKey, 'original');
    const label = original === null ? mediaKey : labelOf(original.path);
    if (quality.startsWith('~')) {
      const side = await catalogue.findQuality(source.id, mediaKey, quality);
      return side === null ? null : cataloguePath(label, { mediaKey, quality, container: side.container });
    }
    const rung = source.ladder.find((candidate) => candidate.quality === quality);
    if (rung === undefined || original === null || original.height === null || original.height <= rung.height)
      return null;
    return cataloguePath(label, { mediaKey, quality, container: rungContainer(source) });
  }

  /** A rung that was asked for before, of which nothing is kept: it comes as the owner wants it now. */
  async #isConvertedAnew(source: MediaSource, mediaKey: string, row: VariantRow): Promise<boolean> {
    const { quality, locator, height, container } = row;
    const isRung = locator === null && height === null && source.ladder.some((rung) => rung.quality === quality);
    if (!isRung || container === rungContainer(source)) return false;
    const { entries } = this.#services;
    const entry = await entries.find({ sourceId: source.id, mediaKey, quality });
    if (entry === null) return true;
    const keptBytes = entry.generation?.cachedBytes ?? 0;
    return keptBytes === 0 && (await entries.listPieceIds(entry.entryId)).length === 0;
  }

  /** Its source may have it all the same: it is new, or was never gone through. */
  async #ask(source: MediaSource, mediaKey: string, quality: string): Promise<string | null> {
    if (source.readItem === undefined) return null;
    const key = JSON.stringify([source.id, mediaKey]);
    const known = this.#answers.get(key);
    let reading = this.#reading.get(key);
    if (known !== undefined && known.untilMs > this.#services.clock.monotonicMs()) {
      return known.isThere ? this.#findListed(source, mediaKey, quality) : null;
    }
    if (reading === undefined) {
      this.#spend(source);
      reading = this.#read(source, mediaKey)
        .then((page) => this.#remember(key, page))
        .finally(() => this.#reading.delete(key));
      this.#reading.set(key, reading);
    }
    const page = await reading;
    if (page === null) return null;
    // Where the database takes nothing it plays all the same.
    const told = page.items.find((item) => item.mediaKey === mediaKey && item.quality === quality);
    return (await this.#findListed(source, mediaKey, quality)) ?? (told?.refusal == null ? (told?.path ?? null) : null);
  }

  /** One question. @throws LarderError `overloaded` when there were too many lately */
  #spend(source: MediaSource): void {
    const nowMs = this.#services.clock.monotonicMs();
    const spentUntilMs = Math.max(nowMs, this.#spentUntilMs.get(source.id) ?? 0) + UNLISTED_PERIOD_MS;
    const running = [...this.#reading.keys()].filter((key) => key.startsWith(`[${source.id},`)).length;
    if (running >= UNLISTED_AT_ONCE || spentUntilMs - nowMs > UNLISTED_IN_A_ROW * UNLISTED_PERIOD_MS) {
      throw new LarderError('overloaded', `${source.name} is asked for too much at once that is not in its list`, {
        retry: 'later',
        retryAfterMs: 2 * UNLISTED_PERIOD_MS,
        hint: 'go through the source on its page: what is listed plays without a question',
      });
    }
    this.#spentUntilMs.set(source.id, spentUntilMs);
  }

  #remember(key: string, page: CataloguePage | null): CataloguePage | null {
    const [oldest] = this.#answers.keys();
    if (this.#answers.size >= REMEMBERED_MAX && oldest !== undefined) this.#answers.delete(oldest);
    this.#answers.delete(key);
    this.#answers.set(key, { isThere: page !== null, untilMs: this.#services.clock.monotonicMs() + UNLISTED_TRUST_MS });
    return page;
  }

  /** @returns null when there is no such item */
  async #read(source: MediaSource, mediaKey: string): Promise<CataloguePage | null> {
    const abort = new AbortController();
    const deadline = this.#services.clock.after(READER_WAIT_MAX_MS, () => abort.abort());
    try {
      const page = await source.readItem?.(mediaKey, abort.signal);
      if (page === null || page === undefined) return null;
      await this.#services.catalogue.noteItem(source.id, page, mediaKey).catch((error: unknown) => {
        this.#services.log.debug('an item could not be noted', { source: source.name, error: describeError(error) });
      });
      return page;
    } catch (error) {
      if (!abort.signal.aborted) throw error;
      const waited = `${source.name} did not say within ${READER_WAIT_MAX_MS / 1_000} s what it has of this`;
      throw new LarderError('origin-silent', waited, {
        retry: 'soon',
        cause: error,
        hint: 'the server may have too much to do: see how fast its own pages are',
      });
    } finally {
      deadline.cancel();
    }
  }
}

/** How what a server converts for us comes: one growing file, or a playlist. */
export function rungContainer({ target, growingContainer = 'mp4' }: MediaSource): string {
  return parseTranscodeWay(target.options.transcode) === 'hls' ? PLAYLIST : growingContainer;
}

function labelOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function pathOfVariant(row: VariantRow): string {
  if (row.refusal === null) return row.path;
  throw new LarderError('origin-refused', `this cannot be played through Larder: ${row.refusal}`, {
    hint: 'choose another quality of it',
  });
}

function noSuchQuality(quality: string): LarderError {
  return new LarderError('not-found', `there is no quality ${JSON.stringify(quality.slice(0, 40))} of such an item`, {
    hint: 'its page lists the addresses that there are',
  });
}
