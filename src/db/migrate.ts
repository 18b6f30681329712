// Applies the embedded migrations: forward only, each in one transaction together with its own row.
import { createHash } from 'node:crypto';
import type { Client } from '@libsql/client/sqlite3';
import type { Migration } from '../../migrations/index.ts';
import { describeError, LarderError } from '../errors.ts';

export type { Migration };

export interface MigrateOptions {
  readonly migrations: readonly Migration[];
  readonly nowMs: () => number;
  /** Where the copy goes that is taken before an existing database is changed. */
  readonly backupFile: (version: number) => string;
}

export interface MigrateResult {
  readonly from: number;
  readonly to: number;
  readonly backupFile: string | null;
}

function fingerprint(migration: Migration): string {
  return createHash('sha256').update(migration.sql).digest('hex');
}

async function appliedMigrations(client: Client): Promise<Map<number, string>> {
  const table = await client.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'");
  if (table.rows.length === 0) return new Map();
  const rows = await client.execute('SELECT version, sha256 FROM schema_migrations');
  return new Map(rows.rows.map((row) => [Number(row.version), String(row.sha256)]));
}

/** Version of the newest migration that was applied; 0 for a database without any. */
export async function schemaOf(client: Client): Promise<number> {
  return Math.max(0, ...(await appliedMigrations(client)).keys());
}

/** @throws LarderError `data-folder` when the database is from a newer Larder, was altered, or a migration fails */
export async function migrate(client: Client, options: MigrateOptions): Promise<MigrateResult> {
  const applied = await appliedMigrations(client);
  const newest = options.migrations.at(-1)?.version ?? 0;
  const from = Math.max(0, ...applied.keys());
  if (from > newest) {
    throw new LarderError('data-folder', `the database is of schema ${from}, this Larder knows schema ${newest}`, {
      hint: 'start the newer Larder that wrote it, or restore a backup from before the update',
    });
  }
  for (const migration of options.migrations) {
    const recorded = applied.get(migration.version);
    if (recorded !== undefined && recorded !== fingerprint(migration)) {
      throw new LarderError(
        'data-folder',
        `migration ${migration.version} in the database is not the one of this Larder`,
        {
          hint: 'the database was made by a development build; use the build that made it, or start with an empty data folder',
        },
      );
    }
  }
  const pending = options.migrations.filter((migration) => !applied.has(migration.version));
  if (pending.length === 0) return { from, to: newest, backupFile: null };
  let backupFile: string | null = null;
  if (from > 0) {
    backupFile = options.backupFile(from);
    await backUp(client, backupFile);
  }
  for (const migration of pending) await apply(client, migration, options.nowMs());
  return { from, to: newest, backupFile };
}

async function backUp(client: Client, file: string): Promise<void> {
  try {
    await client.execute({ sql: 'VACUUM INTO ?', args: [file] });
  } catch (error) {
    throw new LarderError('data-folder', `the database cannot be backed up to ${file}: ${describeError(error)}`, {
      cause: error,
      hint: 'nothing was changed; make room on the disk, then start again',
    });
  }
}

async function apply(client: Client, migration: Migration, nowMs: number): Promise<void> {
  // A script, because triggers hold semicolons. Numbers and a hex digest only: nothing here needs escaping.
  const script = `BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS schema_migrations (
      version INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT;
    ${migration.sql}
    INSERT INTO schema_migrations VALUES (${migration.version}, '${migration.name}', '${fingerprint(migration)}', ${nowMs});
    COMMIT;`;
  try {
    await client.executeMultiple(script);
  } catch (error) {
    throw new LarderError(
      'data-folder',
      `migration ${migration.version} (${migration.name}) failed: ${describeError(error)}`,
      {
        cause: error,
        hint: 'nothing was changed; check that the disk has room, then start again',
      },
    );
  }
}
