// Names under which we may be asked for. A page of another site that points its own name at our address (DNS rebinding)
// sends that name: names that nobody outside can own pass, and so do those that the owner named.
import ipaddr from 'ipaddr.js';

export interface HostRules {
  /** Of this machine. */
  readonly hostname: string;
  /** Added by the owner. */
  readonly allowedHosts: readonly string[];
}

/** What ends like this is never sold to anybody (RFC 6762, RFC 8375, RFC 6761, and what home routers use). */
const LOCAL_ENDINGS = ['.local', '.lan', '.home.arpa', '.localhost'];

/** Name without port, in lower case; null when it is none. */
export function hostNameOf(host: string | null): string | null {
  if (host === null || !/^[^\s/?#@\\]+$/.test(host) || !URL.canParse(`http://${host}`)) return null;
  return new URL(`http://${host}`).hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}

/** @param host with or without a port */
export function isKnownHost(host: string | null, rules: HostRules): boolean {
  const name = hostNameOf(host);
  if (name === null || name === '') return false;
  if (ipaddr.isValid(name)) return true;
  if (!name.includes('.')) return true; // `localhost`, `nas`: names without a dot are of this network
  if (LOCAL_ENDINGS.some((ending) => name.endsWith(ending))) return true;
  const own = [rules.hostname, ...rules.allowedHosts].map((entry) => hostNameOf(entry));
  return own.includes(name);
}
