// Who may come in, as long as there is no sign-in: the pages only from this machine, streams from private networks.
import type { IncomingMessage } from 'node:http';
import { isLoopbackAddress, isPrivateAddress } from '../sources/address-guard.ts';

export interface AccessRules {
  readonly allowedHosts: readonly string[];
  readonly streamAccess: 'private' | 'all';
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

export function mayOpenPages(request: IncomingMessage, rules: AccessRules): boolean {
  return isLoopbackAddress(remoteAddress(request)) && !isForwarded(request) && isKnownHost(request, rules);
}

export function mayPlayStreams(request: IncomingMessage, rules: AccessRules): boolean {
  return rules.streamAccess === 'all' || (!isForwarded(request) && isPrivateAddress(remoteAddress(request)));
}

/** A form of ours, and not one that another site sends in the visitor's name: browsers say where a request is from. */
export function isOwnForm(request: IncomingMessage): boolean {
  const { origin, host, 'sec-fetch-site': site } = request.headers;
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  if (origin === undefined) return true; // not a browser: curl sends neither
  return URL.canParse(origin) && new URL(origin).host === host;
}
