// Which quality of a title somebody gets who leaves that to Larder, and why. Pure.
import { describeBitrate } from '../words.ts';

/** A quality as far as choosing goes. */
export interface QualityOption {
  readonly quality: string;
  /** Null while its source does not say. */
  readonly height: number | null;
  /** In bit/s; null while its source does not say. */
  readonly bitrate: number | null;
  /** It is here from start to end: no line limits it. */
  readonly isWhole: boolean;
  readonly isPlayable: boolean;
}

export interface QualityLimits {
  /** Nobody wants it taller than that; null for no limit. */
  readonly maxHeight: number | null;
  /** Who said so, in words: `as you asked`, `as your device is`. */
  readonly maxHeightBecause: string;
  /** What the line to the source brought lately, in bit/s; null while that is not known. */
  readonly throughput: number | null;
  /** Its source does not answer: only what is here plays. */
  readonly isUnreachable: boolean;
}

export interface ChosenQuality {
  readonly quality: string;
  /** In words. */
  readonly reason: string;
}

/** A line that brings just what a film takes stalls at its first hesitation. */
const HEADROOM = 1.3;

/** Null when there is nothing to play. */
export function chooseQuality(options: readonly QualityOption[], limits: QualityLimits): ChosenQuality | null {
  const playable = options.filter((option) => option.isPlayable).sort(better);
  const { maxHeight, maxHeightBecause, throughput, isUnreachable } = limits;
  // What does not say how tall it is may be played where nothing else can.
  const fitting = playable.filter(({ height }) => maxHeight === null || height === null || height <= maxHeight);
  const candidates = fitting.length > 0 ? fitting : playable.slice(-1);
  const bound = maxHeight === null ? '' : `, no taller than ${maxHeight} lines ${maxHeightBecause}`;
  const [best] = candidates;
  if (best === undefined) return null;
  const whole = candidates.find((option) => option.isWhole);
  if (best.isWhole) return { quality: best.quality, reason: `it is the best there is${bound}, and here whole` };
  if (isUnreachable && whole !== undefined) {
    return { quality: whole.quality, reason: `it is here whole${bound}, and its source does not answer` };
  }
  if (throughput === null) {
    return {
      quality: best.quality,
      reason: `it is the best there is${bound}; how fast its source is is not known yet`,
    };
  }
  const line = `its source brought ${describeBitrate(throughput)} lately`;
  const able = candidates.find(
    ({ bitrate, isWhole }) => isWhole || (bitrate !== null && bitrate * HEADROOM <= throughput),
  );
  if (able !== undefined) {
    const because = able.isWhole ? 'it is here whole' : line;
    return { quality: able.quality, reason: `it is the best that plays without a stall${bound}: ${because}` };
  }
  const unknown = candidates.find(({ bitrate }) => bitrate === null);
  if (unknown !== undefined && unknown === best && candidates.length === 1) {
    return { quality: best.quality, reason: `it is the only one${bound}` };
  }
  const least =
    [...candidates].sort((left, right) => (left.bitrate ?? Infinity) - (right.bitrate ?? Infinity))[0] ?? best;
  return { quality: least.quality, reason: `it takes the least${bound}: ${line}` };
}

/** Tallest first, and of one height the one with the most bits. The original is first where heights are not known. */
function better(left: QualityOption, right: QualityOption): number {
  const heights = compare(right.height, left.height);
  if (heights !== 0) return heights;
  const bitrates = compare(right.bitrate, left.bitrate);
  if (bitrates !== 0) return bitrates;
  return Number(right.quality === 'original') - Number(left.quality === 'original');
}

function compare(left: number | null, right: number | null): number {
  return (left ?? Number.MAX_SAFE_INTEGER) - (right ?? Number.MAX_SAFE_INTEGER);
}
