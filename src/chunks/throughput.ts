// How fast each source was lately, as its fetches saw it while nothing held them up.

/** Weight of the newest fetch. */
const SAMPLE_WEIGHT = 0.3;
/** What came in less says little: it was on its way before anybody looked. */
const SAMPLE_MIN_BYTES = 256 * 1024;
const SAMPLE_MIN_MS = 50;

export class Throughput {
  readonly #bitsPerSecond = new Map<number, number>();

  /** A fetch that was never held up brought so much in this time. */
  note(sourceId: number, bytes: number, elapsedMs: number): void {
    if (bytes < SAMPLE_MIN_BYTES || elapsedMs < SAMPLE_MIN_MS) return;
    const sample = (bytes * 8_000) / elapsedMs;
    const known = this.#bitsPerSecond.get(sourceId);
    this.#bitsPerSecond.set(sourceId, known === undefined ? sample : known + (sample - known) * SAMPLE_WEIGHT);
  }

  /** In bit/s; null while nothing was measured. */
  of(sourceId: number): number | null {
    return this.#bitsPerSecond.get(sourceId) ?? null;
  }

  forget(sourceId: number): void {
    this.#bitsPerSecond.delete(sourceId);
  }
}
