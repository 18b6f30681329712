// A stream address is a label that a stranger wrote: it must name one file below the source, and only one.
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { LarderError } from '../../src/errors.ts';
import { HttpSource } from '../../src/sources/http-source.ts';
import { decodePath, describePath, encodePath } from '../../src/sources/media-address.ts';
import { runs } from '../support/property.ts';

const rung = fc.constantFrom('2160p', '1440p', '1080p', '720p', '576p', '480p', '360p');
const mixedCaseRung = fc.tuple(rung, fc.boolean()).map(([name, upper]) => (upper ? name.toUpperCase() : name));
const separator = fc.constantFrom('.', ' ', '_', '-', '[', '(', ']', ')');
const word = fc.oneof(
  fc.constantFrom('Film', 'Ünï', '{quality}', '映画', '$1', '$&', '2019', 'a', '..', '%2e'),
  fc.string({ maxLength: 5 }),
);

function paths(rungs: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const name = fc
    .array(fc.oneof(word, separator, rungs, fc.constant('.mkv')), { minLength: 1, maxLength: 8 })
    .map((parts) => parts.join(''));
  const segment = name.filter((text) => {
    if (text === '' || text === '.' || text === '..') return false;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what decodePath refuses
    return !/[/\\\u0000-\u001f\u007f]/.test(text) && text.isWellFormed();
  });
  return fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'));
}

/** The inverse that `describePath` promises: the rung goes back to where the placeholder stands in the name. */
function pathOf(mediaKey: string, quality: string): string {
  if (quality === 'original') return mediaKey;
  const slash = mediaKey.lastIndexOf('/') + 1;
  return mediaKey.slice(0, slash) + mediaKey.slice(slash).replace('{quality}', () => quality);
}

describe('describePath()', () => {
  test('describePath() and its inverse are exact when rungs are in lower case', () => {
    fc.assert(
      fc.property(paths(rung), (path) => {
        const { mediaKey, quality } = describePath(path);
        expect(pathOf(mediaKey, quality)).toBe(path);
      }),
      runs(2_000),
    );
  });

  test('describePath() gives different cache keys when two paths differ, also in the case of the rung', () => {
    fc.assert(
      fc.property(paths(mixedCaseRung), (path) => {
        const { mediaKey, quality } = describePath(path);
        expect(pathOf(mediaKey, quality)).toBe(path);
      }),
      runs(2_000),
    );
  });

  test('describePath() never gives an empty title or a slash in it when the path is any path', () => {
    fc.assert(
      fc.property(paths(mixedCaseRung), (path) => {
        const { title, year, container } = describePath(path);
        expect(title).not.toBe('');
        expect(title).not.toContain('/');
        if (year !== null) expect(year >= 1900 && year < 2100).toBe(true);
        if (container !== null) expect(path.toLowerCase().endsWith(`.${container}`)).toBe(true);
      }),
      runs(1_000),
    );
  });
});

describe('decodePath()', () => {
  test('decodePath() reads back what encodePath() wrote when the path is a file below the source', () => {
    fc.assert(
      fc.property(paths(rung), (path) => {
        expect(decodePath(encodePath(path))).toBe(path);
      }),
      runs(1_000),
    );
  });

  test('decodePath() never leads out of the base URL when fed any spelling of dots, slashes and escapes', () => {
    const source = new HttpSource(1, 'films', { url: 'https://host/base/films/', credentials: null, local: null });
    const pieces = [
      '..',
      '.',
      '/',
      '\\',
      '%2e',
      '%2E',
      '%2f',
      '%5c',
      '%252e',
      '%00',
      '%0a',
      '%c0%ae',
      '%e2%80%ae',
      ';',
      '?',
      '#',
      '%3f',
      '%23',
      '@',
      ':',
      'a',
      '%20',
      ' ',
      '．',
      '\t',
      '%09',
      '//',
      'http:',
      '%',
      '%zz',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 10 }), (parts) => {
        let path: string;
        try {
          path = decodePath(parts.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(LarderError);
          expect(['bad-address', 'not-found']).toContain((error as LarderError).code);
          return;
        }
        const url = new URL(source.resolvePath(path).url);
        expect(url.origin).toBe('https://host');
        expect(url.pathname.startsWith('/base/films/')).toBe(true);
        expect(url.search + url.hash + url.username).toBe('');
        // Nothing was normalised away on the way: the origin is asked for the very segments that were given.
        const below = url.pathname.slice('/base/films/'.length);
        expect(below.split('/').map(decodeURIComponent).join('/')).toBe(path);
      }),
      runs(5_000),
    );
  });
});
