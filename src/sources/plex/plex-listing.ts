// Goes through a list of titles page by page, on by the rows that came, to the first page that is empty: a short page
// is no end, some servers give less than was asked for.
import { LarderError } from '../../errors.ts';
import { CATALOGUE_FILES_MAX } from '../../limits.ts';
import { NameSet } from '../listing/name-set.ts';
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

interface TitlesOfPage {
  readonly titles: readonly PlexTitle[];
  readonly total: number | null;
  /** As many rows as came; of those with a key, and of those that were not there before. */
  readonly count: number;
  readonly keyedCount: number;
  readonly freshCount: number;
}

/** The first page is read at once. @throws LarderError as `askJson` does */
export async function openListing(api: PlexApi, question: PlexListQuestion, signal: AbortSignal): Promise<PlexListing> {
  const { path, query, hasFiles } = question;
  const seen = new NameSet();
  const ask = async (start: number) => {
    const page = await (hasFiles ? api.listTitles(path, query, start, signal) : api.list(path, query, start, signal));
    return readRows(page, seen);
  };
  const first = await ask(0);
  return { total: first.total, pages: readPages(first, ask) };
}

async function* readPages(
  first: TitlesOfPage,
  ask: (start: number) => Promise<TitlesOfPage>,
): AsyncGenerator<readonly PlexTitle[], void> {
  let start = 0;
  for (let page = first; page.count > 0; page = await ask(start)) {
    start += page.count;
    if (page.freshCount === 0) {
      if (page.total === null || start >= page.total) return;
      // Rows that cannot be read are passed over, and rows that were there before come without an end.
      if (page.keyedCount > 0) throw noEnd('the Plex server gives the same page of its list again and again');
    }
    if (page.titles.length > 0) yield page.titles;
    if (start > CATALOGUE_FILES_MAX)
      throw noEnd(`the list of the Plex server has more than ${CATALOGUE_FILES_MAX} rows`);
  }
}

/** The first of a key counts. What the server said of its titles is ten times what is read of it, and is not kept. */
function readRows({ rows, container, total }: PlexRows, seen: NameSet): TitlesOfPage {
  const keyed = rows.filter((row): row is Fields => row !== null && readRatingKey(row.ratingKey) !== null);
  const fresh = keyed.filter((row) => seen.add(readRatingKey(row.ratingKey) ?? ''));
  const titles = fresh.map((row) => readTitle(row, container)).filter((title) => title !== null);
  return { titles, total, count: rows.length, keyedCount: keyed.length, freshCount: fresh.length };
}

function noEnd(problem: string): LarderError {
  return new LarderError('no-listing', problem, {
    hint: 'open the library in Plex itself and see what it shows; a proxy before the server may drop X-Plex headers',
  });
}
