import {
  formatBitRate,
  formatByteRange,
  formatBytes,
  formatDuration,
  formatPercent,
  formatRate,
  formatSentence,
  formatWait,
} from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { Fact } from './fact.tsx';
import { type PlaySecond, PlayStrip } from './play-strip.tsx';
import { qualityWords } from './quality-words.ts';
import { TimeAgo } from './time-ago.tsx';

export type ReaderWaitProps = {
  /** What it waits for: 'a free connection to attic'. */
  words: string;
  sinceMs: number;
  /** What went wrong before, and what to do about it; null when nothing did. */
  reason: string | null;
  hint: string | null;
};

export type ReaderProps = {
  /** Letters and digits only: it becomes part of an element's id and of an address. */
  id: string;
  /** The player's name as far as it told, such as "VLC 3.0". */
  player: string | null;
  address: string;
  title: string;
  quality: string;
  source: string;
  /** The item's page, below the base path; null while it has none. */
  itemPath: string | null;
  startedAtMs: number;
  positionBytes: number;
  sizeBytes: number | null;
  toPlayerRate: number | null;
  fromOriginRate: number | null;
  servedBytes: number;
  fromDiskBytes: number;
  /** Bytes ahead that are here without a gap; `isRunwayWhole` when they go to the end. */
  runwayBytes: number;
  isRunwayWhole: boolean;
  worstStallMs: number;
  waiting: ReaderWaitProps | null;
  seconds: readonly PlaySecond[];
  mayStop: boolean;
};

/** One open response to a player: what it gets, from where, and what holds it up. */
export function ReaderRow({ page, reader }: { page: PageContext; reader: ReaderProps }) {
  const { positionBytes, sizeBytes, waiting } = reader;
  const waitedMs = waiting === null ? 0 : page.nowMs - waiting.sinceMs;
  const share = sizeBytes === null || sizeBytes === 0 ? null : positionBytes / sizeBytes;
  return (
    <>
      <div class="reader-head">
        <div>
          <h3>
            <ItemLink page={page} {...reader} />
          </h3>
          <p class="quiet">
            {reader.player ?? 'A player that does not say its name'} at {reader.address}, began{' '}
            <TimeAgo atMs={reader.startedAtMs} page={page} />
          </p>
        </div>
        {reader.mayStop ? <StopReader page={page} reader={reader} /> : null}
      </div>
      <PlayStrip seconds={reader.seconds} />
      <p class="reader-state">
        {waiting === null ? (
          <>
            <span class="badge well">Playing</span> {describeRunway(reader)}
          </>
        ) : (
          <>
            <span class="badge attention">Waiting</span> {waiting.words}
            {waitedMs < 1_000 ? null : `, for ${formatDuration(waitedMs)}`}
            {waiting.reason === null ? '.' : `. ${formatSentence(waiting.reason)}`}
            {waiting.hint === null ? null : <span class="hint"> {formatSentence(waiting.hint)}</span>}
          </>
        )}
      </p>
      <dl class="facts">
        <Fact name="Position" width="wide" title={formatByteRange(positionBytes, sizeBytes ?? positionBytes)}>
          {formatBytes(positionBytes)} of {formatBytes(sizeBytes)} ({formatPercent(share)})
        </Fact>
        <Fact name="To the player" title={formatBitRate(reader.toPlayerRate)}>
          {formatRate(reader.toPlayerRate)}
        </Fact>
        <Fact name={`From ${reader.source}`} title={formatBitRate(reader.fromOriginRate)}>
          {formatRate(reader.fromOriginRate)}
        </Fact>
        <Fact name="From disk" title={`${formatBytes(reader.fromDiskBytes)} of ${formatBytes(reader.servedBytes)}`}>
          {reader.servedBytes === 0 ? 'nothing sent yet' : formatPercent(reader.fromDiskBytes / reader.servedBytes)}
        </Fact>
        <Fact name="Longest wait">{reader.worstStallMs === 0 ? 'none' : formatWait(reader.worstStallMs)}</Fact>
      </dl>
    </>
  );
}

function StopReader({ page, reader }: { page: PageContext; reader: ReaderProps }) {
  const action = `${page.basePath}/activity/${reader.id}/stop`;
  return (
    <form method="post" action={action} hx-post={action} hx-swap="none">
      <button type="submit" aria-label={`Stop ${reader.title} at ${reader.address}`}>
        Stop
      </button>
    </form>
  );
}

export type ItemLinkProps = { title: string; quality: string; itemPath: string | null };

/** A title with its quality, linked to its page where it has one. */
export function ItemLink({ page, title, quality, itemPath }: ItemLinkProps & { page: PageContext }) {
  return (
    <>
      {itemPath === null ? title : <a href={page.basePath + itemPath}>{title}</a>}{' '}
      {quality === 'original' ? null : <span class="quality">{qualityWords(quality)}</span>}
    </>
  );
}

const littleBytes = 100_000;

function describeRunway({ runwayBytes, isRunwayWhole, toPlayerRate }: ReaderProps): string {
  if (isRunwayWhole) return 'All that it asked for is here.';
  if (runwayBytes < littleBytes) return 'It gets each byte as it comes from the source.';
  const time = toPlayerRate !== null && toPlayerRate > 0 ? runwayBytes / toPlayerRate : null;
  const words = `${formatBytes(runwayBytes)} ahead of it are here`;
  return time === null ? `${words}.` : `${words}: ${formatDuration(time * 1_000)} at this rate.`;
}
