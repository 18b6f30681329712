// What a source of any kind gives to be gone through: a tree of folders (or of what it has in their place: libraries,
// series, catalogues), each read in bounded pages of items and further folders. Who goes through it keeps the books.

export const MEDIA_TYPES = ['movie', 'series', 'season', 'episode', 'album', 'track', 'video', 'audio'] as const;
export type CatalogueType = (typeof MEDIA_TYPES)[number];

/** How the bytes of a quality come. `hls`: a playlist with pieces; `growing`: without a length until it is whole. */
export type Delivery = 'file' | 'growing' | 'hls';

/** One file: a media item in one quality. */
export interface CatalogueItem {
  /** Identity of the media item within its source. */
  readonly mediaKey: string;
  readonly quality: string;
  readonly type: CatalogueType;
  readonly title: string;
  readonly year: number | null;
  /** Unique within the source; its last segment is unique within the folder. */
  readonly path: string;
  readonly container: string | null;
  readonly sizeBytes: number | null;
  /** Changes when the file does, as far as the source tells; null when it tells nothing. */
  readonly stamp: string | null;
  /** What the source needs to find the bytes again, without secrets or hosts; said back to it by `findQuality`. */
  readonly locator?: string | null;
  readonly width?: number | null;
  readonly height?: number | null;
  /** All streams together, in bit/s. */
  readonly bitrate?: number | null;
  readonly videoCodec?: string | null;
  readonly audioCodec?: string | null;
  readonly delivery?: Delivery;
  /** Why it cannot be played through Larder, in words; null where it can. */
  readonly refusal?: string | null;
}

/** A media item apart from its files: what it is, and what it belongs to. */
export interface CatalogueMedia {
  readonly key: string;
  readonly type: CatalogueType;
  readonly title: string;
  readonly year: number | null;
  /** Of the series of a season, the season (or series) of an episode, the album of a track; null where it has none. */
  readonly parentKey: string | null;
  /** Number of the season; of the disc, for tracks. */
  readonly season: number | null;
  /** Number within the season or the album. */
  readonly episode: number | null;
  readonly durationMs: number | null;
  readonly overview: string | null;
  /** What the source needs to find its picture, without secrets or hosts (absolute only where the source hands out such); null without one. */
  readonly artwork: string | null;
  /** Ids elsewhere, such as `imdb:tt0111161`. */
  readonly otherIds: readonly string[];
  readonly subtitles: readonly CatalogueSubtitle[];
}

/** Subtitles in a file of their own. */
export interface CatalogueSubtitle {
  /** BCP 47 or ISO 639 as the source says it; null when it does not. */
  readonly language: string | null;
  readonly title: string | null;
  /** `srt`, `vtt`, `ass`: how they come. */
  readonly format: string;
  /** As `CatalogueMedia.artwork`. */
  readonly locator: string;
  readonly isForced: boolean;
}

export interface CataloguePage {
  readonly items: readonly CatalogueItem[];
  /** Paths of the folders in it. */
  readonly folders: readonly string[];
  /** Descriptions; of a parent before or with its children. Files whose item is not here describe it themselves. */
  readonly media?: readonly CatalogueMedia[];
}

/** What the source said of a folder's version when it was last read. */
export interface FolderValidators {
  readonly etag: string | null;
  readonly lastModified: string | null;
}

export interface FolderReading extends FolderValidators {
  /** It holds what it held when `known` was said. There are no pages then. */
  readonly isUnchanged: boolean;
  /**
   * Set where the pages tell only what changed since `known` was said: how many files (items with a quality) the folder
   * has in all now. Where that does not fit what is known afterwards, the folder is read whole.
   */
  readonly changesOf?: number;
  /** The list is a choice that changes (what is popular): what is not in it any more may be there all the same. */
  readonly isSelection?: boolean;
  /** How many files there are to come, as far as the source says it at once; for progress. */
  readonly expected?: number;
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
