// A playlist (M3U with UTF-8) of any length, made as it is read: page by page, never all of it in memory.

export interface PlaylistItem {
  readonly title: string;
  /** Shown as a group by players that know groups. */
  readonly group: string;
  /** Whole address of the stream. */
  readonly address: string;
  /** Null where it is not known. */
  readonly durationSeconds: number | null;
}

export interface PlaylistPage {
  readonly items: readonly PlaylistItem[];
  /** Null on the last page. */
  readonly next: string | null;
}

export async function* writePlaylist(
  title: string,
  readPage: (cursor: string | null) => Promise<PlaylistPage>,
): AsyncGenerator<string> {
  yield `#EXTM3U\n#PLAYLIST:${oneLine(title)}\n`;
  let cursor: string | null = null;
  do {
    const page: PlaylistPage = await readPage(cursor);
    if (page.items.length > 0) yield page.items.map(writeItem).join('');
    cursor = page.next;
  } while (cursor !== null);
}

export function writeItem({ title, group, address, durationSeconds }: PlaylistItem): string {
  const duration = durationSeconds === null ? -1 : Math.round(durationSeconds);
  // A quote would end the attribute, and there is no way to escape one.
  return `#EXTINF:${duration} group-title="${oneLine(group).replaceAll('"', "'")}",${oneLine(title)}\n${oneLine(address)}\n`;
}

/** A line break in a title would make the rest of it an address. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}
