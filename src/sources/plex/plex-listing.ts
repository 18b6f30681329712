// Goes through a list of titles page by page, on by the rows that came, to the first page that is empty: a short page
// is no end, some servers give less than was asked for.
import { LarderError } from '../../errors.ts';
import { CATALOGUE_FILES_MAX } from '../../limits.ts';
import type { PlexApi, PlexQuery, PlexRows } from './plex-api.ts';
import type { Fields } from './plex-fields.ts';
import { readRatingKey } from './plex-fields.ts';
import { type PlexTitle, readTitle } from './plex-title.ts';

export interface PlexListQuestion {
  readonly path: string;
  readonly query: PlexQuery;
  /** Of titles with files, the streams are asked for. */
  readonly hasFiles: boolean;
}

export interface PlexListing {
  /** Rows in all; null when the server does not say. */
  readonly total: number | null;
  readonly pages: AsyncGenerator<readonly PlexTitle[], void>;
}

/** The first page is read at once. @throws LarderError as `askJson` does */
export async function openListing(api: PlexApi, question: PlexListQuestion, signal: AbortSignal): Promise<PlexListing> {
  const { path, query, hasFiles } = question;
  const ask = (start: number) =>
    hasFiles ? api.listTitles(path, query, start, signal) : api.list(path, query, start, signal);
  const first = await ask(0);
  return { total: first.total, pages: readPages(first, ask) };
}

async function* readPages(
  first: PlexRows,
  ask: (start: number) => Promise<PlexRows>,
): AsyncGenerator<readonly PlexTitle[], void> {
  const seen = new Set<string>();
  let start = 0;
  for (let page = first; page.rows.length > 0; page = await ask(start)) {
    start += page.rows.length;
    const keyed = page.rows.filter((row): row is Fields => row !== null && readRatingKey(row.ratingKey) !== null);
    const fresh = keyed.filter((row) => isNew(row, seen));
    if (fresh.length === 0) {
      if (page.total === null || start >= page.total) return;
      // Rows that cannot be read are passed over, and rows that were there before come without an end.
      if (keyed.length > 0) throw noEnd('the Plex server gives the same page of its list again and again');
    }
    const titles = fresh.map((row) => readTitle(row, page.container)).filter((title) => title !== null);
    if (titles.length > 0) yield titles;
    if (start > CATALOGUE_FILES_MAX)
      throw noEnd(`the list of the Plex server has more than ${CATALOGUE_FILES_MAX} rows`);
  }
}

/** The first of a key counts. */
function isNew(row: Fields, seen: Set<string>): boolean {
  const key = readRatingKey(row.ratingKey);
  if (key === null || seen.has(key)) return false;
  seen.add(key);
  return true;
}

function noEnd(problem: string): LarderError {
  return new LarderError('no-listing', problem, {
    hint: 'open the library in Plex itself and see what it shows; a proxy before the server may drop X-Plex headers',
  });
}
