// A file of which as many separate ranges are kept as one likes. The binary itself caches its head; the other ranges are
// rows beside it, with right checksums: the first ones hold the origin's bytes, the rest are holes in the chunk file, of
// which nothing is read.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { crc32 } from 'node:zlib';
import { createClient } from '@libsql/client/sqlite3';
import { type BenchFile, contentOf } from '../content.ts';
import { MiB } from '../scenarios/files.ts';

const KiB = 1024;
/** One range, so long that no reader in it runs into what is missing behind it. */
export const HEAD_BYTES = 32 * MiB;
/** Behind the head: as much missing as kept, in turn. */
export const FRAGMENT_BYTES = 64 * KiB;
const GAP_BYTES = 64 * KiB;
const STRIDE_BYTES = GAP_BYTES + FRAGMENT_BYTES;
/** So many have content. */
export const REAL_FRAGMENTS = 1_000;
export const MOST_FRAGMENTS = 100_000;

/** As long whatever there is of it. */
export const FRAGMENTED_FILE: BenchFile = {
  name: 'film.bin',
  sizeBytes: HEAD_BYTES + MOST_FRAGMENTS * STRIDE_BYTES,
  seed: 31,
};

/** What is missing before fragment `index`. */
export function gapAt(index: number): { readonly start: number; readonly end: number } {
  const start = HEAD_BYTES + index * STRIDE_BYTES;
  return { start, end: start + GAP_BYTES };
}

export function fragmentAt(index: number): { readonly start: number; readonly end: number } {
  const start = gapAt(index).end;
  return { start, end: start + FRAGMENT_BYTES };
}

/** To a folder whose only entry is the file with its head, while nobody runs on it. */
export async function addFragments(dataFolder: string, count: number): Promise<void> {
  const client = createClient({ url: pathToFileURL(join(dataFolder, 'larder.db')).href });
  let chunkFile: string;
  try {
    const { rows } = await client.execute('SELECT id, file_name FROM cache_generations');
    if (rows.length !== 1) throw new Error(`${rows.length} generations where there should be one`);
    const id = Number(rows[0]!.id);
    chunkFile = join(dataFolder, 'chunks', String(rows[0]!.file_name));
    const fragments = `
      WITH RECURSIVE numbers (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < ${count - 1}),
      fragments (start) AS (SELECT ${fragmentAt(0).start} + i * ${STRIDE_BYTES} FROM numbers)`;
    const columns = `${id}, start, start + ${FRAGMENT_BYTES}`;
    await client.execute(`
      INSERT INTO cache_chunks (generation_id, start, "end", recorded_at)
      ${fragments} SELECT ${columns}, 0 FROM fragments`);
    await client.execute(`
      INSERT INTO chunk_checksums (generation_id, start, "end", crc32)
      ${fragments} SELECT ${columns}, ${crc32(new Uint8Array(FRAGMENT_BYTES))} FROM fragments`);
    await writeContent(chunkFile, count, (start, checksum) =>
      client
        .execute(`UPDATE chunk_checksums SET crc32 = ${checksum} WHERE generation_id = ${id} AND start = ${start}`)
        .then(() => undefined),
    );
    await client.execute('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    client.close();
  }
}

/** Turns a bit of what is kept of a fragment, on the disk. */
export async function damageFragment(dataFolder: string, index: number): Promise<void> {
  const client = createClient({ url: pathToFileURL(join(dataFolder, 'larder.db')).href });
  const { rows } = await client.execute('SELECT file_name FROM cache_generations').finally(() => client.close());
  const handle = await open(join(dataFolder, 'chunks', String(rows[0]?.file_name)), 'r+');
  const { start } = fragmentAt(index);
  const bytes = contentOf(start, start + 8, FRAGMENTED_FILE.seed);
  bytes[0]! ^= 1;
  await handle.write(bytes, 0, bytes.length, start);
  await handle.close();
}

async function writeContent(
  chunkFile: string,
  count: number,
  record: (start: number, checksum: number) => Promise<void>,
): Promise<void> {
  const handle = await open(chunkFile, 'r+');
  try {
    await handle.truncate(fragmentAt(count - 1).end);
    for (let index = 0; index < Math.min(count, REAL_FRAGMENTS); index++) {
      const { start, end } = fragmentAt(index);
      const bytes = contentOf(start, end, FRAGMENTED_FILE.seed);
      await handle.write(bytes, 0, bytes.length, start);
      await record(start, crc32(bytes));
    }
  } finally {
    await handle.close();
  }
}
