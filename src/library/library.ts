// The library: what there is, found by words and filters, page by page. A page costs the same with a hundred items and
// with a hundred thousand.
import type {
  Availability,
  FacetRow,
  ItemCursor,
  ItemPlace,
  ItemRow,
  ItemSort,
  LibraryTable,
  MediaType,
  NamedEntry,
  QualityRow,
} from '../db/library.ts';
import type { ChainRow, ChildCount, MediaTable, SameWork, SubtitleRow } from '../db/media.ts';
import type { PlaylistTable } from '../db/playlists.ts';
import { yieldTurn } from '../yield-turn.ts';
import { type ItemFilter, matchesFacet, type SourceFacts } from './item-filter.ts';
import { withRungs } from './item-qualities.ts';
import { readSearchWords } from './search-words.ts';

export interface LibraryServices {
  readonly library: LibraryTable;
  readonly playlists: Pick<PlaylistTable, 'sumPieces'>;
  readonly media: Pick<
    MediaTable,
    'listChildren' | 'listSubtitles' | 'listSameWork' | 'listChains' | 'countChildrenOf'
  >;
  readonly sources: () => readonly SourceFacts[];
}

export interface ItemQuery extends ItemFilter {
  readonly sort: ItemSort;
  readonly cursor: ItemCursor | null;
  readonly limit: number;
}

/** An item with its qualities. */
export interface LibraryItem extends ItemRow {
  /** On the disk, of all its qualities that were not dropped. */
  readonly cachedBytes: number;
  /** The origin does not give it: it says that it has it no more, or the source does not answer. */
  readonly unreachable: boolean;
  readonly qualities: readonly QualityRow[];
}

export interface ItemPage {
  readonly items: readonly LibraryItem[];
  readonly next: ItemCursor | null;
  /** Items that match; at least so many when `isCut`. */
  readonly total: number;
  /** More items have these words than are looked at: only the newest of them are sorted and counted. */
  readonly isCut: boolean;
}

/** How many items a filter would show if this one property were chosen as well. */
export interface FacetCounts {
  readonly sources: ReadonlyMap<string, number>;
  readonly types: ReadonlyMap<MediaType, number>;
  readonly availabilities: ReadonlyMap<Availability, number>;
  readonly unreachable: number;
  readonly pinned: number;
}

/** Items with the words that were typed that are looked at, the newest. */
export const MATCHES_MAX = 1_000;
export const ITEMS_PAGE = 50;
/** Of one work at other sources. */
const SAME_WORK_MAX = 20;
/** Items whose titles are folded in one step. */
const FOLD_PAGE = 200;

interface Selection {
  readonly facets: readonly FacetRow[];
  readonly sources: ReadonlyMap<number, SourceFacts>;
  /** Null when nothing was typed. */
  readonly matches: readonly ItemPlace[] | null;
  readonly isCut: boolean;
}

export class Library {
  readonly #services: LibraryServices;

  constructor(services: LibraryServices) {
    this.#services = services;
  }

  async search(query: ItemQuery): Promise<ItemPage> {
    const selection = await this.#select(query.query, query.sort);
    const facets = this.#facetsOf(query, selection);
    const places = await this.#placesOf(query, facets, selection.matches, query.limit + 1);
    const shown = places.slice(0, query.limit);
    return {
      items: await this.#itemsOf(shown, selection.sources),
      next: places.length > query.limit ? (shown.at(-1) ?? null) : null,
      total: countIn(facets, selection.matches),
      isCut: selection.isCut,
    };
  }

  /** Ids of all that match, newest first, in pages; what is changed meanwhile may come or not. */
  async *ids(filter: ItemFilter, pageItems: number): AsyncGenerator<number[]> {
    const selection = await this.#select(filter.query, 'added');
    const facets = this.#facetsOf(filter, selection);
    for (let cursor: ItemCursor | null = null; ; ) {
      const query = { ...filter, sort: 'added' as const, cursor };
      const places: ItemPlace[] = await this.#placesOf(query, facets, selection.matches, pageItems);
      const last = places.at(-1);
      if (last === undefined) return;
      yield places.map((place) => place.mediaId);
      if (places.length < pageItems) return;
      cursor = last;
    }
  }

  /** The facets that the filter shows; null when words were typed, which are no matter of facets. */
  async facets(filter: ItemFilter): Promise<FacetRow[] | null> {
    if (filter.query.trim() !== '') return null;
    return this.#facetsOf(filter, await this.#select('', 'added'));
  }

  async count(filter: ItemFilter): Promise<Pick<ItemPage, 'total' | 'isCut'>> {
    const selection = await this.#select(filter.query, 'added');
    return { total: countIn(this.#facetsOf(filter, selection), selection.matches), isCut: selection.isCut };
  }

  /** For each property that can be chosen, how many items the filter would show with it instead of its own. */
  async countFacets(filter: ItemFilter): Promise<FacetCounts> {
    const selection = await this.#select(filter.query, 'added');
    const counts = countsOf(selection);
    const sources = new Map<string, number>();
    const types = new Map<MediaType, number>();
    const availabilities = new Map<Availability, number>();
    let unreachable = 0;
    let pinned = 0;
    for (const facet of selection.facets) {
      const count = counts.get(facet.facet) ?? 0;
      if (count === 0) continue;
      const source = selection.sources.get(facet.sourceId);
      const matches = (change: Partial<ItemFilter>) => matchesFacet({ ...filter, ...change }, facet, source);
      if (source !== undefined && matches({ source: null })) add(sources, source.name, count);
      if (matches({ type: null })) add(types, facet.type as MediaType, count);
      if (matches({ availability: null })) add(availabilities, facet.availability, count);
      if (matches({ unreachable: true })) unreachable += count;
      if (matches({ pinned: true })) pinned += count;
    }
    return { sources, types, availabilities, unreachable, pinned };
  }

  /** Null when there is no such item. */
  async find(mediaId: number): Promise<LibraryItem | null> {
    const [item] = await this.list([mediaId]);
    return item ?? null;
  }

  /** These items, in this order; those that are gone are left out. */
  async list(mediaIds: readonly number[]): Promise<LibraryItem[]> {
    const places = mediaIds.map((mediaId) => ({ mediaId, key: 0, facet: 0 }));
    return this.#itemsOf(places, this.#sourcesById());
  }

  /** Seasons, episodes or tracks of an item, in their order; null behind the last page. */
  async listChildren(
    parentId: number,
    offset: number,
    limit: number,
  ): Promise<{ readonly items: readonly LibraryItem[]; readonly nextOffset: number | null }> {
    const ids = await this.#services.media.listChildren(parentId, offset, limit + 1);
    const items = await this.list(ids.slice(0, limit));
    return { items, nextOffset: ids.length > limit ? offset + limit : null };
  }

  /** By the id of each of these items: itself, then what it belongs to, nearest first. */
  async listChains(mediaIds: readonly number[]): Promise<ReadonlyMap<number, readonly ChainRow[]>> {
    if (mediaIds.length === 0) return new Map();
    const rows = await this.#services.media.listChains(mediaIds);
    return Map.groupBy(
      rows.sort((left, right) => left.level - right.level),
      (row) => row.mediaId,
    );
  }

  /** How many seasons, episodes or tracks each of these items has, most of what first. */
  async countChildren(mediaIds: readonly number[]): Promise<ReadonlyMap<number, readonly ChildCount[]>> {
    if (mediaIds.length === 0) return new Map();
    const counts = await this.#services.media.countChildrenOf(mediaIds);
    return Map.groupBy(
      counts.sort((left, right) => right.count - left.count),
      (row) => row.mediaId,
    );
  }

  /** Subtitles of an item, and the same work at other sources. */
  async listBeside(mediaId: number): Promise<{ subtitles: readonly SubtitleRow[]; sameWork: readonly SameWork[] }> {
    const { media } = this.#services;
    const subtitles = await media.listSubtitles([mediaId]);
    return { subtitles, sameWork: await media.listSameWork(mediaId, SAME_WORK_MAX) };
  }

  /** Subtitles of these items. */
  listSubtitles(mediaIds: readonly number[]): Promise<readonly SubtitleRow[]> {
    return mediaIds.length === 0 ? Promise.resolve([]) : this.#services.media.listSubtitles(mediaIds);
  }

  /** These entries, in this order; those that are gone are left out. */
  async listEntries(entryIds: readonly number[]): Promise<NamedEntry[]> {
    if (entryIds.length === 0) return [];
    const found = new Map((await this.#services.library.listEntries(entryIds)).map((row) => [row.entryId, row]));
    return entryIds.flatMap((id) => found.get(id) ?? []);
  }

  /** Titles of a database that was written without sort titles get theirs, step by step; `isStopped` ends it. */
  async foldTitles(isStopped: () => boolean): Promise<void> {
    const { library } = this.#services;
    while (!isStopped()) {
      const items = await library.listUnfolded(FOLD_PAGE);
      if (items.length === 0) return;
      await library.fold(items);
      await yieldTurn();
    }
  }

  #sourcesById(): Map<number, SourceFacts> {
    return new Map(this.#services.sources().map((source) => [source.id, source]));
  }

  async #select(query: string, sort: ItemSort): Promise<Selection> {
    const { library } = this.#services;
    const facets = (await library.listFacets()).filter((facet) => facet.itemCount > 0);
    const sources = this.#sourcesById();
    if (query.trim() === '') return { facets, sources, matches: null, isCut: false };
    const words = readSearchWords(query);
    // Something was typed that no title can have.
    const found = words.length === 0 ? [] : await library.match(words, sort, MATCHES_MAX + 1);
    return { facets, sources, matches: found.slice(0, MATCHES_MAX), isCut: found.length > MATCHES_MAX };
  }

  #facetsOf(filter: ItemFilter, { facets, sources }: Selection): FacetRow[] {
    return facets.filter((facet) => matchesFacet(filter, facet, sources.get(facet.sourceId)));
  }

  async #placesOf(
    { sort, cursor }: Pick<ItemQuery, 'sort' | 'cursor'>,
    facets: readonly FacetRow[],
    matches: readonly ItemPlace[] | null,
    limit: number,
  ): Promise<ItemPlace[]> {
    const ids = facets.map(({ facet }) => facet);
    if (ids.length === 0) return [];
    if (matches === null) return this.#services.library.listPlaces(ids, sort, cursor, limit);
    const wanted = new Set(ids);
    const direction = sort === 'title' ? 1 : -1;
    return matches
      .filter((place) => wanted.has(place.facet))
      .sort((left, right) => direction * compare(left, right))
      .filter((place) => cursor === null || direction * compare(place, cursor) > 0)
      .slice(0, limit);
  }

  /** What is kept of a playlist is in its pieces. */
  async #qualitiesOf(mediaIds: readonly number[]): Promise<QualityRow[]> {
    const { library, playlists } = this.#services;
    const rows = await library.listQualities(mediaIds);
    const playlistIds = rows.filter(({ container, entryId }) => container === 'm3u8' && entryId !== null);
    if (playlistIds.length === 0) return rows;
    const kept = await playlists.sumPieces([...new Set(playlistIds.map(({ mediaId }) => mediaId))]);
    return rows.map((row) => {
      const pieces = kept.find(({ mediaId, quality }) => mediaId === row.mediaId && quality === row.quality);
      if (pieces === undefined) return row;
      const { cachedBytes } = pieces;
      return { ...row, cachedBytes, totalBytes: row.piecesWhole ? cachedBytes : null };
    });
  }

  async #itemsOf(places: readonly ItemPlace[], sources: ReadonlyMap<number, SourceFacts>): Promise<LibraryItem[]> {
    const { library } = this.#services;
    if (places.length === 0) return [];
    const ids = places.map((place) => place.mediaId);
    const items = new Map((await library.listItems(ids)).map((item) => [item.mediaId, item]));
    const qualities = Map.groupBy(await this.#qualitiesOf(ids), (quality) => quality.mediaId);
    return ids.flatMap((id) => {
      const item = items.get(id);
      if (item === undefined) return [];
      const own = qualities.get(id) ?? [];
      const kept = own.filter((quality) => quality.removedAt === null);
      return {
        ...item,
        cachedBytes: kept.reduce((sum, quality) => sum + (quality.cachedBytes ?? 0), 0),
        unreachable: item.missing || (sources.get(item.sourceId)?.isFailing ?? false),
        qualities: withRungs(own, sources.get(item.sourceId)),
      };
    });
  }
}

function add<Key>(counts: Map<Key, number>, key: Key, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

/** How many of the selected items each facet has. */
function countsOf({ facets, matches }: Pick<Selection, 'facets' | 'matches'>): Map<number, number> {
  if (matches === null) return new Map(facets.map((facet) => [facet.facet, facet.itemCount]));
  const counts = new Map<number, number>();
  for (const { facet } of matches) add(counts, facet, 1);
  return counts;
}

function countIn(facets: readonly FacetRow[], matches: readonly ItemPlace[] | null): number {
  const counts = countsOf({ facets, matches });
  return facets.reduce((sum, { facet }) => sum + (counts.get(facet) ?? 0), 0);
}

function compare(left: ItemCursor, right: ItemCursor): number {
  if (left.key !== right.key) return left.key < right.key ? -1 : 1;
  return left.mediaId - right.mediaId;
}
