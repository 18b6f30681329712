// Against forms and scripts of other sites that act in a visitor's name (CSRF). Browsers say where a request is from.
import type { IncomingHttpHeaders } from 'node:http';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

export function isSafeMethod(method: string): boolean {
  return SAFE_METHODS.has(method.toUpperCase());
}

/** A request without either header has none (RFC 9112 §6.3). */
export function hasBody(headers: IncomingHttpHeaders): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/**
 * Null when an unsafe request comes from a page of ours; else why it is refused.
 * @param host under which the client sees us
 * @param hasCookie a cookie of ours came along: then something must say that it is from us
 */
export function foreignReason(headers: IncomingHttpHeaders, host: string | null, hasCookie: boolean): string | null {
  const { origin, referer } = headers;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) {
    if (site === 'same-origin' || site === 'none') return null;
    return `the browser says that it came from another site (Sec-Fetch-Site: ${String(site).slice(0, 20)})`;
  }
  if (origin !== undefined)
    return isOwn(origin, host) ? null : 'the browser says that it came from another site (Origin)';
  if (referer !== undefined) {
    return isOwn(referer, host) ? null : 'the browser says that it came from another site (Referer)';
  }
  if (!hasCookie) return null; // no browser: each says at least its Origin
  return 'nothing says where it came from (no Sec-Fetch-Site, Origin or Referer); programs send a bearer token and no cookie';
}

function isOwn(address: string, host: string | null): boolean {
  if (host === null || !URL.canParse(address)) return false;
  const from = new URL(address);
  const own = `${from.protocol}//${host}`;
  // With the same scheme on both sides, so that a port that goes without saying is left out of both.
  return URL.canParse(own) && new URL(own).host === from.host;
}
