// The bounds of the cache with real files: what goes and what stays, and that the disk never holds more than it may
// (DESIGN.md §5, invariants 6 and 7).
import { expect, test } from 'bun:test';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Clock, systemClock } from '../../src/clock.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { inProcessThread } from './in-process-thread.ts';
import { rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';
import {
  canMount,
  chunkFiles,
  diskUse,
  eventsOf,
  hurriedClock,
  MB,
  query,
  smallDisk,
  until,
  Viewer,
} from './small-machine.ts';

const FILM_BYTES = 2 * MB;
const CAP_BYTES = 6_500_000;
const LIMIT_MS = 30_000;
const BLOCK = 4_096;

interface Shelf extends AsyncDisposable {
  readonly origin: TestOrigin;
  readonly larder: RunningLarder;
  /** The whole film, right; how it was served. */
  watch(name: string): Promise<string>;
  /** Which of these films have a chunk file. */
  kept(...names: string[]): Promise<string[]>;
  post(name: string, verb: string): Promise<void>;
}

interface ShelfOptions {
  readonly films?: Readonly<Record<string, number>>;
  readonly clock?: Clock;
  /** In place of a folder of its own. */
  readonly dataFolder?: string;
}

async function startShelf(options: ShelfOptions = {}): Promise<Shelf> {
  const films = options.films ?? { a: FILM_BYTES, b: FILM_BYTES, c: FILM_BYTES, d: FILM_BYTES, e: FILM_BYTES };
  const files = Object.entries(films).map(([name, sizeBytes]) => [`${name}.mkv`, { sizeBytes }] as const);
  const origin = await startOrigin({ files: Object.fromEntries(files) });
  const args = ['--source', `films=${origin.url}`, '--keep-free', '0', '--cache-size', String(CAP_BYTES)];
  if (options.dataFolder !== undefined) args.push('--data', options.dataFolder);
  const larder = await startLarder({ args, clock: options.clock ?? hurriedClock });
  return {
    origin,
    larder,
    async watch(name) {
      const response = await rawRequest(larder.port, `/s/films/${name}.mkv`);
      expect([name, response.status, response.isWhole]).toEqual([name, 200, true]);
      origin.assertBody(`${name}.mkv`, response.body);
      return response.header('x-cache') ?? '';
    },
    async kept(...names) {
      const held = await chunkFiles(larder.dataFolder).catch(() => []);
      return names.filter((name) => held.some((file) => file.includes(`/${name}-`)));
    },
    async post(name, verb) {
      const [row] = await query(
        larder.dataFolder,
        `SELECT e.id FROM cache_entries e JOIN media_items m ON m.id = e.media_id WHERE m.key LIKE '%${name}.mkv'`,
      );
      await rawRequest(
        larder.port,
        `/entries/${row!.id}/${verb}`,
        { ...larder.owner.headers, 'Content-Length': '0' },
        'POST',
      );
    },
    async [Symbol.asyncDispose]() {
      await origin.stop();
      await larder[Symbol.asyncDispose]();
    },
  };
}

test(
  'the film that was not read for longest goes first; reading one again protects it; the event says why',
  async () => {
    await using shelf = await startShelf();
    for (const name of ['a', 'b', 'c']) expect(await shelf.watch(name)).toBe('MISS');
    expect(await shelf.watch('a')).toBe('HIT');
    await shelf.watch('d');
    await until('b went', async () => (await shelf.kept('b')).length === 0);
    expect(await shelf.kept('a', 'c', 'd')).toContain('a');
    const [event] = await eventsOf(shelf.larder.dataFolder, 'evicted');
    expect(event).toMatchObject({ subject: 'films/b.mkv' });
    expect(event!.text).toMatch(/2\.\d+ MB went, .*least recently used .*because the cache is at its size/);
    // Row and file went together, and it can be had again.
    expect(
      await query(shelf.larder.dataFolder, "SELECT id FROM cache_generations WHERE file_name LIKE '%/b-%'"),
    ).toEqual([]);
    expect(await shelf.watch('b')).toMatch(/MISS|BYPASS/);
  },
  LIMIT_MS,
);

test(
  'invariant 7: what is pinned stays, and so does what is being read; films that find no room are passed on',
  async () => {
    await using shelf = await startShelf({ clock: systemClock });
    for (const name of ['a', 'b']) await shelf.watch(name);
    await shelf.post('a', 'pin');
    await shelf.post('b', 'pin');
    shelf.origin.behave('c.mkv', { stallAfterBytes: 1_500_000 });
    using viewer = await Viewer.open(shelf.larder.port, '/s/films/c.mkv', (bytes, offset) =>
      shelf.origin.assertBody('c.mkv', bytes, offset),
    );
    await viewer.take(1 * MB);
    for (const name of ['d', 'e', 'd', 'e']) await shelf.watch(name);
    expect(await shelf.kept('a', 'b', 'c')).toEqual(['a', 'b', 'c']);
    shelf.origin.release('c.mkv');
    expect(await viewer.takeRest()).toBe(true);
    expect(await shelf.watch('a')).toBe('HIT');
    expect(await shelf.watch('b')).toBe('HIT');
    const gone = await eventsOf(shelf.larder.dataFolder, 'evicted');
    expect(gone.filter(({ text }) => /films\/[ab]\.mkv/.test(text))).toEqual([]);
  },
  LIMIT_MS,
);

test(
  'a film larger than the cache is streamed through, and nothing goes for it',
  async () => {
    await using shelf = await startShelf({ films: { a: FILM_BYTES, b: FILM_BYTES, huge: 3 * CAP_BYTES } });
    for (const name of ['a', 'b']) await shelf.watch(name);
    expect(await shelf.watch('huge')).toBe('BYPASS');
    expect(await shelf.watch('huge')).toBe('BYPASS');
    expect(await eventsOf(shelf.larder.dataFolder, 'evicted')).toEqual([]);
    for (const name of ['a', 'b']) expect(await shelf.watch(name)).toBe('HIT');
    expect((await diskUse(join(shelf.larder.dataFolder, 'chunks'))).bytes).toBeLessThanOrEqual(CAP_BYTES);
  },
  LIMIT_MS,
);

test(
  'a film of unknown length that turns out larger than the cache is streamed whole, and the cap holds',
  async () => {
    await using shelf = await startShelf({ films: { a: FILM_BYTES, endless: 3 * CAP_BYTES }, clock: systemClock });
    shelf.origin.behave('endless.mkv', { ranges: 'none', hideLength: true });
    await shelf.watch('a');
    await shelf.watch('endless');
    expect((await diskUse(join(shelf.larder.dataFolder, 'chunks'))).bytes).toBeLessThanOrEqual(CAP_BYTES + 4 * BLOCK);
  },
  LIMIT_MS,
);

/** Ten clients fetch, seek and leave. @returns how far the disk was over the cap at most, whenever it was looked at */
async function crowd(): Promise<number> {
  const films = Object.fromEntries(Array.from({ length: 14 }, (_, index) => [`f${index}`, FILM_BYTES]));
  // Chunk files on a disk of their own, which says exactly and at one moment what they take.
  await using folder = await temporaryFolder();
  const chunks = folder.file('chunks');
  await mkdir(chunks, { mode: 0o700 });
  await using disk = await smallDisk(128, chunks);
  const empty = disk.freeBytes();
  await using shelf = await startShelf({ films, dataFolder: folder.path });
  let clients = 10;
  let largest = 0;
  let over = 0;
  const client = async (number: number) => {
    for (let round = 0; round < 6; round++) {
      const name = `f${(number * 5 + round * 3) % 14}`;
      if ((number + round) % 3 === 0) {
        using viewer = await Viewer.open(shelf.larder.port, `/s/films/${name}.mkv`, (bytes, offset) =>
          shelf.origin.assertBody(`${name}.mkv`, bytes, offset),
        );
        await viewer.take(700_000);
      } else await shelf.watch(name);
    }
    clients -= 1;
  };
  const running = Promise.all(Array.from({ length: 10 }, (_, number) => client(number)));
  await until(
    'all have read',
    async () => {
      const { files } = await diskUse(chunks);
      const bytes = empty - disk.freeBytes();
      largest = Math.max(largest, bytes);
      // Labels and folders come on top of the files' bytes.
      over = Math.max(over, bytes - CAP_BYTES - (files + 8) * BLOCK);
      return clients === 0;
    },
    25_000,
  );
  await running;
  expect(largest).toBeGreaterThan(CAP_BYTES / 2);
  // Rows and files agree.
  await shelf.larder.stop();
  const rows = await query(
    folder.path,
    'SELECT file_name FROM cache_generations WHERE EXISTS (SELECT 1 FROM cache_chunks WHERE generation_id = cache_generations.id)',
  );
  const held = (await chunkFiles(folder.path)).map((file) => file.slice(chunks.length + 1));
  expect(rows.map((row) => String(row.file_name)).filter((name) => !held.includes(name))).toEqual([]);
  const [statistics] = await query(folder.path, 'SELECT cached_bytes FROM cache_statistics');
  expect(Number(statistics!.cached_bytes)).toBeLessThanOrEqual(CAP_BYTES);
  return over;
}

test.skipIf(!canMount)(
  'while ten clients fetch, seek and leave, the disk holds no more than the cap and the film that is being removed',
  async () => {
    expect(await crowd()).toBeLessThanOrEqual(FILM_BYTES);
  },
  LIMIT_MS,
);

test(
  'invariant 6: while ten clients fetch, seek and leave, the disk never holds more than the cap and a block per file',
  async () => {
    for (let round = 0; round < 5; round++) expect(await crowd()).toBe(0);
  },
  LIMIT_MS,
);

test(
  'a cap that is lowered at a restart evicts the oldest at once; a raised one keeps what there is',
  async () => {
    await using shelf = await startShelf();
    for (const name of ['a', 'b', 'c']) await shelf.watch(name);
    await shelf.larder.restart(['--cache-size', '4200KB', '--keep-free', '0']);
    await until('the oldest went', async () => (await shelf.kept('a', 'b', 'c')).length === 2);
    expect(await shelf.kept('a', 'b', 'c')).toEqual(['b', 'c']);
    await until('it is said', async () => (await eventsOf(shelf.larder.dataFolder, 'evicted')).length === 1);
    await shelf.larder.restart(['--cache-size', '20MB', '--keep-free', '0']);
    for (const name of ['b', 'c']) expect(await shelf.watch(name)).toBe('HIT');
    await shelf.watch('d');
    expect(await shelf.kept('b', 'c', 'd')).toEqual(['b', 'c', 'd']);
  },
  LIMIT_MS,
);

test(
  'the cap that the disk suggests is kept: a start on a disk that is fuller by now has the same',
  async () => {
    if (!canMount) return;
    await using disk = await smallDisk(64);
    await using origin = await startOrigin();
    const args = ['--data', disk.path, '--source', `films=${origin.url}`];
    await using larder = await startLarder({ args });
    const stored = () => query(disk.path, "SELECT value FROM user_preferences WHERE name = 'derivedCacheSize'");
    const [first] = await stored();
    expect(Number(first!.value)).toBeGreaterThan(40 * MB);
    expect(Number(first!.value)).toBeLessThan(0.8 * 64 * 2 ** 20);
    disk.fill(10 * MB);
    await larder.restart();
    expect(await stored()).toEqual([first!]);
  },
  LIMIT_MS,
);

test.skipIf(!canMount)(
  'more is to stay free than is: films come whole, nothing is cached, it is said once',
  async () => {
    await using disk = await smallDisk(24);
    await using origin = await startOrigin({
      files: { 'a.mkv': { sizeBytes: FILM_BYTES }, 'b.mkv': { sizeBytes: FILM_BYTES } },
    });
    const args = ['--data', disk.path, '--source', `films=${origin.url}`, '--keep-free', '30MB'];
    await using larder = await startLarder({ args, clock: hurriedClock });
    for (const name of ['a.mkv', 'b.mkv', 'a.mkv']) {
      const response = await rawRequest(larder.port, `/s/films/${name}`);
      expect([response.isWhole, response.header('x-cache')]).toEqual([true, 'BYPASS']);
      origin.assertBody(name, response.body);
    }
    expect(await chunkFiles(disk.path).catch(() => [])).toEqual([]);
    expect(await eventsOf(disk.path, 'no-room')).toHaveLength(1);
    expect(larder.log.filter((line) => line.includes('there is no room'))).toHaveLength(1);
  },
  LIMIT_MS,
);

test.skipIf(!canMount)(
  'invariant 6: as others fill the disk, films go to keep the floor; what is read meanwhile comes whole',
  async () => {
    await using disk = await smallDisk(24);
    await using origin = await startOrigin();
    const args = ['--data', disk.path, '--source', `films=${origin.url}`, '--keep-free', '4MB', '--cache-size', '20MB'];
    await using larder = await startLarder({ args, clock: hurriedClock });
    for (const name of ['a', 'b', 'c', 'd']) {
      origin.addFile(`${name}.mkv`, { sizeBytes: FILM_BYTES });
      await rawRequest(larder.port, `/s/films/${name}.mkv`);
    }
    disk.fill(1 * MB);
    await until('the floor is kept', () => disk.freeBytes() >= 4 * MB);
    const held = await chunkFiles(disk.path);
    expect(held.some((file) => file.includes('/d-'))).toBe(true);
    expect(held.some((file) => file.includes('/a-'))).toBe(false);
    for (const { text } of await eventsOf(disk.path, 'evicted')) expect(text).toMatch(/are to stay free/);
    const again = await rawRequest(larder.port, '/s/films/a.mkv');
    expect(again.isWhole).toBe(true);
    origin.assertBody('a.mkv', again.body);
    expect(disk.freeBytes()).toBeGreaterThanOrEqual(4 * MB - 8 * BLOCK);
  },
  LIMIT_MS,
);

test(
  'a download of a film larger than the cache fails with its reason and is given up, and none is begun',
  async () => {
    await using origin = await startOrigin({ files: { 'huge.mkv': { sizeBytes: 3 * CAP_BYTES } } });
    const clock = new FakeClock();
    const args = ['--source', `films=${origin.url}`, '--keep-free', '0', '--cache-size', '20MB'];
    const startThread = (role: 'download' | 'upkeep') =>
      role === 'download'
        ? inProcessThread(role, clock)
        : new Worker(new URL('../../src/worker.ts', import.meta.url), { workerData: { role, addonFile: null } });
    await using larder = await startLarder({ args, clock, startThread });
    await rawRequest(larder.port, '/s/films/huge.mkv', { Range: 'bytes=0-99' });
    const fetchIt = () =>
      rawRequest(larder.port, '/entries/1/fetch', { ...larder.owner.headers, 'Content-Length': '0' }, 'POST');
    const logged = (words: string) => larder.log.some((line) => line.includes(words));
    const turnUntil = async (words: string) => {
      for (let turned = 0; !logged(words) && turned < 120_000; turned += 250) await clock.run(250, 5);
    };
    // It was asked for when it still had room.
    origin.behave('huge.mkv', { status: 500 });
    await fetchIt();
    await turnUntil('a download failed and will be tried again');
    await larder.restart(['--keep-free', '0', '--cache-size', String(CAP_BYTES)]);
    origin.behave('huge.mkv', null);
    await turnUntil('a download was given up');
    const readRow = () => query(larder.dataFolder, 'SELECT state, error_code, error_text FROM cache_download_queue');
    const givenUp = [{ state: 'failed', error_code: 'storage', error_text: 'the file is larger than the cache' }];
    expect(await readRow()).toMatchObject(givenUp);
    const asked = origin.requestsOf('huge.mkv').length;
    const { body } = await rawRequest(larder.port, '/api/v1/entries/1', larder.owner.headers);
    expect(JSON.parse(Buffer.from(body).toString())).toMatchObject({
      wanted: false,
      download: { state: 'failed', attempts: 2, nextAttemptAt: null, error: 'the file is larger than the cache' },
    });
    // Refused at once: no new wish.
    await fetchIt();
    expect(await readRow()).toMatchObject(givenUp);
    await clock.run(6 * 3_600_000, 2);
    expect(origin.requestsOf('huge.mkv').length).toBe(asked);
  },
  LIMIT_MS,
);
