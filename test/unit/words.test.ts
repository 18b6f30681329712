import { describe, expect, test } from 'bun:test';
import { describeAge, describeBytes } from '../../src/words.ts';

describe('describeBytes()', () => {
  for (const [bytes, text] of [
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1_000, '1.0 kB'],
    [45_000_000, '45.0 MB'],
    [999_600_000, '1.0 GB'],
    [2 ** 50, '1126 TB'],
  ] as const) {
    test(`describeBytes() says ${text} when there are ${bytes}`, () => expect(describeBytes(bytes)).toBe(text));
  }
});

describe('describeAge()', () => {
  for (const [ms, text] of [
    [-5, 'within the hour'],
    [3_599_999, 'within the hour'],
    [3_600_000, '1 hour ago'],
    [47 * 3_600_000, '47 hours ago'],
    [48 * 3_600_000, '2 days ago'],
  ] as const) {
    test(`describeAge() says ${text} when it was ${ms} ms ago`, () => expect(describeAge(ms)).toBe(text));
  }
});
