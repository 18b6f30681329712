// The database is damaged or gone: the start works, what the labels beside the chunk files tell is taken up again, what
// cannot be is counted and removed, and the damaged database is kept (DESIGN.md §5, invariants 1, 2 and 8).
import { describe, expect, test } from 'bun:test';
import { copyFile, cp, mkdir, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { migrations } from '../../migrations/index.ts';
import { systemClock } from '../../src/clock.ts';
import { CHUNK_BYTES } from '../../src/limits.ts';
import { createLog } from '../../src/log.ts';
import { openOrRebuild } from '../../src/upkeep/open-database.ts';
import { describeBytes } from '../../src/words.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { createRandom, testSeed } from '../support/random.ts';
import { rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';
import { chunkFileOf, chunkFiles, eventsOf, hurriedClock, MB, query, until } from './small-machine.ts';

const SIZE = 2 * CHUNK_BYTES + 300_000;
const LIMIT_MS = 30_000;

interface Library extends AsyncDisposable {
  readonly origin: TestOrigin;
  readonly larder: RunningLarder;
  readonly database: string;
}

/** A Larder that keeps `whole.mkv`, and of `part.mkv` its second megabyte; stopped, and its labels are written. */
async function stoppedLibrary(): Promise<Library> {
  const origin = await startOrigin({
    files: { 'whole.mkv': { sizeBytes: SIZE }, 'part.mkv': { sizeBytes: SIZE } },
  });
  const larder = await startLarder({ args: ['--source', `films=${origin.url}`], clock: hurriedClock });
  await rawRequest(larder.port, '/s/films/whole.mkv');
  await rawRequest(larder.port, '/s/films/part.mkv', { Range: `bytes=${MB}-${2 * MB - 1}` });
  await larder.stop();
  return {
    origin,
    larder,
    database: join(larder.dataFolder, 'larder.db'),
    async [Symbol.asyncDispose]() {
      await origin.stop();
      await larder[Symbol.asyncDispose]();
    },
  };
}

/** Both films as far as they are kept, with the origin down; then all of both with the origin up. */
async function expectAdopted({ origin, larder }: Library): Promise<void> {
  const whole = await rawRequest(larder.port, '/s/films/whole.mkv');
  expect([whole.status, whole.isWhole, whole.header('x-cache')]).toEqual([200, true, 'HIT']);
  origin.assertBody('whole.mkv', whole.body);
  const part = await rawRequest(larder.port, '/s/films/part.mkv', { Range: `bytes=${MB}-${2 * MB - 1}` });
  expect([part.status, part.isWhole, part.header('x-cache')]).toEqual([206, true, 'HIT']);
  origin.assertBody('part.mkv', part.body, MB);
}

async function expectRight({ origin, larder }: Library, names = ['whole.mkv', 'part.mkv']): Promise<void> {
  for (const name of names) {
    const response = await rawRequest(larder.port, `/s/films/${name}`);
    expect([name, response.status, response.isWhole, response.body.length]).toEqual([name, 200, true, SIZE]);
    origin.assertBody(name, response.body);
  }
}

async function overwrite(file: string, offset: number, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(bytes, 0, bytes.length, offset);
  await handle.close();
}

/** Everything in the database file itself, none of it in its log. */
async function checkpoint({ larder }: Library): Promise<void> {
  await query(larder.dataFolder, 'PRAGMA wal_checkpoint(TRUNCATE)');
}

const garbage = (length: number) => Buffer.alloc(length, 'not a database ');

describe('a database that is damaged or missing', () => {
  const damages: [string, (library: Library) => Promise<void>, isKept: boolean][] = [
    ['missing, with its log', async ({ database }) => void (await removeDatabase(database)), false],
    ['missing, its log left behind', async ({ database }) => rm(database), false],
    ['overwritten in its first page', ({ database }) => overwrite(database, 0, garbage(4_096)), true],
    ['overwritten but for its first page', overwriteBody, true],
    [
      'cut to a half',
      async ({ database }) => truncate(database, Math.floor((await stat(database)).size / 8_192) * 4_096),
      true,
    ],
    ['something else entirely', ({ database }) => writeFile(database, garbage(50_000)), true],
  ];
  for (const [what, damage, isKept] of damages) {
    test(
      `${what}: Larder starts, serves what the labels tell with the origin down, says so, and keeps the damaged one`,
      async () => {
        await using library = await stoppedLibrary();
        const { origin, larder } = library;
        await checkpoint(library);
        await damage(library);
        await origin.goDown();
        await larder.restart();
        await expectAdopted(library);
        const [told] = await eventsOf(larder.dataFolder, 'rebuilt');
        expect(told?.text).toMatch(isKept ? /damaged \(it lies in/ : /was not there/);
        expect(told?.text).toContain(`2 files with ${describeBytes(SIZE + MB)} were taken up again, 0 files of`);
        const kept = await readdir(join(larder.dataFolder, 'damaged')).catch(() => []);
        expect(kept.length).toBe(isKept ? 1 : 0);
        await origin.comeBack();
        await expectRight(library);
        // It is an ordinary database from now on.
        await larder.restart();
        await expectRight(library);
        expect(await eventsOf(larder.dataFolder, 'rebuilt')).toHaveLength(1);
      },
      LIMIT_MS,
    );
  }

  test(
    'garbage in its log: no wrong byte, whatever is left of the rows',
    async () => {
      await using library = await stoppedLibrary();
      const { larder, database } = library;
      const random = createRandom(testSeed);
      console.log(`seed ${testSeed}`);
      await checkpoint(library);
      await larder.restart();
      await rawRequest(larder.port, '/s/films/part.mkv');
      // A kill: the log as it is, not moved into the database.
      const before = await mkdir(join(larder.dataFolder, 'copy'), { recursive: true });
      for (const suffix of ['', '-wal']) await copyFile(database + suffix, join(before!, `larder.db${suffix}`));
      await larder.stop();
      const log = await readFile(join(before!, 'larder.db-wal'));
      expect(log.length).toBeGreaterThan(0);
      for (const places of [
        [0],
        [100],
        [Math.floor(log.length / 2)],
        Array.from({ length: 20 }, () => random.between(0, log.length - 9)),
      ]) {
        await removeDatabase(database);
        await copyFile(join(before!, 'larder.db'), database);
        const damaged = Buffer.from(log);
        for (const place of places) damaged.write('\u0000garbage', place, 'latin1');
        await writeFile(`${database}-wal`, damaged);
        await larder.restart();
        await expectRight(library);
        await larder.stop();
      }
    },
    LIMIT_MS,
  );
});

async function removeDatabase(database: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm']) await rm(database + suffix, { force: true });
}

async function overwriteBody({ database }: Library): Promise<void> {
  const { size } = await stat(database);
  await overwrite(database, 4_096, garbage(size - 4_096));
}

test(
  'damage that a running Larder meets is noted, and the next start makes a new database',
  async () => {
    await using library = await stoppedLibrary();
    const { origin, larder, database } = library;
    await checkpoint(library);
    await larder.restart();
    // All pages of the tables and indexes but the first: the next statements meet them (their cache is the file's).
    await overwriteBody(library);
    for (let index = 0; index < 30; index++) {
      origin.addFile(`${index}.mkv`, { sizeBytes: 1_000 });
      const response = await rawRequest(larder.port, `/s/films/${index}.mkv`);
      // Whatever it can do: never a wrong byte.
      if (response.status === 200) origin.assertBody(`${index}.mkv`, response.body);
    }
    await until('the damage is noted', async () => (await stat(`${database}.suspect`).catch(() => null)) !== null);
    await larder.restart();
    expect(await readdir(join(larder.dataFolder, 'damaged'))).toHaveLength(1);
    expect(await stat(`${database}.suspect`).catch(() => null)).toBeNull();
    expect(await eventsOf(larder.dataFolder, 'rebuilt')).toHaveLength(1);
    await expectRight(library);
  },
  LIMIT_MS,
);

test(
  'a suspicion that is not borne out costs a look, and nothing else',
  async () => {
    await using library = await stoppedLibrary();
    const { origin, larder, database } = library;
    await writeFile(`${database}.suspect`, '');
    await origin.goDown();
    await larder.restart();
    await expectAdopted(library);
    expect(await eventsOf(larder.dataFolder, 'rebuilt')).toHaveLength(0);
    expect(await stat(`${database}.suspect`).catch(() => null)).toBeNull();
  },
  LIMIT_MS,
);

/** A label is a line of facts, and their sum. */
async function readFacts(file: string): Promise<Record<string, unknown>> {
  const [line = ''] = (await readFile(file, 'utf8')).split('\n');
  return JSON.parse(line) as Record<string, unknown>;
}

function withSum(line: string): string {
  return `${line}\n${crc32(line).toString(16).padStart(8, '0')}\n`;
}

describe('labels, when the database is lost', () => {
  type Lie = (label: Record<string, unknown>) => Record<string, unknown> | string;
  const lies: [string, Lie][] = [
    ['is garbage', () => '{"format": "larder chunk file 1", '],
    ['is empty', () => ''],
    ['is of another format', (label) => ({ ...label, format: 'larder chunk file 99' })],
    ['has wrong checksums', (label) => ({ ...label, checksums: each(label.checksums, 3, 2, (crc) => crc ^ 1) })],
    [
      'has checksums that no checksum can be',
      (label) => ({ ...label, checksums: each(label.checksums, 3, 2, () => 2 ** 40) }),
    ],
    ['claims ranges beyond the file', (label) => ({ ...label, ranges: [0, 10 * SIZE], totalBytes: 10 * SIZE })],
    [
      'claims ranges and checksums beyond the file',
      (label) => ({
        ...label,
        ranges: [0, 10 * SIZE],
        checksums: [...(label.checksums as number[]), SIZE, 10 * SIZE, 7],
        totalBytes: 10 * SIZE,
      }),
    ],
    ['claims bytes that no checksum covers', (label) => ({ ...label, ranges: [0, SIZE], checksums: [] })],
    ['claims ranges backwards', (label) => ({ ...label, ranges: [SIZE, 0] })],
    ['claims fractions of bytes', (label) => ({ ...label, ranges: [0.5, 1_000.5] })],
    ['names a source that cannot be', (label) => ({ ...label, source: { name: 'films', url: 'no address' } })],
    ['names a path that leads out of its source', (label) => ({ ...label, path: '../../../etc/passwd' })],
  ];
  for (const [what, lie] of lies) {
    test(
      `a label that ${what} never costs a wrong byte, and the other film is taken up`,
      async () => {
        await using library = await stoppedLibrary();
        const { origin, larder, database } = library;
        // Where a film has holes, bytes that nobody fetched must not be taken for its own.
        const label = `${await chunkFileOf(larder.dataFolder, 'part-')}.larder.json`;
        const lied = lie(await readFacts(label));
        await writeFile(label, typeof lied === 'string' ? lied : withSum(JSON.stringify(lied)));
        await removeDatabase(database);
        await larder.restart();
        const part = await rawRequest(larder.port, '/s/films/part.mkv');
        if (part.status === 200 && part.isWhole) expect(part.body.length).toBe(SIZE);
        origin.assertBody('part.mkv', part.body);
        await expectRight(library, ['whole.mkv']);
        expect(origin.bytesSent('whole.mkv')).toBe(SIZE);
      },
      LIMIT_MS,
    );
  }

  test(
    'a label with one wrong checksum over many cells never costs a wrong byte, wherever reading begins',
    async () => {
      await using library = await stoppedLibrary();
      const { origin, larder, database } = library;
      await larder.restart();
      // The file is as long as the film, and a hole but for its ends.
      await rawRequest(larder.port, '/s/films/part.mkv', { Range: `bytes=${SIZE - 1_000}-` });
      await larder.stop();
      const file = `${await chunkFileOf(larder.dataFolder, 'part-')}.larder.json`;
      const label = await readFacts(file);
      await writeFile(file, withSum(JSON.stringify({ ...label, ranges: [0, SIZE], checksums: [0, SIZE, 7] })));
      await removeDatabase(database);
      await larder.restart();
      for (const start of [2 * CHUNK_BYTES + 5, CHUNK_BYTES + 5, 0]) {
        const range = { Range: `bytes=${start}-${start + 9_999}` };
        const part = await rawRequest(larder.port, '/s/films/part.mkv', range);
        expect([part.status, part.isWhole]).toEqual([206, true]);
        origin.assertBody('part.mkv', part.body, start);
      }
    },
    LIMIT_MS,
  );

  test(
    'files without a label are counted as lost and removed; files that are not ours to know are, too',
    async () => {
      await using library = await stoppedLibrary();
      const { origin, larder, database } = library;
      await rm(`${await chunkFileOf(larder.dataFolder, 'whole')}.larder.json`);
      await removeDatabase(database);
      await larder.restart();
      const [told] = await eventsOf(larder.dataFolder, 'rebuilt');
      expect(told?.text).toContain(
        `1 files with ${describeBytes(MB)} were taken up again, 1 files of ${describeBytes(SIZE)} could not be`,
      );
      await until('it is removed', async () => (await chunkFiles(larder.dataFolder)).length === 1);
      await expectRight(library);
      expect(origin.bytesSent('part.mkv')).toBeLessThanOrEqual(SIZE + 200_000);
    },
    LIMIT_MS,
  );

  test(
    'what the owner removed and what was evicted does not come back',
    async () => {
      await using library = await stoppedLibrary();
      const { origin, larder, database } = library;
      await larder.restart();
      const entries = await query(
        larder.dataFolder,
        "SELECT cache_entries.id FROM cache_entries JOIN media_items ON media_items.id = media_id WHERE key LIKE '%whole%'",
      );
      await rawRequest(
        larder.port,
        `/entries/${entries[0]!.id}/remove`,
        { ...larder.owner.headers, 'Content-Length': '0' },
        'POST',
      );
      await until('it is gone', async () =>
        (await chunkFiles(larder.dataFolder)).every((file) => !file.includes('whole')),
      );
      // The other one is evicted.
      await larder.restart(['--cache-size', '500KB']);
      await until('it is gone', async () => (await chunkFiles(larder.dataFolder)).length === 0);
      await larder.stop();
      await removeDatabase(database);
      await origin.goDown();
      await larder.restart();
      for (const name of ['whole', 'part']) {
        expect([name, (await rawRequest(larder.port, `/s/films/${name}.mkv`)).status]).not.toEqual([name, 200]);
      }
      expect(await query(larder.dataFolder, 'SELECT id FROM cache_generations')).toEqual([]);
    },
    LIMIT_MS,
  );

  // A digit of a label may turn as any other bit does: its JSON is right then, and what it says is not.
  test(
    'single flipped bits anywhere in a label never cost a wrong byte or a short body that looks whole',
    async () => {
      await using library = await stoppedLibrary();
      const { origin, larder, database } = library;
      console.log(`seed ${testSeed}`);
      const random = createRandom(testSeed);
      const saved = join(larder.dataFolder, 'saved');
      await cp(join(larder.dataFolder, 'chunks'), saved, { recursive: true });
      const wrong: string[] = [];
      const text = await readFile(`${await chunkFileOf(larder.dataFolder, 'whole')}.larder.json`, 'utf8');
      const places = ['"path":"', '"totalBytes":', '"ranges":[', '"checksums":['].map(
        (key) => text.indexOf(key) + key.length,
      );
      for (let round = 0; round < 24; round++) {
        await rm(join(larder.dataFolder, 'chunks'), { recursive: true });
        await cp(saved, join(larder.dataFolder, 'chunks'), { recursive: true });
        const label = `${await chunkFileOf(larder.dataFolder, 'whole')}.larder.json`;
        const bytes = await readFile(label);
        const at = random.pick(places) + random.between(0, 6);
        bytes[at]! ^= 1 << random.between(0, 3);
        await writeFile(label, bytes);
        await removeDatabase(database);
        await larder.restart();
        const near = bytes.subarray(at - 20, at + 10).toString('latin1');
        for (const name of ['whole.mkv', 'part.mkv']) {
          const response = await rawRequest(larder.port, `/s/films/${name}`);
          try {
            origin.assertBody(name, response.body);
          } catch {
            wrong.push(`${name}: wrong bytes: …${near}…`);
            continue;
          }
          if (response.status === 200 && response.isWhole && response.body.length !== SIZE)
            wrong.push(`${name}: ${response.body.length} bytes as if whole: …${near}…`);
        }
        await larder.stop();
      }
      expect(wrong).toEqual([]);
    },
    LIMIT_MS,
  );
});

test(
  'a kill between the new database and its rows costs nothing: the next start takes the files up',
  async () => {
    await using library = await stoppedLibrary();
    const { origin, larder, database } = library;
    await removeDatabase(database);
    // As far as a start comes that is killed before it took anything up.
    const { database: opened } = await openOrRebuild({
      dataFolder: larder.dataFolder,
      migrations,
      clock: systemClock,
      log: createLog({ level: 'error', write: () => undefined, nowMs: () => 0 }),
    });
    opened.close();
    await origin.goDown();
    await larder.restart();
    await expectAdopted(library);
  },
  LIMIT_MS,
);

function each(list: unknown, size: number, at: number, change: (value: number) => number): number[] {
  return (list as number[]).map((value, index) => (index % size === at ? change(value) >>> 0 || change(value) : value));
}
