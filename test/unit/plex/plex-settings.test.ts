// What an owner may enter for a Plex server, and what is refused without repeating it.
import { describe, expect, test } from 'bun:test';
import { LarderError } from '../../../src/errors.ts';
import { plexKind } from '../../../src/sources/plex/plex-kind.ts';

function refusal(act: () => unknown): LarderError {
  try {
    act();
  } catch (error) {
    if (error instanceof LarderError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('parseUrl()', () => {
  test('takes the address of a server as it is typed or copied from a browser', () => {
    const copied: Readonly<Record<string, string>> = {
      'http://nas:32400': 'http://nas:32400/',
      ' https://plex.example.org/ ': 'https://plex.example.org/',
      'http://nas:32400/web/index.html#!/server/abc/details?key=%2Flibrary': 'http://nas:32400/',
      'http://nas:32400/web': 'http://nas:32400/',
      'https://home.example/plex/web/index.html': 'https://home.example/plex/',
      'https://home.example/plex': 'https://home.example/plex/',
      'https://1-2-3-4.abc.plex.direct:32400/library/metadata/12?checkFiles=1':
        'https://1-2-3-4.abc.plex.direct:32400/',
      'http://[::1]:32400/identity': 'http://[::1]:32400/',
    };
    for (const [text, url] of Object.entries(copied)) {
      expect([text, plexKind.parseUrl(text)]).toEqual([text, { url, credentials: null }]);
    }
  });

  test('takes a token out of the address', () => {
    for (const text of [
      'http://nas:32400/library/metadata/12?checkFiles=1&X-Plex-Token=s3cret',
      'http://nas:32400/web/index.html#!/server/abc?X-Plex-Token=s3cret',
    ]) {
      expect(plexKind.parseUrl(text)).toEqual({ url: 'http://nas:32400/', credentials: { token: 's3cret' } });
    }
  });

  test('says what is wrong with others, and repeats none of what may be a secret', () => {
    const wrong: readonly [string, string | RegExp][] = [
      ['nas:32400', /write http:\/\/nas:32400/],
      ['s3cret words', /give the address of the server/],
      ['ftp://nas/s3cret', /give the address of the server/],
      ['http://me:s3cret@nas:32400', /signed in to by a token/],
      ['https://app.plex.tv/desktop/#!/?X-Plex-Token=s3cret', /sign in to Plex and choose the server/],
      ['http://nas:32400/?X-Plex-Token=s3cret%20with%20spaces', /without spaces/],
      [`http://nas:32400/${'s3cret'.repeat(1_000)}`, /give the address/],
    ];
    for (const [text, hint] of wrong) {
      const error = refusal(() => plexKind.parseUrl(text));
      expect(error).toMatchObject({ code: 'invalid', hint: expect.stringMatching(hint) });
      expect(error.message + error.hint).not.toContain('s3cret');
    }
  });
});

describe('parseCredentials()', () => {
  test('takes a token or nothing', () => {
    for (const none of [null, undefined, {}]) expect(plexKind.parseCredentials(none)).toBeNull();
    expect(plexKind.parseCredentials({ token: 'abc-123_x.y' })).toEqual({ token: 'abc-123_x.y' });
    expect(plexKind.credentialKind(null)).toBe('none');
    expect(plexKind.credentialKind({ token: 'abc' })).toBe('token');
  });

  test('refuses anything else without repeating it', () => {
    for (const value of [
      's3cret',
      ['s3cret'],
      { token: '' },
      { token: 's3 cret' },
      { token: 1 },
      { password: 's3cret' },
    ]) {
      const error = refusal(() => plexKind.parseCredentials(value));
      expect(error.code).toBe('invalid');
      expect(error.message + error.hint).not.toMatch(/s3 ?cret/);
    }
  });
});

describe('parseOptions()', () => {
  const randomId = () => 'random-1';

  test('fills in what is missing, and keeps who we are', () => {
    const first = plexKind.parseOptions(undefined, null, randomId);
    expect(first).toEqual({ clientId: 'random-1', transcode: 'growing' });
    const second = plexKind.parseOptions({ transcode: 'hls', ladder: { '720p': 3_000_000 } }, first, () => 'random-2');
    expect(second).toEqual({ clientId: 'random-1', transcode: 'hls', ladder: { '720p': 3_000_000 } });
    expect(plexKind.parseOptions({ machineIdentifier: 'abc' }, second, randomId)).toEqual({
      ...second,
      machineIdentifier: 'abc',
    });
    expect(plexKind.parseOptions({ ladder: null, transcode: null }, second, randomId)).toEqual(first);
  });

  test('refuses what it does not know', () => {
    for (const value of [
      [],
      'off',
      { quality: '720p' },
      { transcode: 'dash' },
      { ladder: { '720p': 1 } },
      { clientId: 'a b' },
      { machineIdentifier: 7 },
    ]) {
      expect(refusal(() => plexKind.parseOptions(value, null, randomId)).code).toBe('invalid');
    }
  });
});
