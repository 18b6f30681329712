// The three kinds of servers with a catalogue, each with the same little library: two films and a series with two
// seasons, so that one test says the same of all.
import { assertContent } from '../support/content.ts';
import { ALICE, idOf, startJellyfinServer } from '../support/jellyfin-server.ts';
import { seedOfPart, standInFilm, standInVersion } from '../support/plex-server/plex-library.ts';
import { startPlexServer } from '../support/plex-server.ts';
import { filmId, startStremioAddon } from '../support/stremio-addon.ts';
import { FILE_BYTES } from '../support/stremio-files.ts';
import type { NewSource } from './media-streams-larder.ts';

export interface Film {
  readonly title: string;
  /** As it stands in an address. */
  readonly mediaKey: string;
  readonly bytes: number;
  readonly contentType: string;
  /** @throws Error that names the first wrong byte of its original */
  assertBody(body: Uint8Array, offset?: number): void;
}

export interface Upstream extends AsyncDisposable {
  readonly kind: NewSource['kind'];
  readonly source: NewSource;
  /** No part of which is ever told. */
  readonly secrets: readonly string[];
  readonly credentialsWord: string;
  readonly films: readonly [Film, Film];
  /** With another secret. */
  readonly wrong: { readonly source: NewSource; readonly says: RegExp };
  readonly series: { readonly title: string; readonly episodes: number };
  requestCount(): number;
  goDown(): Promise<void>;
}

async function startJellyfin(): Promise<Upstream> {
  const server = await startJellyfinServer({
    movies: 2,
    series: 1,
    seasonsEach: 2,
    episodesEach: 2,
    fileBytes: 700_000,
  });
  const film = (index: number): Film => {
    const id = idOf('Movie', index);
    return {
      title: `Movie 00000${index}`,
      mediaKey: id,
      bytes: server.library.sizeOf(id),
      contentType: 'video/x-matroska',
      assertBody: (body, offset = 0) => assertContent(body, server.library.seedOf(id), offset),
    };
  };
  const source = {
    kind: 'jellyfin',
    url: server.url,
    credentials: { username: ALICE.name, password: ALICE.password },
  } as const;
  return {
    kind: 'jellyfin',
    source,
    secrets: ['wonder', 't'.repeat(24)],
    credentialsWord: 'password',
    films: [film(0), film(1)],
    wrong: {
      source: { ...source, credentials: { username: ALICE.name, password: 'guess-4711' } },
      says: /password/,
    },
    series: { title: 'Series 000000', episodes: 4 },
    requestCount: () => server.requests.length,
    goDown: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

async function startPlex(): Promise<Upstream> {
  const parts = [10, 20];
  const episode = (ratingKey: number, parent: number, index: number) =>
    standInFilm(ratingKey, { type: 'episode', title: `Episode ${index}`, parent, index });
  const server = await startPlexServer({
    token: 'plex-token-4711',
    sections: [
      {
        key: '1',
        type: 'movie',
        title: 'Films',
        titles: parts.map((part, at) => standInFilm(at + 1, { versions: [standInVersion(part)] })),
      },
      {
        key: '2',
        type: 'show',
        title: 'Shows',
        titles: [
          { ratingKey: 100, type: 'show', title: 'Show', year: 2001 },
          { ratingKey: 101, type: 'season', title: 'Season 1', parent: 100, index: 1 },
          { ratingKey: 102, type: 'season', title: 'Season 2', parent: 100, index: 2 },
          episode(111, 101, 1),
          episode(112, 101, 2),
          episode(121, 102, 1),
          episode(122, 102, 2),
        ],
      },
    ],
  });
  const film = (at: number): Film => {
    const part = server.library.findPart(parts[at] ?? 0);
    if (part === undefined) throw new Error('there is no such part');
    return {
      title: `Film ${at + 1}`,
      mediaKey: String(at + 1),
      bytes: part.sizeBytes,
      contentType: 'video/x-matroska',
      assertBody: (body, offset = 0) => assertContent(body, seedOfPart(part), offset),
    };
  };
  const source = { kind: 'plex', url: server.url, credentials: { token: server.token } } as const;
  return {
    kind: 'plex',
    source,
    secrets: ['plex-token-4711'],
    credentialsWord: 'token',
    films: [film(0), film(1)],
    wrong: { source: { ...source, credentials: { token: 'guess-4711' } }, says: /token/ },
    series: { title: 'Show', episodes: 4 },
    requestCount: () => server.requests.length,
    goDown: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

async function startStremio(): Promise<Upstream> {
  const addon = await startStremioAddon({ filmCount: 2, config: { apiKey: 'debrid-key-4711' } });
  addon.files.usesMax = 100;
  const film = (number: number): Film => ({
    title: `Film ${number}`,
    mediaKey: filmId(number),
    bytes: FILE_BYTES,
    contentType: 'video/x-matroska',
    assertBody: (body, offset = 0) => assertContent(body, 1, offset),
  });
  const source = { kind: 'stremio', url: addon.manifestUrl } as const;
  let isUp = true;
  const stop = async () => {
    if (isUp) await addon[Symbol.asyncDispose]();
    isUp = false;
  };
  return {
    kind: 'stremio',
    source,
    secrets: ['debrid-key-4711', 'sig=s'],
    credentialsWord: 'manifest address',
    films: [film(1), film(2)],
    wrong: { source: { ...source, url: `${addon.origin}elsewhere/deeper/manifest.json` }, says: /manifest/ },
    series: { title: 'Series', episodes: 4 },
    requestCount: () => addon.requests.length + addon.files.requests.length,
    goDown: stop,
    [Symbol.asyncDispose]: stop,
  };
}

export const UPSTREAMS = { jellyfin: startJellyfin, plex: startPlex, stremio: startStremio } as const;
