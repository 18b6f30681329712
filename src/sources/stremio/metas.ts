// What an add-on tells of its films and series (Stremio/stremio-addon-sdk docs/api/responses/meta.md): previews in its
// catalogues, and whole ones with the videos of a series. Whoever wrote it may have written anything.
import { beginningOf, type JsonRecord, listOf, recordOf, textOf, wholeOf } from './json-values.ts';
import { NAME_MAX } from './manifest.ts';
import { episodeOfId } from './media-keys.ts';

export interface AddonVideo {
  readonly id: string;
  readonly title: string | null;
  readonly season: number | null;
  readonly episode: number | null;
  readonly overview: string | null;
  readonly thumbnail: string | null;
  /** As they came; some add-ons have them here and nowhere else. */
  readonly streams: unknown;
}

export interface AddonMeta {
  readonly type: string;
  readonly id: string;
  readonly title: string;
  readonly year: number | null;
  readonly overview: string | null;
  readonly durationMs: number | null;
  readonly poster: string | null;
  readonly otherIds: readonly string[];
  /** What streams are asked for by, where that is not the id. */
  readonly defaultVideoId: string | null;
  readonly videos: readonly AddonVideo[];
}

const OVERVIEW_MAX = 4_000;
const ADDRESS_MAX = 4_096;
/** A daily programme of decades has some 15,000. */
const VIDEOS_MAX = 20_000;

/**
 * @param asked - set for what was asked for by its id: then that is what it is called, whatever the answer says
 * @returns null for what has no id or name
 */
export function readMeta(value: unknown, type: string, asked: string | null): AddonMeta | null {
  const meta = recordOf(value);
  const id = asked ?? textOf(meta?.id, NAME_MAX);
  const title = textOf(meta?.name, NAME_MAX);
  if (meta === null || id === null || title === null) return null;
  const hints = recordOf(meta.behaviorHints);
  return {
    type: (asked === null ? textOf(meta.type, NAME_MAX) : null) ?? type,
    id,
    title,
    year: yearOf(meta),
    overview: beginningOf(meta.description, OVERVIEW_MAX),
    durationMs: durationOf(meta.runtime),
    poster: textOf(meta.poster, ADDRESS_MAX),
    otherIds: otherIdsOf(meta, id),
    defaultVideoId: textOf(hints?.defaultVideoId, NAME_MAX),
    videos: readVideos(meta.videos),
  };
}

/** Years of series are `2000-2014` or `2000-`. */
function yearOf(meta: JsonRecord): number | null {
  for (const value of [meta.releaseInfo, meta.year, meta.released]) {
    const year = /^\D{0,4}((?:18|19|20)\d\d)(?!\d)/.exec(textOf(value, 100) ?? '')?.[1];
    if (year !== undefined) return Number(year);
  }
  return null;
}

/** `120m`, `120 min`, `2h10min`, and minutes alone. */
function durationOf(value: unknown): number | null {
  const text = textOf(value, 40)?.toLowerCase() ?? '';
  const [, hours, minutes] = /^(?:(\d{1,2})\s*h[a-z]*)?\s*(?:(\d{1,4})\s*(?:m[a-z]*)?)?\.?$/.exec(text) ?? [];
  const ms = Number(hours ?? 0) * 3_600_000 + Number(minutes ?? 0) * 60_000;
  return ms > 0 ? ms : null;
}

function otherIdsOf(meta: JsonRecord, id: string): string[] {
  const imdb = [id, textOf(meta.imdb_id, 20)].find((text) => text !== null && /^tt\d{5,12}$/.test(text));
  const tmdb = wholeOf(meta.moviedb_id);
  const own = /^(?:tmdb|tvdb|kitsu|mal|anilist|trakt):\d{1,12}$/.test(id) ? [id] : [];
  return [
    ...new Set([
      ...(imdb === undefined || imdb === null ? [] : [`imdb:${imdb}`]),
      ...(tmdb === null ? [] : [`tmdb:${tmdb}`]),
      ...own,
    ]),
  ];
}

function readVideos(value: unknown): AddonVideo[] {
  const videos = new Map<string, AddonVideo>();
  for (const entry of listOf(value, VIDEOS_MAX)) {
    const video = recordOf(entry);
    const id = textOf(video?.id, NAME_MAX);
    if (video === null || id === null || videos.has(id)) continue;
    const named = episodeOfId(id);
    videos.set(id, {
      id,
      // Cinemeta calls it `name`, and numbers episodes by `number` as well.
      title: textOf(video.title, NAME_MAX) ?? textOf(video.name, NAME_MAX),
      season: wholeOf(video.season) ?? named?.season ?? null,
      episode: wholeOf(video.episode) ?? wholeOf(video.number) ?? named?.episode ?? null,
      overview: beginningOf(video.overview ?? video.description, OVERVIEW_MAX),
      thumbnail: textOf(video.thumbnail, ADDRESS_MAX),
      streams: video.streams,
    });
  }
  return [...videos.values()];
}
