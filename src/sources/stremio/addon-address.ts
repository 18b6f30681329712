// The address of an add-on: that of its manifest, as people copy it out of Stremio or the add-on's own page. What is
// configured stands in a segment of the path before `manifest.json` (Stremio/stremio-addon-sdk docs/advanced.md, "Using
// User Data in Addons") and often holds keys of other services: the whole address is a secret, and only the host is told.
import { LarderError } from '../../errors.ts';
import type { ParsedSourceUrl, SourceCredentials, SourceTarget } from '../media-source.ts';

export interface AddonAddress {
  /** Everything of the add-on lies below it; ends in a slash. May hold secrets. */
  readonly baseUrl: string;
  /** Of user and password that stand in the address. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A configuration may be a whole JSON object in the path. */
const URL_LENGTH_MAX = 16_384;
const MANIFEST = 'manifest.json';
const EXAMPLE = 'give the address of its manifest, such as https://host/manifest.json';

function invalid(problem: string, hint = EXAMPLE): LarderError {
  return new LarderError('invalid', problem, { hint });
}

/** @throws LarderError `invalid` that repeats nothing of the text */
export function parseAddonUrl(text: string): ParsedSourceUrl {
  const manifest = parseManifestUrl(text);
  const url = `${manifest.origin}/`;
  const isPlain = manifest.href === url + MANIFEST;
  return { url, credentials: isPlain ? null : { manifestUrl: manifest.href } };
}

/** @throws LarderError `invalid` that repeats nothing of the value */
export function parseAddonCredentials(value: unknown): SourceCredentials | null {
  const hint = 'give {"manifestUrl": "https://host/…/manifest.json"}, or null for none';
  if (value === null || value === undefined) return null;
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid('the credentials are not an object', hint);
  const keys = Object.keys(value);
  if (keys.length === 0) return null;
  const { manifestUrl } = value as Record<string, unknown>;
  if (keys.length > 1 || typeof manifestUrl !== 'string') {
    throw invalid('the credentials are of no kind that a Stremio add-on takes', hint);
  }
  return { manifestUrl: parseManifestUrl(manifestUrl).href };
}

function parseManifestUrl(text: string): URL {
  const written = text.trim();
  if (written.length > URL_LENGTH_MAX) throw invalid(`the address is longer than ${URL_LENGTH_MAX} characters`);
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(written) || !URL.canParse(written)) {
    throw invalid('the address of the add-on is not a URL');
  }
  const url = withWebScheme(written);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(`the address of the add-on is ${url.protocol}// and not https, http or stremio`);
  }
  if (url.search !== '' || url.hash !== '') {
    throw invalid(
      'the address of the add-on has a query or a fragment',
      'give the address of the manifest itself: Stremio shows it as the link of the add-on',
    );
  }
  if (/\/configure\/?$/.test(url.pathname)) {
    throw invalid(
      'the address is that of the page on which the add-on is configured',
      'open it in a browser, fill it in, and copy the address that its button to install leads to',
    );
  }
  if (url.pathname.endsWith('/')) url.pathname += MANIFEST;
  if (!url.pathname.endsWith(`/${MANIFEST}`)) {
    throw invalid(`the address of the add-on does not end in /${MANIFEST}`);
  }
  return url;
}

/**
 * `stremio://` stands for https (docs/deep-links.md), and for http where the add-on runs on this machine (the SDK's
 * src/serveHTTP.js makes such links of `http://127.0.0.1`).
 */
function withWebScheme(text: string): URL {
  const link = /^stremio:\/\//i;
  if (!link.test(text)) return new URL(text);
  const rest = text.replace(link, '');
  // `stremio:///discover` and such lead to pages of the app.
  if (rest.startsWith('/') || !URL.canParse(`https://${rest}`)) {
    throw invalid('the address of the add-on is not a URL');
  }
  const url = new URL(`https://${rest}`);
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname) ? new URL(`http://${rest}`) : url;
}

/**
 * Where the add-on of a source is. What is secret was given for one host: it is not used for another one, should the
 * address of the source have been changed alone.
 */
export function addonAddress({ url, credentials }: Pick<SourceTarget, 'url' | 'credentials'>): AddonAddress {
  const secret = credentials?.manifestUrl;
  const isOfHost = typeof secret === 'string' && URL.canParse(secret) && new URL(secret).origin === new URL(url).origin;
  const base = new URL('./', isOfHost ? secret : url);
  const headers = takeUserInformation(base);
  return { baseUrl: base.href, headers };
}

/**
 * Takes user and password out of an address, as a header: fetch refuses addresses that have them (Fetch §5.4). Empty
 * where there are none.
 */
export function takeUserInformation(url: URL): Record<string, string> {
  if (url.username === '' && url.password === '') return {};
  const bytes = new TextEncoder().encode(`${decode(url.username)}:${decode(url.password)}`);
  url.username = '';
  url.password = '';
  return { authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
