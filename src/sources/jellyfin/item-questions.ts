// Single items of a server: one with what is below it, and those that words find. By the list of items, as the address
// of a single one needs a user, and an API key has none (UserLibraryController.cs, GetItem).
import type { CataloguePage } from '../catalogue-source.ts';
import { guidOf } from './dto-fields.ts';
import { ITEM_FIELDS, itemFilter, listItems } from './item-listing.ts';
import { pageOfItems } from './item-page.ts';
import { itemsOf, type JellyfinItem, readItem } from './jellyfin-item.ts';
import type { JellyfinSession } from './jellyfin-session.ts';

const FOUND_MAX = 100;
const WORDS_LENGTH_MAX = 200;
/** Below one item: a series that runs daily has some ten thousand episodes. */
const BELOW_MAX = 20_000;
const PAGE_SIZE = 200;
const SEARCHED = 'Movie,Series,Episode,Video,MusicVideo,MusicAlbum,Audio,AudioBook';

/** The item without what is below it; null when it is not there. */
export async function findItem(
  session: JellyfinSession,
  mediaKey: string,
  signal: AbortSignal,
): Promise<JellyfinItem | null> {
  const id = guidOf(mediaKey);
  if (id === null) return null;
  const { userId } = await session.accessUntil(signal);
  const { body } = await session.ask(
    { path: 'Items', query: { ids: id, userId, ...ITEM_FIELDS, enableTotalRecordCount: false } },
    signal,
  );
  for (const fields of itemsOf(body, FOUND_MAX)) {
    const item = readItem(fields);
    if (item?.id === id) return item;
  }
  return null;
}

/** What lies below a series, a season or an album; nothing of anything else. */
export async function listBelow(
  session: JellyfinSession,
  { id, type, seriesId }: JellyfinItem,
  signal: AbortSignal,
): Promise<JellyfinItem[]> {
  if (type === 'series') {
    const seasons = await collect(session, id, 'Season', signal);
    return [...seasons, ...(await collect(session, id, 'Episode', signal))];
  }
  // Seasons may have no folder, and then no episodes below them: they are found below the series.
  if (type === 'season') {
    const episodes = await collect(session, seriesId ?? id, 'Episode', signal);
    return episodes.filter(({ seasonId }) => seasonId === id);
  }
  return type === 'album' ? collect(session, id, 'Audio', signal) : [];
}

export async function searchItems(
  session: JellyfinSession,
  words: string,
  signal: AbortSignal,
): Promise<CataloguePage> {
  const searchTerm = words.trim().slice(0, WORDS_LENGTH_MAX);
  if (searchTerm === '') return { items: [], folders: [] };
  const { userId } = await session.accessUntil(signal);
  const { body } = await session.ask(
    {
      path: 'Items',
      query: {
        ...itemFilter(SEARCHED),
        ...ITEM_FIELDS,
        searchTerm,
        userId,
        limit: FOUND_MAX,
        enableTotalRecordCount: false,
      },
    },
    signal,
  );
  const found = new Map<string, JellyfinItem>();
  for (const fields of itemsOf(body, FOUND_MAX)) {
    const item = readItem(fields);
    if (item !== null && !found.has(item.id)) found.set(item.id, item);
  }
  return pageOfItems([...found.values()]);
}

async function collect(
  session: JellyfinSession,
  parentId: string,
  itemType: string,
  signal: AbortSignal,
): Promise<JellyfinItem[]> {
  const query = { ...itemFilter(itemType), parentId };
  const all: JellyfinItem[] = [];
  for await (const { items } of listItems(session, query, { pageSize: PAGE_SIZE, total: 0 }, signal)) {
    all.push(...items);
    if (all.length >= BELOW_MAX) break;
  }
  return all;
}
