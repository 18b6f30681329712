// The server behind an add-on's links, as services that hand out links have it: addresses with a signature that is good
// for a few requests and is refused afterwards, headers that have to be sent, redirects to where the file really is.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { contentOf } from './content.ts';

/** As sirrobot01/decypharr and others have seen it: dead links answer any of these. */
export type ExpiredStatus = 403 | 404 | 410;

export interface StremioFiles extends AsyncDisposable {
  /** Ends in a slash. */
  readonly url: string;
  /** `METHOD path`, without signatures, in order of arrival. */
  readonly requests: readonly { readonly path: string; readonly headers: IncomingMessage['headers'] }[];
  /** A link that is good for so many requests. */
  link(name: string): string;
  /** Every link that was handed out is dead from now on. */
  expireAll(): void;
  usesMax: number;
  expiredStatus: ExpiredStatus;
  /** What `guarded/…` wants to be sent. */
  guard: Readonly<Record<string, string>>;
}

export const FILE_BYTES = 300_000;

export async function startStremioFiles(): Promise<StremioFiles> {
  const requests: { path: string; headers: IncomingMessage['headers'] }[] = [];
  const uses = new Map<string, number>();
  let signatures = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', files.url);
    const path = decodeURIComponent(url.pathname.slice(1));
    requests.push({ path, headers: request.headers });
    const refuse = (status: number) => response.writeHead(status, { 'content-type': 'text/plain' }).end('no');
    if (path.startsWith('guarded/')) {
      const isLetIn = Object.entries(files.guard).every(([name, value]) => request.headers[name] === value);
      return isLetIn ? send(request, response) : refuse(403);
    }
    if (path.startsWith('moved/')) {
      // A link of a service leads to whichever of its machines has the file.
      return response.writeHead(307, { location: `/open/${url.pathname.slice('/moved/'.length)}` }).end();
    }
    if (path.startsWith('signed/')) {
      const left = uses.get(url.searchParams.get('sig') ?? '') ?? 0;
      if (left <= 0) return refuse(files.expiredStatus);
      uses.set(url.searchParams.get('sig') ?? '', left - 1);
    }
    return send(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const files: StremioFiles = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    usesMax: 2,
    expiredStatus: 403,
    guard: {},
    link(name) {
      signatures += 1;
      uses.set(`s${signatures}`, files.usesMax);
      return `${files.url}signed/${encodeURIComponent(name)}?sig=s${signatures}`;
    },
    expireAll: () => uses.clear(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return files;
}

function send(request: IncomingMessage, response: ServerResponse): void {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const start = Number(from ?? 0);
  const end = to === undefined || to === '' ? FILE_BYTES : Math.min(FILE_BYTES, Number(to) + 1);
  response.writeHead(from === undefined ? 200 : 206, {
    'content-type': 'video/x-matroska',
    'content-length': end - start,
    'accept-ranges': 'bytes',
    etag: '"1"',
    ...(from === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${FILE_BYTES}` }),
  });
  response.end(contentOf(1, start, end));
}
