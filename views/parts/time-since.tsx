import { formatMoment, formatSince } from '../format.ts';
import type { PageContext } from '../page-context.ts';

export type TimeSinceProps = { page: Pick<PageContext, 'nowMs' | 'timeZone'>; sinceMs: number };

/** "12:30 (14 min)", with the exact moment as the tooltip and for programs. */
export function TimeSince({ page: { nowMs, timeZone }, sinceMs }: TimeSinceProps) {
  return (
    <time datetime={new Date(sinceMs).toISOString()} title={formatMoment(sinceMs, timeZone)}>
      {formatSince(sinceMs, nowMs, timeZone)}
    </time>
  );
}
