// A disk in memory that keeps account of what a power cut would take. `crash` forgets what was not synced: all of it,
// or with a source of chance any part of it in any order, as real disks do. It can be told to refuse writes or syncs,
// and its bits can be turned.
import { RangeSet } from '../../src/bytes/range-set.ts';
import type { ChunkReader, ChunkStore, ChunkWriter } from '../../src/chunks/chunk-store.ts';
import type { Random } from './random.ts';

interface Piece {
  readonly start: number;
  readonly end: number;
}

class Content {
  data = new Uint8Array(64 * 1024);
  length = 0;

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (end > this.data.length) {
      const larger = new Uint8Array(Math.max(end, this.data.length * 2));
      larger.set(this.data.subarray(0, this.length));
      this.data = larger;
    }
    this.data.set(bytes, position);
    this.length = Math.max(this.length, end);
  }

  truncate(length: number): void {
    this.data.fill(0, length);
    this.length = length;
  }

  copy(): Content {
    const copy = new Content();
    copy.data = this.data.slice(0, Math.max(this.length, 1));
    copy.length = this.length;
    return copy;
  }
}

interface MemoryFile {
  content: Content;
  /** As of the last sync. */
  synced: Content;
  nameIsDurable: boolean;
  readonly durable: RangeSet;
  unsynced: Piece[];
}

export type StoreEvent =
  | { readonly kind: 'write'; readonly fileName: string; readonly start: number; readonly end: number }
  | { readonly kind: 'sync'; readonly fileName: string };

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made up by a test`), { code });
}

export class MemoryChunkStore implements ChunkStore {
  /** In order of what the disk did; a sync stands where it was done, not where it was asked for. */
  readonly events: StoreEvent[] = [];
  /** System error code that writes fail with, such as `ENOSPC`. */
  refuseWrites: string | null = null;
  refuseSyncs: string | null = null;
  /** Runs before each sync is done; resolves when the disk is through with it. */
  beforeSync: () => Promise<void> = () => Promise.resolve();
  #files = new Map<string, MemoryFile>();
  /** Removed since the last crash: a power cut may bring them back. */
  readonly #removed = new Map<string, MemoryFile>();
  #shortened = new Set<string>();
  readonly #labels = new Map<string, { text: string; before: string | null }>();

  /** Bytes that all files hold, holes not counted. */
  get writtenBytes(): number {
    let bytes = 0;
    for (const file of this.#files.values()) {
      bytes += RangeSet.of([...file.durable.toArray(), ...file.unsynced]).byteCount;
    }
    return bytes;
  }

  get fileNames(): string[] {
    return [...this.#files.keys()];
  }

  lengthOf(fileName: string): number {
    return this.#files.get(fileName)?.content.length ?? 0;
  }

  /** Whether some or all of it was ever removed. */
  wasShortened(fileName: string): boolean {
    return this.#shortened.has(fileName);
  }

  /** What would survive a power cut now. */
  durableRanges(fileName: string): RangeSet {
    return this.#files.get(fileName)?.durable ?? new RangeSet();
  }

  /** The power fails: what was not synced is lost; with `random` each piece of it may be lost, torn or kept. */
  crash(random: Random | null = null): void {
    const after = this.afterPowerLoss(random);
    this.#files = after.#files;
    this.#removed.clear();
  }

  /** The disk as the next start finds it after a power cut. This one is left to who still writes to it. */
  afterPowerLoss(random: Random | null): MemoryChunkStore {
    const survives = () => random?.chance(0.5) ?? false;
    const after = new MemoryChunkStore();
    after.#shortened = new Set(this.#shortened);
    const brought = [...this.#removed].filter(([name, file]) => file.nameIsDurable && !this.#files.has(name));
    for (const [name, file] of [...this.#files, ...brought.filter(survives)]) {
      if (!file.nameIsDurable && !survives()) continue;
      const content = file.synced.copy();
      for (const { start, end } of file.unsynced) {
        if (!survives()) continue;
        const torn = survives() ? start + random!.between(0, end - start) : end;
        content.write(file.content.data.subarray(start, torn), start);
      }
      const durable = RangeSet.of(file.durable.toArray());
      after.#files.set(name, {
        content,
        synced: content,
        nameIsDurable: true,
        durable,
        unsynced: [],
      });
    }
    for (const [name, { text, before }] of this.#labels) {
      const kept = before !== null && survives() ? before : text;
      after.#labels.set(name, { text: kept, before: null });
    }
    return after;
  }

  /** The disk as the next start finds it after a kill: the system still writes what it was given. */
  afterKill(): MemoryChunkStore {
    const after = new MemoryChunkStore();
    after.#shortened = new Set(this.#shortened);
    for (const [name, file] of this.#files) {
      const durable = RangeSet.of([...file.durable.toArray(), ...file.unsynced]);
      const content = file.content.copy();
      after.#files.set(name, {
        content,
        synced: content,
        nameIsDurable: true,
        durable,
        unsynced: [],
      });
    }
    for (const [name, label] of this.#labels) after.#labels.set(name, { ...label });
    return after;
  }

  /** A bit of the stored file turns. */
  flipBit(fileName: string, position: number): void {
    const file = this.#files.get(fileName)!;
    for (const content of new Set([file.content, file.synced])) {
      if (position < content.length) content.data[position]! ^= 1;
    }
  }

  openReader(fileName: string): Promise<ChunkReader> {
    const file = this.#files.get(fileName);
    if (file === undefined) return Promise.reject(systemError('ENOENT'));
    let isOpen = true;
    const readRecent = (buffer: Uint8Array, position: number) => {
      if (!isOpen) throw systemError('EBADF');
      const { data, length } = file.content;
      const part = data.subarray(position, Math.min(length, position + buffer.length));
      buffer.set(part);
      return part.length;
    };
    return Promise.resolve({
      readRecent,
      readAgain: () => 0,
      read: async (buffer: Uint8Array, position: number) => readRecent(buffer, position),
      close() {
        if (!isOpen) return Promise.reject(systemError('EBADF'));
        isOpen = false;
        return Promise.resolve();
      },
    });
  }

  openWriter(fileName: string, mayCreate: boolean): Promise<ChunkWriter> {
    let file = this.#files.get(fileName);
    if (file === undefined && (!mayCreate || this.refuseWrites !== null)) {
      return Promise.reject(systemError(mayCreate ? this.refuseWrites! : 'ENOENT'));
    }
    if (file === undefined) {
      file = {
        content: new Content(),
        synced: new Content(),
        nameIsDurable: false,
        durable: new RangeSet(),
        unsynced: [],
      };
      this.#files.set(fileName, file);
    }
    const opened = file;
    return Promise.resolve({
      write: (data: Uint8Array, position: number) => this.#write(fileName, opened, data, position),
      sync: () => this.#sync(fileName, opened),
      close: () => Promise.resolve(),
    });
  }

  findLength(fileName: string): Promise<number | null> {
    return Promise.resolve(this.#files.get(fileName)?.content.length ?? null);
  }

  truncate(fileName: string, length: number): Promise<void> {
    const file = this.#files.get(fileName);
    if (file === undefined) return Promise.reject(systemError('ENOENT'));
    this.#shortened.add(fileName);
    for (const content of new Set([file.content, file.synced])) content.truncate(Math.min(length, content.length));
    file.durable.remove(length, Number.MAX_SAFE_INTEGER);
    file.unsynced = file.unsynced.filter((piece) => piece.end <= length);
    return Promise.resolve();
  }

  remove(fileName: string): Promise<void> {
    const file = this.#files.get(fileName);
    if (file !== undefined) this.#removed.set(fileName, file);
    this.#shortened.add(fileName);
    this.#files.delete(fileName);
    this.#labels.delete(fileName);
    return Promise.resolve();
  }

  async *list(): AsyncIterable<string> {
    yield* [...this.#files.keys()];
  }

  writeLabel(fileName: string, text: string): Promise<void> {
    if (this.refuseWrites !== null) return Promise.reject(systemError(this.refuseWrites));
    this.#labels.set(fileName, { text, before: this.#labels.get(fileName)?.text ?? null });
    return Promise.resolve();
  }

  readLabel(fileName: string): Promise<string | null> {
    return Promise.resolve(this.#labels.get(fileName)?.text ?? null);
  }

  probe(): Promise<void> {
    const refused = this.refuseWrites ?? this.refuseSyncs;
    return refused === null ? Promise.resolve() : Promise.reject(systemError(refused));
  }

  #write(fileName: string, file: MemoryFile, data: Uint8Array, position: number): void {
    if (this.refuseWrites !== null) throw systemError(this.refuseWrites);
    const end = position + data.length;
    // Copied when they begin to differ: most files of a life are only read.
    if (file.synced === file.content) file.synced = file.content.copy();
    file.content.write(data, position);
    file.unsynced.push({ start: position, end });
    this.events.push({ kind: 'write', fileName, start: position, end });
  }

  async #sync(fileName: string, file: MemoryFile): Promise<void> {
    // What is written while the disk works is not part of this sync.
    const covered = [...file.unsynced];
    const bytes = covered.map(({ start, end }) => file.content.data.slice(start, end));
    await this.beforeSync();
    if (this.refuseSyncs !== null) throw systemError(this.refuseSyncs);
    for (const [index, { start, end }] of covered.entries()) {
      file.synced.write(bytes[index]!, start);
      file.durable.add(start, end);
    }
    file.unsynced = file.unsynced.filter((piece) => !covered.includes(piece));
    file.nameIsDurable = true;
    this.events.push({ kind: 'sync', fileName });
  }
}
