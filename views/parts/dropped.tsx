import { formatBytes, formatCount, formatLeft } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { ActionForm } from './action-form.tsx';

export type DroppedProps = {
  count: number;
  /** The newest of them. */
  entries: readonly {
    entryId: number;
    mediaId: number;
    title: string;
    quality: string;
    bytes: number;
    leftMs: number;
  }[];
};

/** What was dropped and can be brought back: in a place of its own, not only in a message that fades. */
export function Dropped({ page, dropped: { count, entries } }: { page: PageContext; dropped: DroppedProps }) {
  if (count === 0) return null;
  const rest = count - entries.length;
  return (
    <section class="panel dropped" aria-labelledby="dropped-title">
      <h2 id="dropped-title">
        Dropped <span class="count">goes for good soon</span>
      </h2>
      <ul class="rows">
        {entries.map(({ entryId, mediaId, title, quality, bytes, leftMs }) => (
          <li>
            <span>
              <a href={`${page.basePath}/items/${mediaId}`}>{title}</a>
              {quality === 'original' ? '' : `, ${quality}`}: {formatBytes(bytes)}, {formatLeft(leftMs)} left
            </span>
            <ActionForm page={page} action={`/entries/${entryId}/restore`} label="Bring back" name={title} />
          </li>
        ))}
      </ul>
      {rest > 0 ? <p class="quiet">And {formatCount(rest, 'entry', 'entries')} more.</p> : null}
    </section>
  );
}
