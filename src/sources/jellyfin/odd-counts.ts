// Which items of a folder have another number of files than one. The server counts items, the catalogue counts files:
// this is the difference. It lives in memory; without it a folder that changed is read whole.

/** Items of one folder of which it is remembered, at some 100 bytes each; with more the folder is always read whole. */
const ODD_MAX = 10_000;

export class OddCounts {
  readonly #counts: Map<string, number>;
  #isFull = false;

  constructor(before?: OddCounts) {
    this.#counts = new Map(before === undefined ? [] : before.#counts);
  }

  /** Whether all are remembered. */
  get isWhole(): boolean {
    return !this.#isFull;
  }

  /** How many files the item had when it was last read; one, if it was never. */
  of(key: string): number {
    return this.#counts.get(key) ?? 1;
  }

  note(key: string, files: number): void {
    if (files === 1) this.#counts.delete(key);
    else if (this.#counts.size < ODD_MAX) this.#counts.set(key, files);
    else this.#isFull = true;
  }

  /** Files of a folder that has so many items. */
  filesOf(items: number): number {
    let files = items;
    for (const count of this.#counts.values()) files += count - 1;
    return files;
  }
}
