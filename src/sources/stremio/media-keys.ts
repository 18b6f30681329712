// Keys of media items. An id of an add-on says what it means only together with its type (`movie`, `series`), so both are
// in the key: as `tt0111161` for films and `tt0108778:1:2` for episodes, where the id alone tells the type, and as
// `series/tt0108778` for all else; `series/tt0108778/1` is a season.
import { MEDIA_KEY_MAX } from '../catalogue-path.ts';

export interface MediaName {
  readonly type: string;
  readonly id: string;
  /** Set for a season of the series with this id. */
  readonly season: number | null;
}

/** Video ids of series look like `ID:SEASON:EPISODE` (docs/api/responses/meta.md). */
const EPISODE = /^[^/]+:\d{1,6}:\d{1,6}$/;
/** Those that are sure to mean that: after an IMDb id, or one with a prefix; `kitsu:1:2` is the second of `kitsu:1`. */
const NUMBERED = /^(tt\d+|[^:/]+:[^:/]+):(\d{1,6}):(\d{1,6})$/;

/** Null when it would be longer than a key may be. */
export function mediaKeyOf(type: string, id: string): string | null {
  const isEpisode = EPISODE.test(id);
  const isPlain = !id.includes('/') && (isEpisode ? type === 'series' : type === 'movie');
  const key = isPlain ? id : `${encode(type)}/${encode(id)}`;
  return key.length > MEDIA_KEY_MAX ? null : key;
}

export function seasonKeyOf(type: string, id: string, season: number): string | null {
  const key = `${encode(type)}/${encode(id)}/${season}`;
  return key.length > MEDIA_KEY_MAX ? null : key;
}

/** Null for what is no key of ours. */
export function parseMediaKey(key: string): MediaName | null {
  const [type = '', id, season, ...rest] = key.split('/');
  if (id === undefined) return { type: EPISODE.test(key) ? 'series' : 'movie', id: key, season: null };
  if (rest.length > 0 || (season !== undefined && !/^\d{1,6}$/.test(season))) return null;
  try {
    const name = { type: decodeURIComponent(type), id: decodeURIComponent(id) };
    return name.type === '' || name.id === ''
      ? null
      : { ...name, season: season === undefined ? null : Number(season) };
  } catch {
    return null;
  }
}

function encode(text: string): string {
  return text.replace(/[%/]/g, encodeURIComponent);
}

/** Season and episode that a video id names, and the id of its series; null where it names none. */
export function episodeOfId(
  id: string,
): { readonly series: string; readonly season: number; readonly episode: number } | null {
  const [, series, season, episode] = NUMBERED.exec(id) ?? [];
  return series === undefined ? null : { series, season: Number(season), episode: Number(episode) };
}

/** Items to which a video may belong, where nothing says it; the most likely first. */
export function likelyParentIds(videoId: string): string[] {
  const series = episodeOfId(videoId)?.series;
  if (series !== undefined) return [series];
  const once = /^(.+):[^:]*$/.exec(videoId)?.[1];
  const twice = EPISODE.test(videoId) ? /^(.+):[^:]*:[^:]*$/.exec(videoId)?.[1] : undefined;
  return [once, twice].filter((id) => id !== undefined);
}
