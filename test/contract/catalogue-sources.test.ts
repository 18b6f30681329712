// The catalogue of each kind of source, held to the same promises.
import { describePath } from '../../src/sources/media-address.ts';
import { PASSWORD } from '../support/jellyfin/source-services.ts';
import { idOf, type JellyfinServer, startJellyfinServer } from '../support/jellyfin-server.ts';
import { startListedFiles } from '../support/listed-files.ts';
import {
  LONG_AGO_S,
  type PlexStandInTitle,
  seedOfPart,
  standInFilm,
  standInVersion,
} from '../support/plex-server/plex-library.ts';
import { startPlexServer } from '../support/plex-server.ts';
import { filmId, SERIES, startStremioAddon } from '../support/stremio-addon.ts';
import { type CatalogueUpstream, catalogueSourceContract, type ExpectedItem } from './catalogue-sources.contract.ts';

const HUGE_NAME = 'x'.repeat(10_000_000);

function byTitle(items: readonly ExpectedItem[]): ExpectedItem[] {
  const text = (item: ExpectedItem) => item.title;
  return [...items].sort(
    (one, other) =>
      (text(one) < text(other) ? -1 : text(one) > text(other) ? 1 : 0) ||
      (one.season ?? -1) - (other.season ?? -1) ||
      (one.episode ?? -1) - (other.episode ?? -1),
  );
}

function itemOf(type: string, title: string, details: Partial<ExpectedItem> = {}): ExpectedItem {
  return { type, title, parent: null, season: null, episode: null, qualities: [], ...details };
}

/** JSON of an answer with its list of items changed. */
function alterList(path: readonly string[], change: (rows: Record<string, unknown>[]) => unknown[]) {
  return (text: string): string => {
    const body = JSON.parse(text) as Record<string, unknown>;
    const holder = path
      .slice(0, -1)
      .reduce<Record<string, unknown> | undefined>((at, name) => at?.[name] as never, body);
    const name = path.at(-1) ?? '';
    const rows = holder?.[name];
    if (holder === undefined || !Array.isArray(rows)) return text;
    holder[name] = change(rows);
    return JSON.stringify(body);
  };
}

const twice = (rows: Record<string, unknown>[]) => rows.flatMap((row) => [row, row]);

// ---------------------------------------------------------------------------------------------------------------
// http

const PATHS = [
  'Alien (1979).mkv',
  'Night Train (2023).1080p.mp4',
  'Night Train (2023).480p.mp4',
  'Series/S01/Pilot.mkv',
];

async function startHttp(): Promise<CatalogueUpstream> {
  const server = await startListedFiles(PATHS);
  const saved = new Map(server.files);
  const described = () => [...server.files.keys()].map(describePath);
  return {
    url: server.url,
    credentials: null,
    items() {
      const groups = Map.groupBy(described(), ({ mediaKey }) => mediaKey);
      const items = [...groups.values()].map((files) => {
        const [{ type, title }] = files as [(typeof files)[number]];
        return itemOf(type, title, { qualities: files.map(({ quality }) => quality).sort() });
      });
      return byTitle(items);
    },
    add() {
      server.files.set('Series/S01/Second.mkv', { seed: 90, bytes: 20_000 });
      return 'Second';
    },
    replace() {
      server.files.set('Alien (1979).mkv', { seed: 91, bytes: 20_001 });
      return 'Alien';
    },
    remove() {
      server.files.delete('Series/S01/Pilot.mkv');
      return 'Pilot';
    },
    restore: () => void server.files.set('Series/S01/Pilot.mkv', saved.get('Series/S01/Pilot.mkv')!),
    seedOf(title, quality) {
      const found = described().find((file) => file.title === title && file.quality === quality);
      return server.files.get(found?.path ?? '')?.seed ?? 0;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

catalogueSourceContract('an HTTP source', {
  kind: 'http',
  start: startHttp,
  lists: /\/$/,
  isSelection: false,
  knowsFiles: true,
  // Three folders, and whether it speaks WebDAV.
  quietRequests: 4,
  faults: {
    'names of 10 MB': (gate) => {
      gate.alter = (text) => text.replace('<pre>', `<pre><a href="${HUGE_NAME}.mkv">${HUGE_NAME}</a>\n`);
    },
    'each name twice': (gate) => {
      gate.alter = (text) => text.replace(/^<a href="(?!\.\.).*$/gm, '$&\n$&');
    },
    'folders that lead back': (gate) => {
      gate.alter = (text) => text.replace('<pre>', '<pre><a href="again/">again/</a> 20-Nov-2026 17:45 -\n');
      gate.rewrite = (path) => path.replaceAll('again/', '');
    },
  },
  orphan: null,
});

// ---------------------------------------------------------------------------------------------------------------
// jellyfin

function jellyfinItems(server: JellyfinServer): ExpectedItem[] {
  const number = (index: number) => String(index).padStart(6, '0');
  const items: ExpectedItem[] = [];
  for (let index = 0; index < server.library.count('Movie'); index += 1) {
    if (server.library.find(idOf('Movie', index)) === null) continue;
    items.push(
      itemOf('movie', `Movie ${number(index)}`, { qualities: index % 3 === 0 ? ['720p', 'original'] : ['original'] }),
    );
  }
  items.push(itemOf('series', 'Series 000000'), itemOf('album', 'MusicAlbum 000000'));
  for (const season of [1, 2]) {
    items.push(itemOf('season', `Season ${season}`, { parent: 'Series 000000', season }));
    for (const episode of [1, 2, 3]) {
      const title = `Episode ${number((season - 1) * 3 + episode - 1)}`;
      items.push(itemOf('episode', title, { parent: `Season ${season}`, season, episode, qualities: ['original'] }));
    }
  }
  for (const episode of [1, 2, 3]) {
    const parent = 'MusicAlbum 000000';
    items.push(
      itemOf('track', `Audio ${number(episode - 1)}`, { parent, season: 1, episode, qualities: ['original'] }),
    );
  }
  return byTitle(items);
}

async function startJellyfin(): Promise<CatalogueUpstream> {
  const server = await startJellyfinServer({ movies: 4, versionsEvery: 3, series: 1, albums: 1, tracksEach: 3 });
  const kinds = { Movie: 4, Episode: 6, Audio: 3 } as const;
  return {
    url: server.url,
    credentials: PASSWORD,
    items: () => jellyfinItems(server),
    add() {
      server.library.addMovies(1);
      return `Movie ${String(server.library.count('Movie') - 1).padStart(6, '0')}`;
    },
    replace() {
      server.edit(idOf('Episode', 1), { fileVersion: 2 });
      return 'Episode 000001';
    },
    remove() {
      server.edit(idOf('Movie', 1), { isDeleted: true });
      return 'Movie 000001';
    },
    restore: () => server.edit(idOf('Movie', 1), { isDeleted: false }),
    seedOf(title, quality) {
      const [kind = 'Movie', index] = title.split(' ') as [keyof typeof kinds, string];
      return server.library.seedOf(idOf(kind, Number(index), quality === '720p' ? 'b' : 'a'));
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

catalogueSourceContract('a Jellyfin server', {
  kind: 'jellyfin',
  start: startJellyfin,
  lists: /^\/Items\?/,
  isSelection: false,
  knowsFiles: true,
  // The libraries, a count of each of five folders and of what changed in it, and signing in.
  quietRequests: 12,
  faults: {
    'a list without an end': (gate) => {
      gate.rewrite = (path) => path.replace(/([?&])startIndex=\d+/, '$1startIndex=0');
    },
    'names of 10 MB': (gate) => {
      gate.alter = alterList(['Items'], (rows) =>
        rows.map((row, at) => (at === 0 && row.Type === 'Movie' ? { ...row, Name: HUGE_NAME } : row)),
      );
    },
    'each item twice': (gate) => {
      gate.alter = alterList(['Items'], twice);
    },
    'items that are nothing': (gate) => {
      gate.alter = alterList(['Items'], (rows) => [null, 7, 'x', [], {}, ...rows]);
    },
    'seasons that belong to one another': (gate) => {
      const [one, other] = [idOf('Season', 0), idOf('Season', 1)];
      gate.alter = alterList(['Items'], (rows) =>
        rows.map((row) => (row.Type === 'Season' ? { ...row, SeriesId: row.Id === one ? other : one } : row)),
      );
    },
  },
  orphan: { mediaKey: idOf('Episode', 4), series: 'Series 000000', title: 'Episode 000004' },
});

// ---------------------------------------------------------------------------------------------------------------
// plex

const SHOW = 100;

function plexTitles(): { films: PlexStandInTitle[]; shows: PlexStandInTitle[] } {
  const films = [
    standInFilm(1, {
      versions: [standInVersion(10), standInVersion(11, { width: 1280, height: 720, bitrate: 3_000 })],
    }),
    standInFilm(2),
    standInFilm(3),
  ];
  const shows: PlexStandInTitle[] = [{ ratingKey: SHOW, type: 'show', title: 'Great Show' }];
  for (const season of [1, 2]) {
    const parent = SHOW + season;
    shows.push({ ratingKey: parent, type: 'season', title: `Season ${season}`, index: season, parent: SHOW });
    for (const episode of [1, 2, 3]) {
      const ratingKey = SHOW + season * 10 + episode;
      const versions = [standInVersion(ratingKey * 10)];
      shows.push({ ratingKey, type: 'episode', title: `Part ${season}${episode}`, index: episode, parent, versions });
    }
  }
  return { films, shows };
}

async function startPlex(): Promise<CatalogueUpstream> {
  const { films, shows } = plexTitles();
  const server = await startPlexServer({
    sections: [
      { key: '1', type: 'movie', title: 'Films', titles: films },
      { key: '2', type: 'show', title: 'Shows', titles: shows },
    ],
  });
  const titleOf = (key: number | undefined) => (key === undefined ? undefined : server.library.find(key));
  const types: Readonly<Record<string, string>> = { show: 'series' };
  return {
    url: server.url,
    credentials: { token: server.token },
    items() {
      const titles = server.library.sections.flatMap((section) => section.titles);
      const items = titles.map(({ type, title, index = null, parent, versions = [] }) =>
        itemOf(types[type] ?? type, title, {
          parent: titleOf(parent)?.title ?? null,
          season: type === 'season' ? index : type === 'episode' ? (titleOf(parent)?.index ?? null) : null,
          episode: type === 'episode' ? index : null,
          qualities: versions.map((_, at) => (at === 0 ? 'original' : '720p')).sort(),
        }),
      );
      return byTitle(items);
    },
    add() {
      server.add('2', {
        ratingKey: 124,
        type: 'episode',
        title: 'Part 24',
        index: 4,
        parent: 102,
        versions: [standInVersion(1_240)],
      });
      return 'Part 24';
    },
    replace() {
      server.replace(2, [standInVersion(77)]);
      return 'Film 2';
    },
    remove() {
      server.remove(3);
      return 'Film 3';
    },
    restore: () => server.add('1', standInFilm(3)),
    seedOf(title, quality) {
      const found = server.library.sections
        .flatMap(({ titles }) => titles)
        .find((candidate) => candidate.title === title);
      const part = found?.versions?.[quality === '720p' ? 1 : 0]?.parts[0];
      return part === undefined ? LONG_AGO_S : seedOfPart(part);
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

const METADATA = ['MediaContainer', 'Metadata'] as const;

catalogueSourceContract('a Plex server', {
  kind: 'plex',
  start: startPlex,
  lists: /^\/library\/sections\/\d+\/all/,
  isSelection: false,
  knowsFiles: true,
  // Who it is, and its libraries for itself and for each of four folders.
  quietRequests: 6,
  faults: {
    'a list without an end': (gate) => {
      gate.rewrite = (path, headers) => {
        if (path.includes('/all')) headers['x-plex-container-start'] = '0';
        return path;
      };
      gate.alter = (text) => text.replace(/"totalSize":\d+/, '"totalSize":1000000');
    },
    'names of 10 MB': (gate) => {
      gate.alter = alterList(METADATA, (rows) =>
        rows.map((row) => (row.ratingKey === '2' ? { ...row, title: HUGE_NAME } : row)),
      );
    },
    'each title twice': (gate) => {
      gate.alter = alterList(METADATA, twice);
    },
    'titles that are nothing': (gate) => {
      gate.alter = alterList(METADATA, (rows) => [null, 7, 'x', [], {}, ...rows]);
    },
    'seasons that belong to one another': (gate) => {
      gate.alter = alterList(METADATA, (rows) =>
        rows.map((row) =>
          row.type === 'season' ? { ...row, parentRatingKey: row.ratingKey === '101' ? '102' : '101' } : row,
        ),
      );
    },
  },
  orphan: { mediaKey: '122', series: 'Great Show', title: 'Part 22' },
});

// ---------------------------------------------------------------------------------------------------------------
// stremio

async function startStremio(): Promise<CatalogueUpstream> {
  let added = 0;
  const addon = await startStremioAddon({
    filmCount: 4,
    streams: (id, files) => [{ name: 'Test\n1080p', url: `${files.url}open/${id}.mkv` }],
  });
  // The fourth is new one day.
  addon.dropped.add(filmId(4));
  return {
    url: addon.manifestUrl,
    credentials: null,
    items() {
      const films = [1, 2, 3, ...(added > 0 ? [4] : [])].filter((number) => !addon.dropped.has(filmId(number)));
      return byTitle([
        ...films.map((number) => itemOf('movie', `Film ${number}`, { qualities: ['original'] })),
        itemOf('series', 'Series'),
        itemOf('series', 'Channel'),
        itemOf('video', 'Live', { qualities: ['original'] }),
      ]);
    },
    add() {
      added += 1;
      addon.dropped.delete(filmId(4));
      return 'Film 4';
    },
    replace: () => 'Film 1',
    remove() {
      addon.dropped.add(filmId(2));
      return 'Film 2';
    },
    restore: () => void addon.dropped.delete(filmId(2)),
    seedOf: () => 1,
    [Symbol.asyncDispose]: () => addon[Symbol.asyncDispose](),
  };
}

catalogueSourceContract('a Stremio add-on', {
  kind: 'stremio',
  start: startStremio,
  lists: /^\/catalog\//,
  isSelection: true,
  knowsFiles: false,
  // The manifest, and the pages of three catalogues to the one that brings nothing new.
  quietRequests: 5,
  faults: {
    'a list without an end': (gate) => {
      gate.rewrite = (path) => path.replace(/\/skip=\d+/, '');
    },
    'names of 10 MB': (gate) => {
      gate.alter = alterList(['metas'], (rows) =>
        rows.map((row) => (row.id === filmId(2) ? { ...row, name: HUGE_NAME } : row)),
      );
    },
    'each item twice': (gate) => {
      gate.alter = alterList(['metas'], twice);
    },
    'items that are nothing': (gate) => {
      gate.alter = alterList(['metas'], (rows) => [null, 7, 'x', [], {}, ...rows]);
    },
  },
  orphan: { mediaKey: `${SERIES}:1:2`, series: 'Series', title: 'Part 2' },
});
