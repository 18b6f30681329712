// What the pages show of users, sessions and tokens.
import type { SessionProps } from '../../views/parts/session-list.tsx';
import type { TokenProps } from '../../views/parts/token-list.tsx';
import type { Session } from '../access/sessions.ts';
import type { Token } from '../access/tokens.ts';
import type { Caller } from './caller.ts';

/** Rows of a list on a page; the API has all of them. */
export const SHOWN_MAX = 100;

export function sessionProps(session: Session, caller: Caller): SessionProps {
  const { id, userName, device, address, createdAt, lastSeenAt } = session;
  const isOwn = caller.kind === 'session' && caller.sessionId === id;
  return { id, userName, device, address, createdAtMs: createdAt, lastSeenAtMs: lastSeenAt, isOwn };
}

export function tokenProps(token: Token): TokenProps {
  const { id, name, scope, prefix, userName, createdAt, expiresAt, lastUsedAt } = token;
  return {
    id,
    name,
    scope,
    prefix,
    userName,
    createdAtMs: createdAt,
    expiresAtMs: expiresAt,
    lastUsedAtMs: lastUsedAt,
  };
}

/** Who did it, for events. */
export function nameOf(caller: Caller): string {
  if (caller.kind === 'session') return caller.userName;
  return caller.kind === 'token' ? `The token ${caller.name}` : 'Nobody';
}
