// Opens entries and keeps the state of those in use. The way of a request: find the entry's rows, or ask the origin
// once; then the file answers ranges.
import { type ByteRange, clipRanges } from '../bytes/byte-range.ts';
import type { RangeSpec } from '../bytes/range-header.ts';
import type { EntryKey, EntryTable, GenerationRow } from '../db/entries.ts';
import { describeError, LarderError } from '../errors.ts';
import { IDLE_FILES_MAX } from '../limits.ts';
import type { HttpSource } from '../sources/http-source.ts';
import type { MediaAddress } from '../sources/media-address.ts';
import type { OriginRequest } from '../sources/origin-client.ts';
import type { OriginHead, OriginRange } from '../sources/origin-response.ts';
import { CachedFile } from './cached-file.ts';
import { chunkFileName } from './file-name.ts';
import type { FileIdentity, FileServices } from './file-services.ts';
import { Opening } from './opening.ts';

export interface ManagerServices extends FileServices {
  readonly entries: EntryTable;
  /** Random bytes as hex, for file names. */
  readonly newId: () => string;
  /** A client opened the file to read it. */
  readonly fileOpened: (file: CachedFile) => void;
}

export interface OpenOptions {
  /** First range the client asks for; null is the whole file. */
  readonly spec: RangeSpec | null;
  /** Only what the file is, no bytes of it. */
  readonly probe: boolean;
  /** Not a player but ourselves: is no use of the entry. */
  readonly internal?: boolean;
  /** Aborted when the client went away. */
  readonly signal: AbortSignal;
}

interface OpenEntry {
  readonly key: EntryKey;
  readonly address: MediaAddress;
  file: CachedFile | null;
  /** Set while the rows are looked up or the origin is asked. */
  loading: Promise<CachedFile> | null;
  opening: Opening | null;
  /** How many clients wait for `loading`. */
  openers: number;
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
  /** Uses since they were last written down. */
  #uses = new Map<number, { atMs: number; count: number }>();
  #stopping = false;
  #dropDue = false;

  constructor(services: ManagerServices) {
    this.#services = services;
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
  async open(source: HttpSource, address: MediaAddress, options: OpenOptions): Promise<CachedFile> {
    if (this.#stopping) throw new LarderError('overloaded', 'Larder is stopping', { retry: 'later' });
    const key = { sourceId: source.id, mediaKey: address.mediaKey, quality: address.quality };
    const text = keyText(key);
    let entry = this.#entries.get(text);
    if (entry === undefined) {
      entry = { key, address, file: null, loading: null, opening: null, openers: 0 };
      this.#entries.set(text, entry);
    }
    if (entry.file !== null && !entry.file.superseded) {
      this.#noteUse(entry.file, text, entry, options);
      return entry.file;
    }
    entry.loading ??= this.#load(source, entry, options).finally(() => {
      entry.loading = null;
      entry.opening = null;
    });
    const file = await this.#waitAsOpener(entry, entry.loading, options.signal);
    this.#noteUse(file, text, entry, options);
    return file;
  }

  /** Takes an entry out: rows first, then its files. @returns false when somebody reads it */
  async remove(entryId: number): Promise<boolean> {
    const open = [...this.#entries].filter(([, entry]) => entry.file?.identity.entryId === entryId);
    const old = [...this.#superseded].filter((file) => file.identity.entryId === entryId);
    const files = [...open.flatMap(([, entry]) => (entry.file === null ? [] : [entry.file])), ...old];
    if (files.some((file) => file.readers.size > 0)) return false;
    for (const [text] of open) this.#entries.delete(text);
    for (const file of old) this.#superseded.delete(file);
    for (const file of files) {
      await file.settle();
      await file.close();
    }
    const generations = await this.#services.generations.listOfEntry(entryId);
    await this.#services.entries.remove(entryId);
    for (const generation of generations) await this.#services.store.remove(generation.fileName);
    return true;
  }

  /** Uses since the last call, to be written down. */
  takeUses(): ReadonlyMap<number, { atMs: number; count: number }> {
    const uses = this.#uses;
    this.#uses = new Map();
    return uses;
  }

  /** Ends every fetch; resolves when what they brought is recorded. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const entry of this.#entries.values()) entry.opening?.cancel();
    await Promise.all([...this.#entries.values()].map((entry) => entry.loading?.catch(() => undefined)));
    const files = [...this.files()];
    await Promise.all(files.map((file) => file.settle()));
    await Promise.all(files.map((file) => file.close()));
  }

  async #waitAsOpener(entry: OpenEntry, loading: Promise<CachedFile>, signal: AbortSignal): Promise<CachedFile> {
    entry.openers += 1;
    const leave = () => {
      entry.openers -= 1;
      if (entry.openers === 0) entry.opening?.cancel();
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    try {
      return await loading;
    } finally {
      signal.removeEventListener('abort', leave);
      if (!signal.aborted) entry.openers -= 1;
    }
  }

  async #load(source: HttpSource, entry: OpenEntry, options: OpenOptions): Promise<CachedFile> {
    if (entry.file?.superseded) this.#superseded.add(entry.file);
    entry.file = null;
    const record = await this.#services.entries.find(entry.key);
    if (record?.generation && record.headers) {
      const { generation, headers } = record;
      const ranges = await this.#listStoredRanges(generation);
      entry.file = this.#createFile(source, entry, record.entryId, { generation, headers, ranges });
      return entry.file;
    }
    return this.#openAtOrigin(source, entry, options);
  }

  /** What the rows say, as far as the file on disk bears it out. */
  async #listStoredRanges(generation: GenerationRow): Promise<ByteRange[]> {
    const { generations, store, clock, log } = this.#services;
    const ranges = await generations.listRanges(generation.id);
    const end = ranges.at(-1)?.end ?? 0;
    const length = end === 0 ? 0 : ((await store.findLength(generation.fileName)) ?? 0);
    if (length >= end) return ranges;
    log.warning('a chunk file has lost bytes; they are fetched again', { file: generation.fileName });
    const kept = clipRanges(ranges, length);
    await generations.truncate(generation.id, kept, length, clock.nowMs());
    return kept;
  }

  async #openAtOrigin(source: HttpSource, entry: OpenEntry, options: OpenOptions): Promise<CachedFile> {
    const { address } = entry;
    const { scheduler, threads, clock, random, ownPort, sourceAnswered } = this.#services;
    const opening = new Opening({
      sourceId: source.id,
      scheduler,
      threads,
      clock,
      random,
      range: options.probe ? null : originRange(options.spec),
      request: (range: OriginRange | null): OriginRequest => ({
        ...source.resolve(address.path),
        ownPort: ownPort(),
        range,
        ifRange: null,
        expectsMedia: address.type !== 'file',
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
      const file = await this.#createGeneration(source, entry, result.head);
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

  async #createGeneration(source: HttpSource, entry: OpenEntry, head: OriginHead): Promise<CachedFile> {
    const { entries, generations, clock, newId } = this.#services;
    const { address, key } = entry;
    const nowMs = clock.nowMs();
    const { entryId, mediaId } = await entries.ensure({ ...address, ...key }, nowMs);
    const created = await generations.create(
      {
        entryId,
        etag: head.etag,
        lastModified: head.lastModified,
        totalBytes: head.totalBytes,
        seekable: head.seekable,
        fileName: chunkFileName(source.name, address.path, newId()),
        contentType: head.contentType,
        contentLanguage: head.contentLanguage,
        contentDisposition: head.contentDisposition,
      },
      nowMs,
    );
    if (head.totalBytes !== null) await entries.recordSize(mediaId, key.quality, head.totalBytes);
    return this.#createFile(source, entry, entryId, { ...created, ranges: [] });
  }

  #createFile(
    source: HttpSource,
    entry: OpenEntry,
    entryId: number,
    stored: ConstructorParameters<typeof CachedFile>[1],
  ): CachedFile {
    const { address } = entry;
    const identity: FileIdentity = {
      entryId,
      sourceId: source.id,
      address,
      upstream: () => source.resolve(address.path),
    };
    return new CachedFile(identity, stored, this.#services, (file) => this.#unused(file));
  }

  #noteUse(file: CachedFile, text: string, entry: OpenEntry, options: OpenOptions): void {
    if (!options.internal && !options.probe) {
      const { entryId } = file.identity;
      const before = this.#uses.get(entryId);
      this.#uses.set(entryId, { atMs: this.#services.clock.nowMs(), count: (before?.count ?? 0) + 1 });
      this.#services.fileOpened(file);
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

  /** The last reader of an old generation left: it goes, row first, then file. */
  #unused(file: CachedFile): void {
    if (!file.superseded) return;
    for (const entry of this.#entries.values()) if (entry.file === file) entry.file = null;
    this.#superseded.delete(file);
    const { generations, store, log } = this.#services;
    void file
      .close()
      .then(() => generations.remove([file.generation.id]))
      .then(() => store.remove(file.generation.fileName))
      .catch((error: unknown) => {
        log.warning('an old version could not be removed; the next start does it', { error: describeError(error) });
      });
  }
}
