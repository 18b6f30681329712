import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { type Migration, migrations } from '../../../migrations/index.ts';
import { connect, openDatabase } from '../../../src/db/database.ts';
import { migrate } from '../../../src/db/migrate.ts';
import { LarderError } from '../../../src/errors.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/temporary-folder.ts';

const first: Migration = {
  version: 1,
  name: 'first',
  sql: 'CREATE TABLE one (a INTEGER) STRICT; INSERT INTO one VALUES (1);',
};
const second: Migration = {
  version: 2,
  name: 'second',
  sql: "ALTER TABLE one ADD COLUMN b TEXT; CREATE TRIGGER kept AFTER INSERT ON one BEGIN UPDATE one SET b = 'x'; DELETE FROM one WHERE a < 0; END;",
};
const broken: Migration = {
  version: 2,
  name: 'broken',
  sql: 'CREATE TABLE two (a INTEGER); INSERT INTO one VALUES (2); INSERT INTO nowhere VALUES (1);',
};

async function run(folder: TemporaryFolder, list: readonly Migration[], backupName = 'backup') {
  const { client, close } = await openDatabase(folder.file('larder.db'));
  try {
    return await migrate(client, {
      migrations: list,
      nowMs: () => 123,
      backupFile: (version) => folder.file(`${backupName}-${version}.db`),
    });
  } finally {
    close();
  }
}

async function failure(promise: Promise<unknown>): Promise<LarderError> {
  const thrown = await promise.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
  if (!(thrown instanceof LarderError)) throw thrown;
  return thrown;
}

/** Everything in the database that a migration could have changed. */
async function contentsOf(file: string): Promise<unknown> {
  const client = connect(file);
  const schema = await client.execute('SELECT type, name, sql FROM sqlite_schema ORDER BY name');
  const rows = await client.execute('SELECT * FROM one');
  const versions = await client.execute('SELECT * FROM schema_migrations ORDER BY version');
  client.close();
  return [schema.rows, rows.rows, versions.rows].map((list) =>
    list.map((row) => Array.from(row as unknown as ArrayLike<unknown>)),
  );
}

describe('migrate()', () => {
  test('migrate() makes every table and records each migration when the database is new', async () => {
    await using folder = await temporaryFolder();
    expect(await run(folder, migrations)).toEqual({ from: 0, to: migrations.at(-1)!.version, backupFile: null });
    const client = connect(folder.file('larder.db'));
    const rows = await client.execute(
      'SELECT version, name, sha256, applied_at FROM schema_migrations ORDER BY version',
    );
    client.close();
    expect(rows.rows.map((row) => [row.version, row.name, row.applied_at])).toEqual(
      migrations.map(({ version, name }) => [version, name, 123]),
    );
    for (const row of rows.rows) expect(row.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test('migrate() changes nothing and takes no copy when it runs again', async () => {
    await using folder = await temporaryFolder();
    await run(folder, [first]);
    const before = await contentsOf(folder.file('larder.db'));
    expect(await run(folder, [first])).toEqual({ from: 1, to: 1, backupFile: null });
    expect(await contentsOf(folder.file('larder.db'))).toEqual(before);
  });

  test('migrations are numbered from 1 without a gap', () => {
    expect(migrations.map((migration) => migration.version)).toEqual(migrations.map((_, index) => index + 1));
  });

  test('migrate() copies the database before it changes one that exists', async () => {
    await using folder = await temporaryFolder();
    await run(folder, [first]);
    const before = await contentsOf(folder.file('larder.db'));
    const result = await run(folder, [first, second]);
    expect(result).toEqual({ from: 1, to: 2, backupFile: folder.file('backup-1.db') });
    expect(await contentsOf(folder.file('backup-1.db'))).toEqual(before);
  });

  test('invariant 10: migrate() refuses a database of a newer Larder and changes nothing', async () => {
    await using folder = await temporaryFolder();
    await run(folder, [first, second]);
    const before = await contentsOf(folder.file('larder.db'));
    const error = await failure(run(folder, [first]));
    expect(error.code).toBe('data-folder');
    expect(error.message).toContain('schema 2');
    expect(await contentsOf(folder.file('larder.db'))).toEqual(before);
    expect(existsSync(folder.file('backup-2.db'))).toBe(false);
  });

  test('invariant 10: migrate() refuses a database whose migration was another one and changes nothing', async () => {
    await using folder = await temporaryFolder();
    await run(folder, [first]);
    const before = await contentsOf(folder.file('larder.db'));
    const error = await failure(run(folder, [{ ...first, sql: `${first.sql} ` }, second]));
    expect(error.message).toContain('migration 1');
    expect(await contentsOf(folder.file('larder.db'))).toEqual(before);
  });

  test('migrate() leaves nothing of a migration that failed in its middle, keeps the ones before it, and can try again', async () => {
    await using folder = await temporaryFolder();
    await run(folder, [first]);
    const before = await contentsOf(folder.file('larder.db'));
    const error = await failure(run(folder, [first, broken]));
    expect(error).toMatchObject({ code: 'data-folder' });
    expect(error.message).toContain('broken');
    expect(await contentsOf(folder.file('larder.db'))).toEqual(before);
    expect((await run(folder, [first, second], 'again')).to).toBe(2);
  });

  test('migrate() rolls back on the connection that goes on being used when a migration fails', async () => {
    await using folder = await temporaryFolder();
    const { client, close } = await openDatabase(folder.file('larder.db'));
    const options = { nowMs: () => 1, backupFile: (version: number) => folder.file(`${version}.db`) };
    await migrate(client, { ...options, migrations: [first] });
    await failure(migrate(client, { ...options, migrations: [first, broken] }));
    // No transaction was left open: another one can begin, and what it writes stays.
    await client.batch(['INSERT INTO one VALUES (7)'], 'write');
    close();
    const other = connect(folder.file('larder.db'));
    expect((await other.execute('SELECT count(*) AS n FROM one')).rows[0]!.n).toBe(2);
    other.close();
  });

  test('migrate() says what is wrong as a LarderError when the copy cannot be made', async () => {
    await using folder = await temporaryFolder();
    await run(folder, [first]);
    await failure(run(folder, [first, second], 'no/such/folder/backup'));
  });
});

describe('openDatabase()', () => {
  test('openDatabase() refuses a file that is no database, says where it is, and leaves it as it was', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('larder.db');
    await Bun.write(file, 'this is no database, however long one looks at it '.repeat(100));
    const error = await failure(openDatabase(file));
    expect(error.code).toBe('data-folder');
    expect(error.message).toContain(file);
    expect(await Bun.file(file).text()).toContain('this is no database');
  });

  test('openDatabase() sets what is per connection', async () => {
    await using folder = await temporaryFolder();
    const { client, close } = await openDatabase(folder.file('larder.db'));
    const value = async (name: string) => Object.values((await client.execute(`PRAGMA ${name}`)).rows[0]!)[0];
    expect(await value('journal_mode')).toBe('wal');
    expect(await value('synchronous')).toBe(1);
    expect(await value('foreign_keys')).toBe(1);
    expect(await value('wal_autocheckpoint')).toBe(0);
    expect(await value('busy_timeout')).toBe(5_000);
    close();
  });

  test('openDatabase() still has its settings after a batch and after an error', async () => {
    await using folder = await temporaryFolder();
    const { client, close } = await openDatabase(folder.file('larder.db'));
    await client.batch(['CREATE TABLE a (b INTEGER)'], 'write');
    await client.batch(['INSERT INTO nowhere VALUES (1)'], 'write').catch(() => undefined);
    for (const name of ['foreign_keys', 'synchronous']) {
      expect([name, Object.values((await client.execute(`PRAGMA ${name}`)).rows[0]!)[0]]).toEqual([name, 1]);
    }
    expect(Object.values((await client.execute('PRAGMA wal_autocheckpoint')).rows[0]!)[0]).toBe(0);
    close();
  });
});
