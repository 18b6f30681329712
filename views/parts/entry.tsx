import { formatBytes, formatCount, formatPercent } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { ChunkMap } from './chunk-map.tsx';
import type { ByteRange } from './chunk-map-runs.ts';
import { EntryActions } from './entry-actions.tsx';
import { Fact } from './fact.tsx';
import { TimeAgo } from './time-ago.tsx';
import { TimeSince } from './time-since.tsx';

export type EntryProps = {
  /** Letters, digits, '-' and '_' only: it becomes part of addresses and of an element's id. */
  id: string;
  /** Entries that share it are the qualities of one title; such as source and media item. */
  groupKey: string;
  title: string;
  source: string;
  quality: string;
  sizeBytes: number | null;
  cachedBytes: number;
  /** Half-open, sorted, disjoint: what is on disk. */
  ranges: readonly ByteRange[];
  /** Half-open: what is being fetched and is not yet recorded. */
  inFlight: readonly ByteRange[];
  /** One per reader, in bytes from the start. */
  readerPositions: readonly number[];
  lastUsedAtMs: number | null;
  /** Percent-encoded, without the base path: '/s/films/Some%20Film.mkv'. */
  streamPath: string;
  /** Somebody asked for the rest, and it has not all come yet. */
  fetchQueued: boolean;
  /** Never removed to make room. */
  pinned: boolean;
  /** More than may be kept at all: it is passed on and not kept. */
  tooLarge: boolean;
  /** The origin says that it has no such file (any more); null while it does not. */
  missing: { sinceMs: number; reason: string } | null;
};

/** One quality of a title. LiveUpdate replaces what is inside `#entry-ID`. */
export function Entry({ page, entry }: { page: PageContext; entry: EntryProps }) {
  const state = entryState(entry);
  return (
    <>
      <h4>
        <span class="quality">{entry.quality}</span> <span class={`badge ${state.tone}`}>{state.word}</span>
        {entry.pinned ? (
          <>
            {' '}
            <span class="badge pinned" title="Never removed to make room">
              pinned
            </span>
          </>
        ) : null}
      </h4>
      {entry.sizeBytes === null ? null : (
        <ChunkMap
          sizeBytes={entry.sizeBytes}
          ranges={entry.ranges}
          inFlight={entry.inFlight}
          readerPositions={entry.readerPositions}
        />
      )}
      <p class="playable">{describePlayable(entry)}</p>
      {entry.missing === null ? null : (
        <p class="playable waiting">
          Not at its origin since <TimeSince sinceMs={entry.missing.sinceMs} nowMs={page.nowMs} />:{' '}
          {entry.missing.reason}; what is kept plays on.
        </p>
      )}
      <dl class="facts">
        <Fact name="Cached">
          {formatBytes(entry.cachedBytes)} ({formatPercent(cachedFraction(entry))})
        </Fact>
        <Fact name="Size">{formatBytes(entry.sizeBytes)}</Fact>
        <Fact name="Source">{entry.source}</Fact>
        <Fact name="Readers">{formatCount(entry.readerPositions.length, 'reader')}</Fact>
        <Fact name="Last used">
          <TimeAgo atMs={entry.lastUsedAtMs} nowMs={page.nowMs} />
        </Fact>
        <Fact name="Address to play" width="full">
          <a href={`${page.basePath}${entry.streamPath}`}>{`${page.serverAddress}${entry.streamPath}`}</a>
        </Fact>
      </dl>
      <EntryActions page={page} entry={entry} complete={state.word === 'whole'} />
    </>
  );
}

function cachedFraction({ sizeBytes, cachedBytes }: EntryProps): number | null {
  if (sizeBytes === null) return null;
  return sizeBytes === 0 ? 1 : cachedBytes / sizeBytes;
}

function entryState(entry: EntryProps): { tone: string; word: 'whole' | 'partly' | 'empty' } {
  if (entry.sizeBytes !== null && entry.cachedBytes >= entry.sizeBytes) return { tone: 'well', word: 'whole' };
  return entry.cachedBytes > 0 ? { tone: 'attention', word: 'partly' } : { tone: 'neutral', word: 'empty' };
}

function describePlayable({ sizeBytes, ranges, tooLarge }: EntryProps): string {
  const [start, end] = ranges[0] ?? [0, 0];
  const playableBytes = start === 0 ? end : 0;
  if (tooLarge && playableBytes === 0) return 'Larger than the whole cache: it is passed on, and not kept';
  if (sizeBytes === null) {
    return playableBytes > 0 ? `Playable for the first ${formatBytes(playableBytes)}; size unknown` : 'Size unknown';
  }
  if (playableBytes >= sizeBytes) return 'Playable from the start to the end';
  return playableBytes === 0
    ? 'Not playable from the start without the source'
    : `Playable from the start to ${formatPercent(playableBytes / sizeBytes)}`;
}
