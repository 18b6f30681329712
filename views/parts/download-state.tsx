import { formatAhead, formatCount, formatSentence } from '../format.ts';
import type { PageContext } from '../page-context.ts';

export type DownloadProps = {
  state: 'queued' | 'running' | 'failed';
  /** It is under way, and stands still for somebody who plays from the same source. */
  isResting: boolean;
  /** That failed. */
  attempts: number;
  /** Null unless it is queued. */
  nextAttemptAt: number | null;
  error: string | null;
};

const words = {
  queued: { tone: 'neutral', word: 'Waiting to be fetched' },
  running: { tone: 'well', word: 'Being fetched' },
  failed: { tone: 'failing', word: 'Given up' },
  resting: { tone: 'neutral', word: 'Resting' },
  again: { tone: 'attention', word: 'Not fetched yet' },
} as const;

/** How far the wish for a whole file is: what went wrong, and when it is tried again. */
export function DownloadState({ page, download }: { page: PageContext; download: DownloadProps | null }) {
  if (download === null) return <p class="download-state quiet">What is missing is fetched as it is played.</p>;
  const { state, isResting, attempts, error } = download;
  const isFaulty = attempts > 0;
  const { tone, word } = words[isResting ? 'resting' : isFaulty && state === 'queued' ? 'again' : state];
  return (
    <p class="download-state">
      <span class={`badge ${tone}`}>{word}</span> {describeNext(download, page.nowMs)}
      {isFaulty && error !== null ? (
        <>
          {' '}
          <span class="waiting">{formatSentence(error)}</span> Tried in vain {formatCount(attempts, 'time')}.
        </>
      ) : null}
    </p>
  );
}

function describeNext({ state, isResting, nextAttemptAt }: DownloadProps, nowMs: number): string {
  if (isResting)
    return 'Somebody plays from this source and gets too little: it goes on by itself when there is enough.';
  if (state === 'running') return 'What somebody watches goes first.';
  if (state === 'failed') return 'It is not tried again by itself; what has come is kept.';
  if (nextAttemptAt === null || nextAttemptAt <= nowMs) return 'Its turn comes when what stands before it is done.';
  return `It is tried again ${formatAhead(nextAttemptAt, nowMs)}.`;
}
