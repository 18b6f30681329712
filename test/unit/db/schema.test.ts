// schema.ts is what drizzle believes, migrations/*.sql is what is: they must say the same.
import { describe, expect, test } from 'bun:test';
import { getTableColumns, getTableName, is } from 'drizzle-orm';
import { SQLiteTable } from 'drizzle-orm/sqlite-core';
import * as schema from '../../../src/db/schema.ts';
import { entryOf, generationOf, NOW_MS, openCacheDatabase } from '../../support/cache-database.ts';

const tables = Object.values(schema).filter((table) => is(table, SQLiteTable));

describe('schema', () => {
  test('schema.ts names the very tables that the migrations make', async () => {
    await using cache = await openCacheDatabase();
    const made = await cache.rows(
      "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_migrations'",
    );
    expect(made.map((row) => String(row.name)).sort()).toEqual(tables.map(getTableName).sort());
  });

  for (const table of tables) {
    test(`schema.ts has the columns of ${getTableName(table)} with their types and whether they may be null`, async () => {
      await using cache = await openCacheDatabase();
      const made = await cache.rows(
        `SELECT name, type, "notnull", pk FROM pragma_table_info('${getTableName(table)}')`,
      );
      const real = made.map((row) => ({
        name: row.name,
        type: String(row.type).toLowerCase(),
        // A primary key is never null, although SQLite does not say so of an INTEGER PRIMARY KEY.
        notNull: row.notnull === 1 || Number(row.pk) > 0,
      }));
      const believed = Object.values(getTableColumns(table)).map((column) => ({
        name: column.name,
        type: column.getSQLType(),
        notNull: column.notNull || column.primary,
      }));
      expect(believed).toEqual(real as never);
    });
  }

  test('every table is STRICT when the migrations have run', async () => {
    await using cache = await openCacheDatabase();
    const loose = await cache.rows(
      "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'",
    );
    expect(loose).toEqual([]);
  });

  test('every foreign key has an index that starts with it, so that deletes need no scan', async () => {
    await using cache = await openCacheDatabase();
    const missing: string[] = [];
    for (const name of tables.map(getTableName)) {
      const keys = await cache.rows(`SELECT "from" AS col FROM pragma_foreign_key_list('${name}')`);
      const indexes = await cache.rows(
        `SELECT (SELECT name FROM pragma_index_info(list.name) ORDER BY seqno LIMIT 1) AS col, partial FROM pragma_index_list('${name}') AS list`,
      );
      const leading = new Set(indexes.filter((index) => index.partial === 0).map((index) => index.col));
      const primary = await cache.rows(`SELECT name AS col FROM pragma_table_info('${name}') WHERE pk = 1`);
      for (const row of primary) leading.add(row.col);
      for (const key of keys) if (!leading.has(key.col)) missing.push(`${name}.${String(key.col)}`);
    }
    expect(missing).toEqual([]);
  });

  test('integers stay integers when they are bound from JavaScript and as large as 2^53', async () => {
    await using cache = await openCacheDatabase();
    const source = await cache.sources.declare('films', 'http://h/', NOW_MS);
    const { entryId } = await cache.entries.ensure(entryOf(source.id, 'a'), NOW_MS);
    const { generation } = await cache.generations.create(
      generationOf(entryId, 'f', { totalBytes: Number.MAX_SAFE_INTEGER }),
      NOW_MS,
    );
    await cache.generations.recordRange(
      generation.id,
      { start: 2 ** 52, end: Number.MAX_SAFE_INTEGER },
      [{ start: 2 ** 52, end: 2 ** 52 + 1, crc32: 0xffffffff }],
      NOW_MS,
    );
    expect(await cache.generations.listRanges(generation.id)).toEqual([
      { start: 2 ** 52, end: Number.MAX_SAFE_INTEGER },
    ]);
    const behind = { start: 2 ** 52, end: Number.MAX_SAFE_INTEGER };
    expect(await cache.generations.listChecksums(generation.id, behind)).toEqual([
      { start: 2 ** 52, end: 2 ** 52 + 1, crc32: 0xffffffff },
    ]);
    expect((await cache.entries.find(entryOf(source.id, 'a')))!.generation!.totalBytes).toBe(Number.MAX_SAFE_INTEGER);
    expect(await cache.rows('SELECT typeof(start) AS t, typeof(recorded_at) AS r FROM cache_chunks')).toEqual([
      { t: 'integer', r: 'integer' },
    ]);
  });
});
