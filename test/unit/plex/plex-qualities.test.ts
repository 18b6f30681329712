// What versions of a title are called, best first, and that the parts of a split film never pass for the whole.
import { describe, expect, test } from 'bun:test';
import { qualitiesOf, readLocator, writeLocator } from '../../../src/sources/plex/plex-qualities.ts';
import type { PlexVersion } from '../../../src/sources/plex/plex-title.ts';

function version(
  mediaIndex: number,
  height: number | null,
  parts = 1,
  details: Partial<PlexVersion> = {},
): PlexVersion {
  return {
    mediaIndex,
    width: null,
    height,
    bitrate: null,
    videoCodec: 'h264',
    audioCodec: 'aac',
    isMade: false,
    parts: Array.from({ length: parts }, (_, at) => ({
      key: `/library/parts/${mediaIndex}${at}/1/file.mkv`,
      sizeBytes: 1_000,
      stamp: '1 1000',
      container: 'mkv',
      subtitles: [],
    })),
    ...details,
  };
}

function names(versions: readonly PlexVersion[]): string[] {
  return qualitiesOf(versions).map(({ quality, version: of }) => `${quality}=${of.mediaIndex}`);
}

describe('qualitiesOf()', () => {
  test('calls the best version original and others by their size', () => {
    expect(names([version(0, 720), version(1, 2160), version(2, 1080), version(3, 1080)])).toEqual([
      'original=1',
      '1080p=2',
      '1080p-2=3',
      '720p=0',
    ]);
    expect(names([version(0, 1080, 1, { bitrate: 4_000_000 }), version(1, 1080, 1, { bitrate: 9_000_000 })])).toEqual([
      'original=1',
      '1080p=0',
    ]);
  });

  test('puts what the server made itself behind what was put there', () => {
    expect(names([version(0, 1080, 1, { isMade: true }), version(1, 720)])).toEqual(['original=1', '1080p=0']);
  });

  test('gives the files of a split version as parts, and never as original', () => {
    expect(names([version(0, 1080, 2)])).toEqual(['part-1=0', 'part-2=0']);
    expect(names([version(0, 2160, 2), version(1, 720)])).toEqual(['original=1', 'part-1=0', 'part-2=0']);
    expect(names([version(0, 1080, 2), version(1, 720, 2)])).toEqual([
      'part-1=0',
      'part-2=0',
      '720p-part-1=1',
      '720p-part-2=1',
    ]);
    expect(names([])).toEqual([]);
  });
});

describe('readLocator()', () => {
  test('reads what writeLocator() wrote', () => {
    const [found] = qualitiesOf([version(3, 1080, 2)]);
    expect(readLocator(writeLocator(found!))).toEqual({
      part: '/library/parts/30/1/file.mkv',
      mediaIndex: 3,
      partCount: 2,
    });
  });

  test('takes nothing else', () => {
    for (const text of [
      null,
      undefined,
      '',
      '{',
      '[]',
      '{"part":"//elsewhere/x"}',
      '{"part":"/a/../b"}',
      '{"part":7}',
    ]) {
      expect(readLocator(text)).toBeNull();
    }
    expect(readLocator('{"part":"/library/parts/1/file.mkv"}')).toMatchObject({ mediaIndex: 0, partCount: 1 });
  });
});
