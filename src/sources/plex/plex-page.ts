// Titles of a Plex library as pages of the catalogue.

import { cataloguePath } from '../catalogue-path.ts';
import type { CatalogueItem, CatalogueMedia, CataloguePage, CatalogueSubtitle } from '../catalogue-source.ts';
import { qualitiesOf, writeLocator } from './plex-qualities.ts';
import type { PlexTitle } from './plex-title.ts';

const SUBTITLES_MAX = 100;

export function pageOf(titles: readonly PlexTitle[]): CataloguePage {
  return { items: titles.flatMap(filesOf), folders: [], media: withoutCycles(titles).map(describeTitle) };
}

/** One for each file. */
export function filesOf(title: PlexTitle): CatalogueItem[] {
  const label = labelOf(title);
  return qualitiesOf(title.versions).map((found) => {
    const { quality, version, part } = found;
    return {
      mediaKey: title.key,
      quality,
      type: title.type,
      title: title.title,
      year: title.year,
      path: cataloguePath(label, { mediaKey: title.key, quality, container: part.container }),
      container: part.container,
      sizeBytes: part.sizeBytes,
      stamp: part.stamp,
      locator: writeLocator(found),
      width: version.width,
      height: version.height,
      bitrate: version.bitrate,
      videoCodec: version.videoCodec,
      audioCodec: version.audioCodec,
      delivery: 'file',
    };
  });
}

function describeTitle(title: PlexTitle): CatalogueMedia {
  const { key, type, year, durationMs, overview, artwork, otherIds } = title;
  const isBelow = type === 'season' || type === 'episode' || type === 'track';
  const isSeason = type === 'season';
  return {
    key,
    type,
    title: title.title,
    year,
    // Of an episode whose seasons are not shown: the series. An album's parent is an artist, and artists are no items.
    parentKey: isBelow ? (title.parentKey ?? (type === 'episode' ? title.grandparentKey : null)) : null,
    season: isSeason ? title.index : isBelow ? title.parentIndex : null,
    episode: isBelow && !isSeason ? title.index : null,
    durationMs,
    overview,
    artwork,
    otherIds,
    subtitles: subtitlesOf(title),
  };
}

/** Not those of split films: which part they belong to cannot be said, and beside another they are wrong. */
function subtitlesOf(title: PlexTitle): CatalogueSubtitle[] {
  const found = new Map<string, CatalogueSubtitle>();
  for (const { version, part } of qualitiesOf(title.versions)) {
    if (version.parts.length > 1) continue;
    for (const subtitle of part.subtitles) if (!found.has(subtitle.locator)) found.set(subtitle.locator, subtitle);
  }
  return [...found.values()].slice(0, SUBTITLES_MAX);
}

function labelOf({ type, title, year, index, parentIndex, parentTitle, grandparentTitle }: PlexTitle): string {
  const twoDigits = (number: number) => String(number).padStart(2, '0');
  if (type === 'episode') {
    const season = parentIndex === null ? '' : `S${twoDigits(parentIndex)}`;
    const episode = index === null ? '' : `E${twoDigits(index)}`;
    return [grandparentTitle ?? parentTitle, season + episode, title].filter((part) => (part ?? '') !== '').join(' ');
  }
  if (type === 'track') {
    const numbered = index === null ? title : `${twoDigits(index)} ${title}`;
    return [grandparentTitle, parentTitle, numbered].filter((part) => part !== null).join(' – ');
  }
  return year === null ? title : `${title} (${year})`;
}

/** Rows that name each other as parents have none. */
function withoutCycles(titles: readonly PlexTitle[]): PlexTitle[] {
  const parents = new Map(titles.map((title) => [title.key, title.parentKey]));
  return titles.map((title) => {
    const seen = new Set([title.key]);
    for (let above = title.parentKey; above !== null; above = parents.get(above) ?? null) {
      if (seen.has(above)) return { ...title, parentKey: null, grandparentKey: null };
      seen.add(above);
    }
    return title;
  });
}
