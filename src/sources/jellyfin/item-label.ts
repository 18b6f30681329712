// What a file is called for people: `Title (Year)`, `Series S01E02 Title`, `Artist – Album – 01 Title`.
import type { JellyfinItem } from './jellyfin-item.ts';

type Labelled = Pick<
  JellyfinItem,
  'type' | 'name' | 'year' | 'seriesName' | 'season' | 'number' | 'artist' | 'albumName'
>;

export function describeItemLabel({
  type,
  name,
  year,
  seriesName,
  season,
  number,
  artist,
  albumName,
}: Labelled): string {
  if (type === 'episode') {
    const place = `${season === null ? '' : `S${twoDigits(season)}`}${number === null ? '' : `E${twoDigits(number)}`}`;
    return [seriesName, place, name].filter((part) => part !== null && part !== '').join(' ');
  }
  if (type === 'track') {
    const numbered = number === null ? name : `${twoDigits(number)} ${name}`;
    return [artist, albumName, numbered].filter((part) => part !== null).join(' – ');
  }
  return year === null ? name : `${name} (${year})`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
