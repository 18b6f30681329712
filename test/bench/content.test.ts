import { expect, test } from 'bun:test';
import { contentOf, findWrongWord } from './content.ts';

const SEED = 42;
const KIB = 1024;

for (const start of [0, 3, 4096, 4099, 5 * 2 ** 32 + 1]) {
  test(`findWrongWord() accepts what contentOf() made at offset ${start}`, () => {
    for (const bytes of [0, 1, 7, 8, 15, 16, 17, 4095, 4096, 20_001]) {
      expect(findWrongWord(contentOf(start, start + bytes, SEED), start, SEED)).toBe(-1);
    }
  });
}

test('contentOf() gives the same bytes in one piece and in several', () => {
  const pieces = [contentOf(5, 1000, SEED), contentOf(1000, 1003, SEED), contentOf(1003, 9000, SEED)];
  expect(Buffer.concat(pieces).equals(contentOf(5, 9000, SEED))).toBe(true);
});

test('findWrongWord() sees shifted, foreign and missing bytes', () => {
  const right = contentOf(0, 64 * KIB, SEED);
  expect(findWrongWord(right, 8, SEED)).toBe(8);
  expect(findWrongWord(right, 2 ** 35, SEED)).toBe(2 ** 35);
  expect(findWrongWord(right, 0, SEED + 1)).toBe(0);
  const holed = contentOf(0, 64 * KIB, SEED).fill(0, 20 * KIB, 24 * KIB);
  expect(findWrongWord(holed, 0, SEED)).toBe(20 * KIB);
  const cutTail = contentOf(0, 64 * KIB, SEED).fill(0, 64 * KIB - 8);
  expect(findWrongWord(cutTail, 0, SEED)).toBe(64 * KIB - 8);
});
