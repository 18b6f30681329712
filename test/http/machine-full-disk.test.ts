// The disk is full, at any write: streams go on past it, it is said once, and when there is room caching goes on by
// itself (DESIGN.md §5, invariants 1 and 6).
import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';
import {
  canMount,
  chunkFiles,
  eventsOf,
  hurriedClock,
  MB,
  type SmallDisk,
  smallDisk,
  until,
  Viewer,
} from './small-machine.ts';

const DISK_MIB = 24;
const FILM_BYTES = 3 * MB;
const LIMIT_MS = 30_000;
/** Sockets and threads between an origin and a reader that takes nothing, over loopback; and what waits in memory. */
const ON_THE_WAY_MAX = 64 * MB;

const TROUBLE = /the disk refuses bytes|there is no room/;
const TROUBLE_KINDS = ['disk-refused', 'no-room'];

function troubleLines(larder: RunningLarder): string[] {
  return larder.log.filter((line) => TROUBLE.test(line));
}

async function troubleEvents(disk: SmallDisk): Promise<unknown[]> {
  return (await eventsOf(disk.path)).filter(({ kind }) => TROUBLE_KINDS.includes(kind));
}

interface Machine extends AsyncDisposable {
  readonly disk: SmallDisk;
  readonly origin: TestOrigin;
  readonly larder: RunningLarder;
}

/** A Larder with all it has on a small disk, its ballast in place. */
async function startMachine(...args: string[]): Promise<Machine> {
  await using stack = new AsyncDisposableStack();
  const disk = stack.use(await smallDisk(DISK_MIB));
  const origin = await startOrigin();
  const larder = stack.use(
    await startLarder({
      args: ['--data', disk.path, '--source', `films=${origin.url}`, ...args],
      clock: hurriedClock,
    }),
  );
  // The origin first: a Larder that stops waits for what its origin still says.
  stack.use(origin);
  await until('the ballast is there', () => existsSync(join(disk.path, 'ballast')));
  const kept = stack.move();
  return { disk, origin, larder, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** All of a film, right, and how it was served. */
async function watch({ origin, larder }: Machine, name: string): Promise<string> {
  const response = await rawRequest(larder.port, `/s/films/${name}`);
  expect([name, response.status, response.isWhole]).toEqual([name, 200, true]);
  origin.assertBody(name, response.body);
  return response.header('x-cache') ?? '';
}

/** A reader that takes nothing: while there is one, a disk in trouble is tried again more often. */
async function somebodyWaits({ origin, larder }: Machine): Promise<Viewer> {
  origin.addFile('waiting.mkv', { sizeBytes: 100 * MB });
  const viewer = await Viewer.open(larder.port, '/s/films/waiting.mkv', () => undefined);
  viewer.connection.pause();
  return viewer;
}

/** Without the origin, after a restart: what was said to be kept was kept right. */
async function expectKept(machine: Machine, name: string): Promise<void> {
  await machine.origin.goDown();
  await machine.larder.restart(['--data', machine.disk.path]);
  expect(await watch(machine, name)).toBe('HIT');
}

test.skipIf(!canMount)(
  'invariant 6: a disk that is full before the first open: films come whole past it, it is said once in the log, and caching begins by itself',
  async () => {
    await using machine = await startMachine();
    const { disk, origin, larder } = machine;
    using _waiting = await somebodyWaits(machine);
    disk.fill();
    for (let index = 0; index < 5; index++) {
      origin.addFile(`${index}.mkv`, { sizeBytes: FILM_BYTES });
      expect(await watch(machine, `${index}.mkv`)).toBe('BYPASS');
    }
    expect(troubleLines(larder)).toHaveLength(1);
    await disk.empty();
    await until('a film is cached again', async () => (await watch(machine, '0.mkv')) === 'HIT');
    expect(troubleLines(larder)).toHaveLength(1);
    expect((await troubleEvents(disk)).length).toBeLessThanOrEqual(1);
    await expectKept(machine, '0.mkv');
  },
  LIMIT_MS,
);

test(
  'a full disk that the database could not write of leaves one event row when there is room again',
  async () => {
    await using machine = await startMachine();
    const { disk, origin } = machine;
    origin.addFile('film.mkv', { sizeBytes: FILM_BYTES });
    disk.fill();
    expect(await watch(machine, 'film.mkv')).toBe('BYPASS');
    await disk.empty();
    await until('it is well again', async () => (await eventsOf(disk.path, 'disk-well')).length === 1);
    expect(await troubleEvents(disk)).toHaveLength(1);
  },
  LIMIT_MS,
);

test.skipIf(!canMount)(
  'a disk that fills up in mid-film: its reader notices nothing, and what it reads after there is room again is kept',
  async () => {
    await using machine = await startMachine();
    const { disk, origin, larder } = machine;
    origin.addFile('film.mkv', { sizeBytes: 9 * MB });
    origin.behave('film.mkv', { stepBytes: 1 * MB });
    const opening = Viewer.open(larder.port, '/s/films/film.mkv', (bytes, offset) =>
      origin.assertBody('film.mkv', bytes, offset),
    );
    await origin.until(() => origin.openCount('film.mkv') === 1);
    origin.release('film.mkv');
    using viewer = await opening;
    expect(viewer.head.header('x-cache')).toBe('MISS');
    const takeStepwise = async (bytes: number) => {
      const end = viewer.position + bytes;
      let isTaken = false;
      const taking = viewer.take(bytes).then((came) => {
        isTaken = true;
        return came;
      });
      await until(`the reader has ${end} bytes`, () => {
        origin.release('film.mkv');
        return isTaken;
      });
      expect(await taking).toBe(true);
    };
    await takeStepwise(2 * MB);
    expect(troubleLines(larder)).toHaveLength(0);
    disk.fill();
    await takeStepwise(4 * MB);
    expect(troubleLines(larder)).toHaveLength(1);
    await disk.empty();
    await until('it is well again', () => larder.log.some((line) => line.includes('again; caching goes on')));
    await takeStepwise(3 * MB);
    expect(troubleLines(larder)).toHaveLength(1);
    origin.behave('film.mkv', null);
    // The end was read after there was room: it is kept, what came past the disk is not.
    await until('the end is kept', async () => {
      const range = { Range: `bytes=${8.5 * MB}-` };
      const end = await rawRequest(larder.port, '/s/films/film.mkv', range);
      origin.assertBody('film.mkv', end.body, 8.5 * MB);
      return end.header('x-cache') === 'HIT';
    });
    expect(await watch(machine, 'film.mkv')).toBe('PARTIAL');
    await expectKept(machine, 'film.mkv');
  },
  LIMIT_MS,
);

test.skipIf(!canMount)(
  'invariant 6: past a full disk a reader that takes nothing costs bounded memory',
  async () => {
    await using machine = await startMachine();
    const { disk, origin, larder } = machine;
    origin.addFile('film.mkv', { sizeBytes: 200 * MB });
    disk.fill();
    using viewer = await Viewer.open(larder.port, '/s/films/film.mkv', (bytes, offset) =>
      origin.assertBody('film.mkv', bytes, offset),
    );
    expect(viewer.head.header('x-cache')).toBe('BYPASS');
    for (let round = 0; round < 3; round++) {
      expect(await viewer.take(8 * MB)).toBe(true);
      viewer.connection.pause();
      // It has come to rest when nothing more was sent for a number of looks.
      let sent = -1;
      let looksAtRest = 0;
      await until('the origin is held up', () => {
        looksAtRest = origin.bytesSent('film.mkv') === sent ? looksAtRest + 1 : 0;
        sent = origin.bytesSent('film.mkv');
        return looksAtRest === 15;
      });
      expect(sent - viewer.position).toBeLessThan(ON_THE_WAY_MAX);
      viewer.connection.resume();
    }
  },
  LIMIT_MS,
);

test(
  'a disk with not a byte left, filled by another program: what was not used for longest goes, and the next film is cached',
  async () => {
    await using machine = await startMachine();
    const { disk, origin } = machine;
    for (const name of ['oldest.mkv', 'older.mkv', 'new.mkv']) {
      origin.addFile(name, { sizeBytes: FILM_BYTES });
      await watch(machine, name);
    }
    disk.fill();
    origin.addFile('next.mkv', { sizeBytes: 1 * MB });
    await watch(machine, 'next.mkv');
    await until('a film went', async () => (await chunkFiles(disk.path)).every((file) => !file.includes('oldest')));
    await until('the next film is cached', async () => (await watch(machine, 'next.mkv')) === 'HIT');
    expect((await chunkFiles(disk.path)).some((file) => file.includes('new-'))).toBe(true);
    const [evicted] = await eventsOf(disk.path, 'evicted');
    expect(evicted).toMatchObject({ subject: 'films/oldest.mkv', text: expect.stringMatching(/stay free/) });
  },
  LIMIT_MS,
);

test.skipIf(!canMount)(
  'a disk that other programs fill and empty again and again: said once each time, never more',
  async () => {
    await using machine = await startMachine();
    const { disk, origin, larder } = machine;
    using _waiting = await somebodyWaits(machine);
    for (let round = 1; round <= 5; round++) {
      disk.fill();
      for (const part of ['a', 'b', 'c']) {
        origin.addFile(`${round}${part}.mkv`, { sizeBytes: 300_000 });
        await watch(machine, `${round}${part}.mkv`);
      }
      await disk.empty();
      await until('it is well again', () => {
        return larder.log.filter((line) => line.includes('again; caching goes on')).length === round;
      });
      expect(troubleLines(larder)).toHaveLength(round);
    }
    expect((await eventsOf(disk.path)).length).toBeLessThanOrEqual(10);
  },
  LIMIT_MS,
);
