// Which names were seen in a folder of any size, at some 20 bytes each: by 53 bits of a hash. That two of 250,000 names
// share one happens once in 300,000 such folders; then one of them is taken for the other.

export class NameSet {
  readonly #hashes = new Set<number>();

  get size(): number {
    return this.#hashes.size;
  }

  has(name: string): boolean {
    return this.#hashes.has(hashOf(name));
  }

  /** @returns whether it was not there before */
  add(name: string): boolean {
    const before = this.#hashes.size;
    this.#hashes.add(hashOf(name));
    return this.#hashes.size > before;
  }
}

/** cyrb53, which is in the public domain. */
function hashOf(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 2_654_435_761);
    low = Math.imul(low ^ code, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return 4_294_967_296 * (2_097_151 & low) + (high >>> 0);
}
