// An add-on as what it offers: its manifest, catalogues, films and series, streams and subtitles, each read and remembered
// for as long as it says, within bounds. Requests are shared by all who ask the same; who is called off stops waiting.
import { LarderError } from '../../errors.ts';
import type { CatalogueSubtitle } from '../catalogue-source.ts';
import type { SourceTarget } from '../media-source.ts';
import type { AddonAddress } from './addon-address.ts';
import { type AddonAnswer, AddonClient, type AddonServices } from './addon-client.ts';
import { AnswerMemory } from './answer-memory.ts';
import { listOf } from './json-values.ts';
import { type AddonCatalog, type AddonManifest, offers, readManifest } from './manifest.ts';
import { type AddonMeta, readMeta } from './metas.ts';
import { NO_STREAMS, readStreams, type StreamList } from './streams.ts';
import { readSubtitles } from './subtitles.ts';

export interface CatalogPage {
  readonly metas: readonly AddonMeta[];
  /** As many as came, usable or not. */
  readonly count: number;
}

export interface Asking {
  /** What is remembered does not count. */
  readonly isFresh?: boolean;
  readonly signal?: AbortSignal | undefined;
}

const MANIFEST_KEPT_MS = 600_000;
const META_KEPT_MS = 60_000;
const METAS_KEPT = 8;
/** Addresses of streams, where the add-on does not say how long they are good, and at most. */
const STREAMS_KEPT_MS = 300_000;
const STREAMS_KEPT_MAX_MS = 3_600_000;
const STREAMS_KEPT = 64;
const SUBTITLES_KEPT_MS = 60_000;
const SUBTITLES_KEPT = 16;
/** Previews from catalogues, for add-ons that leave it to others to tell more of their films. */
const PREVIEWS_KEPT = 2_000;
const PREVIEWS_KEPT_MS = 86_400_000;
const PAGE_ENTRIES_MAX = 5_000;
/** Catalogues that are looked through for one film. */
const CATALOGS_LOOKED_AT = 8;

export class AddonReader {
  readonly #client: AddonClient;
  readonly #manifests: AnswerMemory<AddonManifest>;
  readonly #metas: AnswerMemory<AddonMeta | null>;
  readonly #streams: AnswerMemory<StreamList>;
  readonly #subtitles: AnswerMemory<readonly CatalogueSubtitle[]>;
  readonly #previews: AnswerMemory<AddonMeta>;

  constructor(target: () => SourceTarget, services: AddonServices) {
    this.#client = new AddonClient(target, services);
    const { clock } = services;
    this.#manifests = new AnswerMemory(clock, 1);
    this.#metas = new AnswerMemory(clock, METAS_KEPT);
    this.#streams = new AnswerMemory(clock, STREAMS_KEPT);
    this.#subtitles = new AnswerMemory(clock, SUBTITLES_KEPT);
    this.#previews = new AnswerMemory(clock, PREVIEWS_KEPT);
  }

  get address(): AddonAddress {
    return this.#client.address;
  }

  /** The add-on is another one from now on. */
  forget(): void {
    for (const memory of [this.#manifests, this.#metas, this.#streams, this.#subtitles, this.#previews]) memory.clear();
  }

  /** @throws LarderError `origin-lied` when what answers is no add-on */
  manifest({ isFresh = false, signal }: Asking = {}): Promise<AddonManifest> {
    const manifest = this.#manifests.get('', isFresh, async () => {
      const value = readManifest((await this.#client.manifest()).body);
      if (value === null) {
        throw new LarderError('origin-lied', 'what answers there is no manifest of a Stremio add-on', {
          hint: 'check the address: it is the one that Stremio shows as the link of the add-on',
        });
      }
      return { value, keepMs: MANIFEST_KEPT_MS };
    });
    return whileWanted(manifest, signal);
  }

  async catalogPage(
    { type, id }: Pick<AddonCatalog, 'type' | 'id'>,
    extra: Readonly<Record<string, string | number>>,
    signal?: AbortSignal,
  ): Promise<CatalogPage> {
    const { body } = await whileWanted(this.#client.ask({ resource: 'catalog', type, id, extra }), signal);
    const entries = listOf(body.metas, PAGE_ENTRIES_MAX);
    const metas = entries.flatMap((entry) => readMeta(entry, type, null) ?? []);
    const manifest = this.#manifests.peek('');
    for (const meta of metas) {
      const isTold = manifest !== undefined && offers(manifest, 'meta', meta.type, meta.id);
      if (!isTold) this.#previews.keep(nameOf(meta), { ...meta, videos: [] }, PREVIEWS_KEPT_MS);
    }
    return { metas, count: entries.length };
  }

  /**
   * What it tells of one item; null when it does not know it. Where it leaves that to others (films by their IMDb id, as
   * docs/protocol.md has it in its example), what its catalogues say.
   */
  async meta(type: string, id: string, { isFresh = false, signal }: Asking = {}): Promise<AddonMeta | null> {
    const manifest = await this.manifest({ signal });
    if (!offers(manifest, 'meta', type, id)) return this.#findPreview(manifest, type, id, signal);
    const meta = this.#metas.get(nameOf({ type, id }), isFresh, async () => {
      const answer = await this.#askIfThere('meta', type, id);
      const value = readMeta(answer?.body.meta, type, id);
      return { value, keepMs: Math.min(answer?.maxAgeMs ?? META_KEPT_MS, META_KEPT_MS) };
    });
    return whileWanted(meta, signal);
  }

  /** Streams of a video; none when the add-on is known to have none of such. */
  async streams(type: string, videoId: string, { isFresh = false, signal }: Asking = {}): Promise<StreamList> {
    // Playing does not wait for the manifest: what the add-on does not have, it says itself.
    const manifest = this.#manifests.peek('');
    if (manifest !== undefined && !offers(manifest, 'stream', type, videoId)) return NO_STREAMS;
    const streams = this.#streams.get(nameOf({ type, id: videoId }), isFresh, async () => {
      const answer = await this.#askIfThere('stream', type, videoId);
      const value = readStreams(answer?.body.streams, this.address.baseUrl);
      return { value, keepMs: Math.min(answer?.maxAgeMs ?? STREAMS_KEPT_MS, STREAMS_KEPT_MAX_MS) };
    });
    return whileWanted(streams, signal);
  }

  /** Subtitles besides those that come with a stream. */
  async subtitles(
    type: string,
    videoId: string,
    file: { readonly filename: string | null; readonly sizeBytes: number | null },
    { signal }: Asking = {},
  ): Promise<readonly CatalogueSubtitle[]> {
    const manifest = await this.manifest({ signal });
    if (!offers(manifest, 'subtitles', type, videoId)) return [];
    const extra = {
      ...(file.filename === null ? {} : { filename: file.filename }),
      ...(file.sizeBytes === null ? {} : { videoSize: file.sizeBytes }),
    };
    const key = JSON.stringify([type, videoId, file.filename, file.sizeBytes]);
    const subtitles = this.#subtitles.get(key, false, async () => {
      // An add-on without the longer form of addresses has the shorter one (broddo-baggins/offlinio was such).
      const answer =
        (await this.#askIfThere('subtitles', type, videoId, extra)) ??
        (await this.#askIfThere('subtitles', type, videoId));
      return { value: readSubtitles(answer?.body.subtitles, this.address.baseUrl), keepMs: SUBTITLES_KEPT_MS };
    });
    return whileWanted(subtitles, signal);
  }

  #askIfThere(
    resource: string,
    type: string,
    id: string,
    extra: Readonly<Record<string, string | number>> = {},
  ): Promise<AddonAnswer | null> {
    return ifThere(this.#client.ask({ resource, type, id, extra }));
  }

  async #findPreview(
    manifest: AddonManifest,
    type: string,
    id: string,
    signal: AbortSignal | undefined,
  ): Promise<AddonMeta | null> {
    const known = this.#previews.peek(nameOf({ type, id }));
    if (known !== undefined) return known;
    const catalogs = manifest.catalogs.filter((catalog) => catalog.isListed).slice(0, CATALOGS_LOOKED_AT);
    for (const catalog of catalogs) {
      const page = await ifThere(this.catalogPage(catalog, {}, signal));
      const found = page?.metas.find((meta) => meta.type === type && meta.id === id);
      if (found !== undefined) return found;
    }
    return null;
  }
}

/** Null for 404, which is how the SDK answers for what it has no handler for, and many add-ons for what they lack. */
async function ifThere<Result>(asked: Promise<Result>): Promise<Result | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof LarderError && error.code === 'not-found') return null;
    throw error;
  }
}

function nameOf({ type, id }: { readonly type: string; readonly id: string }): string {
  return JSON.stringify([type, id]);
}

/** Settles with `promise`, or ends when who waits for it is called off: others may wait for it as well. */
function whileWanted<Result>(promise: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => reject(new LarderError('stopped', 'the request was called off'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
