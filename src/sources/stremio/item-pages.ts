// Films, series and their streams as the catalogue has them. Every path is without an ending: which file a quality is may
// change while its path stays, and during a sync no file is known yet.

import { cataloguePath } from '../catalogue-path.ts';
import type {
  CatalogueItem,
  CatalogueMedia,
  CataloguePage,
  CatalogueSubtitle,
  CatalogueType,
} from '../catalogue-source.ts';
import { likelyParentIds, mediaKeyOf, seasonKeyOf } from './media-keys.ts';
import type { AddonMeta, AddonVideo } from './metas.ts';
import { identityOf, type NamedStream, type StreamLocator, writeLocator } from './stream-choice.ts';
import type { RefusedStream, StreamFile } from './streams.ts';
import { fileLocator } from './subtitles.ts';

/** One thing that can be played: a film, or a video of a series. */
export interface Playable {
  readonly mediaKey: string;
  readonly type: CatalogueType;
  readonly title: string;
  readonly year: number | null;
  /** Names the file for people. */
  readonly label: string;
  readonly locator: Pick<StreamLocator, 'video' | 'parent'>;
  /** Why it is not to be played whatever its streams are; null where it is. */
  readonly refusal: string | null;
}

export interface DescribedPage extends CataloguePage {
  readonly media: readonly CatalogueMedia[];
}

/** Made of videos, and nothing to be played itself. */
export function isSeries(type: string): boolean {
  return type === 'series' || type === 'channel';
}

function typeOf(type: string): CatalogueType {
  if (isSeries(type)) return 'series';
  return type === 'movie' ? 'movie' : 'video';
}

export function mediaOf(
  meta: AddonMeta,
  addonBaseUrl: string,
  subtitles: readonly CatalogueSubtitle[] = [],
): CatalogueMedia | null {
  const key = mediaKeyOf(meta.type, meta.id);
  if (key === null) return null;
  return {
    key,
    type: typeOf(meta.type),
    title: meta.title,
    year: meta.year,
    parentKey: null,
    season: null,
    episode: null,
    durationMs: meta.durationMs,
    overview: meta.overview,
    artwork: fileLocator(meta.poster, addonBaseUrl),
    otherIds: meta.otherIds,
    subtitles,
  };
}

/** Null for what is made of videos. */
export function playableOf(meta: AddonMeta): Playable | null {
  const mediaKey = mediaKeyOf(meta.type, meta.id);
  if (mediaKey === null || isSeries(meta.type)) return null;
  const video = meta.defaultVideoId ?? meta.videos[0]?.id ?? meta.id;
  return {
    mediaKey,
    type: typeOf(meta.type),
    title: meta.title,
    year: meta.year,
    label: meta.year === null ? meta.title : `${meta.title} (${meta.year})`,
    locator: { video: video === meta.id ? null : video, parent: null },
    // "streams for tv should be live (without duration)" (docs/api/responses/content.types.md)
    refusal: meta.type === 'tv' ? 'it is live television: it has no end, and cannot be kept' : null,
  };
}

/** What a catalogue lists: no streams are known, so each film has one quality whose file is found when it is played. */
export function previewPage(metas: readonly AddonMeta[], addonBaseUrl: string): DescribedPage {
  const media: CatalogueMedia[] = [];
  const items: CatalogueItem[] = [];
  for (const meta of metas) {
    const described = mediaOf(meta, addonBaseUrl);
    if (described === null) continue;
    media.push(described);
    const playable = playableOf(meta);
    if (playable !== null) items.push(originalItem(playable));
  }
  return { items, folders: [], media };
}

/** The quality that there is before any stream was seen. */
export function originalItem(playable: Playable, refusal = playable.refusal): CatalogueItem {
  const { mediaKey, type, title, year, label, locator } = playable;
  return {
    mediaKey,
    quality: 'original',
    type,
    title,
    year,
    path: cataloguePath(label, { mediaKey, quality: 'original', container: null }),
    container: null,
    sizeBytes: null,
    stamp: null,
    locator: writeLocator({ ...locator, stream: null }),
    refusal,
  };
}

/** The qualities of what can be played, once its streams are known; those that cannot be fetched say why. */
export function streamItems(
  playable: Playable,
  named: readonly NamedStream[],
  refused: readonly RefusedStream[],
): CatalogueItem[] {
  const items = named.map(({ quality, stream }) => ({
    ...fileItem(playable, quality, stream),
    locator: writeLocator({ ...playable.locator, stream: identityOf(stream) }),
    delivery: stream.isPlaylist ? ('hls' as const) : ('file' as const),
    refusal: playable.refusal,
  }));
  const counts = new Map<string, number>();
  const refusals = refused.map((stream) => {
    const number = (counts.get(stream.way) ?? 0) + 1;
    counts.set(stream.way, number);
    return { ...fileItem(playable, `${stream.way}-${number}`, stream), locator: null, refusal: stream.refusal };
  });
  if (items.length > 0) return [...items, ...refusals];
  const why = refused[0]?.refusal;
  const refusal =
    why === undefined ? 'the add-on has no stream of it at the moment' : `no stream of it is a file: ${why}`;
  return [originalItem(playable, playable.refusal ?? refusal), ...refusals];
}

function fileItem(playable: Playable, quality: string, file: StreamFile): CatalogueItem {
  const { mediaKey, type, title, year, label } = playable;
  const { sizeBytes, filename, container, height, videoCodec, audioCodec } = file;
  return {
    mediaKey,
    quality,
    type,
    title,
    year,
    // What is a playlist is not answered as a file is.
    path: cataloguePath(label, { mediaKey, quality, container: container === 'm3u8' ? container : null }),
    container,
    sizeBytes,
    stamp: (sizeBytes ?? filename) === null ? null : `${sizeBytes ?? ''} ${filename ?? ''}`,
    height,
    videoCodec,
    audioCodec,
  };
}

/** Videos of a series by season, of a channel without; each with what is above it. */
export class SeriesItems {
  readonly #meta: AddonMeta;
  readonly #addonBaseUrl: string;
  readonly #series: CatalogueMedia | null;

  constructor(meta: AddonMeta, addonBaseUrl: string) {
    this.#meta = meta;
    this.#addonBaseUrl = addonBaseUrl;
    this.#series = mediaOf(meta, addonBaseUrl);
  }

  /** The whole of it, or one season; no streams are asked for, as there may be thousands. */
  page(season: number | null): DescribedPage {
    const videos = this.#meta.videos.filter((video) => season === null || video.season === season);
    const playable = videos.flatMap((video) => this.playable(video) ?? []);
    return { items: playable.map((entry) => originalItem(entry)), folders: [], media: this.media(videos) };
  }

  /** With the series and the seasons that they are in, those first. */
  media(videos: readonly AddonVideo[], subtitles: readonly CatalogueSubtitle[] = []): CatalogueMedia[] {
    if (this.#series === null) return [];
    const seasons = [...new Set(videos.flatMap(({ season }) => season ?? []))].sort((one, other) => one - other);
    return [
      this.#series,
      ...seasons.flatMap((season) => this.#season(season) ?? []),
      ...videos.flatMap((video) => this.#video(video, subtitles) ?? []),
    ];
  }

  playable(video: AddonVideo): Playable | null {
    const mediaKey = this.#keyOf(video);
    if (mediaKey === null) return null;
    const { title: series, type, id, year } = this.#meta;
    const title = titleOf(video);
    const { season, episode } = video;
    const number = season === null || episode === null ? '–' : `S${twoDigits(season)}E${twoDigits(episode)}`;
    return {
      mediaKey,
      type: isSeries(type) ? 'episode' : 'video',
      title,
      year,
      label: `${series} ${number} ${title}`,
      // Where its id says it, nothing has to be noted: what was noted of the file that was chosen stays then.
      locator: { video: null, parent: likelyParentIds(video.id)[0] === id ? null : id },
      refusal: null,
    };
  }

  /** Null for a video that would be its own parent. */
  #keyOf(video: AddonVideo): string | null {
    const key = mediaKeyOf(this.#meta.type, video.id);
    return key === this.#series?.key ? null : key;
  }

  #season(season: number): CatalogueMedia | null {
    const key = seasonKeyOf(this.#meta.type, this.#meta.id, season);
    if (key === null || this.#series === null) return null;
    return {
      ...this.#series,
      key,
      type: 'season',
      title: season === 0 ? 'Specials' : `Season ${season}`,
      year: null,
      parentKey: this.#series.key,
      season,
      durationMs: null,
      overview: null,
      artwork: null,
      otherIds: [],
    };
  }

  #video(video: AddonVideo, subtitles: readonly CatalogueSubtitle[]): CatalogueMedia | null {
    const key = this.#keyOf(video);
    const { type, id, durationMs } = this.#meta;
    if (key === null || this.#series === null) return null;
    return {
      ...this.#series,
      key,
      type: isSeries(type) ? 'episode' : 'video',
      title: titleOf(video),
      year: null,
      parentKey: (video.season === null ? null : seasonKeyOf(type, id, video.season)) ?? this.#series.key,
      season: video.season,
      episode: video.episode,
      durationMs,
      overview: video.overview,
      artwork: fileLocator(video.thumbnail, this.#addonBaseUrl),
      otherIds: [],
      subtitles,
    };
  }
}

function titleOf({ title, episode, id }: AddonVideo): string {
  return title ?? (episode === null ? id : `Episode ${episode}`);
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
