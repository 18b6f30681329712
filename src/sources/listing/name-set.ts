// Which names were seen in a folder of any size, at 11 to 21 bytes each: by 53 bits of a hash. That two of 250,000 names
// share one happens once in 300,000 such folders; then one of them is taken for the other. In one array of numbers: a
// set of as many objects is moved and marked by the garbage collector for as long as it lives.

/** A power of two. */
const SLOTS_FIRST = 256;
const FULL = 0.75;

export class NameSet {
  /** Open addressing: a hash is at the place that it says, or at the next one that was free. 0 is free. */
  #slots = new Float64Array(SLOTS_FIRST);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(name: string): boolean {
    return this.#slots[this.#find(hashOf(name))] !== 0;
  }

  /** @returns whether it was not there before */
  add(name: string): boolean {
    const hash = hashOf(name);
    const at = this.#find(hash);
    if (this.#slots[at] !== 0) return false;
    this.#slots[at] = hash;
    this.#size += 1;
    if (this.#size > this.#slots.length * FULL) this.#grow();
    return true;
  }

  #find(hash: number): number {
    const mask = this.#slots.length - 1;
    let at = hash & mask;
    while (this.#slots[at] !== 0 && this.#slots[at] !== hash) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Float64Array(before.length * 2);
    for (const hash of before) if (hash !== 0) this.#slots[this.#find(hash)] = hash;
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
  // 0 stands for none.
  return 4_294_967_296 * (2_097_151 & low) + (high >>> 0) || 1;
}
