// Who asks, and what each may. Rights are deny by default: a route says what it needs when it is registered.
import type { IncomingMessage } from 'node:http';

export type Role = 'owner' | 'viewer';
export type Scope = 'admin' | 'viewer' | 'stream';

export type Caller =
  | { readonly kind: 'nobody' }
  | {
      readonly kind: 'session';
      readonly sessionId: number;
      readonly userId: number;
      readonly userName: string;
      readonly role: Role;
    }
  | { readonly kind: 'token'; readonly tokenId: number; readonly name: string; readonly scope: Scope };

/** `viewer` is everybody who has signed in, and tokens of scope `viewer` or `admin`; `owner` is owners and `admin`. */
export type Need = 'public' | 'viewer' | 'owner';

/** @throws LarderError when the request cannot be judged; never for wrong credentials: that is `nobody` */
export type Identify = (request: IncomingMessage) => Promise<Caller>;

export const NOBODY: Caller = { kind: 'nobody' };

export function isOwner(caller: Caller): boolean {
  return caller.kind === 'session' ? caller.role === 'owner' : caller.kind === 'token' && caller.scope === 'admin';
}

export function may(caller: Caller, need: Need): boolean {
  if (need === 'public') return true;
  if (need === 'owner') return isOwner(caller);
  return caller.kind === 'session' || (caller.kind === 'token' && caller.scope !== 'stream');
}
