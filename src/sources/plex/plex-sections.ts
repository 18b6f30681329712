// The libraries ("sections") of a Plex server, and the folders they are gone through in: one for each type of title, so
// that each can be paged through and asked for its changes by itself.
import { LarderError } from '../../errors.ts';
import type { PlexApi } from './plex-api.ts';
import { readList, readRatingKey, readText } from './plex-fields.ts';

export interface PlexSection {
  readonly key: string;
  readonly type: string;
  /** Changes with what is in it; null when the server does not say. */
  readonly contentChangedAt: string | null;
}

export interface PlexSections {
  readonly sections: readonly PlexSection[];
  readonly serverTimeMs: number | null;
}

/** What a folder holds. */
export interface PlexFolderType {
  readonly name: string;
  /** Number of the type in questions (plex-api-spec.yaml, `MediaType`); null asks for whatever there is. */
  readonly plexType: number | null;
  readonly hasFiles: boolean;
}

const MOVIES: PlexFolderType = { name: 'movies', plexType: 1, hasFiles: true };
const SHOWS: PlexFolderType = { name: 'shows', plexType: 2, hasFiles: false };
const SEASONS: PlexFolderType = { name: 'seasons', plexType: 3, hasFiles: false };
const EPISODES: PlexFolderType = { name: 'episodes', plexType: 4, hasFiles: true };
const ALBUMS: PlexFolderType = { name: 'albums', plexType: 9, hasFiles: false };
const TRACKS: PlexFolderType = { name: 'tracks', plexType: 10, hasFiles: true };
const VIDEOS: PlexFolderType = { name: 'videos', plexType: null, hasFiles: true };

const SECTIONS_MAX = 1_000;

/** Parents before what is below them. */
export function folderTypesOf(section: PlexSection): readonly PlexFolderType[] {
  switch (section.type) {
    case 'movie':
      return [MOVIES];
    case 'show':
      return [SHOWS, SEASONS, EPISODES];
    case 'artist':
      return [ALBUMS, TRACKS];
    case 'photo':
      return [];
    default:
      return [VIDEOS];
  }
}

/** The last segment alone tells it from its siblings. */
export function folderOf(section: PlexSection, type: PlexFolderType): string {
  return `library/${section.key}-${type.name}`;
}

/** @throws LarderError `not-found` */
export function findFolder(
  folder: string,
  sections: readonly PlexSection[],
): { readonly section: PlexSection; readonly type: PlexFolderType } {
  for (const section of sections) {
    const type = folderTypesOf(section).find((candidate) => folderOf(section, candidate) === folder);
    if (type !== undefined) return { section, type };
  }
  throw new LarderError('not-found', 'the Plex server has no such library any more', {
    hint: 'look at its libraries, and at what the account of the token may see',
  });
}

/** @throws LarderError as `askJson` does */
export async function readSections(api: PlexApi, signal: AbortSignal): Promise<PlexSections> {
  const { container, serverTimeMs } = await api.ask('/library/sections', {}, signal, {
    'x-plex-container-start': '0',
    'x-plex-container-size': String(SECTIONS_MAX),
  });
  const sections = new Map<string, PlexSection>();
  for (const fields of readList(container.Directory, SECTIONS_MAX)) {
    const key = readRatingKey(fields.key);
    const type = readText(fields.type, 40);
    if (key === null || type === null || sections.has(key)) continue;
    sections.set(key, {
      key,
      type,
      contentChangedAt: readText(fields.contentChangedAt, 40),
    });
  }
  return { sections: [...sections.values()], serverTimeMs };
}
