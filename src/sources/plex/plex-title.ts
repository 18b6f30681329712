// A row of a Plex library (`Metadata`), read into what it is: a title, its versions (`Media`) and the files of each
// (`Part`). What cannot be read is left out: a row without a key or a name, a version with a part that has no address.
import { LISTED_NAME_MAX } from '../../limits.ts';
import type { CatalogueSubtitle, CatalogueType } from '../catalogue-source.ts';
import {
  type Fields,
  readCount,
  readElements,
  readFlag,
  readList,
  readNumber,
  readRatingKey,
  readServerPath,
  readText,
} from './plex-fields.ts';

export interface PlexPart {
  /** Path of the file, without a token: `/library/parts/872/1348327790/file.mkv`. */
  readonly key: string;
  readonly sizeBytes: number | null;
  /** Moves with the file: the change stamp that is in its path to break caches, and its size. */
  readonly stamp: string;
  readonly container: string | null;
  readonly subtitles: readonly CatalogueSubtitle[];
}

export interface PlexVersion {
  /** Its place in `Media`, by which the transcoder names it. */
  readonly mediaIndex: number;
  readonly width: number | null;
  readonly height: number | null;
  /** In bit/s. */
  readonly bitrate: number | null;
  readonly videoCodec: string | null;
  readonly audioCodec: string | null;
  /** Made by the server out of another version. */
  readonly isMade: boolean;
  /** In the order in which they play; more than one is a film that is split over files. */
  readonly parts: readonly PlexPart[];
}

export interface PlexTitle {
  readonly key: string;
  readonly type: CatalogueType;
  readonly title: string;
  readonly year: number | null;
  /** Of the season in the series, of the episode in the season, of the track on its disc. */
  readonly index: number | null;
  /** Of an episode's season, of a track's disc. */
  readonly parentIndex: number | null;
  readonly parentKey: string | null;
  readonly grandparentKey: string | null;
  readonly parentTitle: string | null;
  readonly grandparentTitle: string | null;
  readonly durationMs: number | null;
  readonly overview: string | null;
  readonly artwork: string | null;
  readonly otherIds: readonly string[];
  readonly versions: readonly PlexVersion[];
}

const OVERVIEW_MAX = 4_000;
const VERSIONS_MAX = 50;
const PARTS_MAX = 100;
const STREAMS_MAX = 500;
const IDS_MAX = 20;

const TYPES: Readonly<Record<string, CatalogueType>> = {
  movie: 'movie',
  show: 'series',
  season: 'season',
  episode: 'episode',
  album: 'album',
  track: 'track',
};
/** What a library also has and a player plays nothing of. */
const OTHER_TYPES = new Set(['artist', 'photo', 'photoalbum', 'collection', 'playlist', 'tag', 'person', 'genre']);

/** Heights that stand for names of `videoResolution`. */
const RESOLUTIONS: Readonly<Record<string, number>> = { '4k': 2160, '8k': 4320, sd: 480 };

/** @param container - what its rows have in common may stand there alone (plex-api-spec.yaml, `MediaContainer`) */
export function readTitle(row: Fields, container: Fields): PlexTitle | null {
  const key = readRatingKey(row.ratingKey);
  const title = readText(row.title, LISTED_NAME_MAX);
  const plexType = readText(row.type, 40) ?? 'video';
  if (key === null || title === null || OTHER_TYPES.has(plexType)) return null;
  // Libraries of "other videos" call what is in them movies, which no agent knows.
  const isClip = plexType === 'movie' && (row.subtype === 'clip' || /\.agents\.none:/.test(String(row.guid)));
  const inherited = (name: string) => row[name] ?? container[name];
  return {
    key,
    type: isClip ? 'video' : (TYPES[plexType] ?? 'video'),
    title,
    year: readYear(row.year),
    index: readCount(row.index),
    parentIndex: readCount(inherited('parentIndex')),
    parentKey: otherThan(key, readRatingKey(inherited('parentRatingKey'))),
    grandparentKey: otherThan(key, readRatingKey(inherited('grandparentRatingKey'))),
    parentTitle: readText(inherited('parentTitle'), LISTED_NAME_MAX),
    grandparentTitle: readText(inherited('grandparentTitle'), LISTED_NAME_MAX),
    durationMs: readCount(row.duration),
    overview: typeof row.summary === 'string' ? readText(row.summary.slice(0, OVERVIEW_MAX), OVERVIEW_MAX) : null,
    artwork: readServerPath(row.thumb),
    otherIds: readIds(row),
    versions: readVersions(row.Media),
  };
}

/** Nothing is its own parent. */
function otherThan(key: string, parent: string | null): string | null {
  return parent === key ? null : parent;
}

function readYear(value: unknown): number | null {
  const year = readCount(value);
  return year !== null && year > 1_000 && year < 10_000 ? year : null;
}

function readVersions(media: unknown): PlexVersion[] {
  return readElements(media, VERSIONS_MAX).flatMap((fields, mediaIndex) => {
    const version = fields === null ? null : readVersion(fields, mediaIndex);
    return version === null ? [] : [version];
  });
}

function readVersion(fields: Fields, mediaIndex: number): PlexVersion | null {
  const parts = readElements(fields.Part, PARTS_MAX).map((part) => (part === null ? null : readPart(part, fields)));
  if (parts.length === 0 || parts.some((part) => part === null)) return null;
  const kilobits = readNumber(fields.bitrate);
  return {
    mediaIndex,
    width: positive(readCount(fields.width)),
    height: positive(readCount(fields.height)) ?? readResolution(fields.videoResolution),
    bitrate: kilobits === null || kilobits <= 0 ? null : Math.round(kilobits * 1_000),
    videoCodec: readCodec(fields.videoCodec),
    audioCodec: readCodec(fields.audioCodec),
    // "Optimised" versions (python-plexapi media.py: SEARCHTYPES and `proxyType` 42).
    isMade: readCount(fields.proxyType) === 42,
    parts: parts.filter((part) => part !== null),
  };
}

function readPart(part: Fields, media: Fields): PlexPart | null {
  const key = readServerPath(part.key);
  if (key === null) return null;
  // /library/parts/{partId}/{changestamp}/{filename} (plex-api-spec.yaml, `getMediaPart`).
  const changeStamp = /^\/library\/parts\/\d+\/(\d+)\//.exec(key)?.[1] ?? `part ${readText(part.id, 40) ?? key}`;
  const sizeBytes = positive(readCount(part.size));
  const extension = /\.([a-z0-9]{1,10})$/i.exec(key)?.[1] ?? null;
  return {
    key,
    sizeBytes,
    stamp: `${changeStamp} ${sizeBytes ?? ''}`.trim().slice(0, 200),
    container: (readText(part.container, 10) ?? extension ?? readText(media.container, 10))?.toLowerCase() ?? null,
    subtitles: readSubtitles(part.Stream),
  };
}

/** Streams of type 3 with a path of their own lie beside the film; those without one are in it. */
function readSubtitles(streams: unknown): CatalogueSubtitle[] {
  return readList(streams, STREAMS_MAX).flatMap((stream) => {
    const locator = readServerPath(stream.key);
    if (readCount(stream.streamType) !== 3 || locator === null) return [];
    const extension = /\.([a-z0-9]{1,10})$/i.exec(locator)?.[1];
    return {
      language: readText(stream.languageTag, 40) ?? readText(stream.languageCode, 40),
      title: readText(stream.title, 200) ?? readText(stream.displayTitle, 200),
      format: subtitleFormat(readText(stream.format, 20) ?? readCodec(stream.codec) ?? extension ?? 'srt'),
      locator,
      isForced: readFlag(stream.forced),
    };
  });
}

function subtitleFormat(name: string): string {
  const format = name.toLowerCase();
  return { subrip: 'srt', webvtt: 'vtt', ssa: 'ass' }[format] ?? format;
}

function readIds(row: Fields): string[] {
  const guids = [row.guid, ...readList(row.Guid, IDS_MAX).map((guid) => guid.id)];
  const ids = guids.flatMap((guid) => {
    const text = readText(guid, 200) ?? '';
    // `imdb://tt0111161`, and of agents before 2020 `com.plexapp.agents.imdb://tt0111161?lang=en`.
    const match = /^(?:com\.plexapp\.agents\.)?(imdb|tmdb|themoviedb|tvdb|mbid):\/\/([\w-]{1,64})(?:\?.*)?$/.exec(text);
    return match === null ? [] : [`${match[1] === 'themoviedb' ? 'tmdb' : match[1]}:${match[2]}`];
  });
  return [...new Set(ids)];
}

function readCodec(value: unknown): string | null {
  return readText(value, 40)?.toLowerCase() ?? null;
}

function readResolution(value: unknown): number | null {
  const name = readText(value, 10)?.toLowerCase().replace(/p$/, '') ?? '';
  return RESOLUTIONS[name] ?? positive(readCount(name));
}

function positive(value: number | null): number | null {
  return value === null || value <= 0 ? null : value;
}
