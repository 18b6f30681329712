// A Plex server as something to go through: a folder for each library and type of title. A library says when what is in
// it changed last: unchanged, it is not read; changed, it is asked for what was touched since, as long as it can say
// how many files that makes in all.
import { LarderError } from '../../errors.ts';
import { parseCataloguePath } from '../catalogue-path.ts';
import type { CataloguePage, CatalogueSource, FolderReading, FolderValidators } from '../catalogue-source.ts';
import type { PlexApi, PlexQuery } from './plex-api.ts';
import { openListing, type PlexListing } from './plex-listing.ts';
import { filesOf, pageOf } from './plex-page.ts';
import {
  findFolder,
  folderOf,
  folderTypesOf,
  type PlexFolderType,
  type PlexSection,
  readSections,
} from './plex-sections.ts';

/** What a catalogue needs of its source. */
export interface PlexCatalogueOwner {
  readonly id: number;
  readonly name: string;
  /** Of the target as it is now. @throws LarderError `unknown-source` when the source was removed */
  api(): PlexApi;
  /** @throws LarderError when another server answers than the one the owner chose */
  checkIdentity(signal: AbortSignal): Promise<void>;
  /** As it is now, without what is below it; null when there is no such title. */
  readTitlePage(mediaKey: string, signal: AbortSignal): Promise<CataloguePage | null>;
}

/** More changes than this, and the folder is read whole: it is hardly more work. */
const CHANGES_MAX = 1_000;
/** Titles of several files are counted one by one, as long as they are a small part of all. */
const SEVERAL_PART_MAX = 0.25;
/** Changes that were made while it was read the last time are read again. */
const OVERLAP_S = 120;

export class PlexCatalogue implements CatalogueSource {
  readonly #owner: PlexCatalogueOwner;

  constructor(owner: PlexCatalogueOwner) {
    this.#owner = owner;
  }

  get id(): number {
    return this.#owner.id;
  }

  get name(): string {
    return this.#owner.name;
  }

  async openFolder(folder: string, known: FolderValidators | null, signal: AbortSignal): Promise<FolderReading> {
    const api = this.#owner.api();
    if (folder === '') await this.#owner.checkIdentity(signal);
    const { sections, serverTimeMs } = await readSections(api, signal);
    if (folder === '') {
      const folders = sections.flatMap((section) => folderTypesOf(section).map((type) => folderOf(section, type)));
      return { etag: null, lastModified: null, isUnchanged: false, pages: pagesOf([{ items: [], folders }]) };
    }
    const { section, type } = findFolder(folder, sections);
    const validators = {
      etag: section.contentChangedAt,
      // By the server's clock, which also dates the changes.
      lastModified: serverTimeMs === null ? null : String(Math.floor(serverTimeMs / 1_000)),
    };
    if (known !== null && known.etag !== null && known.etag === validators.etag) {
      return { ...validators, isUnchanged: true, pages: pagesOf([]) };
    }
    const changes = await this.#openChanges(api, section, type, known, signal);
    if (changes !== null) return { ...validators, isUnchanged: false, ...changes };
    const listing = await openListing(api, questionOf(section, type, {}), signal);
    const expected = type.hasFiles ? listing.total : 0;
    return {
      ...validators,
      isUnchanged: false,
      ...(expected === null ? {} : { expected }),
      pages: cataloguePages(listing),
    };
  }

  async hasFile(path: string, signal: AbortSignal): Promise<boolean> {
    const { mediaKey, quality } = parseCataloguePath(path);
    const page = await this.#owner.readTitlePage(mediaKey, signal);
    return page?.items.some((item) => item.quality === quality) ?? false;
  }

  /** Null where it has to be read whole. */
  async #openChanges(
    api: PlexApi,
    section: PlexSection,
    type: PlexFolderType,
    known: FolderValidators | null,
    signal: AbortSignal,
  ): Promise<Pick<FolderReading, 'changesOf' | 'expected' | 'pages'> | null> {
    if (known?.lastModified === null || known === null || !/^\d{1,12}$/.test(known.lastModified)) return null;
    const since = Math.max(0, Number(known.lastModified) - OVERLAP_S);
    try {
      // "After", of dates (Plex's media query language): the sign is part of the field's name in the query.
      const changed = await openListing(api, questionOf(section, type, { 'updatedAt>>': since }), signal);
      if (changed.total === null || changed.total > CHANGES_MAX) return null;
      const changesOf = type.hasFiles ? await countFiles(api, section, type, signal) : 0;
      if (changesOf === null) return null;
      return { changesOf, expected: type.hasFiles ? changed.total : 0, pages: cataloguePages(changed) };
    } catch (error) {
      // A server that does not know the question is asked the plain one.
      if (error instanceof LarderError && error.originStatus === 400) return null;
      throw error;
    }
  }
}

/**
 * Files of a folder: one for each title, and more for those that have several ("duplicates", python-plexapi library.py:
 * a filter of movies and episodes). Null when there are too many of those to count, or the server does not say. Where it
 * turns out wrong, the folder is read whole.
 */
async function countFiles(
  api: PlexApi,
  section: PlexSection,
  type: PlexFolderType,
  signal: AbortSignal,
): Promise<number | null> {
  const { path, query } = questionOf(section, type, {});
  const { total } = await api.list(path, query, 0, signal, 0);
  if (total === null) return null;
  const several = await openListing(api, questionOf(section, type, { duplicate: 1 }), signal);
  if (several.total === null || several.total > Math.max(CHANGES_MAX, total * SEVERAL_PART_MAX)) return null;
  let files = total;
  for await (const titles of several.pages) for (const title of titles) files += filesOf(title).length - 1;
  return files;
}

function questionOf(section: PlexSection, { plexType, hasFiles }: PlexFolderType, filter: PlexQuery) {
  const type: PlexQuery = plexType === null ? {} : { type: plexType };
  return {
    path: `/library/sections/${section.key}/all`,
    // In an order in which what is added meanwhile comes last, so that it moves nothing to another page.
    query: { ...type, sort: 'addedAt', ...filter },
    hasFiles,
  };
}

async function* cataloguePages({ pages }: PlexListing): AsyncGenerator<CataloguePage, void> {
  for await (const titles of pages) yield pageOf(titles);
}

async function* pagesOf(pages: readonly CataloguePage[]): AsyncGenerator<CataloguePage, void> {
  yield* pages;
}
