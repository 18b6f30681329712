import { formatBytes, formatCount, formatDuration, formatPercent, formatSentence, formatWait } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { Fact } from './fact.tsx';
import { ItemLink } from './reader-row.tsx';
import { TimeAgo } from './time-ago.tsx';

export type EndedReaderProps = {
  id: string;
  player: string | null;
  address: string;
  title: string;
  quality: string;
  itemPath: string | null;
  startedAtMs: number;
  endedAtMs: number;
  requestCount: number;
  servedBytes: number;
  fromDiskBytes: number;
  firstByteMs: number | null;
  stallCount: number;
  worstStallMs: number;
  outcome: 'finished' | 'left' | 'stopped' | 'failed';
  /** What went wrong; null when nothing did. */
  reason: string | null;
};

const outcomes = {
  finished: { tone: 'well', word: 'Served to the end' },
  left: { tone: 'neutral', word: 'Player left' },
  stopped: { tone: 'neutral', word: 'Stopped here' },
  failed: { tone: 'failing', word: 'Cut off' },
} as const;

/** Newest first; `nextPath` leads to the ones before, below the base path. */
export type EndedReadersProps = { readers: readonly EndedReaderProps[]; nextPath: string | null; isFirst: boolean };

export function EndedReaders({ page, readers, nextPath, isFirst }: EndedReadersProps & { page: PageContext }) {
  return (
    <>
      <h2>Ended</h2>
      {readers.length > 0 ? null : (
        <p class="quiet">
          Nothing has ended yet. Who has played what is kept here, with the longest wait, for the last thousand times.
        </p>
      )}
      <ul class="rows">
        {readers.map((reader) => (
          <EndedReader key={reader.id} page={page} {...reader} />
        ))}
      </ul>
      <p class="paging">
        {isFirst ? null : <a href={`${page.basePath}/activity`}>Newest</a>}
        {nextPath === null ? null : <a href={page.basePath + nextPath}>Older</a>}
      </p>
    </>
  );
}

function EndedReader({ page, ...reader }: EndedReaderProps & { page: PageContext }) {
  const { tone, word } = outcomes[reader.outcome];
  return (
    <li id={`ended-${reader.id}`}>
      <h3>
        <ItemLink page={page} {...reader} /> <span class={`badge ${tone}`}>{word}</span>
      </h3>
      <p class="quiet">
        {reader.player ?? 'A player that does not say its name'} at {reader.address}, ended{' '}
        <TimeAgo atMs={reader.endedAtMs} page={page} /> after {formatDuration(reader.endedAtMs - reader.startedAtMs)}
        {reader.reason === null ? null : <span class="error">. {formatSentence(reader.reason)}</span>}
      </p>
      <dl class="facts">
        <Fact name="Longest wait">
          {reader.worstStallMs === 0 ? (
            'none'
          ) : (
            <strong class="waiting">
              {formatWait(reader.worstStallMs)} ({formatCount(reader.stallCount, 'wait')})
            </strong>
          )}
        </Fact>
        <Fact name="Sent" title={formatCount(reader.requestCount, 'request')}>
          {formatBytes(reader.servedBytes)}
        </Fact>
        <Fact name="From disk">
          {formatPercent(reader.servedBytes === 0 ? null : reader.fromDiskBytes / reader.servedBytes)}
        </Fact>
        <Fact name="First byte after">{reader.firstByteMs === null ? 'never' : `${reader.firstByteMs} ms`}</Fact>
      </dl>
    </li>
  );
}
