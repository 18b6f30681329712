// Questions to one Plex server: who we are goes into headers, never into addresses, which end in logs. Every list is
// asked for in pages: newer servers refuse one without both paging headers with 400 (sct/overseerr#2865,
// pushingkarmaorg/python-plexapi#1048).
import { LarderError } from '../../errors.ts';
import { askJson, type JsonAnswer } from '../json-api.ts';
import type { SourceServices, SourceTarget } from '../media-source.ts';
import { asFields, type Fields, readCount, readElements, readText } from './plex-fields.ts';

export type PlexServices = Pick<SourceServices, 'client' | 'ownPort' | 'version' | 'clock'>;
export type PlexQuery = Readonly<Record<string, string | number>>;

export interface PlexAnswer {
  readonly container: Fields;
  /** What the server takes for now; null when it does not say. */
  readonly serverTimeMs: number | null;
}

export interface PlexRows {
  readonly rows: readonly (Fields | null)[];
  readonly container: Fields;
  /** Rows of all pages; null when the server does not say. */
  readonly total: number | null;
}

/**
 * A ceiling of 1,000 was reported (van-geaux/plex_nfo_exporter#14). With all their streams rows have some 5 kB each; a
 * page is parsed in one go, and nobody is served meanwhile.
 */
export const PLEX_PAGE_SIZE = 100;

/** Who asks, in the words of every Plex client. The identifier is to stay the same, or each start is a new device. */
export function plexHeaders(clientId: string, version: string): Record<string, string> {
  return {
    'x-plex-client-identifier': clientId,
    'x-plex-product': 'Larder',
    'x-plex-version': version,
    'x-plex-platform': 'Generic',
    'x-plex-device': 'Larder',
    'x-plex-device-name': 'Larder',
  };
}

export class PlexApi {
  readonly #target: SourceTarget;
  readonly #services: PlexServices;
  #takesStreams = true;

  constructor(target: SourceTarget, services: PlexServices) {
    this.#target = target;
    this.#services = services;
  }

  get target(): SourceTarget {
    return this.#target;
  }

  /** Of requests to this server, with the token. */
  get headers(): Record<string, string> {
    const { credentials, options } = this.#target;
    const token = readText(credentials?.token, 4_096);
    const headers = plexHeaders(readText(options.clientId, 128) ?? 'larder', this.#services.version);
    return token === null ? headers : { ...headers, 'x-plex-token': token };
  }

  /** @param path - begins with a slash */
  url(path: string, query: PlexQuery = {}): string {
    const parameters = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
    return `${this.#target.url.replace(/\/$/, '')}${path}${parameters.size === 0 ? '' : `?${parameters}`}`;
  }

  /** Who the server is: the one thing it tells anybody. @throws LarderError as `askJson` does */
  async readIdentity(signal: AbortSignal): Promise<{ readonly machineIdentifier: string; readonly version: string }> {
    const { 'x-plex-token': _, ...headers } = this.headers;
    const { container } = await this.#ask(this.url('/identity'), headers, signal);
    const machineIdentifier = readText(container.machineIdentifier, 128);
    if (machineIdentifier === null) throw notPlex();
    return { machineIdentifier, version: readText(container.version, 64)?.replace(/-.*$/, '') ?? '' };
  }

  /** @throws LarderError as `askJson` does */
  ask(
    path: string,
    query: PlexQuery,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<PlexAnswer> {
    return this.#ask(this.url(path, query), { ...this.headers, ...headers }, signal);
  }

  /**
   * One page of a list, from row `start` on.
   * @param size - 0 asks for the total alone
   * @throws LarderError as `askJson` does
   */
  async list(
    path: string,
    query: PlexQuery,
    start: number,
    signal: AbortSignal,
    size: number = PLEX_PAGE_SIZE,
  ): Promise<PlexRows> {
    const headers = {
      ...this.headers,
      'x-plex-container-start': String(start),
      'x-plex-container-size': String(size),
    };
    const { container, answer } = await this.#ask(this.url(path, query), headers, signal);
    const total =
      readCount(container.totalSize) ?? readCount(answer.headers.get('x-plex-container-total-size') ?? undefined);
    return { rows: readElements(container.Metadata, Number.POSITIVE_INFINITY), container, total };
  }

  /**
   * The same of titles that have files, with the streams in them: lists leave those out unless they are asked for
   * (`includeElements=Stream`), and what a server makes of the wish is not documented. Where it refuses it, or leaves
   * everything else out instead, it is not asked for again.
   */
  async listTitles(
    path: string,
    query: PlexQuery,
    start: number,
    signal: AbortSignal,
    size: number = PLEX_PAGE_SIZE,
  ): Promise<PlexRows> {
    const plain = { ...query, includeGuids: 1 };
    if (this.#takesStreams) {
      try {
        const page = await this.list(path, { ...plain, includeElements: 'Stream' }, start, signal, size);
        if (page.rows.length === 0 || page.rows.some((row) => row !== null && row.Media !== undefined)) return page;
      } catch (error) {
        if (!(error instanceof LarderError) || error.originStatus !== 400) throw error;
        this.#takesStreams = false;
      }
    }
    const page = await this.list(path, plain, start, signal, size);
    if (page.rows.some((row) => row !== null && row.Media !== undefined)) this.#takesStreams = false;
    return page;
  }

  async #ask(
    url: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<PlexAnswer & { readonly answer: JsonAnswer }> {
    const { url: baseUrl, local } = this.#target;
    const { client, ownPort, clock } = this.#services;
    const services = { client, ownPort, clock };
    const answer = await askJson({ url, headers, baseUrl, local }, services, signal).catch((error: unknown) => {
      throw 'x-plex-token' in headers ? explainRefusal(error) : error;
    });
    const container = asFields(asFields(answer.body)?.MediaContainer);
    if (container === null) throw notPlex();
    const serverTimeMs = Date.parse(answer.headers.get('date') ?? '');
    return { container, serverTimeMs: Number.isNaN(serverTimeMs) ? null : serverTimeMs, answer };
  }
}

/** A token that was good is not for ever: it ends with the sign-in that it is of. */
function explainRefusal(error: unknown): unknown {
  if (!(error instanceof LarderError) || error.originStatus !== 401) return error;
  return new LarderError('origin-refused', 'the Plex server does not take the token any more (401)', {
    originStatus: 401,
    cause: error,
    hint: 'sign in to Plex again on the page of the source, or paste another token',
  });
}

function notPlex(): LarderError {
  return new LarderError('origin-lied', 'what answers there is no Plex server', {
    hint: 'check the address and its port, which is 32400 unless it was changed',
  });
}

export function otherServer(): LarderError {
  return new LarderError('origin-refused', 'another Plex server answers at the address than the one that was chosen', {
    hint: 'give the address of the server that is meant, or sign in to Plex again and choose it there',
  });
}
