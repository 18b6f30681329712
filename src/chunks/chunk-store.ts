// Files that hold cached bytes. One sparse file per generation, written at offsets. The store knows nothing of which
// bytes are valid: that is what the rows say.
//
// File names are relative to the store's folder and come from `chunkFileName`.

export interface ChunkReader {
  /**
   * Reads into `buffer` from `position` on; resolves to the number of bytes read, 0 at the end of the file.
   * The buffer must not be touched until then.
   */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /**
   * The same at once, for bytes that were written a moment ago: they are in the page cache, so that no disk is waited
   * for, and the way through a thread would cost more than the copy.
   */
  readRecent(buffer: Uint8Array, position: number): number;
  /**
   * The same for bytes that were read through here not long ago, if they are most likely in the page cache still;
   * 0 where that is not known, and where there is nothing.
   */
  readAgain(buffer: Uint8Array, position: number): number;
  close(): Promise<void>;
}

export interface ChunkWriter {
  /** Writes all of `data`. Blocks: for download threads only. */
  write(data: Uint8Array, position: number): void;
  /** Resolves when everything written before the call survives a power cut, the file's name included. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface ChunkStore {
  openReader(fileName: string): Promise<ChunkReader>;
  /** Makes the file when it is not there and `mayCreate`. @throws Error with code ENOENT when it is not there */
  openWriter(fileName: string, mayCreate: boolean): Promise<ChunkWriter>;
  /** Length in bytes, or null when there is no such file. */
  findLength(fileName: string): Promise<number | null>;
  /** Cuts off what lies at and behind `length`. */
  truncate(fileName: string, length: number): Promise<void>;
  /** Removes the file and its label. Removing what is not there is not an error. */
  remove(fileName: string): Promise<void>;
  /** Names of all files, and of those of which only the label is left. */
  list(): AsyncIterable<string>;
  /** Keeps a text beside the file that says what it is; replaced as a whole, so that it is never read half written. */
  writeLabel(fileName: string, text: string): Promise<void>;
  /** Null when there is none. */
  readLabel(fileName: string): Promise<string | null>;
  /** Writes a few bytes for good and removes them. @throws Error when the disk does not take them */
  probe(): Promise<void>;
}
