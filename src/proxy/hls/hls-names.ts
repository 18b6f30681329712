// What the files of a playlist are called here. `720p` is the playlist itself, `720p~m0` one that it points to,
// `720p~1f0c33a9-12` its thirteenth piece: the name says how the playlist was cut, so that pieces of one that is cut
// otherwise are others.
import { cataloguePath } from '../../sources/catalogue-path.ts';
import type { MediaAddress } from '../../sources/media-address.ts';
import type { PlaylistPart } from './playlist.ts';

export type HlsName =
  | { readonly kind: 'playlist'; readonly whole: string; readonly name: string }
  | { readonly kind: 'part'; readonly whole: string; readonly signature: string; readonly name: string };

/** What changes has no cut that could be named. */
export const LIVE_SIGNATURE = '00000000';

const PLAYLIST = /^([a-z0-9-]+)~(m\d{1,4})$/;
const PART = /^([a-z0-9-]+)~([0-9a-f]{8})-([ik]?\d{1,12})$/;
const CONTAINERS: Readonly<Record<string, string>> = {
  ts: 'ts',
  m4s: 'm4s',
  mp4: 'mp4',
  aac: 'aac',
  vtt: 'vtt',
  mp3: 'mp3',
};

/** Null for a quality that is no file of a playlist. */
export function parseHlsQuality(quality: string): HlsName | null {
  const playlist = PLAYLIST.exec(quality);
  if (playlist !== null) return { kind: 'playlist', whole: playlist[1]!, name: playlist[2]! };
  const part = PART.exec(quality);
  return part === null ? null : { kind: 'part', whole: part[1]!, signature: part[2]!, name: part[3]! };
}

/** The address of a piece or a key, as the engine keeps it. */
export function addressOfPart(whole: MediaAddress, signature: string, part: PlaylistPart): MediaAddress {
  const quality = `${whole.quality}~${signature}-${part.name}`;
  const { mediaKey, title } = whole;
  const container = part.name.startsWith('k') ? 'key' : containerOf(part.url);
  const path = cataloguePath(title, { mediaKey, quality, container });
  const type = part.name.startsWith('k') ? 'file' : 'video';
  return { ...whole, path, quality, container, type, partOf: { path: whole.path, quality: whole.quality } };
}

function containerOf(url: string): string {
  const extension = /\.([a-z0-9]{1,4})$/i.exec(URL.canParse(url) ? new URL(url).pathname : '')?.[1]?.toLowerCase();
  return CONTAINERS[extension ?? ''] ?? 'ts';
}
