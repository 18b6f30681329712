// One round through a source: every folder is read, compared with what is known of it, and only what differs is
// written. Folders that are still to be read are rows, so that a round goes on where a stop or a kill left it.
//
// What is not listed any more is marked, never removed, and only on good evidence: the folder was read to its end, its
// source answers, and the source itself says of a file of it that it is gone. A folder that comes back empty, as one
// whose disk was not mounted does, is believed the second time.
import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { CatalogueTable, FolderFinding, FolderRow, KnownFile, SyncCounts } from '../db/catalogue.ts';
import { describeError, LarderError, rootCause } from '../errors.ts';
import {
  BACKOFF_FIRST_MS,
  CATALOGUE_BATCH,
  CATALOGUE_DEPTH_MAX,
  CATALOGUE_FILES_MAX,
  CATALOGUE_FOLDERS_MAX,
  CATALOGUE_TRUST_MS,
  FETCH_ATTEMPTS_MAX,
} from '../limits.ts';
import type { Log } from '../log.ts';
import { collectGarbage } from '../runtime/collect-garbage.ts';
import type {
  CatalogueItem,
  CataloguePage,
  CatalogueSource,
  FolderReading,
  FolderValidators,
} from '../sources/catalogue-source.ts';
import { NameSet } from '../sources/listing/name-set.ts';
import { yieldTurn } from '../yield-turn.ts';
import type { MediaCatalogue } from './media-catalogue.ts';

export interface CatalogueSyncServices {
  readonly table: CatalogueTable;
  /** Writes what items are apart from their files. */
  readonly media: Pick<MediaCatalogue, 'putMedia'>;
  /** Folders that may be read at the same time. */
  readonly atOnce: () => number;
  /** The source answered, or did not. */
  readonly answered: (error: LarderError | null) => void;
  readonly clock: Clock;
  readonly log: Log;
}

interface Counts {
  seen: number;
  added: number;
  changed: number;
  skipped: number;
  missing: number;
}

/** Files and folders of a listing by which it is told from those above it, and how far they are looked for. */
const FINGERPRINT_ENTRIES = 100;
const HEAD_ENTRIES = 2_000;
const ROWS = 500;
/**
 * Described items after which memory is given back. What servers say of them is some 5 kB each, and the runtime lets it
 * pile up: a library of 100,000 took 165 MB instead of 135. A collection takes about 10 ms, the items some 250.
 */
const COLLECTED_ITEMS = 2_000;
/** Folders in a row that cannot be read: it is the source that fails. */
const FAILURES_MAX = 3;
/** How often in a row the source may ask to be left alone. */
const PAUSES_MAX = 20;
const PAUSE_MS = 30_000;
/** Files of a folder that the source is asked for before the others count as gone. */
const SAMPLES = 3;

export class CatalogueSync {
  readonly #source: CatalogueSource;
  readonly #services: CatalogueSyncServices;
  #round = 0;
  readonly #abort = new AbortController();
  /** Of folders that were finished. */
  readonly #done: Counts;
  /** Of folders that are being read. */
  readonly #open = new Map<number, Counts>();
  #folderCount = 0;
  #failuresInRow = 0;
  #pausesInRow = 0;
  #pausedUntilMs = 0;
  #firstProblem: LarderError | null = null;
  #expected = 0;
  #uncollected = 0;

  constructor(source: CatalogueSource, counts: SyncCounts, services: CatalogueSyncServices) {
    this.#source = source;
    this.#services = services;
    const { seen, added, changed, skipped, missing } = counts;
    this.#done = { seen, added, changed, skipped, missing };
  }

  get counts(): SyncCounts {
    const sum = { ...this.#done };
    for (const open of this.#open.values()) addTo(sum, open);
    return sum;
  }

  /** Why some folder was passed over; null when none was. */
  get firstProblem(): LarderError | null {
    return this.#firstProblem;
  }

  /** Files that there are to come, as far as the source said so; 0 where it does not. */
  get expected(): number {
    return this.#expected;
  }

  cancel(): void {
    this.#abort.abort();
  }

  /**
   * Reads what the round has still to read.
   * @throws LarderError `stopped` when it was cancelled, or what keeps the source from being gone through
   */
  async run(round: number): Promise<void> {
    this.#round = round;
    const { table, atOnce } = this.#services;
    this.#folderCount = await table.countFolders(this.#source.id);
    const running = new Map<number, Promise<void>>();
    let failure: unknown;
    const fail = (error: unknown) => {
      failure ??= error;
      this.#abort.abort();
    };
    for (;;) {
      if (failure === undefined && !this.#abort.signal.aborted) {
        const due = await table.listDue(this.#source.id, running.size + Math.max(1, atOnce()));
        for (const folder of due) {
          if (running.has(folder.id) || running.size >= Math.max(1, atOnce())) continue;
          const reading = this.#readPatiently(folder)
            .catch(fail)
            .finally(() => running.delete(folder.id));
          running.set(folder.id, reading);
        }
      }
      if (running.size === 0) break;
      await Promise.race(running.values());
    }
    if (failure !== undefined) throw asLarderError(failure);
    this.#throwIfStopped();
    // A kill between a mark and its count leaves the sum behind.
    this.#done.missing = await table.countMissing(this.#source.id);
  }

  async #readPatiently(folder: FolderRow): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#leaveAlone();
        await this.#read(folder);
        this.#failuresInRow = 0;
        this.#pausesInRow = 0;
        return;
      } catch (error) {
        this.#throwIfStopped();
        if (!(error instanceof LarderError)) throw error;
        if (error.retry === 'later' && this.#pausesInRow < PAUSES_MAX) {
          this.#pausesInRow += 1;
          attempt = 0;
          this.#pausedUntilMs = this.#services.clock.monotonicMs() + (error.retryAfterMs ?? PAUSE_MS);
        } else if (error.retry === 'soon' && attempt < FETCH_ATTEMPTS_MAX) {
          await this.#wait(BACKOFF_FIRST_MS * 2 ** (attempt - 1));
        } else {
          await this.#giveUp(folder, error);
          return;
        }
      } finally {
        this.#keepCounts(folder);
      }
    }
  }

  /** Of a folder that was not read to its end: what was written stays written, what was seen will be seen again. */
  #keepCounts(folder: FolderRow): void {
    const open = this.#open.get(folder.id);
    this.#open.delete(folder.id);
    if (open !== undefined) addTo(this.#done, { ...open, seen: 0, skipped: 0 });
  }

  /** The folder cannot be read: it is passed over, unless that says something of the whole source. */
  async #giveUp(folder: FolderRow, error: LarderError): Promise<void> {
    if (error.code === 'not-found' && folder.doubted) {
      this.#services.answered(null);
      await this.#loseBranch(folder);
      return;
    }
    const isOfSource = error.retry !== 'never' || error.originStatus === 401 || error.code === 'unknown-source';
    if (isOfSource || error.code === 'not-found') this.#services.answered(error);
    this.#failuresInRow += error.retry === 'never' ? 0 : 1;
    const isHopeless = error.originStatus === 401 || error.code === 'unknown-source' || error.retry === 'later';
    if (folder.parentId === null || isHopeless || this.#failuresInRow >= FAILURES_MAX) throw error;
    await this.#passOver(folder, error);
  }

  async #passOver(folder: FolderRow, error: LarderError): Promise<void> {
    this.#firstProblem ??= new LarderError(error.code, `${folder.path}: ${error.message}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
    this.#services.log.info('a folder was passed over', {
      source: this.#source.name,
      folder: folder.path,
      reason: error.message,
    });
    await this.#finish(folder, {}, { ...NOTHING, skipped: 1 });
  }

  async #read(folder: FolderRow): Promise<void> {
    const { clock } = this.#services;
    const counts = { ...NOTHING };
    this.#open.set(folder.id, counts);
    const isTrusted = folder.readAt !== null && clock.nowMs() - folder.readAt < CATALOGUE_TRUST_MS;
    const known = isTrusted && (folder.etag ?? folder.lastModified) !== null ? folder : null;
    if (!(await this.#readFolder(folder, known, counts))) await this.#readFolder(folder, null, counts);
  }

  /** @returns false when only what changed was told, and that does not fit what is known: it is to be read whole */
  async #readFolder(folder: FolderRow, known: FolderValidators | null, counts: Counts): Promise<boolean> {
    const { table } = this.#services;
    const reading = await this.#source.openFolder(folder.path, known, this.#abort.signal);
    this.#expected += reading.expected ?? 0;
    try {
      this.#services.answered(null);
      if (reading.isUnchanged || (known?.etag != null && reading.etag === known.etag)) {
        counts.seen = await table.countPresent(folder.id);
        await table.keepChildren(folder.id, this.#round);
        await this.#finish(folder, {}, counts);
        return true;
      }
      if (reading.changesOf !== undefined) return await this.#readChanges(folder, reading, reading.changesOf, counts);
      await this.#readPages(folder, reading, counts);
      return true;
    } finally {
      await reading.pages.return();
    }
  }

  /** What changed is written; whether something is gone shows in how many there are. */
  async #readChanges(folder: FolderRow, reading: FolderReading, fileCount: number, counts: Counts): Promise<boolean> {
    const names = new NameSet();
    for await (const page of reading.pages) await this.#takePage(folder, page, names, counts);
    if ((await this.#services.table.countPresent(folder.id)) !== fileCount) {
      counts.seen = 0;
      return false;
    }
    counts.seen = fileCount;
    await this.#finish(folder, { etag: reading.etag, lastModified: reading.lastModified }, counts);
    return true;
  }

  async #readPages(folder: FolderRow, reading: FolderReading, counts: Counts): Promise<void> {
    const { table, clock } = this.#services;
    const head: CataloguePage[] = [];
    const headCount = { items: 0, folders: 0 };
    let isEnded = false;
    while (
      !isEnded &&
      // A folder of described items is no link to another one, and not to be held in memory.
      head.at(-1)?.media === undefined &&
      headCount.items + headCount.folders < HEAD_ENTRIES &&
      Math.min(headCount.items, headCount.folders) < FINGERPRINT_ENTRIES
    ) {
      const next = await reading.pages.next();
      if (next.done === true) isEnded = true;
      else {
        head.push(next.value);
        headCount.items += next.value.items.length;
        headCount.folders += next.value.folders.length;
      }
    }
    const fingerprint = fingerprintOf(head, isEnded);
    if (await this.#isLoop(folder, fingerprint)) {
      // Nothing is missed by that.
      this.#services.log.info('a folder leads back to one above it', {
        source: this.#source.name,
        folder: folder.path,
      });
      await this.#finish(folder, {}, { ...NOTHING, skipped: 1 });
      return;
    }
    if (fingerprint !== folder.fingerprint && fingerprint !== null) {
      await table.recordFingerprint(folder.id, fingerprint);
    }
    const names = new NameSet();
    for (const page of head.splice(0)) await this.#takePage(folder, page, names, counts);
    while (!isEnded) {
      const next = await reading.pages.next();
      if (next.done === true) isEnded = true;
      else await this.#takePage(folder, next.value, names, counts);
    }
    const finding = { readAt: clock.nowMs(), etag: reading.etag, lastModified: reading.lastModified, fingerprint };
    if (names.size === 0 && folder.emptiedRound === null && (await this.#heldSomething(folder))) {
      this.#services.log.warning('a folder came back empty; what it held counts as gone if it stays so', {
        source: this.#source.name,
        folder: folder.path,
      });
      // Read in full the next time, too.
      await this.#finish(folder, { ...finding, readAt: null, emptiedRound: this.#round }, counts);
      return;
    }
    const isWhole = reading.isSelection === true || (await this.#compare(folder, names, counts));
    if (!isWhole) counts.skipped += 1;
    await this.#finish(folder, { ...finding, emptiedRound: names.size === 0 ? folder.emptiedRound : null }, counts);
  }

  async #takePage(folder: FolderRow, page: CataloguePage, names: NameSet, counts: Counts): Promise<void> {
    for (const item of page.items) names.add(nameOf(item.path));
    for (const path of page.folders) names.add(`${nameOf(path)}/`);
    // Reading a page takes some milliseconds by itself.
    await this.#takeTurn();
    const { media = [] } = page;
    await this.#services.media.putMedia(this.#source.id, media);
    this.#uncollected += media.length;
    if (this.#uncollected >= COLLECTED_ITEMS) {
      this.#uncollected = 0;
      collectGarbage();
    }
    await this.#takeFolders(folder, page.folders, counts);
    for (let at = 0; at < page.items.length; at += CATALOGUE_BATCH) {
      await this.#takeItems(folder, page.items.slice(at, at + CATALOGUE_BATCH), counts);
      await this.#takeTurn();
    }
  }

  async #takeFolders(folder: FolderRow, paths: readonly string[], counts: Counts): Promise<void> {
    if (paths.length === 0) return;
    const room = folder.depth >= CATALOGUE_DEPTH_MAX ? 0 : Math.max(0, CATALOGUE_FOLDERS_MAX - this.#folderCount);
    const taken = folder.readRound === 0 ? paths.slice(0, room) : paths;
    if (taken.length < paths.length) {
      counts.skipped += paths.length - taken.length;
      this.#firstProblem ??= new LarderError(
        'no-listing',
        `${folder.path}: its folders go deeper than ${CATALOGUE_DEPTH_MAX} levels, or there are more than ${CATALOGUE_FOLDERS_MAX}`,
      );
    }
    for (let at = 0; at < taken.length; at += ROWS) {
      await this.#services.table.addFolders(folder, taken.slice(at, at + ROWS), this.#round, false);
    }
    if (folder.readRound === 0) this.#folderCount += taken.length;
  }

  async #takeItems(folder: FolderRow, items: readonly CatalogueItem[], counts: Counts): Promise<void> {
    const { table, clock } = this.#services;
    if (this.#done.seen + counts.seen > CATALOGUE_FILES_MAX) {
      throw new LarderError('overloaded', `the source lists more than ${CATALOGUE_FILES_MAX} files`, {
        hint: 'give the source an address further down',
      });
    }
    const known = await table.findKnown(this.#source.id, items);
    const isDiffering = (_: unknown, index: number) => isOther(items[index]!, known[index]!, folder.id);
    const differing = items.filter(isDiffering);
    await table.putFiles(this.#source.id, folder.id, differing, clock.nowMs(), known.filter(isDiffering));
    counts.seen += items.length;
    for (const [index, item] of items.entries()) {
      const before = known[index]!;
      if (before.variantId === null) counts.added += 1;
      else if (before.stamp !== null && item.stamp !== null && before.stamp !== item.stamp) counts.changed += 1;
      if (before.missingSince !== null) counts.missing -= 1;
    }
  }

  /** Whether a folder above this one begins with the very same files and folders: a link leads back to it. */
  async #isLoop(folder: FolderRow, fingerprint: string | null): Promise<boolean> {
    if (fingerprint === null) return false;
    for (let above = folder.parentId; above !== null; ) {
      const row = await this.#services.table.findFolder(above);
      if (row?.fingerprint === fingerprint) return true;
      above = row?.parentId ?? null;
    }
    return false;
  }

  async #heldSomething(folder: FolderRow): Promise<boolean> {
    const { table } = this.#services;
    const files = await table.listFiles(folder.id, 0, ROWS);
    return files.some((file) => file.missingSince === null) || (await table.listChildren(folder.id, 0, 1)).length > 0;
  }

  /** Marks what is known of the folder and was not listed. @returns false when the listing turned out to lack files */
  async #compare(folder: FolderRow, names: NameSet, counts: Counts): Promise<boolean> {
    const { table, clock } = this.#services;
    const gone: { variantId: number; path: string }[] = [];
    for (let after = 0; ; ) {
      const files = await table.listFiles(folder.id, after, ROWS);
      gone.push(...files.filter((file) => file.missingSince === null && !names.has(nameOf(file.path))));
      await this.#takeTurn();
      if (files.length < ROWS) break;
      after = files.at(-1)!.variantId;
    }
    const doubted: string[] = [];
    for (let after = 0; ; ) {
      const children = await table.listChildren(folder.id, after, ROWS);
      doubted.push(...children.map((child) => child.path).filter((path) => !names.has(`${nameOf(path)}/`)));
      await this.#takeTurn();
      if (children.length < ROWS) break;
      after = children.at(-1)!.id;
    }
    for (let at = 0; at < doubted.length; at += ROWS) {
      await table.addFolders(folder, doubted.slice(at, at + ROWS), this.#round, true);
    }
    if (gone.length === 0) return true;
    for (const sample of samplesOf(gone)) {
      if (!(await this.#source.hasFile(sample.path, this.#abort.signal))) continue;
      this.#firstProblem ??= new LarderError('no-listing', `${folder.path}: its listing lacks files that are there`, {
        hint: 'some servers list no more than 10,000 files of a folder: spread them over several',
      });
      return false;
    }
    await this.#markMissing(gone, counts);
    this.#services.log.info('files are gone from their source', {
      source: this.#source.name,
      folder: folder.path,
      files: gone.length,
      at: clock.nowMs(),
    });
    return true;
  }

  async #markMissing(files: readonly { variantId: number }[], counts: Counts): Promise<void> {
    for (let at = 0; at < files.length; at += CATALOGUE_BATCH) {
      const ids = files.slice(at, at + CATALOGUE_BATCH).map((file) => file.variantId);
      await this.#services.table.recordMissing(ids, this.#services.clock.nowMs());
      counts.missing += ids.length;
      await yieldTurn();
    }
  }

  /** The source has the folder no more: neither has it what was below it. */
  async #loseBranch(folder: FolderRow): Promise<void> {
    const { table, clock } = this.#services;
    const counts = { ...NOTHING };
    for (;;) {
      const folders = await table.listBranch(folder, CATALOGUE_BATCH);
      if (folders.length === 0) break;
      for (const { id } of folders) {
        for (let after = 0; ; ) {
          const files = await table.listFiles(id, after, ROWS);
          await this.#markMissing(
            files.filter((file) => file.missingSince === null),
            counts,
          );
          await this.#takeTurn();
          if (files.length < ROWS) break;
          after = files.at(-1)!.variantId;
        }
      }
      await table.recordGone(
        folders.map(({ id }) => id),
        clock.nowMs(),
      );
    }
    await this.#finish(folder, {}, counts);
  }

  async #finish(folder: FolderRow, finding: FolderFinding, counts: Counts): Promise<void> {
    addTo(this.#done, counts);
    this.#open.delete(folder.id);
    await this.#services.table.finishFolder(folder, finding, { ...this.#done });
  }

  /** Waits out the time for which the source asked to be left alone. */
  async #leaveAlone(): Promise<void> {
    for (;;) {
      const leftMs = this.#pausedUntilMs - this.#services.clock.monotonicMs();
      if (leftMs <= 0) return;
      await this.#wait(leftMs);
    }
  }

  async #wait(delayMs: number): Promise<void> {
    const { signal } = this.#abort;
    await new Promise<void>((resolve) => {
      const end = () => {
        timer.cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = this.#services.clock.after(delayMs, end);
      signal.addEventListener('abort', end);
      if (signal.aborted) end();
    });
    this.#throwIfStopped();
  }

  /** Players are served in between. */
  async #takeTurn(): Promise<void> {
    await yieldTurn();
    this.#throwIfStopped();
  }

  #throwIfStopped(): void {
    if (this.#abort.signal.aborted) throw new LarderError('stopped', 'the sync was called off');
  }
}

const NOTHING: Readonly<Counts> = { seen: 0, added: 0, changed: 0, skipped: 0, missing: 0 };

function addTo(sum: Counts, counts: Counts): void {
  sum.seen += counts.seen;
  sum.added += counts.added;
  sum.changed += counts.changed;
  sum.skipped += counts.skipped;
  sum.missing = Math.max(0, sum.missing + counts.missing);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function isTold(known: string | null, told: string | null | undefined): boolean {
  return told != null && told !== known;
}

function isOther(item: CatalogueItem, known: KnownFile, folderId: number): boolean {
  return (
    known.variantId === null ||
    known.folderId !== folderId ||
    known.missingSince !== null ||
    // What this list does not tell, another one may have told.
    isTold(known.stamp, item.stamp) ||
    isTold(known.locator, item.locator) ||
    (item.refusal !== undefined && known.refusal !== item.refusal) ||
    (item.sizeBytes !== null && known.sizeBytes === null)
  );
}

/**
 * Null where it would say too little: a single entry, or no folder among them that could lead back. How a listing falls
 * into pages is chance: it may not show.
 */
function fingerprintOf(pages: readonly CataloguePage[], isWhole: boolean): string | null {
  const folders = pages.flatMap((page) => page.folders);
  const items = pages.flatMap((page) => page.items);
  if (folders.length === 0 || folders.length + items.length < 2) return null;
  const isEnough = isWhole || folders.length >= FINGERPRINT_ENTRIES;
  const hash = createHash('sha256');
  for (const path of folders.slice(0, isEnough ? FINGERPRINT_ENTRIES : 1)) hash.update(`${nameOf(path)}/\n`);
  for (const item of items.slice(0, FINGERPRINT_ENTRIES)) hash.update(`${nameOf(item.path)} ${item.stamp ?? ''}\n`);
  return hash.digest('base64url').slice(0, 22);
}

function samplesOf<Item>(items: readonly Item[]): Item[] {
  if (items.length <= SAMPLES) return [...items];
  return [items[0]!, items[Math.floor(items.length / 2)]!, items.at(-1)!];
}

function asLarderError(error: unknown): LarderError {
  if (error instanceof LarderError) return error;
  return new LarderError('storage', `the catalogue could not be written: ${describeError(rootCause(error))}`, {
    cause: error,
    hint: 'check that the disk has room',
  });
}
