// What a run owns: the programs it started, known by their process ids, and one temporary folder. They go when it ends,
// also on Ctrl-C and on its own errors.
import { rmSync } from 'node:fs';
import { mkdtemp, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Child } from './child.ts';

const SECOND_ROUND_MS = 300;

export class Belongings {
  readonly #children = new Set<Child>();
  #folder: string | undefined;
  #isOver = false;

  /** To be made once, before anything is started. */
  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        this.#end();
        // What was just being started or made meanwhile is caught by a second round.
        setTimeout(() => {
          this.#end();
          process.exit(1);
        }, SECOND_ROUND_MS);
      });
    }
    // For whatever else may end this process, errors nobody caught included.
    process.on('exit', () => this.#end());
  }

  adopt(child: Child): void {
    this.#children.add(child);
    if (this.#isOver) child.kill();
  }

  /** @throws Error in one clear line when there is too little room in `parent` */
  async makeFolder(parent: string, neededBytes: number): Promise<string> {
    const space = await statfs(parent);
    const freeBytes = space.bavail * space.bsize;
    if (freeBytes < neededBytes) {
      const gigabytes = (bytes: number, decimals: number) => (bytes / 1e9).toFixed(decimals);
      throw new Error(
        `${parent} has ${gigabytes(freeBytes, 1)} GB free, ${gigabytes(neededBytes, 0)} GB are needed: choose another --folder`,
      );
    }
    this.#folder = await mkdtemp(join(parent, 'larder-bench-'));
    return this.#folder;
  }

  #end(): void {
    this.#isOver = true;
    for (const child of this.#children) child.kill();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
