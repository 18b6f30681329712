// Opens the one database file. The local libSQL driver is synchronous inside: each statement blocks the thread that
// runs it, so statements here are small, and what is long (checkpoints, backups, checks) runs on the upkeep thread.
import { chmod } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { type Client, createClient, Sqlite3Client } from '@libsql/client/sqlite3';
import { drizzle } from 'drizzle-orm/libsql/sqlite3';
import { describeError, LarderError, rootCause } from '../errors.ts';
import { KeepingPool } from './kept-statements.ts';
import * as schema from './schema.ts';

export type Tables = ReturnType<typeof connectTables>;

export interface Database {
  readonly tables: Tables;
  /** For what drizzle does not do: PRAGMAs, scripts, plans. Only src/db uses it. */
  readonly client: Client;
  close(): void;
}

/** A statement waits this long for another thread's lock (the upkeep thread only reads and checkpoints). */
const BUSY_TIMEOUT_MS = 5_000;

function connectTables(client: Client) {
  return drizzle(client, { schema });
}

/** Whether an error says that the file's content is damaged. */
export function isDatabaseDamage(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (/SQLITE_CORRUPT|SQLITE_NOTADB|file is not a database|disk image is malformed/.test(describeError(current))) {
      return true;
    }
  }
  return false;
}

/** Whether a statement named a row that is not there: it was removed meanwhile. */
export function isMissingReference(error: unknown): boolean {
  return /FOREIGN KEY constraint failed/.test(describeError(rootCause(error)));
}

/** Reads the whole database. @returns what is wrong with it, in SQLite's words */
export async function checkDatabase({ client }: Pick<Database, 'client'>): Promise<string[]> {
  try {
    const check = await client.execute('PRAGMA quick_check');
    return check.rows.map((row) => String(row[0])).filter((text) => text !== 'ok');
  } catch (error) {
    return [describeError(error)];
  }
}

/**
 * The same, table by table, so that it can be called off in between: for a thread of its own, with a connection of its
 * own. @returns what is wrong, in SQLite's words; null when it was called off
 */
export async function checkDatabaseFile(file: string, isCalledOff: () => boolean): Promise<string[] | null> {
  let client: Client | undefined;
  try {
    client = connect(file);
    const tables = await client.execute("SELECT name FROM sqlite_schema WHERE type = 'table'");
    const problems: string[] = [];
    for (const table of tables.rows) {
      if (isCalledOff()) return null;
      const check = await client.execute(`PRAGMA quick_check("${String(table[0]).replaceAll('"', '""')}")`);
      problems.push(...check.rows.map((row) => String(row[0])).filter((text) => text !== 'ok'));
    }
    return problems;
  } catch (error) {
    return [describeError(error)];
  } finally {
    client?.close();
  }
}

/** Tells of the first statement that met damage. */
function watchForDamage(client: Client, onDamage: () => void): void {
  let isTold = false;
  for (const name of ['execute', 'batch'] as const) {
    const run = client[name].bind(client) as (...args: unknown[]) => Promise<unknown>;
    Object.assign(client, {
      [name]: (...args: unknown[]) =>
        run(...args).catch((error: unknown) => {
          if (!isTold && isDatabaseDamage(error)) {
            isTold = true;
            onDamage();
          }
          throw error;
        }),
    });
  }
}

/** One connection without our PRAGMAs; throws what the driver throws. */
export function connect(file: string, busyTimeoutMs: number = BUSY_TIMEOUT_MS): Client {
  // One connection only: PRAGMAs are per connection, and nothing here holds a transaction across an await.
  return createClient({ url: pathToFileURL(file).href, concurrency: 1, timeout: busyTimeoutMs });
}

/** The same, with statements that are compiled once: for what runs for long. */
function connectForLong(file: string): Client {
  return new Sqlite3Client(new KeepingPool(file, { timeout: BUSY_TIMEOUT_MS }, 1), 'number');
}

/**
 * Opens `file`, creating it when missing, and sets what is per connection. Migrations are applied by
 * {@link import('./migrate.ts').migrate}.
 * @throws LarderError `data-folder` when the file is no database or cannot be opened
 */
export async function openDatabase(file: string, onDamage: () => void = () => undefined): Promise<Database> {
  let client: Client | undefined;
  try {
    client = connectForLong(file);
    // It holds password hashes. The log beside it gets the same mode.
    await chmod(file, 0o600).catch(() => undefined); // somebody else's file: opening it says what is wrong
    await client.execute('PRAGMA journal_mode = WAL');
    await client.execute('PRAGMA synchronous = NORMAL');
    await client.execute('PRAGMA foreign_keys = ON');
    // Checkpoints block for the time of an fsync: the upkeep thread runs them.
    await client.execute('PRAGMA wal_autocheckpoint = 0');
  } catch (error) {
    client?.close();
    throw new LarderError('data-folder', `cannot open the database ${file}: ${describeError(error)}`, {
      cause: error,
      hint: 'check that the disk has room and the file belongs to the user Larder runs as',
    });
  }
  const open = client;
  watchForDamage(open, onDamage);
  return { tables: connectTables(open), client: open, close: () => open.close() };
}
