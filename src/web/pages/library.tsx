// The library: everything there is, found by typing and choosing, and acts on many of it at once.
import { formatCount, formatSentence } from '../../../views/format.ts';
import { LibraryPage } from '../../../views/pages/library.tsx';
import { SelectionPage } from '../../../views/pages/library-selection.tsx';
import { Dropped, type DroppedProps } from '../../../views/parts/dropped.tsx';
import { Jobs } from '../../../views/parts/jobs.tsx';
import { type FacetProps, queryText } from '../../../views/parts/library-filter.tsx';
import { availabilityWords, type ItemProps, LibraryItem, typeWords } from '../../../views/parts/library-item.tsx';
import { type Rendered, renderPage } from '../../../views/render.ts';
import { LarderError } from '../../errors.ts';
import { BULK_ACTIONS, type BulkAction, type JobState } from '../../library/bulk-jobs.ts';
import { fetchFit, refuseBeyondCap } from '../../library/fetch-fit.ts';
import type { ItemFilter } from '../../library/item-filter.ts';
import { type FacetCounts, ITEMS_PAGE, type LibraryItem as Item, type ItemPage } from '../../library/library.ts';
import type { Selection } from '../../library/selections.ts';
import { readForm } from '../forms.ts';
import { type ItemPropsServices, itemPropsOf } from '../item-props.ts';
import { chainName } from '../item-words.ts';
import { filterOf, readItemCursor, readLibraryQuery, writeItemCursor } from '../library-query.ts';
import type { PageRequest } from '../live-page.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';

type LibraryServices = ItemPropsServices &
  Pick<WebServices, 'sourceSearch' | 'removals' | 'selections' | 'jobs' | 'sources' | 'storage' | 'clock'>;

/** Dropped entries that are listed by name; jobs that ended are shown for a while. */
const DROPPED_SHOWN = 10;
const ENDED_JOB_MS = 600_000;
const TITLES_SHOWN = 20;
const SELECTED_MAX = 500;

interface Shown {
  readonly page: ItemPage;
  readonly facets: FacetProps;
  readonly items: readonly ItemProps[];
  readonly dropped: DroppedProps;
  readonly droppedItems: readonly ItemProps[];
}

export function addLibraryPages(routes: Routes, services: LibraryServices): void {
  const { library, removals, jobs, sources, sourceSearch, clock } = services;
  /** Gathered once for the regions and the page around them. */
  const gathered = new WeakMap<PageRequest, Promise<Shown>>();

  function shownOf(request: PageRequest): Promise<Shown> {
    const known = gathered.get(request) ?? gather(request);
    gathered.set(request, known);
    return known;
  }

  async function gather({ query, caller }: PageRequest): Promise<Shown> {
    const chosen = readLibraryQuery(query);
    const cursor = readItemCursor(query.get('cursor'), chosen.sort);
    const page = await library.search({ ...filterOf(chosen), sort: chosen.sort, cursor, limit: ITEMS_PAGE });
    const entries = await library.listEntries(removals.listNewest(DROPPED_SHOWN));
    // Their rows change with them, also where the filter does not show them any more.
    const others = entries
      .map(({ mediaId }) => mediaId)
      .filter((id) => !page.items.some((item) => item.mediaId === id));
    const chains = await library.listChains(entries.map(({ mediaId }) => mediaId));
    const propsOf = (items: readonly Item[]) => itemPropsOf(services, items, caller);
    return {
      page,
      facets: facetProps(await library.countFacets(filterOf(chosen))),
      items: await propsOf(page.items),
      droppedItems: others.length === 0 ? [] : await propsOf(await library.list([...new Set(others)])),
      dropped: {
        count: removals.count,
        entries: entries.map(({ cachedBytes, title, ...entry }) => ({
          ...entry,
          title: chainName(chains.get(entry.mediaId)) ?? title,
          bytes: cachedBytes,
          leftMs: removals.leftMs(entry.entryId) ?? 0,
        })),
      },
    };
  }

  routes.livePage({
    path: '/library',
    need: 'viewer',
    // Rows are told one by one, and none comes or goes under the hand of who reads them: that is for the next look.
    regions: async (request) => {
      const { page } = request;
      const { items, droppedItems, dropped, facets } = await shownOf(request);
      const isOwner = page.visitor?.role === 'owner';
      const regions: Record<string, Rendered> = {
        jobs: <Jobs page={page} jobs={isOwner ? shownJobs(jobs.list(), clock.nowMs()) : []} />,
        dropped: <Dropped page={page} dropped={isOwner ? dropped : { count: 0, entries: [] }} />,
      };
      // The filter is not there in a library that is empty.
      for (const [name, count] of Object.entries(facetCounts(facets))) {
        regions[`facet-${name}`] = count.toLocaleString('en');
      }
      for (const item of [...items, ...droppedItems]) {
        regions[`item-${item.id}`] = <LibraryItem page={page} item={item} />;
      }
      return regions;
    },
    render: async (request, regions, notice) => {
      const { page, query } = request;
      const shown = await shownOf(request);
      const chosen = readLibraryQuery(query);
      return (
        <LibraryPage
          page={page}
          notice={notice}
          chosen={chosen}
          facets={shown.facets}
          items={shown.items}
          total={shown.page.total}
          isCut={shown.page.isCut}
          isFirstPage={readItemCursor(query.get('cursor'), chosen.sort) === null}
          next={shown.page.next === null ? null : writeItemCursor(chosen.sort, shown.page.next)}
          sourceNames={(await sources.list()).map(({ name }) => name)}
          searchable={sourceSearch.searchable()}
          regions={regions}
        />
      );
    },
  });

  routes.action('/library/ask', 'viewer', async (context) => {
    const q = String((await readForm(context)).q ?? '');
    const found = await sourceSearch.search(q, null);
    const count = found.reduce((sum, { mediaIds }) => sum + mediaIds.length, 0);
    const failed = found.flatMap(({ source, error }) => (error === null ? [] : [`${source}: ${error}`]));
    return {
      notice: {
        tone: failed.length === 0 ? 'done' : 'failed',
        text: `${formatCount(count, 'item')} found there, and in the library from now on.`,
        hint: failed.length === 0 ? null : formatSentence(failed.join('; ')),
      },
      goTo: `/library?q=${encodeURIComponent(q)}`,
    };
  });

  addSelectionPages(routes, services);
}

function addSelectionPages(routes: Routes, { library, selections, jobs, storage }: LibraryServices): void {
  async function namesOf(mediaIds: readonly number[]): Promise<string[]> {
    const chains = await library.listChains(mediaIds);
    return mediaIds.flatMap((id) => chainName(chains.get(id)) ?? []);
  }

  routes.get('/library/selection', 'owner', async (context) => {
    const query = new URL(context.req.url).searchParams;
    const selection = readSelection(query);
    const size = await selections.measure(selection);
    const titles = selection.kind === 'items' ? await namesOf(selection.mediaIds.slice(0, TITLES_SHOWN)) : [];
    const back = backTo(query.get('back'));
    const fields = fieldsOf(selection, query);
    const { page } = context.var;
    const fit = fetchFit(size, await storage.state());
    const filterWords = selection.kind === 'filter' ? describeFilter(selection.filter) : null;
    const shown = { page, back, titles, fields, fit, filterWords };
    return context.html(renderPage(<SelectionPage {...shown} {...size} />));
  });
  for (const verb of BULK_ACTIONS) {
    routes.action(`/library/selection/${verb}`, 'owner', async (context) => {
      const form = await readForm(context);
      const query = new URLSearchParams(
        Object.entries(form).flatMap(([name, value]) => [value].flat().map((one) => [name, one])),
      );
      const selection = readSelection(query);
      if (verb === 'fetch') refuseBeyondCap(await selections.measure(selection), await storage.state());
      const job = await jobs.start(verb, selection);
      return { notice: { tone: 'done', text: startedWords(verb, job) }, goTo: backTo(query.get('back')) };
    });
  }
  routes.action('/jobs/:id/stop', 'owner', async (context) => {
    jobs.cancel(context.req.param('id') ?? '');
    return { notice: { tone: 'done', text: 'It stops. What was done stays done.' } };
  });
  routes.action('/jobs/:id/restore', 'owner', async (context) => {
    const { itemCount } = await jobs.restore(context.req.param('id') ?? '');
    return { notice: { tone: 'done', text: `${formatCount(itemCount, 'entry', 'entries')} are brought back.` } };
  });
}

function startedWords(verb: BulkAction, { itemCount, title }: JobState): string {
  const what = title ?? formatCount(itemCount, 'item');
  const words: Record<BulkAction, string> = {
    fetch: `The rest of ${what} is asked for.`,
    stop: `Fetching ${what} is being stopped.`,
    pin: `${what} will be pinned.`,
    unpin: `${what} will be unpinned.`,
    drop: `${what} will be dropped.`,
    restore: `${what} will be brought back.`,
    verify: `${what} will be compared with checksums.`,
    recheck: `${what} will be checked with the origin.`,
  };
  return words[verb];
}

/** Only to the library: an address that somebody made up leads nowhere else. */
function backTo(text: string | null): string {
  return text !== null && /^\/library(\?|$)/.test(text) ? text : '/library';
}

type ItemSelection = Exclude<Selection, { kind: 'entries' }>;

function readSelection(query: URLSearchParams): ItemSelection {
  if (query.get('all') === '1') return { kind: 'filter', filter: filterOf(readLibraryQuery(query)) };
  const mediaIds = [...new Set(query.getAll('item'))].map(Number);
  if (mediaIds.length > SELECTED_MAX || mediaIds.some((id) => !Number.isSafeInteger(id) || id < 1)) {
    throw new LarderError('invalid', 'what is selected cannot be read', { hint: 'select it again on the list' });
  }
  return { kind: 'items', mediaIds };
}

function describeFilter(filter: ItemFilter): string {
  const parts = [
    filter.query.trim() === '' ? null : `the words “${filter.query.trim()}”`,
    filter.source === null ? null : `source ${filter.source}`,
    filter.type === null ? null : `kind ${typeWords[filter.type] ?? filter.type}`,
    filter.availability === null ? null : availabilityWords[filter.availability].word,
    filter.pinned ? 'pinned' : null,
    filter.unreachable ? 'unreachable' : null,
  ].filter((part) => part !== null);
  return parts.length === 0 ? 'Everything in the library.' : `Everything that this filter shows: ${parts.join(', ')}.`;
}

function fieldsOf(selection: ItemSelection, query: URLSearchParams): [string, string][] {
  if (selection.kind === 'items') return selection.mediaIds.map((id) => ['item', String(id)]);
  return [...new URLSearchParams(queryText(readLibraryQuery(query), { all: '1' }))];
}

export function shownJobs(all: readonly JobState[], nowMs: number): JobState[] {
  return all.filter((job) => job.endedAt === null || nowMs - job.endedAt < ENDED_JOB_MS);
}

function facetCounts({ availabilities, pinned, unreachable }: FacetProps): Record<string, number> {
  return { ...availabilities, pinned, unreachable };
}

function facetProps({ sources, types, availabilities, unreachable, pinned }: FacetCounts) {
  const listed = (counts: ReadonlyMap<string, number>) => [...counts].map(([name, count]) => ({ name, count }));
  const count = (value: 'none' | 'partly' | 'whole') => availabilities.get(value) ?? 0;
  return {
    sources: listed(sources).sort((left, right) => left.name.localeCompare(right.name)),
    types: listed(types).sort((left, right) => right.count - left.count),
    availabilities: { whole: count('whole'), partly: count('partly'), none: count('none') },
    unreachable,
    pinned,
  };
}
