// A Jellyfin server to be gone through: its libraries, by kind of thing in pages. What changed since the last time is
// asked for by itself; what was deleted since then shows in the number of items.
import { LarderError } from '../../errors.ts';
import { parseCataloguePath } from '../catalogue-path.ts';
import type { CataloguePage, CatalogueSource, FolderReading, FolderValidators } from '../catalogue-source.ts';
import type { JsonAnswer } from '../json-api.ts';
import type { Fields } from './dto-fields.ts';
import {
  decodeFolderVersion,
  encodeFolderVersion,
  type FolderVersion,
  folderVersion,
  follows,
} from './folder-version.ts';
import { type ItemQuery, itemFilter, listItems } from './item-listing.ts';
import { pageOfItems } from './item-page.ts';
import { itemsOf, totalOf } from './jellyfin-item.ts';
import type { JellyfinSession } from './jellyfin-session.ts';
import { foldersOfLibraries, type LibraryFolder, parseLibraryFolder } from './library-folders.ts';
import { OddCounts } from './odd-counts.ts';

/** What is remembered between two rounds: how many files the items of each folder have, as of its version. */
export type FolderMemory = Map<string, { readonly etag: string; readonly counts: OddCounts }>;

export interface JellyfinCatalogueServices {
  readonly session: JellyfinSession;
  readonly memory: FolderMemory;
  readonly randomId: () => string;
  /** One item as it is now; null when it is not there. */
  readonly readOne: (mediaKey: string, signal: AbortSignal) => Promise<CataloguePage | null>;
  /** @throws LarderError when the source was removed */
  readonly refuseRemoved: () => void;
}

const LIBRARIES_MAX = 1_000;
/** More changes than this are no shorter to read than the folder itself; they are held in memory. */
const CHANGES_MAX = 2_000;
const NOTHING_KNOWN = { etag: null, lastModified: null };

export class JellyfinCatalogue implements CatalogueSource {
  readonly id: number;
  readonly name: string;
  readonly #services: JellyfinCatalogueServices;
  /** Whether the server fails at a date unless it comes twice. */
  #takesDateTwice = false;

  constructor(id: number, name: string, services: JellyfinCatalogueServices) {
    this.id = id;
    this.name = name;
    this.#services = services;
  }

  async openFolder(folder: string, known: FolderValidators | null, signal: AbortSignal): Promise<FolderReading> {
    this.#services.refuseRemoved();
    if (folder === '') {
      const folders = foldersOfLibraries(await this.#listLibraries(signal));
      return { ...NOTHING_KNOWN, isUnchanged: false, pages: pagesOf([{ items: [], folders }]) };
    }
    const parsed = parseLibraryFolder(folder);
    if (parsed === null) throw noSuchLibrary();
    const { headers, body, total } = await this.#count(parsed, null, signal);
    if (total === 0) await this.#requireLibrary(parsed, signal);
    const version = folderVersion(headers, body, total);
    const etag = version === null ? null : encodeFolderVersion(version, this.#services.randomId());
    const before = decodeFolderVersion(known?.etag);
    if (known !== null && follows(version, before)) {
      const reading = await this.#openChanges(parsed, { before, known, etag, total }, signal);
      if (reading !== null) return reading;
    }
    return {
      isUnchanged: false,
      etag,
      lastModified: null,
      expected: parsed.hasFiles ? total : 0,
      pages: this.#readWhole(parsed, etag, total, signal),
    };
  }

  async hasFile(path: string, signal: AbortSignal): Promise<boolean> {
    this.#services.refuseRemoved();
    const { mediaKey, quality } = parseCataloguePath(path);
    const page = await this.#services.readOne(mediaKey, signal);
    return page?.items.some((item) => item.mediaKey === mediaKey && item.quality === quality) ?? false;
  }

  async #listLibraries(signal: AbortSignal): Promise<Fields[]> {
    const { session } = this.#services;
    const { userId } = await session.accessUntil(signal);
    // An API key has no user, and so no views: it sees the libraries themselves (LibraryController.cs, GetMediaFolders).
    const question =
      userId === null ? { path: 'Library/MediaFolders' } : { path: 'UserViews', query: { userId } satisfies ItemQuery };
    const { body } = await session.ask(question, signal);
    if (totalOf(body) === null && itemsOf(body, 1).length === 0) throw noList();
    return itemsOf(body, LIBRARIES_MAX);
  }

  /** How many items of the folder there are, or how many were saved since a time. */
  async #count(folder: LibraryFolder, sinceMs: number | null, signal: AbortSignal): Promise<Counted> {
    const { session } = this.#services;
    const { userId } = await session.accessUntil(signal);
    try {
      const { body, headers } = await session.ask(
        {
          path: 'Items',
          query: {
            ...this.#queryOf(folder, folder.stages.join(','), sinceMs),
            userId,
            enableUserData: false,
            enableImages: false,
            limit: 1,
          },
        },
        signal,
      );
      const total = totalOf(body);
      if (total === null) throw noList();
      return { total, headers, body };
    } catch (error) {
      // A library that is not there any more (LibraryManager.cs, GetParentItem): a wrong argument to the server.
      const isOfLibrary = error instanceof LarderError && (error.originStatus === 400 || error.originStatus === 404);
      if (isOfLibrary) await this.#requireLibrary(folder, signal);
      throw error;
    }
  }

  /**
   * Before 10.11 the statement for `minDateLastSaved` names the value of `minDateLastSavedForUser`, and fails without it
   * (SqliteItemRepository.cs of 10.9; jellyfin/jellyfin#17542). Since then both ask for the same; what the second one is
   * to mean one day is another matter, so that it goes only where it is needed.
   */
  async #countChanged(folder: LibraryFolder, sinceMs: number, signal: AbortSignal): Promise<number> {
    try {
      return (await this.#count(folder, sinceMs, signal)).total;
    } catch (error) {
      if (!(error instanceof LarderError) || error.originStatus !== 500 || this.#takesDateTwice) throw error;
      this.#takesDateTwice = true;
      return (await this.#count(folder, sinceMs, signal)).total;
    }
  }

  async #requireLibrary({ libraryId }: LibraryFolder, signal: AbortSignal): Promise<void> {
    const folders = foldersOfLibraries(await this.#listLibraries(signal));
    if (!folders.some((folder) => folder.endsWith(libraryId))) throw noSuchLibrary();
  }

  /** Null where the folder is to be read whole. */
  async #openChanges(
    folder: LibraryFolder,
    { before, known, etag, total }: Changes,
    signal: AbortSignal,
  ): Promise<FolderReading | null> {
    const changed = await this.#countChanged(folder, before.sinceMs, signal);
    if (changed === 0) {
      const isSame = total === before.items;
      return isSame ? { etag: known.etag, lastModified: null, isUnchanged: true, pages: pagesOf([]) } : null;
    }
    const { memory } = this.#services;
    const remembered = memory.get(folder.path);
    const isRemembered = remembered !== undefined && remembered.etag === known.etag;
    if (changed > CHANGES_MAX || (folder.hasFiles && !isRemembered)) return null;
    const counts = new OddCounts(remembered?.counts);
    const pages: CataloguePage[] = [];
    let isGrown = true;
    for await (const { files, page } of this.#readStages(folder, before.sinceMs, null, signal)) {
      // A version that went away would stay in the books: what is read are the files that there are.
      isGrown &&= files.every(([id, count]) => count >= counts.of(id));
      for (const [id, count] of files) counts.note(id, count);
      pages.push(page);
    }
    if (folder.hasFiles && (!isGrown || !counts.isWhole)) return null;
    return {
      isUnchanged: false,
      etag,
      lastModified: null,
      changesOf: folder.hasFiles ? counts.filesOf(total) : 0,
      expected: pages.reduce((sum, page) => sum + page.items.length, 0),
      pages: pagesOf(pages, () => this.#remember(folder, etag, counts)),
    };
  }

  async *#readWhole(
    folder: LibraryFolder,
    etag: string | null,
    total: number,
    signal: AbortSignal,
  ): AsyncGenerator<CataloguePage, void> {
    const counts = new OddCounts();
    for await (const { files, page } of this.#readStages(folder, null, total, signal)) {
      for (const [id, count] of files) counts.note(id, count);
      yield page;
    }
    this.#remember(folder, etag, counts);
  }

  /** The folder below comes last, when all that it may refer to has been told. */
  async *#readStages(
    folder: LibraryFolder,
    sinceMs: number | null,
    total: number | null,
    signal: AbortSignal,
  ): AsyncGenerator<StagePage, void> {
    const { session } = this.#services;
    for (const stage of folder.stages) {
      const listing = { pageSize: folder.pageSize, total: folder.stages.length === 1 ? total : null };
      const pages = listItems(session, this.#queryOf(folder, stage, sinceMs), listing, signal);
      for await (const { items, unreadable, isListed } of pages) {
        const files: [string, number][] = items.map(({ id, versions }) => [id, versions.length]);
        for (const id of unreadable) files.push([id, 0]);
        yield { files, page: pageOfItems(items, [], isListed) };
      }
    }
    if (folder.below !== null) yield { files: [], page: { items: [], folders: [`${folder.path}/${folder.below}`] } };
  }

  #queryOf({ libraryId }: LibraryFolder, itemTypes: string, sinceMs: number | null): ItemQuery {
    const since = sinceMs === null ? null : new Date(sinceMs).toISOString();
    return {
      ...itemFilter(itemTypes),
      parentId: libraryId,
      minDateLastSaved: since,
      minDateLastSavedForUser: this.#takesDateTwice ? since : null,
    };
  }

  #remember({ path, hasFiles }: LibraryFolder, etag: string | null, counts: OddCounts): void {
    if (etag !== null && hasFiles && counts.isWhole) this.#services.memory.set(path, { etag, counts });
    else this.#services.memory.delete(path);
  }
}

interface StagePage {
  /** How many files each item of it has. */
  readonly files: readonly (readonly [id: string, count: number])[];
  readonly page: CataloguePage;
}

interface Counted extends Pick<JsonAnswer, 'headers' | 'body'> {
  readonly total: number;
}

interface Changes {
  readonly before: FolderVersion;
  readonly known: FolderValidators;
  readonly etag: string | null;
  readonly total: number;
}

async function* pagesOf(
  pages: readonly CataloguePage[],
  whenRead: () => void = () => undefined,
): AsyncGenerator<CataloguePage, void> {
  yield* pages;
  whenRead();
}

function noSuchLibrary(): LarderError {
  return new LarderError('not-found', 'there is no such library at the server', {
    hint: 'it may have been removed there, or be hidden from the user',
  });
}

function noList(): LarderError {
  return new LarderError('origin-lied', 'the server answered something that is no list of items', {
    hint: 'check the address: something else than Jellyfin may answer there',
  });
}
