// Items as lists show them: what of them is here, what they belong to, what is below them.
import type { ItemProps } from '../../views/parts/library-item.tsx';
import type { ChainRow, ChildCount } from '../db/media.ts';
import type { LibraryItem } from '../library/library.ts';
import type { Caller } from './caller.ts';
import { ItemAddresses } from './item-addresses.ts';
import { numberingOf } from './item-words.ts';
import type { WebServices } from './services.ts';

export type ItemPropsServices = Pick<WebServices, 'library' | 'readers' | 'playedAtMs' | 'streamAddresses'>;

const CONTAINERS: ReadonlySet<string> = new Set(['series', 'season', 'album']);

/** Holds others, and has no file of its own. */
export function isContainer({ type }: Pick<LibraryItem, 'type'>): boolean {
  return CONTAINERS.has(type);
}

export async function itemPropsOf(
  { library, readers, playedAtMs, streamAddresses }: ItemPropsServices,
  items: readonly LibraryItem[],
  caller: Caller,
): Promise<ItemProps[]> {
  const below = items.filter(({ parentId }) => parentId !== null).map(({ mediaId }) => mediaId);
  const chains = await library.listChains(below);
  const counts = await library.countChildren(items.filter(isContainer).map(({ mediaId }) => mediaId));
  const played = new Set(readers.list().map(({ entryId }) => entryId));
  const addresses = new ItemAddresses(streamAddresses, caller);
  return items.map((item) => ({
    ...bytesOf(item),
    id: item.mediaId,
    title: item.title,
    year: item.year,
    source: item.source,
    type: item.type,
    // To what it could be converted is said on its page.
    qualities: item.qualities
      .filter(({ delivery, entryId }) => delivery === 'file' || entryId !== null)
      .map(({ quality }) => quality),
    availability: item.availability,
    pinned: item.pinned,
    unreachable: item.unreachable,
    lastPlayedAtMs: lastPlayedOf(item, playedAtMs),
    isPlayed: item.qualities.some(({ entryId }) => entryId !== null && played.has(entryId)),
    droppedEntryIds: item.qualities.flatMap((quality) =>
      quality.entryId !== null && quality.removedAt !== null ? quality.entryId : [],
    ),
    numbering: numberingOf(item),
    belongsTo: topOf(chains.get(item.mediaId)),
    holds: isContainer(item) ? heldBy(counts.get(item.mediaId)) : null,
    durationMs: item.durationMs,
    posterPath: addresses.posterOf(item),
  }));
}

/** Its series or its album. */
function topOf(chain: readonly ChainRow[] | undefined): ItemProps['belongsTo'] {
  const top = chain === undefined || chain.length < 2 ? undefined : chain.at(-1);
  return top === undefined ? null : { id: top.id, title: top.title };
}

function heldBy(counts: readonly ChildCount[] | undefined): NonNullable<ItemProps['holds']> {
  return (counts ?? []).map(({ type, count }) => ({ type, count }));
}

function bytesOf(item: LibraryItem): Pick<ItemProps, 'sizeBytes' | 'cachedBytes'> {
  const kept = item.qualities.filter((quality) => quality.entryId !== null && quality.removedAt === null);
  const sizes = kept.map((quality) => quality.totalBytes ?? quality.sizeBytes);
  const known = sizes.every((size) => size !== null) ? sizes.reduce((sum: number, size) => sum + (size ?? 0), 0) : null;
  const largest = item.sizeBytes === 0 ? null : item.sizeBytes;
  return { sizeBytes: kept.length === 0 ? largest : known, cachedBytes: item.cachedBytes };
}

function lastPlayedOf(item: LibraryItem, playedAtMs: WebServices['playedAtMs']): number | null {
  const entryIds = item.qualities.flatMap(({ entryId }) => entryId ?? []);
  const lastPlayed = Math.max(item.lastUsedAt, ...entryIds.map((id) => playedAtMs(id) ?? 0));
  return lastPlayed === 0 ? null : lastPlayed;
}
