import { formatSentence } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { TimeSince } from './time-since.tsx';

export type AlertProps = {
  id: string;
  severity: 'warning' | 'error';
  title: string;
  sinceMs: number | null;
  cause: string;
  /** What Larder does about it by itself. */
  meanwhile: string;
  advice: string | null;
  /** Where more of it is, below the base path. */
  path: string | null;
};

const badges = { warning: { tone: 'attention', word: 'Warning' }, error: { tone: 'failing', word: 'Error' } } as const;

export function Alerts({ page, alerts }: { page: PageContext; alerts: readonly AlertProps[] }) {
  return (
    <>
      <h2>
        Needs a look <span class="count">{alerts.length}</span>
      </h2>
      {alerts.length > 0 ? null : <p class="quiet">Nothing: every source answers, and the disk takes what comes.</p>}
      <ul class="rows">
        {alerts.map((alert) => (
          <li>
            <h3>
              <span class={`badge ${badges[alert.severity].tone}`}>{badges[alert.severity].word}</span>{' '}
              {alert.path === null ? alert.title : <a href={page.basePath + alert.path}>{alert.title}</a>}
            </h3>
            <p class="event">
              {alert.advice === null ? null : <strong>{formatSentence(alert.advice)} </strong>}
              {alert.sinceMs === null ? null : (
                <span class="quiet">
                  Since <TimeSince sinceMs={alert.sinceMs} page={page} />.{' '}
                </span>
              )}
              {formatSentence(alert.cause)} Meanwhile {formatSentence(alert.meanwhile).replace(/^./, lower)}
            </p>
          </li>
        ))}
      </ul>
    </>
  );
}

function lower(letter: string): string {
  return letter.toLowerCase();
}
