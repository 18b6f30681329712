// What the versions of one title are called, and what is noted of each to find its file again.
//
// A version of one file is a quality by the names all sources share: `original` is the best, the others go by their
// size. A version that is split over several files is none: half a film would pass for the whole. Its files are
// `part-1`, `part-2` …, in the order they play; of a second split version `1080p-part-1` …. A rung of the ladder is made
// of all parts in one: the transcoder joins them.
import { nameVersions } from '../ladder.ts';
import { asFields, readCount, readServerPath } from './plex-fields.ts';
import type { PlexPart, PlexVersion } from './plex-title.ts';

export interface PlexQuality {
  readonly quality: string;
  readonly version: PlexVersion;
  readonly part: PlexPart;
}

/** What finds a file again without asking the server. */
export interface PlexLocator {
  /** `Part.key`. */
  readonly part: string;
  /** Of the version in the title, and how many parts that has: for the transcoder. */
  readonly mediaIndex: number;
  readonly partCount: number;
}

/** Qualities of which a rung may be made, in this order. */
export const WHOLE_QUALITIES = ['original', 'part-1'] as const;

export function qualitiesOf(versions: readonly PlexVersion[]): PlexQuality[] {
  const best = [...versions].sort(byRank);
  const whole = best.filter(({ parts }) => parts.length === 1);
  const split = best.filter(({ parts }) => parts.length > 1);
  const wholeNames = nameVersions(whole);
  const splitNames = nameVersions(split);
  return [
    ...whole.flatMap((version, index) => version.parts.map((part) => ({ quality: wholeNames[index]!, version, part }))),
    ...split.flatMap((version, index) => {
      const prefix = index === 0 ? '' : `${splitNames[index]}-`;
      return version.parts.map((part, at) => ({ quality: `${prefix}part-${at + 1}`, version, part }));
    }),
  ];
}

/** Best first: what the server made itself is second to what was put there. The order of the server decides the rest. */
function byRank(one: PlexVersion, other: PlexVersion): number {
  return (
    Number(one.isMade) - Number(other.isMade) ||
    (other.height ?? 0) - (one.height ?? 0) ||
    (other.bitrate ?? 0) - (one.bitrate ?? 0) ||
    one.mediaIndex - other.mediaIndex
  );
}

export function writeLocator({ version, part }: PlexQuality): string {
  return JSON.stringify({ part: part.key, media: version.mediaIndex, parts: version.parts.length });
}

/** Null for none, and for what this version does not read. */
export function readLocator(text: string | null | undefined): PlexLocator | null {
  if (text === null || text === undefined) return null;
  let fields: ReturnType<typeof asFields>;
  try {
    fields = asFields(JSON.parse(text));
  } catch {
    return null; // it is read anew from the server
  }
  const part = readServerPath(fields?.part);
  if (part === null) return null;
  return { part, mediaIndex: readCount(fields?.media) ?? 0, partCount: readCount(fields?.parts) ?? 1 };
}
