// A real database on a disk that can lose power: after a cut the write-ahead log ends anywhere, as `synchronous=NORMAL`
// allows; after a kill it is whole. Each life of the program has a copy of its own, so that one that was cut off in the
// middle can do no harm any more.
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CacheDatabase, openCacheDatabase } from './cache-database.ts';
import type { Random } from './random.ts';

/** In memory where there is such a folder: a thousand runs are a thousand databases. */
const PLACE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export class DatabaseDisk implements AsyncDisposable {
  readonly #folder: string;
  #lifeCount = 0;
  #open: CacheDatabase | null = null;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(): Promise<DatabaseDisk> {
    const disk = new DatabaseDisk(mkdtempSync(join(PLACE, 'larder-simulation-')));
    const empty = await openCacheDatabase({ file: disk.#file('empty') });
    // The tables are not to be lost with the log: closing moves it only once the driver's statements are collected.
    await empty.rows('PRAGMA wal_checkpoint(TRUNCATE)');
    await empty[Symbol.asyncDispose]();
    return disk;
  }

  /** A machine on which Larder never ran. */
  async install(): Promise<CacheDatabase> {
    await this.#leave();
    return this.#begin('empty', null);
  }

  /** The database as the next start finds it; with `random` null after a kill, else after a power cut. */
  async restart(random: Random | null): Promise<CacheDatabase> {
    const before = `life${this.#lifeCount}`;
    const cache = await this.#begin(before, random);
    return cache;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #file(name: string): string {
    return join(this.#folder, `${name}.db`);
  }

  async #begin(from: string, random: Random | null): Promise<CacheDatabase> {
    const name = `life${++this.#lifeCount}`;
    copyFileSync(this.#file(from), this.#file(name));
    const log = `${this.#file(from)}-wal`;
    if (existsSync(log)) {
      const bytes = readFileSync(log);
      // Mostly the last transactions are lost, now and then all of them.
      const length = random === null || random.chance(0.3) ? bytes.length : random.between(0, bytes.length);
      writeFileSync(`${this.#file(name)}-wal`, bytes.subarray(0, length));
    }
    await this.#leave();
    this.#open = await openCacheDatabase({ file: this.#file(name) });
    return this.#open;
  }

  async #leave(): Promise<void> {
    const file = this.#open?.file;
    await this.#open?.[Symbol.asyncDispose]();
    this.#open = null;
    if (file === undefined) return;
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
  }
}
