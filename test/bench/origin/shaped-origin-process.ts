// An origin made slow on purpose, as a process of its own: latency before each answer, a rate per connection and a rate
// of the whole line, in slices of 16 KiB so that a reader sees a flow and not lumps. Content is made up on the way, so
// files may be as large as one likes. Speaks what caches need: ranges, If-Range, ETag, Last-Modified, keep-alive, and
// a directory listing for rclone.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchFile, contentOf } from '../content.ts';
import { CONTROL_PATH, type ShapedOriginSettings } from './shape.ts';
import { TokenBucket } from './token-bucket.ts';

const SLICE_BYTES = 16 * 1024;
const LAST_MODIFIED = 'Wed, 01 Jan 2025 00:00:00 GMT';

const { shape, files } = JSON.parse(process.argv[2] ?? '') as ShapedOriginSettings;
const fileByName = new Map(files.map((file) => [file.name, file]));
const counts = new Map<string, { requests: number; bodyBytes: number }>();
const line = new TokenBucket(shape.lineBytesPerSecond ?? Number.POSITIVE_INFINITY);
const bucketOfConnection = new WeakMap<Socket, TokenBucket>();

function bucketOf(socket: Socket): TokenBucket {
  const known = bucketOfConnection.get(socket);
  if (known) return known;
  const bucket = new TokenBucket(shape.connectionBytesPerSecond ?? Number.POSITIVE_INFINITY);
  bucketOfConnection.set(socket, bucket);
  return bucket;
}

// RFC 9110 14.1.2, one range only; undefined when there is none to obey, 'unsatisfiable' for 416.
function parseRange(header: string, sizeBytes: number): { start: number; end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header);
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const isSuffix = match[1] === '';
  const start = isSuffix ? Math.max(0, sizeBytes - Number(match[2])) : Number(match[1]);
  const end = isSuffix || match[2] === '' ? sizeBytes : Math.min(sizeBytes, Number(match[2]) + 1);
  return start < end ? { start, end } : 'unsatisfiable';
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const name = decodeURIComponent((request.url ?? '/').split('?', 1)[0] ?? '').slice(1);
  await sleep(shape.latencyMs);
  if (response.destroyed) return;
  const file = fileByName.get(name);
  if (file) return answerFile(request, response, file);
  const links = files.map((listed) => `<a href="${listed.name}">${listed.name}</a>`).join('\n');
  response.writeHead(name === '' ? 200 : 404, { 'Content-Type': 'text/html' });
  response.end(name === '' ? `<html><body>${links}</body></html>` : 'no such file');
}

async function answerFile(request: IncomingMessage, response: ServerResponse, file: BenchFile): Promise<void> {
  const etag = `"${file.sizeBytes.toString(16)}-${file.seed.toString(16)}"`;
  response.setHeader('ETag', etag);
  response.setHeader('Last-Modified', LAST_MODIFIED);
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('Content-Type', 'application/octet-stream');
  const condition = request.headers['if-range'];
  const mayRange = condition === undefined || condition === etag || condition === LAST_MODIFIED;
  const range = mayRange ? parseRange(request.headers.range ?? '', file.sizeBytes) : undefined;
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'Content-Range': `bytes */${file.sizeBytes}`, 'Content-Length': 0 }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: file.sizeBytes };
  if (range) response.setHeader('Content-Range', `bytes ${start}-${end - 1}/${file.sizeBytes}`);
  response.writeHead(range ? 206 : 200, { 'Content-Length': end - start });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  await sendBody(response, file, { start, end, bucket: bucketOf(request.socket) });
}

interface Body {
  readonly start: number;
  readonly end: number;
  readonly bucket: TokenBucket;
}

async function sendBody(response: ServerResponse, file: BenchFile, body: Body): Promise<void> {
  const count = counts.get(file.name) ?? { requests: 0, bodyBytes: 0 };
  counts.set(file.name, count);
  count.requests++;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  for (let offset = body.start; offset < body.end; offset += SLICE_BYTES) {
    const sliceEnd = Math.min(body.end, offset + SLICE_BYTES);
    const nowMs = performance.now();
    const bytes = sliceEnd - offset;
    const waitMs = Math.max(body.bucket.book(bytes, nowMs), line.book(bytes, nowMs)) - nowMs;
    if (waitMs > 0) await sleep(waitMs);
    if (gone.signal.aborted || response.destroyed) return;
    const takesMore = response.write(contentOf(offset, sliceEnd, file.seed));
    count.bodyBytes += bytes;
    if (!takesMore) await once(response, 'drain', { signal: gone.signal }).catch(() => undefined);
    if (gone.signal.aborted) return;
  }
  response.end();
}

const server = createServer((request, response) => {
  if (request.url === CONTROL_PATH) {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(Object.fromEntries(counts)));
    return;
  }
  answer(request, response).catch((error: unknown) => {
    console.error(error);
    response.destroy();
  });
});
server.keepAliveTimeout = 300_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address !== 'string') console.log(`origin listening on ${address.port}`);
});
