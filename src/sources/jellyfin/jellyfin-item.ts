// One item of a server (BaseItemDto), reduced to what is made of it here. An item that lacks an id or a name, or whose
// name is longer than any, is none.
import { LISTED_NAME_MAX } from '../../limits.ts';
import type { CatalogueType } from '../catalogue-source.ts';
import { countOf, type Fields, fieldsOf, guidOf, listOf, numberOf, textOf } from './dto-fields.ts';
import { type JellyfinVersion, readVersions } from './jellyfin-version.ts';

export interface JellyfinItem {
  readonly id: string;
  readonly type: CatalogueType;
  readonly name: string;
  readonly year: number | null;
  readonly seriesId: string | null;
  readonly seriesName: string | null;
  readonly seasonId: string | null;
  readonly albumId: string | null;
  readonly albumName: string | null;
  readonly artist: string | null;
  /** Of a season its own, of an episode its season's, of a track its disc's. */
  readonly season: number | null;
  readonly number: number | null;
  readonly durationMs: number | null;
  readonly overview: string | null;
  readonly image: JellyfinImage | null;
  readonly otherIds: readonly string[];
  /** The item's own first. Empty of what has no file: series, albums, episodes that are missing. */
  readonly versions: readonly JellyfinVersion[];
  /** It stands for something that is not there, such as an episode that was never recorded. */
  readonly isVirtual: boolean;
}

/** Which item's picture, and which state of it. */
export interface JellyfinImage {
  readonly id: string;
  readonly tag: string;
}

/** BaseItemKind.cs: the kinds of which something can be played, or that hold such. */
const TYPES: ReadonlyMap<string | null, CatalogueType> = new Map([
  ['Movie', 'movie'],
  ['Series', 'series'],
  ['Season', 'season'],
  ['Episode', 'episode'],
  ['MusicAlbum', 'album'],
  ['Audio', 'track'],
  ['AudioBook', 'audio'],
  ['Video', 'video'],
  ['MusicVideo', 'video'],
]);
const FILED = new Set<CatalogueType>(['movie', 'episode', 'track', 'audio', 'video']);

/** A tick has 100 ns. */
const TICKS_PER_MS = 10_000;
const OVERVIEW_LENGTH_MAX = 4_000;
const OTHER_IDS_MAX = 16;
const TAG_LENGTH_MAX = 128;

/** Null for what is no item that can be listed. */
export function readItem(value: unknown): JellyfinItem | null {
  const fields = fieldsOf(value);
  const id = guidOf(fields?.Id);
  const name = textOf(fields?.Name, LISTED_NAME_MAX);
  const type = TYPES.get(textOf(fields?.Type, 40));
  if (fields === null || id === null || name === null || type === undefined) return null;
  const isVirtual = fields.LocationType === 'Virtual';
  const text = (field: unknown) => textOf(field, LISTED_NAME_MAX);
  const isSeason = type === 'season';
  const ticks = numberOf(fields.RunTimeTicks);
  return {
    id,
    type,
    name,
    year: yearOf(fields),
    seriesId: guidOf(fields.SeriesId),
    seriesName: text(fields.SeriesName),
    seasonId: guidOf(fields.SeasonId),
    albumId: guidOf(fields.AlbumId),
    albumName: text(fields.Album),
    artist: text(fields.AlbumArtist) ?? artistOf(fields),
    season: isSeason ? countOf(fields.IndexNumber) : countOf(fields.ParentIndexNumber),
    number: isSeason ? null : countOf(fields.IndexNumber),
    durationMs: ticks === null || ticks <= 0 ? null : Math.round(ticks / TICKS_PER_MS),
    overview: textOf(fields.Overview, Number.POSITIVE_INFINITY)?.slice(0, OVERVIEW_LENGTH_MAX) ?? null,
    image: imageOf(fields, id),
    otherIds: otherIdsOf(fields.ProviderIds),
    versions: FILED.has(type) && !isVirtual ? readVersions(fields.MediaSources, id) : [],
    isVirtual,
  };
}

function yearOf(fields: Fields): number | null {
  const year = countOf(fields.ProductionYear) ?? countOf(textOf(fields.PremiereDate, 40)?.slice(0, 4));
  return year !== null && year > 0 && year <= 9_999 ? year : null;
}

function artistOf({ Artists }: Fields): string | null {
  return Array.isArray(Artists) ? textOf(Artists[0], LISTED_NAME_MAX) : null;
}

/** Its own picture, else that of what it belongs to. */
function imageOf(fields: Fields, id: string): JellyfinImage | null {
  const tagged: [string | null, unknown][] = [
    [id, fieldsOf(fields.ImageTags)?.Primary],
    [guidOf(fields.AlbumId), fields.AlbumPrimaryImageTag],
    [guidOf(fields.SeriesId), fields.SeriesPrimaryImageTag],
  ];
  for (const [owner, value] of tagged) {
    const tag = textOf(value, TAG_LENGTH_MAX);
    if (owner !== null && tag !== null) return { id: owner, tag };
  }
  return null;
}

/** `imdb:tt0111161`. */
function otherIdsOf(value: unknown): string[] {
  const fields = fieldsOf(value) ?? {};
  return Object.entries(fields)
    .slice(0, OTHER_IDS_MAX)
    .flatMap(([name, id]) => {
      const text = typeof id === 'number' ? String(id) : textOf(id, 100);
      return text === null || !/^[\w-]{1,40}$/.test(name) ? [] : [`${name.toLowerCase()}:${text.trim()}`];
    });
}

/** The objects of an answer that is a list (QueryResult.cs), unread. */
export function itemsOf(body: unknown, countMax: number): Fields[] {
  return listOf(fieldsOf(body)?.Items, countMax);
}

/** Null where the answer is no list. */
export function totalOf(body: unknown): number | null {
  return countOf(fieldsOf(body)?.TotalRecordCount);
}
