// An origin in this process, polite by default and switchable, per file, to everything that origins do wrong.
//
//   await using origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: 5_000_000 } } });
//   origin.behave('film.mkv', { cutAfterBytes: 100_000, times: 1 });   // the first answer from now on is cut
//   … fetch `${origin.url}film.mkv` …
//   origin.assertBody('film.mkv', bytes, offset);                      // checks every byte
//   expect(origin.bytesSent('film.mkv')).toBeLessThan(…);
//   await origin.until(() => origin.openCount('film.mkv') === 0);      // waits for events, never for time
//
// Paths are decoded and have no leading slash. Content is `contentOf(origin.seedOf(path), …)` and costs no memory, so
// that a file may be as large as 2^53. `requests` keeps every request with its headers, in order of arrival.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { parseRangeHeader, resolveRangeSpec } from '../../src/bytes/range-header.ts';
import { assertContent, contentOf } from './content.ts';

export interface OriginFile {
  sizeBytes: number;
  /** Names the version: another one has other bytes and other validators. Default 1. */
  version?: number;
  /** Default a strong tag made of name and version; null sends none. */
  etag?: string | null;
  /** Default a date made of the version; null sends none. */
  lastModified?: string | null;
  /** Default none is sent. */
  headers?: Readonly<Record<string, string>>;
}

export interface SignedAddresses {
  /** Requests that one token is good for. */
  readonly usesMax: number;
  /** How often one token is handed out before there is a new one. Default 1. */
  readonly handedOutMax?: number;
}

/** What is left out is done as it should be. */
export interface OriginBehaviour {
  /** Only the next so many requests get this behaviour; then the file is polite again. */
  readonly times?: number;
  /** `none`: 200 without Accept-Ranges to everything. `ignored`: the same but with Accept-Ranges. */
  readonly ranges?: 'honoured' | 'none' | 'ignored';
  /** No Content-Length: chunked framing. */
  readonly hideLength?: boolean;
  /** `bytes a-b/*` in place of the total. */
  readonly hideTotal?: boolean;
  /** The Content-Range header is this instead; a function is given what it would say, `end` exclusive. */
  readonly contentRange?: string | ((start: number, end: number, totalBytes: number) => string);
  /** If-Range is as if it were not there: a 206 of whatever the file is by now. */
  readonly ignoresIfRange?: boolean;
  /** A 206 begins this many bytes behind what was asked, in header and body. */
  readonly shiftBytes?: number;
  /** A 206 gives at most this many bytes, in header and body. */
  readonly partBytesMax?: number;
  /** Answers this status with a short text in place of the file. */
  readonly status?: number;
  /** Added to, or in place of, the headers it would send. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends no head until `release(path)`. */
  readonly stallBeforeHead?: boolean;
  /** Sends so many bytes of the body and then nothing until `release(path)`. */
  readonly stallAfterBytes?: number;
  /** Sends so many bytes of the body at each `release(path)`: a line as slow as the test likes. */
  readonly stepBytes?: number;
  /** Breaks the connection after so many bytes of the body. */
  readonly cutAfterBytes?: number;
  /** How: `close` (default) as a process that dies, `end` in good order (FIN), `reset` with RST. */
  readonly cutBy?: 'close' | 'end' | 'reset';
  /** Sends so many more bytes than Content-Range says (with `hideLength`: Content-Length is kept true by HTTP). */
  readonly extraBytes?: number;
  /** 302 to there. */
  readonly redirectTo?: string;
  /** In place of 302. */
  readonly redirectStatus?: number;
  /** Redirects to an address of its own with a token; 403 without a token that is still good. */
  readonly signed?: SignedAddresses;
  /** HEAD alone answers so; GET is as the rest says. */
  readonly head?: { readonly status: number; readonly headers?: Readonly<Record<string, string>> };
  /** The body is gzipped although identity was asked. */
  readonly gzip?: boolean;
  /** An HTML page comes in place of the film. */
  readonly html?: boolean;
  /** Real time before the head. */
  readonly latencyMs?: number;
  /** Real rate of each connection. */
  readonly bytesPerSecond?: number;
}

export interface OriginRequestRecord {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly range: string | undefined;
  status: number | null;
  /** Bytes of the body that the socket took. */
  bodyBytes: number;
  /** The connection is over or the response was sent whole. */
  closed: boolean;
}

export interface TestOrigin extends AsyncDisposable {
  /** Ends in a slash. */
  readonly url: string;
  readonly port: number;
  readonly requests: readonly OriginRequestRecord[];
  addFile(path: string, file: OriginFile): void;
  /** Replaces the behaviour of `path`; null makes it polite again. */
  behave(path: string, behaviour: OriginBehaviour | null): void;
  /** Another version with other bytes, another tag and date, and perhaps another size. */
  change(path: string, sizeBytes?: number): void;
  /** Lets every response to `path` that stalls go on; later ones stall again. */
  release(path: string): void;
  /** Breaks the connections of the responses to `path` that are going on. */
  cut(path: string): void;
  requestsOf(path: string): readonly OriginRequestRecord[];
  bytesSent(path: string): number;
  /** Responses to `path` that are going on. */
  openCount(path: string): number;
  /** Seed of the content of `path`, of its present version unless another is named. */
  seedOf(path: string, version?: number): number;
  /** @throws Error that names the first wrong byte */
  assertBody(path: string, bytes: Uint8Array, offset?: number): void;
  /** Resolves when `condition` holds; it is looked at after every event of the origin. */
  until(condition: () => boolean): Promise<void>;
  /** Breaks all connections and takes no new ones, until `comeBack` (on the same port). */
  goDown(): Promise<void>;
  comeBack(): Promise<void>;
  stop(): Promise<void>;
}

export interface OriginOptions {
  readonly seed?: number;
  readonly files?: Readonly<Record<string, OriginFile>>;
}

const PIECE_BYTES = 64 * 1024;

function hash(text: string, seed: number): number {
  let value = seed | 0;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value | 0;
}

interface Exchange {
  readonly record: OriginRequestRecord;
  readonly file: OriginFile;
  readonly behaviour: OriginBehaviour;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export async function startOrigin(options: OriginOptions = {}): Promise<TestOrigin> {
  const seed = options.seed ?? 1;
  const files = new Map<string, OriginFile>();
  const behaviours = new Map<string, { behaviour: OriginBehaviour; left: number }>();
  const records: OriginRequestRecord[] = [];
  const sockets = new Set<Socket>();
  const responses = new Map<OriginRequestRecord, ServerResponse>();
  const tokens = new Map<string, { name: string; handedOut: number; uses: number }[]>();
  let stalled: { path: string; goOn: () => void }[] = [];
  let watchers: { condition: () => boolean; resolve: () => void }[] = [];

  function happened(): void {
    const fulfilled = watchers.filter((watcher) => watcher.condition());
    watchers = watchers.filter((watcher) => !fulfilled.includes(watcher));
    for (const watcher of fulfilled) watcher.resolve();
  }

  function seedOf(path: string, version: number = files.get(path)?.version ?? 1): number {
    return hash(`${path}\n${version}`, seed);
  }

  function validatorsOf(path: string, file: OriginFile): { etag: string | null; lastModified: string | null } {
    const version = file.version ?? 1;
    const date = new Date(Date.UTC(2020, 0, version)).toUTCString();
    return {
      etag: file.etag === undefined ? `"${(hash(path, seed) >>> 0).toString(36)}-${version}"` : file.etag,
      lastModified: file.lastModified === undefined ? date : file.lastModified,
    };
  }

  function takeBehaviour(path: string): OriginBehaviour {
    const set = behaviours.get(path);
    if (set === undefined) return {};
    set.left -= 1;
    if (set.left <= 0) behaviours.delete(path);
    return set.behaviour;
  }

  function stall(path: string, response: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const goOn = () => {
        response.off('close', goOn);
        resolve();
      };
      stalled.push({ path, goOn });
      response.once('close', goOn);
      happened();
    });
  }

  function write(exchange: Exchange, data: Uint8Array): Promise<void> {
    const { record, response } = exchange;
    return new Promise((resolve) => {
      if (response.destroyed) {
        resolve();
        return;
      }
      response.once('close', resolve);
      response.write(data, (error) => {
        response.off('close', resolve);
        if (!error) record.bodyBytes += data.length;
        happened();
        resolve();
      });
    });
  }

  function breakConnection(exchange: Exchange): void {
    const { socket } = exchange.response;
    if (exchange.behaviour.cutBy === 'end') socket?.end();
    else if (exchange.behaviour.cutBy === 'reset') socket?.resetAndDestroy();
    else socket?.destroy();
  }

  async function sendBody(exchange: Exchange, start: number, end: number): Promise<void> {
    const { record, behaviour, response } = exchange;
    const { stallAfterBytes = Infinity, cutAfterBytes = Infinity, stepBytes = Infinity } = behaviour;
    const { extraBytes = 0, bytesPerSecond } = behaviour;
    const contentSeed = seedOf(record.path, exchange.file.version ?? 1);
    const bodyEnd = end + extraBytes;
    const startedAtMs = performance.now();
    for (let position = start; position < bodyEnd && !response.destroyed; ) {
      const sent = position - start;
      if (sent >= cutAfterBytes) return breakConnection(exchange);
      if (sent === stallAfterBytes || stepBytes < Infinity) await stall(record.path, response);
      const stops = [bodyEnd, position + Math.min(PIECE_BYTES, stepBytes), start + cutAfterBytes];
      if (sent < stallAfterBytes) stops.push(start + stallAfterBytes);
      const next = Math.min(...stops);
      await write(exchange, contentOf(contentSeed, position, next));
      position = next;
      if (bytesPerSecond !== undefined) {
        const aheadMs = ((position - start) * 1_000) / bytesPerSecond - (performance.now() - startedAtMs);
        if (aheadMs > 0) await new Promise((resolve) => setTimeout(resolve, aheadMs));
      }
    }
    if (end - start + extraBytes === stallAfterBytes) await stall(record.path, response);
    if (response.destroyed) return;
    if (end - start + extraBytes >= cutAfterBytes) return breakConnection(exchange);
    response.end();
  }

  /** A redirect for a request without a token; null lets one with a good token pass. */
  function redirectToSigned(exchange: Exchange, signed: SignedAddresses): number | string | null {
    const { path } = exchange.record;
    const known = tokens.get(path) ?? [];
    tokens.set(path, known);
    const named = new URL(exchange.request.url ?? '/', 'http://origin').searchParams.get('token');
    if (named !== null) {
      const token = known.find((candidate) => candidate.name === named);
      if (token === undefined || token.uses >= signed.usesMax) return 403;
      token.uses += 1;
      return null;
    }
    let token = known.at(-1);
    if (token === undefined || token.handedOut >= (signed.handedOutMax ?? 1)) {
      token = { name: `t${known.length + 1}`, handedOut: 0, uses: 0 };
      known.push(token);
    }
    token.handedOut += 1;
    return `/${encodeURIComponent(path)}?token=${token.name}`;
  }

  async function answer(exchange: Exchange): Promise<void> {
    const { record, file, behaviour, request, response } = exchange;
    if (behaviour.latencyMs !== undefined) await new Promise((resolve) => setTimeout(resolve, behaviour.latencyMs));
    if (behaviour.stallBeforeHead) await stall(record.path, response);
    if (response.destroyed) return;
    const { etag, lastModified } = validatorsOf(record.path, file);
    const headers: Record<string, string> = {
      ...(etag === null ? {} : { ETag: etag }),
      ...(lastModified === null ? {} : { 'Last-Modified': lastModified }),
      ...file.headers,
    };
    const sendHead = (status: number, more: Record<string, string> = {}) => {
      record.status = status;
      response.writeHead(status, { ...headers, ...more, ...behaviour.headers });
      // Without this the head would wait for the first piece of the body.
      response.flushHeaders();
      happened();
    };
    const sendText = (status: number, text: string, more: Record<string, string> = {}) => {
      sendHead(status, { 'Content-Type': 'text/plain', 'Content-Length': String(text.length), ...more });
      response.end(text);
    };
    if (behaviour.head !== undefined && request.method === 'HEAD') {
      sendHead(behaviour.head.status, { ...behaviour.head.headers });
      return void response.end();
    }
    const signed = behaviour.signed === undefined ? null : redirectToSigned(exchange, behaviour.signed);
    if (signed === 403) return sendText(403, 'this address is not good any more');
    const redirectTo = typeof signed === 'string' ? signed : behaviour.redirectTo;
    if (redirectTo !== undefined) {
      return sendText(behaviour.redirectStatus ?? 302, 'elsewhere', { Location: redirectTo });
    }
    if (behaviour.status !== undefined) return sendText(behaviour.status, `status ${behaviour.status}`);
    if (behaviour.html)
      return sendText(200, '<html>please sign in</html>', { 'Content-Type': 'text/html; charset=utf-8' });
    if (behaviour.gzip) {
      const body = gzipSync(contentOf(seedOf(record.path), 0, Math.min(file.sizeBytes, PIECE_BYTES)));
      sendHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': String(body.length) });
      return void response.end(body);
    }
    const ranges = behaviour.ranges ?? 'honoured';
    if (ranges !== 'none') headers['Accept-Ranges'] = 'bytes';
    // RFC 9110 §13.1.5: a range of another version than the one asked for is the whole of the new one.
    const ifRange = request.headers['if-range'];
    const isSame = behaviour.ignoresIfRange || ifRange === undefined || ifRange === etag || ifRange === lastModified;
    const applies = ranges === 'honoured' && isSame;
    const spec = applies ? parseRangeHeader(record.range)?.[0] : undefined;
    if (spec === undefined) {
      sendHead(200, behaviour.hideLength ? {} : { 'Content-Length': String(file.sizeBytes) });
      return request.method === 'HEAD' ? void response.end() : sendBody(exchange, 0, file.sizeBytes);
    }
    const asked = resolveRangeSpec(spec, file.sizeBytes);
    if (asked === null) return sendText(416, 'no such bytes', { 'Content-Range': `bytes */${file.sizeBytes}` });
    const start = asked.start + (behaviour.shiftBytes ?? 0);
    const end = Math.min(asked.end, start + (behaviour.partBytesMax ?? Infinity));
    const total = behaviour.hideTotal ? '*' : String(file.sizeBytes);
    const { contentRange } = behaviour;
    sendHead(206, {
      'Content-Range':
        typeof contentRange === 'function'
          ? contentRange(start, end, file.sizeBytes)
          : (contentRange ?? `bytes ${start}-${end - 1}/${total}`),
      ...(behaviour.hideLength ? {} : { 'Content-Length': String(end - start) }),
    });
    return request.method === 'HEAD' ? void response.end() : sendBody(exchange, start, end);
  }

  function receive(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://origin').pathname.slice(1));
    const record: OriginRequestRecord = {
      path,
      method: request.method ?? '',
      headers: request.headers,
      range: request.headers.range,
      status: null,
      bodyBytes: 0,
      closed: false,
    };
    records.push(record);
    responses.set(record, response);
    response.once('close', () => {
      record.closed = true;
      responses.delete(record);
      happened();
    });
    happened();
    const file = files.get(path);
    if (file === undefined) {
      record.status = 404;
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not here');
      return;
    }
    void answer({ record, file: { ...file }, behaviour: takeBehaviour(path), request, response });
  }

  for (const [path, file] of Object.entries(options.files ?? {})) files.set(path, { ...file });
  let server = createServer(receive);
  function listen(port: number): Promise<void> {
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  }
  await listen(0);
  const { port } = server.address() as AddressInfo;

  async function goDown(): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
    for (const one of stalled.splice(0)) one.goOn();
    await closed;
  }

  return {
    url: `http://127.0.0.1:${port}/`,
    port,
    requests: records,
    addFile: (path, file) => void files.set(path, { ...file }),
    behave(path, behaviour) {
      if (behaviour === null) behaviours.delete(path);
      else behaviours.set(path, { behaviour, left: behaviour.times ?? Number.POSITIVE_INFINITY });
    },
    change(path, sizeBytes) {
      const file = files.get(path)!;
      files.set(path, { ...file, version: (file.version ?? 1) + 1, sizeBytes: sizeBytes ?? file.sizeBytes });
    },
    release(path) {
      const going = stalled.filter((one) => one.path === path);
      stalled = stalled.filter((one) => one.path !== path);
      for (const one of going) one.goOn();
    },
    cut(path) {
      for (const [record, response] of responses) if (record.path === path) response.socket?.destroy();
    },
    requestsOf: (path) => records.filter((record) => record.path === path),
    bytesSent: (path) => records.reduce((sum, record) => (record.path === path ? sum + record.bodyBytes : sum), 0),
    openCount: (path) => records.filter((record) => record.path === path && !record.closed).length,
    seedOf,
    assertBody: (path, bytes, offset = 0) => assertContent(bytes, seedOf(path), offset),
    until(condition) {
      if (condition()) return Promise.resolve();
      return new Promise((resolve) => watchers.push({ condition, resolve }));
    },
    goDown,
    async comeBack() {
      server = createServer(receive);
      await listen(port);
    },
    stop: goDown,
    [Symbol.asyncDispose]: goDown,
  };
}
