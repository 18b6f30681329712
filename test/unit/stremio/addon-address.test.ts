// The address of a manifest: everything but its host is a secret.
import { describe, expect, test } from 'bun:test';
import { LarderError } from '../../../src/errors.ts';
import { addonAddress, parseAddonCredentials, parseAddonUrl } from '../../../src/sources/stremio/addon-address.ts';
import { stremioKind } from '../../../src/sources/stremio/stremio-kind.ts';
import { parseStremioOptions, stremioOptions } from '../../../src/sources/stremio/stremio-options.ts';

function failure(run: () => unknown): LarderError {
  try {
    run();
  } catch (error) {
    if (error instanceof LarderError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('parseAddonUrl()', () => {
  test('parseAddonUrl() tells the host and keeps the whole address as a secret', () => {
    expect(parseAddonUrl('https://host:8443/s3cret%7B/manifest.json')).toEqual({
      url: 'https://host:8443/',
      credentials: { manifestUrl: 'https://host:8443/s3cret%7B/manifest.json' },
    });
  });

  test('parseAddonUrl() takes an address without a configuration, with or without the name of the manifest', () => {
    for (const text of [
      'https://host/manifest.json',
      'https://host/',
      'https://host',
      ' stremio://host/manifest.json ',
    ]) {
      expect(parseAddonUrl(text)).toEqual({ url: 'https://host/', credentials: null });
    }
    expect(parseAddonUrl('https://host/abc/').credentials).toEqual({ manifestUrl: 'https://host/abc/manifest.json' });
  });

  test('parseAddonUrl() reads stremio:// as https, and as http on this machine', () => {
    expect(parseAddonUrl('stremio://host/key/manifest.json')).toEqual({
      url: 'https://host/',
      credentials: { manifestUrl: 'https://host/key/manifest.json' },
    });
    expect(parseAddonUrl('stremio://127.0.0.1:7000/manifest.json').url).toBe('http://127.0.0.1:7000/');
    expect(parseAddonUrl('stremio://localhost:7000/manifest.json').url).toBe('http://localhost:7000/');
  });

  test('invariant 10: parseAddonUrl() says what to write instead, and repeats nothing', () => {
    for (const text of [
      'hunter2',
      'host/hunter2/manifest.json',
      'ftp://host/hunter2/manifest.json',
      'stremio:///hunter2',
      'https://host/hunter2/manifest.json?a=b',
      'https://host/hunter2/manifest.json#a',
      'https://host/hunter2/configure',
      'https://host/hunter2',
      `https://host/hunter2${'x'.repeat(20_000)}/manifest.json`,
      'https://[hunter2/manifest.json',
      'stremio://[hunter2/manifest.json',
    ]) {
      const error = failure(() => parseAddonUrl(text));
      expect(error).toMatchObject({ code: 'invalid', hint: expect.any(String) });
      expect(`${error.message} ${error.hint}`).not.toContain('hunter2');
    }
  });
});

describe('parseAddonCredentials()', () => {
  test('parseAddonCredentials() takes the address of a manifest, or nothing', () => {
    for (const none of [null, undefined, {}]) expect(parseAddonCredentials(none)).toBeNull();
    const manifestUrl = 'https://host/key/manifest.json';
    expect(parseAddonCredentials({ manifestUrl })).toEqual({ manifestUrl });
    expect(stremioKind.credentialKind({ manifestUrl })).toBe('manifest address');
    expect(stremioKind.credentialKind(null)).toBe('none');
  });

  test('invariant 10: parseAddonCredentials() repeats nothing of what it refuses', () => {
    for (const value of ['hunter2', ['hunter2'], { manifestUrl: 'hunter2' }, { manifestUrl: 3 }, { hunter2: 1 }]) {
      const error = failure(() => parseAddonCredentials(value));
      expect(error).toMatchObject({ code: 'invalid', hint: expect.any(String) });
      expect(`${error.message} ${error.hint}`).not.toContain('hunter2');
    }
    expect(failure(() => parseAddonCredentials({ manifestUrl: 'https://a/manifest.json', token: 'b' })).code).toBe(
      'invalid',
    );
  });
});

describe('addonAddress()', () => {
  test('addonAddress() is what the manifest lies in', () => {
    const credentials = { manifestUrl: 'https://host/key/manifest.json' };
    expect(addonAddress({ url: 'https://host/', credentials })).toEqual({ baseUrl: 'https://host/key/', headers: {} });
    expect(addonAddress({ url: 'https://host/', credentials: null }).baseUrl).toBe('https://host/');
  });

  test('addonAddress() gives a secret to no other host than the one it was entered for', () => {
    const credentials = { manifestUrl: 'https://host/key/manifest.json' };
    expect(addonAddress({ url: 'https://other/', credentials }).baseUrl).toBe('https://other/');
    expect(addonAddress({ url: 'http://host/', credentials }).baseUrl).toBe('http://host/');
  });

  test('addonAddress() sends user and password as a header', () => {
    const parsed = parseAddonUrl('https://me:p%40ss@host/manifest.json');
    expect(parsed.url).toBe('https://host/');
    expect(addonAddress(parsed)).toEqual({
      baseUrl: 'https://host/',
      headers: { authorization: `Basic ${btoa('me:p@ss')}` },
    });
    const odd = addonAddress({ url: 'https://host/', credentials: { manifestUrl: 'https://a%ZZ@host/manifest.json' } });
    expect(odd.headers).toEqual({ authorization: `Basic ${btoa('a%ZZ:')}` });
  });
});

describe('parseStremioOptions()', () => {
  test('parseStremioOptions() fills in what is missing and keeps what was chosen before', () => {
    expect(parseStremioOptions(null, null)).toEqual({ catalogues: null, itemsPerCatalogue: 1_000 });
    const before = parseStremioOptions({ catalogues: ['top', 'top'], local: true }, null);
    expect(before).toEqual({ catalogues: ['top'], itemsPerCatalogue: 1_000 });
    expect(parseStremioOptions({ itemsPerCatalogue: 5 }, before)).toEqual({
      catalogues: ['top'],
      itemsPerCatalogue: 5,
    });
    expect(stremioOptions({ itemsPerCatalogue: 'much' })).toEqual({ catalogues: null, itemsPerCatalogue: 1_000 });
  });

  test('invariant 10: parseStremioOptions() refuses what it does not know', () => {
    for (const value of [
      'top',
      [],
      { genre: 'a' },
      { catalogues: 'top' },
      { catalogues: [1] },
      { catalogues: [''] },
      { itemsPerCatalogue: 0 },
      { itemsPerCatalogue: 1.5 },
      { itemsPerCatalogue: 1e9 },
    ]) {
      expect(failure(() => parseStremioOptions(value, null))).toMatchObject({
        code: 'invalid',
        hint: expect.any(String),
      });
    }
  });
});
