// What was chosen in the library, as it stands in an address.
import type { LibraryQueryProps } from '../../views/parts/library-filter.tsx';
import type { ItemCursor } from '../db/library.ts';
import { AVAILABILITIES, ITEM_SORTS, type ItemFilter } from '../library/item-filter.ts';
import { readCursor, writeCursor } from './cursor.ts';

const TYPES = ['movie', 'series', 'season', 'episode', 'album', 'track', 'video', 'audio', 'file'] as const;

/** What is not known is as if nothing had been chosen: an address that was typed shows something all the same. */
export function readLibraryQuery(query: URLSearchParams): LibraryQueryProps {
  const one = <Value extends string>(name: string, known: readonly Value[]) =>
    known.find((value) => value === query.get(name)) ?? null;
  const source = query.get('source');
  return {
    query: (query.get('q') ?? '').slice(0, 1_000),
    source: source === '' ? null : source,
    type: one('type', TYPES),
    availability: one('availability', AVAILABILITIES),
    unreachable: query.get('unreachable') === '1',
    pinned: query.get('pinned') === '1',
    sort: one('sort', ITEM_SORTS) ?? 'used',
    view: one('view', ['list', 'grid'] as const) ?? 'list',
  };
}

export function filterOf({ query, source, type, availability, unreachable, pinned }: LibraryQueryProps): ItemFilter {
  return { query, source, type: TYPES.find((known) => known === type) ?? null, availability, unreachable, pinned };
}

/** Null for one of another list: its first page is shown. */
export function readItemCursor(text: string | null, sort: string): ItemCursor | null {
  const cursor = text === null ? null : readCursor(text, [sort, sort === 'title' ? 'text' : 'number', 'number']);
  return cursor === null ? null : { key: cursor[1]!, mediaId: cursor[2] as number };
}

export function writeItemCursor(sort: string, { key, mediaId }: ItemCursor): string {
  return writeCursor([sort, key, mediaId]);
}
