// Single titles of a Plex server: one with what is below it, and those that it finds by words.
import { LarderError } from '../../errors.ts';
import type { CataloguePage } from '../catalogue-source.ts';
import type { PlexApi } from './plex-api.ts';
import { readList } from './plex-fields.ts';
import { openListing } from './plex-listing.ts';
import { pageOf } from './plex-page.ts';
import { type PlexTitle, readTitle } from './plex-title.ts';

/** Of what is below one title: the longest series have some ten thousand episodes. */
const BELOW_MAX = 20_000;
const HUBS_MAX = 50;
const FOUND_PER_HUB = 25;
const WORDS_MAX = 200;

/** What lies below a title of a type, in the order in which it is to be told. */
const BELOW = {
  series: [
    { list: 'children', hasFiles: false },
    { list: 'allLeaves', hasFiles: true },
  ],
  season: [{ list: 'children', hasFiles: true }],
  album: [{ list: 'children', hasFiles: true }],
} as const;

/** The title alone; null when there is no such one. @throws LarderError when the server does not say */
export async function readTitlePage(api: PlexApi, key: string, signal: AbortSignal): Promise<CataloguePage | null> {
  const title = await readOne(api, key, signal);
  return title === null ? null : pageOf([title]);
}

/** With its seasons and episodes, or its tracks. */
export async function readItemPage(api: PlexApi, key: string, signal: AbortSignal): Promise<CataloguePage | null> {
  const title = await readOne(api, key, signal);
  if (title === null) return null;
  const titles = new Map([[title.key, title]]);
  const lists = title.type in BELOW ? BELOW[title.type as keyof typeof BELOW] : [];
  for (const { list, hasFiles } of lists) {
    const question = { path: `/library/metadata/${key}/${list}`, query: {}, hasFiles };
    const { pages } = await openListing(api, question, signal);
    for await (const page of pages) {
      for (const below of page) if (!titles.has(below.key)) titles.set(below.key, below);
      if (titles.size > BELOW_MAX) break;
    }
  }
  return pageOf([...titles.values()]);
}

/** `/hubs/search` gives what it finds in groups, one for each type. */
export async function searchPage(api: PlexApi, words: string, signal: AbortSignal): Promise<CataloguePage> {
  const query = words.trim().slice(0, WORDS_MAX);
  if (query === '') return pageOf([]);
  const { container } = await api.ask('/hubs/search', { query, limit: FOUND_PER_HUB, includeGuids: 1 }, signal, {
    'x-plex-container-start': '0',
    'x-plex-container-size': String(FOUND_PER_HUB),
  });
  const titles = new Map<string, PlexTitle>();
  for (const hub of readList(container.Hub, HUBS_MAX)) {
    for (const row of readList(hub.Metadata, FOUND_PER_HUB)) {
      const title = readTitle(row, {});
      if (title !== null && !titles.has(title.key)) titles.set(title.key, title);
    }
  }
  return pageOf([...titles.values()]);
}

async function readOne(api: PlexApi, key: string, signal: AbortSignal): Promise<PlexTitle | null> {
  try {
    const { rows, container } = await api.list(`/library/metadata/${key}`, { includeGuids: 1 }, 0, signal);
    const row = rows.find((candidate) => candidate !== null && String(candidate.ratingKey) === key) ?? null;
    return row === null ? null : readTitle(row, container);
  } catch (error) {
    if (error instanceof LarderError && error.code === 'not-found') return null;
    throw error;
  }
}
