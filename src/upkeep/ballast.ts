// A file that is there to be given up: on a disk without a byte left the database cannot even write down a removal, and
// without a removal nothing gets room. Its bytes are random, so that no file system stores it for nothing.
import { randomBytes } from 'node:crypto';
import { rm, stat, writeFile } from 'node:fs/promises';
import { BALLAST_BYTES } from '../limits.ts';

export class Ballast {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Makes the file when it is not there. A disk that has no room for it has more urgent trouble. */
  async restore(): Promise<void> {
    const found = await stat(this.#file).catch(() => null);
    if (found?.size === BALLAST_BYTES) return;
    await writeFile(this.#file, randomBytes(BALLAST_BYTES), { mode: 0o600 }).catch(() => this.giveUp());
  }

  /** @returns whether there was one */
  async giveUp(): Promise<boolean> {
    try {
      await rm(this.#file);
      return true;
    } catch {
      return false;
    }
  }
}
