// Which bytes of chunk files were read lately, and so are most likely still in the page cache: they can be read at once,
// on the thread that serves, where the way through another thread costs more than the copy. It is a guess: each read at
// once is timed, and when they had to wait for a disk after all, nothing is guessed before it was read anew. What was not
// read for a while is not guessed either: a disk that sleeps would keep everybody waiting for seconds.
import { totalmem } from 'node:os';
import process from 'node:process';
import { CHUNK_BYTES, READ_AT_ONCE_SLOW_MS, RECENT_READ_MS } from '../limits.ts';

export interface RecentReadsOptions {
  readonly monotonicMs: () => number;
  /** What is remembered at most; a part of what the machine can hold in its page cache. */
  readonly budgetBytes: number;
  /** Of this process, ever: tells a read that waited for a disk from one that waited for a processor. */
  readonly countDiskReads: () => number;
}

/** A part of a grid cell, one bit of its mask each. */
const BLOCKS_PER_CELL = 32;
const BLOCK_BYTES = CHUNK_BYTES / BLOCKS_PER_CELL;
/** Reads at once between two slow ones, with which the guess is still a good one. */
const QUICK_READS_MIN = 100;
/** Cells of one file that can be told apart: 32 TiB. */
const CELLS_MAX = 2 ** 24;

/** A container may have less than its machine. */
function memoryBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

export class RecentReads {
  readonly #options: RecentReadsOptions;
  readonly #cellsMax: number;
  /** Reads at once since the last slow one. */
  #quickReads = 0;
  /** Masks of blocks by file and cell. What was not used while the young ones filled up is forgotten with the old. */
  #young = new Map<number, number>();
  #old = new Map<number, number>();
  #youngSinceMs: number;
  #lastFile = 0;
  #diskReads = 0;

  constructor(options: RecentReadsOptions) {
    this.#options = options;
    this.#youngSinceMs = options.monotonicMs();
    this.#cellsMax = Math.max(1, Math.floor(options.budgetBytes / CHUNK_BYTES / 2));
  }

  static ofThisMachine(monotonicMs: () => number): RecentReads {
    const countDiskReads = () => process.resourceUsage().fsRead;
    return new RecentReads({ monotonicMs, countDiskReads, budgetBytes: memoryBytes() / 4 });
  }

  /** A number for an open file: what is remembered of it ends with that. */
  nextFile(): number {
    this.#lastFile += 1;
    return this.#lastFile;
  }

  note(file: number, start: number, end: number): void {
    this.#age();
    for (let block = Math.floor(start / BLOCK_BYTES); block * BLOCK_BYTES < end; block++) {
      const cell = Math.floor(block / BLOCKS_PER_CELL);
      if (cell >= CELLS_MAX) return;
      const key = file * CELLS_MAX + cell;
      this.#young.set(key, this.#maskOf(key) | (1 << (block % BLOCKS_PER_CELL)));
    }
    if (this.#young.size >= this.#cellsMax) this.#turn();
  }

  /** Whether all of [start, end) was. */
  has(file: number, start: number, end: number): boolean {
    this.#age();
    for (let block = Math.floor(start / BLOCK_BYTES); block * BLOCK_BYTES < end; block++) {
      const cell = Math.floor(block / BLOCKS_PER_CELL);
      if (cell >= CELLS_MAX) return false;
      if ((this.#maskOf(file * CELLS_MAX + cell) & (1 << (block % BLOCKS_PER_CELL))) === 0) return false;
    }
    return true;
  }

  /** Runs a read of what is in memory by all that is known, and learns from the time that it takes. */
  timed(read: () => number): number {
    const { monotonicMs, countDiskReads } = this.#options;
    const startedAtMs = monotonicMs();
    const count = read();
    this.#quickReads += 1;
    if (monotonicMs() - startedAtMs < READ_AT_ONCE_SLOW_MS) return count;
    const diskReads = countDiskReads();
    if (diskReads === this.#diskReads) return count;
    this.#diskReads = diskReads;
    // A single one may have waited for a processor while something else was read, such as a page of the program.
    if (this.#quickReads < QUICK_READS_MIN) {
      this.#young.clear();
      this.#old.clear();
    }
    this.#quickReads = 0;
    return count;
  }

  #age(): void {
    const ageMs = this.#options.monotonicMs() - this.#youngSinceMs;
    if (ageMs < RECENT_READ_MS) return;
    this.#turn();
    if (ageMs >= 2 * RECENT_READ_MS) this.#old = new Map();
  }

  #turn(): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngSinceMs = this.#options.monotonicMs();
  }

  #maskOf(key: number): number {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old === undefined) return 0;
    this.#young.set(key, old);
    return old;
  }
}
