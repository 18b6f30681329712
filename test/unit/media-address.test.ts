import { describe, expect, test } from 'bun:test';
import { LarderError } from '../../src/errors.ts';
import { PATH_LENGTH_MAX } from '../../src/limits.ts';
import { decodePath, describePath } from '../../src/sources/media-address.ts';

function codeOf(rawPath: string): string {
  try {
    return `path ${decodePath(rawPath)}`;
  } catch (error) {
    return error instanceof LarderError ? error.code : String(error);
  }
}

describe('decodePath()', () => {
  for (const rawPath of [
    '..',
    '.',
    '../a',
    'a/../b',
    'a/./b',
    '%2e%2e/a',
    '%2E%2e/a',
    '.%2e/a',
    '..%2fa',
    '..%2Fa',
    'a%2fb',
    'a%5cb',
    'a\\b',
    '..\\a',
    'a%00b',
    'a%0ab',
    'a%7fb',
    'a//b',
    '/a',
    '//host/a',
    '%c0%ae%c0%ae/a',
    '%',
    '%zz',
    '%ff',
    'a/%2e',
    'x'.repeat(PATH_LENGTH_MAX + 1),
  ]) {
    test(`decodePath() refuses the address when it is ${JSON.stringify(rawPath.slice(0, 30))}`, () => {
      expect(codeOf(rawPath)).toBe('bad-address');
    });
  }

  for (const rawPath of ['', 'folder/', 'a/b/']) {
    test(`decodePath() says that it is a folder when the address is ${JSON.stringify(rawPath)}`, () => {
      expect(codeOf(rawPath)).toBe('not-found');
    });
  }

  for (const [rawPath, path] of [
    ['Film.mkv', 'Film.mkv'],
    ['a/b%20c/%C3%9Cber.mkv', 'a/b c/Über.mkv'],
    ['%252e%252e/a', '%2e%2e/a'],
    ['...', '...'],
    ['..a/b..', '..a/b..'],
    ['a%3Fb%23c', 'a?b#c'],
    ['a+b&c=d', 'a+b&c=d'],
  ] as const) {
    test(`decodePath() gives the name when the address is ${rawPath}`, () => {
      expect(codeOf(rawPath)).toBe(`path ${path}`);
    });
  }
});

describe('describePath()', () => {
  const table: [string, object][] = [
    [
      'Film.mkv',
      { mediaKey: 'Film.mkv', quality: 'original', title: 'Film', year: null, type: 'video', container: 'mkv' },
    ],
    [
      'Films/Harbour Lights (2019).mp4',
      { title: 'Harbour Lights', year: 2019, mediaKey: 'Films/Harbour Lights (2019).mp4' },
    ],
    [
      'Night Train (2023).1080p.mp4',
      { mediaKey: 'Night Train (2023).{quality}.mp4', quality: '1080p', title: 'Night Train', year: 2023 },
    ],
    ['Night Train (2023).480p.mp4', { mediaKey: 'Night Train (2023).{quality}.mp4', quality: '480p' }],
    [
      'Some.Film.2001.720p.x264.mkv',
      { mediaKey: 'Some.Film.2001.{quality}.x264.mkv', quality: '720p', title: 'Some Film', year: 2001 },
    ],
    ['1080p.mkv', { quality: 'original', mediaKey: '1080p.mkv' }],
    ['Film1080p.mkv', { quality: 'original' }],
    ['Film.1080p', { quality: 'original', mediaKey: 'Film.1080p' }],
    ['1080p/Film.mkv', { quality: 'original', mediaKey: '1080p/Film.mkv' }],
    ['Film.{quality}.1080p.mkv', { quality: 'original', mediaKey: 'Film.{quality}.1080p.mkv' }],
    ['{quality}/Film.1080p.mkv', { quality: '1080p', mediaKey: '{quality}/Film.{quality}.mkv' }],
    ['2012 (2009).mkv', { title: '2012', year: 2009 }],
    ['Song.FLAC', { type: 'audio', container: 'flac' }],
    ['notes.txt', { type: 'file', container: 'txt' }],
    ['.hidden', { type: 'file', container: null, title: 'hidden' }],
    ['name.', { container: null }],
  ];
  for (const [path, expected] of table) {
    test(`describePath() is right when the path is ${path}`, () => {
      expect(describePath(path)).toMatchObject({ path, ...expected });
    });
  }
});
