// A stand-in for a Jellyfin server: real HTTP, a library of any size that is made up as it is asked for, and the ways of
// the real one that a client stumbles over. Files and lines in comments are of jellyfin/jellyfin at 12.0.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type {
  AuthenticationResult,
  BaseItemDto,
  BaseItemDtoQueryResult,
  PublicSystemInfo,
  QuickConnectResult,
} from '@jellyfin/sdk/lib/generated-client/models';
import { contentOf } from './content.ts';
import { type ConversionJob, Conversions } from './jellyfin/conversions.ts';
import { dashed, type ItemEdit, type ItemKind, JellyfinLibrary, type LibraryPlan } from './jellyfin/library.ts';
import { type Caller, People, type Person, readAuthorization } from './jellyfin/people.ts';

export { FIRST_SAVED_MS, idOf, LIBRARIES } from './jellyfin/library.ts';

export interface JellyfinServerOptions extends LibraryPlan {
  readonly port?: number;
  /** Path below which it is, such as `/jellyfin`. */
  readonly basePath?: string;
  readonly version?: string;
  readonly people?: readonly Person[];
  readonly apiKeys?: readonly string[];
  readonly quickConnect?: boolean;
  /** Write ids with dashes, as System.Text.Json does where a converter is missing. */
  readonly withDashes?: boolean;
  /** Real time before each answer. */
  readonly latencyMs?: number;
  /** Bytes of a converted file, before it is over; and how long the server takes for each 64 KiB of them. */
  readonly conversionBytes?: number;
  readonly conversionStepMs?: number;
  readonly nowMs?: () => number;
}

export interface JellyfinRequest {
  readonly method: string;
  /** Below the base path, as it came. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  status: number | null;
}

export interface JellyfinServer extends AsyncDisposable {
  /** Ends in a slash. */
  readonly url: string;
  readonly requests: JellyfinRequest[];
  readonly library: JellyfinLibrary;
  readonly conversions: Conversions;
  /** At most so many requests were being answered at the same time, by path. */
  readonly mostAtOnce: (path: string) => number;
  requestsOf(path: string | RegExp): readonly JellyfinRequest[];
  edit(id: string, edit: ItemEdit): void;
  /** As while it starts: all is refused until it is told otherwise. */
  setStarting(isStarting: boolean | 'without Retry-After'): void;
  /** Each token dies, as when an owner signs the devices out. */
  signOutAll(): void;
  /** A user enters the code of Quick Connect. */
  authorise(code: string): void;
  /** Answers for a path in place of its own; null takes it back. */
  replace(path: string, answer: ((request: JellyfinRequest) => unknown) | null): void;
  close(): Promise<void>;
}

/** What a test answers in place of the server: a status with text, or anything as JSON. */
export class PlainAnswer {
  readonly status: number;
  readonly text: string;
  readonly contentType: string;

  constructor(status: number, text: string, contentType = 'text/plain') {
    this.status = status;
    this.text = text;
    this.contentType = contentType;
  }
}

export const ALICE: Person = { name: 'alice', password: 'wonder, "land"+', id: 'c'.repeat(32), mayDownload: true };
const PIECE_BYTES = 64 * 1024;
const SEGMENTS = 4;
const MIME: Readonly<Record<string, string>> = {
  mkv: 'video/x-matroska',
  mp4: 'video/mp4',
  ts: 'video/mp2t',
  flac: 'audio/flac',
};

interface Exchange {
  readonly request: JellyfinRequest;
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller: Caller | null;
  readonly auth: Readonly<Record<string, string>>;
  readonly body: string;
}

export async function startJellyfinServer(options: JellyfinServerOptions = {}): Promise<JellyfinServer> {
  const nowMs = options.nowMs ?? Date.now;
  const people = new People(options.people ?? [ALICE], options.apiKeys ?? []);
  const library = new JellyfinLibrary(options);
  const conversions = new Conversions(nowMs);
  const requests: JellyfinRequest[] = [];
  const replaced = new Map<string, (request: JellyfinRequest) => unknown>();
  const running = new Map<string, { now: number; most: number }>();
  const basePath = options.basePath ?? '';
  const version = options.version ?? '12.0.0';
  const serverId = options.serverId ?? 'd'.repeat(32);
  let starting: boolean | 'without Retry-After' = false;

  function sendJson({ request, response }: Exchange, value: unknown, status = 200): void {
    request.status = status;
    const text = JSON.stringify(value);
    response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' }).end(text);
  }

  function sendPlain({ request, response }: Exchange, answer: PlainAnswer, headers: Record<string, string> = {}): void {
    request.status = answer.status;
    response.writeHead(answer.status, { 'Content-Type': answer.contentType, ...headers }).end(answer.text);
  }

  /** What became of an exception, without a word of what it was (ExceptionMiddleware.cs). */
  function sendException(exchange: Exchange, status: number): void {
    sendPlain(exchange, new PlainAnswer(status, 'Error processing request.'));
  }

  function sendNothing({ request, response }: Exchange, status: number): void {
    request.status = status;
    response.writeHead(status).end();
  }

  /** The whole server while it starts (SetupServer.cs: three digits; ServerStartupMessageMiddleware.cs: no such header). */
  function sendStarting(exchange: Exchange): void {
    const headers: Record<string, string> = starting === true ? { 'Retry-After': '005' } : {};
    sendPlain(exchange, new PlainAnswer(503, '<html>Jellyfin is loading</html>', 'text/html'), headers);
  }

  function authenticationResult(person: Person, deviceId: string): AuthenticationResult {
    return {
      User: { Name: person.name, Id: options.withDashes ? dashed(person.id) : person.id, ServerId: serverId },
      AccessToken: people.signIn(person, deviceId),
      ServerId: serverId,
    };
  }

  async function signIn(exchange: Exchange): Promise<void> {
    const { Client, Device, DeviceId, Version } = exchange.auth;
    // SessionManager.cs, AuthenticateNewSessionInternal: each of them must be said.
    if (!Client || !Device || !DeviceId || !Version) return sendException(exchange, 400);
    const { Username, Pw } = JSON.parse(exchange.body) as { Username: string; Pw: string };
    const person = people.find(Username, Pw);
    if (person === null) return sendException(exchange, 401);
    sendJson(exchange, authenticationResult(person, DeviceId));
  }

  async function quickConnect(exchange: Exchange, what: string): Promise<void> {
    if (options.quickConnect === false) {
      return sendPlain(exchange, new PlainAnswer(401, 'Quick connect is disabled'));
    }
    if (what === 'initiate') {
      const { secret, code } = people.initiate(exchange.auth.DeviceId ?? '');
      return sendJson(exchange, {
        Authenticated: false,
        Secret: secret,
        Code: code,
        DeviceId: exchange.auth.DeviceId ?? '',
      } satisfies QuickConnectResult);
    }
    const isPoll = what === 'connect';
    const secret = isPoll
      ? (exchange.request.query.secret ?? null)
      : (JSON.parse(exchange.body) as { Secret: string }).Secret;
    const found = people.findRequest(secret);
    if (found === null || (!isPoll && found.person === null)) {
      return sendPlain(exchange, new PlainAnswer(404, 'Unknown secret'));
    }
    if (isPoll) {
      const state = { Authenticated: found.person !== null, Secret: found.secret, Code: found.code };
      return sendJson(exchange, state satisfies QuickConnectResult);
    }
    sendJson(exchange, authenticationResult(found.person!, found.deviceId));
  }

  function listLibraries(exchange: Exchange): void {
    const items = library.libraries.map(
      ({ id, name, collectionType }): BaseItemDto => ({
        Id: options.withDashes ? dashed(id) : id,
        Name: name,
        Type: 'CollectionFolder',
        IsFolder: true,
        CollectionType: collectionType,
      }),
    );
    const others: BaseItemDto[] = [
      { Id: '9'.repeat(32), Name: 'Collections', Type: 'CollectionFolder', CollectionType: 'boxsets' },
    ];
    sendJson(exchange, {
      Items: [...items, ...others],
      TotalRecordCount: items.length + 1,
      StartIndex: 0,
    } satisfies BaseItemDtoQueryResult);
  }

  /** ItemsController.cs, GetItems. */
  async function listItems(exchange: Exchange): Promise<void> {
    const { query } = exchange.request;
    if (exchange.caller?.person && query.userId !== undefined && bare(query.userId) !== exchange.caller.person.id) {
      return sendException(exchange, 403);
    }
    const wanted = { sources: (query.fields ?? '').includes('MediaSources'), withDashes: options.withDashes ?? false };
    if (query.ids !== undefined) {
      const items = query.ids.split(',').flatMap((id) => {
        const found = library.find(bare(id));
        return found === null || found.isSecond ? [] : [library.describe(found.kind, found.index, wanted)];
      });
      return sendJson(exchange, {
        Items: items,
        TotalRecordCount: items.length,
        StartIndex: 0,
      } satisfies BaseItemDtoQueryResult);
    }
    const parentId = query.parentId === undefined ? null : bare(query.parentId);
    const isLibrary = library.libraries.some(({ id }) => id === parentId);
    // LibraryManager.cs, GetParentItem: an argument that is wrong, and that is 400.
    if (parentId !== null && !isLibrary && library.find(parentId) === null) return sendException(exchange, 400);
    const kinds = (query.includeItemTypes ?? '').split(',').filter((kind): kind is ItemKind => isKind(kind));
    const sinceMs = query.minDateLastSaved === undefined ? null : Date.parse(query.minDateLastSaved);
    // Before 10.11 the one date was bound to the name of the other (SqliteItemRepository.cs of 10.9).
    const isOld = /^10\.(?:9|10)\./.test(version);
    if (isOld && sinceMs !== null && query.minDateLastSavedForUser === undefined) return sendException(exchange, 500);
    const withVirtual = query.excludeLocationTypes !== 'Virtual';
    const startIndex = Number(query.startIndex ?? 0);
    const limit = query.limit === undefined ? Number.POSITIVE_INFINITY : Number(query.limit);
    const words = query.searchTerm?.toLowerCase();
    const isNarrow = words !== undefined || (parentId !== null && !isLibrary);
    const items: BaseItemDto[] = [];
    let total = 0;
    let passed = 0;
    for (const kind of kinds.filter((one) => !isLibrary || library.isBelow(one, 0, parentId ?? ''))) {
      const count = isNarrow ? 0 : library.total(kind, sinceMs, withVirtual);
      total += count;
      const from = isNarrow ? 0 : Math.max(0, startIndex - passed);
      if (!isNarrow) passed += Math.min(from, count);
      for (const index of library.indexes(kind, sinceMs, withVirtual, from)) {
        if (items.length >= limit) break;
        if (isNarrow) {
          if (parentId !== null && !isLibrary && !library.isBelow(kind, index, parentId)) continue;
          const name = `${kind} ${String(index).padStart(6, '0')}`.toLowerCase();
          if (words !== undefined && !name.includes(words)) continue;
          total += 1;
          if (passed++ < startIndex) continue;
        }
        items.push(library.describe(kind, index, wanted));
      }
      if (!isNarrow) passed += Math.max(0, Math.min(count - from, items.length));
    }
    const isCounted = query.enableTotalRecordCount !== 'false';
    sendJson(exchange, {
      Items: items,
      TotalRecordCount: isCounted ? total : 0,
      StartIndex: startIndex,
    } satisfies BaseItemDtoQueryResult);
  }

  /** PhysicalFileResult with EnableRangeProcessing (FileStreamResponseHelpers.cs): Last-Modified, and no ETag. */
  async function sendFile(exchange: Exchange, id: string, contentType: string): Promise<void> {
    const { incoming, response, request } = exchange;
    const size = library.sizeOf(id);
    const lastModified = new Date(library.modifiedAtMs(id)).toUTCString();
    const headers: Record<string, string> = {
      'Content-Type': contentType,
      'Last-Modified': lastModified,
      'Accept-Ranges': 'bytes',
    };
    const ifRange = incoming.headers['if-range'];
    const range = /^bytes=(\d*)-(\d*)$/.exec(incoming.headers.range ?? '');
    const applies = range !== null && (ifRange === undefined || ifRange === lastModified);
    let [start, end] = [0, size];
    if (applies) {
      const [, first = '', last = ''] = range;
      start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
      end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
      if (start >= size || end <= start) {
        request.status = 416;
        response.writeHead(416, { 'Content-Range': `bytes */${size}` }).end();
        return;
      }
      headers['Content-Range'] = `bytes ${start}-${end - 1}/${size}`;
    }
    headers['Content-Length'] = String(end - start);
    request.status = applies ? 206 : 200;
    response.writeHead(request.status, headers);
    if (incoming.method === 'HEAD') return void response.end();
    await sendContent(response, library.seedOf(id), start, end);
  }

  async function sendContent(response: ServerResponse, seed: number, start: number, end: number): Promise<void> {
    for (let at = start; at < end && !response.destroyed; at += PIECE_BYTES) {
      await written(response, contentOf(seed, at, Math.min(end, at + PIECE_BYTES)));
    }
    response.end();
  }

  async function sendGrowing(exchange: Exchange, job: ConversionJob, seed: number): Promise<void> {
    const { response } = exchange;
    const total = options.conversionBytes ?? 300_000;
    job.readers += 1;
    response.once('close', () => conversions.readerLeft(job));
    for (let at = 0; at < total && !response.destroyed; at += PIECE_BYTES) {
      if (options.conversionStepMs) await new Promise((resolve) => setTimeout(resolve, options.conversionStepMs));
      // A job that was stopped ends the file where it is (ProgressiveFileStream.cs, StopReading).
      if (!conversions.running.includes(job)) break;
      await written(response, contentOf(seed, at, Math.min(total, at + PIECE_BYTES)));
    }
    response.end();
  }

  /** VideosController.cs and AudioController.cs, without `[Authorize]`: they answer whoever asks. */
  async function stream(exchange: Exchange, routeId: string, extension: string | null): Promise<void> {
    const { query } = exchange.request;
    const found = library.find(bare(routeId));
    if (found === null || found.isSecond) return sendException(exchange, 404);
    const itemId = bare(routeId);
    const sourceId = query.mediaSourceId ?? itemId;
    const source = library.find(sourceId);
    // StreamingHelpers.cs: ids of versions are compared as text; one that is not there is a missing argument.
    const isOfItem = source !== null && source.kind === found.kind && source.index === found.index;
    if (!isOfItem) return sendException(exchange, 400);
    if (query.static === 'true') {
      if (library.isRemote(found.kind, found.index)) return relay(exchange, found.index);
      const kept = found.kind === 'Audio' ? 'flac' : 'mkv';
      return sendFile(exchange, sourceId, MIME[extension ?? kept] ?? 'application/octet-stream');
    }
    const contentType = MIME[extension ?? 'ts'] ?? 'video/mp2t';
    const head = { 'Content-Type': contentType, 'Accept-Ranges': 'none' };
    exchange.request.status = 200;
    // FileStreamResponseHelpers.cs, GetTranscodedFile: a HEAD starts nothing.
    if (exchange.incoming.method === 'HEAD') return void exchange.response.writeHead(200, head).end();
    exchange.response.writeHead(200, head);
    await sendGrowing(exchange, openJob(exchange, itemId, false), library.seedOf(sourceId) + 1);
  }

  function openJob({ request }: Exchange, itemId: string, isHls: boolean): ConversionJob {
    const { playSessionId = '', deviceId = '' } = request.query;
    return conversions.open({ playSessionId, deviceId, itemId, isHls, query: request.query });
  }

  /** A `.strm` is passed on with its ranges (FileStreamResponseHelpers.cs, GetStaticRemoteStreamResult). */
  async function relay(exchange: Exchange, index: number): Promise<void> {
    const { incoming, response, request } = exchange;
    const range = incoming.headers.range;
    const far = await fetch(`${options.remoteUrl}film-${index}.mp4`, { headers: range === undefined ? {} : { range } });
    const headers: Record<string, string> = { 'Accept-Ranges': far.headers.get('accept-ranges') ?? 'none' };
    for (const name of ['content-type', 'content-length', 'content-range']) {
      const value = far.headers.get(name);
      if (value !== null) headers[name] = value;
    }
    request.status = far.status;
    response.writeHead(far.status, headers).end(Buffer.from(await far.arrayBuffer()));
  }

  /** DynamicHlsController.cs: the whole query goes on to what the playlist names. */
  async function hls(exchange: Exchange, itemId: string, name: string): Promise<void> {
    if (library.find(bare(itemId)) === null) return sendException(exchange, 404);
    const query = new URLSearchParams(exchange.request.query).toString();
    const sendPlaylist = (text: string) =>
      sendPlain(exchange, new PlainAnswer(200, text, 'application/vnd.apple.mpegurl'));
    if (name === 'master.m3u8') {
      return sendPlaylist(
        `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=${exchange.request.query.videoBitRate}\nmain.m3u8?${query}\n`,
      );
    }
    const job = openJob(exchange, bare(itemId), true);
    conversions.ping(job.playSessionId);
    const segment = /^hls1\/main\/(\d+)\.ts$/.exec(name)?.[1];
    if (segment !== undefined) {
      exchange.request.status = 200;
      exchange.response.writeHead(200, { 'Content-Type': 'video/mp2t', 'Accept-Ranges': 'none' });
      return void exchange.response.end(
        Buffer.from(contentOf(library.seedOf(bare(itemId)) + Number(segment), 0, 10_000)),
      );
    }
    const segments = Array.from({ length: SEGMENTS }, (_, at) => `#EXTINF:6,\nhls1/main/${at}.ts?${query}`);
    sendPlaylist(
      `#EXTM3U\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-TARGETDURATION:6\n${segments.join('\n')}\n#EXT-X-ENDLIST\n`,
    );
  }

  async function image(exchange: Exchange, itemId: string): Promise<void> {
    if (library.find(bare(itemId)) === null) return sendException(exchange, 404);
    exchange.request.status = 200;
    const bytes = Buffer.from(contentOf(library.seedOf(bare(itemId)) + 2, 0, 5_000));
    exchange.response.writeHead(200, { 'Content-Type': 'image/jpeg', 'Content-Length': bytes.length }).end(bytes);
  }

  /** LibraryController.cs: who may not download gets no tidy refusal, but what became of an exception. */
  async function download(exchange: Exchange, itemId: string, isFile: boolean): Promise<void> {
    const found = library.find(bare(itemId));
    if (found === null) return sendException(exchange, 404);
    if (!isFile && exchange.caller?.person?.mayDownload === false) return sendException(exchange, 400);
    await sendFile(exchange, bare(itemId), MIME.mkv!);
  }

  async function route(exchange: Exchange): Promise<void> {
    const { path } = exchange.request;
    const { method } = exchange.incoming;
    const lower = path.toLowerCase();
    const own = replaced.get(lower);
    if (own !== undefined) {
      const answer = own(exchange.request);
      if (answer !== undefined) {
        return answer instanceof PlainAnswer ? sendPlain(exchange, answer) : sendJson(exchange, answer);
      }
    }
    if (lower === 'system/info/public') {
      return sendJson(exchange, {
        LocalAddress: 'http://10.0.0.2:8096',
        ServerName: 'Attic',
        Version: version,
        ProductName: 'Jellyfin Server',
        Id: serverId,
        StartupWizardCompleted: true,
      } satisfies PublicSystemInfo);
    }
    if (method === 'POST' && lower === 'users/authenticatebyname') return signIn(exchange);
    if (lower.startsWith('quickconnect/')) return quickConnect(exchange, lower.slice('quickconnect/'.length));
    if (method === 'POST' && lower === 'users/authenticatewithquickconnect')
      return quickConnect(exchange, 'authenticate');
    const open = /^(videos|audio)\/([^/]+)\/stream(?:\.([\w.-]+))?$/.exec(lower);
    if (open !== null) return stream(exchange, open[2]!, open[3] ?? null);
    const picture = /^items\/([^/]+)\/images\/primary$/.exec(lower);
    if (picture !== null) return image(exchange, picture[1]!);
    const subtitles = /^videos\/([^/]+)\/([^/]+)\/subtitles\/(\d+)\/stream\.(\w+)$/.exec(lower);
    if (subtitles !== null) {
      if (library.find(subtitles[2]!) === null) return sendException(exchange, 404);
      return sendPlain(exchange, new PlainAnswer(200, `${subtitles[4]} of ${subtitles[2]}`, 'application/x-subrip'));
    }
    if (!/^(?:userviews|library|items|sessions|videos)(?:\/|$)/.test(lower)) return sendNothing(exchange, 404);
    // What follows asks who it is.
    if (exchange.caller === null) return sendNothing(exchange, 401);
    if (lower === 'userviews') {
      return exchange.caller.person === null ? sendException(exchange, 404) : listLibraries(exchange);
    }
    if (lower === 'library/mediafolders') {
      // Policies.RequiresElevation: for administrators and API keys.
      return exchange.caller.person === null ? listLibraries(exchange) : sendNothing(exchange, 403);
    }
    if (lower === 'items') return listItems(exchange);
    if (method === 'POST' && lower === 'sessions/playing/ping') {
      conversions.ping(exchange.request.query.playSessionId ?? '');
      return sendNothing(exchange, 204);
    }
    if (method === 'DELETE' && lower === 'videos/activeencodings') {
      const { deviceId, playSessionId } = exchange.request.query;
      // HlsSegmentController.cs: both are required.
      if (!deviceId || !playSessionId) return sendException(exchange, 400);
      conversions.stop(playSessionId);
      return sendNothing(exchange, 204);
    }
    const list = /^videos\/([^/]+)\/(master\.m3u8|main\.m3u8|hls1\/main\/\d+\.ts)$/.exec(lower);
    if (list !== null) return hls(exchange, list[1]!, list[2]!);
    const file = /^items\/([^/]+)\/(download|file)$/.exec(lower);
    if (file !== null) return download(exchange, file[1]!, file[2] === 'file');
    sendNothing(exchange, 404);
  }

  async function receive(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://server');
    const isBelow = pathname.startsWith(`${basePath}/`);
    const request: JellyfinRequest = {
      method: incoming.method ?? '',
      path: isBelow ? decodeURIComponent(pathname.slice(basePath.length + 1)) : pathname,
      query: Object.fromEntries(searchParams),
      headers: incoming.headers,
      status: null,
    };
    requests.push(request);
    const atOnce = running.get(request.path) ?? { now: 0, most: 0 };
    atOnce.now += 1;
    atOnce.most = Math.max(atOnce.most, atOnce.now);
    running.set(request.path, atOnce);
    response.once('close', () => {
      atOnce.now -= 1;
    });
    const parts: Uint8Array[] = [];
    for await (const part of incoming) parts.push(part as Uint8Array);
    if (options.latencyMs) await new Promise((resolve) => setTimeout(resolve, options.latencyMs));
    const auth = readAuthorization(incoming.headers.authorization);
    const caller = people.callerOf(auth.Token ?? request.query.ApiKey);
    const exchange = { request, incoming, response, caller, auth, body: Buffer.concat(parts).toString() };
    if (!isBelow) return sendNothing(exchange, 404);
    if (starting !== false) return sendStarting(exchange);
    await route(exchange);
  }

  const server = createServer((incoming, response) => {
    receive(incoming, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  async function close(): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }
  return {
    url: `http://127.0.0.1:${port}${basePath}/`,
    requests,
    library,
    conversions,
    mostAtOnce: (path) => running.get(path)?.most ?? 0,
    requestsOf: (path) =>
      requests.filter((request) => (typeof path === 'string' ? request.path === path : path.test(request.path))),
    edit: (id, edit) => library.edit(id, edit),
    setStarting(isStarting) {
      starting = isStarting;
    },
    signOutAll: () => people.signOutAll(),
    authorise: (code) => people.authorise(code),
    replace(path, answer) {
      if (answer === null) replaced.delete(path.toLowerCase());
      else replaced.set(path.toLowerCase(), answer);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function isKind(text: string): text is ItemKind {
  return ['Movie', 'Series', 'Season', 'Episode', 'MusicAlbum', 'Audio', 'Video'].includes(text);
}

function bare(id: string): string {
  return id.replaceAll('-', '').toLowerCase();
}

function written(response: ServerResponse, data: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    response.once('close', resolve);
    response.write(data, () => {
      response.off('close', resolve);
      resolve();
    });
  });
}
