// What the files of a playlist are called here. `720p` is the playlist itself, `720p~m0` one that it points to,
// `720p~1f0c33a9-12` its thirteenth piece: the name says how the playlist was cut, so that pieces of one that is cut
// otherwise are others. `720p~live2-12` is a piece of one that moves on.
import { cataloguePath, parsePieceQuality } from '../../sources/catalogue-path.ts';
import type { MediaAddress } from '../../sources/media-address.ts';
import type { PlaylistPart } from './playlist.ts';

export type HlsName =
  | { readonly kind: 'playlist'; readonly whole: string; readonly name: string }
  | { readonly kind: 'part'; readonly whole: string; readonly signature: string; readonly name: string };

const PLAYLIST = /^([a-z0-9-]+)~(m\d{1,4})$/;
const LIVE = /^live\d{0,4}$/;
/** Endings that players go by: ffmpeg refuses pieces whose ending does not go with what they are (hls.c, test_segment). */
const CONTAINERS: Readonly<Record<string, string>> = {
  ts: 'ts',
  m2ts: 'ts',
  m4s: 'm4s',
  m4v: 'mp4',
  m4a: 'm4a',
  mp4: 'mp4',
  cmfv: 'm4s',
  cmfa: 'm4s',
  aac: 'aac',
  ac3: 'ac3',
  ec3: 'ec3',
  mp3: 'mp3',
  vtt: 'vtt',
  webvtt: 'vtt',
};

/** What changes has no cut that could be named: its playlists are told apart. */
export function liveSignature(playlist: string): string {
  return `live${playlist.slice(1)}`;
}

export function isLiveSignature(signature: string): boolean {
  return LIVE.test(signature);
}

/** Null for a quality that is no file of a playlist. */
export function parseHlsQuality(quality: string): HlsName | null {
  const playlist = PLAYLIST.exec(quality);
  if (playlist !== null) return { kind: 'playlist', whole: playlist[1]!, name: playlist[2]! };
  const part = parsePieceQuality(quality);
  return part === null ? null : { kind: 'part', ...part };
}

/** The address of a piece or a key, as the engine keeps it. @param entryId - of its playlist */
export function addressOfPart(
  whole: MediaAddress,
  signature: string,
  part: PlaylistPart,
  entryId?: number,
): MediaAddress {
  const quality = `${whole.quality}~${signature}-${part.name}`;
  const { mediaKey, title } = whole;
  const { container } = part;
  const path = cataloguePath(title, { mediaKey, quality, container });
  const type = container === 'key' || container === 'vtt' ? 'file' : 'video';
  const partOf = { path: whole.path, quality: whole.quality, ...(entryId === undefined ? {} : { entryId }) };
  return { ...whole, path, quality, container, type, partOf };
}

/** What its address ends in, as players know it. */
export function containerOf(name: string, url: string, isMp4: boolean): string {
  if (name.startsWith('k')) return 'key';
  const extension = /^[^?#]*\.([a-z0-9]{1,6})(?:[?#]|$)/i.exec(url)?.[1]?.toLowerCase();
  const known = CONTAINERS[extension ?? ''];
  // Some hide what they have behind other endings.
  return known ?? (isMp4 ? 'mp4' : 'ts');
}
