// A library of any size, written with the table's own statements: several sources, every type, and a share of items
// that are kept, partly kept, pinned, gone at their origin.
import type { Client } from '@libsql/client/sqlite3';
import { foldTitle } from '../../src/db/sort-title.ts';
import { createRandom } from '../support/random.ts';

const WORDS =
  'amber archive autumn border bridge canyon circle coast crow dawn desert echo ember fable falcon field forest garden ghost glass harbour hollow iron island ivory journey kingdom lantern letter light marsh meadow mirror monsoon night north ocean orchard paper pilot quarry raven river salt shadow signal silver sky snow stone storm summer the thunder tide tower train valley violet voyage water willow winter wolf'.split(
    ' ',
  );
const TYPES = ['movie', 'series', 'season', 'episode', 'album', 'track', 'video', 'audio', 'file'] as const;
const SOURCES = 5;
const BATCH = 500;

export interface ManyItemsOptions {
  readonly items: number;
  readonly entries: number;
  readonly seed: number;
}

/** Fills an empty, migrated database. */
export async function addManyItems(client: Client, options: ManyItemsOptions): Promise<void> {
  const random = createRandom(options.seed);
  const at = Date.UTC(2026, 0, 1);
  await client.batch(
    Array.from({ length: SOURCES }, (_, index) => ({
      sql: "INSERT INTO sources (id, name, kind, url, created_at, updated_at) VALUES (?, ?, 'http', 'http://h/', 1, 1)",
      args: [index + 1, `source-${index + 1}`],
    })),
    'write',
  );
  for (let first = 1; first <= options.items; first += BATCH) {
    const statements: { sql: string; args: (string | number | null)[] }[] = [];
    for (let id = first; id < first + BATCH && id <= options.items; id += 1) {
      const title = Array.from({ length: random.between(1, 4) }, () => random.pick(WORDS)).join(' ');
      // The last source is small, and most kinds are rare somewhere.
      const sourceId = random.chance(0.01) ? SOURCES : random.between(1, SOURCES - 1);
      const size = random.between(1, 40) * 250_000_000;
      statements.push(
        {
          sql: 'INSERT INTO media_items (id, source_id, key, type, title, year, created_at, sort_title) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
          args: [
            id,
            sourceId,
            `films/${title} ${id}.mkv`,
            TYPES[random.between(0, random.between(0, TYPES.length - 1))]!,
            title,
            random.between(1950, 2026),
            at + random.between(0, 1_000_000_000),
            foldTitle(title),
          ],
        },
        {
          sql: "INSERT INTO cache_quality_variants (media_id, quality, path, container, size_bytes, discovered_at) VALUES (?, 'original', ?, 'mkv', ?, 1)",
          args: [id, `films/${title} ${id}.mkv`, size],
        },
      );
      if (random.next() * options.items >= options.entries) continue;
      const isWhole = random.chance(0.6);
      statements.push(
        {
          sql: "INSERT INTO cache_entries (id, source_id, media_id, quality, created_at, last_used_at, pinned, missing_since) VALUES (?, ?, ?, 'original', 1, ?, ?, ?)",
          args: [
            id,
            sourceId,
            id,
            at + random.between(0, 1_000_000_000),
            random.chance(0.03) ? 1 : 0,
            random.chance(0.02) ? at : null,
          ],
        },
        {
          sql: 'INSERT INTO cache_generations (id, entry_id, total_bytes, seekable, file_name, created_at) VALUES (?, ?, ?, 1, ?, 1)',
          args: [id, id, size, `source/${id}`],
        },
        {
          sql: 'INSERT INTO cache_chunks (generation_id, start, "end", recorded_at) VALUES (?, 0, ?, 1)',
          args: [id, isWhole ? size : Math.floor(size / 3)],
        },
      );
    }
    await client.batch(statements, 'write');
  }
  // Ranges were written past the table class, which recounts.
  await client.execute('INSERT INTO media_recount (media_id) SELECT id FROM media_items');
}
