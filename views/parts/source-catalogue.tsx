import { formatCount, formatSentence } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { Fact } from './fact.tsx';
import { type SourceKind, sourceKinds } from './source-kinds.ts';
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

type Props = { page: PageContext; name: string; kind: SourceKind; catalogue: SourceCatalogueProps };

/** What is gone through, and what it is looked through for. */
const words = {
  http: { whole: 'Its folders', are: 'are', wanted: 'new files', parts: ['folder or name', 'folders and names'] },
  catalogue: { whole: 'Its catalogue', are: 'is', wanted: 'new titles', parts: ['list or title', 'lists and titles'] },
} as const;

function wordsOf(kind: SourceKind) {
  return words[kind === 'http' ? 'http' : 'catalogue'];
}

/** "Films, episodes and tracks" of what it holds; of a folder that is not known before it was looked at. */
function foundWords(kind: SourceKind): string {
  const [, many] = kind === 'http' ? ['', 'films and music'] : sourceKinds[kind].things;
  return `${many.charAt(0).toUpperCase()}${many.slice(1)} found`;
}

/** What of a source is known by its listings, how that goes on, and the button for it. */
export function SourceCatalogue({ page, name, kind, catalogue }: Props) {
  const { state, seen, total, added, changed, missing, finishedAtMs } = catalogue;
  const isUnderWay = state === 'running' || state === 'waiting';
  const address = `${page.basePath}/sources/${encodeURIComponent(name)}/sync`;
  return (
    <>
      <CatalogueState kind={kind} catalogue={catalogue} />
      {isUnderWay || finishedAtMs !== null || seen > 0 ? (
        <dl class="facts">
          <Fact name={foundWords(kind)}>{isUnderWay || finishedAtMs === null ? seen : (total ?? seen)}</Fact>
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
          <button type="submit">Look for {wordsOf(kind).wanted} now</button>
        </form>
      )}
    </>
  );
}

function CatalogueState({ kind, catalogue }: Pick<Props, 'kind' | 'catalogue'>) {
  const { state, seen, total, skipped, error, every, finishedAtMs } = catalogue;
  const { whole, are, wanted, parts } = wordsOf(kind);
  const [part, manyParts] = parts;
  const [one, many] = sourceKinds[kind].things;
  if (state === 'waiting') {
    return (
      <p>
        {whole} {are} gone through as soon as another source is done.
      </p>
    );
  }
  if (state === 'running') {
    const label = total === null || total === 0 ? formatCount(seen, one, many) : `${seen} of about ${total} ${many}`;
    const counted = `${many.charAt(0).toUpperCase()}${many.slice(1)} seen`;
    return (
      <>
        <p>
          {whole} {are} being gone through. Players come first.
        </p>
        <p class="progress-line">
          {total === null || total < seen ? (
            <progress aria-label={counted} />
          ) : (
            <progress aria-label={counted} value={seen} max={Math.max(1, total)} />
          )}{' '}
          {label}
        </p>
      </>
    );
  }
  if (state === 'failed') {
    return (
      <p class="waiting">
        {whole} cannot be gone through: {formatSentence(error?.message ?? 'unknown')}
        {error?.hint ? ` ${formatSentence(error.hint)}` : ''}{' '}
        {kind === 'http'
          ? 'Every file still streams by its path, and is known from then on.'
          : 'What is known of it stays in the library, and plays as far as it is kept or the source answers.'}
      </p>
    );
  }
  const often =
    every === null
      ? `It is looked through for ${wanted} only when you ask.`
      : `It is looked through for ${wanted} every ${every}.`;
  if (finishedAtMs === null) {
    return (
      <p>
        {whole} {are === 'are' ? 'were' : 'was'} not gone through to the end yet. {often}
      </p>
    );
  }
  return (
    <>
      <p>{often} What is gone from there stays in the library, marked, with all that is kept of it.</p>
      {error === null ? null : (
        <p class="quiet">
          {formatCount(skipped, part, manyParts)} passed over: {formatSentence(error.message)}
          {error.hint ? ` ${formatSentence(error.hint)}` : ''}
        </p>
      )}
    </>
  );
}
