import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  episodeOfId,
  likelyParentIds,
  mediaKeyOf,
  parseMediaKey,
  seasonKeyOf,
} from '../../../src/sources/stremio/media-keys.ts';
import { runs } from '../../support/property.ts';

describe('mediaKeyOf()', () => {
  test('mediaKeyOf() leaves ids as they are where they tell their type', () => {
    expect(mediaKeyOf('movie', 'tt0111161')).toBe('tt0111161');
    expect(mediaKeyOf('series', 'tt0108778:1:2')).toBe('tt0108778:1:2');
    expect(mediaKeyOf('series', 'tt0108778')).toBe('series/tt0108778');
    expect(seasonKeyOf('series', 'tt0108778', 1)).toBe('series/tt0108778/1');
    expect(parseMediaKey('series/tt0108778/1')).toEqual({ type: 'series', id: 'tt0108778', season: 1 });
  });

  test('mediaKeyOf() tells every type and id apart, and is read back', () => {
    const text = fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' });
    const id = fc.oneof(
      text,
      fc.tuple(text, fc.nat(99), fc.nat(99)).map((parts) => parts.join(':')),
    );
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom('movie', 'series', 'tv'), text), id, (type, itemId) => {
        const key = mediaKeyOf(type, itemId);
        if (key !== null) expect(parseMediaKey(key)).toEqual({ type, id: itemId, season: null });
      }),
      runs(300),
    );
  });

  test('mediaKeyOf() gives no key that is longer than one may be', () => {
    expect(mediaKeyOf('movie', 'x'.repeat(513))).toBeNull();
    expect(seasonKeyOf('series', 'x'.repeat(513), 1)).toBeNull();
  });

  test('parseMediaKey() reads no key of another kind', () => {
    for (const key of ['series/a/b', 'series/a/1/2', '/a', 'series/', 'series/%'])
      expect(parseMediaKey(key)).toBeNull();
  });

  test('likelyParentIds() are what stands before the last numbers', () => {
    expect(likelyParentIds('tt1:2:3')).toEqual(['tt1']);
    expect(likelyParentIds('tmdb:1:2:3')).toEqual(['tmdb:1']);
    expect(likelyParentIds('kitsu:1:2')).toEqual(['kitsu:1', 'kitsu']);
    expect(likelyParentIds('yt_id:UC1:abc')).toEqual(['yt_id:UC1']);
    expect(likelyParentIds('tt1')).toEqual([]);
  });

  test('episodeOfId() reads season and episode where they are sure to be that', () => {
    expect(episodeOfId('tt1:2:3')).toEqual({ series: 'tt1', season: 2, episode: 3 });
    expect(episodeOfId('kitsu:1:2')).toBeNull();
  });
});
