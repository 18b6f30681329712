// By what a folder is known again: up to when its changes were read, and how many items it had. Kept in the place of an
// entity tag, which servers do not give to lists.
import { countOf, fieldsOf, textOf } from './dto-fields.ts';

export interface FolderVersion {
  /** What was saved since then is asked for. By the clock of the server, in ms since 1970. */
  readonly sinceMs: number;
  readonly items: number;
}

/**
 * How far back is asked: a save has its time before it is written, and the header `Date` has whole seconds. What comes
 * twice is compared and left.
 */
const OVERLAP_MS = 300_000;

/** Null where the server did not say what time it is: the folder is then read whole each time. */
export function folderVersion(headers: Headers, items: number): FolderVersion | null {
  const serverMs = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(serverMs) ? null : { sinceMs: serverMs - OVERLAP_MS, items };
}

/** @param nonce - so that two readings of the same second are not taken for the same */
export function encodeFolderVersion({ sinceMs, items }: FolderVersion, nonce: string): string {
  return JSON.stringify({ since: new Date(sinceMs).toISOString(), items, nonce: nonce.slice(0, 16) });
}

/** Null for what was not written by this. */
export function decodeFolderVersion(etag: string | null | undefined): FolderVersion | null {
  if (etag === null || etag === undefined || etag.length > 1_024) return null;
  try {
    const fields = fieldsOf(JSON.parse(etag));
    const sinceMs = Date.parse(textOf(fields?.since, 40) ?? '');
    const items = countOf(fields?.items);
    return Number.isNaN(sinceMs) || items === null ? null : { sinceMs, items };
  } catch {
    return null;
  }
}
