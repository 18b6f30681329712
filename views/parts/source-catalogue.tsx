import { formatCount, formatSentence } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { Fact } from './fact.tsx';
import { TimeAgo } from './time-ago.tsx';

export type SourceCatalogueProps = {
  state: 'idle' | 'waiting' | 'running' | 'failed';
  seen: number;
  /** Of the last whole round; null before the first. */
  total: number | null;
  added: number;
  changed: number;
  missing: number;
  skipped: number;
  finishedAtMs: number | null;
  error: { message: string; hint: string | null } | null;
  /** In words, such as `day` or `6 hours`; null when it is only done by hand. */
  every: string | null;
};

/** What of a source is known by its listings, how that goes on, and the button for it. */
export function SourceCatalogue(props: { page: PageContext; name: string; catalogue: SourceCatalogueProps }) {
  const { page, name, catalogue } = props;
  const { state, seen, total, added, changed, missing, finishedAtMs } = catalogue;
  const isUnderWay = state === 'running' || state === 'waiting';
  const address = `${page.basePath}/sources/${encodeURIComponent(name)}/sync`;
  return (
    <>
      <CatalogueState catalogue={catalogue} />
      {isUnderWay || finishedAtMs !== null || seen > 0 ? (
        <dl class="facts">
          <Fact name="Films and music found">{isUnderWay || finishedAtMs === null ? seen : (total ?? seen)}</Fact>
          <Fact name="New">{added}</Fact>
          <Fact name="Changed">{changed}</Fact>
          <Fact name="Gone from there">{missing}</Fact>
          <Fact name="Last whole look">
            <TimeAgo atMs={finishedAtMs} page={page} />
          </Fact>
        </dl>
      ) : null}
      {isUnderWay ? (
        <form method="post" action={`${address}/cancel`} hx-post={`${address}/cancel`} hx-swap="none">
          <button type="submit">Stop looking</button>
        </form>
      ) : (
        <form method="post" action={address} hx-post={address} hx-swap="none">
          <button type="submit">Look for new files now</button>
        </form>
      )}
    </>
  );
}

function CatalogueState({ catalogue }: { catalogue: SourceCatalogueProps }) {
  const { state, seen, total, skipped, error, every, finishedAtMs } = catalogue;
  if (state === 'waiting') return <p>Its folders are gone through as soon as another source is done.</p>;
  if (state === 'running') {
    const label = total === null || total === 0 ? formatCount(seen, 'file') : `${seen} of about ${total} files`;
    return (
      <>
        <p>Its folders are being gone through. Players come first.</p>
        <p class="progress-line">
          {total === null || total < seen ? (
            <progress aria-label="Files seen" />
          ) : (
            <progress aria-label="Files seen" value={seen} max={Math.max(1, total)} />
          )}{' '}
          {label}
        </p>
      </>
    );
  }
  if (state === 'failed') {
    return (
      <p class="waiting">
        Its folders cannot be gone through: {formatSentence(error?.message ?? 'unknown')}
        {error?.hint ? ` ${formatSentence(error.hint)}` : ''} Every file still streams by its path, and is known from
        then on.
      </p>
    );
  }
  const often =
    every === null ? 'It is looked for new files only when you ask.' : `It is looked for new files every ${every}.`;
  if (finishedAtMs === null) return <p>Its folders were not gone through to the end yet. {often}</p>;
  return (
    <>
      <p>{often} What is gone from there stays in the library, marked, with all that is kept of it.</p>
      {error === null ? null : (
        <p class="quiet">
          {formatCount(skipped, 'folder or name', 'folders and names')} passed over: {formatSentence(error.message)}
          {error.hint ? ` ${formatSentence(error.hint)}` : ''}
        </p>
      )}
    </>
  );
}
