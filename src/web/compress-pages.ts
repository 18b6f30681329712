// Pages go out compressed where the browser takes that: text repeats itself, and a phone's line may be thin. Event
// streams and playlists are sent as they come.
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { MiddlewareHandler } from 'hono';

/** A smaller answer fits one packet as it is. */
const LEAST_BYTES = 1_400;

/** Off the main thread. */
const compress = promisify(gzip);

export const compressPages: MiddlewareHandler = async (context, next) => {
  await next();
  const { res } = context;
  if (!/^text\/html\b/.test(res.headers.get('Content-Type') ?? '') || res.body === null) return;
  const headers = new Headers(res.headers);
  headers.append('Vary', 'Accept-Encoding');
  const isTaken = /\bgzip\b/.test(context.req.header('Accept-Encoding') ?? '');
  const page = await res.arrayBuffer();
  let body: ArrayBuffer | Uint8Array<ArrayBuffer> = page;
  if (isTaken && context.req.method !== 'HEAD' && page.byteLength >= LEAST_BYTES) {
    body = new Uint8Array(await compress(page));
    headers.set('Content-Encoding', 'gzip');
    headers.delete('Content-Length');
  }
  context.res = undefined;
  context.res = new Response(body, { status: res.status, headers });
};
