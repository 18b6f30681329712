// One table from errors to what a player hears (CONTRACT.md, stream promise 9).
import type { ServerResponse } from 'node:http';
import { type ErrorCode, LarderError } from '../errors.ts';

const STATUS: Readonly<Record<ErrorCode, number>> = {
  usage: 400,
  'data-folder': 503,
  'unknown-source': 404,
  'bad-address': 400,
  'not-found': 404,
  'origin-refused': 502,
  'origin-failed': 502,
  'origin-silent': 504,
  'origin-busy': 503,
  'origin-lied': 502,
  'is-folder': 404,
  'no-listing': 404,
  'origin-changed': 502,
  'forbidden-address': 502,
  'out-of-range': 416,
  storage: 503,
  'file-lost': 503,
  invalid: 422,
  conflict: 409,
  missing: 404,
  'sign-in': 401,
  throttled: 429,
  'secret-key': 503,
  overloaded: 503,
  stopped: 503,
};

/** Named to a client that is to come again, where the origin named no time. */
const RETRY_AFTER_SECONDS = 5;

export function statusOf(error: LarderError): number {
  if (error.code === 'not-found' && error.originStatus === 410) return 410;
  if (error.code === 'origin-busy' && error.originStatus === 429) return 429;
  return STATUS[error.code];
}

/** Answers with the status, the reason and what to do; only before the head was sent. */
export function sendError(response: ServerResponse, thrown: unknown, includeBody: boolean): void {
  const error =
    thrown instanceof LarderError
      ? thrown
      : // What exactly failed is for the log: it may name paths and queries.
        new LarderError('storage', 'Larder failed to answer', { hint: 'its log says why' });
  const status = statusOf(error);
  const body = new TextEncoder().encode(`${error.message}\n${error.hint === undefined ? '' : `${error.hint}\n`}`);
  const headers: Record<string, string> = {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(body.length),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  };
  if (status === 503 || status === 429) {
    const seconds = error.retryAfterMs === undefined ? RETRY_AFTER_SECONDS : Math.ceil(error.retryAfterMs / 1_000);
    headers['Retry-After'] = String(seconds);
  }
  if (status === 416 && error.totalBytes !== undefined) headers['Content-Range'] = `bytes */${error.totalBytes}`;
  response.writeHead(status, headers);
  if (includeBody) response.end(body);
  else response.end();
}
