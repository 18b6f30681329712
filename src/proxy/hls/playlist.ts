// HLS playlists (RFC 8216): what stands for an address is found and named, what would lead past Larder is left out, and
// everything else stays as it is, so that tags of later versions pass through. Pure.
import { createHash } from 'node:crypto';
import { containerOf, liveSignature } from './hls-names.ts';
import {
  type Attribute,
  attributeOf,
  holdsAddress,
  lied,
  readAttributes,
  readLines,
  tagOf,
  writeTag,
} from './playlist-lines.ts';

/** What a playlist points to. */
export interface PlaylistPart {
  /** Within its playlist: `12` the thirteenth piece, `i0` an initialisation section, `k0` a key, `m0` a playlist. */
  readonly name: string;
  /** Empty where it is not known: what was kept does not say it. */
  readonly url: string;
  /** Of a playlist, what its master says of it: another encoding or language may be cut in the same way. */
  readonly identity?: string;
  /** What its address is to end in. */
  readonly container: string;
}

/** A piece of the film, in the order of playing. */
export interface PlaylistPiece extends PlaylistPart {
  readonly durationMs: number;
}

export interface Playlist {
  /** `master` points to other playlists. */
  readonly kind: 'master' | 'media';
  /** It will change: neither ended nor said to be whole (RFC 8216 §4.3.3.4, §4.3.3.5). Always false for a master. */
  readonly isLive: boolean;
  /** Text with `<larder:NAME.CONTAINER>` in place of addresses. */
  readonly body: string;
  /** By name, in the order of the text. */
  readonly parts: ReadonlyMap<string, PlaylistPart>;
  /** Of a media playlist. */
  readonly pieces: readonly PlaylistPiece[];
  /** Where each piece is in `pieces`. */
  readonly places: ReadonlyMap<string, number>;
  /** Of how a media playlist is cut: pieces of one that is cut otherwise are others. */
  readonly signature: string;
}

/** Which playlist of its quality it is. */
export interface PlaylistPlace {
  /** Empty for the first one. */
  readonly name: string;
  readonly identity?: string | undefined;
}

export const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
const PLACEHOLDER = /<larder:([a-z0-9]+)\.([a-z0-9]+)>/g;
const PIECE_LINE = /^<larder:(\d+)\./;
/**
 * Of low latency (RFC 8216bis §4.4.3.7, §4.4.4.9, §4.4.5): pieces of pieces are not passed on, and a playlist that is held
 * back until it has changed is none of ours. And what leads to other qualities than the one that is kept.
 */
const LEFT_OUT = new Set([
  '#EXT-X-PART',
  '#EXT-X-PART-INF',
  '#EXT-X-PRELOAD-HINT',
  '#EXT-X-RENDITION-REPORT',
  '#EXT-X-SERVER-CONTROL',
  '#EXT-X-SKIP',
  '#EXT-X-CONTENT-STEERING',
  // What its playlists say once more.
  '#EXT-X-SESSION-KEY',
  '#EXT-X-I-FRAME-STREAM-INF',
  '#EXT-X-IMAGE-STREAM-INF',
]);
/** What makes pieces others than they were. */
const CUTTING = new Set([
  '#EXTINF',
  '#EXT-X-BYTERANGE',
  '#EXT-X-DISCONTINUITY',
  '#EXT-X-GAP',
  '#EXT-X-KEY',
  '#EXT-X-MAP',
]);
/** Sounds and subtitles of one film, each in a playlist of its own. */
const PLAYLISTS_MAX = 100;
const GROUPS = ['AUDIO', 'VIDEO', 'SUBTITLES', 'CLOSED-CAPTIONS'];

/**
 * @param url - where it came from in the end: relative addresses begin there
 * @throws LarderError `origin-lied` when it is no playlist, or one that leads to what is not on the web
 */
export function parsePlaylist(text: string, url: string, place: PlaylistPlace = { name: '' }): Playlist {
  const lines = readLines(text, url);
  const isMaster = lines.some((line) => tagOf(line) === '#EXT-X-STREAM-INF');
  return isMaster ? parseMaster(lines, url) : parseMedia(lines, url, place);
}

/** A playlist as it was kept: where its parts are is not known. */
export function parseKept({ kind, body, signature }: Pick<Playlist, 'kind' | 'body' | 'signature'>): Playlist {
  const parts = new Map<string, PlaylistPart>();
  const pieces = new Map<string, PlaylistPiece>();
  let durationMs = 0;
  for (const line of body.split('\n')) {
    if (line.startsWith('#EXTINF:')) durationMs = durationOf(line);
    if (!line.includes('<larder:')) continue;
    for (const [, name = '', container = ''] of line.matchAll(PLACEHOLDER)) {
      if (!parts.has(name)) parts.set(name, { name, url: '', container });
    }
    const piece = parts.get(PIECE_LINE.exec(line)?.[1] ?? '');
    if (piece !== undefined) addPiece(pieces, piece, durationMs);
  }
  return { kind, isLive: false, body, parts, ...inOrder(pieces), signature };
}

/** The text with addresses in place of names. */
export function writePlaylist(body: string, addressOf: (name: string, container: string) => string): string {
  return body.replace(PLACEHOLDER, (_, name: string, container: string) => addressOf(name, container));
}

function placeholder({ name, container }: PlaylistPart): string {
  return `<larder:${name}.${container}>`;
}

/**
 * Null for what is in the text itself, or is of the player's own system of keys (`skd:`, RFC 8216 §4.3.2.4).
 * @throws LarderError `origin-lied` for all else that is not on the web, such as files of the player
 */
function resolve(reference: string, url: string): string | null {
  if (/^(?:data|skd):/i.test(reference)) return null;
  const resolved = parseUrl(reference.split('#', 1)[0]!, url);
  if (resolved === null || !/^https?:\/\//.test(resolved)) throw lied('leads to something that is not on the web');
  return resolved;
}

function parseUrl(reference: string, url: string): string | null {
  try {
    // Not asked for before: there may be a hundred thousand.
    return new URL(reference, url).href;
  } catch {
    return null;
  }
}

/**
 * One encoding is what a quality is: of several the one with the most bits stays, with the sounds and subtitles that go
 * with it. A player that changed between them would have all of them cached in parts.
 */
function parseMaster(lines: readonly string[], url: string): Playlist {
  const best = bestVariant(lines);
  const chosen = lines[best]!;
  const variant = readAttributes(chosen);
  const groups = new Set(GROUPS.map((type) => `${type} ${attributeOf(variant, type)}`));
  const reference = lines.slice(best + 1).find((line) => !line.startsWith('#'));
  const variantUrl = reference === undefined ? null : resolve(reference, url);
  if (variantUrl === null) throw lied('names no playlist behind its variant');
  const parts = new Map<string, PlaylistPart>();
  const byUrl = new Map<string, PlaylistPart>();
  const identities = new Map<string, number>();
  const partOf = (resolved: string, line: string): PlaylistPart => {
    const known = byUrl.get(resolved);
    if (known !== undefined) return known;
    // Two of which the same is said are two all the same.
    const count = identities.get(line) ?? 0;
    identities.set(line, count + 1);
    const name = `m${parts.size}`;
    const part = { name, url: resolved, container: 'm3u8', identity: `${line} ${count}` };
    byUrl.set(resolved, part);
    parts.set(name, part);
    return part;
  };
  const first = partOf(variantUrl, chosen);
  const kept: string[] = [];
  for (const [index, line] of lines.entries()) {
    const tag = tagOf(line);
    if (index === best) {
      const attributes = variant.filter(([name, value]) => !holdsAddress(value) && !name.endsWith('URI'));
      kept.push(writeTag(tag, attributes), placeholder(first));
      continue;
    }
    if (!line.startsWith('#') || tag === '#EXT-X-STREAM-INF') continue;
    if (tag !== '#EXT-X-MEDIA') {
      if (isHarmless(line, tag)) kept.push(line);
      continue;
    }
    const attributes = readAttributes(line);
    const group = `${attributeOf(attributes, 'TYPE')} ${attributeOf(attributes, 'GROUP-ID')}`;
    if (!groups.has(group) || parts.size >= PLAYLISTS_MAX) continue;
    const others = attributes.filter(([name]) => name !== 'URI');
    const identity = writeTag(tag, others);
    kept.push(
      writeTag(
        tag,
        withNames(attributes, url, (resolved) => partOf(resolved, identity)),
      ),
    );
  }
  const body = `${kept.join('\n')}\n`;
  return { kind: 'master', isLive: false, body, parts, ...inOrder(new Map()), signature: '' };
}

function bestVariant(lines: readonly string[]): number {
  let best = -1;
  let most = -1;
  for (const [index, line] of lines.entries()) {
    if (tagOf(line) !== '#EXT-X-STREAM-INF') continue;
    const bandwidth = Number(attributeOf(readAttributes(line), 'BANDWIDTH') ?? 0) || 0;
    if (bandwidth > most) {
      best = index;
      most = bandwidth;
    }
  }
  return best;
}

/** With a name in place of its address, and without others. */
function withNames(
  attributes: readonly Attribute[],
  url: string,
  partOf: (resolved: string) => PlaylistPart,
): Attribute[] {
  return attributes.flatMap(([name, value]): Attribute[] => {
    if (name !== 'URI') return holdsAddress(value) || name.endsWith('URI') ? [] : [[name, value]];
    const resolved = resolve(value.replace(/^"|"$/g, ''), url);
    return [[name, resolved === null ? value : `"${placeholder(partOf(resolved))}"`]];
  });
}

function isHarmless(line: string, tag: string): boolean {
  return !LEFT_OUT.has(tag) && !holdsAddress(line) && !/(?:URI|X-ASSET-LIST)\s*=/.test(line);
}

function parseMedia(lines: readonly string[], url: string, place: PlaylistPlace): Playlist {
  const isEnded = lines.some((line) => tagOf(line) === '#EXT-X-ENDLIST' || /^#EXT-X-PLAYLIST-TYPE:\s*VOD/.test(line));
  const isLive = !isEnded;
  const isMp4 = lines.some((line) => tagOf(line) === '#EXT-X-MAP');
  const parts = new Map<string, PlaylistPart>();
  const pieces = new Map<string, PlaylistPiece>();
  const { urls, resolvedOf } = namePieces(lines, url);
  const names = new Map<string, string>();
  const counts = { i: 0, k: 0 };
  const partOf = (resolved: string, prefix: 'i' | 'k') => {
    // A section of a file that pieces are of as well.
    const name =
      (prefix === 'i' ? urls.get(resolved) : undefined) ??
      names.get(`${prefix}${resolved}`) ??
      // In what moves on, the first one is another each time, and players keep what they have by its address.
      (isLive ? `${prefix}${numberOf(resolved)}` : `${prefix}${counts[prefix]++}`);
    names.set(`${prefix}${resolved}`, name);
    return addPart(parts, name, resolved, isMp4);
  };
  const cut = [place.identity ?? ''];
  const kept: string[] = [];
  let durationMs = 0;
  for (const line of lines) {
    const tag = line.startsWith('#') ? tagOf(line) : '';
    let written: string | null = null;
    if (tag === '') {
      const resolved = resolvedOf.get(line) ?? null;
      const name = resolved === null ? undefined : urls.get(resolved);
      written = line;
      if (resolved !== null && name !== undefined) {
        const part = addPart(parts, name, resolved, isMp4);
        addPiece(pieces, part, durationMs);
        written = placeholder(part);
      }
      cut.push(name ?? '');
    } else if (tag === '#EXT-X-KEY' || tag === '#EXT-X-MAP') {
      const prefix = tag === '#EXT-X-MAP' ? 'i' : 'k';
      written = writeTag(
        tag,
        withNames(readAttributes(line), url, (resolved) => partOf(resolved, prefix)),
      );
    } else if (tag === '#EXTINF') {
      durationMs = durationOf(line);
      // What follows the number is for people.
      written = holdsAddress(line) ? line.slice(0, line.indexOf(',') + 1) : line;
    } else if (isHarmless(line, tag)) written = line;
    if (written === null) continue;
    if (CUTTING.has(tag)) cut.push(tag === '#EXTINF' ? `${durationMs}` : written);
    kept.push(written);
  }
  if (!isLive && pieces.size === 0 && !kept.some((line) => !line.startsWith('#'))) throw lied('has nothing to play');
  const signature = isLive ? liveSignature(place.name) : hashOf(cut.join('\n')).slice(0, 8);
  return { kind: 'media', isLive, body: `${kept.join('\n')}\n`, parts, ...inOrder(pieces), signature };
}

/**
 * Numbers as the playlist counts its pieces (RFC 8216 §4.3.3.2), so that one of a playlist that moves on keeps its own. Of
 * several that are parts of one file, that of the first.
 */
function namePieces(lines: readonly string[], url: string) {
  const given =
    lines
      .find((line) => tagOf(line) === '#EXT-X-MEDIA-SEQUENCE')
      ?.split(':')[1]
      ?.trim() ?? '';
  let number = /^\d{1,19}$/.test(given) ? BigInt(given) : 0n;
  const urls = new Map<string, string>();
  const resolvedOf = new Map<string, string>();
  for (const line of lines) {
    if (line.startsWith('#')) continue;
    const resolved = resolvedOf.get(line) ?? resolve(line, url);
    if (resolved !== null) {
      resolvedOf.set(line, resolved);
      if (!urls.has(resolved)) urls.set(resolved, `${number}`);
    }
    number += 1n;
  }
  return { urls, resolvedOf };
}

function addPart(parts: Map<string, PlaylistPart>, name: string, url: string, isMp4: boolean): PlaylistPart {
  const part = parts.get(name) ?? { name, url, container: containerOf(name, url, isMp4) };
  parts.set(name, part);
  return part;
}

/** Several byte ranges of one file are one piece. */
function addPiece(pieces: Map<string, PlaylistPiece>, part: PlaylistPart, durationMs: number): void {
  pieces.set(part.name, { ...part, durationMs: (pieces.get(part.name)?.durationMs ?? 0) + durationMs });
}

function inOrder(pieces: ReadonlyMap<string, PlaylistPiece>): Pick<Playlist, 'pieces' | 'places'> {
  return {
    pieces: [...pieces.values()],
    places: new Map([...pieces.keys()].map((name, index) => [name, index])),
  };
}

function durationOf(line: string): number {
  const seconds = Number(/^#EXTINF:\s*([\d.]+)/.exec(line)?.[1] ?? 0);
  return Number.isFinite(seconds) ? Math.round(seconds * 1_000) : 0;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function numberOf(url: string): string {
  return BigInt(`0x${hashOf(url).slice(0, 10)}`).toString();
}
