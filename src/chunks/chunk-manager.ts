// Opens entries and keeps the state of those in use. The way of a request: find the entry's rows, or ask the origin
// once; then the file answers ranges.
import type { ByteRange } from '../bytes/byte-range.ts';
import type { RangeSpec } from '../bytes/range-header.ts';
import { RangeSet } from '../bytes/range-set.ts';
import type { EntryKey, EntryTable, GenerationRow } from '../db/entries.ts';
import type { NewGeneration } from '../db/generations.ts';
import { describeError, LarderError } from '../errors.ts';
import { IDLE_FILES_MAX } from '../limits.ts';
import { expectsMedia, type MediaAddress } from '../sources/media-address.ts';
import type { MediaSource, ResolveOptions, UpstreamRequest } from '../sources/media-source.ts';
import type { OriginHead, OriginRange } from '../sources/origin-response.ts';
import { CachedFile, type StoredGeneration, TRANSIENT_ID } from './cached-file.ts';
import type { FetchRequest, Upstream } from './fetch-request.ts';
import { Priority } from './fetch-scheduler.ts';
import { FileLabeller } from './file-labeller.ts';
import { chunkFileName } from './file-name.ts';
import type { FileIdentity, FileServices } from './file-services.ts';
import { Openers, type OpenerTerms } from './openers.ts';
import { nobodyWaits, Opening } from './opening.ts';
import { StoredBytes } from './stored-bytes.ts';
import { TrustRegistry } from './trust-registry.ts';
import type { UseLog } from './use-log.ts';

export interface ManagerServices extends Omit<FileServices, 'superseded'> {
  readonly entries: EntryTable;
  readonly uses: UseLog;
  /** Random bytes as hex, for file names. */
  readonly newId: () => string;
  /** A client opened the file to read it. */
  readonly fileOpened: (file: CachedFile) => void;
  /** Where the bytes of a file are now. */
  readonly resolve: (
    source: MediaSource,
    address: MediaAddress,
    options: ResolveOptions,
  ) => UpstreamRequest | Promise<UpstreamRequest>;
}

export interface OpenOptions extends OpenerTerms {
  /** First range the client asks for; null is the whole file. */
  readonly spec: RangeSpec | null;
  /** Only what the file is, no bytes of it. */
  readonly probe: boolean;
  /** Not a player but ourselves: is no use of the entry. */
  readonly internal?: boolean;
  /** Of the first question, where nothing is known of it; by default somebody waits for it. */
  readonly priority?: Priority;
}

interface OpenEntry {
  readonly key: EntryKey;
  readonly source: MediaSource;
  readonly address: MediaAddress;
  file: CachedFile | null;
  /** Set while the rows are looked up or the origin is asked. */
  loading: Promise<CachedFile> | null;
  opening: Opening | null;
  /** Those who wait for `loading`. */
  readonly openers: Openers;
  /** Of the most urgent of them. */
  priority: Priority;
}

function keyText(key: EntryKey): string {
  return `${key.sourceId}\n${key.quality}\n${key.mediaKey}`;
}

function originRange(spec: RangeSpec | null): OriginRange {
  if (spec === null) return { kind: 'from', start: 0, end: null };
  if (spec.kind === 'suffix') return { kind: 'suffix', length: Math.max(1, spec.length) };
  return { kind: 'from', start: spec.first, end: spec.last === null ? null : spec.last + 1 };
}

export class ChunkManager {
  readonly #services: ManagerServices;
  /** Least recently opened first. */
  readonly #entries = new Map<string, OpenEntry>();
  /** Files of older generations that readers still hold. */
  readonly #superseded = new Set<CachedFile>();
  /** Generations that are over, as long as the database may say otherwise: it could not be written. */
  readonly #overIds = new Set<number>();
  /** Entries whose rows or files are being changed: who opens one meanwhile waits. */
  readonly #locks = new Map<number, Promise<void>>();
  readonly #labeller: FileLabeller;
  readonly #trust = new TrustRegistry();
  readonly #fileServices: FileServices;
  #stopping = false;
  #dropDue = false;

  constructor(services: ManagerServices) {
    this.#services = services;
    this.#labeller = new FileLabeller(services);
    this.#fileServices = { ...services, superseded: (file) => this.#noteSuperseded(file) };
  }

  /** Files in memory, in use or not. */
  *files(): Iterable<CachedFile> {
    for (const entry of this.#entries.values()) if (entry.file !== null) yield entry.file;
    yield* this.#superseded;
  }

  /**
   * The current generation of the file at `address`. Asks the origin only when nothing is known of it.
   * The caller opens a reader on it at once, before it awaits anything else.
   * @throws LarderError that the response is made of
   */
  async open(source: MediaSource, address: MediaAddress, options: OpenOptions): Promise<CachedFile> {
    if (this.#stopping) throw new LarderError('overloaded', 'Larder is stopping', { retry: 'later' });
    const ready = this.openAtOnce(source, address, options);
    if (ready !== null) return ready;
    const key = { sourceId: source.id, mediaKey: address.mediaKey, quality: address.quality };
    const text = keyText(key);
    let entry = this.#entries.get(text);
    if (entry === undefined) {
      entry = this.#createEntry(key, source, address);
      this.#entries.set(text, entry);
    }
    const { priority = Priority.critical } = options;
    if (entry.loading === null || priority < entry.priority) entry.priority = priority;
    entry.opening?.raise(priority);
    entry.loading ??= this.#load(entry, options).finally(() => {
      entry.loading = null;
      entry.opening = null;
    });
    const file = await entry.openers.wait(entry.loading, options);
    this.#noteUse(file, text, entry, options);
    return file;
  }

  /** As `open`, of a file that is in memory; null when it has to be waited for, or when nothing is opened any more. */
  openAtOnce(source: MediaSource, address: MediaAddress, options: Omit<OpenOptions, 'signal'>): CachedFile | null {
    const text = keyText({ sourceId: source.id, mediaKey: address.mediaKey, quality: address.quality });
    const entry = this.#entries.get(text);
    if (this.#stopping || entry === undefined || entry.file === null || entry.file.superseded) return null;
    this.#noteUse(entry.file, text, entry, options);
    return entry.file;
  }

  /** A pinned entry is never evicted. @returns false when there is no such entry */
  async setPinned(entryId: number, pinned: boolean): Promise<boolean> {
    const { entries, generations } = this.#services;
    return this.#exclusively(entryId, async () => {
      if (!(await entries.setPinned(entryId, pinned))) return false;
      for (const generation of await generations.listOfEntry(entryId)) {
        await this.#labeller.setPinned(generation, pinned).catch((error: unknown) => {
          this.#services.log.debug('a label could not be written', { entry: entryId, error: describeError(error) });
        });
      }
      return true;
    });
  }

  /** Takes an entry out: rows first, then its files. @returns false when somebody reads it */
  remove(entryId: number): Promise<boolean> {
    return this.#exclusively(entryId, async () => {
      const isRead = ({ readers }: CachedFile) => readers.size > 0;
      const files = this.#filesOf(entryId);
      const pieceIds = await this.#services.entries.listPieceIds(entryId);
      if (files.some(isRead) || this.#filesOfAny(pieceIds).some(isRead)) return false;
      const pieces = await this.#removePieces(pieceIds, isRead);
      if (!pieces.isAll || files.some(isRead)) return false;
      await this.#removeNow(entryId, files);
      return true;
    });
  }

  /** The source was removed and its entries with it: what is left of it in memory goes. */
  async forgetSource(sourceId: number): Promise<void> {
    for (const [text, entry] of [...this.#entries]) {
      if (entry.key.sourceId !== sourceId) continue;
      this.#entries.delete(text);
      entry.opening?.cancel();
      await entry.file?.settle();
      await entry.file?.close();
    }
  }

  /** Like `remove`, of what nobody reads, downloads or asks for at all. @returns the bytes that went; null when in use */
  evict(entryId: number): Promise<number | null> {
    return this.#exclusively(entryId, async () => {
      const isUsed = (file: CachedFile) => file.isUsed;
      const files = this.#filesOf(entryId);
      const state = await this.#services.entries.findState(entryId);
      const pieceIds = await this.#services.entries.listPieceIds(entryId);
      if (state === null || files.some(isUsed) || this.#filesOfAny(pieceIds).some(isUsed)) return null;
      // A pin is no reason to keep what was dropped.
      if (state.pinned && state.removedAt === null) return null;
      const pieces = await this.#removePieces(pieceIds, isUsed);
      // Somebody plays it again: what is left of it goes another time.
      if (!pieces.isAll) return pieces.bytes === 0 ? null : pieces.bytes;
      return pieces.bytes + (await this.#removeNow(entryId, files));
    });
  }

  /** Bytes of a generation turned out to be damaged: they are given up. @returns how many were lost */
  async loseBytes(generationId: number, range: ByteRange, reason: string): Promise<number> {
    const { generations } = this.#services;
    const found = await generations.find(generationId);
    if (found === null) return 0;
    return this.#exclusively(found.entryId, async () => {
      const open = this.#filesOf(found.entryId).find((file) => file.generation.id === generationId);
      if (open !== undefined) return open.bytes.lose(range, reason);
      const generation = await generations.find(generationId);
      if (generation === null) return 0;
      const ranges = await generations.listRanges(generationId);
      const trusted = this.#trust.of(generationId);
      return new StoredBytes(generation, ranges, trusted, this.#fileServices).lose(range, reason);
    });
  }

  /** The current generation of an entry, when it is in memory. */
  findOpen(entryId: number): CachedFile | undefined {
    return this.#filesOf(entryId).find((file) => !file.superseded);
  }

  /** There is more room on the disk than before, or less. */
  roomChanged(): void {
    for (const entry of this.#entries.values()) {
      const { file } = entry;
      if (file === null) continue;
      if (!file.isTransient) file.roomChanged();
      else if (this.#services.space.refusal(file.totalBytes) === null) void this.#store(entry, file);
    }
  }

  /** Ends every fetch; resolves when what they brought is recorded. Readers go on with what is there. */
  async settle(): Promise<void> {
    this.#stopping = true;
    for (const entry of this.#entries.values()) entry.opening?.cancel();
    await Promise.all([...this.#entries.values()].map((entry) => entry.loading?.catch(() => undefined)));
    await Promise.all([...this.files()].map((file) => file.settle()));
  }

  /** To be called after `settle`, when the readers are gone. */
  async close(): Promise<void> {
    await this.#labeller.finish(this.files());
    await Promise.all([...this.files()].map((file) => file.close()));
  }

  #upstreamOf(source: MediaSource, address: MediaAddress): Upstream {
    const { resolve } = this.#services;
    // A base URL and a path lead to one place, however often they are asked for.
    return { mayExpire: source.kind !== 'http', resolve: (options) => resolve(source, address, options) };
  }

  #filesOf(entryId: number): CachedFile[] {
    return [...this.files()].filter((file) => file.identity.entryId === entryId);
  }

  /** One change of an entry at a time, and none while it is being loaded; who opens it waits until it is over. */
  async #exclusively<Result>(entryId: number, action: () => Promise<Result>): Promise<Result> {
    await this.#unlocked(entryId);
    const done = Promise.withResolvers<void>();
    this.#locks.set(entryId, done.promise);
    try {
      return await action();
    } finally {
      this.#locks.delete(entryId);
      done.resolve();
    }
  }

  async #unlocked(entryId: number): Promise<void> {
    for (let lock = this.#locks.get(entryId); lock !== undefined; lock = this.#locks.get(entryId)) await lock;
  }

  #filesOfAny(entryIds: readonly number[]): CachedFile[] {
    if (entryIds.length === 0) return [];
    const ids = new Set(entryIds);
    return [...this.files()].filter((file) => ids.has(file.identity.entryId));
  }

  /** Pieces of a playlist go before its entry, so that there is one to find them by as long as one of them is left. */
  async #removePieces(
    pieceIds: readonly number[],
    isKept: (file: CachedFile) => boolean,
  ): Promise<{ readonly bytes: number; readonly isAll: boolean }> {
    let bytes = 0;
    let isAll = true;
    for (const id of pieceIds) {
      // Somebody may have begun to ask for it meanwhile.
      const removed = await this.#exclusively(id, async () => {
        const files = this.#filesOf(id);
        return files.some(isKept) ? null : this.#removeNow(id, files);
      });
      if (removed === null) isAll = false;
      bytes += removed ?? 0;
    }
    return { bytes, isAll };
  }

  async #removeNow(entryId: number, files: readonly CachedFile[]): Promise<number> {
    const { entries, generations, space } = this.#services;
    for (const [text, entry] of this.#entries) {
      if (entry.file !== null && files.includes(entry.file)) this.#entries.delete(text);
    }
    for (const file of files) {
      this.#superseded.delete(file);
      await file.settle();
      await file.close();
    }
    const rows = await generations.listOfEntry(entryId);
    const bytes = await generations.countBytesOfEntry(entryId);
    for (const row of rows) await generations.clear(row.id);
    await entries.remove(entryId);
    // The room is given away when it is there, not before.
    for (const row of rows) await this.#removeFile(row);
    space.removed(bytes);
    return bytes;
  }

  /** After its rows are gone. */
  async #removeFile(generation: Pick<GenerationRow, 'id' | 'fileName'>): Promise<void> {
    const { store, space } = this.#services;
    this.#trust.delete(generation.id);
    this.#overIds.delete(generation.id);
    await this.#labeller.settled(generation.id);
    await store.remove(generation.fileName);
    space.strayed(generation.id, 0);
  }

  #createEntry(key: EntryKey, source: MediaSource, address: MediaAddress): OpenEntry {
    const openers = new Openers(this.#services.clock, () => entry.opening);
    const { critical: priority } = Priority;
    const entry: OpenEntry = { key, source, address, file: null, loading: null, opening: null, openers, priority };
    return entry;
  }

  async #load(entry: OpenEntry, options: OpenOptions): Promise<CachedFile> {
    if (entry.file?.superseded) this.#superseded.add(entry.file);
    entry.file = null;
    const record = await this.#services.entries.find(entry.key);
    const file = record === null ? null : await this.#loadStored(entry, record.entryId);
    return file ?? this.#openAtOrigin(entry, options);
  }

  /** The file as its rows say; null when there is no current generation of it. */
  #loadStored(entry: OpenEntry, entryId: number): Promise<CachedFile | null> {
    // Nobody removes, evicts or corrects it meanwhile; what was done before is looked up under the lock.
    return this.#exclusively(entryId, async () => {
      const record = await this.#services.entries.find(entry.key);
      if (record === null || record.generation === null || record.headers === null) return null;
      const { generation, headers, missingSince } = record;
      if (this.#overIds.has(generation.id)) return null;
      const ranges = await this.#listStoredRanges(generation);
      const trusted = this.#trust.of(generation.id);
      entry.file = this.#createFile(entry, record.entryId, { generation, headers, ranges, trusted, missingSince });
      return entry.file;
    });
  }

  /** What the rows say, as far as the file on disk bears it out; what a kill left behind them is cut off. */
  async #listStoredRanges(generation: GenerationRow): Promise<ByteRange[]> {
    const { generations, store } = this.#services;
    const ranges = await generations.listRanges(generation.id);
    const end = ranges.at(-1)?.end ?? 0;
    const length = (await store.findLength(generation.fileName)) ?? 0;
    if (length > end) {
      await store.truncate(generation.fileName, end).catch((error: unknown) => {
        this.#services.log.debug('a chunk file could not be cut', { error: describeError(error) });
      });
    }
    if (length >= end) return ranges;
    const bytes = new StoredBytes(generation, ranges, this.#trust.of(generation.id), this.#fileServices);
    await bytes.lose({ start: length, end: Number.MAX_SAFE_INTEGER }, 'the file ends before them');
    return bytes.available.toArray();
  }

  async #openAtOrigin(entry: OpenEntry, options: OpenOptions): Promise<CachedFile> {
    const { address, source } = entry;
    const { scheduler, threads, clock, random, ownPort, sourceAnswered } = this.#services;
    if (entry.openers.isEmpty) {
      // All of them went while the rows were looked up.
      this.#entries.delete(keyText(entry.key));
      throw nobodyWaits();
    }
    const opening = new Opening({
      sourceId: source.id,
      scheduler,
      threads,
      clock,
      random,
      priority: entry.priority,
      waitUntilMs: () => entry.openers.waitUntilMs,
      range: options.probe ? null : originRange(options.spec),
      request: (range: OriginRange | null): FetchRequest => ({
        upstream: this.#upstreamOf(source, address),
        ownPort: ownPort(),
        range,
        ifRange: null,
        expectsMedia: expectsMedia(address),
      }),
    });
    entry.opening = opening;
    let result: Awaited<typeof opening.result>;
    try {
      result = await opening.result;
    } catch (error) {
      const isOurs = error instanceof LarderError && ['stopped', 'overloaded', 'storage'].includes(error.code);
      if (error instanceof LarderError && !isOurs) sourceAnswered(source.id, error);
      this.#entries.delete(keyText(entry.key));
      throw error;
    }
    sourceAnswered(source.id, null);
    try {
      // A range was asked for and the start came: whatever it says of itself, it serves no ranges.
      const asked = options.probe ? 0 : options.spec?.kind === 'from' ? options.spec.first : 0;
      const seekable = result.head.seekable && (asked === 0 || result.head.start > 0);
      const file = await this.#createGeneration(entry, { ...result.head, seekable });
      if (result.fetch !== null) {
        if (options.probe) result.fetch.stop();
        else {
          file.adopt(result.fetch, result.head);
          // A bounded range is a probe or a piece: it says nothing about playing the rest.
          if (options.spec === null || (options.spec.kind === 'from' && options.spec.last === null)) {
            file.wantContainerEdges(result.fetch.firstByteMs);
          }
        }
      }
      entry.file = file;
      return file;
    } catch (error) {
      result.fetch?.stop();
      this.#entries.delete(keyText(entry.key));
      throw error;
    }
  }

  /** Makes the rows of what the origin showed; without them where the database does not take any. */
  async #createGeneration(entry: OpenEntry, head: OriginHead): Promise<CachedFile> {
    const { clock, newId, space } = this.#services;
    const fileName = chunkFileName(entry.source.name, entry.address.path, newId());
    const generation = generationOf(head, fileName);
    try {
      const created = await this.#createRows(entry, generation);
      return this.#createFile(entry, created.entryId, created);
    } catch (error) {
      space.refused(error);
      const { contentType, contentLanguage, contentDisposition, ...row } = generation;
      const times = { createdAt: clock.nowMs(), supersededAt: null, checkedAt: null, verifiedAt: null, cachedBytes: 0 };
      return this.#createFile(entry, TRANSIENT_ID, {
        generation: { ...row, ...times, id: TRANSIENT_ID, entryId: TRANSIENT_ID },
        headers: { generationId: TRANSIENT_ID, contentType, contentLanguage, contentDisposition },
        ranges: [],
        trusted: new RangeSet(),
        missingSince: null,
      });
    }
  }

  async #createRows(
    entry: OpenEntry,
    generation: Omit<NewGeneration, 'entryId'>,
  ): Promise<StoredGeneration & { readonly entryId: number }> {
    const { entries, generations, clock, uses } = this.#services;
    const { address, key } = entry;
    const { entryId, mediaId } = await entries.ensure({ ...address, ...key }, uses.nextMs());
    return this.#exclusively(entryId, async () => {
      const created = await generations.create({ ...generation, entryId }, clock.nowMs());
      if (generation.totalBytes !== null) await entries.recordSize(mediaId, key.quality, generation.totalBytes);
      const trusted = this.#trust.of(created.generation.id);
      return { ...created, entryId, ranges: [], trusted, missingSince: null };
    });
  }

  /** Gives a file that was only passed on its rows. */
  async #store(entry: OpenEntry, file: CachedFile): Promise<void> {
    const { id: _id, entryId: _entryId, ...row } = file.generation;
    try {
      const stored = await this.#createRows(entry, { ...row, ...file.headers, totalBytes: file.totalBytes });
      if (file.isTransient) file.becomeStored(stored.entryId, stored);
    } catch (error) {
      this.#services.space.refused(error);
    }
  }

  /** In memory first: whoever opens the file next must not find the old version current, whatever the database says. */
  async #noteSuperseded(file: CachedFile): Promise<void> {
    if (file.isTransient) return;
    this.#overIds.add(file.generation.id);
    await this.#recordOver(file.generation.id);
  }

  async #recordOver(generationId: number): Promise<void> {
    await this.#services.generations.supersede(generationId, this.#services.clock.nowMs());
    this.#overIds.delete(generationId);
  }

  #createFile(entry: OpenEntry, entryId: number, stored: StoredGeneration): CachedFile {
    const { address, source } = entry;
    const identity: FileIdentity = {
      entryId,
      sourceId: source.id,
      address,
      upstream: this.#upstreamOf(source, address),
    };
    return new CachedFile(identity, stored, this.#fileServices, (file) => this.#unused(file));
  }

  #noteUse(file: CachedFile, text: string, entry: OpenEntry, options: Omit<OpenOptions, 'signal'>): void {
    if (!options.internal && !options.probe) {
      const isPiece = file.identity.address.partOf !== undefined;
      // How its playlist is cut is the version of a piece: one that is converted again reads otherwise, and is the same.
      if (!isPiece) file.recheckIfDue();
      if (!file.isTransient) {
        // It is its playlist that is used.
        if (!isPiece) this.#services.uses.note(file.identity.entryId);
        this.#services.fileOpened(file);
      }
    }
    this.#entries.delete(text);
    this.#entries.set(text, entry);
    if (this.#entries.size <= IDLE_FILES_MAX || this.#dropDue) return;
    this.#dropDue = true;
    // Whoever was just handed a file opens its reader in this turn of the loop.
    this.#services.clock.after(0, () => {
      this.#dropDue = false;
      this.#dropIdle();
    });
  }

  /** Forgets the files that were not used for longest; their rows say the same when they are opened again. */
  #dropIdle(): void {
    for (const [text, entry] of this.#entries) {
      if (this.#entries.size <= IDLE_FILES_MAX) return;
      if (entry.loading !== null || entry.file?.isUsed) continue;
      this.#entries.delete(text);
      this.#close(entry.file);
    }
  }

  /** A descriptor that does not close is the system's trouble; the file is forgotten all the same. */
  #close(file: CachedFile | null): void {
    file?.close().catch((error: unknown) => {
      this.#services.log.warning('a chunk file could not be closed', { error: describeError(error) });
    });
  }

  /** Nobody reads it, and nothing is fetched of it. An old generation goes now, row first, then file. */
  #unused(file: CachedFile): void {
    if (!file.superseded && !file.isTransient) {
      this.#labeller.labelSoon(file);
      return;
    }
    for (const [text, entry] of this.#entries) if (entry.file === file) this.#entries.delete(text);
    this.#superseded.delete(file);
    const { generations, space, log } = this.#services;
    const { generation } = file;
    void file
      .close()
      .then(() => {
        if (file.isTransient) return;
        return this.#exclusively(generation.entryId, async () => {
          // Its entry may have been removed meanwhile, and it with it.
          if ((await generations.find(generation.id)) === null) return;
          await generations.remove([generation.id]);
          await this.#removeFile(generation);
          space.removed(file.available.byteCount);
        });
      })
      .catch((error: unknown) => {
        log.warning('an old version could not be removed; the next start does it', { error: describeError(error) });
      });
  }
}

function generationOf(head: OriginHead, fileName: string): Omit<NewGeneration, 'entryId'> {
  const { etag, lastModified, totalBytes, seekable, contentType, contentLanguage, contentDisposition } = head;
  return { fileName, etag, lastModified, totalBytes, seekable, contentType, contentLanguage, contentDisposition };
}
