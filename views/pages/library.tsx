import { formatCount } from '../format.ts';
import { Layout } from '../layout.tsx';
import type { PageContext } from '../page-context.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { EmptyLibrary } from '../parts/empty-library.tsx';
import {
  type FacetProps,
  LibraryFilter,
  type LibraryQueryProps,
  libraryPath,
  queryText,
} from '../parts/library-filter.tsx';
import type { ItemProps } from '../parts/library-item.tsx';
import type { NoticeProps } from '../parts/notice.tsx';
import { Poster } from '../parts/poster.tsx';
import type { Rendered } from '../render.ts';

export type LibraryPageProps = {
  page: PageContext;
  notice: NoticeProps | null;
  chosen: LibraryQueryProps;
  facets: FacetProps;
  items: readonly ItemProps[];
  /** At least so many when `isCut`. */
  total: number;
  isCut: boolean;
  isFirstPage: boolean;
  next: string | null;
  sourceNames: readonly string[];
  /** Sources that can be asked for the words that were typed. */
  searchable: readonly string[];
  /** By element id: `jobs`, `dropped`, `item-ID`. */
  regions: Readonly<Record<string, Rendered>>;
};

/** Everything there is, found by typing and choosing; what is chosen stands in the address. */
export function LibraryPage(props: LibraryPageProps) {
  const { page, notice, chosen, facets, regions } = props;
  return (
    <Layout page={page} title="Library" section="/library" notice={notice} live>
      <h1>Library</h1>
      <div id="jobs">{regions.jobs}</div>
      <div id="dropped">{regions.dropped}</div>
      <div id="library">
        {isUntouched(props) ? (
          <section class="panel">
            <EmptyLibrary page={page} sourceNames={props.sourceNames} />
          </section>
        ) : (
          <>
            <LibraryFilter page={page} chosen={chosen} facets={facets} />
            <Found {...props} />
          </>
        )}
      </div>
    </Layout>
  );
}

function isUntouched({ items, chosen, isFirstPage }: LibraryPageProps): boolean {
  return items.length === 0 && isFirstPage && queryText({ ...chosen, sort: 'used', view: 'list' }) === '';
}

/** An add-on lists a choice of what it has, and a server may have what was not gone through yet. */
function AskSources({ page, chosen, searchable }: LibraryPageProps) {
  if (chosen.query.trim() === '' || searchable.length === 0) return null;
  return (
    <div class="ask-sources">
      <ActionForm page={page} action="/library/ask" label={`Search ${listWords(searchable)} too`} name={chosen.query}>
        <input type="hidden" name="q" value={chosen.query} />
      </ActionForm>
    </div>
  );
}

const NAMED_MAX = 3;

function listWords(names: readonly string[]): string {
  if (names.length > NAMED_MAX) return formatCount(names.length, 'source');
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function Found(props: LibraryPageProps) {
  const { page, chosen, items, total, isCut, next, isFirstPage } = props;
  const isOwner = page.visitor?.role === 'owner';
  const hasPosters = chosen.view === 'grid' && items.some(({ posterPath }) => posterPath !== null);
  return (
    <div class="found">
      <div class="found-head">
        <p class="found-count" role="status">
          {isCut
            ? `More than ${formatCount(total, 'item')} have these words; the newest are shown`
            : formatCount(total, 'item')}
        </p>
        <ViewLinks page={page} chosen={chosen} />
      </div>
      <AskSources {...props} />
      {items.length === 0 ? (
        <NoneMatch page={page} chosen={chosen} />
      ) : (
        <ul class={hasPosters ? 'items grid posters' : `items ${chosen.view}`}>
          {items.map((item) => (
            <li class="item">
              {hasPosters ? <Poster page={page} type={item.type} path={item.posterPath} /> : null}
              {isOwner ? (
                <label class="item-pick">
                  <input type="checkbox" form="selection" name="item" value={String(item.id)} />
                  <span class="visually-hidden">Select {item.title}</span>
                </label>
              ) : null}
              <div class="item-body" id={`item-${item.id}`}>
                {props.regions[`item-${item.id}`]}
              </div>
            </li>
          ))}
        </ul>
      )}
      {isOwner && items.length > 0 ? (
        <form id="selection" class="select-bar" method="get" action={`${page.basePath}/library/selection`}>
          <input type="hidden" name="back" value={page.path} />
          <label class="check" data-pick-all hidden>
            <input type="checkbox" />
            <span>All on this page</span>
          </label>
          <button type="submit">
            Act on <span data-pick-count>the selected</span>…
          </button>
          <a href={`${page.basePath}/library/selection${queryText(chosen, { all: '1', back: page.path })}`}>
            {total === 1 ? 'Act on the one item…' : `Act on all ${formatCount(total, 'item')}…`}
          </a>
        </form>
      ) : null}
      {next === null && isFirstPage ? null : (
        <nav class="paging" aria-label="Pages of the library">
          {isFirstPage ? null : <a href={`${page.basePath}${libraryPath(chosen)}`}>First page</a>}
          {next === null ? null : (
            <a rel="next" href={`${page.basePath}${libraryPath(chosen, { cursor: next })}`}>
              Next page
            </a>
          )}
        </nav>
      )}
    </div>
  );
}

function ViewLinks({ page, chosen }: { page: PageContext; chosen: LibraryQueryProps }) {
  return (
    <nav class="views" aria-label="How to show them">
      {(['list', 'grid'] as const).map((view) => (
        <a
          href={`${page.basePath}${libraryPath({ ...chosen, view })}`}
          aria-current={chosen.view === view ? 'true' : undefined}
        >
          {view === 'list' ? 'List' : 'Grid'}
        </a>
      ))}
    </nav>
  );
}

function NoneMatch({ page, chosen }: { page: PageContext; chosen: LibraryQueryProps }) {
  return (
    <div class="panel">
      <h2>Nothing matches</h2>
      <p>
        {chosen.query === ''
          ? 'Nothing in the library is of this kind now.'
          : 'No title, year or folder has all of these words, each whole or from its beginning.'}
      </p>
      <p>
        <a href={`${page.basePath}/library`}>Clear the filter</a>
      </p>
    </div>
  );
}
