// Test bytes as a function of (seed, offset): any slice verifies itself, files of any size cost nothing, and a piece
// that is missing, shifted, or of another file or version shows at its first bytes. Every byte is checked.
// Content is made of 32-bit words (little-endian, as on every machine Bun runs on); offsets go up to 2^53.

const WORD_BYTES = 4;
/** Bytes per piece when long ranges are made or checked, so that no test holds a whole film. */
const PIECE_BYTES = 64 * 1024;

function word(index: number, seed: number): number {
  const high = Math.floor(index / 2 ** 32);
  let value = Math.imul((index | 0) ^ Math.imul(seed, 0x85ebca6b), 0x9e3779b1) ^ Math.imul(high + 1, 0xc2b2ae35);
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  return (value ^ (value >>> 13)) | 0;
}

/** Bytes of [start, end) of the content `seed`. */
export function contentOf(seed: number, start: number, end: number): Uint8Array<ArrayBuffer> {
  const firstWord = Math.floor(start / WORD_BYTES);
  const words = new Int32Array(Math.ceil(end / WORD_BYTES) - firstWord);
  for (let index = 0; index < words.length; index++) words[index] = word(firstWord + index, seed);
  const skipped = start - firstWord * WORD_BYTES;
  return new Uint8Array(words.buffer, skipped, end - start);
}

/** Fills `target` with the content that begins at `offset`. */
export function fillContent(target: Uint8Array, seed: number, offset: number): void {
  for (let done = 0; done < target.length; done += PIECE_BYTES) {
    const end = Math.min(target.length, done + PIECE_BYTES);
    target.set(contentOf(seed, offset + done, offset + end), done);
  }
}

/** File offset of the first byte of `bytes` that is not what belongs at `offset`, or null when all are right. */
export function findWrongByte(bytes: Uint8Array, seed: number, offset: number): number | null {
  for (let done = 0; done < bytes.length; done += PIECE_BYTES) {
    const end = Math.min(bytes.length, done + PIECE_BYTES);
    const right = contentOf(seed, offset + done, offset + end);
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset + done, end - done);
    if (piece.equals(right)) continue;
    const at = right.findIndex((byte, index) => byte !== piece[index]);
    if (at < 0) throw new Error(`the comparison of [${offset + done}, ${offset + end}) contradicts itself`);
    return offset + done + at;
  }
  return null;
}

/** @throws Error that names the first wrong offset and what stands there */
export function assertContent(bytes: Uint8Array, seed: number, offset: number): void {
  const wrong = findWrongByte(bytes, seed, offset);
  if (wrong === null) return;
  const found = Buffer.from(bytes.subarray(wrong - offset, wrong - offset + 8)).toString('hex');
  const right = Buffer.from(contentOf(seed, wrong, wrong + 8)).toString('hex');
  throw new Error(`wrong content at offset ${wrong} of seed ${seed}: found ${found}, should be ${right}`);
}
