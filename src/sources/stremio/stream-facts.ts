// What the words of a stream say of its file. There are no fields for size of the picture, codecs or container
// (Stremio/stremio-addon-sdk docs/api/responses/stream.md): add-ons write them into name, description and file name, in
// the words of release names.

export interface NamedFacts {
  readonly height: number | null;
  readonly videoCodec: string | null;
  readonly audioCodec: string | null;
}

/** `1080p`, `1920x1080`. */
const LINES = /\b(4320|2160|1440|1080|720|576|480|360|240)[pi]\b/i;
const PICTURE = /\b\d{3,4}[x×](\d{3,4})\b/;
/** Where no number says it. */
const HEIGHT_WORDS: readonly (readonly [RegExp, number])[] = [
  [/\b8k\b/i, 4320],
  [/\b(?:4k|uhd)\b/i, 2160],
  [/\b(?:2k|qhd)\b/i, 1440],
  [/\b(?:fhd|full ?hd)\b/i, 1080],
];
/** Whole words only; the first that is found counts. Names of codecs are those of ffmpeg. */
const VIDEO_CODECS: readonly (readonly [RegExp, string])[] = [
  [/\bav1\b/i, 'av1'],
  [/\b(?:hevc|[xh][ .-]?265)\b/i, 'hevc'],
  [/\b(?:avc|[xh][ .-]?264)\b/i, 'h264'],
  [/\bvp9\b/i, 'vp9'],
  [/\b(?:xvid|divx)\b/i, 'mpeg4'],
  [/\bmpeg-?2\b/i, 'mpeg2video'],
];
const AUDIO_CODECS: readonly (readonly [RegExp, string])[] = [
  [/\btrue-?hd\b/i, 'truehd'],
  [/\bdts(?:-?(?:hd|es|x))?\b/i, 'dts'],
  [/(?:\b(?:ddp|dd\+|e-?ac-?3)(?![a-z]))/i, 'eac3'],
  [/(?:\b(?:dd|ac-?3)(?![a-z+]))/i, 'ac3'],
  [/\baac(?![a-z])/i, 'aac'],
  [/\bflac\b/i, 'flac'],
  [/\bopus\b/i, 'opus'],
  [/\bmp3\b/i, 'mp3'],
];
const CONTAINERS = new Set(
  'mp4 m4v mov mkv webm avi ts m2ts mpg mpeg wmv flv ogv 3gp m3u8 mp3 flac m4a ogg opus'.split(' '),
);

/** @param texts - most telling first: the file's name says what it is, the description may speak of others */
export function readFacts(texts: readonly string[]): NamedFacts {
  return {
    height: numberIn(texts, LINES) ?? numberIn(texts, PICTURE) ?? firstOf(texts, HEIGHT_WORDS),
    videoCodec: firstOf(texts, VIDEO_CODECS),
    audioCodec: firstOf(texts, AUDIO_CODECS),
  };
}

function firstOf<Fact>(texts: readonly string[], words: readonly (readonly [RegExp, Fact])[]): Fact | null {
  for (const text of texts) {
    const found = words.find(([pattern]) => pattern.test(text));
    if (found !== undefined) return found[1];
  }
  return null;
}

function numberIn(texts: readonly string[], pattern: RegExp): number | null {
  const match = texts.map((text) => pattern.exec(text)).find((found) => found !== null);
  return match?.[1] === undefined ? null : Number(match[1]);
}

/** Of a file's name or the path of an address. */
export function containerOf(name: string): string | null {
  const ending = /\.([a-z0-9]{2,5})$/i.exec(name)?.[1]?.toLowerCase();
  return ending !== undefined && CONTAINERS.has(ending) ? ending : null;
}
