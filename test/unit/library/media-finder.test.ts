// What a stream address names, when its source has to be asked and does not answer.
import { expect, test } from 'bun:test';
import { LarderError } from '../../../src/errors.ts';
import { MediaFinder } from '../../../src/library/media-finder.ts';
import { READER_WAIT_MAX_MS, UNLISTED_IN_A_ROW, UNLISTED_PERIOD_MS, UNLISTED_TRUST_MS } from '../../../src/limits.ts';
import { createLog } from '../../../src/log.ts';
import type { MediaSource } from '../../../src/sources/media-source.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test('find() says within the promised time that the source does not answer, to all who wait for it', async () => {
  const clock = new FakeClock();
  let asked = 0;
  const source = {
    id: 1,
    name: 'attic',
    kind: 'plex',
    ladder: [],
    target: { options: {} },
    readItem: (_: string, signal: AbortSignal) => {
      asked += 1;
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new LarderError('stopped', 'called off')));
      });
    },
  } as unknown as MediaSource;
  const finder = new MediaFinder({
    media: { findVariant: async () => null },
    catalogue: { findQuality: async () => null, noteItem: async () => undefined },
    entries: { find: async () => null, listPieceIds: async () => [] },
    clock,
    log: createLog({ level: 'error', write: () => undefined, nowMs: () => 0 }),
  });
  const found = [1, 2].map(() => finder.find(source, '4711', 'original').catch((error: unknown) => error));
  await clock.run(READER_WAIT_MAX_MS);
  for (const error of await Promise.all(found)) {
    expect([(error as LarderError).code, String(error)]).toEqual(['origin-silent', expect.stringContaining('attic')]);
  }
  expect(asked).toBe(1);
  expect(clock.pendingCount).toBe(0);
});

function finderOf(
  read: (key: string) => Promise<unknown>,
  kind = 'plex',
  isListed = false,
  noteItem: () => Promise<void> = async () => undefined,
) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const source = {
    id: 1,
    name: 'attic',
    kind,
    ladder: [],
    target: { options: {} },
    describe: (path: string) => ({ path }),
    readItem: (key: string) => {
      asked.push(key);
      return read(key);
    },
  } as unknown as MediaSource;
  const row = { path: 'Film/film:original', refusal: null, container: null, sizeBytes: null, stamp: null };
  const listed = { row: isListed ? row : null };
  const finder = new MediaFinder({
    media: { findVariant: async () => listed.row as never },
    catalogue: { findQuality: async () => null, noteItem },
    entries: { find: async () => null, listPieceIds: async () => [] },
    clock,
    log: createLog({ level: 'error', write: () => undefined, nowMs: () => 0 }),
  });
  const find = (key: string, quality = 'original') =>
    finder.find(source, key, quality).then(
      ({ path }) => path,
      (error: unknown) => (error instanceof LarderError ? error.code : String(error)),
    );
  return { clock, asked, find, listed, row };
}

test('find() asks once in a while for what is not there, whatever quality of it is named', async () => {
  const { find, asked, clock } = finderOf(async () => null);
  expect([await find('4711'), await find('4711', '720p'), await find('4711', '480p')]).toEqual([
    'not-found',
    'not-found',
    'not-found',
  ]);
  expect(asked).toEqual(['4711']);
  await clock.run(UNLISTED_TRUST_MS);
  await find('4711');
  expect(asked.length).toBe(2);
});

test('find() puts no more questions to a source than it bears, whatever somebody tries', async () => {
  const { find, asked, clock } = finderOf(async () => null);
  const tried: string[] = [];
  for (let key = 0; key < 200; key += 1) tried.push(await find(String(key)));
  expect(asked.length).toBe(UNLISTED_IN_A_ROW);
  expect(tried.at(-1)).toBe('overloaded');
  await clock.run(10 * UNLISTED_PERIOD_MS);
  for (let key = 300; key < 400; key += 1) await find(String(key));
  expect(asked.length).toBe(UNLISTED_IN_A_ROW + 10);
  const slow = finderOf(() => new Promise(() => undefined));
  const waiting = Array.from({ length: 100 }, (_, key) => slow.find(String(key)));
  expect(await waiting[99]).toBe('overloaded');
  expect(slow.asked.length).toBe(8);
});

test('find() does not hold a film of an add-on for a file for good because the add-on was away for a moment', async () => {
  const answers = [
    Promise.reject(new LarderError('origin-failed', 'away', { retry: 'soon' })),
    Promise.resolve({ items: [] }),
  ];
  answers[0]?.catch(() => undefined);
  const { find, asked, listed, row } = finderOf(() => answers.shift()!, 'stremio', true);
  expect(await find('film')).toBe('Film/film:original');
  Object.assign(listed, { row: { ...row, path: 'Film/film:original.m3u8' } });
  expect(await find('film')).toBe('Film/film:original.m3u8');
  expect(asked.length).toBe(2);
});

test('find() plays what the source says also where the database takes nothing', async () => {
  const items = [{ mediaKey: 'film', quality: 'original', path: 'Film/film:original.mkv' }];
  const full = () => Promise.reject(new Error('database or disk is full'));
  const { find } = finderOf(async () => ({ items }), 'plex', false, full);
  expect(await find('film')).toBe('Film/film:original.mkv');
});

test('find() asks again for a film of which an add-on had nothing to play, before it says so', async () => {
  const { find, asked, listed, row } = finderOf(async () => ({ items: [] }), 'stremio', true);
  Object.assign(listed, { row: { ...row, refusal: 'the add-on has no stream of it at the moment' } });
  expect([await find('film'), asked.length]).toEqual(['origin-refused', 1]);
  Object.assign(listed, { row });
  expect(await find('film')).toBe('Film/film:original');
});
