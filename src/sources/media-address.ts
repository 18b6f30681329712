// What a path below an HTTP source names: a media item in one quality. Both directions are exact, so that the cache
// key (source, media item, quality) and the path say the same: the rung in a file's name is taken out of the item's
// key and put back from the quality. In lower case only: `1080P` is part of the name, or two files would be one.
import { LarderError } from '../errors.ts';
import { PATH_LENGTH_MAX } from '../limits.ts';

export interface MediaAddress {
  /** Decoded, without a leading slash. */
  readonly path: string;
  readonly mediaKey: string;
  readonly quality: string;
  readonly title: string;
  readonly year: number | null;
  readonly type: 'video' | 'audio' | 'file';
  /** File extension in lower case, such as `mkv`. */
  readonly container: string | null;
  /** A catalogue says what it is called, not its path. */
  readonly isListed?: boolean;
  /** It is a piece of this playlist: players read many, and people think of one. */
  readonly partOf?: { readonly path: string; readonly quality: string; readonly entryId?: number };
}

const RUNG = /([ ._\-[(])(2160p|1440p|1080p|720p|576p|480p|360p)(?=[ ._\-\])][^/]*$)/;
const PLACEHOLDER = '{quality}';
const VIDEO = new Set([
  'mp4',
  'm4v',
  'mov',
  'mkv',
  'webm',
  'avi',
  'ts',
  'm2ts',
  'mpg',
  'mpeg',
  'wmv',
  'flv',
  'ogv',
  '3gp',
]);
const AUDIO = new Set(['mp3', 'flac', 'm4a', 'm4b', 'aac', 'ogg', 'oga', 'opus', 'wav', 'wma', 'aiff', 'alac']);

/**
 * Whether a page of HTML in its place is no answer. Subtitles are left out: servers that do not know their type call
 * them HTML, and they play all the same.
 */
export function expectsMedia({ type, quality }: Pick<MediaAddress, 'type' | 'quality'>): boolean {
  return type !== 'file' || quality === '~poster';
}

/**
 * Decodes the raw path of a stream address segment by segment.
 * @throws LarderError `bad-address` for anything that could leave the source's base URL or name nothing in it
 */
export function decodePath(rawPath: string): string {
  if (rawPath.length > PATH_LENGTH_MAX) throw badAddress(`the path is longer than ${PATH_LENGTH_MAX} characters`);
  const segments = rawPath.split('/').map((segment) => {
    let decoded: string;
    try {
      decoded = decodeURIComponent(segment);
    } catch {
      throw badAddress('the path is not valid percent-encoded UTF-8');
    }
    if (decoded === '.' || decoded === '..') throw badAddress('the path may not contain "." or ".." segments');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    if (/[/\\\u0000-\u001f\u007f]/.test(decoded)) {
      throw badAddress('a segment of the path contains a slash, a backslash or a control character');
    }
    return decoded;
  });
  if (segments.slice(0, -1).some((segment) => segment === '')) throw badAddress('the path has an empty segment');
  const path = segments.join('/');
  if (path === '' || path.endsWith('/')) {
    throw new LarderError('not-found', 'this address names a folder; Larder streams files', {
      hint: 'add the name of a file, for example /s/films/Film.mkv',
    });
  }
  return path;
}

export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/**
 * The path of a media item in one quality, the other way round of `describePath`.
 * @throws LarderError `not-found` when no path has this key and quality
 */
export function pathOf(mediaKey: string, quality: string): string {
  const path = quality === 'original' ? mediaKey : mediaKey.replace(PLACEHOLDER, () => quality);
  const address = describePath(path);
  if (address.mediaKey === mediaKey && address.quality === quality) return path;
  throw new LarderError('not-found', `there is no quality ${JSON.stringify(quality.slice(0, 40))} of this file`, {
    hint: 'its page lists the qualities that there are',
  });
}

export function describePath(path: string): MediaAddress {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const rung = RUNG.exec(name);
  const folder = path.slice(0, path.length - name.length);
  // A literal placeholder in a name would not be told from ours: such a file keeps its name and is `original`.
  const hasRung = rung !== null && !name.includes(PLACEHOLDER);
  const key = hasRung ? folder + name.replace(RUNG, `$1${PLACEHOLDER}`) : path;
  const dot = name.lastIndexOf('.');
  const container = dot > 0 && dot < name.length - 1 ? name.slice(dot + 1).toLowerCase() : null;
  const stem = (hasRung ? name.slice(0, rung.index) : dot > 0 ? name.slice(0, dot) : name).trim();
  const year = /[([ ._]((?:19|20)\d\d)(?:[)\] ._]|$)/.exec(stem);
  const title = year === null ? stem : stem.slice(0, year.index);
  return {
    path,
    mediaKey: key,
    quality: hasRung ? rung[2]! : 'original',
    title: title.replace(/[._]+/g, ' ').trim() || name,
    year: year === null ? null : Number(year[1]),
    type:
      container !== null && VIDEO.has(container)
        ? 'video'
        : container !== null && AUDIO.has(container)
          ? 'audio'
          : 'file',
    container,
  };
}

function badAddress(message: string): LarderError {
  return new LarderError('bad-address', message, { hint: 'check the address: it is /s/SOURCE/PATH, percent-encoded' });
}
