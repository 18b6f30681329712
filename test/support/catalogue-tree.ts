// A source in memory: a tree of files by path, and whatever it does wrong.
import { LarderError } from '../../src/errors.ts';
import type {
  CataloguePage,
  CatalogueSource,
  FolderReading,
  FolderValidators,
} from '../../src/sources/catalogue-source.ts';
import { pageOf } from '../../src/sources/http-catalogue.ts';
import { type ListedEntry, listedEntry } from '../../src/sources/listing/listed-entry.ts';

export class CatalogueTree implements CatalogueSource {
  readonly id: number;
  readonly name = 'films';
  /** Sizes by path; one that ends in a slash is a folder without files. */
  readonly files = new Map<string, number>();
  /** What opening a folder comes to, in place of its listing. */
  readonly faults = new Map<string, () => LarderError | null>();
  /** Files that are there and not listed. */
  readonly unlisted = new Set<string>();
  /** Folders that were opened, in order. */
  readonly opened: string[] = [];
  readonly probed: string[] = [];
  /** Tells of a folder's version. */
  tags = false;
  /** Entries in one page. */
  pageEntries = 3;
  /** Called before each page. */
  onPage: (folder: string) => Promise<void> | void = () => undefined;

  constructor(id: number, files: Readonly<Record<string, number>> = {}) {
    this.id = id;
    for (const [path, size] of Object.entries(files)) this.files.set(path, size);
  }

  async openFolder(folder: string, known: FolderValidators | null): Promise<FolderReading> {
    this.opened.push(folder);
    const fault = this.faults.get(folder)?.() ?? null;
    if (fault !== null) throw fault;
    const entries = this.#entriesOf(folder);
    if (entries === null)
      throw new LarderError('not-found', 'the origin answered 404 Not Found', { originStatus: 404 });
    const etag = this.tags ? JSON.stringify(JSON.stringify(entries)) : null;
    const isUnchanged = known !== null && known.etag === etag;
    return { etag, lastModified: null, isUnchanged, pages: this.#pages(folder, isUnchanged ? [] : entries) };
  }

  async hasFile(path: string): Promise<boolean> {
    this.probed.push(path);
    return this.files.has(path);
  }

  async *#pages(folder: string, entries: readonly ListedEntry[]): AsyncGenerator<CataloguePage, void> {
    for (let at = 0; at < entries.length; at += this.pageEntries) {
      await this.onPage(folder);
      yield pageOf(folder, entries.slice(at, at + this.pageEntries));
    }
  }

  /** Null when there is no such folder. */
  #entriesOf(folder: string): ListedEntry[] | null {
    const prefix = folder === '' ? '' : `${folder}/`;
    const found = new Map<string, ListedEntry>();
    let isThere = folder === '';
    for (const [path, sizeBytes] of this.files) {
      if (!path.startsWith(prefix)) continue;
      isThere = true;
      const rest = path.slice(prefix.length);
      const slash = rest.indexOf('/');
      const name = slash < 0 ? rest : rest.slice(0, slash);
      if (name === '' || this.unlisted.has(path)) continue;
      found.set(name, listedEntry(name, slash >= 0, slash >= 0 ? {} : { sizeBytes }));
    }
    return isThere ? [...found.values()] : null;
  }
}
