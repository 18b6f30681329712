// Pages of a server's list of items, to their end. A server that gives the same page again and again, or more than can
// be, has reached it.
import { CATALOGUE_FILES_MAX } from '../../limits.ts';
import { NameSet } from '../listing/name-set.ts';
import { guidOf } from './dto-fields.ts';
import { itemsOf, type JellyfinItem, readItem } from './jellyfin-item.ts';
import type { JellyfinQuestion } from './jellyfin-questions.ts';
import type { JellyfinSession } from './jellyfin-session.ts';

export type ItemQuery = NonNullable<JellyfinQuestion['query']>;

export interface ListedItems {
  readonly items: readonly JellyfinItem[];
  /** Ids of those that cannot be read. */
  readonly unreadable: readonly string[];
  /** Whether an item of this list so far, or of this page, has the id. */
  readonly isListed: (id: string) => boolean;
}

/** What is wanted of each item; without `MediaSources` there are no files. */
export const ITEM_FIELDS: ItemQuery = {
  fields: 'MediaSources,ProviderIds,Overview',
  enableUserData: false,
  enableImageTypes: 'Primary',
  imageTypeLimit: 1,
};

/**
 * What narrows a list down to what is there: an owner's grouping of films into collections would put those in their
 * place (Folder.cs, CollapseBoxSetItems), and without a user the episodes that are missing are listed, too. Series and
 * seasons are there with what they hold: some have no folder of their own.
 */
export function itemFilter(itemTypes: string): ItemQuery {
  const isOfFiles = !/\b(?:Series|Season|MusicAlbum)\b/.test(itemTypes);
  return {
    recursive: true,
    includeItemTypes: itemTypes,
    collapseBoxSetItems: false,
    ...(isOfFiles ? { excludeLocationTypes: 'Virtual' } : {}),
  };
}

/**
 * Oldest first, so that what is added while it is read comes last.
 * @param total - as the server says it; null where it is not known
 */
export async function* listItems(
  session: JellyfinSession,
  query: ItemQuery,
  { pageSize, total }: { readonly pageSize: number; readonly total: number | null },
  signal: AbortSignal,
): AsyncGenerator<ListedItems, void> {
  const seen = new NameSet();
  const isListed = (id: string) => seen.has(id);
  for (let startIndex = 0; startIndex <= CATALOGUE_FILES_MAX; ) {
    const { count, items, unreadable } = await askPage(
      session,
      { ...query, startIndex, limit: pageSize },
      seen,
      signal,
    );
    if (items.length + unreadable.length === 0) return;
    yield { items, unreadable, isListed };
    startIndex += count;
    if (count < pageSize && total !== null && startIndex >= total) return;
  }
}

interface ItemsOfPage extends Pick<ListedItems, 'items' | 'unreadable'> {
  /** As many as came, known ones among them. */
  readonly count: number;
}

/** A function of its own: what the server said of its items is ten times what is read of it, and is not to be kept. */
async function askPage(
  session: JellyfinSession,
  query: ItemQuery & { readonly limit: number },
  seen: NameSet,
  signal: AbortSignal,
): Promise<ItemsOfPage> {
  const { userId } = await session.accessUntil(signal);
  const { body } = await session.ask(
    {
      path: 'Items',
      query: {
        ...query,
        ...ITEM_FIELDS,
        userId,
        sortBy: 'DateCreated,SortName',
        sortOrder: 'Ascending',
        // Counting is the slow part of the answer.
        enableTotalRecordCount: false,
      },
    },
    signal,
  );
  const listed = itemsOf(body, query.limit);
  const items: JellyfinItem[] = [];
  const unreadable: string[] = [];
  for (const fields of listed) {
    const id = guidOf(fields.Id);
    if (id === null || !seen.add(id)) continue;
    const item = readItem(fields);
    if (item === null) unreadable.push(id);
    else items.push(item);
  }
  return { count: listed.length, items, unreadable };
}
