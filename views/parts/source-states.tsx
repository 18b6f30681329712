import { formatCount } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { TimeAgo } from './time-ago.tsx';
import { TimeSince } from './time-since.tsx';

export type SourceStateProps = {
  name: string;
  state: 'well' | 'failing' | 'untried';
  /** Since when it answers nothing; null while it does. */
  failingSinceMs: number | null;
  lastSuccessAtMs: number | null;
  requestsInFlight: number;
};

const badges = {
  well: { tone: 'well', word: 'Well' },
  failing: { tone: 'failing', word: 'Failing' },
  untried: { tone: 'neutral', word: 'Not asked yet' },
} as const;

export function SourceStates({ page, sources }: { page: PageContext; sources: readonly SourceStateProps[] }) {
  return (
    <>
      <h2>
        <a href={`${page.basePath}/sources`}>Sources</a> <span class="count">{sources.length}</span>
      </h2>
      {sources.length > 0 ? null : (
        <p class="quiet">
          None yet. <a href={`${page.basePath}/sources/new`}>Add one</a>: that is where films come from.
        </p>
      )}
      <ul class="rows">
        {sources.map((source) => (
          <li>
            <h3>
              <a href={`${page.basePath}/sources/${encodeURIComponent(source.name)}`}>{source.name}</a>{' '}
              <span class={`badge ${badges[source.state].tone}`}>{badges[source.state].word}</span>
            </h3>
            <p class="event quiet">
              {source.failingSinceMs === null ? (
                <>
                  Last answer <TimeAgo atMs={source.lastSuccessAtMs} page={page} />
                </>
              ) : (
                <span class="waiting">
                  does not answer since <TimeSince sinceMs={source.failingSinceMs} page={page} />
                </span>
              )}
              , {formatCount(source.requestsInFlight, 'request')} in flight
            </p>
          </li>
        ))}
      </ul>
    </>
  );
}
