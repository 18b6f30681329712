// A process of its own that stands in for a Jellyfin or Plex server with a large library of films and episodes. What a
// line of its standard input says happens to it: `change` replaces the files of fifty films and adds fifty.
import { createInterface } from 'node:readline';
import { idOf, startJellyfinServer } from '../support/jellyfin-server.ts';
import {
  type PlexStandInTitle,
  type PlexStandInVersion,
  standInFilm,
  standInVersion,
} from '../support/plex-server/plex-library.ts';
import { startPlexServer } from '../support/plex-server.ts';

const [kind = '', itemCount = '', latency = ''] = process.argv.slice(2);
const SEASONS_EACH = 5;
const EPISODES_EACH = 10;
const CHANGED = 50;
const films = Math.floor(Number(itemCount) * 0.4);
const series = Math.ceil((Number(itemCount) - films) / SEASONS_EACH / EPISODES_EACH);
/** Subtitles inside of each file, so that an item is as long as at a real server: 4 kB and more. */
const INNER_SUBTITLES = 5;
const SUMMARY = 'Somebody comes home after a long time and finds that nothing is as it was. '.repeat(4);

interface LargeServer {
  readonly url: string;
  readonly requests: readonly unknown[];
  change(): void;
}

async function startJellyfin(): Promise<LargeServer> {
  const server = await startJellyfinServer({
    movies: films,
    versionsEvery: 20,
    series,
    seasonsEach: SEASONS_EACH,
    episodesEach: EPISODES_EACH,
    innerSubtitles: INNER_SUBTITLES,
    latencyMs: Number(latency),
  });
  return {
    url: server.url,
    requests: server.requests,
    change() {
      for (let index = 0; index < CHANGED; index += 1) server.edit(idOf('Movie', index * 7), { fileVersion: 2 });
      server.library.addMovies(CHANGED);
    },
  };
}

function versionOf(partId: number): PlexStandInVersion {
  const version = standInVersion(partId);
  return { ...version, parts: version.parts.map((part) => ({ ...part, innerSubtitles: INNER_SUBTITLES })) };
}

/** A show, its seasons and its episodes, with keys from `key` on. */
function* showOf(number: number, key: number): Generator<PlexStandInTitle> {
  const nothing = { hasThumb: true, summary: SUMMARY };
  yield { ...nothing, ratingKey: key, type: 'show', title: `Series ${number}`, year: 1950 + (number % 70) };
  let next = key + 1;
  for (let season = 1; season <= SEASONS_EACH; season += 1) {
    const seasonKey = next++;
    yield { ...nothing, ratingKey: seasonKey, type: 'season', title: `Season ${season}`, index: season, parent: key };
    for (let index = 1; index <= EPISODES_EACH; index += 1) {
      const ratingKey = next++;
      const title = `Episode ${index} of ${number}`;
      const versions = [versionOf(ratingKey * 10)];
      yield { ...nothing, ratingKey, type: 'episode', title, index, parent: seasonKey, duration: 2_700_000, versions };
    }
  }
}

async function startPlex(): Promise<LargeServer> {
  const perShow = 1 + SEASONS_EACH * (1 + EPISODES_EACH);
  const shows = Array.from({ length: series }, (_, at) => [...showOf(at + 1, 1_000_000 + at * perShow)]).flat();
  const titles = Array.from({ length: films }, (_, at) =>
    standInFilm(at + 1, { summary: SUMMARY, versions: [versionOf((at + 1) * 10)] }),
  );
  const server = await startPlexServer({
    sections: [
      { key: '1', type: 'movie', title: 'Films', titles },
      { key: '2', type: 'show', title: 'Shows', titles: shows },
    ],
    behaviour: { latencyMs: Number(latency) },
  });
  return {
    url: server.url,
    requests: server.requests,
    change() {
      for (let at = 0; at < CHANGED; at += 1) {
        server.replace(at * 7 + 1, [versionOf(500_000_000 + at)]);
        server.add('1', standInFilm(900_000 + at));
      }
    },
  };
}

const server = kind === 'plex' ? await startPlex() : await startJellyfin();
console.log(server.url);
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'change') server.change();
  console.log(server.requests.length);
}
