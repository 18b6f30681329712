import { describe, expect, test } from 'bun:test';
import { LarderError } from '../../src/errors.ts';
import { HttpSource, parseSourceSetting } from '../../src/sources/http-source.ts';

function failure(text: string): unknown {
  try {
    parseSourceSetting(text);
    return null;
  } catch (error) {
    return error;
  }
}

function sourceOf(text: string): HttpSource {
  const { name, ...target } = parseSourceSetting(text);
  return new HttpSource(1, name, { ...target, local: null });
}

describe('parseSourceSetting()', () => {
  test('parseSourceSetting() takes user and password out of the URL and ends it in a slash', () => {
    expect(parseSourceSetting('films=https://me:p%40ss@host:8443/films')).toEqual({
      name: 'films',
      url: 'https://host:8443/films/',
      credentials: { username: 'me', password: 'p@ss' },
    });
    expect(parseSourceSetting('a=http://host')).toEqual({ name: 'a', url: 'http://host/', credentials: null });
    expect(sourceOf('a=http://ü:ö@host/').resolvePath('x').headers).toEqual({
      authorization: `Basic ${Buffer.from('ü:ö').toString('base64')}`,
    });
  });

  for (const text of [
    '',
    'films',
    '=http://host/',
    'films=',
    'films=host/films',
    'films=ftp://host/',
    'films=file:///x',
    'fi lms=http://host/',
    '-a=http://host/',
    'a/b=http://host/',
    '..=http://host/',
    'new=http://host/',
    'test=http://host/',
    `${'a'.repeat(64)}=http://host/`,
    'a=http://host/?x=1',
    'a=http://host/#x',
    'a=http://',
    'https://host/',
  ]) {
    test(`invariant 10: parseSourceSetting() says what is wrong and what to write when it is ${JSON.stringify(text)}`, () => {
      const error = failure(text);
      expect(error).toBeInstanceOf(LarderError);
      expect(error).toMatchObject({ code: 'usage', hint: expect.any(String) });
    });
  }

  test('parseSourceSetting() never repeats a password when it complains', () => {
    for (const text of [
      'https://me:hunter2@host/',
      'https://me:hunter2@host/?a=b',
      'bad name=https://me:hunter2@host/',
      'a=ftp://me:hunter2@host/',
    ]) {
      const error = failure(text) as LarderError;
      expect(`${error.message} ${error.hint}`).not.toContain('hunter2');
    }
  });

  test('parseSourceSetting() says usage when the password has a percent sign that escapes nothing', () => {
    expect(failure('a=http://me:100%@host/')).toBeInstanceOf(LarderError);
  });

  test('parseSourceSetting() uses a password that stands without a user', () => {
    const { headers } = sourceOf('a=http://:token@host/').resolvePath('x');
    expect(headers).toEqual({ authorization: `Basic ${btoa(':token')}` });
  });
});

describe('HttpSource.resolve()', () => {
  test('resolve() encodes each segment and sends the credentials as a header', () => {
    const source = sourceOf('films=https://me:x@host/a%20b/');
    expect(source.resolvePath('Ünï/100% ?#.mkv')).toEqual({
      url: 'https://host/a%20b/%C3%9Cn%C3%AF/100%25%20%3F%23.mkv',
      headers: { authorization: `Basic ${btoa('me:x')}` },
      digest: { username: 'me', password: 'x' },
      baseUrl: 'https://host/a%20b/',
      local: null,
    });
    expect(sourceOf('films=https://host/').resolvePath('a').headers).toEqual({});
  });
});

describe('HttpSource.retarget()', () => {
  test('retarget() sends what comes next to the new address with the new credentials', () => {
    const source = sourceOf('films=https://me:x@host/');
    source.retarget({ url: 'http://other/f/', credentials: { token: 'abc' }, local: true });
    expect(source.resolvePath('a')).toEqual({
      url: 'http://other/f/a',
      headers: { authorization: 'Bearer abc' },
      baseUrl: 'http://other/f/',
      local: true,
    });
  });

  test('resolve() asks a removed source for nothing', () => {
    const source = sourceOf('films=https://host/');
    source.remove();
    expect(() => source.resolvePath('a')).toThrow(LarderError);
  });
});
