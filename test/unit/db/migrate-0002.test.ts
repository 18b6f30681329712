// From schema 1 to schema 2: checksums of cells become checksums of spans, nothing that was kept is lost, and a power
// cut at any byte of the write-ahead log leaves a database of one schema or the other.
import { describe, expect, test } from 'bun:test';
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { migrations } from '../../../migrations/index.ts';
import { checkDatabase, connect, openDatabase } from '../../../src/db/database.ts';
import { migrate } from '../../../src/db/migrate.ts';
import { CHUNK_BYTES } from '../../../src/limits.ts';
import { rawRequest } from '../../http/raw-client.ts';
import { startLarder } from '../../http/running-larder.ts';
import { contentOf } from '../../support/content.ts';
import { startOrigin } from '../../support/origin.ts';
import { createRandom, testSeed } from '../../support/random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const LIMIT_MS = 30_000;
const SIZE = 2 * CHUNK_BYTES + 300_000;

interface OldFile {
  readonly name: string;
  readonly totalBytes: number | null;
  readonly ranges: readonly (readonly [start: number, end: number])[];
  /** Cells that have a checksum. */
  readonly cells: readonly number[];
}

const FILES: readonly OldFile[] = [
  { name: 'whole.mkv', totalBytes: SIZE, ranges: [[0, SIZE]], cells: [0, 1, 2] },
  // Read from the middle: its first cell was never whole.
  { name: 'part.mkv', totalBytes: SIZE, ranges: [[CHUNK_BYTES - 5_000, SIZE]], cells: [1, 2] },
  { name: 'probe.mkv', totalBytes: SIZE, ranges: [[1_000, 2_000]], cells: [] },
  // Its length was never learnt, its last cell is not over.
  { name: 'endless.mkv', totalBytes: null, ranges: [[0, CHUNK_BYTES + 700_000]], cells: [0] },
  { name: 'empty.mkv', totalBytes: SIZE, ranges: [], cells: [] },
];

/** A database of schema 1 as an appliance of its time left it. */
async function writeOldDatabase(file: string, url: string, seedOf: (name: string) => number): Promise<void> {
  const { client, close } = await openDatabase(file);
  await migrate(client, { migrations: migrations.slice(0, 1), nowMs: () => 1, backupFile: () => 'never' });
  await client.execute({
    sql: "INSERT INTO sources VALUES (1, 'films', 'http', ?, 1, 1, 1, NULL, NULL, NULL)",
    args: [url],
  });
  for (const [index, { name, totalBytes, ranges, cells }] of FILES.entries()) {
    const id = index + 1;
    await client.batch(
      [
        { sql: "INSERT INTO media_items VALUES (?, 1, ?, 'video', ?, NULL, 1)", args: [id, name, name] },
        {
          sql: "INSERT INTO cache_quality_variants VALUES (?, ?, 'original', ?, 'mkv', ?, 1)",
          args: [id, id, name, totalBytes],
        },
        { sql: "INSERT INTO cache_entries VALUES (?, 1, ?, 'original', 1, ?, 3)", args: [id, id, 1_000 + id] },
        {
          sql: 'INSERT INTO cache_generations VALUES (?, ?, ?, NULL, ?, 1, ?, 1, NULL)',
          args: [id, id, `"${name}"`, totalBytes, `films/${name}`],
        },
        { sql: "INSERT INTO cache_headers VALUES (?, 'video/x-matroska', NULL, NULL)", args: [id] },
        ...ranges.map(([start, end]) => ({
          sql: 'INSERT INTO cache_chunks VALUES (?, ?, ?, 1)',
          args: [id, start, end],
        })),
        ...cells.map((cell) => {
          const end = Math.min((cell + 1) * CHUNK_BYTES, totalBytes ?? Number.POSITIVE_INFINITY);
          const sum = crc32(contentOf(seedOf(name), cell * CHUNK_BYTES, end));
          return { sql: 'INSERT INTO chunk_checksums VALUES (?, ?, ?, 1)', args: [id, cell, sum] };
        }),
      ],
      'write',
    );
  }
  await client.execute("INSERT INTO cache_download_queue VALUES (1, 2, 'person', 'done', 1, 1, NULL, NULL, 1, 1)");
  close();
}

async function schemaOf(file: string): Promise<number> {
  const client = connect(file);
  const rows = await client.execute('SELECT max(version) AS version FROM schema_migrations');
  client.close();
  return Number(rows.rows[0]!.version);
}

async function rowsOf(file: string, sql: string): Promise<unknown[][]> {
  const client = connect(file);
  const result = await client.execute(sql);
  client.close();
  return result.rows.map((row) => result.columns.map((column) => row[column]));
}

async function migrateFully(file: string, backupFile: string) {
  const { client, close } = await openDatabase(file);
  try {
    const result = await migrate(client, { migrations, nowMs: () => 2, backupFile: () => backupFile });
    expect(await checkDatabase({ client })).toEqual([]);
    return result;
  } finally {
    close();
  }
}

const SPANS = 'SELECT generation_id, start, "end" FROM chunk_checksums ORDER BY generation_id, start';
const EXPECTED_SPANS = FILES.flatMap(({ cells, totalBytes }, index) =>
  cells.map((cell) => [
    index + 1,
    cell * CHUNK_BYTES,
    Math.min((cell + 1) * CHUNK_BYTES, totalBytes ?? Number.POSITIVE_INFINITY),
  ]),
);

describe('migration 2', () => {
  test('each checksum of a cell becomes one of the span that it was of, and a copy of the old database is kept', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('larder.db');
    await writeOldDatabase(file, 'http://host/', () => 1);
    const before = await rowsOf(
      file,
      'SELECT chunk_index, crc32 FROM chunk_checksums ORDER BY generation_id, chunk_index',
    );
    const result = await migrateFully(file, folder.file('backup.db'));
    expect(result).toEqual({ from: 1, to: migrations.at(-1)!.version, backupFile: folder.file('backup.db') });
    expect(await rowsOf(file, SPANS)).toEqual(EXPECTED_SPANS);
    const sums = await rowsOf(file, 'SELECT start / 2097152, crc32 FROM chunk_checksums ORDER BY generation_id, start');
    expect(sums).toEqual(before);
    expect(await schemaOf(folder.file('backup.db'))).toBe(1);
    expect(await rowsOf(folder.file('backup.db'), 'SELECT count(*) FROM cache_chunks')).toEqual([[4]]);
    expect(await rowsOf(file, 'SELECT pinned, missing_since FROM cache_entries LIMIT 1')).toEqual([[0, null]]);
    expect(await rowsOf(file, 'SELECT entry_count FROM cache_statistics')).toEqual([[FILES.length]]);
  });

  test(
    'all that an older Larder kept is served by this one with the origin down, and what it had no checksums of gets them',
    async () => {
      await using origin = await startOrigin();
      for (const { name } of FILES) origin.addFile(name, { sizeBytes: SIZE, etag: `"${name}"`, lastModified: null });
      await using larder = await startLarder();
      await larder.stop();
      for (const suffix of ['', '-wal', '-shm']) rmSync(join(larder.dataFolder, `larder.db${suffix}`), { force: true });
      await writeOldDatabase(join(larder.dataFolder, 'larder.db'), origin.url, origin.seedOf);
      await mkdir(join(larder.dataFolder, 'chunks', 'films'), { recursive: true });
      for (const { name, ranges } of FILES) {
        const end = ranges.at(-1)?.[1] ?? 0;
        const bytes = new Uint8Array(end);
        for (const [from, to] of ranges) bytes.set(contentOf(origin.seedOf(name), from, to), from);
        if (end > 0) writeFileSync(join(larder.dataFolder, 'chunks', 'films', name), bytes);
      }
      await origin.goDown();
      await larder.restart([]);
      for (const { name, ranges, totalBytes } of FILES) {
        for (const [from, to] of ranges) {
          if (totalBytes === null) {
            // Of unknown length: what is there comes, and then the connection ends.
            const response = await rawRequest(larder.port, `/s/films/${name}`);
            expect([response.isWhole, response.body.length]).toEqual([false, to]);
            origin.assertBody(name, response.body);
            continue;
          }
          const range = { Range: `bytes=${from}-${to - 1}` };
          const response = await rawRequest(larder.port, `/s/films/${name}`, range);
          expect([name, response.status]).toEqual([name, 206]);
          expect([name, response.isWhole, response.header('x-cache')]).toEqual([name, true, 'HIT']);
          origin.assertBody(name, response.body, from);
        }
      }
      await larder.stop();
      const file = join(larder.dataFolder, 'larder.db');
      // Every byte that is available has its checksum by now: all of it was read.
      const bare = await rowsOf(
        file,
        `SELECT c.generation_id, c.start FROM cache_chunks c WHERE c."end" - c.start > (
          SELECT coalesce(sum(min(s."end", c."end") - max(s.start, c.start)), 0) FROM chunk_checksums s
          WHERE s.generation_id = c.generation_id AND s.start < c."end" AND s."end" > c.start)`,
      );
      expect(bare).toEqual([]);
      await origin.comeBack();
      await larder.restart([]);
      for (const { name } of FILES) {
        const response = await rawRequest(larder.port, `/s/films/${name}`);
        expect([name, response.status, response.isWhole]).toEqual([name, 200, true]);
        origin.assertBody(name, response.body);
      }
      expect(existsSync(join(larder.dataFolder, 'damaged'))).toBe(false);
    },
    LIMIT_MS,
  );

  test(
    'a power cut at any byte of the log leaves one schema or another whole, and the next start migrates what is left to do',
    async () => {
      await using folder = await temporaryFolder();
      const file = folder.file('larder.db');
      const random = createRandom(testSeed);
      console.log(`seed ${testSeed}`);
      await writeOldDatabase(file, 'http://host/', () => 1);
      const { client, close } = await openDatabase(file);
      await client.execute('PRAGMA wal_checkpoint(TRUNCATE)');
      await migrate(client, { migrations, nowMs: () => 2, backupFile: () => folder.file('backup.db') });
      // As they lie there while the program that migrated still runs.
      copyFileSync(file, folder.file('cut.db'));
      const log = readFileSync(`${file}-wal`);
      close();
      expect(log.length).toBeGreaterThan(10_000);
      const frames = Math.floor((log.length - 32) / 4_120);
      const cuts = [0, 1, 32, log.length - 1, log.length];
      for (let frame = 1; frame <= frames; frame++) cuts.push(32 + frame * 4_120);
      for (let index = 0; index < 60; index++) cuts.push(random.between(0, log.length));
      const seen = new Set<number>();
      for (const [index, cut] of cuts.entries()) {
        const copy = folder.file(`copy${index}.db`);
        copyFileSync(folder.file('cut.db'), copy);
        writeFileSync(`${copy}-wal`, log.subarray(0, cut));
        const schema = await schemaOf(copy);
        seen.add(schema);
        const result = await migrateFully(copy, folder.file(`backup${index}.db`));
        expect([cut, result.from, result.to]).toEqual([cut, schema, migrations.at(-1)!.version]);
        expect(await rowsOf(copy, SPANS)).toEqual(EXPECTED_SPANS);
        for (const name of [copy, `${copy}-wal`, `${copy}-shm`]) rmSync(name, { force: true });
      }
      expect([...seen].toSorted((left, right) => left - right)).toEqual(migrations.map(({ version }) => version));
    },
    LIMIT_MS,
  );
});
