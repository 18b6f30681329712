// What becomes of what a server says of its items.
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { parseCataloguePath } from '../../../src/sources/catalogue-path.ts';
import { countOf, guidOf, numberOf } from '../../../src/sources/jellyfin/dto-fields.ts';
import {
  decodeFolderVersion,
  encodeFolderVersion,
  folderVersion,
  follows,
} from '../../../src/sources/jellyfin/folder-version.ts';
import { describeItemLabel } from '../../../src/sources/jellyfin/item-label.ts';
import { pageOfItems } from '../../../src/sources/jellyfin/item-page.ts';
import { readItem } from '../../../src/sources/jellyfin/jellyfin-item.ts';
import { decodeLocator, encodeLocator } from '../../../src/sources/jellyfin/jellyfin-locator.ts';
import { foldersOfLibraries, parseLibraryFolder } from '../../../src/sources/jellyfin/library-folders.ts';
import { OddCounts } from '../../../src/sources/jellyfin/odd-counts.ts';
import { runs } from '../../support/property.ts';

const ID = '0123456789abcdef0123456789abcdef';
const OTHER = 'f'.repeat(32);

function film(fields: object): NonNullable<ReturnType<typeof readItem>> {
  return readItem({ Id: ID, Name: 'Film', Type: 'Movie', ...fields })!;
}

function fileOf(source: object) {
  return pageOfItems([film({ MediaSources: [{ Id: ID, Protocol: 'File', ...source }] })]).items[0]!;
}

describe('readItem()', () => {
  test('takes ids with dashes and numbers as text', () => {
    const item = film({
      Id: '01234567-89AB-cdef-0123-456789abcdef',
      ProductionYear: '1999',
      RunTimeTicks: '36000000000',
    });
    expect(item).toMatchObject({ id: ID, year: 1999, durationMs: 3_600_000 });
    expect(film({ PremiereDate: '1987-05-01T00:00:00.0000000Z' }).year).toBe(1987);
    expect(film({ ProductionYear: 99_999 }).year).toBeNull();
    expect(film({ ProviderIds: { Tmdb: 5, 'a b': 'x', Imdb: '' } }).otherIds).toEqual(['tmdb:5']);
    expect(film({ Overview: 'x'.repeat(5_000) }).overview).toHaveLength(4_000);
  });

  test('is null for what is nothing to be listed', () => {
    const named = (Type: string) => ({ Id: ID, Name: 'x', Type });
    for (const value of [
      null,
      [],
      'x',
      { Id: ID },
      { Id: ID, Name: 'x', Type: 'Person' },
      { Id: 5, Name: 'x' },
      named('constructor'),
    ]) {
      expect(readItem(value)).toBeNull();
    }
  });

  test('takes the picture of what it belongs to where it has none', () => {
    const track = { Type: 'Audio', AlbumId: OTHER, AlbumPrimaryImageTag: 'album' };
    expect(film(track).image).toEqual({ id: OTHER, tag: 'album' });
    expect(film({ ...track, ImageTags: { Primary: 'own' } }).image).toEqual({ id: ID, tag: 'own' });
    expect(film({ Type: 'Episode', SeriesId: OTHER, SeriesPrimaryImageTag: 'series' }).image!.tag).toBe('series');
    expect(film({}).image).toBeNull();
  });
});

describe('versions', () => {
  test('the own one is the original, whatever comes first', () => {
    const source = (id: string, width: number) => ({
      Id: id,
      MediaStreams: [{ Type: 'Video', Width: width, Height: width / 2 }],
    });
    const MediaSources = [
      source(OTHER, 3_840),
      source('e'.repeat(32), 1_280),
      source(ID, 1_920),
      source(ID, 640),
      null,
    ];
    expect(pageOfItems([film({ MediaSources })]).items.map(({ quality, width }) => [quality, width])).toEqual([
      ['original', 1_920],
      ['2160p', 3_840],
      ['720p', 1_280],
    ]);
  });

  test.each([
    [{ Container: 'mkv' }, 'mkv'],
    [{ Container: 'matroska,webm' }, 'mkv'],
    [{ Container: 'mov,mp4,m4a,3gp,3g2,mj2' }, 'mp4'],
    [{ Container: 'mov,mp4,m4a,3gp,3g2,mj2', Path: '/films/a.m4v' }, 'mp4'],
    [{ Container: 'mov,mp4,m4a,3gp,3g2,mj2', Path: '/films/a.MOV' }, 'mov'],
    [{ Container: 'strm', Path: 'http://far/film.mkv?x=1' }, 'mkv'],
    [{ Container: 'a/b' }, null],
    [{ Container: null, Path: 5 }, null],
  ])('%j is a file of its container', (source, container) => {
    expect(fileOf(source).container).toBe(container);
  });

  test('the stamp moves with the file, and there is none of nothing', () => {
    expect(fileOf({ ETag: 'a', Size: 5 }).stamp).toBe('a-5');
    expect(fileOf({ ETag: 'a', Size: 0 }).stamp).toBe('a-');
    expect(fileOf({ ETag: 'b', Size: '5' }).stamp).toBe('b-5');
    expect(fileOf({}).stamp).toBeNull();
  });

  test('what cannot be handed out says why', () => {
    expect(fileOf({ VideoType: 'BluRay' }).refusal).toContain('disc');
    expect(fileOf({ Protocol: 'Rtsp' }).refusal).toContain('another way');
    expect(fileOf({ IsInfiniteStream: true }).refusal).toContain('live');
    expect(fileOf({ VideoType: 'Iso' }).refusal).toBeNull();
    expect(film({ MediaSources: [{ Id: ID, Type: 'Placeholder' }] }).versions).toEqual([]);
    expect(film({ LocationType: 'Virtual', MediaSources: [{ Id: ID }] }).versions).toEqual([]);
  });

  test('subtitles are those in files of their own, as text', () => {
    const text = { Type: 'Subtitle', IsExternal: true, IsTextSubtitleStream: true };
    const MediaStreams = [
      { ...text, Index: 3, Codec: 'ass', IsForced: true },
      { ...text, Index: 4, Codec: 'webvtt', DisplayTitle: 'English' },
      { ...text, Index: 5, Codec: 'subviewer' },
      { ...text, Index: 6, IsExternal: false },
      { ...text, Index: 7, IsTextSubtitleStream: false },
      { ...text, Codec: 'srt' },
    ];
    const [media] = pageOfItems([film({ MediaSources: [{ Id: ID, MediaStreams }] })]).media!;
    expect(media!.subtitles.map(({ format, title, isForced }) => [format, title, isForced])).toEqual([
      ['ass', null, true],
      ['vtt', 'English', false],
      ['srt', null, false],
    ]);
  });
});

test('pageOfItems() puts parents first and leaves out what is not there', () => {
  const items = [
    film({ Type: 'Episode', LocationType: 'Virtual', Id: OTHER }),
    film({ Type: 'Episode', SeasonId: ID }),
    film({ Type: 'Season', Id: 'a'.repeat(32), LocationType: 'Virtual' }),
    film({ Type: 'Series', Id: 'b'.repeat(32) }),
  ];
  const { media } = pageOfItems(items);
  expect(media!.map(({ type, parentKey }) => [type, parentKey])).toEqual([
    ['series', null],
    ['season', null],
    // It names itself.
    ['episode', null],
  ]);
});

test('describeItemLabel() says what people call it', () => {
  const none = { year: null, seriesName: null, season: null, number: null, artist: null, albumName: null };
  expect(describeItemLabel({ ...none, type: 'movie', name: 'Film', year: 1999 })).toBe('Film (1999)');
  expect(describeItemLabel({ ...none, type: 'video', name: 'Film' })).toBe('Film');
  expect(describeItemLabel({ ...none, type: 'episode', name: 'Pilot' })).toBe('Pilot');
  const episode = { ...none, type: 'episode', name: 'Pilot', seriesName: 'Show', season: 1, number: 102 } as const;
  expect(describeItemLabel(episode)).toBe('Show S01E102 Pilot');
  expect(describeItemLabel({ ...none, type: 'track', name: 'Song' })).toBe('Song');
});

test('decodeLocator() reads what encodeLocator() wrote, and nothing else', () => {
  for (const locator of [
    { kind: 'video', version: ID, container: null },
    { kind: 'audio', version: ID, container: 'flac' },
    { kind: 'image', item: ID, tag: 't' },
    { kind: 'subtitle', version: ID, index: 0, format: 'srt' },
  ] as const) {
    expect(decodeLocator(encodeLocator(locator))).toEqual(locator);
  }
  for (const text of [
    'x',
    '[]',
    '{}',
    '{"kind":"video"}',
    '{"kind":"image","item":"x","tag":"t"}',
    '{"kind":"subtitle","version":"v","index":-1,"format":"srt"}',
  ]) {
    expect(decodeLocator(text)).toBeNull();
  }
});

test('foldersOfLibraries() names a folder for each kind of thing, once', () => {
  const library = (digit: string, CollectionType: unknown, Type = 'CollectionFolder') => ({
    Id: digit.repeat(32),
    Type,
    CollectionType,
  });
  const folders = foldersOfLibraries([
    library('1', 'movies'),
    library('1', 'movies'),
    library('2', undefined),
    library('3', 'livetv', 'UserView'),
    library('4', 'books'),
    library('5', 'movies', 'Channel'),
    library('6', 'constructor'),
    { Id: 'x', Type: 'CollectionFolder' },
  ]);
  const names = (digit: string, ...kinds: string[]) => kinds.map((kind) => `${kind}-${digit.repeat(32)}`);
  expect(folders).toEqual([
    ...names('1', 'movies'),
    ...names('2', 'movies', 'series', 'albums', 'videos'),
    ...names('4', 'audiobooks'),
  ]);
  for (const folder of folders) expect(parseLibraryFolder(folder)).not.toBeNull();
  expect(parseLibraryFolder(`movies-${ID}/episodes`)).toBeNull();
  expect(parseLibraryFolder(`constructor-${ID}`)).toBeNull();
});

test('a folder is known again by the clock of the server', () => {
  const at = Date.UTC(2026, 10, 30, 12);
  const headers = new Headers({ date: new Date(at).toUTCString() });
  const version = folderVersion(headers, { Items: [{ ServerId: 'attic' }] }, 5)!;
  expect(version).toEqual({ sinceMs: at - 300_000, items: 5, server: 'attic' });
  expect(follows(version, version)).toBe(true);
  expect(follows({ ...version, items: 0, server: null }, version)).toBe(true);
  expect(follows({ ...version, server: 'cellar' }, version)).toBe(false);
  // Its clock was turned back.
  expect(follows({ ...version, sinceMs: version.sinceMs - 1 }, version)).toBe(false);
  expect([follows(null, version), follows(version, null)]).toEqual([false, false]);
  const etag = encodeFolderVersion(version, 'nonce');
  expect(decodeFolderVersion(etag)).toEqual(version);
  expect(encodeFolderVersion(version, 'other')).not.toBe(etag);
  expect(folderVersion(new Headers(), {}, 5)).toBeNull();
  for (const text of [null, undefined, '"a"', 'x', '{}', '{"since":"soon","items":1}', 'x'.repeat(2_000)]) {
    expect(decodeFolderVersion(text)).toBeNull();
  }
});

test('OddCounts counts files from items, up to a bound', () => {
  const counts = new OddCounts();
  counts.note('two', 2);
  counts.note('none', 0);
  counts.note('one', 1);
  expect([counts.filesOf(10), counts.of('two'), counts.of('never')]).toEqual([10, 2, 1]);
  const next = new OddCounts(counts);
  next.note('two', 1);
  expect([next.filesOf(10), counts.filesOf(10)]).toEqual([9, 10]);
  for (let index = 0; index < 12_000; index += 1) next.note(`film-${index}`, 3);
  expect([next.isWhole, counts.isWhole]).toEqual([false, true]);
});

test('fields of another type count as not there', () => {
  expect([numberOf('1.5'), numberOf('1e5'), numberOf(Number.NaN), numberOf(true)]).toEqual([1.5, null, null, null]);
  expect([countOf('7'), countOf(-1), countOf(1.5), countOf(2 ** 60)]).toEqual([7, null, null, null]);
  expect([guidOf(`{${ID}}`), guidOf(ID.toUpperCase()), guidOf(null)]).toEqual([null, ID, null]);
});

test('readItem() takes anything, and what comes of it can be kept', () => {
  const types = fc.constantFrom('Movie', 'Series', 'Season', 'Episode', 'MusicAlbum', 'Audio', 'constructor');
  const wild = (value: fc.Arbitrary<unknown>) => fc.oneof({ weight: 9, arbitrary: value }, fc.anything());
  const stream = fc.record(
    { Type: wild(fc.constantFrom('Video', 'Audio', 'Subtitle')), Codec: fc.anything(), Width: fc.anything() },
    { requiredKeys: [] },
  );
  const source = fc.record(
    { Id: wild(fc.string()), Container: wild(fc.string()), Size: fc.anything(), MediaStreams: wild(fc.array(stream)) },
    { requiredKeys: [] },
  );
  const item = fc.record({
    Id: wild(fc.constantFrom(ID, OTHER)),
    Name: wild(fc.string({ minLength: 1 })),
    Type: wild(types),
    SeriesId: fc.anything(),
    AlbumId: fc.anything(),
    ProviderIds: fc.anything(),
    ImageTags: fc.anything(),
    IndexNumber: fc.anything(),
    ParentIndexNumber: fc.anything(),
    MediaSources: wild(fc.array(source)),
  });
  let kept = 0;
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: item }, fc.anything()), (value) => {
      const read = readItem(value);
      if (read === null) return;
      const { items, media = [] } = pageOfItems([read]);
      expect(media.length).toBeLessThanOrEqual(1);
      for (const { path, mediaKey, quality, locator } of items) {
        kept += 1;
        expect(parseCataloguePath(path)).toMatchObject({ mediaKey, quality });
        expect(decodeLocator(locator!)).not.toBeNull();
      }
    }),
    runs(500),
  );
  expect(kept).toBeGreaterThan(0);
});
