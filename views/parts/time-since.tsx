import { formatMoment, formatSince } from '../format.ts';

export type TimeSinceProps = { sinceMs: number; nowMs: number };

/** "12:30 UTC (14 min)", with the exact moment as the tooltip and for programs. */
export function TimeSince({ sinceMs, nowMs }: TimeSinceProps) {
  return (
    <time datetime={new Date(sinceMs).toISOString()} title={formatMoment(sinceMs)}>
      {formatSince(sinceMs, nowMs)}
    </time>
  );
}
