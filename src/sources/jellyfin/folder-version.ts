// By what a folder is known again: up to when its changes were read, and how many items it had. Kept in the place of an
// entity tag, which servers do not give to lists.
import { countOf, fieldsOf, textOf } from './dto-fields.ts';
import { itemsOf } from './jellyfin-item.ts';

export interface FolderVersion {
  /** What was saved since then is asked for. By the clock of the server, in ms since 1970. */
  readonly sinceMs: number;
  readonly items: number;
  /** Which server said so: an address may come to lead to another one, whose libraries have the same ids. */
  readonly server: string | null;
}

/**
 * How far back is asked: a save has its time before it is written, and the header `Date` has whole seconds. What comes
 * twice is compared and left.
 */
const OVERLAP_MS = 300_000;

/**
 * Null where the server did not say what time it is: the folder is then read whole each time.
 * @param body - a list with an item of the folder, which names the server
 */
export function folderVersion(headers: Headers, body: unknown, items: number): FolderVersion | null {
  const serverMs = Date.parse(headers.get('date') ?? '');
  const server = textOf(itemsOf(body, 1)[0]?.ServerId, 64);
  return Number.isNaN(serverMs) ? null : { sinceMs: serverMs - OVERLAP_MS, items, server };
}

/** Whether what changed since `before` can be asked for: of the same server, whose clock was not turned back. */
export function follows(now: FolderVersion | null, before: FolderVersion | null): before is FolderVersion {
  if (now === null || before === null || now.sinceMs < before.sinceMs) return false;
  return now.server === before.server || now.items === 0;
}

/** @param nonce - so that two readings of the same second are not taken for the same */
export function encodeFolderVersion({ sinceMs, items, server }: FolderVersion, nonce: string): string {
  return JSON.stringify({ since: new Date(sinceMs).toISOString(), items, server, nonce: nonce.slice(0, 16) });
}

/** Null for what was not written by this. */
export function decodeFolderVersion(etag: string | null | undefined): FolderVersion | null {
  if (etag === null || etag === undefined || etag.length > 1_024) return null;
  try {
    const fields = fieldsOf(JSON.parse(etag));
    const sinceMs = Date.parse(textOf(fields?.since, 40) ?? '');
    const items = countOf(fields?.items);
    return Number.isNaN(sinceMs) || items === null ? null : { sinceMs, items, server: textOf(fields?.server, 64) };
  } catch {
    return null;
  }
}
