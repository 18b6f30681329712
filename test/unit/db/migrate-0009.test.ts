// From schema 8 to schema 9 with a library in it: what was counted before is what a recount finds afterwards, and words
// still find what they found.
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { migrations } from '../../../migrations/index.ts';
import { checkDatabase, openDatabase } from '../../../src/db/database.ts';
import { migrate } from '../../../src/db/migrate.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const FILMS = 60;

/** Whole, in part, not at all; kept, gone from its source, dropped by hand. */
function rowsOfFilm(id: number): string[] {
  const total = 1_000 * id;
  const cached = id % 3 === 0 ? total : id % 3 === 1 ? Math.floor(total / 2) : 0;
  const rows = [
    `INSERT INTO media_items (id, source_id, key, type, title, sort_title, year, created_at)
      VALUES (${id}, ${1 + (id % 2)}, 'Folder/Film ${id}{quality}.mkv', 'video', 'Film ${id}', 'film ${id}', ${1990 + (id % 7)}, ${id})`,
    `INSERT INTO cache_quality_variants (media_id, quality, path, container, size_bytes, discovered_at, missing_since)
      VALUES (${id}, 'original', 'Folder/Film ${id}.mkv', 'mkv', ${total}, 1, ${id % 10 === 0 ? 5 : 'NULL'})`,
  ];
  if (id % 4 === 3) return rows;
  return [
    ...rows,
    `INSERT INTO cache_entries (id, source_id, media_id, quality, created_at, last_used_at, pinned, removed_at)
      VALUES (${id}, ${1 + (id % 2)}, ${id}, 'original', 1, ${100 + id}, ${id % 5 === 0 ? 1 : 0}, ${id % 9 === 0 ? 7 : 'NULL'})`,
    `INSERT INTO cache_generations (id, entry_id, etag, total_bytes, seekable, file_name, created_at)
      VALUES (${id}, ${id}, '"e"', ${total}, 1, 'films/${id}', 1)`,
    ...(cached === 0
      ? []
      : [
          `INSERT INTO cache_chunks (generation_id, start, "end", recorded_at) VALUES (${id}, 0, ${cached}, 1)`,
          `INSERT INTO media_recount (media_id) VALUES (${id})`,
        ]),
    `UPDATE cache_entries SET last_played_at = ${200 + id} WHERE id = ${id} AND id % 2 = 0`,
  ];
}

test('what was counted and indexed before is right afterwards', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'larder.db');
  const { client, close } = await openDatabase(file);
  const rows = async (sql: string): Promise<Record<string, unknown>[]> =>
    (await client.execute(sql)).rows.map((row) => ({ ...row }));
  const at = { nowMs: () => 1, backupFile: () => join(folder.path, 'before.db') };
  await migrate(client, { ...at, migrations: migrations.slice(0, 8) });
  for (const id of [1, 2]) {
    await client.execute(
      `INSERT INTO sources (id, name, kind, url, created_at, updated_at) VALUES (${id}, 'films-${id}', 'http', 'http://h/', 1, 1)`,
    );
  }
  for (let id = 1; id <= FILMS; id += 1) await client.batch(rowsOfFilm(id), 'write');
  const counted = () =>
    Promise.all(
      [
        'SELECT * FROM media_statistics ORDER BY media_id',
        'SELECT * FROM source_statistics ORDER BY source_id',
        'SELECT * FROM media_facets WHERE item_count > 0 ORDER BY facet',
        "SELECT rowid FROM media_search WHERE media_search MATCH 'film' ORDER BY rowid",
        "SELECT rowid FROM media_search WHERE media_search MATCH '17' ORDER BY rowid",
      ].map(rows),
    );
  const before = await counted();
  expect(new Set(before[0]?.map(({ availability }) => availability))).toEqual(new Set(['whole', 'partly', 'none']));
  await migrate(client, { ...at, migrations });
  expect(await counted()).toEqual(before);
  // A recount, and a name that is written anew, change nothing.
  await client.execute('INSERT INTO media_recount (media_id) SELECT id FROM media_items');
  await client.execute('INSERT INTO media_reindex (media_id) SELECT id FROM media_items');
  expect(await counted()).toEqual(before);
  await client.execute("UPDATE media_items SET title = 'Another' WHERE id = 17");
  expect(await rows("SELECT rowid FROM media_search WHERE media_search MATCH 'another'")).toEqual([{ rowid: 17 }]);
  expect(await checkDatabase({ client })).toEqual([]);
  close();
});
