// Which quality is chosen, and that a player keeps the one it was given.
import { describe, expect, test } from 'bun:test';
import type { LarderError } from '../../../src/errors.ts';
import { AutoQualities, readHeight } from '../../../src/library/auto-qualities.ts';
import { chooseQuality, type QualityOption } from '../../../src/library/auto-quality.ts';
import type { LibraryItem } from '../../../src/library/library.ts';
import { AUTO_QUALITY_MS } from '../../../src/limits.ts';
import type { MediaSource } from '../../../src/sources/media-source.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function option(quality: string, height: number | null, bitrate: number | null, isWhole = false): QualityOption {
  return { quality, height, bitrate, isWhole, isPlayable: true };
}

const LADDER = [
  option('480p', 480, 2_000_000),
  option('original', 2160, 25_000_000),
  option('720p', 720, 4_000_000),
  option('1080p', 1080, 8_000_000),
];
const FREE = { maxHeight: null, maxHeightBecause: '', throughput: null, isUnreachable: false };

describe('chooseQuality()', () => {
  test.each([
    ['nothing is known of the line', LADDER, {}, 'original', 'not known yet'],
    ['the line carries it', LADDER, { throughput: 40_000_000 }, 'original', '40.0 Mbit/s'],
    ['the line would just carry it, and stall', LADDER, { throughput: 25_000_000 }, '1080p', '25.0 Mbit/s'],
    ['the line is thin', LADDER, { throughput: 5_500_000 }, '720p', '5.5 Mbit/s'],
    ['the line carries nothing', LADDER, { throughput: 300_000 }, '480p', 'takes the least'],
    ['less was asked for', LADDER, { maxHeight: 720, maxHeightBecause: 'as was asked' }, '720p', 'as was asked'],
    ['less than there is was asked for', LADDER, { maxHeight: 240 }, '480p', 'no taller than 240'],
    [
      'a lower one is here whole and the line is thin',
      [...LADDER.slice(1), option('480p', 480, 2_000_000, true)],
      { throughput: 1_000_000 },
      '480p',
      'here whole',
    ],
    [
      'its source is away',
      [...LADDER.slice(1), option('480p', 480, 2_000_000, true)],
      { isUnreachable: true },
      '480p',
      'does not answer',
    ],
    [
      'the best is here whole',
      [option('original', 2160, 9e7, true), LADDER[3]!],
      { throughput: 1 },
      'original',
      'here whole',
    ],
    ['one of them is all there is', [option('original', null, null)], { throughput: 1 }, 'original', 'the only one'],
  ] as const)('when %s', (_, options, limits, quality, reason) => {
    const chosen = chooseQuality(options, { ...FREE, ...limits });
    expect(chosen).toMatchObject({ quality, reason: expect.stringContaining(reason) });
  });

  test('what cannot be played is not chosen, and nothing is nothing', () => {
    const torrent = { ...option('torrent-1', 2160, 1), isPlayable: false };
    expect(chooseQuality([torrent, ...LADDER], FREE)?.quality).toBe('original');
    expect(chooseQuality([torrent], FREE)).toBeNull();
    expect(chooseQuality([], FREE)).toBeNull();
  });
});

describe('readHeight()', () => {
  test.each([
    ['720p', 720],
    ['720', 720],
    ['best', null],
    ['99p', null],
    ['', null],
    [null, null],
    ['720p; x', null],
  ] as const)('%p', (text, height) => expect(readHeight(text)).toBe(height));
});

describe('AutoQualities', () => {
  const hints = { player: 'tv', asked: null, preferred: null, device: null };
  const source = { id: 1 } as MediaSource;

  function setUp() {
    const clock = new FakeClock();
    const state = {
      throughput: 40_000_000 as number | null,
      maxHeight: null as number | null,
      learnt: 0,
      isKnown: true,
    };
    const row = { refusal: null, removedAt: null, totalBytes: null, cachedBytes: null, sizeBytes: null };
    const qualities = LADDER.map((known) => ({ ...row, ...known }));
    const item = { qualities, durationMs: 1 } as unknown as LibraryItem;
    const auto = new AutoQualities({
      findItem: async () => (state.isKnown ? item : null),
      learn: async () => {
        state.learnt += 1;
      },
      throughputOf: () => state.throughput,
      maxHeight: () => state.maxHeight,
      clock,
    });
    return { auto, state, clock };
  }

  test('a player keeps its quality, another one gets what is best now', async () => {
    const { auto, state, clock } = setUp();
    expect((await auto.choose(source, 'a', hints)).quality).toBe('original');
    state.throughput = 5_500_000;
    expect((await auto.choose(source, 'a', hints)).quality).toBe('original');
    expect((await auto.choose(source, 'a', { ...hints, player: 'phone' })).quality).toBe('720p');
    expect((await auto.choose(source, 'b', hints)).quality).toBe('720p');
    await clock.run(AUTO_QUALITY_MS + 1);
    expect((await auto.choose(source, 'a', hints)).quality).toBe('720p');
  });

  test('the lowest of all limits holds, and says whose it is', async () => {
    const { auto, state } = setUp();
    state.maxHeight = 1080;
    expect(await auto.choose(source, 'a', hints)).toMatchObject({
      quality: '1080p',
      reason: expect.stringContaining('by the settings'),
    });
    const limits = { asked: 720, preferred: 480, device: 1080 };
    const chosen = await auto.choose(source, 'a', { ...hints, ...limits });
    expect(chosen).toMatchObject({ quality: '480p', reason: expect.stringContaining('as you prefer') });
  });

  test('what is not known is asked of its source, and is an error when it is not there either', async () => {
    const { auto, state } = setUp();
    state.isKnown = false;
    const error = await auto.choose(source, 'a', hints).catch((thrown: LarderError) => thrown);
    expect(error).toMatchObject({ code: 'not-found' });
    expect(state.learnt).toBe(1);
  });
});
