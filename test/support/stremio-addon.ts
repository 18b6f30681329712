// A real add-on, made with stremio-addon-sdk and its router on node:http, with films, a series, a channel and all kinds
// of streams; its links lead to a server of their own (`stremio-files.ts`). And servers that say they are add-ons.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { addonBuilder, getRouter } from 'stremio-addon-sdk';
import { type StremioFiles, startStremioFiles } from './stremio-files.ts';

type Json = Readonly<Record<string, unknown>>;

export interface StremioAddonOptions {
  /** Films of the catalogue `films`, in pages of 100. Default 3. */
  readonly filmCount?: number;
  /** The add-on is configured by a segment of its path: this JSON is what it wants there. */
  readonly config?: Json;
  /** Put over those of the manifest. */
  readonly manifest?: Json;
  /** In place of the links that there are, by video id. */
  readonly streams?: (id: string, files: StremioFiles) => readonly Json[] | undefined;
  /** Said with streams, in seconds; null says nothing. Default 60. */
  readonly cacheMaxAge?: number | null;
}

export interface StremioAddon extends AsyncDisposable {
  readonly manifestUrl: string;
  /** `http://127.0.0.1:PORT/` */
  readonly origin: string;
  /** Paths that were asked for, as they were sent, in order of arrival. */
  readonly requests: string[];
  readonly authorizations: (string | undefined)[];
  readonly files: StremioFiles;
  /** Waits until the next request has come. */
  answerLate: Promise<void> | null;
  /** Ids that the add-on does not know any more. */
  readonly dropped: Set<string>;
  countOf(resource: string): number;
}

/** Video ids of the series, as Cinemeta makes them. */
export const SERIES = 'tt0108778';
export const CHANNEL = 'yt_id:UC1';

const MANIFEST: Json = {
  id: 'org.larder.test',
  version: '1.2.3',
  name: 'Test add-on',
  description: 'Films for tests',
  resources: ['catalog', 'meta', 'stream', 'subtitles'],
  types: ['movie', 'series', 'channel', 'tv', 'other'],
  catalogs: [
    { type: 'movie', id: 'films', name: 'Films', extra: [{ name: 'skip' }, { name: 'search' }] },
    { type: 'series', id: 'shows', name: 'Shows' },
    { type: 'movie', id: 'finder', name: 'Finder', extra: [{ name: 'search', isRequired: true }] },
    // Cinemeta has such: it cannot be listed without a year.
    { type: 'movie', id: 'year', name: 'New', extra: [{ name: 'genre', isRequired: true, options: ['2020'] }] },
    { type: 'other', id: 'mixed', name: 'Mixed' },
  ],
};

export function filmId(number: number): string {
  return `tt${String(1_000_000 + number)}`;
}

function film(number: number, files: StremioFiles): Json {
  return {
    id: filmId(number),
    type: 'movie',
    name: `Film ${number}`,
    releaseInfo: String(2000 + (number % 20)),
    poster: `${files.url}open/poster-${number}.jpg`,
    description: `About film ${number}`,
    runtime: '120 min',
  };
}

function series(files: StremioFiles): Json {
  const video = (season: number, episode: number) => ({
    id: `${SERIES}:${season}:${episode}`,
    title: `Part ${episode}`,
    season,
    episode,
    released: '1994-09-22T20:00:00.000Z',
    thumbnail: `${files.url}open/thumb.jpg`,
  });
  return {
    id: SERIES,
    type: 'series',
    name: 'Series',
    releaseInfo: '1994-2004',
    poster: `${files.url}open/series.jpg`,
    videos: [video(0, 1), video(1, 1), video(1, 2), video(2, 1)],
  };
}

const channel: Json = {
  id: CHANNEL,
  type: 'channel',
  name: 'Channel',
  videos: [{ id: `${CHANNEL}:abc`, title: 'A video', released: '2020-01-01T00:00:00.000Z' }],
};

function streamsOf(id: string, files: StremioFiles): readonly Json[] {
  const stream = (quality: string, size: number) => ({
    name: `Test\n${quality}`,
    description: `${id}.${quality}.x265.DDP5.1\n💾 1.2 GB`,
    url: files.link(`${id}.${quality}.mkv`),
    behaviorHints: {
      filename: `${id}.${quality}.x265-GRP.mkv`,
      videoSize: size,
      bingeGroup: `test-${quality}`,
      notWebReady: true,
    },
  });
  return [
    stream('1080p', 3_000),
    stream('720p', 2_000),
    { name: 'Test 4k', infoHash: 'a'.repeat(40), fileIdx: 0 },
    { name: 'Elsewhere', externalUrl: 'https://example.com/watch' },
  ];
}

export async function startStremioAddon(options: StremioAddonOptions = {}): Promise<StremioAddon> {
  const { filmCount = 3, config, cacheMaxAge = 60 } = options;
  const files = await startStremioFiles();
  const dropped = new Set<string>();
  const films = Array.from({ length: filmCount }, (_, index) => film(index + 1, files));
  const all = [...films, series(files), channel];
  const cache = cacheMaxAge === null ? {} : { cacheMaxAge };
  const isKnown = (given: unknown) => config === undefined || JSON.stringify(given) === JSON.stringify(config);
  const hints = { configurable: true, configurationRequired: true };
  const manifest = {
    ...MANIFEST,
    ...(config === undefined ? {} : { config: [{ key: 'apiKey', type: 'text' }], behaviorHints: hints }),
    ...options.manifest,
  };
  const has = (resource: string) =>
    (manifest as { resources: readonly unknown[] }).resources.some(
      (entry) => entry === resource || (entry as Json | null)?.name === resource,
    );
  const builder = new addonBuilder(manifest);
  if (has('catalog')) {
    builder.defineCatalogHandler(async ({ type, id, extra, config: given }) => {
      if (!isKnown(given)) return { metas: [] };
      if (extra.search !== undefined) {
        return { metas: films.filter(({ name }) => String(name).includes(extra.search ?? '')).slice(0, 20) };
      }
      const skip = Number(extra.skip ?? 0);
      if (id === 'films') {
        return { metas: films.filter((entry) => !dropped.has(String(entry.id))).slice(skip, skip + 100) };
      }
      if (id === 'mixed') return { metas: [{ id: 'live:1', type: 'tv', name: 'Live' }, channel] };
      return { metas: type === 'series' ? [{ ...series(files), videos: undefined }] : [] };
    });
  }
  if (has('meta')) {
    builder.defineMetaHandler(async ({ id }) => {
      return { meta: dropped.has(id) ? null : (all.find((entry) => entry.id === id) ?? null) };
    });
  }
  if (has('stream')) {
    builder.defineStreamHandler(async ({ id, config: given }) => {
      if (!isKnown(given) || dropped.has(id)) return { streams: [] };
      return { streams: options.streams?.(id, files) ?? streamsOf(id, files), ...cache };
    });
  }
  if (has('subtitles')) {
    builder.defineSubtitlesHandler(async ({ extra }) => ({
      subtitles: [
        { id: '1', lang: 'eng', url: `${files.url}open/${extra.filename ?? 'film'}.srt` },
        { id: '2 forced', lang: 'Deutsch (erzwungen)', url: `${files.url}open/de.vtt` },
      ],
    }));
  }
  const router = getRouter(builder.getInterface());
  const raw = await startServer(async (request, response) => {
    await raw.answerLate;
    router(request, response, () => response.writeHead(404, { 'content-type': 'text/html' }).end('Cannot GET'));
  });
  const segment = config === undefined ? '' : `${encodeURIComponent(JSON.stringify(config))}/`;
  return Object.assign(raw, {
    manifestUrl: `${raw.origin}${segment}manifest.json`,
    files,
    dropped,
    countOf: (resource: string) => raw.requests.filter((path) => path.includes(`/${resource}/`)).length,
    async [Symbol.asyncDispose]() {
      await raw.stop();
      await files[Symbol.asyncDispose]();
    },
  });
}

export interface BadAddon extends AsyncDisposable {
  readonly origin: string;
  readonly manifestUrl: string;
  readonly requests: string[];
}

/** Answers whatever `answer` says to a decoded path: a string as HTML, a number as a status, all else as JSON. */
export async function startBadAddon(answer: (path: string) => unknown): Promise<BadAddon> {
  const raw = await startServer(async (request, response) => {
    const said = answer(decodeURIComponent(new URL(request.url ?? '/', raw.origin).pathname));
    if (typeof said === 'number') response.writeHead(said, { 'content-type': 'text/html' }).end('<h1>no</h1>');
    else if (typeof said === 'string') response.writeHead(200, { 'content-type': 'text/html' }).end(said);
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said));
  });
  return Object.assign(raw, { manifestUrl: `${raw.origin}manifest.json`, [Symbol.asyncDispose]: raw.stop });
}

async function startServer(answer: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>) {
  const requests: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '/');
    authorizations.push(request.headers.authorization);
    void answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const state: { answerLate: Promise<void> | null } = { answerLate: null };
  return Object.assign(state, {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    authorizations,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
