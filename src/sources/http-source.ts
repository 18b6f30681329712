// A source that is a base URL: every file below it can be streamed, with or without a listing.
import { LarderError } from '../errors.ts';
import type { CatalogueSource } from './catalogue-source.ts';
import { HttpCatalogue } from './http-catalogue.ts';
import { carryCredentials, type HttpCredentials, parseHttpCredentials } from './http-credentials.ts';
import type { HttpListings } from './http-listings.ts';
import { describePath, encodePath, type MediaAddress } from './media-address.ts';
import { ConfiguredSource, type MediaSource, type SourceTarget } from './media-source.ts';
import type { UpstreamRequest } from './upstream-request.ts';

/** What of a source may change while it is used. */
export interface HttpTarget {
  /** Without user information, ends in a slash. */
  readonly url: string;
  readonly credentials: HttpCredentials | null;
  readonly local: boolean | null;
}

/** A source as `--source` declares it. */
export interface DeclaredSource {
  readonly name: string;
  readonly url: string;
  readonly credentials: HttpCredentials | null;
}

const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/i;
const URL_LENGTH_MAX = 4_096;

/** Stand in addresses of the pages and the API, where a source's name would. */
const RESERVED_NAMES = new Set(['new', 'test']);

/** @throws LarderError `invalid` when the name cannot stand in an address */
export function parseSourceName(name: string): string {
  if (RESERVED_NAMES.has(name)) {
    throw new LarderError('invalid', `the source name ${JSON.stringify(name)} is used by Larder itself`, {
      hint: 'choose another one',
    });
  }
  if (NAME.test(name)) return name;
  throw new LarderError('invalid', `the source name ${JSON.stringify(name.slice(0, 80))} cannot stand in an address`, {
    hint: 'use 1 to 63 letters, digits, "-" and "_", starting with a letter or digit',
  });
}

/**
 * The base URL of a source; user and password in it are taken out. No message repeats the text, which may hold them.
 * @throws LarderError `invalid`
 */
export function parseSourceUrl(text: string): { readonly url: string; readonly credentials: HttpCredentials | null } {
  const invalid = (problem: string, hint = 'give the folder that holds the files, for example https://host/films/') =>
    new LarderError('invalid', problem, { hint });
  if (text.length > URL_LENGTH_MAX) throw invalid(`the URL is longer than ${URL_LENGTH_MAX} characters`);
  // A name with a port reads as a scheme: `nas:8080/films`.
  const isWithoutScheme = !URL.canParse(text) || (!text.includes('://') && /^[^/]+:\d/.test(text));
  if (isWithoutScheme) {
    const canOffer = /^[\w.[\]:-]+(?:\/[^@?#\s]*)?$/.test(text) && URL.canParse(`http://${text}`);
    throw invalid('the URL is not a URL', canOffer ? `write http://${text}, or https:// before it` : undefined);
  }
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(`the URL is ${url.protocol}// and not http or https`);
  }
  if (url.search !== '' || url.hash !== '') {
    throw invalid(
      'the URL has a query or a fragment',
      'give the folder that holds the files; a key that goes into a query cannot be kept secret there: use a header',
    );
  }
  const hasCredentials = url.username !== '' || url.password !== '';
  const username = decodeUserInformation(url.username);
  const password = decodeUserInformation(url.password);
  url.username = '';
  url.password = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return { url: url.href, credentials: hasCredentials ? parseHttpCredentials({ username, password }) : null };
}

function decodeUserInformation(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new LarderError('invalid', 'user or password in the URL is not valid percent-encoding', {
      hint: 'write a % in it as %25',
    });
  }
}

/**
 * Reads `NAME=URL`.
 * @throws LarderError `usage` when the name or the URL cannot be used
 */
export function parseSourceSetting(text: string): DeclaredSource {
  const equals = text.indexOf('=');
  const hint = 'write NAME=URL, for example films=https://host/films/';
  // The text itself is not repeated: it may hold a password.
  if (equals < 1) throw new LarderError('usage', 'a source has no name', { hint });
  if (text.slice(0, equals).includes('://')) throw new LarderError('usage', 'a source has a URL and no name', { hint });
  try {
    const name = parseSourceName(text.slice(0, equals));
    try {
      return { name, ...parseSourceUrl(text.slice(equals + 1)) };
    } catch (error) {
      if (!(error instanceof LarderError)) throw error;
      throw new LarderError('usage', `source ${JSON.stringify(name)}: ${error.message}`, { hint: error.hint ?? hint });
    }
  } catch (error) {
    if (!(error instanceof LarderError) || error.code === 'usage') throw error;
    throw new LarderError('usage', error.message, { hint: error.hint ?? hint });
  }
}

/** A base URL while it is in use. */
export class HttpSource extends ConfiguredSource implements MediaSource {
  readonly kind = 'http';
  readonly ladder = [];
  readonly #listings: HttpListings | null;

  /** @param listings - reads its folders; null where only files of it are asked for */
  constructor(id: number, name: string, target: HttpTarget, listings: HttpListings | null = null) {
    super(id, name, { options: {}, ...target });
    this.#listings = listings;
  }

  override get target(): SourceTarget & HttpTarget {
    return super.target as SourceTarget & HttpTarget;
  }

  override retarget(target: HttpTarget | SourceTarget): void {
    super.retarget({ options: {}, ...target });
  }

  describe(path: string): MediaAddress {
    return describePath(path);
  }

  resolve(address: Pick<MediaAddress, 'path'>): UpstreamRequest {
    return this.resolvePath(address.path);
  }

  /**
   * The request for what is at the decoded `path`; the path was checked by `decodePath`.
   * @throws LarderError `unknown-source` when the source was removed
   */
  resolvePath(path: string): UpstreamRequest {
    this.refuseRemoved();
    const { url, credentials, local } = this.target;
    return { url: url + encodePath(path), ...carryCredentials(credentials), baseUrl: url, local };
  }

  openCatalogue(): CatalogueSource {
    if (this.#listings === null) throw new Error('this source was made without listings');
    return new HttpCatalogue(this, this.#listings);
  }
}
