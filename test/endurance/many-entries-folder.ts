// A data folder with as many entries as one likes. The binary itself caches one small film; its rows are multiplied,
// column by column as the tables are, so that a column more or less in a later schema changes nothing here.
import { link, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Client, createClient } from '@libsql/client/sqlite3';
import { checkedGet } from './checked-get.ts';
import { type Film, hashOf } from './film.ts';
import { FilmOrigin } from './film-origin.ts';
import { LarderProcess } from './larder-process.ts';

export const SOURCE = 'films';
export const SEED = 1;
/** The one whose bytes are there; `film-1.mkv` and so on are holes. */
export const FILM: Film = {
  path: 'film.mkv',
  kind: 'seekable',
  firstBytes: 256 * 1024,
  latencyMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
};
/** Ids of the copies begin behind those of the program. */
const FIRST_ID = 1_000;
/** Files made at the same time. */
const AT_ONCE = 64;

/** Columns of the copy number `i` that are not those of the original. */
type Changes = Readonly<Record<string, string>>;

const NEW_ID = `(${FIRST_ID} + i)`;
const named = (column: string) => `replace(original.${column}, 'film', 'film-' || i)`;

/** Parents first. */
const COPIES: readonly [table: string, changes: Changes][] = [
  ['media_items', { id: NEW_ID, key: named('key'), title: named('title') }],
  ['cache_quality_variants', { id: NEW_ID, media_id: NEW_ID, path: named('path') }],
  ['cache_entries', { id: NEW_ID, media_id: NEW_ID }],
  // What is kept of it is counted when its ranges come.
  ['cache_generations', { id: NEW_ID, entry_id: NEW_ID, file_name: copyName('original.file_name'), cached_bytes: '0' }],
  ['cache_headers', { generation_id: NEW_ID }],
  ['cache_chunks', { generation_id: NEW_ID }],
];

/** `films/film-0123456789ab.mkv` becomes `films/copy-7-0123456789ab.mkv`. */
function copyName(column: string): string {
  return `replace(${column}, '/film', '/copy-' || i)`;
}

async function copyRows(client: Client, table: string, changes: Changes, count: number): Promise<void> {
  const columns = (await client.execute(`PRAGMA table_info(${table})`)).rows.map((row) => String(row.name));
  const missing = Object.keys(changes).find((column) => !columns.includes(column));
  if (missing !== undefined)
    throw new Error(`${table} has no column ${missing} any more: adapt many-entries-folder.ts`);
  const key = columns.includes('id') ? 'id' : 'generation_id';
  await client.execute(`
    WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ${count})
    INSERT INTO ${table} (${columns.map((column) => `"${column}"`).join(', ')})
    SELECT ${columns.map((column) => changes[column] ?? `original."${column}"`).join(', ')}
    FROM ${table} original JOIN numbers WHERE original.${key} < ${FIRST_ID}`);
}

async function makeHole(file: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  await handle.truncate(FILM.firstBytes);
  await handle.close();
}

/** A folder with the one film cached. */
export async function makeFolder(dataFolder: string): Promise<void> {
  using origin = new FilmOrigin({ seed: SEED, findFilm: (path) => (path === FILM.path ? FILM : null) });
  await using larder = new LarderProcess(dataFolder, ['--source', `${SOURCE}=${origin.url}`]);
  const port = await larder.listening();
  const result = await checkedGet({ port, source: SOURCE, film: FILM, seed: SEED });
  if (result.ending !== 'whole') throw new Error(`the film could not be cached: ${JSON.stringify(result)}`);
  await larder.terminate();
}

/**
 * Adds `count` copies of the one entry. `holes` have files of their own that are one hole each, and no checksums, which
 * makes entries as good; `links` have the content of the one that there was, its checksums and, on the disk, its file.
 */
export async function addCopies(dataFolder: string, count: number, kind: 'holes' | 'links' = 'holes'): Promise<void> {
  const client = createClient({ url: pathToFileURL(join(dataFolder, 'larder.db')).href });
  let files: string[];
  let original: string;
  try {
    const fileNames = async (which: string) => {
      const { rows } = await client.execute(`SELECT file_name FROM cache_generations WHERE ${which}`);
      return rows.map((row) => join(dataFolder, 'chunks', String(row.file_name)));
    };
    original = (await fileNames(`id < ${FIRST_ID}`))[0]!;
    for (const [table, changes] of COPIES) await copyRows(client, table, changes, count);
    if (kind === 'links') await copyRows(client, 'chunk_checksums', { generation_id: NEW_ID }, count);
    // As of a time when not every byte had a checksum: these have none.
    else await client.execute(`UPDATE cache_generations SET verified_at = NULL WHERE id >= ${FIRST_ID}`);
    files = await fileNames(`id >= ${FIRST_ID}`);
    await client.execute('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    client.close();
  }
  await mkdir(dirname(files[0]!), { recursive: true });
  for (let done = 0; done < files.length; done += AT_ONCE) {
    const make = (file: string) => (kind === 'holes' ? makeHole(file) : link(original, file));
    await Promise.all(files.slice(done, done + AT_ONCE).map(make));
  }
}

/** Path of one of the copies. */
export function someCopy(count: number): string {
  return `film-${1 + (hashOf('copy', SEED) % count)}.mkv`;
}
