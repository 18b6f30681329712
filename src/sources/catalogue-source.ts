// What a source of any kind gives to be gone through: a tree of folders (or of what it has in their place: libraries,
// series, catalogues), each read in bounded pages of files and further folders. Who goes through it keeps the books.

/** One file: a media item in one quality. */
export interface CatalogueItem {
  /** Identity of the media item within its source. */
  readonly mediaKey: string;
  readonly quality: string;
  readonly type: 'video' | 'audio';
  readonly title: string;
  readonly year: number | null;
  readonly path: string;
  readonly container: string | null;
  readonly sizeBytes: number | null;
  /** Changes when the file does, as far as the source tells; null when it tells nothing. */
  readonly stamp: string | null;
}

export interface CataloguePage {
  readonly items: readonly CatalogueItem[];
  /** Paths of the folders in it. */
  readonly folders: readonly string[];
}

/** What the source said of a folder's version when it was last read. */
export interface FolderValidators {
  readonly etag: string | null;
  readonly lastModified: string | null;
}

export interface FolderReading extends FolderValidators {
  /** It holds what it held when `known` was said. There are no pages then. */
  readonly isUnchanged: boolean;
  /** To be read to the end, or ended by `return()`. Throws when the folder cannot be read to its end. */
  readonly pages: AsyncGenerator<CataloguePage, void>;
}

export interface CatalogueSource {
  readonly id: number;
  readonly name: string;
  /**
   * @param folder - its path, empty for the whole of the source
   * @throws LarderError `not-found` when there is no such folder, `no-listing` when it cannot be read through
   */
  openFolder(folder: string, known: FolderValidators | null, signal: AbortSignal): Promise<FolderReading>;
  /** Whether the source still gives the file. @throws LarderError when it does not say */
  hasFile(path: string, signal: AbortSignal): Promise<boolean>;
}
