// The pool with real threads, on a clock that is turned by hand: the time that a thread rests before it is ended.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { Worker } from 'node:worker_threads';
import type { FetchListener } from '../../src/chunks/fetch-scheduler.ts';
import { THREAD_REST_MS } from '../../src/limits.ts';
import { createLog } from '../../src/log.ts';
import { ThreadPool } from '../../src/scheduler/thread-pool.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

let folder: TemporaryFolder;
let origin: TestOrigin;
let clock: FakeClock;
let pool: ThreadPool;
let workers: Worker[];
let exits: Promise<unknown>[];
let complaints: string[];

beforeEach(async () => {
  folder = await temporaryFolder();
  origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: 1_000 } } });
  clock = new FakeClock();
  workers = [];
  exits = [];
  complaints = [];
  pool = new ThreadPool({
    threadCount: 2,
    chunkFolder: folder.path,
    clock,
    startThread: () => {
      const workerData = { role: 'download', addonFile: null };
      const worker = new Worker(new URL('../../src/worker.ts', import.meta.url), { workerData });
      workers.push(worker);
      exits.push(new Promise((resolve) => worker.once('exit', resolve)));
      return worker;
    },
    log: createLog({ level: 'info', write: (line) => complaints.push(line), nowMs: () => clock.nowMs() }),
  });
});

afterEach(async () => {
  await pool.stop();
  await origin.stop();
  await folder[Symbol.asyncDispose]();
});

/** Asks for the whole file. Resolves to what `ended` tells; `opened` resolves when the response waits for a word. */
function startFetch() {
  const opened = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<unknown>();
  const listener: FetchListener = {
    opened: () => opened.resolve(),
    progressed: () => undefined,
    received: () => undefined,
    durable: () => undefined,
    closed: () => undefined,
    ended: (message) => ended.resolve(message.error),
  };
  const request = {
    url: `${origin.url}film.mkv`,
    headers: {},
    baseUrl: origin.url,
    ownPort: 1,
    local: null,
    range: null,
    ifRange: null,
    expectsMedia: true,
  };
  return { fetch: pool.start(request, listener), opened: opened.promise, ended: ended.promise };
}

const ACCEPTED = {
  fileName: 'films/Film-1.mkv',
  mayCreate: true,
  sample: null,
  writeFrom: 0,
  end: null,
  credit: 10_000,
  toMemory: false,
  totalBytes: 1_000,
};

describe('a thread without work', () => {
  test('is ended after a rest, and its work goes on in another', async () => {
    await pool.probe();
    clock.advance(THREAD_REST_MS - 1);
    expect(pool.state.alive).toBe(1);
    clock.advance(1);
    expect(pool.state).toEqual({ alive: 0, most: 2, died: 0 });
    await exits[0];
    await pool.probe();
    expect(pool.state).toEqual({ alive: 1, most: 2, died: 0 });
    expect(workers.length).toBe(2);
    expect(complaints).toEqual([]);
  });

  test('is ended also when it was only made ready', () => {
    pool.warmUp();
    expect(pool.state.alive).toBe(1);
    clock.advance(THREAD_REST_MS);
    expect(pool.state.alive).toBe(0);
  });

  test('rests anew after each piece of work', async () => {
    await pool.probe();
    clock.advance(THREAD_REST_MS - 1);
    await pool.probe();
    clock.advance(THREAD_REST_MS - 1);
    expect(pool.state.alive).toBe(1);
    expect(workers.length).toBe(1);
  });
});

describe('a thread with work', () => {
  test('is not ended, however long a fetch waits, and is once that has ended', async () => {
    const { fetch, opened, ended } = startFetch();
    await opened;
    clock.advance(10 * THREAD_REST_MS);
    expect(pool.state.alive).toBe(1);
    fetch.accept(ACCEPTED);
    expect(await ended).toBeNull();
    expect(clock.pendingCount).toBe(1);
    clock.advance(THREAD_REST_MS);
    expect(pool.state.alive).toBe(0);
    expect(clock.pendingCount).toBe(0);
  });

  test('is not ended while something that was asked of it waits behind what is done', async () => {
    pool.warmUp();
    const probes = [pool.probe(), pool.probe()];
    clock.advance(THREAD_REST_MS);
    expect(pool.state.alive).toBe(1);
    await Promise.all(probes);
    clock.advance(THREAD_REST_MS);
    expect(pool.state.alive).toBe(0);
  });

  test('that dies fails its fetches, is told of, and leaves no rest behind', async () => {
    const { opened, ended } = startFetch();
    await opened;
    await workers[0]!.terminate();
    expect(await ended).toMatchObject({ code: 'origin-failed' });
    expect(pool.state).toEqual({ alive: 0, most: 2, died: 1 });
    expect(complaints.join()).toContain('ended unexpectedly');
    expect(clock.pendingCount).toBe(0);
  });
});

test('a pool that was stopped has no timers left', async () => {
  await pool.probe();
  await pool.stop();
  expect(clock.pendingCount).toBe(0);
});
