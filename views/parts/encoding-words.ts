// What a file is, in words: its picture, its sound, and how its bytes come.
import { formatBitRate } from '../format.ts';

export type EncodingProps = {
  width: number | null;
  height: number | null;
  /** All streams together, in bit/s. */
  bitrate: number | null;
  videoCodec: string | null;
  audioCodec: string | null;
  container: string | null;
  delivery: 'file' | 'growing' | 'hls';
  /** Null while nothing of it was fetched. */
  seekable: boolean | null;
};

/** Names as ffmpeg, Jellyfin and Plex give them, and as people know them. */
const codecNames: Readonly<Record<string, string>> = {
  h264: 'H.264',
  avc: 'H.264',
  hevc: 'HEVC',
  h265: 'HEVC',
  av1: 'AV1',
  vp8: 'VP8',
  vp9: 'VP9',
  mpeg2video: 'MPEG-2',
  mpeg4: 'MPEG-4',
  vc1: 'VC-1',
  aac: 'AAC',
  ac3: 'Dolby Digital',
  eac3: 'Dolby Digital Plus',
  truehd: 'Dolby TrueHD',
  dts: 'DTS',
  dca: 'DTS',
  mp3: 'MP3',
  flac: 'FLAC',
  alac: 'ALAC',
  opus: 'Opus',
  vorbis: 'Vorbis',
};

function codecName(codec: string): string {
  return codecNames[codec.toLowerCase()] ?? codec.toUpperCase();
}

const deliveryWords = { file: null, growing: 'converted as it comes', hls: 'a playlist of pieces' } as const;

/** "1920 × 1080, H.264 and AAC, 8.00 Mbit/s, MKV"; empty when nothing of it is known. */
export function describeEncoding(encoding: EncodingProps): string {
  const { width, height, bitrate, videoCodec, audioCodec, container, delivery } = encoding;
  const size = height === null ? null : width === null ? `${height} lines` : `${width} × ${height}`;
  const codecs = [videoCodec, audioCodec].flatMap((codec) => (codec === null ? [] : codecName(codec)));
  return [
    size,
    codecs.length === 0 ? null : codecs.join(' and '),
    bitrate === null ? null : formatBitRate(bitrate / 8),
    container === null || delivery === 'hls' ? null : container.toUpperCase(),
    deliveryWords[delivery],
  ]
    .filter((part) => part !== null)
    .join(', ');
}

/** Why players cannot skip everywhere in it yet; null where they can, or nobody knows. */
export function describeSeeking({ delivery, seekable }: EncodingProps, isComplete: boolean): string | null {
  if (isComplete || seekable !== false) return null;
  return delivery === 'growing'
    ? 'Players can skip within what is here; everywhere once all of it has been converted and has come.'
    : 'Its source gives it from the start only: players can skip within what is here, everywhere once all of it is.';
}
