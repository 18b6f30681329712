// What people call an item: an episode by its series and number, a track by its album.
import type { ChainRow } from '../db/media.ts';

type Numbered = Pick<ChainRow, 'type' | 'season' | 'episode'>;

/** `S01E02`, `Track 3`; null for what has no number. */
export function numberingOf({ type, season, episode }: Numbered): string | null {
  if (episode === null) return null;
  if (type === 'track') return season !== null && season > 1 ? `Disc ${season}, track ${episode}` : `Track ${episode}`;
  if (type !== 'episode') return null;
  const digits = (number: number) => String(number).padStart(2, '0');
  return season === null ? `E${digits(episode)}` : `S${digits(season)}E${digits(episode)}`;
}

export function titleWithYear({ title, year }: Pick<ChainRow, 'title' | 'year'>): string {
  return year === null ? title : `${title} (${year})`;
}

/**
 * "Some Series S01E02 Pilot", "Some Series, Season 1", "Some Album, Track 3 Overture", "Some Film (2020)".
 * Null for no chain.
 */
export function chainName(chain: readonly ChainRow[] | undefined): string | null {
  const [item] = chain ?? [];
  if (chain === undefined || item === undefined) return null;
  const top = chain.length > 1 ? chain.at(-1) : undefined;
  if (top === undefined) return titleWithYear(item);
  const number = numberingOf(item);
  const named = number === null ? item.title : `${number} ${item.title}`;
  return item.type === 'episode' ? `${top.title} ${named}` : `${top.title}, ${named}`;
}
