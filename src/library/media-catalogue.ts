// What the rows know of media items, for sources that need it to find bytes, and what sources say of items, for the rows.
import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { CatalogueTable } from '../db/catalogue.ts';
import type { MediaDescription, MediaTable } from '../db/media.ts';
import { CATALOGUE_BATCH } from '../limits.ts';
import type { CatalogueMedia, CataloguePage } from '../sources/catalogue-source.ts';
import type { KnownCatalogue, KnownQuality } from '../sources/media-source.ts';
import { yieldTurn } from '../yield-turn.ts';

export interface MediaCatalogueServices {
  readonly media: MediaTable;
  readonly files: Pick<CatalogueTable, 'findKnown' | 'putFiles'>;
  readonly clock: Clock;
}

const OVERVIEW_MAX = 4_000;
const TITLE_MAX = 500;
const IDS_MAX = 10;
const SUBTITLES_MAX = 100;
export const POSTER = '~poster';
const SUBTITLE = /^~sub-([1-9]\d{0,3})$/;

export class MediaCatalogue implements KnownCatalogue {
  readonly #services: MediaCatalogueServices;

  constructor(services: MediaCatalogueServices) {
    this.#services = services;
  }

  async findQuality(sourceId: number, mediaKey: string, quality: string): Promise<KnownQuality | null> {
    const { media } = this.#services;
    if (quality.startsWith('~')) return this.#findSideFile(sourceId, mediaKey, quality);
    const row = await media.findVariant(sourceId, mediaKey, quality);
    if (row === null) return null;
    const { locator, container, sizeBytes, height, bitrate } = row;
    return { mediaKey, quality, locator, container, sizeBytes, height, bitrate };
  }

  /** Makes the rows say what its source says of an item now. Of what is below it, a source need not name all there is. */
  async noteItem(sourceId: number, page: CataloguePage, mediaKey: string): Promise<void> {
    const { media, clock } = this.#services;
    await this.putPage(sourceId, page);
    const named = page.items.flatMap((item) => (item.mediaKey === mediaKey ? [item.quality] : []));
    const mediaId = await media.findId(sourceId, mediaKey);
    if (mediaId !== null) await media.noteRead(mediaId, named, clock.nowMs());
  }

  /** Adds to the rows what a source tells of some items; what it does not tell stays. */
  async putPage(sourceId: number, page: CataloguePage): Promise<void> {
    const { files, clock } = this.#services;
    await this.putMedia(sourceId, page.media ?? []);
    for (let at = 0; at < page.items.length; at += CATALOGUE_BATCH) {
      const batch = page.items.slice(at, at + CATALOGUE_BATCH);
      await files.putFiles(sourceId, null, batch, clock.nowMs(), await files.findKnown(sourceId, batch));
      await yieldTurn();
    }
  }

  /** Writes those that read differently from what is known of them. */
  async putMedia(sourceId: number, items: readonly CatalogueMedia[]): Promise<void> {
    const { media, clock } = this.#services;
    for (let at = 0; at < items.length; at += CATALOGUE_BATCH) {
      const batch = items.slice(at, at + CATALOGUE_BATCH).map(describeMedia);
      const keys = new Set(batch.flatMap(({ key, parentKey }) => (parentKey === null ? [key] : [key, parentKey])));
      const known = await media.fingerprints(sourceId, [...keys]);
      const differing = batch.filter(({ key, fingerprint }) => known.get(key) !== fingerprint);
      await media.put(sourceId, differing, clock.nowMs(), new Set(known.keys()));
      // Players are served in between.
      await yieldTurn();
    }
  }

  async #findSideFile(sourceId: number, mediaKey: string, quality: string): Promise<KnownQuality | null> {
    const { media } = this.#services;
    const mediaId = await media.findId(sourceId, mediaKey);
    if (mediaId === null) return null;
    const unknown = { mediaKey, quality, sizeBytes: null, height: null, bitrate: null };
    if (quality === POSTER) {
      const [facts] = await media.findFacts([mediaId]);
      return facts?.artwork == null ? null : { ...unknown, locator: facts.artwork, container: 'jpg' };
    }
    const number = Number(SUBTITLE.exec(quality)?.[1] ?? 0);
    const subtitle = (await media.listSubtitles([mediaId])).find((row) => row.number === number);
    return subtitle === undefined ? null : { ...unknown, locator: subtitle.locator, container: subtitle.format };
  }
}

function describeMedia(item: CatalogueMedia): MediaDescription {
  const description = {
    ...item,
    title: item.title.slice(0, TITLE_MAX),
    overview: item.overview?.slice(0, OVERVIEW_MAX) ?? null,
    otherIds: item.otherIds.slice(0, IDS_MAX),
    subtitles: item.subtitles.slice(0, SUBTITLES_MAX),
  };
  const fingerprint = createHash('sha256').update(JSON.stringify(description)).digest('base64url').slice(0, 22);
  return { ...description, fingerprint };
}
