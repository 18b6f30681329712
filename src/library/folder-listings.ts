// What is in a folder of a source, for players and browsers that look for themselves: as its source says now, and where
// that does not answer or lists nothing, as far as files of it are known.
import type { Clock } from '../clock.ts';
import type { CatalogueTable } from '../db/catalogue.ts';
import { LarderError } from '../errors.ts';
import { FOLDER_ENTRIES_MAX, FOLDER_KEPT_MS, FOLDER_WAIT_MS, FOLDERS_KEPT } from '../limits.ts';
import type { HttpListings } from '../sources/http-listings.ts';
import type { HttpSource } from '../sources/http-source.ts';
import type { ListedEntry } from '../sources/listing/listed-entry.ts';

export type FolderEntry = Pick<ListedEntry, 'name' | 'isFolder' | 'sizeBytes' | 'modifiedAtMs'>;

export interface FolderContent {
  /** Folders first, by name. */
  readonly entries: readonly FolderEntry[];
  /** The source did not say: only films and music that are known from before. */
  readonly isFromMemory: boolean;
  /** There are more than are told. */
  readonly isCut: boolean;
}

export interface FolderListingServices {
  readonly listings: Pick<HttpListings, 'open'>;
  readonly table: Pick<CatalogueTable, 'listKnownBelow'>;
  readonly answered: (sourceId: number, error: LarderError | null) => void;
  readonly clock: Clock;
}

interface Kept {
  readonly untilMs: number;
  readonly content: Promise<FolderContent>;
}

const ROWS = 500;

export class FolderListings {
  readonly #services: FolderListingServices;
  /** Who browses goes up and down: asked for again within a moment, a folder is not read again. */
  readonly #kept = new Map<string, Kept>();

  constructor(services: FolderListingServices) {
    this.#services = services;
  }

  /**
   * @param folder - decoded, without slashes at its ends; empty for the whole of the source
   * @throws LarderError `not-found` when there is no such folder, or why nothing is known of it
   */
  list(source: HttpSource, folder: string): Promise<FolderContent> {
    const { clock } = this.#services;
    const key = JSON.stringify([source.id, source.url, folder]);
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.untilMs > clock.monotonicMs()) return kept.content;
    const content = this.#read(source, folder);
    this.#kept.delete(key);
    this.#kept.set(key, { untilMs: clock.monotonicMs() + FOLDER_KEPT_MS, content });
    const forget = () => {
      if (this.#kept.get(key)?.content === content) this.#kept.delete(key);
    };
    content.then(({ isFromMemory }) => isFromMemory && forget(), forget);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > FOLDERS_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return content;
  }

  async #read(source: HttpSource, folder: string): Promise<FolderContent> {
    try {
      const content = await this.#ask(source, folder);
      this.#services.answered(source.id, null);
      return content;
    } catch (error) {
      if (!(error instanceof LarderError) || error.code === 'unknown-source') throw error;
      if (error.retry !== 'never') this.#services.answered(source.id, error);
      const content = await this.#remember(source, folder);
      if (content.entries.length === 0) throw error;
      return content;
    }
  }

  async #ask(source: HttpSource, folder: string): Promise<FolderContent> {
    const abort = new AbortController();
    const deadline = this.#services.clock.after(FOLDER_WAIT_MS, () => abort.abort());
    try {
      const { pages } = await this.#services.listings.open(source, folder, null, abort.signal);
      const entries: FolderEntry[] = [];
      for await (const page of pages) {
        entries.push(...page);
        // The rest is not read.
        if (entries.length > FOLDER_ENTRIES_MAX) break;
      }
      return contentOf(entries, false);
    } catch (error) {
      if (!abort.signal.aborted) throw error;
      throw new LarderError('origin-silent', `the source did not list the folder within ${FOLDER_WAIT_MS / 1_000} s`, {
        retry: 'soon',
        hint: 'it may be asleep or down',
      });
    } finally {
      deadline.cancel();
    }
  }

  /** Of a folder of folders only one file of each is looked at. */
  async #remember(source: HttpSource, folder: string): Promise<FolderContent> {
    const prefix = folder === '' ? '' : `${folder}/`;
    const entries = new Map<string, FolderEntry>();
    let after = prefix;
    while (entries.size <= FOLDER_ENTRIES_MAX) {
      const files = await this.#services.table.listKnownBelow(source.id, prefix, after, ROWS);
      const last = files.at(-1);
      if (last === undefined) break;
      after = last.key;
      for (const { key, path, sizeBytes } of files) {
        const rest = path.slice(prefix.length);
        const slash = rest.indexOf('/');
        const name = slash < 0 ? rest : rest.slice(0, slash);
        entries.set(name, { name, isFolder: slash >= 0, sizeBytes: slash >= 0 ? null : sizeBytes, modifiedAtMs: null });
        if (slash < 0) continue;
        // "0" is what comes behind "/".
        const behind = `${prefix}${key.slice(prefix.length).split('/', 1)[0]}0`;
        if (behind > after) after = behind;
      }
    }
    return contentOf([...entries.values()], true);
  }
}

function contentOf(entries: readonly FolderEntry[], isFromMemory: boolean): FolderContent {
  const sorted = entries
    .filter((entry) => !entry.name.startsWith('.'))
    .sort((left, right) => Number(right.isFolder) - Number(left.isFolder) || compare(left.name, right.name));
  return { entries: sorted.slice(0, FOLDER_ENTRIES_MAX), isFromMemory, isCut: sorted.length > FOLDER_ENTRIES_MAX };
}

const collator = new Intl.Collator('en', { numeric: true });

function compare(left: string, right: string): number {
  return collator.compare(left, right);
}
