// ARCHITECTURE.md names tests, tables and columns: what it names must be there, and what is there must be named.
import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { getTableColumns, getTableName, is } from 'drizzle-orm';
import { SQLiteTable } from 'drizzle-orm/sqlite-core';
import * as schema from '../../src/db/schema.ts';

const root = join(import.meta.dir, '../..');
const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
const testFiles = new Map(
  readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.test\.tsx?$/.test(path))
    .map((path) => [basename(path).replace(/\.test\.tsx?$/, ''), join(root, 'test', path)]),
);

/** Last cells of the fault tables: `file`: a part of the test's name. */
const citations = [...page.matchAll(/\| `([\w/-]+)`: ([^|]+) \|$/gm)].map(([, file, name]) => ({
  file: basename(file!),
  name: name!.trim(),
}));

test('ARCHITECTURE.md cites tests that exist, for each fault of its tables', () => {
  expect(citations.length).toBeGreaterThan(40);
  const missing = citations.filter(({ file, name }) => {
    const path = testFiles.get(file);
    // Tests that are made in loops have their names in pieces: the cited part is in one of them.
    return path === undefined || !readFileSync(path, 'utf8').includes(name);
  });
  expect(missing).toEqual([]);
});

test('ARCHITECTURE.md names every table and every column', () => {
  const section = page.slice(page.indexOf('## 4. Tables'), page.indexOf('## 5.'));
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  const named = new Map<string, string>();
  let current = '';
  for (const row of rows) {
    const [, table = '', columns = ''] = row.split('|').map((cell) => cell.trim());
    if (table !== '') current = table.replaceAll('`', '');
    named.set(current, (named.get(current) ?? '') + columns);
  }
  const missing: string[] = [];
  for (const table of Object.values(schema).filter((candidate) => is(candidate, SQLiteTable))) {
    const columns = named.get(getTableName(table)) ?? '';
    for (const { name } of Object.values(getTableColumns(table))) {
      if (!columns.includes(`\`${name}\``)) missing.push(`${getTableName(table)}.${name}`);
    }
  }
  expect(missing).toEqual([]);
});
