// The qualities of an item as they are offered: what its source has, and what it can convert to below that. A rung that
// was played has a row of its own by now; what a rung is says the ladder all the same.
import type { QualityRow } from '../db/library.ts';
import { cataloguePath, parseCataloguePath } from '../sources/catalogue-path.ts';
import { ladderBelow } from '../sources/ladder.ts';
import type { Rung } from '../sources/media-source.ts';
import type { SourceFacts } from './item-filter.ts';

/** @param own - rows of one item, best first */
export function withRungs(own: readonly QualityRow[], source: SourceFacts | undefined): readonly QualityRow[] {
  const { ladder = [], rungContainer = 'mp4' } = source ?? {};
  const original = own.find(({ quality }) => quality === 'original');
  if (ladder.length === 0 || original === undefined) return own;
  const rungs = new Map(ladder.map((rung) => [rung.quality, rung]));
  // Rows without a size of their picture are rungs that were played.
  const known = own.map((row) => {
    const rung = row.height === null && row !== original ? rungs.get(row.quality) : undefined;
    return rung === undefined ? row : playedRung(row, rung, rungContainer);
  });
  const taken = new Set(own.map(({ quality }) => quality));
  const offered = ladderBelow(original, ladder, taken).map((rung) => rungRow(original, rung, rungContainer));
  return [...known, ...offered].sort((left, right) => heightOf(right) - heightOf(left));
}

/** What does not say how tall it is goes first, as it did. */
function heightOf({ height }: QualityRow): number {
  return height ?? Number.MAX_SAFE_INTEGER;
}

type RungFacts = Pick<QualityRow, 'width' | 'height' | 'bitrate' | 'videoCodec' | 'audioCodec' | 'delivery'>;

/** Every kind asks for these codecs, which all players take. */
function factsOf({ width, height, bitrate }: Rung, container: string): RungFacts {
  const delivery = container === 'm3u8' ? 'hls' : 'growing';
  return { width, height, bitrate, videoCodec: 'h264', audioCodec: 'aac', delivery };
}

/** What is kept of it is as it was made; otherwise it comes as the owner wants it now. */
function playedRung(row: QualityRow, rung: Rung, container: string): QualityRow {
  if (row.container === container || (row.cachedBytes ?? 0) > 0) {
    return { ...row, ...factsOf(rung, row.container ?? container) };
  }
  const { mediaKey, quality, title } = parseCataloguePath(row.path);
  return {
    ...row,
    ...factsOf(rung, container),
    container,
    path: cataloguePath(title, { mediaKey, quality, container }),
  };
}

function rungRow(original: QualityRow, rung: Rung, container: string): QualityRow {
  const { mediaKey, title } = parseCataloguePath(original.path);
  return {
    ...original,
    ...factsOf(rung, container),
    quality: rung.quality,
    path: cataloguePath(title, { mediaKey, quality: rung.quality, container }),
    container,
    sizeBytes: null,
    refusal: null,
    entryId: null,
    lastUsedAt: null,
    useCount: null,
    pinned: null,
    missingSince: null,
    missingReason: null,
    removedAt: null,
    generationId: null,
    totalBytes: null,
    cachedBytes: null,
    seekable: null,
    piecesWhole: null,
  };
}
