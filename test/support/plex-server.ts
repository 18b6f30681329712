// A Plex Media Server in this process, as strict and as odd as the real one. What is odd about it says where it is known
// from; all of it is switched by `behaviour`.
//
//   await using plex = await startPlexServer({ sections: [{ key: '1', type: 'movie', title: 'Films', titles }] });
//   plex.behaviour.forbidsDownloads = true;
//   plex.rescan(12);                                  // its parts have new numbers, and the old ones answer 404
//   expect(plex.requestsTo('/library/metadata/12')).toHaveLength(1);
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseRangeHeader, resolveRangeSpec } from '../../src/bytes/range-header.ts';
import {
  PlexLibrary,
  type PlexStandInPart,
  type PlexStandInSection,
  type PlexStandInTitle,
  type PlexStandInVersion,
  partBytes,
} from './plex-server/plex-library.ts';
import { PlexTranscoder } from './plex-server/plex-transcoder.ts';

export interface PlexServerOptions {
  readonly sections?: PlexStandInSection[];
  readonly token?: string;
  readonly machineIdentifier?: string;
  /** How long a conversion lives without a ping. */
  readonly reapSessionAfterMs?: number;
  /** Of a converted film. */
  readonly convertedBytes?: number;
  readonly behaviour?: Partial<PlexBehaviour>;
}

export interface PlexBehaviour {
  /** Real time before each answer. */
  latencyMs: number;
  /** Numbers come as text, as they do where JSON is made from XML. */
  numbersAsText: boolean;
  /** 503 to everything: starting, or at work on its database. */
  isStarting: boolean;
  /** A page of some proxy in place of every answer. */
  html: boolean;
  /** 400 to `includeElements`; `strips`: everything else is left out instead of added to. */
  streamElements: 'added' | 'refused' | 'stripped';
  /** Lists give their first page whatever is asked for. */
  ignoresPaging: boolean;
  /** Rows of a page, whatever is asked for. */
  pageSizeMax: number;
  /** Lists do not say how many rows there are. */
  hidesTotal: boolean;
  /** 400 to what the query language says of dates. */
  refusesFilters: boolean;
  /** 403 to `download=1` (plex-api-spec.yaml, `getMediaPart`). */
  forbidsDownloads: boolean;
  /** 503 to a part without a decision (plex-api-spec.yaml, `getMediaPart`). */
  needsDecision: boolean;
  /** What decisions say. */
  decision: Readonly<Record<string, unknown>> | null;
  /** Status of decisions. */
  decisionStatus: number;
  /** `ping` and `stop` answer 404, as one server of 2026 did. */
  hasNoSessionControl: boolean;
  /** Sends no Date header. */
  hidesDate: boolean;
}

export interface PlexRequestRecord {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  status: number;
}

export interface PlexServer extends AsyncDisposable {
  /** Ends in a slash. */
  readonly url: string;
  readonly token: string;
  readonly machineIdentifier: string;
  readonly requests: PlexRequestRecord[];
  readonly library: PlexLibrary;
  readonly transcoder: PlexTranscoder;
  readonly behaviour: PlexBehaviour;
  requestsTo(path: string): PlexRequestRecord[];
  /** Adds a title, as of now. */
  add(sectionKey: string, title: PlexStandInTitle): void;
  remove(ratingKey: number): void;
  /** Other versions, as of now. */
  replace(ratingKey: number, versions: readonly PlexStandInVersion[]): void;
  /** The same files under new part numbers. */
  rescan(ratingKey: number): void;
  /** Resolves when `condition` holds; it is looked at after every event. */
  until(condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

const PAGE_SIZE_CEILING = 1_000; // van-geaux/plex_nfo_exporter#14

export async function startPlexServer(options: PlexServerOptions = {}): Promise<PlexServer> {
  const { token = 'plex-token', machineIdentifier = 'machine-1', reapSessionAfterMs = 60_000 } = options;
  const behaviour: PlexBehaviour = {
    latencyMs: 0,
    numbersAsText: false,
    isStarting: false,
    html: false,
    streamElements: 'added',
    ignoresPaging: false,
    pageSizeMax: PAGE_SIZE_CEILING,
    hidesTotal: false,
    refusesFilters: false,
    forbidsDownloads: false,
    needsDecision: false,
    decision: null,
    decisionStatus: 200,
    hasNoSessionControl: false,
    hidesDate: false,
    ...options.behaviour,
  };
  const library = new PlexLibrary(options.sections ?? []);
  const requests: PlexRequestRecord[] = [];
  const waiters: { condition: () => boolean; resolve: () => void }[] = [];
  const changed = () => {
    for (const waiter of [...waiters]) {
      if (!waiter.condition()) continue;
      waiters.splice(waiters.indexOf(waiter), 1);
      waiter.resolve();
    }
  };
  const transcoder = new PlexTranscoder(reapSessionAfterMs, options.convertedBytes ?? 200_000, changed);
  const decidedKeys = new Set<string>();

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://plex');
    const record: PlexRequestRecord = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      status: 0,
    };
    requests.push(record);
    changed();
    response.once('close', changed);
    if (behaviour.hidesDate) response.sendDate = false;
    const exchange = new Exchange(request, response, record);
    const work = () => void answer(exchange).then(changed);
    if (behaviour.latencyMs > 0) setTimeout(work, behaviour.latencyMs).unref();
    else work();
  });

  async function answer(exchange: Exchange): Promise<ServerResponse> {
    const { record } = exchange;
    const { path, query, headers } = record;
    if (behaviour.html) return exchange.html(200, 'Please sign in');
    if (behaviour.isStarting) return exchange.html(503, 'Maintenance');
    // Plex speaks XML unless it is asked for JSON.
    const isData = !/^\/library\/(parts|streams)\/|\/thumb\/|\/start(\.|$)|\/(ping|stop)$/.test(path);
    if (isData && !(headers.accept ?? '').includes('application/json')) {
      return exchange.send(200, 'text/xml', '<?xml version="1.0"?><MediaContainer size="0"/>');
    }
    if (path === '/identity') {
      return exchange.json({ size: 0, claimed: true, machineIdentifier, version: '1.43.2.10687-563d026ea' }, behaviour);
    }
    const given = headers['x-plex-token'] ?? query.get('X-Plex-Token');
    if (given !== token) return exchange.html(401, 'Unauthorized');
    if (headers['x-plex-client-identifier'] === undefined) return exchange.html(400, 'Bad Request');
    if (path === '/library/sections') {
      const directories = library.sections.map((section) => library.directory(section));
      return exchange.json({ size: directories.length, Directory: directories }, behaviour);
    }
    const all = /^\/library\/sections\/(\w+)\/all$/.exec(path);
    if (all !== null) return answerSection(exchange, all[1]!);
    const metadata = /^\/library\/metadata\/(\d+)(?:\/(children|allLeaves))?$/.exec(path);
    if (metadata !== null) return answerMetadata(exchange, Number(metadata[1]), metadata[2]);
    if (path === '/hubs/search') return answerSearch(exchange);
    const part = /^\/library\/parts\/(\d+)\/(\d+)\//.exec(path);
    if (part !== null) return answerPart(exchange, Number(part[1]), Number(part[2]));
    if (/^\/library\/metadata\/\d+\/thumb\/\d+$/.test(path)) return exchange.send(200, 'image/jpeg', `thumb ${path}`);
    if (/^\/library\/streams\/\d+$/.test(path)) return exchange.send(200, 'text/plain', `1\n${path}\n`);
    if (path.startsWith('/video/:/transcode/universal/')) return answerTranscoder(exchange, path.split('/').at(-1)!);
    return exchange.html(404, 'Not Found');
  }

  function answerSection(exchange: Exchange, key: string): ServerResponse {
    const { query } = exchange.record;
    const section = library.sections.find((candidate) => candidate.key === key);
    if (section === undefined) return exchange.html(404, 'Not Found');
    const type = query.get('type');
    let titles = library.all(section, type === null ? null : Number(type));
    // "After", strictly: the operator is `>>`, the equals sign is that of the query (Plex's media query language).
    const after = query.get('updatedAt>>');
    const isFiltered = after !== null || query.has('duplicate');
    if (isFiltered && behaviour.refusesFilters) return exchange.html(400, 'Bad Request');
    if (after !== null) titles = titles.filter((title) => (title.updatedAt ?? 0) > Number(after));
    // Titles with several versions or files (python-plexapi library.py, filter `duplicate`).
    if (query.has('duplicate')) {
      titles = titles.filter(({ versions = [] }) => versions.flatMap(({ parts }) => parts).length > 1);
    }
    return answerList(exchange, titles);
  }

  function answerMetadata(exchange: Exchange, ratingKey: number, below: string | undefined): ServerResponse {
    const title = library.find(ratingKey);
    if (title === undefined) return exchange.html(404, 'Not Found');
    if (below === 'children') return answerList(exchange, library.children(ratingKey));
    if (below === 'allLeaves') return answerList(exchange, library.leaves(ratingKey));
    const row = library.row(title, { streams: true, guids: true });
    return exchange.json({ size: 1, Metadata: [row] }, behaviour);
  }

  function answerSearch(exchange: Exchange): ServerResponse {
    const words = (exchange.record.query.get('query') ?? '').toLowerCase();
    const limit = Number(exchange.record.query.get('limit') ?? 3);
    const found = library.sections
      .flatMap(({ titles }) => titles)
      .filter(({ title }) => title.toLowerCase().includes(words));
    const types = [...new Set(found.map(({ type }) => type))];
    const hubs = types.map((type) => ({
      type,
      hubIdentifier: type,
      Metadata: found
        .filter((title) => title.type === type)
        .slice(0, limit)
        .map((title) => library.row(title, { streams: false, guids: true })),
    }));
    return exchange.json({ size: hubs.length, Hub: hubs }, behaviour);
  }

  /** Lists without both headers: sct/overseerr#2865, pushingkarmaorg/python-plexapi#1048. */
  function answerList(exchange: Exchange, titles: readonly PlexStandInTitle[]): ServerResponse {
    const { headers, query } = exchange.record;
    const asked = (name: string) => headers[name.toLowerCase()] ?? query.get(name);
    const start = asked('X-Plex-Container-Start');
    const size = asked('X-Plex-Container-Size');
    if (size === null || start === null) return exchange.html(400, 'Missing X-Plex-Container-Size header');
    const elements = query.get('includeElements');
    if (elements !== null && behaviour.streamElements === 'refused') return exchange.html(400, 'Bad Request');
    const from = behaviour.ignoresPaging ? 0 : Number(start);
    const count = Math.min(Number(size), behaviour.pageSizeMax, PAGE_SIZE_CEILING);
    const page = titles.slice(from, from + count);
    const rows = page.map((title) => {
      // Streams are not in lists unless they are asked for.
      const row = library.row(title, { streams: elements === 'Stream', guids: query.get('includeGuids') === '1' });
      return elements !== null && behaviour.streamElements === 'stripped' ? { ...row, Media: undefined } : row;
    });
    const total = behaviour.hidesTotal ? {} : { totalSize: titles.length };
    // An empty list has no element of its rows at all, as XML has not.
    return exchange.json(
      { size: rows.length, offset: from, ...total, ...(rows.length > 0 ? { Metadata: rows } : {}) },
      behaviour,
    );
  }

  function answerPart(exchange: Exchange, id: number, changeStamp: number): ServerResponse {
    const { method, query, headers } = exchange.record;
    // HEAD on a part (arsfeld/reel, task 363).
    if (method === 'HEAD') return exchange.html(500, 'Internal Server Error');
    const part = library.findPart(id);
    if (part === undefined || part.changeStamp !== changeStamp) return exchange.html(404, 'Not Found');
    const isDownload = query.get('download') === '1';
    if (isDownload && behaviour.forbidsDownloads) return exchange.html(403, 'Forbidden');
    const client = String(headers['x-plex-client-identifier']);
    if (!isDownload && behaviour.needsDecision && !decidedKeys.has(client)) return exchange.html(503, 'Unavailable');
    return exchange.file(part, isDownload);
  }

  async function answerTranscoder(exchange: Exchange, action: string): Promise<ServerResponse> {
    const { query, headers } = exchange.record;
    const id = query.get('session') ?? '';
    if (action === 'ping' || action === 'stop') {
      if (behaviour.hasNoSessionControl) return exchange.html(404, 'Not Found');
      const status = action === 'ping' ? transcoder.ping(id) : transcoder.stop(id);
      return exchange.send(status, 'text/plain', '');
    }
    const ratingKey = Number(/^\/library\/metadata\/(\d+)$/.exec(query.get('path') ?? '')?.[1]);
    const title = library.find(ratingKey);
    const version = title?.versions?.[Number(query.get('mediaIndex') ?? 0)];
    if (title === undefined || version === undefined) return exchange.html(404, 'Not Found');
    // Clients without a profile are refused (Vela's notes on its trial of 2026).
    if (query.get('X-Plex-Client-Profile-Name') === null) return exchange.html(400, 'Bad Request');
    if (action === 'decision') {
      if (behaviour.decisionStatus !== 200) return exchange.html(behaviour.decisionStatus, 'Bad Request');
      transcoder.decide(id);
      decidedKeys.add(String(headers['x-plex-client-identifier']));
      const part = { decision: 'transcode', container: 'mkv', Stream: [{ streamType: 1, decision: 'transcode' }] };
      const converted = {
        generalDecisionCode: 1001,
        generalDecisionText: 'Direct play not available; Conversion OK.',
        transcodeDecisionCode: 1001,
        Metadata: [{ ratingKey: String(ratingKey), Media: [{ Part: [part] }] }],
      };
      return exchange.json({ ...converted, ...behaviour.decision }, behaviour);
    }
    const session = transcoder.sessions.get(id);
    if (session === undefined || session.ended !== 'no') return exchange.html(400, 'Bad Request');
    exchange.record.status = 200;
    if (action === 'start.m3u8' && query.get('protocol') === 'hls') {
      transcoder.playlist(session, exchange.response);
      return exchange.response;
    }
    if (action !== 'start' || query.get('protocol') !== 'http') return exchange.html(400, 'Bad Request');
    await transcoder.grow(session, exchange.response);
    return exchange.response;
  }

  const touch = (section: PlexStandInSection) => {
    section.contentChangedAt = (section.contentChangedAt ?? 1_000) + 1;
    library.index();
  };
  const change = (ratingKey: number, alter: (title: PlexStandInTitle) => void) => {
    for (const section of library.sections) {
      const title = section.titles.find((candidate) => candidate.ratingKey === ratingKey);
      if (title === undefined) continue;
      alter(title);
      title.updatedAt = Math.floor(Date.now() / 1_000);
      touch(section);
    }
  };

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    transcoder.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    token,
    machineIdentifier,
    requests,
    library,
    transcoder,
    behaviour,
    requestsTo: (path) => requests.filter((record) => record.path === path),
    add(sectionKey, title) {
      const section = library.sections.find(({ key }) => key === sectionKey)!;
      const now = Math.floor(Date.now() / 1_000);
      section.titles.push({ ...title, addedAt: now, updatedAt: now });
      touch(section);
    },
    remove(ratingKey) {
      for (const section of library.sections) {
        const left = section.titles.filter((title) => title.ratingKey !== ratingKey);
        if (left.length === section.titles.length) continue;
        section.titles = left;
        touch(section);
      }
    },
    replace(ratingKey, versions) {
      change(ratingKey, (title) => {
        title.versions = versions;
      });
    },
    rescan(ratingKey) {
      change(ratingKey, (title) => {
        title.versions = (title.versions ?? []).map((version) => ({
          ...version,
          parts: version.parts.map((part) => ({ ...part, id: part.id + 900_000_000 })),
        }));
      });
    },
    until(condition) {
      if (condition()) return Promise.resolve();
      return new Promise((resolve) => waiters.push({ condition, resolve }));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly record: PlexRequestRecord;

  constructor(request: IncomingMessage, response: ServerResponse, record: PlexRequestRecord) {
    this.request = request;
    this.response = response;
    this.record = record;
  }

  send(
    status: number,
    contentType: string,
    body: string | Uint8Array,
    headers: Record<string, string> = {},
  ): ServerResponse {
    this.record.status = status;
    this.response.writeHead(status, { 'content-type': contentType, ...headers });
    return this.response.end(body);
  }

  /** What it says of errors is a page, whatever was asked for. */
  html(status: number, text: string): ServerResponse {
    const body = `<html><head><title>${text}</title></head><body><h1>${status} ${text}</h1></body></html>`;
    return this.send(status, 'text/html', body);
  }

  json(container: Record<string, unknown>, { numbersAsText }: PlexBehaviour): ServerResponse {
    const write = (_: string, value: unknown) => (numbersAsText && typeof value === 'number' ? String(value) : value);
    return this.send(200, 'application/json', JSON.stringify({ MediaContainer: container }, write));
  }

  /** Ranges work on parts (glensc/plex-fuse#20); no tag was seen. */
  file(part: PlexStandInPart, isDownload: boolean): ServerResponse {
    const specs = parseRangeHeader(this.record.headers.range);
    const first = specs?.[0];
    const range = first === undefined ? null : resolveRangeSpec(first, part.sizeBytes);
    const headers = isDownload ? { 'content-disposition': 'attachment; filename="film.mkv"' } : undefined;
    if (first !== undefined && range === null) {
      return this.send(416, 'text/html', '', { 'content-range': `bytes */${part.sizeBytes}` });
    }
    const { start, end } = range ?? { start: 0, end: part.sizeBytes };
    return this.send(range === null ? 200 : 206, 'video/x-matroska', partBytes(part, start, end), {
      ...headers,
      'accept-ranges': 'bytes',
      'content-length': String(end - start),
      ...(range === null ? {} : { 'content-range': `bytes ${start}-${end - 1}/${part.sizeBytes}` }),
    });
  }
}
