// The pool with real threads: what becomes of the work of one that dies.
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { Worker } from 'node:worker_threads';
import type { FetchListener } from '../../src/chunks/fetch-scheduler.ts';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { ThreadPool } from '../../src/scheduler/thread-pool.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

let folder: TemporaryFolder;
let origin: TestOrigin;
let pool: ThreadPool;
let workers: Worker[];
let complaints: string[];

beforeEach(async () => {
  folder = await temporaryFolder();
  origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: 1_000 } } });
  workers = [];
  complaints = [];
  pool = new ThreadPool({
    threadCount: 2,
    chunkFolder: folder.path,
    startThread: () => {
      const workerData = { role: 'download', addonFile: null };
      const worker = new Worker(new URL('../../src/worker.ts', import.meta.url), { workerData });
      workers.push(worker);
      return worker;
    },
    log: createLog({ level: 'info', write: (line) => complaints.push(line), nowMs: () => systemClock.nowMs() }),
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
  pool.start(request, listener);
  return { opened: opened.promise, ended: ended.promise };
}

test('a thread that dies fails its fetches and what was asked of it, and the next work starts another', async () => {
  const { opened, ended } = startFetch();
  await opened;
  await workers[0]!.terminate();
  expect(await ended).toMatchObject({ code: 'origin-failed', retry: 'soon' });
  expect(pool.state).toEqual({ alive: 0, most: 2, died: 1 });
  expect(complaints.join()).toContain('ended unexpectedly');
  await pool.probe();
  expect(pool.state).toEqual({ alive: 1, most: 2, died: 1 });
});

test('a thread that dies while something was asked of it says so', async () => {
  const asked = pool.checksum('films/Film-1.mkv', []);
  await workers[0]!.terminate();
  await expect(asked).rejects.toThrow('a download thread ended unexpectedly');
});

test('a second thread starts when the first carries enough', async () => {
  const fetches = Array.from({ length: 4 }, startFetch);
  await Promise.all(fetches.map(({ opened }) => opened));
  expect(pool.state.alive).toBe(2);
});

test('a pool that was stopped takes no more questions', async () => {
  await pool.stop();
  await expect(pool.probe()).rejects.toThrow('a download thread ended unexpectedly');
});
