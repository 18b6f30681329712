import { formatMoment } from '../format.ts';
import type { PageContext } from '../page-context.ts';
import { RowAction } from './row-action.tsx';
import { TimeAgo } from './time-ago.tsx';

export type TokenProps = {
  id: number;
  name: string;
  scope: 'admin' | 'viewer' | 'stream';
  /** Its first letters. */
  prefix: string;
  /** Null: made on the command line. */
  userName: string | null;
  createdAtMs: number;
  expiresAtMs: number | null;
  lastUsedAtMs: number | null;
};

export type TokenListProps = {
  page: PageContext;
  tokens: readonly TokenProps[];
  hasMore: boolean;
  /** Below the base path: `/account/tokens` or `/users/tokens`. */
  base: string;
  /** What is said when there are none. */
  none: string;
};

export const scopeWords = {
  admin: 'may do everything',
  viewer: 'reads the library and plays',
  stream: 'plays only',
} as const;

export function TokenList({ page, tokens, hasMore, base, none }: TokenListProps) {
  if (tokens.length === 0) return <p class="quiet">{none}</p>;
  return (
    <>
      <ul class="rows cards">
        {tokens.map((token) => (
          <li>
            <div>
              <h3>
                {token.name} <span class="badge">{token.scope}</span>{' '}
                {token.expiresAtMs !== null && token.expiresAtMs <= page.nowMs ? (
                  <span class="badge failing">Expired</span>
                ) : null}
              </h3>
              <p class="quiet">
                <code>{token.prefix}…</code> {scopeWords[token.scope]}. {token.userName ?? 'The command line'} made it{' '}
                <TimeAgo atMs={token.createdAtMs} page={page} />;{' '}
                {token.lastUsedAtMs === null ? (
                  'never used'
                ) : (
                  <>
                    last used <TimeAgo atMs={token.lastUsedAtMs} page={page} />
                  </>
                )}
                {token.expiresAtMs === null ? null : `; until ${formatMoment(token.expiresAtMs, page.timeZone)}`}
              </p>
            </div>
            <details class="confirm">
              <summary aria-label={`Revoke: token ${token.name}, ${token.prefix}`}>Revoke…</summary>
              <p>What uses it is cut off at once. This cannot be undone.</p>
              <RowAction
                action={`${page.basePath}${base}/${token.id}/revoke`}
                label="Revoke it"
                name={`token ${token.name}, ${token.prefix}`}
                dangerous
              />
            </details>
          </li>
        ))}
      </ul>
      {hasMore ? <p class="quiet">The {tokens.length} newest are shown; the API lists all.</p> : null}
    </>
  );
}
