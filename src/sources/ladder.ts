// The ladder of qualities below an original, and the names of qualities. A rung is what a server is asked to convert
// to; a version that it really has takes the place of the rung of its height.
import { LarderError } from '../errors.ts';
import type { Rung } from './media-source.ts';

/** How what is below the original is asked for: `growing` is one file that has no length until it is whole. */
export const TRANSCODE_WAYS = ['growing', 'hls', 'off'] as const;
export type TranscodeWay = (typeof TRANSCODE_WAYS)[number];

/** Highest first. Bit rates are those of the ladder in issue 5: video and sound together, in bit/s. */
export const DEFAULT_LADDER: readonly Rung[] = [
  { quality: '1080p', width: 1920, height: 1080, bitrate: 8_000_000 },
  { quality: '720p', width: 1280, height: 720, bitrate: 4_000_000 },
  { quality: '480p', width: 854, height: 480, bitrate: 2_000_000 },
  { quality: '360p', width: 640, height: 360, bitrate: 1_000_000 },
];

const HEIGHTS = [2160, 1440, 1080, 720, 576, 480, 360, 240];
const BITRATE_MIN = 100_000;
const BITRATE_MAX = 200_000_000;

/**
 * Rungs below an original of this height and bit rate; none where the height is not known.
 * @param taken - qualities that there are as versions
 */
export function ladderBelow(
  original: { readonly height: number | null; readonly bitrate: number | null },
  ladder: readonly Rung[],
  taken: ReadonlySet<string>,
): Rung[] {
  const { height, bitrate } = original;
  if (height === null) return [];
  return ladder.filter(
    (rung) => rung.height < height && !taken.has(rung.quality) && (bitrate === null || rung.bitrate < bitrate),
  );
}

/** What people call a picture of this size. Films of wide formats have less height than their name says. */
export function qualityOfSize(width: number | null, height: number | null): string | null {
  if (height === null && width === null) return null;
  const fromWidth = width === null ? 0 : (width * 9) / 16;
  const tall = Math.max(height ?? 0, fromWidth);
  const named = HEIGHTS.find((candidate) => tall >= candidate * 0.9);
  return named === undefined ? `${Math.max(1, Math.round(tall))}p` : `${named}p`;
}

/**
 * Names for the versions of one title: the first is `original`, each other one is called by its size, with a number
 * where that name is taken.
 */
export function nameVersions(
  versions: readonly { readonly width: number | null; readonly height: number | null }[],
): string[] {
  const taken = new Set<string>();
  return versions.map(({ width, height }, index) => {
    const name = index === 0 ? 'original' : (qualityOfSize(width, height) ?? 'version');
    let free = name;
    for (let number = 2; taken.has(free); number += 1) free = `${name}-${number}`;
    taken.add(free);
    return free;
  });
}

/** `{"720p": 4000000}` over the default; 0 leaves a rung out. @throws LarderError `invalid` */
export function parseLadder(value: unknown): readonly Rung[] {
  if (value === undefined || value === null) return DEFAULT_LADDER;
  const names = DEFAULT_LADDER.map(({ quality }) => quality);
  const invalid = (problem: string) =>
    new LarderError('invalid', problem, {
      hint: `give bits per second, such as {"720p": 4000000}, for ${names.join(', ')}`,
    });
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid('the ladder is not an object');
  for (const [quality, bitrate] of Object.entries(value)) {
    if (!names.includes(quality)) throw invalid(`${JSON.stringify(quality.slice(0, 20))} is no rung of the ladder`);
    const isFit =
      Number.isSafeInteger(bitrate) && (bitrate === 0 || (bitrate >= BITRATE_MIN && bitrate <= BITRATE_MAX));
    if (!isFit) throw invalid(`the bit rate of ${quality} is not between ${BITRATE_MIN} and ${BITRATE_MAX}`);
  }
  const chosen = value as Record<string, number>;
  return DEFAULT_LADDER.map((rung) => ({ ...rung, bitrate: chosen[rung.quality] ?? rung.bitrate })).filter(
    ({ bitrate }) => bitrate > 0,
  );
}

/**
 * How what is named so is converted. The owner's choice decides what it is named when it is asked for first; what is
 * kept of it goes on as it began.
 */
export function wayOf({ container }: { readonly container: string | null }): Exclude<TranscodeWay, 'off'> {
  return container === 'm3u8' ? 'hls' : 'growing';
}

/** @throws LarderError `invalid` */
export function parseTranscodeWay(value: unknown): TranscodeWay {
  if (value === undefined || value === null) return 'growing';
  const way = TRANSCODE_WAYS.find((known) => known === value);
  if (way !== undefined) return way;
  throw new LarderError('invalid', 'the way of converting is not known', {
    hint: `choose ${TRANSCODE_WAYS.join(', ')}`,
  });
}
