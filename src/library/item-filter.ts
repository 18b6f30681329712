// Which items of the library are meant. Everything in it but the words is a property of a facet, so that a filter is a
// set of facets.
import type { Availability, FacetRow, ItemSort, MediaType } from '../db/library.ts';
import type { Rung } from '../sources/media-source.ts';

export interface ItemFilter {
  /** As typed; empty for everything. */
  readonly query: string;
  /** Name of a source. */
  readonly source: string | null;
  /**
   * Null: what stands by itself. Without words no seasons, episodes and tracks, which are looked at below their series
   * and albums; never `file`, which is what lies beside media and was read all the same: subtitles, pictures.
   */
  readonly type: MediaType | null;
  readonly availability: Availability | null;
  /** Only what the origin does not give: it says that it has it no more, or its source does not answer. */
  readonly unreachable: boolean;
  readonly pinned: boolean;
  /** Everything that plays by itself, episodes and tracks among it. */
  readonly isFlat?: boolean;
}

export const EVERYTHING: ItemFilter = {
  query: '',
  source: null,
  type: null,
  availability: null,
  unreachable: false,
  pinned: false,
};

export const ITEM_SORTS: readonly ItemSort[] = ['used', 'title', 'size', 'added'];
export const AVAILABILITIES: readonly Availability[] = ['whole', 'partly', 'none'];

export interface SourceFacts {
  readonly id: number;
  readonly name: string;
  readonly isFailing: boolean;
  /** To what it can convert, and in which container that comes: `m3u8` in pieces. Left out where it cannot. */
  readonly ladder?: readonly Rung[];
  readonly rungContainer?: string;
}

const PARTS: readonly string[] = ['season', 'episode', 'track'];

/** Whether a list without a type shows items of this one. */
function isShown(type: string, { query, isFlat = false }: ItemFilter): boolean {
  if (type === 'file' || type === 'season') return false;
  return isFlat || query.trim() !== '' || !PARTS.includes(type);
}

export function matchesFacet(filter: ItemFilter, facet: FacetRow, source: SourceFacts | undefined): boolean {
  return (
    // A source that was removed is not listed any more, although its bytes may still be going.
    source !== undefined &&
    (filter.source === null || source.name === filter.source) &&
    (filter.type === null ? isShown(facet.type, filter) : facet.type === filter.type) &&
    (filter.availability === null || facet.availability === filter.availability) &&
    (!filter.pinned || facet.pinned) &&
    (!filter.unreachable || facet.missing || source.isFailing)
  );
}
