// Media types by file extension, for origins that name none or a generic one, and which types a browser would run.

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

/** The origin's type, else the extension's. A header is only given on when it is one line of visible characters. */
export function contentTypeOf(originType: string | null, container: string | null): string {
  const known = container === null ? undefined : BY_EXTENSION[container];
  if (originType === null || !/^[\x20-\x7e]+$/.test(originType)) return known ?? GENERIC;
  return known !== undefined && SAYS_NOTHING.test(originType) ? known : originType;
}

/** A browser would run these as a page of ours: they are sandboxed and offered as a download (CONTRACT.md, promise 13). */
export function isActiveContent(contentType: string): boolean {
  const type = contentType.split(';', 1)[0]!.trim().toLowerCase();
  if (type === 'text/html' || type.endsWith('/xml') || type.endsWith('+xml') || type.startsWith('multipart/'))
    return true;
  return /^(text|application)\/(x-)?(java|ecma|j|live)script[\d.]*$/.test(type);
}
