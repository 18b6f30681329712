// One file of an item (MediaSourceInfo): films may have several versions.
import { countOf, type Fields, guidOf, listOf, textOf } from './dto-fields.ts';

export interface JellyfinVersion {
  /** As the server writes it: it compares ids of versions letter by letter (StreamingHelpers.cs, GetStreamingState). */
  readonly id: string;
  readonly sizeBytes: number | null;
  /**
   * Of the time at which the file was changed (BaseItem.cs, GetVersionInfo): moves with the file and not with what is
   * written about it. Null of what is no file of the server.
   */
  readonly etag: string | null;
  readonly container: string | null;
  readonly bitrate: number | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly videoCodec: string | null;
  readonly audioCodec: string | null;
  readonly refusal: string | null;
  readonly subtitles: readonly JellyfinSubtitle[];
}

export interface JellyfinSubtitle {
  /** Number of the stream within the version. */
  readonly index: number;
  /** As the server is asked to write it. */
  readonly format: 'srt' | 'vtt' | 'ass';
  readonly language: string | null;
  readonly title: string | null;
  readonly isForced: boolean;
}

const VERSIONS_MAX = 64;
const STREAMS_MAX = 500;
const SUBTITLES_MAX = 100;
const ID_LENGTH_MAX = 128;

/** Whatever a demuxer calls a container, and what its files are called. */
const CONTAINERS: ReadonlyMap<string, string> = new Map([
  ['matroska', 'mkv'],
  ['mpegts', 'ts'],
  ['quicktime', 'mov'],
  ['mpeg', 'mpg'],
]);
const FORMATS: ReadonlyMap<string, JellyfinSubtitle['format']> = new Map([
  ['vtt', 'vtt'],
  ['webvtt', 'vtt'],
  ['ass', 'ass'],
  ['ssa', 'ass'],
]);

/** The item's own first, the others by size of the picture: an order that stays when one more is added. */
export function readVersions(value: unknown, itemId: string): JellyfinVersion[] {
  const versions = listOf(value, VERSIONS_MAX).flatMap((source) => readVersion(source) ?? []);
  const seen = new Set<string>();
  const isOwn = ({ id }: JellyfinVersion) => guidOf(id) === itemId;
  return versions
    .filter(({ id }) => !seen.has(id) && seen.add(id))
    .sort(
      (one, other) =>
        Number(isOwn(other)) - Number(isOwn(one)) ||
        (other.width ?? 0) - (one.width ?? 0) ||
        (one.id < other.id ? -1 : 1),
    );
}

/** Null for what has no file (MediaSourceType.Placeholder). */
function readVersion(source: Fields): JellyfinVersion | null {
  const id = textOf(source.Id, ID_LENGTH_MAX);
  if (id === null || source.Type === 'Placeholder') return null;
  const streams = listOf(source.MediaStreams, STREAMS_MAX);
  const video = streams.find((stream) => stream.Type === 'Video');
  const audio = streams.find((stream) => stream.Type === 'Audio');
  return {
    id,
    sizeBytes: positiveOf(source.Size),
    etag: textOf(source.ETag, 128),
    container: containerOf(source),
    bitrate: positiveOf(source.Bitrate),
    width: positiveOf(video?.Width),
    height: positiveOf(video?.Height),
    videoCodec: textOf(video?.Codec, 40)?.toLowerCase() ?? null,
    audioCodec: textOf(audio?.Codec, 40)?.toLowerCase() ?? null,
    refusal: refusalOf(source),
    subtitles: streams.flatMap((stream) => readSubtitle(stream) ?? []).slice(0, SUBTITLES_MAX),
  };
}

function positiveOf(value: unknown): number | null {
  const count = countOf(value);
  return count === 0 ? null : count;
}

/** `Container` may name all that a demuxer takes, as in `mov,mp4,m4a,3gp,3g2,mj2`; the name of the file then decides. */
function containerOf(source: Fields): string | null {
  const named = (textOf(source.Container, 200) ?? '').toLowerCase().split(',');
  const extension = /\.([a-z0-9]{1,10})(?:[?#].*)?$/i.exec(textOf(source.Path, 8_192) ?? '')?.[1]?.toLowerCase();
  const isFit = (name: string) => /^[a-z0-9]{1,10}$/.test(name) && name !== 'strm';
  const known = named.map((name) => CONTAINERS.get(name) ?? name).filter(isFit);
  if (extension !== undefined && isFit(extension) && (known.length === 0 || known.includes(extension)))
    return extension;
  return known.length > 1 && known.includes('mp4') ? 'mp4' : (known[0] ?? null);
}

/** Why the server does not hand the bytes out as they are (VideosController.cs, GetVideoStream). */
function refusalOf({ Protocol, VideoType, IsInfiniteStream }: Fields): string | null {
  if (IsInfiniteStream === true) return 'it is a live stream, which has no end';
  if (VideoType === 'Dvd' || VideoType === 'BluRay') return 'it is a disc kept as a folder of files, not one file';
  if (Protocol === undefined || Protocol === null || Protocol === 'File' || Protocol === 'Http') return null;
  return 'it comes from elsewhere by another way than http, which Jellyfin does not pass on';
}

function readSubtitle(stream: Fields): JellyfinSubtitle | null {
  const index = countOf(stream.Index);
  if (stream.Type !== 'Subtitle' || stream.IsExternal !== true || stream.IsTextSubtitleStream !== true) return null;
  if (index === null) return null;
  return {
    index,
    format: FORMATS.get((textOf(stream.Codec, 40) ?? '').toLowerCase()) ?? 'srt',
    language: textOf(stream.Language, 40),
    title: textOf(stream.Title, 200) ?? textOf(stream.DisplayTitle, 200),
    isForced: stream.IsForced === true,
  };
}
