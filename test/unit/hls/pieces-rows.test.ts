// Rows of playlists and their pieces: when one is whole, what goes with what, and what counting them costs.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { type PlaylistRow, PlaylistTable } from '../../../src/db/playlists.ts';
import { parseCataloguePath } from '../../../src/sources/catalogue-path.ts';
import { type CacheDatabase, generationOf, NOW_MS, openCacheDatabase } from '../../support/cache-database.ts';

const SIGNATURE = '1f0c33a9';
const PIECE_BYTES = 1_000;

let cache: CacheDatabase;
let playlists: PlaylistTable;
let sourceId: number;

beforeEach(async () => {
  cache = await openCacheDatabase();
  playlists = new PlaylistTable(cache.database.tables);
  sourceId = (await cache.sources.ensure('jf', 'jellyfin', 'http://server/', NOW_MS)).id;
});
afterEach(() => cache[Symbol.asyncDispose]());

function ensure(quality: string, container = 'ts', nowMs = NOW_MS) {
  const path = `A film (2020)/film:${quality}.${container}`;
  return cache.entries.ensure({ ...parseCataloguePath(path), sourceId }, nowMs);
}

async function putPiece(
  name: string,
  bytes = PIECE_BYTES,
  signature = SIGNATURE,
): Promise<{ entryId: number; generationId: number }> {
  const { entryId } = await ensure(`720p~${signature}-${name}`);
  const { generation } = await cache.generations.create(
    generationOf(entryId, `jf/${signature}-${name}.ts`, { totalBytes: PIECE_BYTES }),
    NOW_MS,
  );
  if (bytes > 0) await cache.generations.recordRange(generation.id, { start: 0, end: bytes }, [], NOW_MS);
  return { entryId, generationId: generation.id };
}

function playlist(mediaId: number, details: Partial<PlaylistRow> = {}): PlaylistRow {
  const row = {
    quality: '720p',
    name: '',
    kind: 'media' as const,
    body: '#EXTM3U\n',
    signature: SIGNATURE,
    pieceCount: 2,
  };
  return { ...row, mediaId, fetchedAt: NOW_MS, ...details };
}

async function availability(): Promise<unknown> {
  return (await cache.rows('SELECT availability FROM media_statistics'))[0]?.availability;
}

test('a playlist is whole when all of its pieces are, and no longer when one goes, in part or altogether', async () => {
  const { entryId, mediaId } = await ensure('720p', 'm3u8');
  expect(await playlists.recordWhole(entryId)).toBe(false);
  await playlists.put(playlist(mediaId));
  await putPiece('0');
  await putPiece('i0', PIECE_BYTES - 1);
  // Of the old cut: they count for nothing.
  await putPiece('1', PIECE_BYTES, '00000000');
  expect(await playlists.recordWhole(entryId)).toBe(false);
  expect([await playlists.isWhole(entryId), await availability()]).toEqual([false, 'partly']);
  const { entryId: lastId } = await putPiece('1');
  await cache.entries.remove((await ensure(`720p~${SIGNATURE}-i0`)).entryId);
  expect(await playlists.recordWhole(entryId)).toBe(true);
  expect([await playlists.isWhole(entryId), await availability()]).toEqual([true, 'whole']);
  await cache.entries.remove(lastId);
  expect([await playlists.isWhole(entryId), await availability()]).toEqual([false, 'partly']);

  const { generationId } = await putPiece('1');
  expect(await playlists.recordWhole(entryId)).toBe(true);
  await cache.generations.loseRange(generationId, [{ start: 10, end: PIECE_BYTES }], { start: 0, end: 10 }, NOW_MS);
  expect([await playlists.isWhole(entryId), await availability()]).toEqual([false, 'partly']);
});

test('a playlist that is cut otherwise is not whole', async () => {
  const { entryId, mediaId } = await ensure('720p', 'm3u8');
  await playlists.put(playlist(mediaId, { pieceCount: 1 }));
  await putPiece('0');
  expect(await playlists.recordWhole(entryId)).toBe(true);
  await playlists.put(playlist(mediaId, { pieceCount: 1, fetchedAt: NOW_MS + 1 }));
  expect(await playlists.isWhole(entryId)).toBe(true);
  await playlists.put(playlist(mediaId, { pieceCount: 1, signature: 'aaaaaaaa' }));
  expect(await playlists.isWhole(entryId)).toBe(false);
  expect(await playlists.recordWhole(entryId)).toBe(false);
});

test('what a playlist points to no longer is not counted, and goes', async () => {
  const { entryId, mediaId } = await ensure('720p', 'm3u8');
  await playlists.put(playlist(mediaId, { kind: 'master', signature: '', pieceCount: 0 }), ['m0', 'm1']);
  await playlists.put(playlist(mediaId, { name: 'm0', pieceCount: 1 }));
  await playlists.put(playlist(mediaId, { name: 'm1', pieceCount: 1, signature: 'bbbbbbbb' }));
  await putPiece('0');
  expect(await playlists.recordWhole(entryId)).toBe(false);
  await putPiece('0', PIECE_BYTES, 'bbbbbbbb');
  expect(await playlists.recordWhole(entryId)).toBe(true);
  await playlists.put(playlist(mediaId, { kind: 'master', signature: '', pieceCount: 0 }), ['m0']);
  expect((await playlists.list(sourceId, 'film', '720p')).map(({ name }) => name).sort()).toEqual(['', 'm0']);
  expect(await playlists.list(sourceId, 'film', '480p')).toEqual([]);
});

test('a piece always has the playlist that it goes with, wherever it came from', async () => {
  await putPiece('0');
  const entries = await cache.rows('SELECT quality FROM cache_entries ORDER BY quality');
  expect(entries.map(({ quality }) => quality)).toEqual(['720p', `720p~${SIGNATURE}-0`]);
  expect(
    await cache.rows("SELECT path, container, delivery FROM cache_quality_variants WHERE quality = '720p'"),
  ).toEqual([{ path: 'A film (2020)/film:720p.m3u8', container: 'm3u8', delivery: 'hls' }]);
  const [evictable] = await cache.entries.listEvictable(10, null);
  expect(evictable).toMatchObject({ path: 'A film (2020)/film:720p.m3u8' });
  const pieceIds = await cache.entries.listPieceIds(evictable!.entryId);
  expect(pieceIds).toHaveLength(1);
  expect(await cache.entries.findSummary(evictable!.entryId)).toMatchObject({ cachedBytes: PIECE_BYTES });
  // It stays as long as there is one, and goes with the last.
  await cache.entries.remove(evictable!.entryId);
  expect(await cache.entries.listPieceIds(evictable!.entryId)).toEqual(pieceIds);
  await cache.entries.remove(pieceIds[0]!);
  expect(await cache.entries.listEvictable(10, null)).toEqual([]);
  await cache.entries.remove(evictable!.entryId);
  expect(await cache.rows('SELECT id FROM cache_entries')).toEqual([]);
  expect(await availability()).toBe('none');
});

test('pieces are of their own quality and source only', async () => {
  const { entryId } = await ensure('720p', 'm3u8');
  await ensure('720p-2', 'm3u8');
  for (const quality of [`720p-2~${SIGNATURE}-0`, '~poster', `1720p~${SIGNATURE}-0`]) await ensure(quality);
  const other = (await cache.sources.ensure('other', 'jellyfin', 'http://other/', NOW_MS)).id;
  const path = parseCataloguePath(`A film/film:720p~${SIGNATURE}-0.ts`);
  await cache.entries.ensure({ ...path, sourceId: other }, NOW_MS);
  expect(await cache.entries.listPieceIds(entryId)).toEqual([]);
  const { entryId: pieceId } = await putPiece('0');
  expect(await cache.entries.listPieceIds(entryId)).toEqual([pieceId]);
  expect(await cache.entries.listPieceIds(pieceId)).toEqual([]);
});

test('lists name the film once, whatever the number of its pieces', async () => {
  await ensure('720p', 'm3u8', NOW_MS + 5);
  for (let at = 0; at < 60; at++) await putPiece(String(at));
  expect((await cache.entries.listRecent(50, null)).map(({ quality }) => quality)).toEqual(['720p']);
  expect(await cache.entries.listEvictable(50, null)).toHaveLength(1);
  expect(await cache.entries.findNewestUse()).toBe(NOW_MS + 5);
  const { mediaId } = await ensure('720p', 'm3u8');
  expect(await playlists.sumPieces([mediaId])).toEqual([
    { mediaId, quality: '720p', pieceCount: 60, wholeCount: 60, cachedBytes: 60 * PIECE_BYTES },
  ]);
});

test('a piece costs as much with a thousand others as with none', async () => {
  const timeOf = async (from: number, count: number) => {
    const startedAt = performance.now();
    for (let at = from; at < from + count; at++) await putPiece(String(at));
    return (performance.now() - startedAt) / count;
  };
  await timeOf(0, 50);
  const first = await timeOf(50, 150);
  await timeOf(200, 1_000);
  const last = await timeOf(1_200, 150);
  expect(last).toBeLessThan(first * 4 + 2);
  const { entryId } = await ensure('720p', 'm3u8');
  const startedAt = performance.now();
  expect(await cache.entries.listEvictable(50, null)).toHaveLength(1);
  expect(await cache.entries.listPieceIds(entryId)).toHaveLength(1_350);
  expect(performance.now() - startedAt).toBeLessThan(500);
}, 60_000);
