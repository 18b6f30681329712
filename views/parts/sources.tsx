import { formatCount, formatSentence } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { Fact } from './fact.tsx';
import { TimeAgo } from './time-ago.tsx';
import { TimeSince } from './time-since.tsx';

export type SourceProps = {
  name: string;
  /** Without credentials. */
  url: string;
  state: 'well' | 'failing' | 'untried';
  /** Since when it answers nothing; null while it does. */
  failingSinceMs: number | null;
  lastSuccessAtMs: number | null;
  lastErrorAtMs: number | null;
  lastError: string | null;
  /** What the owner can do about the last error. */
  hint: string | null;
  requestsInFlight: number;
};

export type SourcesProps = { sources: readonly SourceProps[] };

const badges = {
  well: { tone: 'well', word: 'Well' },
  failing: { tone: 'failing', word: 'Failing' },
  untried: { tone: 'neutral', word: 'Not asked yet' },
} as const satisfies Record<SourceProps['state'], { tone: string; word: string }>;

export function Sources({ page, sources }: SourcesProps & { page: PageContext }) {
  return (
    <>
      <h2>
        Sources <span class="count">{sources.length}</span>
      </h2>
      {sources.length === 0 ? (
        <p class="quiet">
          None yet. Add one with <code>larder serve --source NAME=URL</code>
        </p>
      ) : null}
      <ul class="rows">
        {sources.map((source) => (
          <Source key={source.name} page={page} {...source} />
        ))}
      </ul>
    </>
  );
}

function Source({ page, ...source }: SourceProps & { page: PageContext }) {
  const badge = badges[source.state];
  return (
    <li>
      <h3>
        {source.name} <span class={`badge ${badge.tone}`}>{badge.word}</span>
        {source.failingSinceMs === null ? null : (
          <span class="waiting">
            {' '}
            does not answer since <TimeSince sinceMs={source.failingSinceMs} nowMs={page.nowMs} />
          </span>
        )}
      </h3>
      <dl class="facts">
        <Fact name="Address" width="wide">
          <code>{withoutCredentials(source.url)}</code>
        </Fact>
        <Fact name="Last success">
          <TimeAgo atMs={source.lastSuccessAtMs} nowMs={page.nowMs} />
        </Fact>
        <Fact name="In flight">{formatCount(source.requestsInFlight, 'request')}</Fact>
        <Fact name="Last error" width="wide">
          {source.lastError === null ? (
            'none'
          ) : (
            <>
              {source.lastError} (<TimeAgo atMs={source.lastErrorAtMs} nowMs={page.nowMs} never="time unknown" />)
              {source.hint === null ? null : <span class="hint"> {formatSentence(source.hint)}</span>}
            </>
          )}
        </Fact>
      </dl>
    </li>
  );
}

/** A second lock on the door: whoever filled this in should have left them out already. */
function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1');
}
