// The bytes that origins serve and clients check: each 8-byte word is a function of a seed and of its own place in the
// file, so that a missing, shifted or foreign piece shows at the first word looked at. Words are little-endian, as on
// every machine that Bun runs on. Checking looks at one word of each 4 KiB page plus the first and last of a buffer:
// a hole of a whole page cannot hide, and the cost stays below one percent of receiving the bytes.

const WORD_BYTES = 8;
const CHECK_STRIDE_BYTES = 4096;

/** A file as the bench knows it: content is implied by `seed`. */
export interface BenchFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly seed: number;
}

function lowHalf(wordIndex: number, seed: number): number {
  return (wordIndex ^ seed) | 0;
}

function highHalf(wordIndex: number, seed: number): number {
  return Math.imul(wordIndex | 0, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca6b) ^ Math.floor(wordIndex / 2 ** 32);
}

/** Fills `target` with the content that starts at `offset`; offset and length must be multiples of 8. */
export function fillContent(target: Uint8Array, offset: number, seed: number): void {
  if (offset % WORD_BYTES !== 0 || target.length % WORD_BYTES !== 0) throw new RangeError('Content is filled in words');
  const halves = new Uint32Array(target.buffer, target.byteOffset, target.length / 4);
  let wordIndex = offset / WORD_BYTES;
  for (let half = 0; half < halves.length; half += 2, wordIndex++) {
    halves[half] = lowHalf(wordIndex, seed);
    halves[half + 1] = highHalf(wordIndex, seed);
  }
}

/** Fresh bytes of the half-open range `[start, end)`, which may begin and end anywhere. */
export function contentOf(start: number, end: number, seed: number): Uint8Array<ArrayBuffer> {
  const from = start - (start % WORD_BYTES);
  const bytes = new Uint8Array(Math.ceil((end - from) / WORD_BYTES) * WORD_BYTES);
  fillContent(bytes, from, seed);
  return bytes.subarray(start - from, end - from);
}

function readHalf(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** The file offset of the first wrong word among those looked at, or -1 when `bytes` are what belongs at `offset`. */
export function findWrongWord(bytes: Uint8Array, offset: number, seed: number): number {
  const first = (WORD_BYTES - (offset % WORD_BYTES)) % WORD_BYTES;
  const last = bytes.length - WORD_BYTES - ((offset + bytes.length) % WORD_BYTES);
  for (let at = first; at <= last; at = at < last ? Math.min(at + CHECK_STRIDE_BYTES, last) : last + 1) {
    const wordIndex = (offset + at) / WORD_BYTES;
    const right = readHalf(bytes, at) === lowHalf(wordIndex, seed);
    if (!right || readHalf(bytes, at + 4) !== highHalf(wordIndex, seed)) return offset + at;
  }
  return -1;
}
