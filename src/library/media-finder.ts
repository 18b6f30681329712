// From the words of a stream address (media, quality) to the file that they name: listed, below a listed original, or
// beside it. What is not known is asked of its source, once.

import type { Clock } from '../clock.ts';
import type { EntryTable } from '../db/entries.ts';
import type { MediaTable, VariantRow } from '../db/media.ts';
import { LarderError } from '../errors.ts';
import { READER_WAIT_MAX_MS } from '../limits.ts';
import { cataloguePath, isQualityName, MEDIA_KEY_MAX } from '../sources/catalogue-path.ts';
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
}

/** Container of what comes in pieces. */
const PLAYLIST = 'm3u8';
/** Paths that are remembered, so that who plays asks the database once. */
const REMEMBERED_MAX = 1_000;

export class MediaFinder {
  readonly #services: MediaFinderServices;
  readonly #paths = new Map<string, string>();
  readonly #reading = new Map<string, Promise<boolean>>();

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
    const path =
      (await this.#askOfUnread(source, mediaKey, quality)) ??
      (await this.#findListed(source, mediaKey, quality)) ??
      (await this.#ask(source, mediaKey, quality));
    if (path === null) throw noSuchQuality(quality);
    if (this.#paths.size >= REMEMBERED_MAX) this.#paths.clear();
    this.#paths.set(key, path);
    return source.describe(path);
  }

  /** Rows of a source read otherwise from now on. */
  forget(): void {
    this.#paths.clear();
  }

  /**
   * What an add-on lists without its streams, and what was never played: only they say whether it is a file or a playlist.
   * Where it does not say, it is a file.
   */
  async #askOfUnread(source: MediaSource, mediaKey: string, quality: string): Promise<string | null> {
    if (source.kind !== 'stremio') return null;
    const row = await this.#services.media.findVariant(source.id, mediaKey, quality);
    if (row === null || row.refusal !== null || (row.container ?? row.sizeBytes ?? row.stamp) !== null) return null;
    try {
      return await this.#ask(source, mediaKey, quality);
    } catch (error) {
      if (error instanceof LarderError) return null;
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
    let reading = this.#reading.get(key);
    if (reading === undefined) {
      reading = this.#read(source, mediaKey).finally(() => this.#reading.delete(key));
      this.#reading.set(key, reading);
    }
    return (await reading) ? this.#findListed(source, mediaKey, quality) : null;
  }

  /** @returns whether there is such an item */
  async #read(source: MediaSource, mediaKey: string): Promise<boolean> {
    const abort = new AbortController();
    const deadline = this.#services.clock.after(READER_WAIT_MAX_MS, () => abort.abort());
    try {
      const page = await source.readItem?.(mediaKey, abort.signal);
      if (page === null || page === undefined) return false;
      await this.#services.catalogue.noteItem(source.id, page, mediaKey);
      return true;
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
