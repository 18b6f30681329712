// What an act on many is about: items or entries by number, or everything that a filter shows. Nothing of it is held in
// memory but a page at a time.
import type { EntryTable } from '../db/entries.ts';
import type { FacetRow, KeptBytes, LibraryTable, QualityRow } from '../db/library.ts';
import { yieldTurn } from '../yield-turn.ts';
import type { ItemFilter } from './item-filter.ts';
import type { Library } from './library.ts';

export type Selection =
  | { readonly kind: 'items'; readonly mediaIds: readonly number[] }
  | { readonly kind: 'entries'; readonly entryIds: readonly number[] }
  | { readonly kind: 'filter'; readonly filter: ItemFilter };

/** One item with what can be done to it. */
export interface SelectionTarget {
  readonly mediaId: number;
  readonly title: string;
  readonly source: string;
  readonly qualities: readonly QualityRow[];
  /** Only these of its entries; null for all. */
  readonly entryIds: readonly number[] | null;
  /** It was not selected itself: its series or album was. */
  readonly isPart: boolean;
}

export interface SelectionCount {
  readonly itemCount: number;
  /** Where there is one. */
  readonly title: string | null;
}

/** What acting on a selection would touch. */
export interface SelectionSize extends SelectionCount {
  readonly entryCount: number;
  /** On the disk. */
  readonly cachedBytes: number;
  /** Not on the disk, of what has a known length. */
  readonly missingBytes: number;
  /** Items whose length nobody knows yet. */
  readonly unknownCount: number;
  /** More items have the words that were typed than are looked at. */
  readonly isCut: boolean;
}

export interface SelectionServices {
  readonly library: Library;
  readonly table: Pick<LibraryTable, 'sumKept' | 'listItems' | 'listParts' | 'sumFacet' | 'sumSizes'>;
  readonly entries: Pick<EntryTable, 'findSummary'>;
}

type Measured = Pick<SelectionSize, 'entryCount' | 'cachedBytes' | 'missingBytes' | 'unknownCount'>;

/** Types that have no files themselves. */
const CONTAINERS: ReadonlySet<string> = new Set(['series', 'season', 'album']);

const FACET_STEP_ITEMS = 2_000;
const PAGE_ITEMS = 100;
const SUM_PAGE_ITEMS = 250;

export class Selections {
  readonly #services: SelectionServices;

  constructor(services: SelectionServices) {
    this.#services = services;
  }

  async count(selection: Selection): Promise<SelectionCount> {
    const { library, entries } = this.#services;
    if (selection.kind === 'filter') return { itemCount: (await library.count(selection.filter)).total, title: null };
    if (selection.kind === 'items') {
      const [first, ...others] = await library.list(selection.mediaIds.slice(0, 2));
      const itemCount = selection.mediaIds.length > 1 ? selection.mediaIds.length : first === undefined ? 0 : 1;
      return { itemCount, title: others.length === 0 ? (first?.title ?? null) : null };
    }
    const [only, ...others] = selection.entryIds;
    if (only === undefined) return { itemCount: 0, title: null };
    if (others.length > 0) return { itemCount: selection.entryIds.length, title: null };
    const summary = await entries.findSummary(only);
    return { itemCount: summary === null ? 0 : 1, title: summary?.title ?? null };
  }

  async measure(selection: Exclude<Selection, { kind: 'entries' }>): Promise<SelectionSize> {
    const { library } = this.#services;
    const facets = selection.kind === 'filter' ? await library.facets(selection.filter) : null;
    // What series and albums have is below them.
    const isFlat = facets?.every(({ type }) => !CONTAINERS.has(type)) ?? false;
    const size = facets === null || !isFlat ? await this.#measureItems(selection) : await this.#measureFacets(facets);
    const isCut = selection.kind === 'filter' && (await library.count(selection.filter)).isCut;
    return { ...(await this.count(selection)), ...size, isCut };
  }

  /** In steps: requests are served in between. */
  async #measureFacets(facets: readonly FacetRow[]): Promise<Measured> {
    const { table } = this.#services;
    const size = { entryCount: 0, cachedBytes: 0, missingBytes: 0, unknownCount: 0 };
    for (const { facet, availability, itemCount } of facets) {
      if (availability === 'none') {
        const { sizeBytes, unknownCount } = await table.sumSizes(facet);
        size.missingBytes += sizeBytes;
        size.unknownCount += unknownCount;
      } else {
        for (let offset = 0; offset < itemCount; offset += FACET_STEP_ITEMS) {
          addKept(size, await table.sumFacet(facet, offset, FACET_STEP_ITEMS));
          await yieldTurn();
        }
      }
      await yieldTurn();
    }
    return size;
  }

  async #measureItems(selection: Exclude<Selection, { kind: 'entries' }>): Promise<Measured> {
    const { table } = this.#services;
    const size = { entryCount: 0, cachedBytes: 0, missingBytes: 0, unknownCount: 0 };
    for await (const { mediaIds } of this.#withParts(selection, SUM_PAGE_ITEMS)) {
      const kept = new Map((await table.sumKept(mediaIds)).map((row) => [row.mediaId, row]));
      for (const row of kept.values()) addKept(size, row);
      const others = mediaIds.filter((id) => !kept.has(id));
      for (const item of others.length === 0 ? [] : await table.listItems(others)) {
        if (CONTAINERS.has(item.type)) continue;
        size.missingBytes += item.sizeBytes;
        if (item.sizeBytes === 0) size.unknownCount += 1;
      }
      await yieldTurn();
    }
    return size;
  }

  async *targets(selection: Selection): AsyncGenerator<SelectionTarget[]> {
    if (selection.kind === 'entries') {
      yield* this.#entryTargets(selection.entryIds);
      return;
    }
    for await (const { mediaIds, isPart } of this.#withParts(selection, PAGE_ITEMS)) {
      const items = await this.#services.library.list(mediaIds);
      yield items.map(({ mediaId, title, source, qualities }) => ({
        mediaId,
        title,
        source,
        qualities,
        entryIds: null,
        isPart,
      }));
    }
  }

  async *#entryTargets(entryIds: readonly number[]): AsyncGenerator<SelectionTarget[]> {
    for (const entryId of entryIds) {
      const summary = await this.#services.entries.findSummary(entryId);
      const { mediaId = 0, title = 'an entry', source = '' } = summary ?? {};
      yield [{ mediaId, title, source, qualities: [], entryIds: [entryId], isPart: false }];
    }
  }

  /** Each page of what was selected, and then what is below it: series are acted on by their episodes. */
  async *#withParts(
    selection: Exclude<Selection, { kind: 'entries' }>,
    pageItems: number,
  ): AsyncGenerator<{ readonly mediaIds: readonly number[]; readonly isPart: boolean }> {
    const seen = new Set<number>();
    const unseen = (mediaIds: readonly number[]) => mediaIds.filter((id) => !seen.has(id) && seen.add(id));
    for await (const selected of this.#ids(selection, pageItems)) {
      yield { mediaIds: unseen(selected), isPart: false };
      const parts = unseen(await this.#services.table.listParts(selected));
      for (let start = 0; start < parts.length; start += pageItems) {
        yield { mediaIds: parts.slice(start, start + pageItems), isPart: true };
      }
    }
  }

  async *#ids(
    selection: Exclude<Selection, { kind: 'entries' }>,
    pageItems: number,
  ): AsyncGenerator<readonly number[]> {
    if (selection.kind === 'filter') {
      yield* this.#services.library.ids(selection.filter, pageItems);
      return;
    }
    const { mediaIds } = selection;
    for (let start = 0; start < mediaIds.length; start += pageItems) yield mediaIds.slice(start, start + pageItems);
  }
}

function addKept(
  size: { entryCount: number; cachedBytes: number; missingBytes: number },
  kept: Omit<KeptBytes, 'mediaId'>,
): void {
  size.entryCount += kept.entryCount;
  size.cachedBytes += kept.cachedBytes;
  size.missingBytes += kept.missingBytes;
}
