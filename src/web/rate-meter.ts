// Bytes per second of things that count bytes, as an average over the last seconds.

interface Sample {
  atMs: number;
  bytes: number;
  bytesPerSecond: number | null;
}

/** Shorter spans between two looks give noise, not a rate. */
const SPAN_MIN_MS = 500;
/** Weight of the newest span. */
const NEWEST_WEIGHT = 0.5;

export class RateMeter {
  /** Forgets with the thing itself. */
  readonly #samples = new WeakMap<object, Sample>();

  /** The rate of `thing`, which has counted `bytes` by now; null before the second look. */
  rate(thing: object, bytes: number, nowMs: number): number | null {
    const sample = this.#samples.get(thing);
    if (sample === undefined) {
      this.#samples.set(thing, { atMs: nowMs, bytes, bytesPerSecond: null });
      return null;
    }
    const spanMs = nowMs - sample.atMs;
    if (spanMs < SPAN_MIN_MS) return sample.bytesPerSecond;
    const newest = ((bytes - sample.bytes) * 1_000) / spanMs;
    const before = sample.bytesPerSecond;
    sample.bytesPerSecond = before === null ? newest : before + (newest - before) * NEWEST_WEIGHT;
    sample.atMs = nowMs;
    sample.bytes = bytes;
    return sample.bytesPerSecond;
  }
}
