// Readers as the pages show them.
import type { EndedReaderProps } from '../../views/parts/ended-readers.tsx';
import type { ReaderProps, ReaderWaitProps } from '../../views/parts/reader-row.tsx';
import type { EndedReader } from '../proxy/ended-readers.ts';
import { playerName } from '../proxy/player-name.ts';
import type { OpenReader, ReaderWait } from '../proxy/readers.ts';
import type { ItemPathOf } from './item-paths.ts';

/** What a reader waits for, without how long: `attic to be asked again in 3 s (try 3)`. */
export function describeWait({ kind, source, attempt, untilMs }: ReaderWait, nowMs: number): string {
  const again = untilMs === null ? 'soon' : `in ${Math.max(1, Math.ceil((untilMs - nowMs) / 1_000))} s`;
  const tries = attempt > 1 ? ` (try ${attempt})` : '';
  switch (kind) {
    case 'connection':
      return `for a free connection to ${source}${tries}`;
    case 'first-byte':
      return `for the first byte from ${source}${tries}`;
    case 'bytes':
      return `for bytes from ${source}${tries}`;
    case 'retry':
      return `for ${source}, which is asked again ${again}${tries}`;
    case 'pause':
      return `for ${source}, which asked to be left alone and is asked again ${again}`;
    case 'comparison':
      return 'until what is kept is compared with its checksums';
  }
}

function waitProps(wait: ReaderWait, nowMs: number): ReaderWaitProps {
  return { words: describeWait(wait, nowMs), sinceMs: wait.sinceMs, reason: wait.reason, hint: wait.hint };
}

export function readerProps(reader: OpenReader, itemPathOf: ItemPathOf, mayStop: boolean, nowMs: number): ReaderProps {
  const { id, player, address, title, quality, source, startedAtMs, positionBytes, sizeBytes } = reader;
  const { toPlayerRate, fromOriginRate, servedBytes, fromDiskBytes, runwayBytes, isRunwayWhole, worstStallMs } = reader;
  return {
    id,
    player,
    address,
    title,
    quality,
    source,
    itemPath: itemPathOf(reader.entryId),
    startedAtMs,
    positionBytes,
    sizeBytes,
    toPlayerRate,
    fromOriginRate,
    servedBytes,
    fromDiskBytes,
    runwayBytes,
    isRunwayWhole,
    worstStallMs,
    waiting: reader.waiting === null ? null : waitProps(reader.waiting, nowMs),
    seconds: reader.seconds.map((second) => ({
      servedRate: (second.servedBytes * 1_000) / second.spanMs,
      fromDiskRate: (second.fromDiskBytes * 1_000) / second.spanMs,
      waited: second.waited,
    })),
    mayStop,
  };
}

export function endedReaderProps(ended: EndedReader, itemPathOf: ItemPathOf): EndedReaderProps {
  return {
    id: String(ended.id),
    player: playerName(ended.userAgent),
    address: ended.address,
    title: ended.title,
    quality: ended.quality,
    itemPath: itemPathOf(ended.entryId),
    startedAtMs: ended.startedAt,
    endedAtMs: ended.endedAt,
    requestCount: ended.requestCount,
    servedBytes: ended.servedBytes,
    fromDiskBytes: ended.servedFromDiskBytes,
    firstByteMs: ended.firstByteMs,
    stallCount: ended.stallCount,
    worstStallMs: ended.worstStallMs,
    outcome: ended.outcome,
    reason: ended.reason,
  };
}
