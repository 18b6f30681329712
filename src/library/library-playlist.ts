// The library, or what a filter finds in it, as a playlist for players.
import type { QualityRow } from '../db/library.ts';
import type { ItemFilter } from './item-filter.ts';
import type { ItemQuery, Library, LibraryItem } from './library.ts';
import { type PlaylistItem, writePlaylist } from './playlist.ts';

export interface LibraryPlaylistServices {
  readonly library: Pick<Library, 'search'>;
}

export type FileAddress = (source: string, path: string) => string;

const PAGE_ITEMS = 200;

export class LibraryPlaylist {
  readonly #services: LibraryPlaylistServices;

  constructor(services: LibraryPlaylistServices) {
    this.#services = services;
  }

  /** @param addressOf where players get a file */
  write(filter: ItemFilter, addressOf: FileAddress): AsyncGenerator<string> {
    let cursor: ItemQuery['cursor'] = null;
    return writePlaylist('Larder', async () => {
      const page = await this.#services.library.search({
        ...filter,
        isFlat: true,
        sort: 'title',
        cursor,
        limit: PAGE_ITEMS,
      });
      cursor = page.next;
      const items = page.items.flatMap((item) => toItem(item, filter, addressOf));
      return { items, next: page.next === null ? null : String(page.next.mediaId) };
    });
  }
}

/** One quality of each: what is here whole goes first, then the order of the list, which is best first. */
function toItem(item: LibraryItem, filter: ItemFilter, addressOf: FileAddress): PlaylistItem[] {
  const qualities = item.qualities.filter(({ removedAt }) => removedAt === null);
  const whole = qualities.find(isWhole);
  const playable = qualities.find(({ refusal }) => refusal === null);
  const quality = whole ?? (filter.availability === 'whole' ? undefined : playable);
  if (quality === undefined) return [];
  const name = item.year === null ? item.title : `${item.title} (${item.year})`;
  const title = numberOf(item) === '' ? name : `${numberOf(item)} ${item.title}`;
  return [{ title, group: item.source, address: addressOf(item.source, quality.path), durationSeconds: null }];
}

/** `S01E02`; empty for what is no episode. */
function numberOf({ type, season, episode }: LibraryItem): string {
  if (type !== 'episode' || season === null || episode === null) return '';
  return `S${String(season).padStart(2, '0')}E${String(episode).padStart(2, '0')}`;
}

function isWhole({ cachedBytes, totalBytes }: QualityRow): boolean {
  return totalBytes !== null && cachedBytes !== null && totalBytes > 0 && cachedBytes >= totalBytes;
}
