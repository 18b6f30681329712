// Rows of a Plex library, well formed and otherwise.
import { describe, expect, test } from 'bun:test';
import { readFlag, readList, readNumber, readServerPath } from '../../../src/sources/plex/plex-fields.ts';
import { filesOf, pageOf } from '../../../src/sources/plex/plex-page.ts';
import { readTitle } from '../../../src/sources/plex/plex-title.ts';

const film = {
  ratingKey: '7',
  type: 'movie',
  title: 'Metropolis',
  Media: [{ videoResolution: '4k', Part: [{ id: 70, key: '/library/parts/70/file.mkv', size: '5000' }] }],
};

function read(changes: Record<string, unknown>, container: Record<string, unknown> = {}) {
  return readTitle({ ...film, ...changes }, container);
}

describe('readTitle()', () => {
  test('reads what is there, with numbers as text and the height from its name', () => {
    const title = read({ year: '1927', duration: '9000000', summary: 'x'.repeat(9_000) });
    expect(title).toMatchObject({ key: '7', type: 'movie', year: 1927, durationMs: 9_000_000, artwork: null });
    expect(title?.overview).toHaveLength(4_000);
    expect(title?.versions[0]).toMatchObject({ height: 2160, width: null, bitrate: null, videoCodec: null });
    // Without a change stamp in its path, the number of the part stands for it.
    expect(title?.versions[0]?.parts[0]).toMatchObject({ stamp: 'part 70 5000', container: 'mkv' });
  });

  test('knows sizes by all their names', () => {
    for (const [name, height] of [
      ['1080', 1080],
      ['720p', 720],
      ['sd', 480],
      ['8K', 4320],
      ['odd', null],
    ] as const) {
      const title = read({ Media: [{ videoResolution: name, Part: [{ id: 1, key: '/library/parts/1/2/file.mp4' }] }] });
      expect(title?.versions[0]?.height).toBe(height);
    }
  });

  test('takes what all rows have in common from their container', () => {
    const title = read(
      { type: 'episode', index: 2, title: 'Pilot' },
      { parentIndex: 0, parentRatingKey: 70, grandparentTitle: 'Show', grandparentRatingKey: '71' },
    );
    expect(title).toMatchObject({ parentIndex: 0, parentKey: '70', grandparentTitle: 'Show', grandparentKey: '71' });
    expect(filesOf(title!)[0]?.path).toBe('Show S00E02 Pilot/7:original.mkv');
  });

  test('gives an episode whose seasons are not shown to its series, and nothing to itself', () => {
    const [media] = pageOf([read({ type: 'episode', grandparentRatingKey: '71' })!]).media ?? [];
    expect(media?.parentKey).toBe('71');
    expect(read({ type: 'season', parentRatingKey: '7' })?.parentKey).toBeNull();
  });

  test('calls films that no agent knows videos, and artists nothing', () => {
    expect(read({ guid: 'com.plexapp.agents.none://abc?lang=xn' })?.type).toBe('video');
    expect(read({ subtype: 'clip' })?.type).toBe('video');
    expect(read({ type: 'trailer' })?.type).toBe('video');
    for (const type of ['artist', 'photo', 'collection']) expect(read({ type })).toBeNull();
  });

  test('collects ids of old and new agents', () => {
    const guids = {
      guid: 'com.plexapp.agents.themoviedb://19?lang=en',
      Guid: [{ id: 'imdb://tt0017136' }, { id: 'plex://movie/5d77' }, null, { id: 7 }, { id: 'imdb://tt0017136' }],
    };
    expect(read(guids)?.otherIds).toEqual(['tmdb:19', 'imdb:tt0017136']);
  });

  test('leaves out subtitles inside of the file and those of split films', () => {
    const streams = [
      { streamType: 3, codec: 'srt' },
      { streamType: '3', key: '/library/streams/5.webvtt', languageCode: 'deu', forced: '1' },
      { streamType: 3, key: '/library/streams/6?X-Plex-Token=s3cret', codec: 'ass' },
      { streamType: 2, key: '/library/streams/7' },
    ];
    const part = { id: 1, key: '/library/parts/1/2/file.mkv', Stream: streams };
    const page = pageOf([read({ Media: [{ Part: [part] }] })!]);
    expect(page.media?.[0]?.subtitles).toEqual([
      { language: 'deu', title: null, format: 'vtt', locator: '/library/streams/5.webvtt', isForced: true },
    ]);
    expect(pageOf([read({ Media: [{ Part: [part, part] }] })!]).media?.[0]?.subtitles).toEqual([]);
  });

  test('drops a version one of whose parts cannot be read', () => {
    const part = { id: 1, key: '/library/parts/1/2/file.mkv' };
    expect(read({ Media: [{ Part: [part, { id: 2 }] }, { Part: [part] }] })?.versions).toMatchObject([
      { mediaIndex: 1 },
    ]);
    expect(read({ Media: 'nothing' })?.versions).toEqual([]);
  });

  test('is nothing without a number and a name', () => {
    for (const changes of [{ ratingKey: null }, { ratingKey: 'x' }, { title: '' }, { title: 'x'.repeat(1_025) }]) {
      expect(read(changes)).toBeNull();
    }
  });
});

describe('pageOf()', () => {
  test('numbers tracks, and leaves out of a label what is not known', () => {
    const track = { type: 'track', title: 'So What', parentTitle: 'Kind of Blue', parentIndex: 1, index: 3 };
    expect(filesOf(read({ ...track, grandparentTitle: 'Miles Davis' })!)[0]?.path).toStartWith(
      'Miles Davis – Kind of Blue – 03 So What/',
    );
    expect(filesOf(read({ ...track, parentTitle: null, index: null })!)[0]?.path).toStartWith('So What/');
    expect(filesOf(read({ type: 'episode', title: 'Special' })!)[0]?.path).toStartWith('Special/');
  });

  test('breaks a circle of parents', () => {
    const season = (ratingKey: string, parentRatingKey: string) =>
      readTitle({ ratingKey, parentRatingKey, type: 'season', title: 'S' }, {})!;
    const { media } = pageOf([season('1', '2'), season('2', '3'), season('3', '1'), season('4', '9')]);
    expect(media?.map(({ parentKey }) => parentKey)).toEqual([null, null, null, '9']);
  });
});

describe('fields', () => {
  test('are read as what they stand for, or not at all', () => {
    expect([1.5, '12', ' -3 ', '1e5', 'x', Number.NaN, null, true].map(readNumber)).toEqual([
      1.5,
      12,
      -3,
      null,
      null,
      null,
      null,
      null,
    ]);
    expect([true, 1, '1', 'true', 0, 'no', null].map(readFlag)).toEqual([true, true, true, true, false, false, false]);
    expect(readList({ one: 1 }, 5)).toEqual([{ one: 1 }]);
    expect(readList([{}, 1, null, {}], 2)).toEqual([{}]);
  });

  test('name paths of the server only', () => {
    expect(readServerPath('/library/metadata/1/thumb/2')).toBe('/library/metadata/1/thumb/2');
    for (const path of ['', 'x', '//host/x', 'http://host/x', '/a?X-Plex-Token=b', '/a/../b', '/a\\b', '/a b', 7]) {
      expect(readServerPath(path)).toBeNull();
    }
  });
});
