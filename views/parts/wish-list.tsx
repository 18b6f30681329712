import { formatBytes, formatCount } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { ActionForm } from './action-form.tsx';
import { type DownloadProps, DownloadState } from './download-state.tsx';
import { ItemLink } from './reader-row.tsx';

export type WishProps = {
  entryId: number;
  title: string;
  quality: string;
  source: string;
  itemPath: string | null;
  byPerson: boolean;
  sizeBytes: number | null;
  cachedBytes: number;
  download: DownloadProps;
};

export type WishListProps = {
  wishes: readonly WishProps[];
  count: number;
  /** Still to come; null where it is not added up. */
  bytes: number | null;
  /** Below the base path. */
  nextPath: string | null;
  isFirst: boolean;
};

/** What is to be here whole, in the order in which it is fetched. */
export function WishList({ page, wishes, count, bytes, nextPath, isFirst }: WishListProps & { page: PageContext }) {
  return (
    <>
      <h2>
        To be fetched <span class="count">{count}</span>
      </h2>
      {count === 0 ? (
        <p class="quiet">Nothing. What you have fetched whole, in the library or by background fill, waits here.</p>
      ) : (
        <div class="actions">
          <p class="quiet">
            {formatCount(count, 'file')}
            {bytes === null ? '' : `, ${formatBytes(bytes)} to come`}; in this order, and behind what somebody watches.
          </p>
          <details class="apart">
            <summary>Fetch none of it…</summary>
            <ActionForm
              page={page}
              action="/activity/wishes/cancel"
              label={`Cancel all ${count}`}
              name="what is to be fetched"
              tone="danger"
            />
          </details>
        </div>
      )}
      <ol class="rows">
        {wishes.map((wish) => (
          <li key={wish.entryId} id={`wish-${wish.entryId}`}>
            <Wish page={page} wish={wish} />
          </li>
        ))}
      </ol>
      {nextPath === null && isFirst ? null : (
        <p class="paging">
          {isFirst ? null : <a href={`${page.basePath}/activity`}>First</a>}
          {nextPath === null ? null : <a href={page.basePath + nextPath}>Later ones</a>}
        </p>
      )}
    </>
  );
}

function Wish({ page, wish }: { page: PageContext; wish: WishProps }) {
  const { entryId, title, sizeBytes, cachedBytes } = wish;
  return (
    <>
      <div class="reader-head">
        <div>
          <h3>
            <ItemLink page={page} {...wish} />
          </h3>
          <p class="quiet">
            {formatBytes(cachedBytes)} of {sizeBytes === null ? 'a size not known yet' : formatBytes(sizeBytes)}, from{' '}
            {wish.source}, {wish.byPerson ? 'asked for' : 'by background fill'}
          </p>
        </div>
        <ActionForm page={page} action={`/entries/${entryId}/stop`} label="Cancel" name={title} />
      </div>
      <DownloadState page={page} download={wish.download} />
    </>
  );
}
