// Words of the pages: what people call files, items, languages and encodings, and to which field an error belongs.
import { describe, expect, test } from 'bun:test';
import type { ChainRow } from '../../../src/db/media.ts';
import { LarderError } from '../../../src/errors.ts';
import { cataloguePath } from '../../../src/sources/catalogue-path.ts';
import { fileWords, subjectWords, titleInPath } from '../../../src/web/entry-words.ts';
import { chainName, numberingOf } from '../../../src/web/item-words.ts';
import { subtitleLabel } from '../../../src/web/language-words.ts';
import { fieldOfError, sourceFormSchema } from '../../../src/web/source-input.ts';
import { describeEncoding, describeSeeking, type EncodingProps } from '../../../views/parts/encoding-words.ts';

const isCatalogue = (source: string) => source === 'home';

function chainRow(change: Partial<ChainRow>): ChainRow {
  return { mediaId: 1, level: 0, id: 1, type: 'movie', title: 'T', year: null, season: null, episode: null, ...change };
}

describe('files', () => {
  const pathOf = (quality: string) => cataloguePath('Film (2020)', { mediaKey: 'a:b/c', quality, container: 'mkv' });

  test('of a catalogue are called by title and quality, others by their path', () => {
    expect(fileWords({ source: 'home', path: pathOf('original') }, isCatalogue)).toBe('Film (2020)');
    expect(fileWords({ source: 'home', path: pathOf('720p') }, isCatalogue)).toBe('Film (2020), 720p');
    expect(fileWords({ source: 'home', path: pathOf('~poster') }, isCatalogue)).toBe('Film (2020), poster');
    expect(fileWords({ source: 'home', path: pathOf('~sub-2') }, isCatalogue)).toBe('Film (2020), subtitles 2');
    expect(fileWords({ source: 'films', path: pathOf('original') }, isCatalogue)).toBe(pathOf('original'));
    expect(fileWords({ source: 'home', path: 'Old/File.mkv' }, isCatalogue)).toBe('Old/File.mkv');
    expect(titleInPath({ source: 'home', path: pathOf('720p') }, isCatalogue)).toBe('Film (2020)');
    expect(titleInPath({ source: 'films', path: 'a.mkv' }, isCatalogue)).toBeNull();
  });

  test('as subjects of events', () => {
    expect(subjectWords(`home/${pathOf('720p')}`, isCatalogue)).toBe('home: Film (2020), 720p');
    for (const subject of ['films/A/b.mkv', 'disk', 'admin', '/x']) {
      expect(subjectWords(subject, isCatalogue)).toBe(subject);
    }
  });
});

describe('items', () => {
  test('are called by what they belong to', () => {
    const series = chainRow({ type: 'series', title: 'Tidewatch', year: 2019, level: 2 });
    const season = chainRow({ type: 'season', title: 'Season 1', season: 1, level: 1 });
    const episode = chainRow({ type: 'episode', title: 'Pilot', season: 1, episode: 2 });
    expect(chainName([episode, season, series])).toBe('Tidewatch S01E02 Pilot');
    expect(chainName([season, series])).toBe('Tidewatch, Season 1');
    expect(chainName([series])).toBe('Tidewatch (2019)');
    expect(chainName([chainRow({ type: 'track', title: 'Ebb', episode: 3 }), chainRow({ title: 'Low Water' })])).toBe(
      'Low Water, Track 3 Ebb',
    );
    expect(chainName([])).toBeNull();
    expect(chainName(undefined)).toBeNull();
  });

  test('have numbers as far as they are known', () => {
    expect(numberingOf({ type: 'episode', season: null, episode: 7 })).toBe('E07');
    expect(numberingOf({ type: 'episode', season: 0, episode: 101 })).toBe('S00E101');
    expect(numberingOf({ type: 'track', season: 2, episode: 3 })).toBe('Disc 2, track 3');
    expect(numberingOf({ type: 'episode', season: 1, episode: null })).toBeNull();
    expect(numberingOf({ type: 'movie', season: null, episode: 1 })).toBeNull();
  });
});

test('subtitles are called by their language', () => {
  const label = (language: string | null, title: string | null = null, isForced = false) =>
    subtitleLabel({ language, title, isForced });
  expect(label('eng')).toBe('English');
  expect(label('de', 'German')).toBe('German');
  expect(label('de', 'SDH', true)).toBe('German, forced, SDH');
  expect(label('en', 'Signs (forced)', true)).toBe('English, Signs (forced)');
  expect(label('not a code')).toBe('not a code');
  expect(label(null)).toBe('Unknown language');
});

test('encodings are told as far as they are known, and why players cannot skip', () => {
  const nothing: EncodingProps = {
    width: null,
    height: null,
    bitrate: null,
    videoCodec: null,
    audioCodec: null,
    container: null,
    delivery: 'file',
    seekable: null,
  };
  expect(describeEncoding(nothing)).toBe('');
  expect(
    describeEncoding({ ...nothing, height: 720, videoCodec: 'HEVC', audioCodec: 'pcm_s16le', bitrate: 2_500_000 }),
  ).toBe('720 lines, HEVC and PCM_S16LE, 2.50 Mbit/s');
  expect(describeEncoding({ ...nothing, container: 'm3u8', delivery: 'hls' })).toBe('a playlist of pieces');
  expect(describeSeeking(nothing, false)).toBeNull();
  expect(describeSeeking({ ...nothing, seekable: false }, true)).toBeNull();
  expect(describeSeeking({ ...nothing, seekable: false }, false)).toContain('from the start only');
  expect(describeSeeking({ ...nothing, seekable: false, delivery: 'growing' }, false)).toContain('converted');
});

test('an error stands at the field that it is about', () => {
  const field = (message: string, form: Record<string, string>, code: 'invalid' | 'conflict' = 'invalid') =>
    fieldOfError(new LarderError(code, message), sourceFormSchema.parse(form));
  expect(field('there is a source named "a" already', { kind: 'plex' }, 'conflict')).toBe('name');
  expect(field('the token cannot be sent', { kind: 'plex', signIn: 'token' })).toBe('token');
  expect(field('the address holds a user name', { kind: 'plex', signIn: 'token' })).toBe('url');
  expect(field('the API key cannot be sent', { kind: 'jellyfin', signIn: 'apiKey' })).toBe('credentialApiKey');
  expect(field('user name and password are not both text', { kind: 'jellyfin', signIn: 'password' })).toBe('username');
  expect(field('the bit rate of 720p is not between', { kind: 'jellyfin' })).toBe('ladder-720p');
  expect(field('the way of converting is not known', { kind: 'jellyfin' })).toBe('transcode');
  expect(field('itemsPerCatalogue is no whole number', { kind: 'stremio' })).toBe('itemsPerCatalogue');
  expect(field('the credentials are of no kind', { kind: 'stremio' })).toBe('url');
  expect(field('the sign-in was for another address', { kind: 'jellyfin', signIn: 'code' })).toBe('signInId');
});
