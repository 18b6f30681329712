// Folders of which only what changed is told, and folders that are a choice: what of them is believed.
import { describe, expect, test } from 'bun:test';
import { CatalogueTable, type SyncCounts } from '../../../src/db/catalogue.ts';
import { CatalogueSync } from '../../../src/library/catalogue-sync.ts';
import { createLog } from '../../../src/log.ts';
import type {
  CatalogueItem,
  CatalogueMedia,
  CataloguePage,
  CatalogueSource,
  FolderReading,
  FolderValidators,
} from '../../../src/sources/catalogue-source.ts';
import { NOW_MS, openCacheDatabase } from '../../support/cache-database.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { catalogueOf } from '../../support/source-services.ts';

function itemOf(mediaKey: string, stamp = 'one'): CatalogueItem {
  const path = `${mediaKey}/${mediaKey}:original.mkv`;
  const facts = { container: 'mkv', sizeBytes: 5, stamp, locator: mediaKey };
  return { mediaKey, quality: 'original', type: 'movie', title: mediaKey, year: null, path, ...facts };
}

function mediaOf(key: string): CatalogueMedia {
  const nothing = { year: null, parentKey: null, season: null, episode: null, durationMs: null, overview: null };
  return { key, type: 'movie', title: key, ...nothing, artwork: null, otherIds: [], subtitles: [] };
}

/** One folder whose version counts up. */
class Films implements CatalogueSource {
  readonly id: number;
  readonly name = 'films';
  readonly stamps = new Map<string, string>();
  version = 1;
  /** What opening the folder comes to when it is known; null reads it whole. */
  changes: ((known: FolderValidators) => { keys: readonly string[]; changesOf: number }) | null = null;
  isSelection = false;
  readonly asked: ('whole' | 'changes')[] = [];
  probed = 0;

  constructor(id: number, keys: readonly string[]) {
    this.id = id;
    for (const key of keys) this.stamps.set(key, 'one');
  }

  async openFolder(folder: string, known: FolderValidators | null): Promise<FolderReading> {
    const validators = { etag: folder === '' ? null : `v${this.version}`, lastModified: null, isUnchanged: false };
    if (folder === '') return { ...validators, pages: pages([{ items: [], folders: ['all'] }]) };
    const changes = known === null ? null : (this.changes?.(known) ?? null);
    this.asked.push(changes === null ? 'whole' : 'changes');
    const keys = changes?.keys ?? [...this.stamps.keys()];
    const page = {
      items: keys.map((key) => itemOf(key, this.stamps.get(key))),
      folders: [],
      media: keys.map(mediaOf),
    };
    return {
      ...validators,
      ...(changes === null ? {} : { changesOf: changes.changesOf }),
      ...(this.isSelection ? { isSelection: true } : {}),
      pages: pages([page]),
    };
  }

  async hasFile(path: string): Promise<boolean> {
    this.probed += 1;
    return this.stamps.has(path.split('/')[0] ?? '');
  }
}

async function* pages(list: readonly CataloguePage[]): AsyncGenerator<CataloguePage, void> {
  yield* list;
}

async function setUp(keys: readonly string[]) {
  const cache = await openCacheDatabase();
  const { id } = await cache.sources.ensure('films', 'jellyfin', 'http://h/', NOW_MS);
  const films = new Films(id, keys);
  const table = new CatalogueTable(cache.database.tables);
  const clock = new FakeClock(NOW_MS);
  return {
    cache,
    films,
    clock,
    async round(): Promise<SyncCounts> {
      const row = await table.startRound(id, clock.nowMs());
      const sync = new CatalogueSync(films, row, {
        table,
        media: catalogueOf(cache, clock),
        atOnce: () => 1,
        answered: () => undefined,
        clock,
        log: createLog({ level: 'error', write: () => undefined, nowMs: () => 0 }),
      });
      await sync.run(row.round);
      return sync.counts;
    },
    async missing(): Promise<unknown[]> {
      const rows = await cache.rows(`
        SELECT key FROM media_items AS item JOIN cache_quality_variants AS variant ON variant.media_id = item.id
        WHERE missing_since IS NOT NULL`);
      return rows.map(({ key }) => key);
    },
    [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose](),
  };
}

describe('a folder of which only changes are told', () => {
  test('is not read whole where they fit what is known', async () => {
    await using setup = await setUp(['a', 'b', 'c']);
    const { films } = setup;
    await setup.round();
    films.version = 2;
    films.stamps.set('b', 'two').set('d', 'one');
    films.changes = (known) => {
      expect(known.etag).toBe('v1');
      return { keys: ['b', 'd'], changesOf: 4 };
    };
    expect(await setup.round()).toEqual({ seen: 4, added: 1, changed: 1, skipped: 0, missing: 0 });
    expect(films.asked).toEqual(['whole', 'changes']);
    // From that version on the next changes are asked for.
    films.changes = (known) => {
      expect(known.etag).toBe('v2');
      return { keys: [], changesOf: 4 };
    };
    films.version = 3;
    expect(await setup.round()).toMatchObject({ seen: 4, added: 0, changed: 0, missing: 0 });
    expect(films.asked).toEqual(['whole', 'changes', 'changes']);
  });

  test('is read whole where a file is gone, which marks that one, and counts nothing twice', async () => {
    await using setup = await setUp(['a', 'b', 'c']);
    const { films } = setup;
    await setup.round();
    films.version = 2;
    films.stamps.delete('a');
    films.stamps.set('d', 'one');
    films.changes = () => ({ keys: ['d'], changesOf: 3 });
    expect(await setup.round()).toEqual({ seen: 3, added: 1, changed: 0, skipped: 0, missing: 1 });
    expect(films.asked).toEqual(['whole', 'changes', 'whole']);
    expect(await setup.missing()).toEqual(['a']);
    // What is marked does not count as there: the next changes fit.
    films.version = 3;
    films.changes = () => ({ keys: [], changesOf: 3 });
    expect(await setup.round()).toMatchObject({ seen: 3, missing: 1 });
    expect(films.asked.at(-1)).toBe('changes');
    // And what is back is found among the changes.
    films.version = 4;
    films.stamps.set('a', 'one');
    films.changes = () => ({ keys: ['a'], changesOf: 4 });
    expect(await setup.round()).toMatchObject({ seen: 4, added: 0, missing: 0 });
    expect(films.asked.at(-1)).toBe('changes');
  });

  test('is read whole where the server counts more than it tells', async () => {
    await using setup = await setUp(['a', 'b']);
    const { films } = setup;
    await setup.round();
    films.version = 2;
    films.stamps.set('c', 'one');
    films.changes = () => ({ keys: [], changesOf: 3 });
    expect(await setup.round()).toMatchObject({ seen: 3, added: 1, missing: 0 });
    expect(films.asked).toEqual(['whole', 'changes', 'whole']);
  });

  test('is read whole once in a while all the same', async () => {
    await using setup = await setUp(['a']);
    const { films, clock } = setup;
    await setup.round();
    films.version = 2;
    films.changes = () => ({ keys: [], changesOf: 1 });
    clock.advance(8 * 86_400_000);
    await setup.round();
    expect(films.asked).toEqual(['whole', 'whole']);
  });
});

describe('a folder that is a choice', () => {
  test('marks nothing that is not in it any more, and asks nobody', async () => {
    await using setup = await setUp(['a', 'b', 'c']);
    const { films } = setup;
    films.isSelection = true;
    await setup.round();
    films.stamps.delete('a');
    films.stamps.set('d', 'one');
    films.version = 2;
    expect(await setup.round()).toEqual({ seen: 3, added: 1, changed: 0, skipped: 0, missing: 0 });
    expect(await setup.missing()).toEqual([]);
    expect(films.probed).toBe(0);
  });

  test('marks what is gone once it is the whole list', async () => {
    await using setup = await setUp(['a', 'b']);
    const { films } = setup;
    films.isSelection = true;
    await setup.round();
    films.isSelection = false;
    films.stamps.delete('a');
    films.version = 2;
    expect(await setup.round()).toMatchObject({ missing: 1 });
    expect(await setup.missing()).toEqual(['a']);
    expect(films.probed).toBe(1);
  });
});
