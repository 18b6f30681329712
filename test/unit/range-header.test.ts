// The catalogue of Range cases: RFC 9110 §14, and what players were seen to send.
import { describe, expect, test } from 'bun:test';
import { parseContentRange, parseRangeHeader, type RangeSpec, resolveRangeSpec } from '../../src/bytes/range-header.ts';

const from = (first: number, last: number | null = null): RangeSpec => ({ kind: 'from', first, last });
const suffix = (length: number): RangeSpec => ({ kind: 'suffix', length });
const LARGEST = Number.MAX_SAFE_INTEGER;

describe('parseRangeHeader()', () => {
  const read: [string, RangeSpec[]][] = [
    ['bytes=0-', [from(0)]],
    ['bytes=0-0', [from(0, 0)]],
    ['bytes=0-499', [from(0, 499)]],
    ['bytes=500-', [from(500)]],
    ['bytes=-500', [suffix(500)]],
    ['bytes=-0', [suffix(0)]],
    ['BYTES=0-1', [from(0, 1)]],
    ['  bytes=0-1  ', [from(0, 1)]],
    ['bytes= 0-1 , 5-6 ', [from(0, 1), from(5, 6)]],
    ['bytes=0-1,,5-6,', [from(0, 1), from(5, 6)]],
    ['bytes=0-0,-1', [from(0, 0), suffix(1)]],
    ['bytes=000-007', [from(0, 7)]],
    ['bytes=2147483647-2147483648', [from(2 ** 31 - 1, 2 ** 31)]],
    ['bytes=4294967295-4294967297', [from(2 ** 32 - 1, 2 ** 32 + 1)]],
    ['bytes=-4294967296', [suffix(2 ** 32)]],
    ['bytes=9007199254740991-', [from(LARGEST)]],
    // Longer numbers count as the largest: they clip to the end of the file or lie behind it.
    ['bytes=0-9007199254740993', [from(0, LARGEST)]],
    ['bytes=99999999999999999999-', [from(LARGEST)]],
    ['bytes=0-18446744073709551615', [from(0, LARGEST)]],
    ['bytes=-99999999999999999999', [suffix(LARGEST)]],
  ];
  for (const [header, specs] of read) {
    test(`parseRangeHeader() reads the ranges when the header is ${JSON.stringify(header)}`, () => {
      expect(parseRangeHeader(header)).toEqual(specs);
    });
  }

  const ignored = [
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=,',
    'bytes=-',
    'bytes=--5',
    'bytes=5-2',
    'bytes=0-1,5-2',
    'bytes=a-b',
    'bytes=0-1;2-3',
    'bytes=0x10-',
    'bytes=1e3-',
    'bytes=+1-2',
    'bytes=1.5-2',
    'bytes=0 - 5',
    'bytes =0-5',
    'items=0-5',
    'seconds=0-5',
    '0-5',
    'bytes=0-5 trailing',
    'bytes=0-5-9',
    'bytes: 0-5',
    'bytes=１-２',
    'bytes=1-0',
  ];
  for (const header of ignored) {
    test(`parseRangeHeader() gives null, which serves the whole file, when the header is ${JSON.stringify(header)}`, () => {
      expect(parseRangeHeader(header)).toBeNull();
    });
  }
});

describe('resolveRangeSpec()', () => {
  const table: [string, RangeSpec, number, [number, number] | null][] = [
    ['the whole', from(0), 10, [0, 10]],
    ['the first byte', from(0, 0), 10, [0, 1]],
    ['the last byte', from(9), 10, [9, 10]],
    ['an end past the file', from(5, 999), 10, [5, 10]],
    ['an end at the last byte', from(5, 9), 10, [5, 10]],
    ['a start at the end', from(10), 10, null],
    ['a start past the end', from(11, 12), 10, null],
    ['a suffix', suffix(3), 10, [7, 10]],
    ['a suffix of the whole', suffix(10), 10, [0, 10]],
    ['a suffix longer than the file', suffix(LARGEST), 10, [0, 10]],
    ['a suffix of nothing', suffix(0), 10, null],
    ['an empty file', from(0), 0, null],
    ['a suffix of an empty file', suffix(5), 0, null],
    ['a file of one byte', from(0), 1, [0, 1]],
    ['2^31', from(2 ** 31 - 1, 2 ** 31), 2 ** 33, [2 ** 31 - 1, 2 ** 31 + 1]],
    ['2^32', from(2 ** 32), 2 ** 33, [2 ** 32, 2 ** 33]],
    ['a last offset that saturated', from(0, LARGEST), 2 ** 40, [0, 2 ** 40]],
  ];
  for (const [what, spec, totalBytes, range] of table) {
    test(`resolveRangeSpec() is right when it is ${what}`, () => {
      expect(resolveRangeSpec(spec, totalBytes)).toEqual(range === null ? null : { start: range[0], end: range[1] });
    });
  }
});

describe('parseContentRange()', () => {
  test('parseContentRange() reads range and total when they fit', () => {
    expect(parseContentRange('bytes 0-0/1')).toEqual({ range: { start: 0, end: 1 }, totalBytes: 1 });
    expect(parseContentRange('BYTES  5-9/10 ')).toEqual({ range: { start: 5, end: 10 }, totalBytes: 10 });
    expect(parseContentRange('bytes 0-9/*')).toEqual({ range: { start: 0, end: 10 }, totalBytes: null });
    expect(parseContentRange('bytes */123')).toEqual({ range: null, totalBytes: 123 });
    expect(parseContentRange('bytes 4294967296-4294967297/8589934592')).toEqual({
      range: { start: 2 ** 32, end: 2 ** 32 + 2 },
      totalBytes: 2 ** 33,
    });
  });

  for (const header of [
    null,
    '',
    'bytes',
    'bytes 0-9',
    'bytes 9-0/10',
    'bytes 0-10/10',
    'bytes */*',
    'bytes 0-9/10/11',
    'items 0-9/10',
    'bytes 0-9/-1',
    'bytes -9/10',
    'bytes 0-99999999999999999999/*',
    'bytes 0-9/99999999999999999999',
    'bytes=0-9/10',
  ]) {
    test(`parseContentRange() gives null when the header is ${JSON.stringify(header)}`, () => {
      expect(parseContentRange(header)).toBeNull();
    });
  }
});
