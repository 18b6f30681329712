// What the triggers of migration 5 keep true, against counting it all.
import { expect, test } from 'bun:test';
import { migrations } from '../../../migrations/index.ts';
import { openDatabase } from '../../../src/db/database.ts';
import { migrate } from '../../../src/db/migrate.ts';
import { entryOf, generationOf, NOW_MS, openCacheDatabase } from '../../support/cache-database.ts';
import { createRandom, testSeed } from '../../support/random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const COUNTED = `
  SELECT id AS source_id,
    (SELECT count(*) FROM media_items WHERE source_id = sources.id) AS item_count,
    (SELECT count(*) FROM cache_entries WHERE source_id = sources.id) AS entry_count,
    (SELECT count(*) FROM cache_entries WHERE source_id = sources.id AND pinned = 1) AS pinned_count,
    (SELECT coalesce(sum("end" - start), 0) FROM cache_chunks
      JOIN cache_generations ON cache_generations.id = generation_id
      JOIN cache_entries ON cache_entries.id = entry_id WHERE source_id = sources.id) AS cached_bytes
  FROM sources ORDER BY id`;
const KEPT = 'SELECT * FROM source_statistics ORDER BY source_id';

test('source_statistics stays true whatever is recorded, lost, superseded and removed', async () => {
  await using cache = await openCacheDatabase();
  const random = createRandom(testSeed);
  const sourceIds = [
    (await cache.sources.declare('a', 'http://h/', NOW_MS)).id,
    (await cache.sources.declare('b', 'http://h/', NOW_MS)).id,
  ];
  const entryIds: number[] = [];
  const generationIds: number[] = [];
  const pick = (ids: number[]) => ids[random.between(0, ids.length)];
  for (let step = 0; step < 400; step++) {
    const entryId = pick(entryIds);
    const generationId = pick(generationIds);
    const start = random.between(0, 50);
    switch (random.between(0, 9)) {
      case 0:
      case 1: {
        const description = entryOf(sourceIds[step % 2]!, `f${random.between(0, 12)}`);
        const made = await cache.entries.ensure(description, NOW_MS);
        if (!entryIds.includes(made.entryId)) entryIds.push(made.entryId);
        break;
      }
      case 2:
        if (entryId !== undefined) {
          const made = await cache.generations.create(generationOf(entryId, `file${step}`), NOW_MS);
          generationIds.push(made.generation.id);
        }
        break;
      case 3:
        if (entryId !== undefined) await cache.entries.setPinned(entryId, step % 3 > 0);
        break;
      case 4:
        if (entryId !== undefined && step % 3 === 0) {
          await cache.entries.remove(entryId);
          entryIds.splice(entryIds.indexOf(entryId), 1);
        }
        break;
      case 5:
        if (generationId !== undefined && step % 3 === 0) await cache.generations.remove([generationId]);
        break;
      case 6:
        if (generationId !== undefined && (await cache.generations.find(generationId)) !== null) {
          await cache.generations.loseRange(generationId, [{ start: 0, end: 3 }], { start: 3, end: 90 }, NOW_MS);
        }
        break;
      default:
        if (generationId !== undefined && (await cache.generations.find(generationId)) !== null) {
          await cache.generations.recordRange(generationId, { start, end: start + 20 }, [], NOW_MS);
        }
    }
    expect({ testSeed, step, kept: await cache.rows(KEPT) }).toEqual({
      testSeed,
      step,
      kept: await cache.rows(COUNTED),
    });
  }
  await cache.sources.remove(sourceIds[0]!);
  expect(await cache.rows(KEPT)).toEqual(await cache.rows(COUNTED));
});

test('migration 5 counts what was there before it', async () => {
  await using folder = await temporaryFolder();
  const file = folder.file('larder.db');
  const options = { nowMs: () => NOW_MS, backupFile: () => folder.file('backup.db') };
  const old = await openDatabase(file);
  await migrate(old.client, { ...options, migrations: migrations.filter(({ version }) => version < 5) });
  await old.client.batch([
    "INSERT INTO sources (id, name, kind, url, created_at, updated_at) VALUES (3, 'a', 'http', 'http://h/', 1, 1)",
    "INSERT INTO media_items (id, source_id, key, type, title, created_at) VALUES (1, 3, 'k', 'file', 't', 1), (2, 3, 'l', 'file', 't', 1)",
    "INSERT INTO cache_entries (id, source_id, media_id, quality, created_at, last_used_at, pinned) VALUES (1, 3, 1, 'original', 1, 1, 1)",
    "INSERT INTO cache_generations (id, entry_id, seekable, file_name, created_at) VALUES (1, 1, 1, 'f', 1)",
    'INSERT INTO cache_chunks (generation_id, start, "end", recorded_at) VALUES (1, 0, 10, 1), (1, 20, 25, 1)',
  ]);
  await migrate(old.client, { ...options, migrations });
  old.close();
  await using cache = await openCacheDatabase({ file });
  const expected = { source_id: 3, item_count: 2, entry_count: 1, pinned_count: 1, cached_bytes: 15 };
  expect(await cache.rows(KEPT)).toEqual([expected]);
  expect(await cache.rows('SELECT credentials, options, removed_at FROM sources')).toEqual([
    { credentials: null, options: '{}', removed_at: null },
  ]);
});
