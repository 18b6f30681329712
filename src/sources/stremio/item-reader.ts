// Reads one item of an add-on by its key: what it is and which streams there are of it, or what is below it.
import { LarderError } from '../../errors.ts';
import type { CataloguePage, CatalogueSubtitle } from '../catalogue-source.ts';
import type { AddonReader, Asking } from './addon-reader.ts';
import { isSeries, mediaOf, type Playable, playableOf, SeriesItems, streamItems } from './item-pages.ts';
import { likelyParentIds, type MediaName, parseMediaKey } from './media-keys.ts';
import type { AddonMeta, AddonVideo } from './metas.ts';
import type { NamedStream, StreamLocator } from './stream-choice.ts';
import { type PlayableStream, readStreams, type StreamList } from './streams.ts';

/** Which stream is which quality of the item with this key; `parentId` is that of the series. */
export type Naming = (
  mediaKey: string,
  parentId: string | null,
  streams: readonly PlayableStream[],
) => Promise<readonly NamedStream[]>;

type Found =
  | { readonly kind: 'item'; readonly meta: AddonMeta }
  | { readonly kind: 'video'; readonly meta: AddonMeta; readonly video: AddonVideo };

export class ItemReader {
  readonly #reader: AddonReader;
  readonly #name: Naming;

  constructor(reader: AddonReader, name: Naming) {
    this.#reader = reader;
    this.#name = name;
  }

  /**
   * @param parent - id of the item that it is known to be part of
   * @param list - its streams, where they were just asked for
   * @returns null when the add-on does not know it
   */
  async read(
    mediaKey: string,
    parent: string | null,
    { signal, list }: { readonly signal?: AbortSignal; readonly list?: StreamList } = {},
  ): Promise<CataloguePage | null> {
    const name = parseMediaKey(mediaKey);
    if (name === null) return null;
    const found = await this.#find(name, parent, { signal });
    if (found === null) return null;
    const { meta } = found;
    const series = new SeriesItems(meta, this.#reader.address.baseUrl);
    if (found.kind === 'item') {
      if (name.season !== null || isSeries(meta.type)) {
        const page = series.page(name.season);
        return name.season !== null && page.items.length === 0 ? null : page;
      }
      return this.#readFilm(meta, series, list, signal);
    }
    const playable = series.playable(found.video);
    if (playable === null) return null;
    const streams = list ?? (await this.streams(name, { video: null, parent: meta.id }, { signal }));
    const { items, subtitles } = await this.#readStreams(playable, meta.id, name.type, name.id, streams, signal);
    return { items, folders: [], media: series.media([found.video], subtitles) };
  }

  async #readFilm(
    meta: AddonMeta,
    series: SeriesItems,
    list: StreamList | undefined,
    signal: AbortSignal | undefined,
  ): Promise<CataloguePage | null> {
    const playable = playableOf(meta);
    if (playable === null) return null;
    const { type, id } = meta;
    const videoId = playable.locator.video ?? id;
    const streams = list ?? (await this.streams({ type, id }, playable.locator, { signal }));
    const { items, subtitles } = await this.#readStreams(playable, null, type, videoId, streams, signal);
    const media = mediaOf(meta, this.#reader.address.baseUrl, subtitles);
    // A film in several files, as services that keep a person's files list them.
    const parts = meta.videos.length > 1 ? series.page(null) : null;
    return {
      items: [...items, ...(parts?.items ?? [])],
      folders: [],
      media: [...(media === null ? [] : [media]), ...(parts?.media.slice(1) ?? [])],
    };
  }

  async #readStreams(
    playable: Playable,
    parentId: string | null,
    type: string,
    videoId: string,
    { playable: streams, refused }: StreamList,
    signal: AbortSignal | undefined,
  ) {
    const named = await this.#name(playable.mediaKey, parentId, streams);
    const original = named[0]?.stream;
    const file = { filename: original?.filename ?? null, sizeBytes: original?.sizeBytes ?? null };
    const more = original === undefined ? [] : await this.#subtitles(type, videoId, file, signal);
    const own = original?.subtitles ?? [];
    const locators = new Set(own.map(({ locator }) => locator));
    const subtitles = [...own, ...more.filter(({ locator }) => !locators.has(locator))];
    return { items: streamItems(playable, named, refused), subtitles };
  }

  /** A film is not kept back for want of subtitles: they are told the next time. */
  async #subtitles(
    type: string,
    videoId: string,
    file: { readonly filename: string | null; readonly sizeBytes: number | null },
    signal: AbortSignal | undefined,
  ): Promise<readonly CatalogueSubtitle[]> {
    try {
      return await this.#reader.subtitles(type, videoId, file, { signal });
    } catch (error) {
      if (!(error instanceof LarderError) || error.code === 'stopped') throw error;
      return [];
    }
  }

  /** Its streams. Where there is nothing to be had by the id alone, what the add-on tells of the item says more. */
  async streams(
    name: Pick<MediaName, 'type' | 'id'>,
    { video, parent }: Pick<StreamLocator, 'video' | 'parent'>,
    asking: Asking,
  ): Promise<StreamList> {
    const { type, id } = name;
    const list = await this.#reader.streams(type, video ?? id, asking);
    if (list.playable.length + list.refused.length > 0) return list;
    const found = await this.#find({ type, id, season: null }, parent, asking);
    if (found === null) return list;
    const videoId = found.kind === 'video' ? id : (playableOf(found.meta)?.locator.video ?? id);
    const videos = found.kind === 'video' ? [found.video] : found.meta.videos;
    const own = readStreams(videos.find((entry) => entry.id === videoId)?.streams, this.#reader.address.baseUrl);
    if (own.playable.length + own.refused.length > 0 || videoId === (video ?? id)) return own;
    return this.#reader.streams(type, videoId, asking);
  }

  /** Whether the add-on still knows it. */
  async has(mediaKey: string, parent: string | null, signal: AbortSignal): Promise<boolean> {
    const name = parseMediaKey(mediaKey);
    return name !== null && (await this.#find(name, parent, { isFresh: true, signal })) !== null;
  }

  /** A key does not always say whether it is that of an item or of a video of one. */
  async #find(name: MediaName, parent: string | null, asking: Asking): Promise<Found | null> {
    const { type, id, season } = name;
    const isVideoFirst = season === null && (parent !== null || (isSeries(type) && mayBeEpisode(id)));
    const video = isVideoFirst ? await this.#findVideo(name, parent, asking) : null;
    if (video !== null) return video;
    const meta = await this.#reader.meta(type, id, asking);
    if (meta !== null) return { kind: 'item', meta };
    return isVideoFirst || season !== null ? null : this.#findVideo(name, parent, asking);
  }

  async #findVideo({ type, id }: MediaName, parent: string | null, asking: Asking): Promise<Found | null> {
    for (const parentId of parent === null ? likelyParentIds(id) : [parent]) {
      const meta = await this.#reader.meta(type, parentId, asking);
      const video = meta?.videos.find((entry) => entry.id === id);
      if (meta !== null && video !== undefined) return { kind: 'video', meta, video };
    }
    return null;
  }
}

function mayBeEpisode(id: string): boolean {
  return /:\d+:\d+$/.test(id);
}
