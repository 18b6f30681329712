import { formatDuration } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { describeHeld, type ItemProps, ItemState, typeWords } from './library-item.tsx';
import { Poster } from './poster.tsx';

export type ItemChildrenProps = {
  /** Below the base path: the page of the item. */
  path: string;
  items: readonly ItemProps[];
  offset: number;
  nextOffset: number | null;
  /** By element id: `child-ID`. */
  regions: Readonly<Record<string, unknown>>;
};

/** Seasons of a series, episodes of a season, tracks of an album, in their order, page by page. */
export function ItemChildren({ page, ...props }: ItemChildrenProps & { page: PageContext }) {
  const { path, items, offset, nextOffset, regions } = props;
  const [first] = items;
  if (first === undefined) return null;
  const word = typeWords[first.type] ?? first.type;
  const title = items.every(({ type }) => type === first.type) ? `${word}s` : 'What is in it';
  const hasPosters = first.holds !== null && items.some(({ posterPath }) => posterPath !== null);
  const at = (from: number) => `${page.basePath}${path}${from === 0 ? '' : `?from=${from}`}`;
  return (
    <section class="panel" aria-labelledby="children-title">
      <h2 id="children-title">{title}</h2>
      <ul class={hasPosters ? 'items grid posters' : 'items children'}>
        {items.map((item) => (
          <li class="item">
            {hasPosters ? <Poster page={page} type={item.type} path={item.posterPath} /> : null}
            <div class="item-body" id={`child-${item.id}`}>
              {regions[`child-${item.id}`] as never}
            </div>
          </li>
        ))}
      </ul>
      {offset === 0 && nextOffset === null ? null : (
        <nav class="paging" aria-label={`Pages of ${title.toLowerCase()}`}>
          {offset === 0 ? null : <a href={at(0)}>First page</a>}
          {nextOffset === null ? null : (
            <a rel="next" href={at(nextOffset)}>
              Next page
            </a>
          )}
        </nav>
      )}
    </section>
  );
}

/** What is inside `#child-ID`. */
export function ItemChild({ page, item }: { page: PageContext; item: ItemProps }) {
  const { id, title, numbering, durationMs, holds } = item;
  return (
    <>
      <p class="child-title">
        {numbering === null ? null : <span class="child-number">{numbering}</span>}
        <a class="item-title" href={`${page.basePath}/items/${id}`}>
          {title}
        </a>
      </p>
      {holds === null ? (
        <>
          <p class="item-meta">{durationMs === null ? '' : formatDuration(durationMs)}</p>
          <ItemState item={item} />
        </>
      ) : (
        <p class="item-meta">{describeHeld(holds)}</p>
      )}
    </>
  );
}
