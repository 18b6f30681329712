import type { PageContext } from '../page-context.ts';
import { RowAction } from './row-action.tsx';
import { TimeAgo } from './time-ago.tsx';

export type SessionProps = {
  id: number;
  userName: string;
  device: string;
  address: string;
  createdAtMs: number;
  lastSeenAtMs: number;
  /** The one that this page was asked for with. */
  isOwn: boolean;
};

export type SessionListProps = {
  page: PageContext;
  sessions: readonly SessionProps[];
  /** There are more than are shown. */
  hasMore: boolean;
  /** Below the base path: `/account/sessions` or `/users/sessions`. */
  base: string;
  /** Whether it is said whose each is. */
  showUser: boolean;
};

export function SessionList({ page, sessions, hasMore, base, showUser }: SessionListProps) {
  const action = `${page.basePath}${base}`;
  const others = sessions.filter(({ isOwn }) => !isOwn).length;
  return (
    <>
      <ul class="rows cards">
        {sessions.map(({ id, userName, device, address, createdAtMs, lastSeenAtMs, isOwn }) => (
          <li>
            <div>
              <h3>
                {showUser ? `${userName}: ` : null}
                {device} {isOwn ? <span class="badge well">This one</span> : null}
              </h3>
              <p class="quiet">
                {address === '' ? 'unknown address' : address}, seen <TimeAgo atMs={lastSeenAtMs} page={page} />, signed
                in <TimeAgo atMs={createdAtMs} page={page} />
              </p>
            </div>
            {isOwn ? null : (
              <RowAction
                action={`${action}/${id}/end`}
                label="End"
                name={`session of ${userName}, ${device}, ${address}`}
              />
            )}
          </li>
        ))}
      </ul>
      {hasMore ? <p class="quiet">The {sessions.length} that were seen last are shown.</p> : null}
      {others === 0 ? (
        <p class="quiet">Nobody else is signed in.</p>
      ) : (
        <div class="actions">
          <RowAction
            action={`${action}/end-others`}
            label="End all but this one"
            name={showUser ? 'everybody’s sessions' : 'my sessions'}
            dangerous
          />
        </div>
      )}
    </>
  );
}
