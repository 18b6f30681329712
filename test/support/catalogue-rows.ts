// What a media server would have listed, written straight into the database: a series with seasons, a film in several
// qualities, an album; the film at a second source as well.
import { CatalogueTable } from '../../src/db/catalogue.ts';
import type { Database } from '../../src/db/database.ts';
import { MediaTable } from '../../src/db/media.ts';
import { MediaCatalogue } from '../../src/library/media-catalogue.ts';
import { cataloguePath } from '../../src/sources/catalogue-path.ts';
import type { CatalogueItem, CatalogueMedia } from '../../src/sources/catalogue-source.ts';
import { FakeClock } from './fake-clock.ts';

export const EPISODES = 120;

export function mediaOf(change: Partial<CatalogueMedia> & Pick<CatalogueMedia, 'key' | 'type' | 'title'>) {
  return {
    year: null,
    parentKey: null,
    season: null,
    episode: null,
    durationMs: null,
    overview: null,
    artwork: null,
    otherIds: [],
    subtitles: [],
    ...change,
  } satisfies CatalogueMedia;
}

function fileOf(
  { key, type, title, year }: CatalogueMedia,
  label: string,
  change: Partial<CatalogueItem> = {},
): CatalogueItem {
  const quality = change.quality ?? 'original';
  const container = change.container ?? 'mkv';
  return {
    mediaKey: key,
    type,
    title,
    year,
    path: cataloguePath(label, { mediaKey: key, quality, container }),
    sizeBytes: 2_000_000_000,
    stamp: 'a',
    ...change,
    quality,
    container,
  };
}

const film = mediaOf({
  key: 'film1',
  type: 'movie',
  title: 'The Long Harbour',
  year: 2021,
  durationMs: 7_500_000,
  overview:
    'A lighthouse keeper finds a boat without a crew, and what its log says of the night before. She has until the tide turns to decide whom she tells.',
  artwork: 'film1',
  otherIds: ['imdb:tt0000001'],
  subtitles: [
    { language: 'eng', title: null, format: 'vtt', locator: 'a', isForced: false },
    { language: 'pt-BR', title: null, format: 'srt', locator: 'b', isForced: true },
    { language: null, title: 'Commentary', format: 'ass', locator: 'c', isForced: false },
  ],
});

const series = mediaOf({
  key: 'series1',
  type: 'series',
  title: 'Tidewatch',
  year: 2019,
  overview: 'Three winters on a coast that moves.',
  artwork: 'series1',
});

const seasons = [1, 2, 3].map((season) =>
  mediaOf({
    key: `season${season}`,
    type: 'season',
    title: `Season ${season}`,
    parentKey: series.key,
    season,
    // The last one has no picture, and the second one's does not come.
    artwork: season === 3 ? null : `season${season}`,
  }),
);

const episodes = Array.from({ length: EPISODES }, (_, index) =>
  mediaOf({
    key: `episode${index + 1}`,
    type: 'episode',
    title:
      index === 3 ? 'The One With A Title So Long That It Has To Be Broken On Any Phone There Is' : `Part ${index + 1}`,
    parentKey: 'season1',
    season: 1,
    episode: index + 1,
    durationMs: 2_700_000,
    overview: 'Somebody counts the boats.',
  }),
);

const album = mediaOf({ key: 'album1', type: 'album', title: 'Low Water', year: 2018, artwork: 'album1' });
const tracks = [1, 2].map((number) =>
  mediaOf({
    key: `track${number}`,
    type: 'track',
    title: `Ebb ${number}`,
    parentKey: album.key,
    season: 1,
    episode: number,
    durationMs: 200_000,
  }),
);

const HEVC = { width: 3840, height: 2160, videoCodec: 'hevc', audioCodec: 'eac3', bitrate: 24_000_000 };

/** Writes them for the sources of these ids. */
export async function putCatalogueRows({ tables }: Database, sourceId: number, otherSourceId: number): Promise<void> {
  const media = new MediaTable(tables);
  const catalogue = new MediaCatalogue({ media, files: new CatalogueTable(tables), clock: new FakeClock() });
  await catalogue.putPage(sourceId, {
    folders: [],
    media: [film, series, ...seasons, ...episodes, album, ...tracks],
    items: [
      fileOf(film, 'The Long Harbour (2021)', { ...HEVC, sizeBytes: 22_500_000_000 }),
      fileOf(film, 'The Long Harbour (2021)', {
        quality: '1080p',
        width: 1920,
        height: 1080,
        bitrate: 8_000_000,
        videoCodec: 'h264',
        audioCodec: 'aac',
        container: 'mp4',
      }),
      fileOf(film, 'The Long Harbour (2021)', {
        quality: '720p',
        width: 1280,
        height: 720,
        bitrate: 4_000_000,
        sizeBytes: null,
        container: 'mp4',
        delivery: 'growing',
      }),
      fileOf(film, 'The Long Harbour (2021)', {
        quality: 'version',
        sizeBytes: null,
        refusal: 'it is a torrent, and Larder takes no part in those',
      }),
      ...episodes.map((episode) =>
        fileOf(episode, `Tidewatch S01E${String(episode.episode).padStart(2, '0')} ${episode.title}`, {
          sizeBytes: 700_000_000,
        }),
      ),
      ...tracks.map((track) =>
        fileOf(track, `Low Water – ${track.title}`, { container: 'flac', sizeBytes: 30_000_000 }),
      ),
    ],
  });
  const other = mediaOf({ ...film, key: 'other1', title: 'Long Harbour, The', artwork: null, subtitles: [] });
  await catalogue.putPage(otherSourceId, { folders: [], media: [other], items: [fileOf(other, 'Long Harbour, The')] });
}
