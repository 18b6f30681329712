// Names of what a playlist points to: read back as they were made, from qualities and from the paths of kept pieces.
import { expect, test } from 'bun:test';
import {
  addressOfPart,
  containerOf,
  isLiveSignature,
  liveSignature,
  parseHlsQuality,
} from '../../../src/proxy/hls/hls-names.ts';
import { parseCataloguePath } from '../../../src/sources/catalogue-path.ts';

test('a quality says which file of which playlist it is, or that it is none', () => {
  expect(parseHlsQuality('720p~m3')).toEqual({ kind: 'playlist', whole: '720p', name: 'm3' });
  expect(parseHlsQuality('original-2~1f0c33a9-i0')).toEqual({
    kind: 'part',
    whole: 'original-2',
    signature: '1f0c33a9',
    name: 'i0',
  });
  expect(parseHlsQuality('720p~live4-18446744073709551615')).toMatchObject({
    signature: 'live4',
    name: '18446744073709551615',
  });
  for (const quality of [
    '720p',
    '~poster',
    '~sub-1',
    '720p~',
    '720p~x1',
    '~1f0c33a9-1',
    '720p~1F0C33A9-1',
    '720p~1f0c33a9-x1',
    '720p~live-',
    'a/b~m0',
  ]) {
    expect(parseHlsQuality(quality)).toBeNull();
  }
  expect([liveSignature(''), liveSignature('m12')].map((signature) => [signature, isLiveSignature(signature)])).toEqual(
    [
      ['live', true],
      ['live12', true],
    ],
  );
  expect(isLiveSignature('1f0c33a9')).toBe(false);
});

test('the path of a piece alone says what it is a piece of', () => {
  const whole = parseCataloguePath('A film (2020)/movie%2F1%3A2:720p.m3u8');
  for (const [name, container, type] of [
    ['12', 'ts', 'video'],
    ['k0', 'key', 'file'],
    ['i0', 'mp4', 'video'],
    ['3', 'vtt', 'file'],
  ] as const) {
    const address = addressOfPart(whole, '1f0c33a9', { name, url: 'https://cdn/x', container }, 5);
    expect(address).toMatchObject({
      quality: `720p~1f0c33a9-${name}`,
      container,
      type,
      isListed: true,
      mediaKey: 'movie/1:2',
    });
    expect(address.partOf).toEqual({ path: whole.path, quality: '720p', entryId: 5 });
    const read = parseCataloguePath(address.path);
    expect(read).toEqual({ ...address, partOf: { path: whole.path, quality: '720p' } });
  }
  expect(whole.partOf).toBeUndefined();
  expect(parseCataloguePath('A film/1:~poster.jpg').partOf).toBeUndefined();
});

test('an ending that players do not know is not taken over', () => {
  const ending = (url: string, isMp4 = false) => containerOf('1', url, isMp4);
  expect(ending('https://cdn/a.TS?x=.mp4')).toBe('ts');
  expect(ending('https://cdn/a.m4s#.ts')).toBe('m4s');
  expect(ending('https://cdn/a.jpg')).toBe('ts');
  expect(ending('https://cdn/a.jpg', true)).toBe('mp4');
  expect(ending('https://cdn/?file=a.aac')).toBe('ts');
  expect(ending('')).toBe('ts');
  expect(containerOf('k0', 'https://cdn/a.ts', false)).toBe('key');
});
