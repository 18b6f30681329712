// Who asks, and what each may. Rights are deny by default: a route says what it needs when it is registered.
import type { Caller } from '../access/caller.ts';

export type { Caller };

/** `viewer` is everybody who has signed in, and tokens of scope `viewer` or `admin`; `owner` is owners and `admin`. */
export type Need = 'public' | 'viewer' | 'owner';

export function isOwner(caller: Caller): boolean {
  return caller.kind === 'session' ? caller.role === 'owner' : caller.kind === 'token' && caller.scope === 'admin';
}

export function may(caller: Caller, need: Need): boolean {
  if (need === 'public') return true;
  if (need === 'owner') return isOwner(caller);
  return caller.kind === 'session' || (caller.kind === 'token' && caller.scope !== 'stream');
}
