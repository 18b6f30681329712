import { formatBitRate, formatByteRange, formatBytes, formatDuration, formatPercent, formatRate } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { Fact } from './fact.tsx';

export type ReaderProps = {
  /** Letters, digits, '-' and '_' only: it becomes part of an element's id. */
  id: string;
  /** The player's name as far as it told, such as "VLC 3.0". */
  player: string | null;
  address: string;
  title: string;
  quality: string;
  positionBytes: number;
  sizeBytes: number | null;
  bytesPerSecond: number | null;
  /** What it waits for, in words; null when nothing holds it up. */
  waitingFor: string | null;
  waitingSinceMs: number | null;
};

export type ReadersProps = { readers: readonly ReaderProps[] };

export function Readers({ page, readers }: ReadersProps & { page: PageContext }) {
  return (
    <>
      <h2>
        Readers <span class="count">{readers.length}</span>
      </h2>
      {readers.length === 0 ? <p class="quiet">Nobody is playing anything now.</p> : null}
      <ul class="rows">
        {readers.map((reader) => (
          <Reader key={reader.id} page={page} {...reader} />
        ))}
      </ul>
    </>
  );
}

function Reader({ page, ...reader }: ReaderProps & { page: PageContext }) {
  const share = reader.sizeBytes ? formatPercent(reader.positionBytes / reader.sizeBytes) : 'unknown';
  return (
    <li id={`reader-${reader.id}`}>
      <h3>
        {reader.title} <span class="quality">{reader.quality}</span>
      </h3>
      <dl class="facts">
        <Fact name="Player" width="wide">
          {reader.player ?? 'unknown player'} at {reader.address}
        </Fact>
        <Fact name="Position" title={formatByteRange(reader.positionBytes, reader.sizeBytes ?? reader.positionBytes)}>
          {formatBytes(reader.positionBytes)} ({share})
        </Fact>
        <Fact name="Rate" title={formatBitRate(reader.bytesPerSecond)}>
          {formatRate(reader.bytesPerSecond)}
        </Fact>
        <Fact name="Waits for" width="wide">
          {reader.waitingFor === null ? 'nothing' : <Waiting page={page} {...reader} />}
        </Fact>
      </dl>
    </li>
  );
}

function Waiting({ page, ...reader }: ReaderProps & { page: PageContext }) {
  const since = reader.waitingSinceMs === null ? '' : `, for ${formatDuration(page.nowMs - reader.waitingSinceMs)}`;
  return (
    <strong class="waiting">
      {reader.waitingFor}
      {since}
    </strong>
  );
}
