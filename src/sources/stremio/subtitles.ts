// Subtitles that lie in a file of their own (Stremio/stremio-addon-sdk docs/api/responses/subtitles.md), and pictures:
// files beside a film whose addresses an add-on hands out. One below the add-on's own address is kept relative to it,
// since what is configured there is secret.
import type { CatalogueSubtitle } from '../catalogue-source.ts';
import { listOf, recordOf, textOf } from './json-values.ts';

const SUBTITLES_MAX = 100;
const URL_MAX = 4_096;
const LANGUAGE_MAX = 100;
const FORMATS = new Set(['srt', 'vtt', 'ass', 'ssa']);
/** ISO 639 with what BCP 47 may add to it. */
const LANGUAGE = /^[a-z]{2,3}(?:[-_][a-z0-9]{2,8})*$/i;
const BELOW = './';
/** Shorter ones are words of the path. */
const SECRET_LENGTH_MIN = 12;

export function readSubtitles(value: unknown, addonBaseUrl: string): CatalogueSubtitle[] {
  const subtitles = new Map<string, CatalogueSubtitle>();
  for (const entry of listOf(value, SUBTITLES_MAX)) {
    const record = recordOf(entry);
    const url = subtitleUrl(record?.url);
    const locator = url === null ? null : fileLocator(url.href, addonBaseUrl);
    if (url === null || locator === null || subtitles.has(locator)) continue;
    // What is no code of a language is shown as it is.
    const lang = textOf(record?.lang, LANGUAGE_MAX);
    const isLanguage = lang !== null && LANGUAGE.test(lang);
    const ending = /\.([a-z]{3})$/i.exec(url.pathname)?.[1]?.toLowerCase() ?? '';
    subtitles.set(locator, {
      language: isLanguage ? lang : null,
      title: isLanguage ? null : lang,
      format: FORMATS.has(ending) ? ending : 'srt',
      locator,
      isForced: /\bforced\b/i.test(`${lang ?? ''} ${textOf(record?.id, LANGUAGE_MAX) ?? ''}`),
    });
  }
  return [...subtitles.values()];
}

/**
 * Add-ons send subtitles of doubtful encoding through Stremio's own server on the player's machine, as
 * `http://127.0.0.1:11470/subtitles.vtt?from=…` (subtitles.md, "Tips"): what it would fetch is taken itself.
 */
function subtitleUrl(value: unknown): URL | null {
  const url = webUrl(value);
  if (url === null || url.host !== '127.0.0.1:11470') return url;
  return webUrl(url.searchParams.get('from'));
}

function webUrl(value: unknown): URL | null {
  const text = textOf(value, URL_MAX);
  if (text === null || !URL.canParse(text)) return null;
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' ? url : null;
}

/** What finds the file again: its address, or `./…` below the add-on's own. Null for what cannot be fetched. */
export function fileLocator(value: unknown, addonBaseUrl: string): string | null {
  const url = webUrl(value);
  if (url === null) return null;
  if (url.href.startsWith(addonBaseUrl)) return BELOW + url.href.slice(addonBaseUrl.length);
  return holdsConfiguration(url.href, addonBaseUrl) ? null : url.href;
}

/** By another scheme, host or spelling than the add-on's own: locators are not sealed as its address is. */
function holdsConfiguration(href: string, addonBaseUrl: string): boolean {
  const text = readable(href);
  const segments = new URL(addonBaseUrl).pathname.split('/');
  return segments.some((segment) => segment.length >= SECRET_LENGTH_MIN && text.includes(readable(segment)));
}

/** As often as it is escaped, within reason: in a query there may be an address in an address. */
function readable(text: string): string {
  let plain = text;
  try {
    for (let times = 0; times < 3; times += 1) plain = decodeURIComponent(plain);
  } catch {
    // A sign that is none of an escape: this is as plain as it gets.
  }
  return plain;
}

/** The other way round. Null when it is no locator of ours. */
export function fileAddress(
  locator: string,
  addonBaseUrl: string,
): { readonly url: string; readonly isOfAddon: boolean } | null {
  if (locator.startsWith(BELOW)) {
    const url = new URL(locator, addonBaseUrl).href;
    return url.startsWith(addonBaseUrl) ? { url, isOfAddon: true } : null;
  }
  const url = webUrl(locator);
  return url === null ? null : { url: url.href, isOfAddon: false };
}
