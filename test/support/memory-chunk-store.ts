// A disk in memory that keeps account of what a power cut would take: `crash` forgets every write that was not synced,
// and every file whose name was not. It can be told to refuse writes or syncs.
import { RangeSet } from '../../src/bytes/range-set.ts';
import type { ChunkReader, ChunkStore, ChunkWriter } from '../../src/chunks/chunk-store.ts';

interface MemoryFile {
  data: Uint8Array;
  length: number;
  /** Content and length as of the last sync; null while the name itself would not survive. */
  synced: { data: Uint8Array; length: number } | null;
  readonly durable: RangeSet;
  unsynced: RangeSet;
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
  readonly #files = new Map<string, MemoryFile>();

  /** What would survive a power cut now. */
  durableRanges(fileName: string): RangeSet {
    return this.#files.get(fileName)?.durable ?? new RangeSet();
  }

  /** The power fails: only what was synced is left. */
  crash(): void {
    for (const [name, file] of this.#files) {
      if (file.synced === null) {
        this.#files.delete(name);
        continue;
      }
      file.data = file.synced.data.slice();
      file.length = file.synced.length;
      file.unsynced = new RangeSet();
    }
  }

  openReader(fileName: string): Promise<ChunkReader> {
    const file = this.#files.get(fileName);
    if (file === undefined) return Promise.reject(systemError('ENOENT'));
    let isOpen = true;
    const readRecent = (buffer: Uint8Array, position: number) => {
      if (!isOpen) throw systemError('EBADF');
      const part = file.data.subarray(position, Math.min(file.length, position + buffer.length));
      buffer.set(part);
      return part.length;
    };
    return Promise.resolve({
      readRecent,
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
    if (file === undefined && !mayCreate) {
      return Promise.reject(Object.assign(new Error(`no file ${fileName}`), { code: 'ENOENT' }));
    }
    if (file === undefined) {
      file = {
        data: new Uint8Array(64 * 1024),
        length: 0,
        synced: null,
        durable: new RangeSet(),
        unsynced: new RangeSet(),
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
    return Promise.resolve(this.#files.get(fileName)?.length ?? null);
  }

  remove(fileName: string): Promise<void> {
    this.#files.delete(fileName);
    return Promise.resolve();
  }

  async *list(): AsyncIterable<string> {
    yield* this.#files.keys();
  }

  #write(fileName: string, file: MemoryFile, data: Uint8Array, position: number): void {
    if (this.refuseWrites !== null) throw systemError(this.refuseWrites);
    const end = position + data.length;
    if (end > file.data.length) {
      const larger = new Uint8Array(Math.max(end, file.data.length * 2));
      larger.set(file.data);
      file.data = larger;
    }
    file.data.set(data, position);
    file.length = Math.max(file.length, end);
    file.unsynced.add(position, end);
    this.events.push({ kind: 'write', fileName, start: position, end });
  }

  async #sync(fileName: string, file: MemoryFile): Promise<void> {
    // What is written while the disk works is not part of this sync.
    const covered = file.unsynced.toArray();
    const snapshot = { data: file.data.slice(0, file.length), length: file.length };
    await this.beforeSync();
    if (this.refuseSyncs !== null) throw systemError(this.refuseSyncs);
    file.synced = snapshot;
    for (const range of covered) {
      file.durable.add(range.start, range.end);
      file.unsynced.remove(range.start, range.end);
    }
    this.events.push({ kind: 'sync', fileName });
  }
}
