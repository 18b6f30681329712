// HLS playlists (RFC 8216), read line by line: what stands for an address is found and named, everything else stays as it
// is, so that tags of later versions pass through. Pure.
import { createHash } from 'node:crypto';
import { LarderError } from '../../errors.ts';
import { LIVE_SIGNATURE } from './hls-names.ts';

/** What a playlist points to. */
export interface PlaylistPart {
  /** Within its playlist: `12` the thirteenth piece, `i0` an initialisation section, `k0` a key, `m0` a playlist. */
  readonly name: string;
  readonly url: string;
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
  /** Text with `<larder:NAME>` in place of addresses. */
  readonly body: string;
  readonly parts: readonly PlaylistPart[];
  /** Of a media playlist. */
  readonly pieces: readonly PlaylistPiece[];
  /** Of how a media playlist is cut: pieces of one that is cut otherwise are others. 8 letters and digits. */
  readonly signature: string;
}

export const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
/** Six hours in pieces of two seconds have 11,000; nobody's playlist has ten times that. */
const LINES_MAX = 200_000;
const URI_ATTRIBUTE = /\bURI="([^"]*)"/;
const PLACEHOLDER = /<larder:([a-z0-9]+)>/g;

/**
 * @param url - where it came from in the end: relative addresses begin there
 * @throws LarderError `origin-lied` when it is no playlist
 */
export function parsePlaylist(text: string, url: string): Playlist {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines[0]?.trim() !== '#EXTM3U') throw lied('does not begin as a playlist does');
  if (lines.length > LINES_MAX) throw lied(`has more than ${LINES_MAX} lines`);
  const isMaster = lines.some((line) => line.startsWith('#EXT-X-STREAM-INF'));
  return isMaster ? parseMaster(lines, url) : parseMedia(lines, url);
}

/** The text with addresses in place of names. */
export function writePlaylist(body: string, addressOf: (name: string) => string): string {
  return body.replace(PLACEHOLDER, (_, name: string) => addressOf(name));
}

/** Names of the parts of a stored body, in their order. */
export function partNames(body: string): string[] {
  return [...new Set([...body.matchAll(PLACEHOLDER)].map(([, name = '']) => name))];
}

/** Null for what is no address on the web: `data:`, `skd:`. */
function resolve(reference: string, url: string): string | null {
  if (!URL.canParse(reference, url)) return null;
  const resolved = new URL(reference, url);
  return resolved.protocol === 'http:' || resolved.protocol === 'https:' ? resolved.href : null;
}

/** Gives each address one name. */
class Names {
  readonly parts: PlaylistPart[] = [];
  readonly #byUrl = new Map<string, string>();
  readonly #counts: Map<string, number>;

  /** @param firstPiece - number of the first piece */
  constructor(firstPiece = 0) {
    this.#counts = new Map([['', firstPiece]]);
  }

  nameOf(url: string, prefix: string): string {
    const key = `${prefix} ${url}`;
    let name = this.#byUrl.get(key);
    if (name === undefined) {
      const count = this.#counts.get(prefix) ?? 0;
      this.#counts.set(prefix, count + 1);
      name = `${prefix}${count}`;
      this.#byUrl.set(key, name);
      this.parts.push({ name, url });
    }
    return name;
  }
}

/**
 * One encoding is what a quality is: of several the one with the most bits stays, with the sounds and subtitles that go
 * with it. A player that changed between them would have all of them cached in parts.
 */
function parseMaster(lines: readonly string[], url: string): Playlist {
  const best = bestVariant(lines);
  const groups = new Set(
    ['AUDIO', 'SUBTITLES', 'VIDEO', 'CLOSED-CAPTIONS'].map((name) => attribute(lines[best] ?? '', name)),
  );
  const reference = lines.slice(best + 1).find((line) => line.trim() !== '' && !line.startsWith('#')) ?? '';
  const variant = resolve(reference.trim(), url);
  if (variant === null) throw lied('names no playlist behind its variant');
  const names = new Names();
  const kept: string[] = [];
  for (const [index, line] of lines.entries()) {
    const isVariant = line.startsWith('#EXT-X-STREAM-INF');
    if (isVariant && index === best) kept.push(line, `<larder:${names.nameOf(variant, 'm')}>`);
    const isReference = line.trim() !== '' && !line.startsWith('#');
    const isOther = line.startsWith('#EXT-X-MEDIA:') && !groups.has(attribute(line, 'GROUP-ID'));
    if (isVariant || isReference || isOther || line.startsWith('#EXT-X-I-FRAME-STREAM-INF')) continue;
    kept.push(nameAttribute(line, url, names, line.startsWith('#EXT-X-SESSION-KEY') ? 'k' : 'm'));
  }
  const body = `${kept.join('\n').trimEnd()}\n`;
  return { kind: 'master', isLive: false, body, parts: names.parts, pieces: [], signature: '' };
}

function bestVariant(lines: readonly string[]): number {
  let best = -1;
  let most = -1;
  for (const [index, line] of lines.entries()) {
    if (!line.startsWith('#EXT-X-STREAM-INF')) continue;
    const bandwidth = Number(/[:,]BANDWIDTH=(\d+)/.exec(line)?.[1] ?? 0);
    if (bandwidth > most) {
      best = index;
      most = bandwidth;
    }
  }
  return best;
}

function attribute(line: string, name: string): string | null {
  return new RegExp(`[:,]${name}="([^"]*)"`).exec(line)?.[1] ?? null;
}

function nameAttribute(line: string, url: string, names: Names, prefix: string): string {
  if (!line.startsWith('#EXT')) return line;
  return line.replace(URI_ATTRIBUTE, (whole, reference: string) => {
    const resolved = resolve(reference, url);
    return resolved === null ? whole : `URI="<larder:${names.nameOf(resolved, prefix)}>"`;
  });
}

function parseMedia(lines: readonly string[], url: string): Playlist {
  // The first of a playlist that moves on is another each time (RFC 8216 §4.3.3.2).
  const sequence = lines.find((line) => line.startsWith('#EXT-X-MEDIA-SEQUENCE:'))?.split(':')[1] ?? '0';
  const names = new Names(/^\d{1,11}$/.test(sequence.trim()) ? Number(sequence) : 0);
  const pieces = new Map<string, PlaylistPiece>();
  const cut = createHash('sha256');
  const kept: string[] = [];
  let durationMs = 0;
  for (const line of lines) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) {
      const duration = /^#EXTINF:\s*([\d.]+)/.exec(trimmed)?.[1];
      if (duration !== undefined) durationMs = Math.round(Number(duration) * 1_000) || 0;
      if (duration !== undefined || trimmed.startsWith('#EXT-X-BYTERANGE')) cut.update(`${trimmed}\n`);
      kept.push(nameAttribute(line, url, names, trimmed.startsWith('#EXT-X-MAP') ? 'i' : 'k'));
      continue;
    }
    const resolved = resolve(trimmed, url);
    if (resolved === null) {
      kept.push(line);
      continue;
    }
    const name = names.nameOf(resolved, '');
    const before = pieces.get(name);
    // Several byte ranges of one file are one piece.
    pieces.set(name, { name, url: resolved, durationMs: (before?.durationMs ?? 0) + durationMs });
    kept.push(`<larder:${name}>`);
  }
  const isEnded = lines.some((line) => line.startsWith('#EXT-X-ENDLIST'));
  const isWhole = lines.some((line) => /^#EXT-X-PLAYLIST-TYPE:\s*VOD/.test(line));
  return {
    kind: 'media',
    isLive: !isEnded && !isWhole,
    body: kept.join('\n'),
    parts: names.parts,
    pieces: [...pieces.values()],
    signature: isEnded || isWhole ? cut.digest('hex').slice(0, 8) : LIVE_SIGNATURE,
  };
}

function lied(what: string): LarderError {
  return new LarderError('origin-lied', `what came as a playlist ${what}`, {
    hint: 'the source may answer with an error page: test it on its page',
  });
}
