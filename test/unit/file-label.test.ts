// The text beside a chunk file: what is written is read again, and what is no label is never taken for one.
import { describe, expect, test } from 'bun:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { type FileLabel, formatLabel, parseLabel } from '../../src/chunks/file-label.ts';
import { SOURCE_KINDS } from '../../src/sources/media-source.ts';
import { runs } from '../support/property.ts';

const offset = fc.integer({ min: 0, max: 2 ** 45 });
const range = fc
  .tuple(offset, fc.integer({ min: 1, max: 2 ** 31 }))
  .map(([start, length]) => ({ start, end: start + length }));
const text = fc.option(
  fc.string({ unit: 'binary' }).filter((value) => value.isWellFormed()),
  { nil: null },
);

const labels: fc.Arbitrary<FileLabel> = fc.record({
  source: fc.record({ name: fc.string(), kind: fc.constantFrom(...SOURCE_KINDS), url: fc.string() }),
  path: fc.string({ unit: 'grapheme' }),
  etag: text,
  lastModified: text,
  totalBytes: fc.option(offset, { nil: null }),
  seekable: fc.boolean(),
  contentType: text,
  contentLanguage: text,
  contentDisposition: text,
  lastUsedAt: offset,
  pinned: fc.boolean(),
  ranges: fc.array(range),
  checksums: fc.array(
    fc.tuple(range, fc.integer({ min: 0, max: 2 ** 32 - 1 })).map(([span, crc32]) => ({ ...span, crc32 })),
  ),
});

const example: FileLabel = {
  source: { name: 'films', kind: 'http', url: 'http://host/' },
  path: 'Ünïcode/a film.mkv',
  etag: '"v1"',
  lastModified: null,
  totalBytes: 5_000_000,
  seekable: true,
  contentType: 'video/x-matroska',
  contentLanguage: null,
  contentDisposition: null,
  lastUsedAt: 1_700_000_000_000,
  pinned: true,
  ranges: [{ start: 0, end: 5_000_000 }],
  checksums: [{ start: 0, end: 2_097_152, crc32: 4_294_967_295 }],
};

/** As a label is written: the line, and its sum. */
function withSum(line: string): string {
  return `${line}\n${crc32(line).toString(16).padStart(8, '0')}\n`;
}

describe('a label', () => {
  test('comes back as it was written', () => {
    fc.assert(
      fc.property(labels, (label) => {
        expect(parseLabel(formatLabel(label))).toEqual(label);
      }),
      runs(300),
    );
  });

  test('that was cut anywhere is none', () => {
    const whole = formatLabel(example);
    // The line's end is no part of what it says.
    for (let length = 0; length < whole.length - 1; length++) expect(parseLabel(whole.slice(0, length))).toBeNull();
  });

  const broken: [string, Record<string, unknown>][] = [
    ['has no format', { format: undefined }],
    ['has a later format', { format: 'larder chunk file 2' }],
    ['has no source', { source: undefined }],
    ['has a source that is a list', { source: [] }],
    ['has a path that is a number', { path: 7 }],
    ['has a negative length', { totalBytes: -1 }],
    ['has a length that is text', { totalBytes: '5000000' }],
    ['has a length past what is exact', { totalBytes: 2 ** 53 }],
    ['has ranges that are text', { ranges: '0-5' }],
    ['has half a range', { ranges: [0] }],
    ['has an empty range', { ranges: [5, 5] }],
    ['has a range backwards', { ranges: [5, 4] }],
    ['has a range before the file', { ranges: [-5, 4] }],
    ['has a range of fractions', { ranges: [0.5, 4] }],
    ['has a range to infinity', { ranges: [0, null] }],
    ['has nested ranges', { ranges: [[0, 4]] }],
    ['has checksums without their sum', { checksums: [0, 4] }],
    ['has a negative checksum', { checksums: [0, 4, -1] }],
    ['was used at no time', { lastUsedAt: null }],
    ['is half pinned', { pinned: 1 }],
  ];
  for (const [what, change] of broken) {
    test(`that ${what} is none`, () => {
      const value = { ...(JSON.parse(formatLabel(example).split('\n')[0]!) as Record<string, unknown>), ...change };
      expect(parseLabel(withSum(JSON.stringify(value)))).toBeNull();
    });
  }

  test('nothing that is not a label is taken for one, and nothing throws', () => {
    for (const value of [
      '',
      'null',
      '[]',
      '{}',
      '7',
      '"larder chunk file 1"',
      '\u0000',
      '{"format":"larder chunk file 1"}',
    ])
      expect(parseLabel(value)).toBeNull();
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (value) => {
        expect(parseLabel(value)).toBeNull();
      }),
      runs(300),
    );
  });
});

test('a label with a checksum above 32 bits is none', () => {
  const checksums = [{ start: 0, end: 4, crc32: 2 ** 32 }];
  expect(parseLabel(formatLabel({ ...example, checksums }))).toBeNull();
});

test('a label in which a single bit turned is none', () => {
  const bytes = Buffer.from(formatLabel(example));
  for (let index = 0; index < bytes.length - 1; index++) {
    for (let bit = 0; bit < 8; bit++) {
      bytes[index]! ^= 1 << bit;
      expect([index, bit, parseLabel(bytes.toString())]).toEqual([index, bit, null]);
      bytes[index]! ^= 1 << bit;
    }
  }
});
