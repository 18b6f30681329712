// A source that is a base URL: every file below it can be streamed, with or without a listing.
import { LarderError } from '../errors.ts';
import { encodePath } from './media-address.ts';

export interface UpstreamRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the owner's own address: redirects to local addresses are only followed where the owner pointed at one. */
  readonly baseUrl: string;
}

export interface HttpSourceSettings {
  readonly name: string;
  /** Without user information: that is kept apart and never stored or shown. */
  readonly url: string;
  readonly authorization: string | null;
}

const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/i;

/**
 * Reads `NAME=URL`.
 * @throws LarderError `usage` when the name or the URL cannot be used
 */
export function parseSourceSetting(text: string): HttpSourceSettings {
  const equals = text.indexOf('=');
  const hint = 'write NAME=URL, for example films=https://host/films/';
  // The text itself is not repeated: it may hold a password.
  if (equals < 1) throw new LarderError('usage', 'a source has no name', { hint });
  if (text.slice(0, equals).includes('://')) throw new LarderError('usage', 'a source has a URL and no name', { hint });
  const name = text.slice(0, equals);
  if (!NAME.test(name)) {
    throw new LarderError('usage', `the source name ${JSON.stringify(name)} cannot stand in an address`, {
      hint: 'use 1 to 63 letters, digits, "-" and "_", starting with a letter or digit',
    });
  }
  let url: URL;
  try {
    url = new URL(text.slice(equals + 1));
  } catch {
    throw new LarderError('usage', `the URL of source ${JSON.stringify(name)} is not a URL`, { hint });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new LarderError(
      'usage',
      `the URL of source ${JSON.stringify(name)} is ${url.protocol}// and not http or https`,
      { hint },
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw new LarderError('usage', `the URL of source ${JSON.stringify(name)} has a query or a fragment`, {
      hint: 'give the folder that holds the files; credentials go before the host: https://user:password@host/films/',
    });
  }
  const authorization =
    url.username === '' && url.password === ''
      ? null
      : basicAuthorization(decodeUserInformation(url.username, name), decodeUserInformation(url.password, name));
  url.username = '';
  url.password = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return { name, url: url.href, authorization };
}

function decodeUserInformation(text: string, name: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new LarderError('usage', `user or password of source ${JSON.stringify(name)} is not valid percent-encoding`, {
      hint: 'write a % in it as %25',
    });
  }
}

/** RFC 7617: user and password in UTF-8. */
function basicAuthorization(user: string, password: string): string {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

export class HttpSource {
  readonly id: number;
  readonly name: string;
  readonly url: string;
  readonly #authorization: string | null;

  constructor(id: number, settings: HttpSourceSettings) {
    this.id = id;
    this.name = settings.name;
    this.url = settings.url;
    this.#authorization = settings.authorization;
  }

  /** The request for the file at the decoded `path`; the path was checked by `decodePath`. */
  resolve(path: string): UpstreamRequest {
    return {
      url: this.url + encodePath(path),
      headers: this.#authorization === null ? {} : { authorization: this.#authorization },
      baseUrl: this.url,
    };
  }
}
