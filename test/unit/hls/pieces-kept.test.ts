// Pieces in the engine, on a virtual clock: what is fetched ahead gives way to who waits, and a playlist goes with its
// pieces, but none that is read.
import { expect, test } from 'bun:test';
import { Priority } from '../../../src/chunks/fetch-scheduler.ts';
import { AheadFetcher } from '../../../src/proxy/hls/ahead-fetcher.ts';
import { fetchPieces } from '../../../src/proxy/hls/piece-fetcher.ts';
import { parseCataloguePath } from '../../../src/sources/catalogue-path.ts';
import type { MediaAddress } from '../../../src/sources/media-address.ts';
import { drainReader, type Engine, type EngineOptions, startEngine } from '../../support/engine.ts';

const PIECE_BYTES = 400_000;
const NONE = new AbortController().signal;

interface Film extends AsyncDisposable {
  readonly engine: Engine;
  readonly pieces: readonly MediaAddress[];
  readonly wholeId: number;
  /** Opens a piece as a player does. */
  read(at: number): Promise<ReturnType<Awaited<ReturnType<Engine['open']>>['openReader']>>;
}

async function startFilm(count: number, options: EngineOptions = {}): Promise<Film> {
  const engine = await startEngine(options);
  const whole = parseCataloguePath('Film/film:720p.m3u8');
  const { entryId } = await engine.cache.entries.ensure({ ...whole, sourceId: engine.source.id }, 1);
  const pieces = Array.from({ length: count }, (_, at) => parseCataloguePath(`Film/film:720p~1f0c33a9-${at}.ts`));
  for (const [seed, { path }] of pieces.entries()) {
    engine.origin.files.set(path, { sizeBytes: PIECE_BYTES, seed, etag: null });
  }
  return {
    engine,
    pieces,
    wholeId: entryId,
    async read(at) {
      const file = await engine.manager.open(engine.source, pieces[at]!, { spec: null, probe: false, signal: NONE });
      return file.openReader({ start: 0, end: PIECE_BYTES }, false, { address: 'test', player: 'test' });
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

function parts({ engine }: Film, priority: Priority = Priority.high) {
  return { manager: engine.manager, source: engine.source, priority };
}

/** What was fetched is recorded, and nobody uses it. */
function quiet({ engine }: Film): Promise<void> {
  return engine.until(() => [...engine.manager.files()].every((file) => !file.isUsed));
}

function debugLog() {
  return { debug: () => undefined } as unknown as ConstructorParameters<typeof AheadFetcher>[1];
}

function startsOf({ engine, pieces }: Film): number[] {
  return engine.origin.requests.map(({ path }) => pieces.findIndex((piece) => piece.path === path));
}

test('what is fetched ahead takes no connection from who waits, and goes on where the player joins it', async () => {
  await using film = await startFilm(4, { connectionsPerSource: 1 });
  const { engine } = film;
  engine.origin.fault = () => ({ bytesPerMs: 100 });
  const reader = await engine.finish(film.read(0));
  const ahead = new AheadFetcher(parts(film), debugLog());
  ahead.moveTo('player', film.pieces[0]!.quality, film.pieces.slice(1));
  const bytes = await engine.finish(drainReader(reader));
  expect(bytes).toHaveLength(PIECE_BYTES);
  reader.close();
  expect(startsOf(film).filter((at) => at === 0)).toHaveLength(1);
  await engine.until(() => startsOf(film).includes(1));
  // The player comes to what is just being fetched.
  ahead.moveTo('player', film.pieces[1]!.quality, film.pieces.slice(2));
  const second = await engine.finish(film.read(1));
  expect(await engine.finish(drainReader(second))).toHaveLength(PIECE_BYTES);
  second.close();
  await engine.until(() => engine.liveDownloads === 0 && startsOf(film).length === 4);
  expect(startsOf(film)).toEqual([0, 1, 2, 3]);
});

test('who waits for a piece that is being opened ahead of another player is not kept waiting behind others', async () => {
  await using film = await startFilm(3, { connectionsPerSource: 1 });
  const { engine } = film;
  engine.origin.fault = () => ({ bytesPerMs: 50 });
  const busy = await engine.finish(film.read(0));
  const abort = new AbortController();
  const fetching = fetchPieces([film.pieces[1]!], parts(film), abort.signal);
  await engine.until(() => engine.queue.waitingCount === 1);
  const opening = film.read(1);
  const joined = await engine.finish(opening);
  expect(await engine.finish(drainReader(joined))).toHaveLength(PIECE_BYTES);
  await engine.finish(fetching);
  joined.close();
  busy.close();
});

test('one that fails is not followed by all others, and what nobody wants any more is called off', async () => {
  await using film = await startFilm(4);
  const { engine } = film;
  engine.origin.fault = (path) => (path === film.pieces[1]!.path ? { status: 403 } : {});
  const ahead = new AheadFetcher(parts(film), debugLog());
  ahead.moveTo('player', film.pieces[0]!.quality, film.pieces.slice(1));
  await engine.until(() => startsOf(film).includes(1) && engine.liveDownloads === 0);
  expect(startsOf(film)).toEqual([1]);
  engine.origin.fault = () => ({ bytesPerMs: 1 });
  ahead.moveTo('player', film.pieces[1]!.quality, film.pieces.slice(2));
  await engine.until(() => startsOf(film).includes(2));
  // Another one plays elsewhere: the first leaving changes nothing for it.
  ahead.moveTo('other', film.pieces[1]!.quality, film.pieces.slice(2));
  ahead.leave('player', film.pieces[0]!.quality);
  ahead.leave('player', film.pieces[1]!.quality);
  expect(engine.liveDownloads).toBe(1);
  ahead.leave('other', film.pieces[1]!.quality);
  await engine.until(() => engine.liveDownloads === 0, 1_000);
  ahead.stop();
  expect(startsOf(film)).toEqual([1, 2]);
});

test('fetching all ends with the first failure, and when it is called off', async () => {
  await using film = await startFilm(5);
  const { engine } = film;
  engine.origin.fault = (path) => (path === film.pieces[2]!.path ? { status: 404 } : { bytesPerMs: 10 });
  const failure = await engine.finish(fetchPieces(film.pieces, parts(film), NONE).catch((error: unknown) => error));
  expect(failure).toMatchObject({ code: 'not-found' });
  expect(startsOf(film)).not.toContain(4);
  const abort = new AbortController();
  const fetching = fetchPieces(film.pieces.slice(3), parts(film), abort.signal).catch((error: unknown) => error);
  await engine.until(() => startsOf(film).includes(4));
  abort.abort();
  expect(await engine.finish(fetching)).toMatchObject({ code: 'stopped' });
  await engine.until(() => engine.liveDownloads === 0, 1_000);
});

test('a playlist goes with its pieces, but none that somebody reads, and neither goes without the other', async () => {
  await using film = await startFilm(3);
  const { engine, wholeId } = film;
  await engine.finish(fetchPieces(film.pieces, parts(film), NONE));
  const reader = await engine.finish(film.read(1));
  expect(await engine.finish(engine.manager.evict(wholeId))).toBeNull();
  expect(await engine.finish(engine.manager.remove(wholeId))).toBe(false);
  expect(await engine.cache.entries.listPieceIds(wholeId)).toHaveLength(3);
  reader.close();
  await quiet(film);
  expect(await engine.finish(engine.manager.evict(wholeId))).toBe(3 * PIECE_BYTES);
  expect(await engine.cache.rows('SELECT id FROM cache_entries')).toEqual([]);
  expect(engine.store.writtenBytes).toBe(0);
});

test('a pinned playlist keeps its pieces; one that was dropped does not', async () => {
  await using film = await startFilm(2);
  const { engine, wholeId } = film;
  await engine.finish(fetchPieces(film.pieces, parts(film), NONE));
  await quiet(film);
  expect(await engine.manager.setPinned(wholeId, true)).toBe(true);
  expect(await engine.finish(engine.manager.evict(wholeId))).toBeNull();
  expect(await engine.cache.entries.listEvictable(10, null)).toEqual([]);
  await engine.cache.entries.setRemoved(wholeId, 5);
  expect(await engine.cache.entries.listEvictable(10, null)).toMatchObject([{ entryId: wholeId, isRemoved: true }]);
  expect(await engine.finish(engine.manager.evict(wholeId))).toBe(2 * PIECE_BYTES);
});

test('whoever begins to read while it is being evicted is served, and what is left goes another time', async () => {
  await using film = await startFilm(6);
  const { engine, wholeId } = film;
  await engine.finish(fetchPieces(film.pieces, parts(film), NONE));
  await quiet(film);
  const evicting = engine.manager.evict(wholeId);
  const reading = film.read(5);
  const reader = await engine.finish(reading);
  const bytes = await engine.finish(drainReader(reader));
  expect(bytes).toHaveLength(PIECE_BYTES);
  await engine.finish(evicting);
  reader.close();
  await quiet(film);
  // Whatever is there can be found by its playlist.
  const left = await engine.cache.rows("SELECT quality FROM cache_entries WHERE instr(quality, '~') > 0");
  const [whole] = await engine.cache.entries.listEvictable(10, null);
  if (left.length > 0)
    expect(await engine.finish(engine.manager.evict(whole!.entryId))).toBe(left.length * PIECE_BYTES);
  expect(await engine.cache.rows("SELECT quality FROM cache_entries WHERE instr(quality, '~') > 0")).toEqual([]);
});

test('a player of pieces does not count each of them as used, and no piece is compared with its origin again', async () => {
  await using film = await startFilm(2, { recheckAfterMs: 1_000 });
  const { engine } = film;
  await engine.finish(fetchPieces(film.pieces, parts(film), NONE));
  await quiet(film);
  const before = engine.origin.requests.length;
  await engine.clock.run(10_000);
  const reader = await engine.finish(film.read(0));
  await engine.finish(drainReader(reader));
  reader.close();
  await engine.clock.run(10_000);
  expect(engine.origin.requests).toHaveLength(before);
  expect(engine.uses.take().size).toBe(0);
});
