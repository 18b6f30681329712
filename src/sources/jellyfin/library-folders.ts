// The folders that a server is gone through by: for each library one of each kind of thing in it, such as `movies-ID`.
// What belongs to something lies in a folder below that (`series-ID/episodes`), so that parents are known before it.
import type { Fields } from './dto-fields.ts';
import { guidOf, textOf } from './dto-fields.ts';

export interface FolderKind {
  /** Kinds of items (BaseItemKind.cs), one listing after the other: parents first. */
  readonly stages: readonly string[];
  readonly hasFiles: boolean;
  /**
   * Items of one answer: with all their streams they have up to some 10 kB each. An answer is parsed in one go, and nobody
   * is served meanwhile.
   */
  readonly pageSize: number;
  /** Name of the folder in it. */
  readonly below: string | null;
}

const FILMS = { hasFiles: true, pageSize: 100, below: null };
const FOLDER_KINDS: ReadonlyMap<string, FolderKind> = new Map([
  ['movies', { ...FILMS, stages: ['Movie'] }],
  ['series', { stages: ['Series', 'Season'], hasFiles: false, pageSize: 200, below: 'episodes' }],
  ['series/episodes', { ...FILMS, stages: ['Episode'] }],
  ['albums', { stages: ['MusicAlbum'], hasFiles: false, pageSize: 200, below: 'tracks' }],
  ['albums/tracks', { ...FILMS, stages: ['Audio'], pageSize: 200 }],
  ['videos', { ...FILMS, stages: ['Video', 'MusicVideo'] }],
  ['audiobooks', { ...FILMS, stages: ['AudioBook'], pageSize: 200 }],
]);

/** CollectionType.cs. A library without a type may hold anything. */
const KINDS_OF_LIBRARY: ReadonlyMap<string, readonly string[]> = new Map([
  ['movies', ['movies']],
  ['tvshows', ['series']],
  ['music', ['albums']],
  ['musicvideos', ['videos']],
  ['homevideos', ['videos']],
  ['books', ['audiobooks']],
  ['unknown', ['movies', 'series', 'albums', 'videos']],
]);
const LIBRARY_TYPES = new Set(['CollectionFolder', 'UserView', 'Folder']);

export interface LibraryFolder extends FolderKind {
  readonly libraryId: string;
  readonly path: string;
}

/** Folders of what `/UserViews` or `/Library/MediaFolders` lists. */
export function foldersOfLibraries(libraries: readonly Fields[]): string[] {
  const paths = libraries.flatMap((library) => {
    const id = guidOf(library.Id);
    if (id === null || !LIBRARY_TYPES.has(textOf(library.Type, 40) ?? '')) return [];
    const type = textOf(library.CollectionType, 40) ?? 'unknown';
    return (KINDS_OF_LIBRARY.get(type.toLowerCase()) ?? []).map((kind) => `${kind}-${id}`);
  });
  return [...new Set(paths)];
}

/** Null for what is no folder of a server. */
export function parseLibraryFolder(path: string): LibraryFolder | null {
  const parts = /^([a-z]+)-([0-9a-f]{32})(\/[a-z]+)?$/.exec(path);
  const libraryId = parts?.[2];
  const kind = FOLDER_KINDS.get(`${parts?.[1]}${parts?.[3] ?? ''}`);
  return libraryId === undefined || kind === undefined ? null : { ...kind, libraryId, path };
}
