// A Jellyfin server as a source: what its films are called, and where their bytes are.
import { LarderError } from '../../errors.ts';
import { parseCataloguePath } from '../catalogue-path.ts';
import type { CataloguePage, CatalogueSource } from '../catalogue-source.ts';
import { ladderBelow, wayOf } from '../ladder.ts';
import type { MediaAddress } from '../media-address.ts';
import {
  ConfiguredSource,
  type MediaSource,
  type ResolveOptions,
  type Rung,
  type SourceServices,
  type SourceTarget,
  type UpstreamRequest,
} from '../media-source.ts';
import { authorizationHeader } from './authorization-header.ts';
import { withDeadline } from './deadline.ts';
import { pageOfItems } from './item-page.ts';
import { findItem, listBelow, searchItems } from './item-questions.ts';
import { type FolderMemory, JellyfinCatalogue } from './jellyfin-catalogue.ts';
import { decodeLocator, type JellyfinLocator } from './jellyfin-locator.ts';
import { type JellyfinOptions, readJellyfinOptions } from './jellyfin-options.ts';
import { JellyfinSession } from './jellyfin-session.ts';
import { conversionAddress, fileAddress, type StreamAddress } from './stream-request.ts';

/** What is known of one quality or side file of an item. */
interface Known {
  readonly locator: string | null;
  readonly height: number | null;
  readonly bitrate: number | null;
}

type FindKnown = (quality: string) => Promise<Known | null>;

export class JellyfinSource extends ConfiguredSource implements MediaSource {
  readonly kind = 'jellyfin';
  readonly #services: SourceServices;
  readonly #session: JellyfinSession;
  readonly #memory: FolderMemory = new Map();
  readonly #asked = new Map<string, Promise<CataloguePage | null>>();

  constructor(id: number, name: string, target: SourceTarget, services: SourceServices) {
    super(id, name, target);
    this.#services = services;
    this.#session = new JellyfinSession(target, services);
  }

  get ladder(): readonly Rung[] {
    return this.#options.ladder;
  }

  get #options(): JellyfinOptions {
    return readJellyfinOptions(this.target.options);
  }

  override retarget(target: SourceTarget): void {
    super.retarget(target);
    this.#session.retarget(target);
  }

  describe(path: string): MediaAddress {
    return parseCataloguePath(path);
  }

  async resolve(media: MediaAddress, { isFresh }: ResolveOptions): Promise<UpstreamRequest> {
    this.refuseRemoved();
    const { mediaKey } = media;
    const known = isFresh ? null : await this.#addressOf(media, this.#findStored(mediaKey));
    const address = known ?? (await this.#addressOf(media, this.#findFresh(mediaKey)));
    if (address === null) {
      throw new LarderError('not-found', 'the server has no such file, or not in this quality', {
        hint: 'its page lists what there is; go through the source again if it was added or replaced just now',
      });
    }
    const { token } = await this.#session.access();
    const { deviceId } = this.#options;
    return {
      ...address,
      headers: { authorization: authorizationHeader(token, { deviceId, version: this.#services.version }) },
      baseUrl: this.target.url,
      local: this.target.local,
    };
  }

  openCatalogue(): CatalogueSource {
    return new JellyfinCatalogue(this.id, this.name, {
      session: this.#session,
      memory: this.#memory,
      randomId: this.#services.randomId,
      readOne: (mediaKey, signal) => this.#readOne(mediaKey, signal),
      refuseRemoved: () => this.refuseRemoved(),
    });
  }

  async readItem(mediaKey: string, signal: AbortSignal): Promise<CataloguePage | null> {
    this.refuseRemoved();
    const item = await findItem(this.#session, mediaKey, signal);
    if (item === null) return null;
    return pageOfItems([item, ...(await listBelow(this.#session, item, signal))]);
  }

  async search(words: string, signal: AbortSignal): Promise<CataloguePage> {
    this.refuseRemoved();
    return searchItems(this.#session, words, signal);
  }

  async #readOne(mediaKey: string, signal: AbortSignal): Promise<CataloguePage | null> {
    const item = await findItem(this.#session, mediaKey, signal);
    return item === null ? null : pageOfItems([item]);
  }

  #findStored(mediaKey: string): FindKnown {
    return (quality) => this.#services.catalogue.findQuality(this.id, mediaKey, quality);
  }

  #findFresh(mediaKey: string): FindKnown {
    return async (quality) => {
      const page = await this.#askAnew(mediaKey);
      return page === null ? null : findInPage(page, mediaKey, quality);
    };
  }

  /** Those who ask for the same item at the same time share one question. */
  #askAnew(mediaKey: string): Promise<CataloguePage | null> {
    const running = this.#asked.get(mediaKey);
    if (running !== undefined) return running;
    const asked = withDeadline(this.#services.clock, (signal) => this.#readOne(mediaKey, signal))
      .then(async (page) => {
        if (page !== null) await this.#services.catalogue.noteItem(this.id, page, mediaKey);
        return page;
      })
      .finally(() => this.#asked.delete(mediaKey));
    this.#asked.set(mediaKey, asked);
    return asked;
  }

  /** What the server has in this quality, else a conversion to it; null where there is neither. */
  async #addressOf(media: MediaAddress, find: FindKnown): Promise<StreamAddress | null> {
    const { mediaKey, quality } = media;
    const locator = locatorOf(await find(quality));
    if (locator !== null) return fileAddress(this.target.url, mediaKey, locator);
    const { ladder, transcode, deviceId } = this.#options;
    const rung = ladder.find((one) => one.quality === quality);
    if (rung === undefined || transcode === 'off') return null;
    const original = await find('original');
    const file = locatorOf(original);
    if (original === null || file?.kind !== 'video' || ladderBelow(original, [rung], new Set()).length === 0)
      return null;
    return conversionAddress(this.target.url, {
      mediaKey,
      original: file,
      rung,
      way: wayOf(media),
      deviceId,
      playSessionId: this.#services.randomId(),
    });
  }
}

function locatorOf(known: Known | null): JellyfinLocator | null {
  return known === null || known.locator === null ? null : decodeLocator(known.locator);
}

function findInPage({ items, media = [] }: CataloguePage, mediaKey: string, quality: string): Known | null {
  const item = items.find((one) => one.mediaKey === mediaKey && one.quality === quality);
  if (item !== undefined) {
    return { locator: item.locator ?? null, height: item.height ?? null, bitrate: item.bitrate ?? null };
  }
  const described = media.find(({ key }) => key === mediaKey);
  const subtitle = /^~sub-(\d{1,4})$/.exec(quality)?.[1];
  const locator =
    quality === '~poster'
      ? described?.artwork
      : subtitle === undefined
        ? null
        : described?.subtitles[Number(subtitle) - 1]?.locator;
  return locator === null || locator === undefined ? null : { locator, height: null, bitrate: null };
}
