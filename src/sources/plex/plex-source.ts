// A Plex server while it is in use. What the catalogue noted of a file is enough to ask for it; the server is asked for
// the title anew when that was refused, as after a rescan, which gives parts new numbers.
import { LarderError } from '../../errors.ts';
import { parseCataloguePath } from '../catalogue-path.ts';
import type { CataloguePage, CatalogueSource } from '../catalogue-source.ts';
import { DEFAULT_LADDER, parseLadder, parseTranscodeWay, wayOf } from '../ladder.ts';
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
import { otherServer, PlexApi } from './plex-api.ts';
import { PlexCatalogue } from './plex-catalogue.ts';
import { readRatingKey, readServerPath, readText } from './plex-fields.ts';
import { readItemPage, readTitlePage, searchPage } from './plex-items.ts';
import { type PlexLocator, readLocator, WHOLE_QUALITIES } from './plex-qualities.ts';
import { startTranscode } from './plex-transcode.ts';

export class PlexSource extends ConfiguredSource implements MediaSource {
  readonly kind = 'plex';
  /** As it is asked of its transcoder (plex-transcode.ts). */
  readonly growingContainer = 'mkv';
  readonly #services: SourceServices;
  readonly #flights = new Map<string, Promise<unknown>>();
  /** Ends what is being asked when the source is removed. */
  readonly #abort = new AbortController();
  #api: PlexApi;
  #machineIdentifier: string | null = null;
  /** The owner of the server forbids downloads (403): what is fetched in the background goes as what is watched does. */
  #isDownloadRefused = false;

  constructor(id: number, name: string, target: SourceTarget, services: SourceServices) {
    super(id, name, target);
    this.#services = services;
    this.#api = new PlexApi(target, services);
  }

  get ladder(): readonly Rung[] {
    const { transcode, ladder } = this.target.options;
    return parseTranscodeWay(transcode) === 'off' ? [] : ladder === undefined ? DEFAULT_LADDER : parseLadder(ladder);
  }

  override retarget(target: SourceTarget): void {
    if (target.url !== this.target.url) this.#machineIdentifier = null;
    super.retarget(target);
    this.#api = new PlexApi(target, this.#services);
    this.#isDownloadRefused = false;
  }

  override remove(): void {
    super.remove();
    this.#abort.abort();
  }

  describe(path: string): MediaAddress {
    return parseCataloguePath(path);
  }

  openCatalogue(): CatalogueSource {
    return new PlexCatalogue(this);
  }

  api(): PlexApi {
    this.refuseRemoved();
    return this.#api;
  }

  /** That an address leads to another server is seen by its identifier, before its films pass for those of this one. */
  async checkIdentity(signal: AbortSignal): Promise<void> {
    const { machineIdentifier } = await this.api().readIdentity(signal);
    const chosen = readText(this.target.options.machineIdentifier, 128) ?? this.#machineIdentifier ?? machineIdentifier;
    if (chosen !== machineIdentifier) throw otherServer();
    this.#machineIdentifier = machineIdentifier;
  }

  resolve(address: MediaAddress, options: ResolveOptions): Promise<UpstreamRequest> {
    const { mediaKey, quality } = address;
    const { isFresh, isBackground } = options;
    return this.#once(`resolve ${mediaKey}:${quality} ${wayOf(address)} ${isFresh} ${isBackground}`, async () => {
      this.refuseRemoved();
      if (quality.startsWith('~')) return this.#resolveSide(mediaKey, quality, isFresh);
      return this.#resolveFile(address, options);
    });
  }

  async readItem(mediaKey: string, signal: AbortSignal): Promise<CataloguePage | null> {
    return readRatingKey(mediaKey) === null ? null : readItemPage(this.api(), mediaKey, signal);
  }

  async readTitlePage(mediaKey: string, signal: AbortSignal): Promise<CataloguePage | null> {
    return readRatingKey(mediaKey) === null ? null : readTitlePage(this.api(), mediaKey, signal);
  }

  search(words: string, signal: AbortSignal): Promise<CataloguePage> {
    return searchPage(this.api(), words, signal);
  }

  async #resolveFile(address: MediaAddress, { isFresh, isBackground }: ResolveOptions) {
    const { mediaKey, quality } = address;
    const { catalogue } = this.#services;
    const known = readLocator((await catalogue.findQuality(this.id, mediaKey, quality))?.locator);
    if (known !== null && !isFresh) return this.#request(known.part, isBackground && !this.#isDownloadRefused);
    const rung = this.ladder.find((candidate) => candidate.quality === quality);
    if (known === null && rung !== undefined && !isFresh) {
      const whole = await this.#findWhole(mediaKey);
      if (whole !== null) return this.#convert(address, whole, rung);
    }
    const page = await this.#readAnew(mediaKey);
    const found = readLocator(page.items.find((item) => item.quality === quality)?.locator);
    if (found !== null) {
      // The same file as before was refused: not for its address, then, but for how it was asked for.
      const isSame = known?.part === found.part;
      if (isSame && isBackground) this.#isDownloadRefused = true;
      return this.#request(found.part, isSame ? !isBackground : isBackground && !this.#isDownloadRefused);
    }
    const whole = WHOLE_QUALITIES.map((name) => page.items.find((item) => item.quality === name)?.locator)
      .map(readLocator)
      .find((locator) => locator !== null);
    if (rung !== undefined && whole !== undefined) return this.#convert(address, whole, rung);
    throw new LarderError('not-found', `the Plex server has no ${quality} of this title`, {
      hint: 'its page lists the qualities that there are',
    });
  }

  async #resolveSide(mediaKey: string, quality: string, isFresh: boolean): Promise<UpstreamRequest> {
    const known = isFresh ? null : await this.#services.catalogue.findQuality(this.id, mediaKey, quality);
    const path = readServerPath(known?.locator) ?? sidePath(await this.#readAnew(mediaKey), mediaKey, quality);
    if (path !== null) return this.#request(path, false);
    throw new LarderError('not-found', 'the Plex server has no such picture or subtitles of this title');
  }

  /** Of what is known, that of which a rung is made. */
  async #findWhole(mediaKey: string): Promise<PlexLocator | null> {
    for (const quality of WHOLE_QUALITIES) {
      const known = await this.#services.catalogue.findQuality(this.id, mediaKey, quality);
      const locator = readLocator(known?.locator);
      if (locator !== null) return locator;
    }
    return null;
  }

  #convert(address: MediaAddress, source: PlexLocator, rung: Rung): Promise<UpstreamRequest> {
    const sessionId = this.#services.randomId();
    const wish = { mediaKey: address.mediaKey, source, rung, way: wayOf(address), sessionId };
    return startTranscode(this.api(), wish, this.#abort.signal);
  }

  /** @param isDownload - "bandwidth will be prioritized behind playbacks" (plex-api-spec.yaml, `getMediaPart`) */
  #request(path: string, isDownload: boolean): UpstreamRequest {
    const api = this.api();
    const { url, local } = api.target;
    return { url: api.url(path, isDownload ? { download: 1 } : {}), headers: api.headers, baseUrl: url, local };
  }

  /** @throws LarderError `not-found` when the server has no such title */
  #readAnew(mediaKey: string): Promise<CataloguePage> {
    return this.#once(`title ${mediaKey}`, async () => {
      const page = await this.readTitlePage(mediaKey, this.#abort.signal);
      if (page === null) {
        throw new LarderError('not-found', 'the Plex server has this title no more', {
          hint: 'it may have been removed there, or been matched anew: go through the source again',
        });
      }
      await this.#services.catalogue.noteItem(this.id, page, mediaKey);
      return page;
    });
  }

  /** Those who ask for the same at the same time are given the same answer. */
  #once<Result>(key: string, ask: () => Promise<Result>): Promise<Result> {
    const running = this.#flights.get(key);
    if (running !== undefined) return running as Promise<Result>;
    const flight = ask().finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }
}

function sidePath(page: CataloguePage, mediaKey: string, quality: string): string | null {
  const media = page.media?.find(({ key }) => key === mediaKey);
  if (quality === '~poster') return media?.artwork ?? null;
  const number = /^~sub-(\d{1,3})$/.exec(quality)?.[1];
  return number === undefined ? null : (media?.subtitles[Number(number) - 1]?.locator ?? null);
}
