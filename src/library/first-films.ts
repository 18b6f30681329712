// Something to play of a source that was just added: what its listings show within a few seconds, long before all of it
// was gone through, and whether a file that somebody names is there at all.
import type { Clock } from '../clock.ts';
import type { HttpListings } from '../sources/http-listings.ts';
import type { HttpSource } from '../sources/http-source.ts';
import { describePath } from '../sources/media-address.ts';
import type { FolderEntry, FolderListings } from './folder-listings.ts';

export interface FirstFilmsServices {
  readonly folders: Pick<FolderListings, 'list'>;
  readonly listings: Pick<HttpListings, 'hasFile'>;
  readonly findSource: (name: string) => HttpSource | undefined;
  readonly clock: Clock;
}

const FILMS_MAX = 8;
const FOLDERS_MAX = 8;
/** A person waits for the page. */
const WAIT_MS = 4_000;

export class FirstFilms {
  readonly #services: FirstFilmsServices;

  constructor(services: FirstFilmsServices) {
    this.#services = services;
  }

  /** Paths of films and music, nearest folders first; what was found until now when the source is slow. */
  async find(sourceName: string): Promise<readonly string[]> {
    const source = this.#services.findSource(sourceName);
    const found: string[] = [];
    if (source === undefined) return found;
    const { clock } = this.#services;
    let isOver = false;
    let deadline: { cancel(): void } | undefined;
    const over = new Promise<void>((resolve) => {
      deadline = clock.after(WAIT_MS, resolve);
    });
    await Promise.race([this.#walk(source, found, () => isOver), over]);
    isOver = true;
    deadline?.cancel();
    return found.slice(0, FILMS_MAX);
  }

  /** @throws LarderError when the source does not say */
  async has(sourceName: string, path: string): Promise<boolean> {
    const { findSource, listings } = this.#services;
    const source = findSource(sourceName);
    return source !== undefined && listings.hasFile(source, path, new AbortController().signal);
  }

  async #walk(source: HttpSource, found: string[], isOver: () => boolean): Promise<void> {
    const folders = [''];
    for (let read = 0; read < FOLDERS_MAX && found.length < FILMS_MAX && !isOver(); read++) {
      const folder = folders.shift();
      if (folder === undefined) return;
      for (const { name, isFolder } of await this.#entriesOf(source, folder)) {
        const path = folder === '' ? name : `${folder}/${name}`;
        if (isFolder) folders.push(path);
        else if (describePath(path).type !== 'file') found.push(path);
      }
    }
  }

  /** A folder that lists nothing shows nothing: the name of a file can be typed. */
  async #entriesOf(source: HttpSource, folder: string): Promise<readonly FolderEntry[]> {
    try {
      return (await this.#services.folders.list(source, folder)).entries;
    } catch {
      return [];
    }
  }
}
