// Asks the sources themselves for words that were typed: an add-on lists a choice of what it has, and a server may have
// what was not gone through yet. What is found is in the library from then on.
import type { Clock } from '../clock.ts';
import { describeError, LarderError } from '../errors.ts';
import { SOURCE_SEARCH_MS, SOURCE_SEARCHES_MAX } from '../limits.ts';
import type { MediaSource } from '../sources/media-source.ts';
import type { MediaCatalogue } from './media-catalogue.ts';

export interface SourceSearchServices {
  readonly sources: () => readonly MediaSource[];
  readonly catalogue: Pick<MediaCatalogue, 'putPage'>;
  readonly findMediaId: (sourceId: number, key: string) => Promise<number | null>;
  readonly clock: Clock;
}

export interface SourceFinding {
  readonly source: string;
  /** Ids of items, best first. */
  readonly mediaIds: readonly number[];
  /** Why it did not say; null when it did. */
  readonly error: string | null;
}

const WORDS_MAX = 200;
const ITEMS_MAX = 100;

export class SourceSearch {
  readonly #services: SourceSearchServices;
  #running = 0;

  constructor(services: SourceSearchServices) {
    this.#services = services;
  }

  /** Names of those that can be asked. */
  searchable(): string[] {
    return this.#services.sources().flatMap(({ name, search }) => (search === undefined ? [] : [name]));
  }

  /**
   * @param name - of one source; null for all that can be asked
   * @throws LarderError `invalid` for no words, or a source that cannot be searched, `overloaded`
   */
  async search(words: string, name: string | null): Promise<SourceFinding[]> {
    const query = words.trim();
    if (query === '' || query.length > WORDS_MAX) {
      throw new LarderError('invalid', 'there is nothing to search for', {
        hint: `give up to ${WORDS_MAX} characters of a title`,
      });
    }
    const able = this.#services.sources().filter((source) => source.search !== undefined);
    const asked = name === null ? able : able.filter((source) => source.name === name);
    if (name !== null && asked.length === 0) {
      throw new LarderError('invalid', `${name} cannot be searched`, {
        hint: 'Jellyfin, Plex and Stremio sources can; the library itself finds what any source lists',
      });
    }
    if (this.#running >= SOURCE_SEARCHES_MAX) {
      throw new LarderError('overloaded', 'the sources are being searched already', {
        retry: 'later',
        retryAfterMs: 1_000,
        hint: 'try again in a moment',
      });
    }
    this.#running += 1;
    try {
      return await Promise.all(asked.map((source) => this.#ask(source, query)));
    } finally {
      this.#running -= 1;
    }
  }

  async #ask(source: MediaSource, query: string): Promise<SourceFinding> {
    const { catalogue, findMediaId, clock } = this.#services;
    const abort = new AbortController();
    const deadline = clock.after(SOURCE_SEARCH_MS, () => abort.abort());
    try {
      const page = await source.search?.(query, abort.signal);
      if (page === undefined) return { source: source.name, mediaIds: [], error: null };
      await catalogue.putPage(source.id, page);
      const described = (page.media ?? []).filter(({ type }) => type !== 'season').map(({ key }) => key);
      const keys = [...new Set([...described, ...page.items.map(({ mediaKey }) => mediaKey)])].slice(0, ITEMS_MAX);
      const ids = await Promise.all(keys.map((key) => findMediaId(source.id, key)));
      return { source: source.name, mediaIds: ids.filter((id) => id !== null), error: null };
    } catch (error) {
      const late = `it did not answer within ${SOURCE_SEARCH_MS / 1_000} s`;
      return { source: source.name, mediaIds: [], error: abort.signal.aborted ? late : describeError(error) };
    } finally {
      deadline.cancel();
    }
  }
}
