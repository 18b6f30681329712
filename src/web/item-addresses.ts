// Where an item, its picture and its subtitles are: its source has them, and they are fetched and kept as streams are.
import { signerOf } from '../access/signed-addresses.ts';
import type { SubtitleRow } from '../db/media.ts';
import type { LibraryItem } from '../library/library.ts';
import { POSTER } from '../library/media-catalogue.ts';
import { cataloguePath } from '../sources/catalogue-path.ts';
import type { Caller } from './caller.ts';
import { titleWithYear } from './item-words.ts';
import type { StreamAddresses } from './stream-address.ts';

/** Not what a person chose: Larder takes the quality that the player and the line bear. */
export const AUTO = 'auto';

/** Addresses of what lies beside an item, below the base path. */
export class ItemAddresses {
  readonly #addresses: StreamAddresses;
  readonly #caller: Caller;

  constructor(addresses: StreamAddresses, caller: Caller) {
    this.#addresses = addresses;
    this.#caller = caller;
  }

  /** Null where its source has none. */
  posterOf(item: LibraryItem): string | null {
    return item.hasArtwork ? this.#of(item, POSTER, 'jpg') : null;
  }

  subtitlesOf(item: LibraryItem, { number, format }: Pick<SubtitleRow, 'number' | 'format'>): string {
    return this.#of(item, `~sub-${number}`, format);
  }

  autoOf(item: LibraryItem): string {
    return this.#of(item, AUTO, null);
  }

  fileOf(source: string, path: string): string {
    return this.#addresses.pathOf(source, path, signerOf(this.#caller));
  }

  #of(item: LibraryItem, quality: string, container: string | null): string {
    return this.fileOf(item.source, cataloguePath(titleWithYear(item), { mediaKey: item.key, quality, container }));
  }
}
