// An HTTP source as something to go through: its folders' listings, of which films and music are media items. What a
// file is called says all that is known of it, by the same rules as when its path is first played (`describePath`).
import { PATH_LENGTH_MAX } from '../limits.ts';
import type {
  CatalogueItem,
  CataloguePage,
  CatalogueSource,
  FolderReading,
  FolderValidators,
} from './catalogue-source.ts';
import type { HttpListings, ListedSource } from './http-listings.ts';
import type { ListedEntry } from './listing/listed-entry.ts';
import { describePath, encodePath } from './media-address.ts';

export class HttpCatalogue implements CatalogueSource {
  readonly #source: ListedSource;
  readonly #listings: HttpListings;

  constructor(source: ListedSource, listings: HttpListings) {
    this.#source = source;
    this.#listings = listings;
  }

  get id(): number {
    return this.#source.id;
  }

  get name(): string {
    return this.#source.name;
  }

  async openFolder(folder: string, known: FolderValidators | null, signal: AbortSignal): Promise<FolderReading> {
    const listing = await this.#listings.open(this.#source, folder, known, signal);
    return { ...listing, pages: readPages(folder, listing.pages) };
  }

  hasFile(path: string, signal: AbortSignal): Promise<boolean> {
    return this.#listings.hasFile(this.#source, path, signal);
  }
}

async function* readPages(
  folder: string,
  listing: AsyncGenerator<readonly ListedEntry[], unknown>,
): AsyncGenerator<CataloguePage, void> {
  for await (const entries of listing) yield pageOf(folder, entries);
}

export function pageOf(folder: string, entries: readonly ListedEntry[]): CataloguePage {
  const items: CatalogueItem[] = [];
  const folders: string[] = [];
  for (const entry of entries) {
    // Hidden by those who put it there: `._Film.mkv` of macOS, `.Trash`, `@eaDir` of a Synology.
    if (entry.name.startsWith('.') || entry.name === '@eaDir') continue;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (encodePath(path).length > PATH_LENGTH_MAX) continue;
    if (entry.isFolder) {
      folders.push(path);
      continue;
    }
    const { type, ...address } = describePath(path);
    if (type !== 'file') items.push({ ...address, type, sizeBytes: entry.sizeBytes, stamp: entry.stamp });
  }
  return { items, folders };
}
