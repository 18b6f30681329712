// The library, or what a filter finds in it, as a playlist for players.
import type { QualityRow } from '../db/library.ts';
import { encodePath } from '../sources/media-address.ts';
import type { ItemFilter } from './item-filter.ts';
import type { ItemQuery, Library, LibraryItem } from './library.ts';
import { type PlaylistItem, writePlaylist } from './playlist.ts';

export interface LibraryPlaylistServices {
  readonly library: Pick<Library, 'search'>;
  /** The path with what lets a player in that shows nothing else. */
  readonly sign: (path: string) => string;
  /** Whether players need a signed address. */
  readonly isLocked: () => boolean;
}

const PAGE_ITEMS = 200;

export class LibraryPlaylist {
  readonly #services: LibraryPlaylistServices;

  constructor(services: LibraryPlaylistServices) {
    this.#services = services;
  }

  /** @param base where players reach us, without a slash at the end */
  write(filter: ItemFilter, base: string): AsyncGenerator<string> {
    let cursor: ItemQuery['cursor'] = null;
    return writePlaylist('Larder', async () => {
      const page = await this.#services.library.search({ ...filter, sort: 'title', cursor, limit: PAGE_ITEMS });
      cursor = page.next;
      const items = page.items.flatMap((item) => this.#toItem(item, filter, base));
      return { items, next: page.next === null ? null : String(page.next.mediaId) };
    });
  }

  /** One quality of each: what is here whole goes first, then the order of the list, which is best first. */
  #toItem(item: LibraryItem, filter: ItemFilter, base: string): PlaylistItem[] {
    const qualities = item.qualities.filter(({ removedAt }) => removedAt === null);
    const whole = qualities.find(isWhole);
    const quality = whole ?? (filter.availability === 'whole' ? undefined : qualities[0]);
    if (quality === undefined) return [];
    const path = `/s/${encodeURIComponent(item.source)}/${encodePath(quality.path)}`;
    const address = base + (this.#services.isLocked() ? this.#services.sign(path) : path);
    const title = item.year === null ? item.title : `${item.title} (${item.year})`;
    return [{ title, group: item.source, address, durationSeconds: null }];
  }
}

function isWhole({ cachedBytes, totalBytes }: QualityRow): boolean {
  return totalBytes !== null && cachedBytes !== null && totalBytes > 0 && cachedBytes >= totalBytes;
}
