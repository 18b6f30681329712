// What a data folder claims to have, read from a copy of its database while nobody runs on it: opening the database
// itself would move its write-ahead log, which is the work of the start that is under test.
import { copyFile, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Client, createClient } from '@libsql/client/sqlite3';
import type { ByteRange } from '../../src/bytes/byte-range.ts';

/** The current generation of an entry. */
export interface CachedFilm {
  readonly entryId: number;
  readonly path: string;
  readonly etag: string;
  readonly totalBytes: number | null;
  readonly fileName: string;
  /** Sorted. */
  readonly ranges: readonly ByteRange[];
}

export interface CacheRows {
  readonly films: ReadonlyMap<string, CachedFilm>;
  /** Of every generation, current or not. */
  readonly fileNames: ReadonlySet<string>;
}

const GENERATIONS = `
  SELECT generation.id, generation.file_name, generation.etag, generation.total_bytes, generation.superseded_at,
    entry.id AS entry_id, variant.path
  FROM cache_generations generation
  JOIN cache_entries entry ON entry.id = generation.entry_id
  JOIN cache_quality_variants variant ON variant.media_id = entry.media_id AND variant.quality = entry.quality
  JOIN media_items item ON item.id = entry.media_id
  JOIN sources source ON source.id = entry.source_id
  WHERE source.name = ?`;

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => null)) !== null;
}

/** Copies the database to `scratchFile`, and its log beside it. @returns false when there is none yet */
async function copyDatabase(dataFolder: string, scratchFile: string): Promise<boolean> {
  for (const suffix of ['', '-wal', '-shm']) await rm(`${scratchFile}${suffix}`, { force: true });
  const file = join(dataFolder, 'larder.db');
  if (!(await exists(file))) return false;
  await copyFile(file, scratchFile);
  if (await exists(`${file}-wal`)) await copyFile(`${file}-wal`, `${scratchFile}-wal`);
  return true;
}

async function readRows(client: Client, source: string): Promise<CacheRows> {
  const films = new Map<string, CachedFilm>();
  const fileNames = new Set<string>();
  const tables = await client.execute("SELECT count(*) AS count FROM sqlite_master WHERE name = 'cache_generations'");
  // Killed before its tables were made.
  if (Number(tables.rows[0]?.count) === 0) return { films, fileNames };
  const chunks = await client.execute('SELECT generation_id, start, "end" FROM cache_chunks ORDER BY start');
  const rangesOf = Map.groupBy(chunks.rows, (row) => Number(row.generation_id));
  for (const row of (await client.execute(GENERATIONS, [source])).rows) {
    fileNames.add(String(row.file_name));
    if (row.superseded_at !== null) continue;
    const path = String(row.path);
    if (films.has(path)) throw new Error(`two current generations of ${path}`);
    films.set(path, {
      entryId: Number(row.entry_id),
      path,
      etag: String(row.etag),
      totalBytes: row.total_bytes === null ? null : Number(row.total_bytes),
      fileName: String(row.file_name),
      ranges: (rangesOf.get(Number(row.id)) ?? []).map((range) => ({
        start: Number(range.start),
        end: Number(range.end),
      })),
    });
  }
  return { films, fileNames };
}

export interface ReadOptions {
  readonly dataFolder: string;
  readonly scratchFile: string;
  readonly source: string;
  /** Also has SQLite look at every page. */
  readonly checkIntegrity: boolean;
}

/** @throws Error when the database is damaged */
export async function readCacheRows(options: ReadOptions): Promise<CacheRows> {
  if (!(await copyDatabase(options.dataFolder, options.scratchFile))) return { films: new Map(), fileNames: new Set() };
  const client = createClient({ url: pathToFileURL(options.scratchFile).href });
  try {
    if (options.checkIntegrity) {
      for (const pragma of ['PRAGMA integrity_check', 'PRAGMA foreign_key_check']) {
        const problems = (await client.execute(pragma)).rows.map((row) => Object.values(row).join(' '));
        if (problems.some((text) => text !== 'ok')) throw new Error(`${pragma}: ${problems.slice(0, 3).join('; ')}`);
      }
    }
    return await readRows(client, options.source);
  } finally {
    client.close();
  }
}

/** Chunk files as the rows name them: `SOURCE/NAME`. */
export async function listChunkFiles(dataFolder: string): Promise<string[]> {
  const root = join(dataFolder, 'chunks');
  if (!(await exists(root))) return [];
  const found = await readdir(root, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

/** A chunk file that no row names. */
export async function leaveOrphan(dataFolder: string, source: string): Promise<void> {
  const folder = join(dataFolder, 'chunks', source);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'orphan-0123456789ab.mkv'), 'nobody names this');
}

/** What is wrong with the rows of one film, looked at with its file; null when nothing is. */
export async function findWrongRow(film: CachedFilm, dataFolder: string): Promise<string | null> {
  let before = -1;
  for (const { start, end } of film.ranges) {
    if (start >= end || start <= before) return `ranges that are empty, overlap or touch at ${start}`;
    before = end;
  }
  if (before < 0) return null;
  if (film.totalBytes !== null && before > film.totalBytes) return `a range to ${before} of ${film.totalBytes} bytes`;
  const length = (await stat(join(dataFolder, 'chunks', film.fileName)).catch(() => null))?.size ?? 0;
  return length < before ? `a range to ${before} in a chunk file of ${length} bytes` : null;
}
