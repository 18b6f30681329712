// A configured source while it is in use, whatever its kind: what the engine, the catalogue and the pages need of it.
// What is being read goes on when its target changes; the next request goes to the new one, and what is kept stays
// kept: a cache key never holds an address.
import type { Clock } from '../clock.ts';
import { LarderError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { CataloguePage, CatalogueSource } from './catalogue-source.ts';
import type { MediaAddress } from './media-address.ts';
import type { OriginClient } from './origin-client.ts';
import type { Finding } from './source-test-findings.ts';
import type { UpstreamRequest } from './upstream-request.ts';

export type { SessionQuestion, TranscodeSession, UpstreamRequest } from './upstream-request.ts';

export const SOURCE_KINDS = ['http', 'jellyfin', 'plex', 'stremio'] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

export interface ResolveOptions {
  /** What was resolved before was refused (401, 403, 404, 410): the source is asked anew. */
  readonly isFresh: boolean;
  /** Nobody waits for it: a server may serve it behind those who do. */
  readonly isBackground: boolean;
}

/** What of a source may change while it is used: its files and their bytes stay what they are. */
export interface SourceTarget {
  /** Without user information or secrets, ends in a slash. */
  readonly url: string;
  /** As the kind reads them; null for none. Told to nobody. */
  readonly credentials: SourceCredentials | null;
  readonly local: boolean | null;
  /** What the owner chose for this kind, without secrets, and what identifies us there (a device id). JSON values. */
  readonly options: SourceOptions;
}

/** JSON that is sealed in the database. Each kind has its own shapes. */
export type SourceCredentials = Readonly<Record<string, unknown>>;
export type SourceOptions = Readonly<Record<string, unknown>>;

/** A rung of the ladder below an original, to which a server can convert. */
export interface Rung {
  /** `720p`. */
  readonly quality: string;
  readonly height: number;
  readonly width: number;
  /** Video and sound together, in bit/s. */
  readonly bitrate: number;
}

/** What the catalogue has of one quality of an item. */
export interface KnownQuality {
  readonly mediaKey: string;
  readonly quality: string;
  /** What the source noted for itself (`CatalogueItem.locator`). */
  readonly locator: string | null;
  readonly container: string | null;
  readonly sizeBytes: number | null;
  readonly height: number | null;
  readonly bitrate: number | null;
}

/** What the catalogue has of an item's side files, by their quality names (`~poster`, `~sub-1`). */
export interface KnownCatalogue {
  /** Null when it was never listed. */
  findQuality(sourceId: number, mediaKey: string, quality: string): Promise<KnownQuality | null>;
  /**
   * What the source said of an item when it was asked anew: the rows follow.
   * @param mediaKey - the item that it was asked for: of that one the page names every quality
   */
  noteItem(sourceId: number, page: CataloguePage, mediaKey: string): Promise<void>;
}

/** What sources stand on. */
export interface SourceServices {
  readonly client: OriginClient;
  readonly catalogue: KnownCatalogue;
  /** 0 before we listen. */
  readonly ownPort: () => number;
  readonly version: string;
  readonly randomId: () => string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface MediaSource {
  readonly id: number;
  readonly name: string;
  readonly kind: SourceKind;
  readonly url: string;
  readonly target: SourceTarget;
  readonly isRemoved: boolean;
  /** What it can convert to, highest first; empty where it cannot. */
  readonly ladder: readonly Rung[];
  /** In what it converts to one growing file; left out, it is MP4. */
  readonly growingContainer?: string;
  retarget(target: SourceTarget): void;
  /** The owner removed it: nothing is asked of it any more. */
  remove(): void;
  /**
   * What the path of a stored file names (`cache_quality_variants.path`).
   * @throws LarderError `bad-address`, `not-found`
   */
  describe(path: string): MediaAddress;
  /**
   * Where the bytes are now. Without a promise where nothing has to be asked.
   * @throws LarderError `unknown-source` when the source was removed, `not-found`, or what kept it from answering
   */
  resolve(address: MediaAddress, options: ResolveOptions): UpstreamRequest | Promise<UpstreamRequest>;
  /** To go through it. */
  openCatalogue(): CatalogueSource;
  /** One item as it is now, with what is below it; null when there is no such item. HTTP sources have none. */
  readItem?(mediaKey: string, signal: AbortSignal): Promise<CataloguePage | null>;
  /** Items that the source finds by words, where it can be searched. */
  search?(words: string, signal: AbortSignal): Promise<CataloguePage>;
}

/** What signing in to try a source out came to. */
export interface SignInTrial {
  readonly finding: Finding;
  /** A file to test ranges, length and speed with; null where there is none. */
  readonly sample: { readonly name: string; readonly request: UpstreamRequest } | null;
}

/** What an address, as a person types it, comes to. */
export interface ParsedSourceUrl {
  /** Without secrets, ends in a slash. */
  readonly url: string;
  /** That stood in the address; null when none did. */
  readonly credentials: SourceCredentials | null;
}

/** One file for each kind says how its settings are read, tried and used. */
export interface SourceKindDefinition {
  readonly kind: SourceKind;
  /** @throws LarderError `invalid`; no message repeats what may be a secret */
  parseUrl(text: string): ParsedSourceUrl;
  /** Null and `{}` are none. @throws LarderError `invalid`; no message repeats a value */
  parseCredentials(value: unknown): SourceCredentials | null;
  /** In a word: all that is ever told of them. */
  credentialKind(credentials: SourceCredentials | null): string;
  /** Options with what is missing filled in; unknown ones are refused. @throws LarderError `invalid` */
  parseOptions(value: unknown, before: SourceOptions | null, randomId: () => string): SourceOptions;
  create(id: number, name: string, target: SourceTarget, services: SourceServices): MediaSource;
  /**
   * Signs in with settings, saved or not, and finds a film to test with. Left out where there is nothing to sign in to.
   * @throws LarderError, told as a failed step
   */
  trySignIn?(target: SourceTarget, services: SourceServices, signal: AbortSignal): Promise<SignInTrial>;
}

/** A kind with a catalogue, which is signed in to. */
export type CatalogueKindDefinition = SourceKindDefinition & Required<Pick<SourceKindDefinition, 'trySignIn'>>;

/** What sources of all kinds do alike. */
export abstract class ConfiguredSource {
  readonly id: number;
  readonly name: string;
  #target: SourceTarget;
  #isRemoved = false;

  constructor(id: number, name: string, target: SourceTarget) {
    this.id = id;
    this.name = name;
    this.#target = target;
  }

  get url(): string {
    return this.#target.url;
  }

  get target(): SourceTarget {
    return this.#target;
  }

  get isRemoved(): boolean {
    return this.#isRemoved;
  }

  retarget(target: SourceTarget): void {
    this.#target = target;
  }

  remove(): void {
    this.#isRemoved = true;
  }

  /** @throws LarderError `unknown-source` when the owner removed it */
  protected refuseRemoved(): void {
    if (!this.#isRemoved) return;
    throw new LarderError('unknown-source', `the source ${JSON.stringify(this.name)} was removed`, {
      hint: 'add it again on the page of sources',
    });
  }
}
