// What a fetch asks for. Where that is, its source says when the fetch has its connection: addresses may be good for a
// short while only, and are then asked for anew, once.
import type { ErrorValue } from '../errors.ts';
import type { ResolveOptions } from '../sources/media-source.ts';
import type { OriginRequest } from '../sources/origin-client.ts';
import type { UpstreamRequest } from '../sources/upstream-request.ts';

export interface Upstream {
  /** An address that was refused is worth asking its source for another. */
  readonly mayExpire: boolean;
  /** @throws LarderError, also at once, when the source does not say */
  resolve(options: ResolveOptions): UpstreamRequest | Promise<UpstreamRequest>;
}

export interface FetchRequest extends Omit<OriginRequest, keyof UpstreamRequest> {
  readonly upstream: Upstream;
}

/**
 * What an address that was good for a while says afterwards (facts/upstreams.md §2); 400 is what Jellyfin says of a file
 * that it has under another number by now (StreamingHelpers.cs).
 */
const EXPIRED_STATUSES = new Set([400, 401, 403, 404, 410]);

/** A 503 that names no time is one of those: a server may refuse one way to a file and give another (§3.4 there). */
export function isExpired(error: ErrorValue | null): boolean {
  if (error?.originStatus === undefined) return false;
  return EXPIRED_STATUSES.has(error.originStatus) || (error.originStatus === 503 && error.retryAfterMs === undefined);
}
