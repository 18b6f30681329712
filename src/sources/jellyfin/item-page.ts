// Items of a server as the catalogue has them: descriptions, and files in their qualities.
import { cataloguePath } from '../catalogue-path.ts';
import type { CatalogueItem, CatalogueMedia, CataloguePage, CatalogueType } from '../catalogue-source.ts';
import { nameVersions } from '../ladder.ts';
import { describeItemLabel } from './item-label.ts';
import type { JellyfinItem } from './jellyfin-item.ts';
import { encodeLocator } from './jellyfin-locator.ts';
import type { JellyfinVersion } from './jellyfin-version.ts';

const PARENTS: readonly CatalogueType[] = ['series', 'season', 'album'];

/**
 * What stands for nothing is left out; parents come before what they hold.
 * @param isPeer - whether the key is one of things that are no parents of these: a circle is broken there
 */
export function pageOfItems(
  items: readonly JellyfinItem[],
  folders: readonly string[] = [],
  isPeer: (key: string) => boolean = () => false,
): CataloguePage {
  const isListed = (item: JellyfinItem) => !item.isVirtual || PARENTS.includes(item.type);
  const rank = ({ type }: JellyfinItem) => (PARENTS.includes(type) ? PARENTS.indexOf(type) : PARENTS.length);
  const listed = items.filter(isListed).sort((one, other) => rank(one) - rank(other));
  return { items: listed.flatMap(filesOf), folders, media: listed.map((item) => describe(item, isPeer)) };
}

export function filesOf(item: JellyfinItem): CatalogueItem[] {
  const qualities = nameVersions(item.versions);
  const label = describeItemLabel(item);
  return item.versions.map((version, index): CatalogueItem => {
    const quality = qualities[index] ?? 'original';
    const { container, sizeBytes, width, height, bitrate, videoCodec, audioCodec, refusal } = version;
    return {
      mediaKey: item.id,
      quality,
      type: item.type,
      title: item.name,
      year: item.year,
      path: cataloguePath(label, { mediaKey: item.id, quality, container }),
      container,
      sizeBytes,
      stamp: stampOf(version),
      locator: encodeLocator({ kind: isAudio(item) ? 'audio' : 'video', version: version.id, container }),
      width,
      height,
      bitrate,
      videoCodec,
      audioCodec,
      delivery: 'file',
      refusal,
    };
  });
}

function isAudio({ type }: JellyfinItem): boolean {
  return type === 'track' || type === 'audio';
}

function stampOf({ etag, sizeBytes }: JellyfinVersion): string | null {
  return etag === null && sizeBytes === null ? null : `${etag ?? ''}-${sizeBytes ?? ''}`;
}

function describe(item: JellyfinItem, isPeer: (key: string) => boolean): CatalogueMedia {
  const own = item.versions[0];
  const parent = parentOf(item);
  return {
    key: item.id,
    type: item.type,
    title: item.name,
    year: item.year,
    parentKey: parent === null || isPeer(parent) ? null : parent,
    season: item.season,
    episode: item.number,
    durationMs: item.durationMs,
    overview: item.overview,
    artwork: item.image === null ? null : encodeLocator({ kind: 'image', item: item.image.id, tag: item.image.tag }),
    otherIds: item.otherIds,
    subtitles: (own?.subtitles ?? []).map(({ index, format, language, title, isForced }) => ({
      language,
      title,
      format,
      locator: encodeLocator({ kind: 'subtitle', version: own?.id ?? item.id, index, format }),
      isForced,
    })),
  };
}

function parentOf({ id, type, seriesId, seasonId, albumId }: JellyfinItem): string | null {
  const parent =
    type === 'season' ? seriesId : type === 'episode' ? (seasonId ?? seriesId) : type === 'track' ? albumId : null;
  return parent === id ? null : parent;
}
