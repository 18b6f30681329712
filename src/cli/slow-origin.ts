// The demo's origin: the sample library behind a long, thin line, on this machine.
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseRangeHeader, resolveRangeSpec } from '../bytes/range-header.ts';
import type { Clock } from '../clock.ts';

export interface SlowOriginOptions {
  /** Files by name: where each can be read. */
  readonly files: Readonly<Record<string, string>>;
  /** Before the first byte of each answer. */
  readonly latencyMs: number;
  readonly bytesPerSecond: number;
  readonly clock: Clock;
}

export interface SlowOrigin {
  readonly url: string;
  /** Body bytes sent so far. */
  readonly sentBytes: () => number;
  readonly stop: () => void;
}

const SLICE_BYTES = 32 * 1024;

export async function startSlowOrigin(options: SlowOriginOptions): Promise<SlowOrigin> {
  const { clock, files } = options;
  let sentBytes = 0;
  const modified = new Date(clock.nowMs()).toUTCString();
  const wait = (delayMs: number) => new Promise<void>((resolve) => clock.after(delayMs, resolve));

  /** As nginx lists a folder. */
  function listing(): unknown[] {
    return Object.entries(files).map(([name, file]) => {
      return { name, type: 'file', mtime: modified, size: readFileSync(file).length };
    });
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = decodeURIComponent((request.url ?? '/').slice(1));
    const file = files[name];
    await wait(options.latencyMs);
    if (name === '' && request.method === 'GET') {
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(listing()));
      return;
    }
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    const content = readFileSync(file);
    const spec = parseRangeHeader(request.headers.range)?.[0];
    const range = spec === undefined ? { start: 0, end: content.length } : resolveRangeSpec(spec, content.length);
    if (range === null) {
      response.writeHead(416, { 'Content-Range': `bytes */${content.length}` }).end();
      return;
    }
    response.writeHead(spec === undefined ? 200 : 206, {
      'Accept-Ranges': 'bytes',
      'Content-Length': String(range.end - range.start),
      ...(spec === undefined ? {} : { 'Content-Range': `bytes ${range.start}-${range.end - 1}/${content.length}` }),
      ETag: `"sample-${content.length}"`,
      'Last-Modified': modified,
    });
    const startedAtMs = clock.monotonicMs();
    for (let position = range.start; position < range.end && !response.destroyed; ) {
      const slice = content.subarray(position, Math.min(range.end, position + SLICE_BYTES));
      response.write(slice);
      position += slice.length;
      sentBytes += slice.length;
      const dueMs = ((position - range.start) * 1_000) / options.bytesPerSecond;
      await wait(Math.max(0, startedAtMs + dueMs - clock.monotonicMs()));
    }
    response.end();
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    sentBytes: () => sentBytes,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
