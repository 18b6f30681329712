// What an owner enters for a Jellyfin source: address, credentials and options.
import { describe, expect, test } from 'bun:test';
import { LarderError } from '../../../src/errors.ts';
import { authorizationHeader } from '../../../src/sources/jellyfin/authorization-header.ts';
import { jellyfinKind } from '../../../src/sources/jellyfin/jellyfin-kind.ts';
import { readJellyfinOptions } from '../../../src/sources/jellyfin/jellyfin-options.ts';
import { readAuthorization } from '../../support/jellyfin/people.ts';

function failureOf(work: () => unknown): LarderError {
  try {
    work();
  } catch (error) {
    if (error instanceof LarderError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('parseUrl()', () => {
  test.each([
    ['http://nas:8096', 'http://nas:8096/'],
    [' https://films.example/jellyfin ', 'https://films.example/jellyfin/'],
    ['http://nas:8096/web/#/home', 'http://nas:8096/'],
    ['http://nas:8096/web/index.html#!/home.html', 'http://nas:8096/'],
    ['http://nas:8096/web', 'http://nas:8096/'],
    ['https://films.example/jellyfin/web/?a=b#/details?id=1', 'https://films.example/jellyfin/'],
    ['http://nas/webshop', 'http://nas/webshop/'],
    ['http://[::1]:8096/', 'http://[::1]:8096/'],
  ])('takes %s', (text, url) => {
    expect(jellyfinKind.parseUrl(text)).toEqual({ url, credentials: null });
  });

  test.each([
    'nas:8096',
    'nas',
    'ftp://nas/',
    'http://nas/?x=1',
    'http://nas/#here',
    `http://nas/${'x'.repeat(5_000)}`,
    'not a url @ all',
  ])('refuses %s with a hint', (text) => {
    expect(failureOf(() => jellyfinKind.parseUrl(text))).toMatchObject({ code: 'invalid', hint: expect.any(String) });
  });

  test('refuses user information without repeating it', () => {
    const error = failureOf(() => jellyfinKind.parseUrl('http://alice:secret@nas:8096/'));
    expect(error.hint).toContain('own fields');
    expect(`${error.message}${error.hint}`).not.toContain('secret');
    expect(failureOf(() => jellyfinKind.parseUrl('nas:8096')).hint).toBe(
      'write http://nas:8096, or https:// before it',
    );
  });
});

describe('parseCredentials()', () => {
  const userId = 'ABCDEF01-2345-6789-abcd-ef0123456789';

  test('takes each kind, or none', () => {
    for (const none of [null, undefined, {}, { username: '', password: '' }]) {
      const credentials = jellyfinKind.parseCredentials(none);
      expect(credentials).toBeNull();
      expect(jellyfinKind.credentialKind(credentials)).toBe('none');
    }
    const kindOf = (value: unknown) => jellyfinKind.credentialKind(jellyfinKind.parseCredentials(value));
    expect(kindOf({ username: 'alice', password: '' })).toBe('password');
    expect(kindOf({ apiKey: ' 0123abcd ' })).toBe('api key');
    expect(jellyfinKind.parseCredentials({ apiKey: ' 0123abcd ' })).toEqual({ apiKey: '0123abcd' });
    expect(kindOf({ accessToken: 't', userId })).toBe('quick connect');
    const { userId: bare } = jellyfinKind.parseCredentials({ accessToken: 't', userId })!;
    expect(bare).toBe('abcdef0123456789abcdef0123456789');
  });

  test.each([
    ['secret'],
    [['secret']],
    [{ username: 'secret' }],
    [{ username: 5, password: 'secret' }],
    [{ username: ' ', password: 'secret' }],
    [{ username: 'x'.repeat(2_000), password: 'secret' }],
    [{ apiKey: 'secret key' }],
    [{ apiKey: 5 }],
    [{ apiKey: 'secret', username: 'x' }],
    [{ accessToken: 'secret', userId: 'no guid' }],
    [{ accessToken: '', userId }],
  ])('refuses %j, and repeats nothing of it', (value) => {
    const error = failureOf(() => jellyfinKind.parseCredentials(value));
    expect(error).toMatchObject({ code: 'invalid', hint: expect.any(String) });
    expect(`${error.message} ${error.hint}`).not.toContain('secret');
  });
});

describe('parseOptions()', () => {
  const parse = (value: unknown, before: Record<string, unknown> | null = null) =>
    jellyfinKind.parseOptions(value, before, () => 'made-up');

  test('fills in what is missing, and keeps what was before', () => {
    expect(parse(undefined)).toEqual({ deviceId: 'made-up', transcode: 'growing' });
    const before = parse({ transcode: 'hls', ladder: { '720p': 3_000_000 } });
    expect(before).toEqual({ deviceId: 'made-up', transcode: 'hls', ladder: { '720p': 3_000_000 } });
    expect(jellyfinKind.parseOptions({ transcode: 'off' }, before, () => 'another')).toEqual({
      ...before,
      transcode: 'off',
    });
    expect(parse({ ladder: null }, before)).toEqual({ deviceId: 'made-up', transcode: 'hls' });
    const read = readJellyfinOptions(before);
    expect(read.ladder.find(({ quality }) => quality === '720p')!.bitrate).toBe(3_000_000);
    expect(readJellyfinOptions({}).deviceId).toBe('');
  });

  test.each([
    [[]],
    ['x'],
    [{ transcode: 'dash' }],
    [{ ladder: { '720p': 5 } }],
    [{ quality: 1 }],
    [{ deviceId: 'a "quoted" one' }],
  ])('refuses %j', (value) => {
    expect(failureOf(() => parse(value))).toMatchObject({ code: 'invalid', hint: expect.any(String) });
  });
});

test('authorizationHeader() is read by the server as it was meant', () => {
  const header = authorizationHeader('a"b,c+d %', { deviceId: 'é=1', version: '1.0' });
  expect(header).toMatch(/^MediaBrowser [\x20-\x7e]+$/);
  expect(readAuthorization(header)).toEqual({
    Token: 'a"b,c+d %',
    Client: 'Larder',
    Device: 'Larder',
    DeviceId: 'é=1',
    Version: '1.0',
  });
  expect(readAuthorization(authorizationHeader(null, { deviceId: 'd', version: '1' })).Token).toBeUndefined();
});
