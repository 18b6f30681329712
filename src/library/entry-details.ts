// All that is known of an entry at this moment: its rows, and what is going on with it in memory.
import type { ByteRange } from '../bytes/byte-range.ts';
import { RangeSet } from '../bytes/range-set.ts';
import type { ChunkManager } from '../chunks/chunk-manager.ts';
import type { DownloadQueueTable } from '../db/download-queue.ts';
import type { EntryCursor, EntrySummary, EntryTable, GenerationRow } from '../db/entries.ts';
import type { GenerationTable } from '../db/generations.ts';
import { type DownloadState, describeDownload } from './download-state.ts';
import type { Removals } from './removals.ts';

export interface EntryDetailServices {
  readonly entries: Pick<EntryTable, 'findSummary' | 'listRecent'>;
  readonly generations: Pick<GenerationTable, 'find'>;
  readonly queue: Pick<DownloadQueueTable, 'findUnmet'>;
  readonly manager: Pick<ChunkManager, 'findOpen'>;
  readonly removals: Pick<Removals, 'leftMs'>;
  /** Whether a download of the entry stands still for somebody who plays. */
  readonly isResting: (entryId: number) => boolean;
}

export interface EntryDetail extends EntrySummary {
  readonly isComplete: boolean;
  /** Null while nothing of it was ever opened. */
  readonly generation: GenerationRow | null;
  /** Brought by a fetch, and not recorded yet. */
  readonly inFlight: readonly ByteRange[];
  readonly isFetched: boolean;
  /** Where readers are. */
  readonly readerPositions: readonly number[];
  /** Somebody asked for the rest of it; null when nobody did, or all of it has come. */
  readonly download: DownloadState | null;
  /** How long it can be brought back; null when it was not dropped. */
  readonly undoMs: number | null;
}

export interface EntryPage {
  readonly entries: readonly EntrySummary[];
  readonly next: EntryCursor | null;
}

export class EntryDetails {
  readonly #services: EntryDetailServices;

  constructor(services: EntryDetailServices) {
    this.#services = services;
  }

  /** Null when there is no such entry. */
  async find(entryId: number): Promise<EntryDetail | null> {
    const { entries, generations, queue, manager, removals, isResting } = this.#services;
    const summary = await entries.findSummary(entryId);
    if (summary === null) return null;
    const file = manager.findOpen(entryId);
    const wish = isComplete(summary) ? null : await queue.findUnmet(entryId);
    return {
      ...summary,
      isComplete: isComplete(summary),
      generation: summary.generationId === null ? null : await generations.find(summary.generationId),
      inFlight: file?.bytes.inFlight() ?? [],
      isFetched: (file?.fetches.size ?? 0) > 0,
      readerPositions: [...(file?.readers ?? [])].map((reader) => reader.position),
      download: wish === null || wish.state === 'done' ? null : describeDownload(wish, wish.state, isResting(entryId)),
      undoMs: removals.leftMs(entryId),
    };
  }

  /** Last used first, without what was dropped. */
  async list(limit: number, cursor: EntryCursor | null): Promise<EntryPage> {
    const rows = await this.#services.entries.listRecent(limit + 1, cursor);
    const entries = rows.slice(0, limit);
    return { entries, next: rows.length > limit ? (entries.at(-1) ?? null) : null };
  }
}

export function isComplete({ totalBytes, cachedBytes }: Pick<EntrySummary, 'totalBytes' | 'cachedBytes'>): boolean {
  return totalBytes !== null && cachedBytes === totalBytes;
}

/** What is not on the disk, up to the end where it is known. */
export function gapsOf({ totalBytes, ranges }: Pick<EntrySummary, 'totalBytes' | 'ranges'>): ByteRange[] {
  const end = totalBytes ?? ranges.at(-1)?.end ?? 0;
  return RangeSet.of(ranges).gaps(0, end);
}
