import { formatAgo, formatMoment } from '../format.ts';
import type { PageContext } from '../page-context.ts';

export type TimeAgoProps = { page: Pick<PageContext, 'nowMs' | 'timeZone'>; atMs: number | null; never?: string };

/** "12 min ago", with the exact moment as the tooltip and for programs. */
export function TimeAgo({ page: { nowMs, timeZone }, atMs, never = 'never' }: TimeAgoProps) {
  if (atMs === null || !Number.isFinite(atMs)) return <>{never}</>;
  return (
    <time datetime={new Date(atMs).toISOString()} title={formatMoment(atMs, timeZone)}>
      {formatAgo(atMs, nowMs)}
    </time>
  );
}
