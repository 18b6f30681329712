// A Stremio add-on in use. Addresses of streams are good for minutes: they are asked for when something is played, and
// anew when one was refused. They come from strangers: private networks are out of bounds for them unless the owner said
// that the source is one of a private network.
import { LarderError } from '../../errors.ts';
import { isSideQuality, parseCataloguePath } from '../catalogue-path.ts';
import type { CataloguePage, CatalogueSource } from '../catalogue-source.ts';
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
import { AddonReader } from './addon-reader.ts';
import { AnswerMemory } from './answer-memory.ts';
import { isSeries, previewPage } from './item-pages.ts';
import { ItemReader } from './item-reader.ts';
import { likelyParentIds, parseMediaKey } from './media-keys.ts';
import {
  findStream,
  identityOf,
  type NamedStream,
  nameStreams,
  possibleNames,
  readLocator,
  type StreamIdentity,
  type StreamLocator,
} from './stream-choice.ts';
import type { PlayableStream, StreamList } from './streams.ts';
import { StremioCatalogue } from './stremio-catalogue.ts';
import { stremioOptions } from './stremio-options.ts';
import { fileAddress } from './subtitles.ts';

/** Choices that are remembered, for those of which nothing is written down. */
const CHOICES_KEPT = 1_000;
const CHOICES_KEPT_MS = 7 * 86_400_000;
/** Catalogues that are searched, and so many at the same time. */
const SEARCHED_MAX = 12;
const SEARCHED_AT_ONCE = 3;
const WORDS_MAX = 200;

export class StremioSource extends ConfiguredSource implements MediaSource {
  readonly kind = 'stremio' as const;
  /** It converts nothing: what it has are files. */
  readonly ladder: readonly Rung[] = [];
  readonly #services: SourceServices;
  readonly #reader: AddonReader;
  readonly #items: ItemReader;
  /** Which file a quality of an item was, by key and name; null for one that cannot be told from others. */
  readonly #chosen: AnswerMemory<StreamIdentity | null>;
  /** Of which kind a quality was in the last episode of a series. */
  readonly #kinds: AnswerMemory<StreamIdentity>;
  readonly #noting = new Set<string>();

  constructor(id: number, name: string, target: SourceTarget, services: SourceServices) {
    super(id, name, target);
    this.#services = services;
    this.#reader = new AddonReader(() => this.target, services);
    this.#items = new ItemReader(this.#reader, (...known) => this.#nameStreams(...known));
    this.#chosen = new AnswerMemory(services.clock, CHOICES_KEPT);
    this.#kinds = new AnswerMemory(services.clock, CHOICES_KEPT);
  }

  override retarget(target: SourceTarget): void {
    super.retarget(target);
    this.#reader.forget();
  }

  describe(path: string): MediaAddress {
    return parseCataloguePath(path);
  }

  resolve(address: MediaAddress, { isFresh }: ResolveOptions): Promise<UpstreamRequest> {
    return isSideQuality(address.quality) ? this.#resolveSide(address, isFresh) : this.#resolveStream(address, isFresh);
  }

  openCatalogue(): CatalogueSource {
    return new StremioCatalogue({
      id: this.id,
      name: this.name,
      reader: this.#reader,
      options: () => stremioOptions(this.target.options),
      hasItem: (mediaKey, signal) => this.#hasItem(mediaKey, signal),
    });
  }

  async readItem(mediaKey: string, signal: AbortSignal): Promise<CataloguePage | null> {
    this.refuseRemoved();
    const { parent } = await this.#locatorOf(mediaKey, 'original');
    return this.#items.read(mediaKey, parent, { signal });
  }

  async search(words: string, signal: AbortSignal): Promise<CataloguePage> {
    this.refuseRemoved();
    const manifest = await this.#reader.manifest({ signal });
    const catalogs = manifest.catalogs.filter(({ isSearchable }) => isSearchable).slice(0, SEARCHED_MAX);
    const metas = new Map<string, CataloguePage>();
    let failure: unknown = null;
    let isAnswered = catalogs.length === 0;
    for (let at = 0; at < catalogs.length; at += SEARCHED_AT_ONCE) {
      const some = catalogs.slice(at, at + SEARCHED_AT_ONCE);
      const asked = some.map((catalog) =>
        this.#reader.catalogPage(catalog, { search: words.slice(0, WORDS_MAX) }, signal),
      );
      for (const answer of await Promise.allSettled(asked)) {
        if (answer.status === 'rejected') failure ??= answer.reason;
        else {
          isAnswered = true;
          for (const meta of answer.value.metas) {
            const page = previewPage([meta], this.#reader.address.baseUrl);
            const key = page.media?.[0]?.key;
            if (key !== undefined && !metas.has(key)) metas.set(key, page);
          }
        }
      }
      if (signal.aborted) throw new LarderError('stopped', 'the search was called off');
    }
    if (!isAnswered) throw failure;
    const found = [...metas.values()];
    return {
      items: found.flatMap(({ items }) => items),
      folders: [],
      media: found.flatMap(({ media = [] }) => media),
    };
  }

  async #hasItem(mediaKey: string, signal: AbortSignal): Promise<boolean> {
    this.refuseRemoved();
    const { parent } = await this.#locatorOf(mediaKey, 'original');
    if (await this.#items.has(mediaKey, parent, signal)) return true;
    // An add-on that tells nothing of films, and has dropped this one from its catalogue, may have it all the same.
    const name = parseMediaKey(mediaKey);
    if (name === null || name.season !== null) return false;
    const { playable, refused } = await this.#reader.streams(name.type, name.id, { isFresh: true, signal });
    return playable.length + refused.length > 0;
  }

  async #resolveStream(address: MediaAddress, isFresh: boolean): Promise<UpstreamRequest> {
    this.refuseRemoved();
    const { mediaKey, quality } = address;
    const name = parseMediaKey(mediaKey);
    if (name === null || name.season !== null) throw noSuchItem();
    const locator = await this.#locatorOf(mediaKey, quality);
    const list = await this.#items.streams(name, locator, { isFresh });
    this.refuseRemoved();
    const stream = await this.#choose(address, locator, list);
    const isNew = locator.stream === null && this.#chosen.peek(choiceName(mediaKey, quality)) === undefined;
    this.#remember(address, locator, stream);
    if (isFresh || isNew) this.#noteLater(mediaKey, locator.parent, list);
    return streamRequest(stream, this.target);
  }

  async #choose(address: MediaAddress, locator: StreamLocator, list: StreamList): Promise<PlayableStream> {
    const { mediaKey, quality } = address;
    const known = locator.stream ?? this.#chosen.peek(choiceName(mediaKey, quality)) ?? null;
    const same = known === null ? null : findStream(list.playable, known);
    if (same !== null) return same;
    const named = await this.#nameStreams(mediaKey, parentOf(mediaKey, locator), list.playable);
    const found = named.find((candidate) => candidate.quality === quality);
    if (found !== undefined) return found.stream;
    throw noStream(quality, list);
  }

  /** Names as they were given before, or in the episode before. */
  async #nameStreams(
    mediaKey: string,
    parentId: string | null,
    streams: readonly PlayableStream[],
  ): Promise<readonly NamedStream[]> {
    const known = new Map<string, StreamIdentity>();
    for (const quality of possibleNames(streams)) {
      const { stream } = await this.#locatorOf(mediaKey, quality);
      const kind = parentId === null ? undefined : this.#kinds.peek(choiceName(parentId, quality));
      const identity = stream ?? this.#chosen.peek(choiceName(mediaKey, quality)) ?? kind;
      if (identity !== undefined && identity !== null) known.set(quality, identity);
    }
    return nameStreams(streams, known);
  }

  #remember({ mediaKey, quality }: MediaAddress, locator: StreamLocator, stream: PlayableStream): void {
    this.#chosen.keep(choiceName(mediaKey, quality), identityOf(stream), CHOICES_KEPT_MS);
    const parentId = parentOf(mediaKey, locator);
    if (parentId === null || stream.bingeGroup === null) return;
    const kind = { file: null, size: null, binge: stream.bingeGroup, height: stream.height };
    this.#kinds.keep(choiceName(parentId, quality), kind, CHOICES_KEPT_MS);
  }

  /** Tells the catalogue which files there are now. Nobody who waits for the film waits for that. */
  #noteLater(mediaKey: string, parent: string | null, list: StreamList): void {
    if (this.#noting.has(mediaKey)) return;
    this.#noting.add(mediaKey);
    void this.#note(mediaKey, parent, list).finally(() => this.#noting.delete(mediaKey));
  }

  async #note(mediaKey: string, parent: string | null, list: StreamList): Promise<void> {
    const { catalogue, log } = this.#services;
    try {
      const page = await this.#items.read(mediaKey, parent, { list });
      if (page !== null && !this.isRemoved) await catalogue.noteItem(this.id, page, mediaKey);
    } catch (error) {
      const reason = error instanceof LarderError ? error.message : 'the catalogue could not be written';
      log.info('what an add-on has of a film was not noted', { source: this.name, reason });
    }
  }

  async #resolveSide(address: MediaAddress, isFresh: boolean): Promise<UpstreamRequest> {
    this.refuseRemoved();
    const { mediaKey, quality } = address;
    const known = isFresh ? null : await this.#services.catalogue.findQuality(this.id, mediaKey, quality);
    const locator = known?.locator ?? (await this.#readSide(mediaKey, quality));
    const { baseUrl, headers } = this.#reader.address;
    const file = locator === null ? null : fileAddress(locator, baseUrl);
    if (file === null) throw new LarderError('not-found', 'the add-on has no such file beside the film');
    const { url: ownUrl, local } = this.target;
    if (file.isOfAddon) return { url: file.url, headers, baseUrl: ownUrl, local };
    return { url: file.url, headers: {}, baseUrl: ownUrl, local: local === true };
  }

  async #readSide(mediaKey: string, quality: string): Promise<string | null> {
    const { parent } = await this.#locatorOf(mediaKey, 'original');
    const page = await this.#items.read(mediaKey, parent);
    if (page === null) return null;
    await this.#services.catalogue.noteItem(this.id, page, mediaKey);
    const media = page.media?.find(({ key }) => key === mediaKey);
    const number = /^~sub-(\d{1,4})$/.exec(quality)?.[1];
    if (number !== undefined) return media?.subtitles[Number(number) - 1]?.locator ?? null;
    return quality === '~poster' ? (media?.artwork ?? null) : null;
  }

  async #locatorOf(mediaKey: string, quality: string): Promise<StreamLocator> {
    return readLocator((await this.#services.catalogue.findQuality(this.id, mediaKey, quality))?.locator);
  }
}

function choiceName(key: string, quality: string): string {
  return `${quality} ${key}`;
}

function parentOf(mediaKey: string, locator: StreamLocator): string | null {
  const name = parseMediaKey(mediaKey);
  const likely = name !== null && isSeries(name.type) ? likelyParentIds(name.id)[0] : undefined;
  return locator.parent ?? likely ?? null;
}

/**
 * `local` is said outright: an address that an add-on hands out is not the owner's own, also where it is on the host of
 * the add-on. The headers go to the host of `url` only, as all headers of a request do.
 */
export function streamRequest({ url, headers }: PlayableStream, target: SourceTarget): UpstreamRequest {
  return { url, headers, baseUrl: target.url, local: target.local === true };
}

function noSuchItem(): LarderError {
  return new LarderError('not-found', 'this is nothing that an add-on streams', {
    hint: 'copy the address from the page of the film',
  });
}

function noStream(quality: string, { playable, refused }: StreamList): LarderError {
  if (playable.length > 0) {
    return new LarderError('not-found', `the add-on has no stream of the quality ${quality} any more`, {
      hint: 'the page of the film lists those that there are',
    });
  }
  const why = refused[0]?.refusal;
  if (why === undefined) {
    return new LarderError('not-found', 'the add-on has no stream of it at the moment', {
      hint: 'try again in a while',
    });
  }
  return new LarderError('not-found', `the add-on has no stream of it that is a file: ${why}`, {
    hint: 'some add-ons give links when they are configured with a service that has the files',
  });
}
