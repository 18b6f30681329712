// Asks HTTP sources what is in a folder: by WebDAV where the server speaks it, else by the page that a browser gets.
import type { Clock } from '../clock.ts';
import { LarderError } from '../errors.ts';
import type { FolderValidators } from './catalogue-source.ts';
import type { ListedEntry } from './listing/listed-entry.ts';
import type { ListingEnd } from './listing/read-listing.ts';
import { describePath, expectsMedia } from './media-address.ts';
import type { OriginAnswer, OriginClient } from './origin-client.ts';
import { statusError } from './origin-response.ts';
import type { UpstreamRequest } from './upstream-request.ts';

/** What is asked of a source here. */
export interface ListedSource {
  readonly id: number;
  readonly name: string;
  readonly url: string;
  /** @param path - decoded; ends in a slash for a folder */
  resolvePath(path: string): UpstreamRequest;
}

export interface HttpListingServices {
  readonly client: Pick<OriginClient, 'open' | 'follow'>;
  readonly ownPort: () => number;
  readonly clock: Clock;
}

export interface FolderListing extends FolderValidators {
  readonly isUnchanged: boolean;
  readonly pages: AsyncGenerator<ListedEntry[], ListingEnd>;
}

/** A server that gives JSON to who asks for it gives exact sizes and times. */
const ACCEPT = 'application/json, text/html;q=0.9, */*;q=0.1';
const LISTING_TYPES = /^(?:text\/|application\/(?:json|xml|xhtml\+xml|octet-stream)\b|$)/i;
/** Of one turn of a connection: what a listing weighs little compresses well. */
const ENCODING = { 'accept-encoding': 'gzip' };

async function* nothing(): AsyncGenerator<ListedEntry[], ListingEnd> {
  yield* [];
  return { skippedCount: 0 };
}

export class HttpListings {
  readonly #services: HttpListingServices;
  /** How each source is asked, with the address that this was learnt of. */
  readonly #dialects = new WeakMap<ListedSource, { readonly url: string; readonly isDav: boolean }>();

  constructor(services: HttpListingServices) {
    this.#services = services;
  }

  /**
   * @param folder - decoded, without slashes at its ends; empty for the source's own
   * @throws LarderError `not-found`, `no-listing`, or what kept the source from answering
   */
  async open(
    source: ListedSource,
    folder: string,
    known: FolderValidators | null,
    signal: AbortSignal,
  ): Promise<FolderListing> {
    const abort = new AbortController();
    if (signal.aborted) throw new LarderError('stopped', 'the request was called off');
    const stop = () => abort.abort();
    signal.addEventListener('abort', stop, { once: true });
    abort.signal.addEventListener('abort', () => signal.removeEventListener('abort', stop), { once: true });
    try {
      return await this.#open(source, folder, known, abort);
    } catch (error) {
      abort.abort();
      throw error;
    }
  }

  /** @throws LarderError when the source does not say */
  async hasFile(source: ListedSource, path: string, signal: AbortSignal): Promise<boolean> {
    const abort = new AbortController();
    const stop = () => abort.abort();
    signal.addEventListener('abort', stop, { once: true });
    try {
      await this.#services.client.open(
        {
          ...source.resolvePath(path),
          ownPort: this.#services.ownPort(),
          range: { kind: 'from', start: 0, end: 1 },
          ifRange: null,
          expectsMedia: expectsMedia(describePath(path)),
        },
        abort,
      );
      return true;
    } catch (error) {
      if (!(error instanceof LarderError)) throw error;
      if (error.code === 'out-of-range') return true; // an empty file
      if (error.code === 'not-found') return false;
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      abort.abort();
    }
  }

  async #open(
    source: ListedSource,
    folder: string,
    known: FolderValidators | null,
    abort: AbortController,
  ): Promise<FolderListing> {
    const dialect = this.#dialects.get(source);
    const isKnown = dialect !== undefined && dialect.url === source.url;
    if (!isKnown || dialect.isDav) {
      const answer = await this.#ask(source, folder, 'PROPFIND', null, abort);
      if (answer.response.status === 207) {
        this.#dialects.set(source, { url: source.url, isDav: true });
        return this.#listing(answer, true, abort);
      }
      if (answer.response.status === 401 || (isKnown && answer.response.status === 404)) {
        throw folderError(answer.response, this.#services.clock.nowMs());
      }
      await answer.response.body?.cancel();
    }
    const answer = await this.#ask(source, folder, 'GET', known, abort);
    const { response } = answer;
    if (response.status === 304) {
      abort.abort();
      return {
        isUnchanged: true,
        etag: known?.etag ?? null,
        lastModified: known?.lastModified ?? null,
        pages: nothing(),
      };
    }
    if (response.status !== 200) throw folderError(response, this.#services.clock.nowMs());
    if (!LISTING_TYPES.test(response.headers.get('content-type') ?? '')) {
      throw new LarderError('no-listing', 'the folder answers a file in place of a listing', {
        hint: 'give the folder that holds the files; files stream by their path all the same',
      });
    }
    if (!isKnown) this.#dialects.set(source, { url: source.url, isDav: false });
    return this.#listing(answer, false, abort);
  }

  #ask(
    source: ListedSource,
    folder: string,
    method: 'GET' | 'PROPFIND',
    known: FolderValidators | null,
    abort: AbortController,
  ): Promise<OriginAnswer> {
    const conditions: Record<string, string> = {};
    if (known?.etag) conditions['if-none-match'] = known.etag;
    if (known?.lastModified) conditions['if-modified-since'] = known.lastModified;
    return this.#services.client.follow(
      {
        ...source.resolvePath(folder === '' ? '' : `${folder}/`),
        ownPort: this.#services.ownPort(),
        method,
        body: method === 'GET' ? null : PROPFIND_BODY,
        ownHeaders:
          method === 'GET'
            ? { accept: ACCEPT, ...ENCODING, ...conditions }
            : { depth: '1', 'content-type': 'application/xml; charset=utf-8', ...ENCODING },
      },
      abort,
    );
  }

  #listing({ response, url }: OriginAnswer, isMultistatus: boolean, abort: AbortController): FolderListing {
    const { clock } = this.#services;
    return {
      isUnchanged: false,
      etag: isMultistatus ? null : response.headers.get('etag'),
      lastModified: isMultistatus ? null : response.headers.get('last-modified'),
      pages: readLater({ response, url: new URL('.', url), isMultistatus, abort, clock }),
    };
  }
}

function folderError(response: Response, nowMs: number): LarderError {
  const error = statusError(response, nowMs);
  const { code, originStatus } = error;
  if (originStatus === undefined || (code !== 'not-found' && originStatus !== 403)) return error;
  const hint =
    code === 'not-found'
      ? 'the folder is not there, or the server lists no folders: check the address'
      : 'the server lists no folders, or asks for credentials: switch on directory listings there';
  return new LarderError(code, `${error.message} to the question what is in the folder`, { originStatus, hint });
}

/** Parsers are loaded with the first listing: an appliance that only streams needs none. */
async function* readLater(
  answer: Parameters<typeof import('./listing/read-listing.ts').readListing>[0],
): AsyncGenerator<ListedEntry[], ListingEnd> {
  const { readListing } = await import('./listing/read-listing.ts');
  return yield* readListing(answer);
}

/** RFC 4918 §9.1, §15. */
const PROPFIND_BODY =
  '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/><getetag/></prop></propfind>';
