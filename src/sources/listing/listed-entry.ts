// What one folder of a server holds, as its listing says. Names are labels that a stranger wrote: each is one segment
// of a path, decoded once, and anything that could mean more than that is left out.
import { LISTED_NAME_MAX } from '../../limits.ts';

export interface ListedEntry {
  /** Decoded, without slashes. */
  readonly name: string;
  readonly isFolder: boolean;
  /** Null unless the listing gives it to the byte. */
  readonly sizeBytes: number | null;
  /** As the listing says it; a listing without a time zone is taken for UTC. */
  readonly modifiedAtMs: number | null;
  /** All that the listing tells of the file's version, to be compared with what it told before; null for nothing. */
  readonly stamp: string | null;
}

export interface ListedFacts {
  readonly sizeBytes?: number | null;
  /** As it is written, such as `1.2G`. */
  readonly sizeText?: string | null;
  readonly modifiedAtMs?: number | null;
  readonly etag?: string | null;
}

/** Takes the listing in pieces and gives out entries as they are seen. */
export interface ListingParser {
  write(text: string): void;
  /** @throws LarderError `no-listing` when that was none, or not the whole of it */
  end(): void;
}

export interface ListingSink {
  entry(entry: ListedEntry): void;
  /** A name that cannot stand in an address of ours, or is too long. */
  skipped(): void;
}

export function listedEntry(name: string, isFolder: boolean, facts: ListedFacts): ListedEntry {
  const { sizeBytes = null, sizeText = null, modifiedAtMs = null, etag = null } = facts;
  const told = isFolder ? [modifiedAtMs] : [sizeBytes ?? sizeText, modifiedAtMs, etag];
  const stamp = told.every((fact) => fact === null) ? null : told.map((fact) => fact ?? '').join(' ');
  return { name, isFolder, sizeBytes: isFolder ? null : sizeBytes, modifiedAtMs, stamp };
}

/** Whether `name` can be a segment of a stream address as it is (`decodePath`). */
export function isUsableName(name: string): boolean {
  if (name === '' || name === '.' || name === '..' || name.length > LISTED_NAME_MAX || !name.isWellFormed())
    return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return !/[/\\\u0000-\u001f\u007f]/.test(name);
}

export type LinkMeaning =
  | { readonly kind: 'entry'; readonly name: string; readonly isFolder: boolean }
  /** The folder itself, its parent, another order of the same listing, another site. */
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'parent' }
  | { readonly kind: 'unusable' };

/** An address is not looked at when it is longer: nothing in it could be used. */
const HREF_MAX = 4 * LISTED_NAME_MAX;

/**
 * What a link in the listing of `folder` names. Only what lies exactly one level below it counts: on the same server,
 * without a query. `new URL` takes out dots in all their spellings before that is decided.
 */
export function readLink(href: string, folder: URL): LinkMeaning {
  if (href.length > HREF_MAX) return { kind: 'unusable' };
  let url: URL;
  try {
    url = new URL(href, folder);
  } catch {
    return { kind: 'elsewhere' };
  }
  if (url.origin !== folder.origin || url.search !== '') return { kind: 'elsewhere' };
  return readPath(url.pathname, folder.pathname);
}

/**
 * The same for a path of the server; `folderPath` ends in a slash. Servers do not agree on what is to be escaped, and
 * the owner of the source wrote its address in yet another way: segments are compared as they read.
 */
export function readPath(path: string, folderPath: string): LinkMeaning {
  const folder = readSegments(folderPath).slice(0, -1);
  const raw = path.split('/');
  const segments = readSegments(path);
  const isFolder = segments.at(-1) === '';
  const depth = segments.length - (isFolder ? 1 : 0) - folder.length;
  const isBelow = folder.every((segment, index) => segment === segments[index]);
  if (!isBelow) {
    const isAbove =
      depth === -1 && isFolder && folder.slice(0, -1).every((segment, index) => segment === segments[index]);
    return { kind: isAbove ? 'parent' : 'elsewhere' };
  }
  if (depth !== 1) return { kind: 'elsewhere' };
  const name = segments[folder.length]!;
  // Not UTF-8: no address of ours can name it.
  const isDecoded = name !== raw[folder.length] || !name.includes('%');
  return isDecoded && isUsableName(name) ? { kind: 'entry', name, isFolder } : { kind: 'unusable' };
}

function readSegments(path: string): string[] {
  return path.split('/').map((segment) => {
    if (!segment.includes('%')) return segment;
    try {
      return decodeURIComponent(segment);
    } catch {
      return segment;
    }
  });
}
