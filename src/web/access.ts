// Who may come in, as long as there is no sign-in: the pages only from this machine.
import type { IncomingMessage } from 'node:http';
import { type Caller, defaultPreferences, NOBODY } from '../access/caller.ts';
import { isLoopbackAddress } from '../sources/address-guard.ts';

export interface AccessRules {
  readonly allowedHosts: readonly string[];
}

function remoteAddress(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? '';
}

/** Behind a proxy on this machine every client looks local: a forwarded request never counts as this machine's own. */
function isForwarded(request: IncomingMessage): boolean {
  const { headers } = request;
  return ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some((name) => headers[name] !== undefined);
}

function hostName(request: IncomingMessage): string | null {
  const host = request.headers.host;
  if (host === undefined || !URL.canParse(`http://${host}`)) return null;
  return new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '').toLowerCase();
}

/** Against DNS rebinding: a page of another site that points its name at us sends that name as Host. */
export function isKnownHost(request: IncomingMessage, rules: AccessRules): boolean {
  const name = hostName(request);
  return name !== null && (name === 'localhost' || isLoopbackAddress(name) || rules.allowedHosts.includes(name));
}

/** As long as there is no sign-in, who asks from this machine is its owner. */
export function identifyLocal(request: IncomingMessage, rules: AccessRules): Caller {
  const isLocal = isLoopbackAddress(remoteAddress(request)) && !isForwarded(request) && isKnownHost(request, rules);
  if (!isLocal) return NOBODY;
  const preferences = defaultPreferences;
  return { kind: 'session', sessionId: 0, userId: 0, userName: 'this machine', role: 'owner', preferences };
}

/** A form of ours, and not one that another site sends in the visitor's name: browsers say where a request is from. */
export function isOwnForm(request: IncomingMessage): boolean {
  const { origin, host, 'sec-fetch-site': site } = request.headers;
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  if (origin === undefined) return true; // not a browser: curl sends neither
  return URL.canParse(origin) && new URL(origin).host === host;
}
