// The path of a file of a source that has a catalogue in place of folders: `LABEL/KEY:QUALITY.CONTAINER`. The label is
// for people (it names the chunk file) and says nothing; the last segment is the cache key, so that the path alone is
// enough to find the file again when the database is lost.
import { LarderError } from '../errors.ts';
import type { MediaAddress } from './media-address.ts';

export interface CataloguePathParts {
  readonly mediaKey: string;
  readonly quality: string;
  readonly container: string | null;
}

/** `~` begins what is no quality of its own: `~poster`, `~sub-1`, `720p~seg-12`. */
const QUALITY = /^[a-z0-9~][a-z0-9~-]{0,39}$/;
const CONTAINER = /^[a-z0-9]{1,10}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNFIT = /[/\\\u0000-\u001f\u007f]+/g;
const LABEL_MAX = 120;
export const MEDIA_KEY_MAX = 512;

const AUDIO = new Set(['mp3', 'flac', 'm4a', 'm4b', 'aac', 'ogg', 'oga', 'opus', 'wav', 'wma', 'aiff', 'alac', 'wv']);

/** `720p~SIGNATURE-12`: a file of a playlist (src/proxy/hls/hls-names.ts). */
const PIECE = /^([a-z0-9-]+)~([0-9a-f]{8}|live\d{0,4})-([ik]?\d{1,20})$/;

export interface PieceQuality {
  /** The quality that it is a piece of. */
  readonly whole: string;
  readonly signature: string;
  readonly name: string;
}

/** Null for what is no piece of a playlist. */
export function parsePieceQuality(quality: string): PieceQuality | null {
  const [, whole, signature, name] = PIECE.exec(quality) ?? [];
  return whole === undefined || signature === undefined || name === undefined ? null : { whole, signature, name };
}

/** Whether it is something beside a film: a picture, subtitles, a piece of a playlist. */
export function isSideQuality(quality: string): boolean {
  return quality.includes('~');
}

export function isQualityName(quality: string): boolean {
  return QUALITY.test(quality);
}

/** @param label - title as people know it; what cannot stand in a path is taken out of it */
export function cataloguePath(label: string, { mediaKey, quality, container }: CataloguePathParts): string {
  const name = label.replace(UNFIT, ' ').replace(/\s+/g, ' ').trim().slice(0, LABEL_MAX).trim();
  const end = container !== null && CONTAINER.test(container) ? `.${container}` : '';
  return `${name === '' || /^\.+$/.test(name) ? 'untitled' : name}/${encodeURIComponent(mediaKey)}:${quality}${end}`;
}

/** @throws LarderError `bad-address` */
export function parseCataloguePath(path: string): MediaAddress {
  const slash = path.lastIndexOf('/');
  const last = path.slice(slash + 1);
  const colon = last.indexOf(':');
  const dot = last.indexOf('.', colon);
  const quality = last.slice(colon + 1, dot < 0 ? undefined : dot);
  const container = dot < 0 ? null : last.slice(dot + 1);
  const mediaKey = colon < 1 ? null : decodeKey(last.slice(0, colon));
  if (mediaKey === null || !QUALITY.test(quality) || (container !== null && !CONTAINER.test(container))) {
    throw new LarderError('bad-address', 'this is no file of a catalogue', {
      hint: 'copy the address from the page of the film',
    });
  }
  const piece = parsePieceQuality(quality);
  const isSide = quality.startsWith('~') || (piece !== null && (container === 'key' || container === 'vtt'));
  const type = isSide ? 'file' : container !== null && AUDIO.has(container) ? 'audio' : 'video';
  return {
    path,
    mediaKey,
    quality,
    title: path.slice(0, Math.max(0, slash)),
    year: null,
    type,
    container,
    isListed: true,
    ...(piece === null ? {} : { partOf: { path: wholePath(path, colon + slash + 1, piece), quality: piece.whole } }),
  };
}

/** @param colon - where the quality begins */
function wholePath(path: string, colon: number, { whole }: PieceQuality): string {
  return `${path.slice(0, colon + 1)}${whole}.m3u8`;
}

function decodeKey(text: string): string | null {
  try {
    const key = decodeURIComponent(text);
    return key === '' || key.length > MEDIA_KEY_MAX ? null : key;
  } catch {
    return null;
  }
}
