// One quality of an item as its page shows it: what it is, what of it is here, and what goes on with it.
import type { ItemQualityProps, KeptProps } from '../../views/parts/item-quality.tsx';
import type { ByteRange } from '../bytes/byte-range.ts';
import type { QualityRow } from '../db/library.ts';
import { type EntryDetail, gapsOf } from '../library/entry-details.ts';
import type { LibraryItem } from '../library/library.ts';
import type { WebServices } from './services.ts';

export type QualityPropsServices = Pick<WebServices, 'entryDetails' | 'durations' | 'playedAtMs' | 'capBytes'>;

const GAPS_SHOWN = 100;

export async function qualityPropsOf(
  { entryDetails, durations, playedAtMs, capBytes }: QualityPropsServices,
  item: LibraryItem,
  row: QualityRow,
): Promise<ItemQualityProps> {
  const detail = row.entryId === null ? null : await entryDetails.find(row.entryId);
  const isDropped = detail !== null && detail.removedAt !== null;
  const { width, height, bitrate, videoCodec, audioCodec, container, delivery, seekable } = row;
  return {
    itemId: item.mediaId,
    title: item.title,
    quality: row.quality,
    encoding: { width, height, bitrate, videoCodec, audioCodec, container, delivery, seekable },
    refusal: row.refusal,
    unlistedSinceMs: row.unlistedSince,
    sizeBytes: detail?.totalBytes ?? row.sizeBytes,
    dropped: isDropped ? { entryId: detail.entryId, bytes: detail.cachedBytes, leftMs: detail.undoMs ?? 0 } : null,
    kept:
      detail === null || isDropped
        ? null
        : keptProps(detail, {
            durationMs: (await durations.find(detail)) ?? item.durationMs,
            playedAtMs: playedAtMs(detail.entryId) ?? detail.lastPlayedAt,
            capBytes: capBytes(),
          }),
  };
}

function asPair({ start, end }: ByteRange): readonly [number, number] {
  return [start, end];
}

interface KeptFacts {
  readonly durationMs: number | null;
  readonly playedAtMs: number | null;
  readonly capBytes: number;
}

function keptProps(detail: EntryDetail, { durationMs, playedAtMs, capBytes }: KeptFacts): KeptProps {
  const gaps = gapsOf(detail);
  return {
    entryId: detail.entryId,
    cachedBytes: detail.cachedBytes,
    isComplete: detail.isComplete,
    ranges: detail.ranges.map(asPair),
    inFlight: detail.inFlight.map(asPair),
    gaps: gaps.slice(0, GAPS_SHOWN).map(asPair),
    gapCount: gaps.length,
    isFetched: detail.isFetched,
    readerPositions: detail.readerPositions,
    download: detail.download,
    pinned: detail.pinned,
    durationMs,
    lastPlayedAtMs: playedAtMs,
    fetchedSinceMs: detail.generation?.createdAt ?? null,
    checkedAtMs: detail.generation?.checkedAt ?? null,
    verifiedAtMs: detail.generation?.verifiedAt ?? null,
    etag: detail.etag,
    lastModified: detail.generation?.lastModified ?? null,
    missing:
      detail.missingSince === null
        ? null
        : { sinceMs: detail.missingSince, reason: detail.missingReason ?? 'it did not say why' },
    isTooLarge: (detail.totalBytes ?? 0) > capBytes,
  };
}
