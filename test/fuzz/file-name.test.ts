// Names of chunk files are made of names that origins and clients chose.
import { describe, expect, test } from 'bun:test';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { chunkFileName, safeSegment } from '../../src/chunks/file-name.ts';
import { runs } from '../support/property.ts';

const nasty = fc.constantFrom(
  '..',
  '.',
  '/',
  '\\',
  '\u0000',
  '\u001f',
  '\u007f',
  '\u0080',
  '\u009f',
  '\u202e',
  '\u2066',
  '\ufffd',
  '\ud800',
  '\udc00',
  ' ',
  'é',
  '𝔘',
  'CON',
  ':',
  '*',
  '~',
  '$HOME',
  '%2e',
  '.mkv',
  '-',
  'é',
  'ﷺ',
);
const anyText = fc.oneof(
  fc
    .array(fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 6 })), { maxLength: 12 })
    .map((parts) => parts.join('')),
  fc.string({ unit: 'binary', minLength: 150, maxLength: 400 }),
);
const identity = '0123456789abcdef0123456789abcdef';

describe('chunkFileName()', () => {
  test('chunkFileName() stays in the folder of its source when names are hostile', () => {
    fc.assert(
      fc.property(anyText, anyText, (source, path) => {
        const name = chunkFileName(source, path, identity);
        const segments = name.split('/');
        expect(segments.length).toBe(2);
        const absolute = resolve('/store', name);
        expect(absolute).toBe(join('/store', segments[0]!, segments[1]!));
        expect(absolute.startsWith('/store/')).toBe(true);
        expect(['', '.', '..']).not.toContain(segments[0]!);
      }),
      runs(2_000),
    );
  });

  test('chunkFileName() fits the 255 bytes of a file system when names are long', () => {
    fc.assert(
      fc.property(anyText, anyText, (source, path) => {
        for (const segment of chunkFileName(source, path, identity).split('/')) {
          expect(new TextEncoder().encode(segment).length).toBeLessThanOrEqual(255);
          expect(segment.isWellFormed()).toBe(true);
          expect(segment).not.toContain('\ufffd');
        }
      }),
      runs(2_000),
    );
  });

  test('chunkFileName() has no control characters, C1 included, when names have them', () => {
    fc.assert(
      fc.property(anyText, anyText, (source, path) => {
        expect(chunkFileName(source, path, identity)).not.toMatch(/\p{Cc}/u);
      }),
      runs(2_000),
    );
  });

  test('chunkFileName() differs when only the id differs', () => {
    fc.assert(
      fc.property(anyText, anyText, (source, path) => {
        expect(chunkFileName(source, path, 'aa')).not.toBe(chunkFileName(source, path, 'bb'));
      }),
      runs(300),
    );
  });
});

describe('safeSegment()', () => {
  test('safeSegment() is the same again when it is given its own result', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(safeSegment(safeSegment(text))).toBe(safeSegment(text));
      }),
      runs(1_000),
    );
  });

  test('safeSegment() keeps a readable name when nothing in it is unsafe', () => {
    expect(safeSegment('Große Filme – 1 (2019)')).toBe('Große Filme – 1 (2019)');
    expect(safeSegment('..')).toBe('_');
    expect(safeSegment('')).toBe('_');
    expect(safeSegment('a/b\\c:d')).toBe('a_b_c_d');
  });
});
