// The engine from open to the last byte, in virtual time: see test/support/engine.ts for what is real in it.
import { describe, expect, test } from 'bun:test';
import { LarderError } from '../../src/errors.ts';
import { CONTAINER_EDGE_BYTES, IDLE_FILES_MAX, READER_WAIT_MAX_MS } from '../../src/limits.ts';
import { assertContent } from '../support/content.ts';
import { drainReader, type Engine, startEngine } from '../support/engine.ts';

const MIB = 2 ** 20;

function addFile(engine: Engine, path: string, sizeBytes: number, details: object = {}): void {
  engine.origin.files.set(path, { sizeBytes, seed: path.length + sizeBytes, etag: '"v1"', ...details });
}

function seedOf(engine: Engine, path: string): number {
  return engine.origin.files.get(path)!.seed;
}

async function failure(promise: Promise<unknown>): Promise<LarderError> {
  const thrown = await promise.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
  if (!(thrown instanceof LarderError)) throw thrown;
  return thrown;
}

/** Nothing is asked, written or waited for any more. */
function isQuiet(engine: Engine): boolean {
  return engine.liveDownloads === 0 && engine.queue.runningCount === 0 && engine.queue.waitingCount === 0;
}

/** Waits for that, and for what was still to be told and recorded. */
async function comeToRest(engine: Engine): Promise<void> {
  await engine.until(() => isQuiet(engine));
  await engine.clock.run(10);
}

describe('ChunkManager', () => {
  test('open() and a reader give the bytes of the origin when nothing is known', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.mkv', 9 * MIB + 5);
    const reader = await engine.finish(engine.read('a.mkv', 0, null));
    expect(reader.cacheStatus).toBe('MISS');
    assertContent(await engine.finish(drainReader(reader)), seedOf(engine, 'a.mkv'), 0);
    reader.close();
    await comeToRest(engine);
    expect((await engine.finish(engine.open('a.mkv'))).isComplete).toBe(true);
  });

  test('open() asks the origin at the exact offset that the first client wants', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.mkv', 100 * MIB);
    const reader = await engine.finish(engine.read('a.mkv', 77 * MIB + 3, null));
    expect(engine.origin.requests[0]!.range).toEqual({ kind: 'from', start: 77 * MIB + 3, end: null });
    assertContent(await engine.finish(drainReader(reader, 100)), seedOf(engine, 'a.mkv'), 77 * MIB + 3);
    reader.close();
  });

  test('invariant 5: open() and readers of the same bytes share one request when twenty come at once', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.mkv', 3 * MIB, {});
    const readers = await engine.finish(Promise.all(Array.from({ length: 20 }, () => engine.read('a.mkv', 0, null))));
    const bodies = await engine.finish(Promise.all(readers.map((reader) => drainReader(reader))));
    for (const body of bodies) assertContent(body, seedOf(engine, 'a.mkv'), 0);
    expect(bodies.every((body) => body.length === 3 * MIB)).toBe(true);
    expect(engine.origin.bodyBytes).toBeLessThanOrEqual(3 * MIB + 2 * CONTAINER_EDGE_BYTES);
  });

  test('invariant 5: a fetch is given up within a second when its reader leaves, and what it brought is kept', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.bin', 500 * MIB);
    const reader = await engine.finish(engine.read('a.bin', 0, null));
    await engine.finish(drainReader(reader, 4 * MIB));
    reader.close();
    const leftAtMs = engine.clock.monotonicMs();
    await engine.until(() => engine.origin.openCount === 0);
    expect(engine.clock.monotonicMs() - leftAtMs).toBeLessThanOrEqual(1_000);
    await comeToRest(engine);
    const again = await engine.finish(engine.read('a.bin', 0, 4 * MIB));
    expect(again.cacheStatus).toBe('HIT');
  });

  test('a bounded probe pulls no more than its bytes when it is the first to open a film', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.mkv', 500 * MIB);
    const reader = await engine.finish(engine.read('a.mkv', 0, 4_096));
    assertContent(await engine.finish(drainReader(reader)), seedOf(engine, 'a.mkv'), 0);
    reader.close();
    await comeToRest(engine);
    expect(engine.origin.bodyBytes).toBe(4_096);
  });

  test('open() as a probe makes the entry known and starts no download', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.mkv', 500 * MIB);
    const file = await engine.finish(engine.open('a.mkv', null, { probe: true }));
    expect(file.totalBytes).toBe(500 * MIB);
    await comeToRest(engine);
    expect(engine.origin.bodyBytes).toBeLessThanOrEqual(1);
    expect(engine.origin.requests.length).toBe(1);
  });

  test('open() knows an empty file when the origin answers 416 to it', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.mkv', 0);
    const file = await engine.finish(engine.open('a.mkv', { kind: 'from', first: 0, last: null }));
    expect([file.totalBytes, file.isComplete]).toEqual([0, true]);
  });

  test('open() tries again and succeeds when the origin fails for a moment', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.mkv', MIB);
    engine.origin.fault = (_, count) => (count === 0 ? { refused: true } : count === 1 ? { status: 502 } : {});
    const reader = await engine.finish(engine.read('a.mkv', 0, null));
    assertContent(await engine.finish(drainReader(reader)), seedOf(engine, 'a.mkv'), 0);
    reader.close();
  });

  test('open() fails at once for good when the file is not there, and asks again the next time', async () => {
    await using engine = await startEngine();
    expect(await failure(engine.finish(engine.open('none.mkv')))).toMatchObject({
      code: 'not-found',
      originStatus: 404,
    });
    expect(engine.origin.requests.length).toBe(1);
    addFile(engine, 'none.mkv', 10);
    expect((await engine.finish(engine.open('none.mkv'))).totalBytes).toBe(10);
  });

  test('invariant 4: open() ends for all who wait when the origin never answers', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.mkv', MIB);
    engine.origin.fault = () => ({ silent: true });
    const startedAtMs = engine.clock.monotonicMs();
    const errors = await engine.finish(Promise.all([1, 2, 3].map(() => failure(engine.open('a.mkv')))));
    for (const error of errors) expect(error.code).toBe('origin-silent');
    expect(engine.clock.monotonicMs() - startedAtMs).toBeLessThanOrEqual(READER_WAIT_MAX_MS);
    await comeToRest(engine);
  });

  test('invariant 4: open() tells who came late nothing that is due to who came first', async () => {
    await using engine = await startEngine({ connectionsPerSource: 1 });
    // It takes no turns with others, and keeps the only connection of the source.
    addFile(engine, 'long.mkv', MIB, { sequential: true });
    addFile(engine, 'a.mkv', MIB);
    engine.origin.fault = (path) => (path === 'long.mkv' ? { bytesPerMs: 8 } : {});
    const long = await engine.finish(engine.read('long.mkv', 0, null));
    const played = drainReader(long).catch(() => undefined);
    const first = failure(engine.open('a.mkv'));
    await engine.clock.run(READER_WAIT_MAX_MS - 10_000);
    const lateAtMs = engine.clock.monotonicMs();
    let isLateOver = false;
    const late = engine.read('a.mkv', 0, null).finally(() => {
      isLateOver = true;
    });
    expect((await engine.finish(first)).code).toBe('overloaded');
    expect(engine.clock.monotonicMs() - lateAtMs).toBe(10_000);
    await engine.clock.run(20_000);
    expect(isLateOver).toBe(false);
    long.close();
    const reader = await engine.finish(late);
    assertContent(await engine.finish(drainReader(reader)), seedOf(engine, 'a.mkv'), 0);
    reader.close();
    await played;
  });

  test('invariant 4: the wait for an opening and that for its first byte are one', async () => {
    await using engine = await startEngine({ connectionsPerSource: 1 });
    addFile(engine, 'long.mkv', MIB, { sequential: true });
    addFile(engine, 'a.mkv', MIB);
    engine.origin.fault = (path) => (path === 'long.mkv' ? { bytesPerMs: 8 } : { stallAfterBytes: 0 });
    const long = await engine.finish(engine.read('long.mkv', 0, null));
    const played = drainReader(long).catch(() => undefined);
    const askedAtMs = engine.clock.monotonicMs();
    const opening = engine.read('a.mkv', 0, null);
    await engine.clock.run(READER_WAIT_MAX_MS - 5_000);
    long.close();
    const reader = await engine.finish(opening);
    const error = await failure(engine.finish(drainReader(reader)));
    expect(error.code).toBe('origin-silent');
    expect(engine.clock.monotonicMs() - askedAtMs).toBeLessThanOrEqual(40_000);
    reader.close();
    await played;
  });

  test('invariant 4: a reader hears in time, however much comes elsewhere in its file', async () => {
    await using engine = await startEngine({ connectionsPerSource: 1 });
    addFile(engine, 'a.mkv', 40 * MIB);
    engine.origin.fault = () => ({ bytesPerMs: 100 });
    const first = await engine.finish(engine.read('a.mkv', 0, 8 * MIB));
    const played = drainReader(first).catch(() => undefined);
    // It is over while the first one still has its bytes coming.
    engine.origin.fault = (_, count) => (count % 2 === 1 ? { silent: true } : { bytesPerMs: 100 });
    const askedAtMs = engine.clock.monotonicMs();
    const second = await engine.finish(engine.read('a.mkv', 30 * MIB, 31 * MIB));
    const error = await failure(engine.finish(drainReader(second)));
    expect(['origin-silent', 'overloaded']).toContain(error.code);
    expect(engine.clock.monotonicMs() - askedAtMs).toBeLessThanOrEqual(40_000);
    second.close();
    first.close();
    await played;
  });

  test('a reader far ahead in a file without ranges waits as long as the file comes nearer', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.mkv', 10 * MIB, { sequential: true });
    engine.origin.fault = () => ({ bytesPerMs: 100 });
    const first = await engine.finish(engine.read('a.mkv', 0, 1));
    await engine.finish(drainReader(first));
    const far = await engine.finish(engine.read('a.mkv', 9 * MIB, null));
    const askedAtMs = engine.clock.monotonicMs();
    assertContent(await engine.finish(drainReader(far)), seedOf(engine, 'a.mkv'), 9 * MIB);
    expect(engine.clock.monotonicMs() - askedAtMs).toBeGreaterThan(2 * READER_WAIT_MAX_MS);
    first.close();
    far.close();
  });

  test('invariant 4: open() gives its connection back when everybody left', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.mkv', MIB);
    engine.origin.fault = () => ({ silent: true });
    const aborts = [new AbortController(), new AbortController()];
    const openings = aborts.map((abort) => failure(engine.open('a.mkv', null, { signal: abort.signal })));
    await engine.until(() => engine.origin.openCount === 1);
    aborts[0]!.abort();
    await engine.clock.run(10);
    expect(engine.origin.openCount).toBe(1);
    aborts[1]!.abort();
    expect((await engine.finish(Promise.all(openings))).map((error) => error.code)).toEqual(['stopped', 'stopped']);
    await engine.until(() => isQuiet(engine), 1_000);
  });

  test('open() asks nothing of the origin when everybody left while the rows were looked up', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.mkv', MIB);
    const abort = new AbortController();
    const opening = failure(engine.open('a.mkv', null, { signal: abort.signal }));
    abort.abort();
    expect((await engine.finish(opening)).code).toBe('stopped');
    await comeToRest(engine);
    expect(engine.origin.requests).toEqual([]);
    // Nothing of it stands in the way of who comes next.
    const reader = await engine.finish(engine.read('a.mkv', 0, null));
    assertContent(await engine.finish(drainReader(reader)), seedOf(engine, 'a.mkv'), 0);
    reader.close();
  });

  test('a reader goes on from the byte it has when the connection breaks again and again', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.bin', 5 * MIB);
    engine.origin.fault = () => ({ cutAfterBytes: 700_000 });
    const reader = await engine.finish(engine.read('a.bin', 0, null));
    assertContent(await engine.finish(drainReader(reader)), seedOf(engine, 'a.bin'), 0);
    expect(engine.origin.bodyBytes).toBe(5 * MIB);
    reader.close();
  });

  test('invariant 4: a reader fails in time when the rest does not come, and is served what is cached', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.bin', 50 * MIB);
    engine.origin.fault = (_, count) => (count === 0 ? { cutAfterBytes: MIB } : { refused: true });
    const reader = await engine.finish(engine.read('a.bin', 0, null));
    assertContent(await engine.finish(drainReader(reader, MIB)), seedOf(engine, 'a.bin'), 0);
    const error = await failure(engine.finish(drainReader(reader), READER_WAIT_MAX_MS + 1_000));
    expect(error.code).toBe('origin-failed');
    reader.close();
    const again = await engine.finish(engine.read('a.bin', 0, MIB));
    expect((await engine.finish(drainReader(again))).length).toBe(MIB);
    again.close();
  });

  test('invariant 3: a file that changes at its origin never mixes versions, and the next open gets the new one', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.bin', 20 * MIB);
    engine.origin.fault = (_, count) => (count === 0 ? { cutAfterBytes: MIB } : {});
    const reader = await engine.finish(engine.read('a.bin', 0, null));
    const oldSeed = seedOf(engine, 'a.bin');
    engine.origin.files.set('a.bin', { sizeBytes: 20 * MIB, seed: 99, etag: '"v2"' });
    assertContent(await engine.finish(drainReader(reader, MIB)), oldSeed, 0);
    const error = await failure(engine.finish(drainReader(reader)));
    expect(error.code).toBe('origin-changed');
    const fresh = await engine.finish(engine.read('a.bin', 0, null));
    assertContent(await engine.finish(drainReader(fresh)), 99, 0);
    reader.close();
    fresh.close();
    await comeToRest(engine);
    for (let turn = 0; turn < 5; turn++) await engine.clock.run(1_000);
    // Row first, then file: nothing of the old version is left.
    expect((await engine.cache.rows('SELECT count(*) AS n FROM cache_generations'))[0]).toEqual({ n: 1 });
    const names: string[] = [];
    for await (const name of engine.store.list()) names.push(name);
    expect(names.length).toBe(1);
  });

  test('a stream without length is kept, and its length known, when its end was seen', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.mkv', 3 * MIB + 7, { sequential: true, hideLength: true });
    const file = await engine.finish(engine.open('a.mkv'));
    expect([file.totalBytes, file.seekable]).toEqual([null, false]);
    const reader = file.openReader({ start: 0, end: Number.MAX_SAFE_INTEGER }, false, { address: 'x', player: 'x' });
    const body = await engine.finish(drainReader(reader));
    expect(body.length).toBe(3 * MIB + 7);
    assertContent(body, seedOf(engine, 'a.mkv'), 0);
    reader.close();
    await comeToRest(engine);
    expect([file.totalBytes, file.isComplete]).toEqual([3 * MIB + 7, true]);
  });

  test('a second reader of a sequential origin starts where it wants when the bytes are known', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.mkv', 6 * MIB, { sequential: true });
    const first = await engine.finish(engine.read('a.mkv', 0, null));
    await engine.finish(drainReader(first, MIB));
    first.close();
    await comeToRest(engine);
    const second = await engine.finish(engine.read('a.mkv', 5 * MIB, null));
    assertContent(await engine.finish(drainReader(second)), seedOf(engine, 'a.mkv'), 5 * MIB);
    second.close();
  });

  test('invariant 2: what was recorded is served after a restart without the origin, and what was not is not', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.bin', 20 * MIB);
    engine.origin.fault = () => ({ bytesPerMs: 1_000 });
    const reader = await engine.finish(engine.read('a.bin', 0, null));
    await engine.finish(drainReader(reader, 9 * MIB));
    // The power fails: no fetch is stopped, nothing is closed.
    engine.store.crash();
    await using after = await startEngine({ cache: engine.cache, store: engine.store, seed: 2 });
    after.origin.fault = () => ({ refused: true });
    const file = await after.finish(after.open('a.bin'));
    const durable = engine.store.durableRanges(file.generation.fileName);
    const available = file.available.toArray();
    expect(available.length).toBeGreaterThan(0);
    for (const range of available) {
      expect(durable.contains(range.start, range.end)).toBe(true);
      const again = file.openReader(range, true, { address: 'x', player: 'x' });
      assertContent(await after.finish(drainReader(again)), seedOf(engine, 'a.bin'), range.start);
      again.close();
    }
  });

  test('settle() ends fetches and records what they brought', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.bin', 50 * MIB);
    const reader = await engine.finish(engine.read('a.bin', 0, null));
    await engine.finish(drainReader(reader, 5 * MIB));
    await engine.finish(engine.stop());
    expect(engine.origin.openCount).toBe(0);
    const bytes = (await engine.cache.statistics.get()).cachedBytes;
    expect(bytes).toBeGreaterThanOrEqual(5 * MIB);
    expect(await failure(engine.finish(engine.open('a.bin')))).toMatchObject({ code: 'overloaded' });
  });

  test('remove() takes rows and file when nobody reads, and refuses while somebody does', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.bin', MIB);
    const reader = await engine.finish(engine.read('a.bin', 0, null));
    await engine.finish(drainReader(reader));
    const [file] = [...engine.manager.files()];
    expect(await engine.finish(engine.manager.remove(file!.identity.entryId))).toBe(false);
    reader.close();
    expect(await engine.finish(engine.manager.remove(file!.identity.entryId))).toBe(true);
    expect(await engine.store.findLength(file!.generation.fileName)).toBeNull();
    expect(await engine.cache.statistics.get()).toMatchObject({ entryCount: 0, cachedBytes: 0 });
  });

  test('open() counts opens by players and not those of probes', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.bin', 100);
    await engine.finish(engine.open('a.bin', null, { probe: true }));
    const { identity } = await engine.finish(engine.open('a.bin'));
    await engine.finish(engine.open('a.bin'));
    expect(engine.uses.take().get(identity.entryId)?.count).toBe(2);
    expect(engine.uses.take().size).toBe(0);
  });

  test('invariant 3: open() right after a change gives the new version when the old one is still being recorded', async () => {
    await using engine = await startEngine({ checksumDelayMs: 2_000 });
    addFile(engine, 'a.bin', 20 * MIB);
    // Two requests complete the first cell together, so that a thread is summing it when the change is seen.
    engine.origin.fault = (_, count) => (count < 2 ? { cutAfterBytes: 1.5 * MIB } : {});
    const reader = await engine.finish(engine.read('a.bin', 0, null));
    await engine.finish(drainReader(reader, 2.5 * MIB));
    engine.origin.files.set('a.bin', { sizeBytes: 20 * MIB, seed: 99, etag: '"v2"' });
    expect((await failure(engine.finish(drainReader(reader)))).code).toBe('origin-changed');
    const fresh = await engine.finish(engine.read('a.bin', 0, null));
    assertContent(await engine.finish(drainReader(fresh)), 99, 0);
    reader.close();
    fresh.close();
  });

  // -------------------------------------------------------------------------------------------------------------
  // What does not hold yet.

  test('open() gives a file that can be read when more files than may idle are being read', async () => {
    await using engine = await startEngine();
    for (let index = 0; index <= IDLE_FILES_MAX; index++) {
      addFile(engine, `f${index}.bin`, 10);
      const reader = await engine.finish(engine.read(`f${index}.bin`, 0, null));
      await engine.finish(drainReader(reader));
      reader.close();
    }
    await comeToRest(engine);
    // As after a restart: everything is cached, nothing is open.
    await using after = await startEngine({ cache: engine.cache, store: engine.store });
    for (let index = 0; index <= IDLE_FILES_MAX; index++) await after.finish(after.read(`f${index}.bin`, 0, null));
  });

  test('invariant 4: open() is not lost when the queue asks its connection back', async () => {
    await using engine = await startEngine({ connectionsPerSource: 1 });
    addFile(engine, 'a.bin', 100);
    addFile(engine, 'b.bin', 100);
    // A source that wakes its disks: three seconds to the first byte.
    engine.origin.fault = () => ({ latencyMs: 3_000 });
    const opened = await engine.finish(Promise.all([engine.open('a.bin'), engine.open('b.bin')]));
    expect(opened.map((file) => file.totalBytes)).toEqual([100, 100]);
  });

  test('readers of a slow source all get their bytes when there are more of them than connections', async () => {
    await using engine = await startEngine({ connectionsPerSource: 1 });
    addFile(engine, 'a.bin', 100 * MIB);
    const first = await engine.finish(engine.read('a.bin', 0, 100));
    engine.origin.fault = () => ({ latencyMs: 3_000 });
    const file = await engine.finish(engine.open('a.bin'));
    const readers = [10, 40, 70].map((start) => {
      const range = { start: start * MIB, end: start * MIB + 1_000 };
      return file.openReader(range, true, { address: 'x', player: 'x' });
    });
    const bodies = await engine.finish(Promise.all(readers.map((reader) => drainReader(reader))));
    expect(bodies.map((body) => body.length)).toEqual([1_000, 1_000, 1_000]);
    first.close();
  });

  test('a reader of an old version fails at once when it comes to bytes that were never fetched', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.bin', 20 * MIB);
    engine.origin.fault = (_, count) => (count === 0 ? { cutAfterBytes: MIB } : {});
    const playing = await engine.finish(engine.read('a.bin', 0, null));
    await engine.finish(drainReader(playing, MIB / 2));
    await comeToRest(engine);
    engine.origin.files.set('a.bin', { sizeBytes: 20 * MIB, seed: 99, etag: '"v2"' });
    const file = [...engine.manager.files()][0]!;
    const seeker = file.openReader({ start: 10 * MIB, end: 20 * MIB }, false, { address: 'x', player: 'x' });
    expect((await failure(engine.finish(drainReader(seeker)))).code).toBe('origin-changed');
    const startedAtMs = engine.clock.monotonicMs();
    const error = await failure(engine.finish(drainReader(playing)));
    expect(error.code).toBe('origin-changed');
    expect(engine.clock.monotonicMs() - startedAtMs).toBeLessThan(5_000);
    expect(file.unservedWaits).toBe(0);
  });

  test('a bounded first range does not become the length of the file when the origin hides the total', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.mkv', 20 * MIB, { hideTotal: true });
    const reader = await engine.finish(engine.read('a.mkv', 0, 1_000));
    await engine.finish(drainReader(reader));
    reader.close();
    await comeToRest(engine);
    expect((await engine.finish(engine.open('a.mkv'))).totalBytes).toBe(20 * MIB);
  });

  test('the origin is not asked over and over when read-ahead is refused for good while a player pauses', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.bin', 200 * MIB);
    engine.origin.fault = (_, count) => (count === 0 ? { cutAfterBytes: 100_000 } : { status: 404 });
    const reader = await engine.finish(engine.read('a.bin', 0, null));
    await engine.finish(drainReader(reader, 1_000));
    // The player pauses for an hour with 99 KB ahead of it.
    await engine.clock.run(3_600_000, 1);
    expect(engine.origin.requests.length).toBeLessThan(150);
    reader.close();
  });

  test('open() leaves a source alone when it told another open to come back later', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.bin', 10);
    addFile(engine, 'b.bin', 10);
    engine.origin.fault = () => ({ status: 429, headers: { 'retry-after': '60' } });
    expect(await failure(engine.finish(engine.open('a.bin')))).toMatchObject({
      code: 'origin-busy',
      retryAfterMs: 60_000,
    });
    await failure(engine.finish(engine.open('b.bin')));
    expect(engine.origin.requests.length).toBe(1);
  });

  test('settle() succeeds when somebody still reads an old version', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.bin', 20 * MIB);
    engine.origin.fault = (_, count) => (count === 0 ? { cutAfterBytes: MIB } : {});
    const playing = await engine.finish(engine.read('a.bin', 0, null));
    await engine.finish(drainReader(playing, MIB / 2));
    engine.origin.files.set('a.bin', { sizeBytes: 20 * MIB, seed: 99, etag: '"v2"' });
    const file = [...engine.manager.files()][0]!;
    const seeker = file.openReader({ start: 10 * MIB, end: 20 * MIB }, false, { address: 'x', player: 'x' });
    expect((await failure(engine.finish(drainReader(seeker)))).code).toBe('origin-changed');
    seeker.close();
    await engine.finish(engine.open('a.bin'));
    await engine.finish(engine.stop());
  });

  test('invariant 6: readers go on past a full disk, and what they read is kept again when there is room', async () => {
    await using engine = await startEngine();
    addFile(engine, 'a.bin', 30 * MIB);
    engine.origin.fault = () => ({ bytesPerMs: 2_000 });
    const reader = await engine.finish(engine.read('a.bin', 0, null));
    const before = await engine.finish(drainReader(reader, 5 * MIB));
    engine.store.refuseWrites = 'ENOSPC';
    const during = await engine.finish(drainReader(reader, 10 * MIB));
    const [file] = [...engine.manager.files()];
    const cachedBytes = file!.available.byteCount;
    expect(cachedBytes).toBeLessThan(10 * MIB);
    engine.store.refuseWrites = null;
    await engine.clock.run(10_000);
    const after = await engine.finish(drainReader(reader));
    assertContent(Buffer.concat([before, during, after]), seedOf(engine, 'a.bin'), 0);
    expect(file!.available.byteCount).toBeGreaterThan(cachedBytes + 10 * MIB);
    reader.close();
    // The state is told when it changes, not for each byte.
    expect(engine.events.map((event) => event.kind)).toEqual(['disk-refused', 'disk-well']);
    await engine.until(() => engine.liveDownloads === 0);
    await engine.clock.run(1_000);
    expect(engine.space.state).toMatchObject({ reservedBytes: 0, trouble: null });
  });
});
