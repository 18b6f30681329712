// The streams that an add-on has of a video (Stremio/stremio-addon-sdk docs/api/responses/stream.md). Those with an http
// address can be fetched; of the others is kept what they are and why not. Addresses and headers are good for a while
// and may hold secrets: nothing of them is to be written down.
import type { CatalogueSubtitle } from '../catalogue-source.ts';
import { takeUserInformation } from './addon-address.ts';
import { type JsonRecord, listOf, recordOf, textOf, wholeOf } from './json-values.ts';
import { readProxyHeaders } from './proxy-headers.ts';
import { containerOf, type NamedFacts, readFacts } from './stream-facts.ts';
import { readSubtitles } from './subtitles.ts';

/** What is known of a stream's file without asking for it. */
export interface StreamFile extends NamedFacts {
  readonly filename: string | null;
  readonly sizeBytes: number | null;
  /** Streams of other episodes with the same one are of the same kind. */
  readonly bingeGroup: string | null;
  readonly container: string | null;
}

export interface PlayableStream extends StreamFile {
  readonly url: string;
  /** To be sent to the host of `url` only; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly isPlaylist: boolean;
  readonly subtitles: readonly CatalogueSubtitle[];
}

export interface RefusedStream extends StreamFile {
  /** Begins its quality's name: `torrent-1`. */
  readonly way: string;
  readonly refusal: string;
}

export interface StreamList {
  /** In the order of the add-on, which is to be from the best one down (docs/api/requests/defineStreamHandler.md). */
  readonly playable: readonly PlayableStream[];
  readonly refused: readonly RefusedStream[];
}

export const NO_STREAMS: StreamList = { playable: [], refused: [] };

/** Entries that are looked at, and what is kept of them. */
const ENTRIES_MAX = 1_000;
const PLAYABLE_MAX = 50;
const REFUSED_MAX = 20;
/** In characters, of all that is kept of one answer: lists are remembered. */
const LIST_LENGTH_MAX = 256 * 1024;
const URL_MAX = 16_384;
const FILENAME_MAX = 1_024;
const BINGE_GROUP_MAX = 512;
/** Descriptions have a handful of lines. */
const WORDS_MAX = 2_048;

const TORRENT = 'it is a torrent, and Larder fetches over http and https only';
const REFUSALS: readonly (readonly [fields: readonly string[], way: string, refusal: string])[] = [
  [['infoHash'], 'torrent', TORRENT],
  [['ytId'], 'youtube', 'it is a video of YouTube, which gives no file'],
  [['nzbUrl'], 'usenet', 'it is a download from Usenet, and Larder fetches over http and https only'],
  [
    ['rarUrls', 'zipUrls', '7zipUrls', 'tgzUrls', 'tarUrls'],
    'archive',
    'it is packed in an archive, which is not unpacked',
  ],
  [
    ['externalUrl', 'androidTvUrl', 'tizenUrl', 'webosUrl'],
    'external',
    'it opens in a browser or another program only',
  ],
];

export function readStreams(value: unknown, addonBaseUrl: string): StreamList {
  const playable: PlayableStream[] = [];
  const refused: RefusedStream[] = [];
  let length = 0;
  for (const entry of listOf(value, ENTRIES_MAX)) {
    const stream = recordOf(entry);
    if (stream === null) continue;
    const url = readUrl(stream.url);
    if (url !== null && /^https?:$/.test(url.protocol)) {
      if (playable.length >= PLAYABLE_MAX) continue;
      const usable = playableStream(stream, url, addonBaseUrl);
      length += JSON.stringify(usable).length;
      if (length <= LIST_LENGTH_MAX) playable.push(usable);
      continue;
    }
    const refusal = refusalOf(stream, url);
    if (refusal !== null && refused.length < REFUSED_MAX) refused.push({ ...fileOf(stream, null), ...refusal });
  }
  return { playable, refused };
}

function readUrl(value: unknown): URL | null {
  const text = textOf(value, URL_MAX);
  return text !== null && URL.canParse(text) ? new URL(text) : null;
}

function playableStream(stream: JsonRecord, url: URL, addonBaseUrl: string): PlayableStream {
  const authorization = takeUserInformation(url);
  url.hash = '';
  return {
    ...fileOf(stream, url),
    url: url.href,
    headers: { ...authorization, ...readProxyHeaders(stream.behaviorHints) },
    isPlaylist: /\.m3u8$/i.test(url.pathname),
    subtitles: readSubtitles(stream.subtitles, addonBaseUrl),
  };
}

function refusalOf(stream: JsonRecord, url: URL | null): Pick<RefusedStream, 'way' | 'refusal'> | null {
  for (const [fields, way, refusal] of REFUSALS) {
    if (fields.some((field) => stream[field] !== undefined && stream[field] !== null)) return { way, refusal };
  }
  if (url === null) return null;
  if (url.protocol === 'magnet:') return { way: 'torrent', refusal: TORRENT };
  const scheme = url.protocol.slice(0, 20);
  return { way: 'other', refusal: `its address is ${scheme} and Larder fetches over http and https only` };
}

function fileOf(stream: JsonRecord, url: URL | null): StreamFile {
  const hints = recordOf(stream.behaviorHints);
  const filename = textOf(hints?.filename, FILENAME_MAX);
  const words = [stream.name, stream.description, stream.title].flatMap((text) => textOf(text, WORDS_MAX) ?? []);
  const size = wholeOf(hints?.videoSize);
  return {
    ...readFacts(filename === null ? words : [filename, ...words]),
    filename,
    sizeBytes: size === 0 ? null : size,
    bingeGroup: textOf(hints?.bingeGroup, BINGE_GROUP_MAX),
    container: containerOf(url?.pathname ?? '') ?? containerOf(filename ?? ''),
  };
}
