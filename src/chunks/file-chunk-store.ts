// The chunk store on a local file system: folders 0700, files 0600.
import { close, constants, fdatasync, fsync, open, read, readSync, writeSync } from 'node:fs';
import { mkdir, open as openHandle, readdir, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { dirname, join, normalize, sep } from 'node:path';
import { promisify } from 'node:util';
import { assert } from '../assert.ts';
import { systemCode } from '../errors.ts';
import type { ChunkReader, ChunkStore, ChunkWriter } from './chunk-store.ts';
import type { RecentReads } from './recent-reads.ts';

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** Behind the name of a chunk file: the text that says what it is. Chunk files end in an id and an extension. */
const LABEL_SUFFIX = '.larder.json';
/** Behind that, while it is being written. */
const UNFINISHED_SUFFIX = '.new';
const PROBE_NAME = '.probe';
const PROBE_BYTES = 64 * 1024;

const openFile = promisify(open) as (path: string, flags: number, mode: number) => Promise<number>;
const closeFile = promisify(close);
const syncFile = promisify(fsync);
const syncFileData = promisify(fdatasync);

class FileChunkReader implements ChunkReader {
  readonly #descriptor: number;
  readonly #recent: RecentReads | undefined;
  /** Of this reader, for `#recent`. */
  readonly #number: number;
  #readsInFlight = 0;
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(descriptor: number, recent: RecentReads | undefined) {
    this.#descriptor = descriptor;
    this.#recent = recent;
    this.#number = recent?.nextFile() ?? 0;
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    this.#readsInFlight += 1;
    return new Promise((resolve, reject) => {
      read(this.#descriptor, buffer, 0, buffer.length, position, (error, count) => {
        this.#readsInFlight -= 1;
        if (this.#readsInFlight === 0) this.#onIdle?.();
        if (error) {
          reject(error);
          return;
        }
        this.#recent?.note(this.#number, position, position + count);
        resolve(count);
      });
    });
  }

  readRecent(buffer: Uint8Array, position: number): number {
    return readSync(this.#descriptor, buffer, 0, buffer.length, position);
  }

  readAgain(buffer: Uint8Array, position: number): number {
    const recent = this.#recent;
    if (this.#closing !== undefined || !recent?.has(this.#number, position, position + buffer.length)) return 0;
    return recent.timed(() => this.readRecent(buffer, position));
  }

  /** After the last read: the number of a closed descriptor may be another file's at once. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#readsInFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    await closeFile(this.#descriptor);
  }
}

class FileChunkWriter implements ChunkWriter {
  readonly #descriptor: number;
  readonly #folder: string;
  /** A file that was just made is only durable once its folder is. */
  #nameIsDurable: boolean;

  constructor(descriptor: number, folder: string, isNew: boolean) {
    this.#descriptor = descriptor;
    this.#folder = folder;
    this.#nameIsDurable = !isNew;
  }

  write(data: Uint8Array, position: number): void {
    let done = 0;
    while (done < data.length) done += writeSync(this.#descriptor, data, done, data.length - done, position + done);
  }

  async sync(): Promise<void> {
    await syncFileData(this.#descriptor);
    if (this.#nameIsDurable) return;
    // The source's folder may be as new as the file: its own name is in the folder above.
    for (const path of [this.#folder, dirname(this.#folder)]) {
      const folder = await openFile(path, constants.O_RDONLY, 0);
      try {
        await syncFile(folder);
      } finally {
        await closeFile(folder);
      }
    }
    this.#nameIsDurable = true;
  }

  close(): Promise<void> {
    return closeFile(this.#descriptor);
  }
}

export class FileChunkStore implements ChunkStore {
  readonly #folder: string;
  readonly #recent: RecentReads | undefined;

  /** @param recent - without it nothing is ever read again at once */
  constructor(folder: string, recent?: RecentReads) {
    this.#folder = folder;
    this.#recent = recent;
  }

  async openReader(fileName: string): Promise<ChunkReader> {
    return new FileChunkReader(await openFile(this.#pathOf(fileName), constants.O_RDONLY, 0), this.#recent);
  }

  async openWriter(fileName: string, mayCreate: boolean): Promise<ChunkWriter> {
    const path = this.#pathOf(fileName);
    const folder = dirname(path);
    if (mayCreate) await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    try {
      return new FileChunkWriter(await openFile(path, constants.O_RDWR, 0), folder, false);
    } catch (error) {
      if (!mayCreate || systemCode(error) !== 'ENOENT') throw error;
      return new FileChunkWriter(await openFile(path, constants.O_RDWR | constants.O_CREAT, FILE_MODE), folder, true);
    }
  }

  async findLength(fileName: string): Promise<number | null> {
    try {
      const found = await stat(this.#pathOf(fileName));
      return found.isFile() ? found.size : null;
    } catch (error) {
      if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null;
      throw error;
    }
  }

  async truncate(fileName: string, length: number): Promise<void> {
    await truncate(this.#pathOf(fileName), length);
  }

  async remove(fileName: string): Promise<void> {
    const path = this.#pathOf(fileName);
    await rm(path, { force: true });
    await rm(path + LABEL_SUFFIX, { force: true });
    await rm(path + LABEL_SUFFIX + UNFINISHED_SUFFIX, { force: true });
  }

  async writeLabel(fileName: string, text: string): Promise<void> {
    const path = this.#pathOf(fileName) + LABEL_SUFFIX;
    const unfinished = path + UNFINISHED_SUFFIX;
    try {
      const handle = await openHandle(unfinished, 'w', FILE_MODE);
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(unfinished, path);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
  }

  async readLabel(fileName: string): Promise<string | null> {
    try {
      return await readFile(this.#pathOf(fileName) + LABEL_SUFFIX, 'utf8');
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return null;
      throw error;
    }
  }

  async probe(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: FOLDER_MODE });
    const path = join(this.#folder, PROBE_NAME);
    const handle = await openHandle(path, 'w', FILE_MODE);
    try {
      await handle.write(new Uint8Array(PROBE_BYTES));
      await handle.datasync();
    } finally {
      await handle.close();
      await rm(path, { force: true });
    }
  }

  async *list(): AsyncIterable<string> {
    for (const folder of await this.#entriesOf(this.#folder)) {
      if (!folder.isDirectory()) continue;
      const names = new Set<string>();
      for (const file of await this.#entriesOf(join(this.#folder, folder.name))) {
        // A label whose file is gone is listed by the name of its file.
        if (file.isFile()) names.add(file.name.replace(/\.larder\.json(\.new)?$/, ''));
      }
      for (const name of names) yield `${folder.name}/${name}`;
    }
  }

  async #entriesOf(folder: string) {
    try {
      return await readdir(folder, { withFileTypes: true });
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  #pathOf(fileName: string): string {
    const path = normalize(join(this.#folder, fileName));
    assert(path.startsWith(normalize(this.#folder) + sep), `chunk file ${fileName} is outside the store`);
    return path;
  }
}
