// Gathers what the list of entries shows from the engine and the rows, as plain values.
import type { EntriesProps } from '../../views/parts/entries.tsx';
import type { EntryProps } from '../../views/parts/entry.tsx';
import type { ByteRange } from '../bytes/byte-range.ts';
import type { CachedFile } from '../chunks/cached-file.ts';
import type { ChunkManager } from '../chunks/chunk-manager.ts';
import type { DownloadQueueTable } from '../db/download-queue.ts';
import type { EntryCursor, EntrySummary, EntryTable } from '../db/entries.ts';
import type { StatisticsTable } from '../db/statistics.ts';
import type { SpaceKeeper } from '../offline/space-keeper.ts';
import type { HttpSource } from '../sources/http-source.ts';
import { encodePath } from '../sources/media-address.ts';

export interface HomeServices {
  readonly manager: ChunkManager;
  readonly entries: EntryTable;
  readonly statistics: StatisticsTable;
  readonly queue: DownloadQueueTable;
  readonly sources: () => readonly HttpSource[];
  readonly space: Pick<SpaceKeeper, 'state'>;
}

export const ENTRIES_PER_PAGE = 50;

export function formatCursor(cursor: EntryCursor): string {
  return `${cursor.lastUsedAt}-${cursor.entryId}`;
}

/** Null for anything that is no cursor of ours: the first page is shown. */
export function parseCursor(text: string | undefined): EntryCursor | null {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(text ?? '');
  return match === null ? null : { lastUsedAt: Number(match[1]), entryId: Number(match[2]) };
}

/** Views know ranges as pairs. */
function asPair(range: ByteRange): readonly [number, number] {
  return [range.start, range.end];
}

export class HomeModel {
  readonly #services: HomeServices;

  constructor(services: HomeServices) {
    this.#services = services;
  }

  async entries(cursor: EntryCursor | null): Promise<EntriesProps> {
    const files = [...this.#services.manager.files()];
    const { entries, queue, statistics, sources } = this.#services;
    const rows = await entries.listRecent(ENTRIES_PER_PAGE + 1, cursor);
    const byEntry = new Map<number, CachedFile>();
    for (const file of files) if (!file.superseded) byEntry.set(file.identity.entryId, file);
    const shown = rows.slice(0, ENTRIES_PER_PAGE);
    const queued = await queue.listWished(shown.map((row) => row.entryId));
    const last = shown.at(-1);
    return {
      entries: shown.map((row) => this.#entry(row, byEntry.get(row.entryId), queued.has(row.entryId))),
      total: (await statistics.get()).entryCount,
      cursor: cursor === null ? null : formatCursor(cursor),
      next: rows.length > ENTRIES_PER_PAGE && last !== undefined ? formatCursor(last) : null,
      sourceNames: sources().map((source) => source.name),
    };
  }

  #entry(row: EntrySummary, file: CachedFile | undefined, isQueued: boolean): EntryProps {
    return {
      id: String(row.entryId),
      groupKey: String(row.mediaId),
      title: row.year === null ? row.title : `${row.title} (${row.year})`,
      source: row.source,
      quality: row.quality,
      sizeBytes: row.totalBytes,
      cachedBytes: row.ranges.reduce((sum, range) => sum + range.end - range.start, 0),
      ranges: row.ranges.map(asPair),
      inFlight: file === undefined ? [] : file.bytes.inFlight().map(asPair),
      readerPositions: file === undefined ? [] : [...file.readers].map((reader) => reader.position),
      lastUsedAtMs: row.lastUsedAt,
      streamPath: `/s/${encodeURIComponent(row.source)}/${encodePath(row.path)}`,
      fetchQueued: isQueued,
      pinned: row.pinned,
      tooLarge: (row.totalBytes ?? 0) > this.#services.space.state.capBytes,
      missing:
        row.missingSince === null
          ? null
          : { sinceMs: row.missingSince, reason: row.missingReason ?? 'it did not say why' },
    };
  }
}
