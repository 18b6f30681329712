import { formatBytes, formatCount } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { ActionForm } from './action-form.tsx';
import { TimeAgo } from './time-ago.tsx';

export type ItemProps = {
  id: number;
  title: string;
  year: number | null;
  source: string;
  type: string;
  qualities: readonly string[];
  /** Of what is kept, or of its largest quality; null while unknown. */
  sizeBytes: number | null;
  cachedBytes: number;
  availability: 'none' | 'partly' | 'whole';
  pinned: boolean;
  unreachable: boolean;
  lastPlayedAtMs: number | null;
  /** Somebody reads it. */
  isPlayed: boolean;
  /** Its entries that were dropped and can be brought back. */
  droppedEntryIds: readonly number[];
  /** `S01E02`, `Track 3`; null for what has no number. */
  numbering: string | null;
  /** The series or album that it is of. */
  belongsTo: { id: number; title: string } | null;
  /** What is below it, most of what first; null for what holds nothing but itself. */
  holds: readonly { type: string; count: number }[] | null;
  durationMs: number | null;
  /** Of its picture, below the base path; null without one. */
  posterPath: string | null;
};

/** Qualities that are named; of an add-on there may be dozens. */
const qualitiesShown = 6;

/** What is inside `#item-ID`. */
export function LibraryItem({ page, item }: { page: PageContext; item: ItemProps }) {
  const { id, title, year, holds } = item;
  const isOwner = page.visitor?.role === 'owner';
  return (
    <>
      <a class="item-title" href={`${page.basePath}/items/${id}`}>
        {title}
        {year === null ? null : <span class="quiet"> ({year})</span>}
      </a>
      <ItemMeta page={page} item={item} />
      {holds === null ? (
        <>
          <ItemState item={item} />
          <KeptBar item={item} />
          <p class="item-used quiet">
            <LastPlayed page={page} item={item} />
          </p>
        </>
      ) : (
        <p class="item-state">
          {item.unreachable ? <span class="badge failing">unreachable</span> : null}
          <span class="item-bytes">{describeHeld(holds)}</span>
        </p>
      )}
      {isOwner && item.droppedEntryIds.length > 0 ? (
        <div class="item-undo">
          {item.droppedEntryIds.map((entryId) => (
            <ActionForm page={page} action={`/entries/${entryId}/restore`} label="Bring back" name={title} />
          ))}
        </div>
      ) : null}
    </>
  );
}

function ItemMeta({ page, item }: { page: PageContext; item: ItemProps }) {
  const { source, type, qualities, numbering, belongsTo } = item;
  return (
    <p class="item-meta">
      {numbering ?? typeWords[type] ?? type}
      {belongsTo === null ? null : (
        <>
          {' '}
          of <a href={`${page.basePath}/items/${belongsTo.id}`}>{belongsTo.title}</a>
        </>
      )}{' '}
      · {source}
      {qualities.length === 0 || (qualities.length === 1 && qualities[0] === 'original')
        ? null
        : ` · ${describeQualities(qualities)}`}
    </p>
  );
}

function describeQualities(qualities: readonly string[]): string {
  const rest = qualities.length - qualitiesShown;
  return qualities.slice(0, qualitiesShown).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** Whether it is here, and how much of it. */
export function ItemState({ item }: { item: ItemProps }) {
  const { availability, pinned, unreachable } = item;
  return (
    <p class="item-state">
      <span class={`badge ${availabilityWords[availability].tone}`}>{availabilityWords[availability].word}</span>
      {pinned ? <span class="badge pinned">pinned</span> : null}
      {unreachable ? <span class="badge failing">unreachable</span> : null}
      <span class="item-bytes">{describeBytes(item)}</span>
    </p>
  );
}

/** "3 seasons", "12 episodes". */
export function describeHeld(holds: NonNullable<ItemProps['holds']>): string {
  if (holds.length === 0) return 'nothing known of it yet';
  return holds.map(({ type, count }) => formatCount(count, (typeWords[type] ?? type).toLowerCase())).join(', ');
}

function LastPlayed({ page, item: { isPlayed, lastPlayedAtMs } }: { page: PageContext; item: ItemProps }) {
  if (isPlayed) return <>Played now</>;
  if (lastPlayedAtMs === null) return <>Never played</>;
  return (
    <>
      Played <TimeAgo atMs={lastPlayedAtMs} page={page} />
    </>
  );
}

export const typeWords: Readonly<Record<string, string>> = {
  movie: 'Film',
  series: 'Series',
  season: 'Season',
  episode: 'Episode',
  album: 'Album',
  track: 'Track',
  video: 'Video',
  audio: 'Audio',
  file: 'Other file',
};

export const availabilityWords = {
  whole: { word: 'whole', tone: 'well' },
  partly: { word: 'partly', tone: 'attention' },
  none: { word: 'not here', tone: 'neutral' },
} as const;

function describeBytes({ availability, cachedBytes, sizeBytes }: ItemProps): string {
  if (availability === 'whole' || (sizeBytes !== null && cachedBytes >= sizeBytes)) return formatBytes(cachedBytes);
  if (cachedBytes === 0) return sizeBytes === null ? 'size unknown' : formatBytes(sizeBytes);
  return `${formatBytes(cachedBytes)} of ${sizeBytes === null ? 'unknown' : formatBytes(sizeBytes)}`;
}

/** For the eye only: the words beside it say the same. */
export function KeptBar({ item: { cachedBytes, sizeBytes, availability } }: { item: ItemProps }) {
  const share = availability === 'whole' ? 1 : sizeBytes ? Math.min(1, cachedBytes / sizeBytes) : 0;
  return (
    <svg class="kept-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect class={availability} width={share === 0 ? 0 : Math.max(1, Math.round(share * 100))} height="4" />
    </svg>
  );
}
