import { afterAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { ConnectionPool, Sqlite3Client } from '@libsql/client/sqlite3';
import { keepStatements } from '../../../src/db/kept-statements.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = await temporaryFolder();
let fileCount = 0;

/** A database of one table, and the statements that the driver compiles in it. */
async function openCounted() {
  const compiled: string[] = [];
  class CountingPool extends ConnectionPool {
    #isSet = false;

    override acquireSync(forTransaction?: boolean) {
      const connection = super.acquireSync(forTransaction);
      if (this.#isSet) return connection;
      this.#isSet = true;
      const prepare = connection.prepare.bind(connection);
      Object.assign(connection, {
        prepare(sql: string) {
          compiled.push(sql);
          return prepare(sql);
        },
      });
      keepStatements(connection);
      return connection;
    }
  }
  fileCount += 1;
  const client = new Sqlite3Client(
    new CountingPool(join(folder.path, `${fileCount}.db`), { timeout: 1_000 }, 1),
    'number',
  );
  await client.execute('CREATE TABLE films (id INTEGER PRIMARY KEY, name TEXT UNIQUE, year INTEGER) STRICT');
  await client.execute({ sql: 'INSERT INTO films (name, year) VALUES (?, ?)', args: ['one', 1991] });
  compiled.length = 0;
  return { client, compiled };
}

afterAll(() => folder[Symbol.asyncDispose]());

const YEAR_OF = 'SELECT year FROM films WHERE name = ?';
const ADD = 'INSERT INTO films (name) VALUES (?)';

describe('statements that are kept', () => {
  test('are compiled once, and give what is there each time', async () => {
    const { client, compiled } = await openCounted();
    for (let year = 2000; year < 2005; year++) {
      await client.execute({ sql: 'UPDATE films SET year = ? WHERE name = ?', args: [year, 'one'] });
      expect((await client.execute({ sql: YEAR_OF, args: ['one'] })).rows[0]?.year).toBe(year);
      expect((await client.execute({ sql: YEAR_OF, args: ['none'] })).rows).toEqual([]);
    }
    expect(compiled).toHaveLength(2);
    client.close();
  });

  test('that failed are compiled anew, and a batch leaves nothing of itself', async () => {
    const { client, compiled } = await openCounted();
    await client.execute({ sql: ADD, args: ['two'] });
    await expect(client.execute({ sql: ADD, args: ['two'] })).rejects.toThrow('UNIQUE');
    const batch = ['three', 'one'].map((name) => ({ sql: ADD, args: [name] }));
    await expect(client.batch(batch, 'write')).rejects.toThrow('UNIQUE');
    await client.batch([{ sql: ADD, args: ['four'] }], 'write');
    const names = await client.execute('SELECT name FROM films ORDER BY id');
    expect(names.rows.map((row) => row.name)).toEqual(['one', 'two', 'four']);
    expect(compiled.filter((sql) => sql === ADD)).toHaveLength(3);
    client.close();
  });

  test('know the columns that a table got meanwhile', async () => {
    const { client } = await openCounted();
    const all = 'SELECT * FROM films';
    expect((await client.execute(all)).columns).toEqual(['id', 'name', 'year']);
    await client.execute('ALTER TABLE films ADD COLUMN rating INTEGER');
    expect((await client.execute(all)).columns).toEqual(['id', 'name', 'year', 'rating']);
    await client.executeMultiple('ALTER TABLE films DROP COLUMN rating; ALTER TABLE films DROP COLUMN year');
    expect((await client.execute(all)).rows[0]).toEqual(expect.objectContaining({ id: 1, name: 'one' }));
    expect((await client.execute(all)).columns).toEqual(['id', 'name']);
    client.close();
  });

  test('are bounded: those that were not used lately go', async () => {
    const { client, compiled } = await openCounted();
    for (let number = 0; number < 200; number++) {
      await client.execute(`SELECT ${number} FROM films`);
      await client.execute({ sql: YEAR_OF, args: ['one'] });
    }
    await client.execute('SELECT 199 FROM films');
    await client.execute('SELECT 0 FROM films');
    expect(compiled.filter((sql) => sql === YEAR_OF)).toHaveLength(1);
    expect(compiled.filter((sql) => sql === 'SELECT 199 FROM films')).toHaveLength(1);
    expect(compiled.filter((sql) => sql === 'SELECT 0 FROM films')).toHaveLength(2);
    client.close();
  });

  test('keep nobody from moving the log into the database', async () => {
    const { client } = await openCounted();
    await client.execute('PRAGMA journal_mode = WAL');
    await client.execute({ sql: ADD, args: ['two'] });
    await client.execute({ sql: YEAR_OF, args: ['one'] });
    const [checkpoint] = (await client.execute('PRAGMA wal_checkpoint(TRUNCATE)')).rows;
    expect(checkpoint?.busy).toBe(0);
    client.close();
  });
});
