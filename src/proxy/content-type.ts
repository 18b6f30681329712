// Media types by file extension, for origins that name none or a generic one, and which types no browser would run.

const BY_EXTENSION: Readonly<Record<string, string>> = {
  '3gp': 'video/3gpp',
  aac: 'audio/aac',
  aiff: 'audio/aiff',
  ass: 'text/x-ssa; charset=utf-8',
  avi: 'video/x-msvideo',
  avif: 'image/avif',
  flac: 'audio/flac',
  flv: 'video/x-flv',
  gif: 'image/gif',
  iso: 'application/x-iso9660-image',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  m2ts: 'video/mp2t',
  m3u8: 'application/vnd.apple.mpegurl',
  m4a: 'audio/mp4',
  m4b: 'audio/mp4',
  m4s: 'video/mp4',
  m4v: 'video/mp4',
  mka: 'audio/x-matroska',
  mkv: 'video/x-matroska',
  mov: 'video/quicktime',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  mpeg: 'video/mpeg',
  mpg: 'video/mpeg',
  oga: 'audio/ogg',
  ogg: 'audio/ogg',
  ogv: 'video/ogg',
  opus: 'audio/ogg',
  pdf: 'application/pdf',
  png: 'image/png',
  srt: 'application/x-subrip; charset=utf-8',
  ssa: 'text/x-ssa; charset=utf-8',
  ts: 'video/mp2t',
  vtt: 'text/vtt; charset=utf-8',
  wav: 'audio/wav',
  webm: 'video/webm',
  webp: 'image/webp',
  wma: 'audio/x-ms-wma',
  wmv: 'video/x-ms-wmv',
  zip: 'application/zip',
};

const GENERIC = 'application/octet-stream';

/** Types that say nothing of a film: servers that do not know an extension send these. */
const SAYS_NOTHING = /^(application\/octet-stream|binary\/octet-stream|application\/force-download|text\/plain)\b/i;

/** RFC 9110 §8.3.1 and no more: browsers split other values at commas, and take the last part for the type. */
const EXACT_TYPE =
  /^([\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+)((?: *; *[\w!#$%&'*+.^`|~-]+=(?:[\w!#$%&'*+.^`|~-]+|"[^"\\]*"))*) *$/;

/** The origin's type, else the extension's. Only what every reader takes for the same one type is given on. */
export function contentTypeOf(originType: string | null, container: string | null): string {
  const known = container === null ? undefined : BY_EXTENSION[container];
  const [, type, parameters] = EXACT_TYPE.exec(originType ?? '') ?? [];
  if (type === undefined || parameters === undefined || !/^[\x20-\x7e]*$/.test(parameters)) return known ?? GENERIC;
  if (known !== undefined && SAYS_NOTHING.test(type)) return known;
  // A comma may stand in a quoted parameter (`codecs="avc1, mp4a"`); who splits there must not be led astray.
  return parameters.includes(',') ? type : type + parameters;
}

const PASSIVE = new Set([
  'application/force-download',
  'application/mp4',
  'application/octet-stream',
  'application/ogg',
  'application/vnd.apple.mpegurl',
  'application/vnd.apple.mpegurl.audio',
  'application/vnd.ms-asf',
  'application/vnd.rn-realmedia',
  'application/x-flac',
  'application/x-iso9660-image',
  'application/x-matroska',
  'application/x-mpegurl',
  'application/x-ogg',
  'application/x-subrip',
  'binary/octet-stream',
  'image/avif',
  'image/bmp',
  'image/gif',
  'image/heic',
  'image/heif',
  'image/jpeg',
  'image/jpg',
  'image/jxl',
  'image/png',
  'image/tiff',
  'image/webp',
  'image/x-icon',
  'image/x-ms-bmp',
  'image/vnd.microsoft.icon',
  'text/plain',
  'text/srt',
  'text/vtt',
  'text/x-ass',
  'text/x-ssa',
  'text/x-subrip',
]);

/**
 * What is shown in a browser as it is. Anything else might run there as a page of ours, now or in a browser to come: it
 * is sandboxed and offered as a download (CONTRACT.md, promise 13), which no player minds.
 */
export function isPassiveContent(contentType: string): boolean {
  const type = contentType.split(';', 1)[0]!.trim().toLowerCase();
  return PASSIVE.has(type) || (/^(?:video|audio)\//.test(type) && !/[+/]xml$/.test(type));
}
