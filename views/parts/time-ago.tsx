import { formatAgo, formatMoment } from '../format.ts';

export type TimeAgoProps = { atMs: number | null; nowMs: number; never?: string };

/** "12 min ago", with the exact moment as the tooltip and for programs. */
export function TimeAgo({ atMs, nowMs, never = 'never' }: TimeAgoProps) {
  if (atMs === null || !Number.isFinite(atMs)) return <>{never}</>;
  return (
    <time datetime={new Date(atMs).toISOString()} title={formatMoment(atMs)}>
      {formatAgo(atMs, nowMs)}
    </time>
  );
}
