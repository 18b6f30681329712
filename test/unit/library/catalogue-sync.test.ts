// A round through a source, against a real database: what is found, what changes, what is marked as gone and what is
// not, and what a stop, a loop and a source that fails come to.
import { describe, expect, test } from 'bun:test';
import { CatalogueTable, type SyncRow } from '../../../src/db/catalogue.ts';
import { LarderError } from '../../../src/errors.ts';
import { CatalogueSync } from '../../../src/library/catalogue-sync.ts';
import { createLog } from '../../../src/log.ts';
import { describePath } from '../../../src/sources/media-address.ts';
import { type CacheDatabase, NOW_MS, openCacheDatabase } from '../../support/cache-database.ts';
import { CatalogueTree } from '../../support/catalogue-tree.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { catalogueOf } from '../../support/source-services.ts';

class Setup implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly answers: (string | null)[] = [];
  readonly table: CatalogueTable;
  readonly cache: CacheDatabase;
  readonly tree: CatalogueTree;
  last: CatalogueSync | undefined;

  constructor(cache: CacheDatabase, tree: CatalogueTree) {
    this.cache = cache;
    this.tree = tree;
    this.table = new CatalogueTable(cache.database.tables);
  }

  begin(row: SyncRow): { readonly sync: CatalogueSync; readonly done: Promise<void> } {
    const sync = new CatalogueSync(this.tree, row, {
      table: this.table,
      media: catalogueOf(this.cache, this.clock),
      atOnce: () => 2,
      answered: (error) => this.answers.push(error?.code ?? null),
      clock: this.clock,
      log: createLog({ level: 'error', write: () => undefined, nowMs: () => 0 }),
    });
    this.last = sync;
    return { sync, done: sync.run(row.round) };
  }

  /** One round, with the clock running. */
  async round(resumed?: SyncRow): Promise<{ seen: number; added: number; changed: number; missing: number }> {
    const row = resumed ?? (await this.table.startRound(this.tree.id, this.clock.nowMs()));
    const { sync, done } = this.begin(row);
    let isDone = false;
    const ended: Promise<void> = (async () => {
      try {
        await done;
      } finally {
        isDone = true;
      }
    })();
    void ended.catch(() => undefined);
    while (!isDone) await this.clock.run(1_000, 5);
    await ended;
    const { seen, added, changed, missing } = sync.counts;
    return { seen, added, changed, missing };
  }

  async row(): Promise<SyncRow> {
    return (await this.table.listSyncs())[0]!;
  }

  async missing(): Promise<string[]> {
    const rows = await this.cache.rows(
      'SELECT path FROM cache_quality_variants WHERE missing_since IS NOT NULL ORDER BY path',
    );
    return rows.map((row) => String(row.path));
  }

  async paths(): Promise<string[]> {
    const rows = await this.cache.rows('SELECT path FROM cache_quality_variants ORDER BY path');
    return rows.map((row) => String(row.path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cache[Symbol.asyncDispose]();
  }
}

const FILES = {
  'Film (2019).mkv': 100,
  'Night Train (2023).1080p.mp4': 50,
  'Night Train (2023).480p.mp4': 20,
  'notes.txt': 5,
  'series/s1/e1.mkv': 10,
  'series/s1/e2.mkv': 11,
  'music/song.mp3': 3,
};

async function setUp(files: Readonly<Record<string, number>> = FILES): Promise<Setup> {
  const cache = await openCacheDatabase();
  const { id } = await cache.sources.declare('films', 'http://h/', NOW_MS);
  return new Setup(cache, new CatalogueTree(id, files));
}

describe('CatalogueSync', () => {
  test('finds films and music in all folders, one item for two qualities', async () => {
    await using setup = await setUp();
    expect(await setup.round()).toEqual({ seen: 6, added: 6, changed: 0, missing: 0 });
    const items = await setup.cache.rows(
      'SELECT key, title, year, type, item.sort_title FROM media_items AS item ORDER BY key',
    );
    expect(items).toHaveLength(5);
    expect(items).toContainEqual({
      key: 'Night Train (2023).{quality}.mp4',
      title: 'Night Train',
      year: 2023,
      type: 'video',
      sort_title: 'night train',
    });
    expect(await setup.paths()).not.toContain('notes.txt');
    const statistics = await setup.cache.rows(
      "SELECT size_bytes FROM media_statistics WHERE sort_title = 'night train'",
    );
    expect(statistics).toEqual([{ size_bytes: 50 }]);
    expect(await setup.row()).toMatchObject({ seen: 6, added: 6 });
  });

  test('takes a file that was played for the one that is listed', async () => {
    await using setup = await setUp();
    const path = 'series/s1/e1.mkv';
    const { mediaKey, ...address } = describePath(path);
    await setup.cache.entries.ensure({ ...address, mediaKey, sourceId: setup.tree.id, path }, NOW_MS);
    expect(await setup.round()).toMatchObject({ seen: 6, added: 5, changed: 0 });
    expect((await setup.paths()).filter((known) => known === path)).toHaveLength(1);
  });

  test('writes nothing of files when nothing is new', async () => {
    await using setup = await setUp();
    await setup.round();
    await setup.cache.database.client.execute(
      "CREATE TRIGGER refuse BEFORE UPDATE ON cache_quality_variants BEGIN SELECT RAISE(FAIL, 'written'); END",
    );
    expect(await setup.round()).toEqual({ seen: 6, added: 0, changed: 0, missing: 0 });
  });

  test('counts files of another size as changed, and new ones as added', async () => {
    await using setup = await setUp();
    await setup.round();
    setup.tree.files.set('music/song.mp3', 4);
    setup.tree.files.set('music/other.flac', 9);
    expect(await setup.round()).toEqual({ seen: 7, added: 1, changed: 1, missing: 0 });
    expect(
      await setup.cache.rows("SELECT size_bytes FROM cache_quality_variants WHERE path = 'music/song.mp3'"),
    ).toEqual([{ size_bytes: 4 }]);
  });

  test('asks only whether a folder has changed where its source tells', async () => {
    await using setup = await setUp();
    setup.tree.tags = true;
    await setup.round();
    setup.tree.onPage = (folder) => {
      if (folder !== 'music') throw new Error(`${folder} was read`);
    };
    setup.tree.files.set('music/other.flac', 9);
    expect(await setup.round()).toEqual({ seen: 7, added: 1, changed: 0, missing: 0 });
    // Once in a while it is read all the same.
    setup.clock.advance(8 * 86_400_000);
    const read: string[] = [];
    setup.tree.onPage = (folder) => void read.push(folder);
    await setup.round();
    expect([...new Set(read)].sort()).toEqual(['', 'music', 'series', 'series/s1']);
  });

  test('marks what is gone once the source says so of the file, and takes it back when it is there again', async () => {
    await using setup = await setUp();
    await setup.round();
    const path = 'series/s1/e2.mkv';
    const { entryId } = await setup.cache.entries.ensure(
      { ...describePath(path), sourceId: setup.tree.id, path },
      NOW_MS,
    );
    setup.tree.files.delete(path);
    expect(await setup.round()).toMatchObject({ missing: 1 });
    expect(setup.tree.probed).toEqual([path]);
    expect(await setup.missing()).toEqual([path]);
    const entries = () =>
      setup.cache.rows(`SELECT missing_since, missing_reason FROM cache_entries WHERE id = ${entryId}`);
    expect((await entries())[0]!.missing_since).not.toBeNull();
    const flags = () => setup.cache.rows('SELECT SUM(missing) AS count FROM media_statistics');
    expect(await flags()).toEqual([{ count: 1 }]);
    // It stays so, and is neither asked for again nor counted twice.
    expect(await setup.round()).toMatchObject({ missing: 1 });
    expect(setup.tree.probed).toHaveLength(1);
    setup.tree.files.set(path, 11);
    expect(await setup.round()).toMatchObject({ added: 0, missing: 0 });
    expect(await setup.missing()).toEqual([]);
    expect(await entries()).toEqual([{ missing_since: null, missing_reason: null }]);
    expect(await flags()).toEqual([{ count: 0 }]);
  });

  test('marks nothing when the listing lacks files that are there', async () => {
    await using setup = await setUp();
    await setup.round();
    setup.tree.unlisted.add('series/s1/e2.mkv');
    expect(await setup.round()).toMatchObject({ seen: 5, missing: 0 });
    expect(setup.last!.firstProblem?.message).toContain('lacks files that are there');
  });

  test('believes an empty folder the second time', async () => {
    await using setup = await setUp();
    await setup.round();
    for (const path of [...setup.tree.files.keys()]) if (path.startsWith('series/s1/')) setup.tree.files.delete(path);
    setup.tree.files.set('series/s1/', 0);
    expect(await setup.round()).toMatchObject({ missing: 0 });
    expect(await setup.round()).toMatchObject({ missing: 2 });
    expect(await setup.missing()).toEqual(['series/s1/e1.mkv', 'series/s1/e2.mkv']);
  });

  test('marks nothing when the whole source comes back empty, as a disk that is not mounted', async () => {
    await using setup = await setUp();
    await setup.round();
    const files = [...setup.tree.files];
    setup.tree.files.clear();
    expect(await setup.round()).toMatchObject({ seen: 0, missing: 0 });
    for (const [path, size] of files) setup.tree.files.set(path, size);
    expect(await setup.round()).toMatchObject({ seen: 6, added: 0, missing: 0 });
    // The first empty round does not count for a later one.
    setup.tree.files.clear();
    expect(await setup.round()).toMatchObject({ missing: 0 });
  });

  test('marks all that was below a folder that is gone, and takes it back with it', async () => {
    await using setup = await setUp();
    await setup.round();
    const files = [...setup.tree.files].filter(([path]) => path.startsWith('series/'));
    for (const [path] of files) setup.tree.files.delete(path);
    setup.tree.opened.length = 0;
    expect(await setup.round()).toMatchObject({ seen: 4, missing: 2 });
    // It is asked for itself, and what was below it is not.
    expect(setup.tree.opened.sort()).toEqual(['', 'music', 'series']);
    setup.tree.opened.length = 0;
    expect(await setup.round()).toMatchObject({ missing: 2 });
    expect(setup.tree.opened.sort()).toEqual(['', 'music']);
    for (const [path, size] of files) setup.tree.files.set(path, size);
    expect(await setup.round()).toMatchObject({ seen: 6, added: 0, missing: 0 });
  });

  test('passes over a folder that cannot be read and marks nothing of it', async () => {
    await using setup = await setUp();
    await setup.round();
    setup.tree.faults.set(
      'series',
      () => new LarderError('origin-refused', 'the origin answered 403', { originStatus: 403 }),
    );
    expect(await setup.round()).toMatchObject({ seen: 4, missing: 0 });
    expect(setup.last!.counts.skipped).toBe(1);
    setup.tree.faults.set(
      'series',
      () => new LarderError('origin-failed', 'the origin answered 500', { retry: 'soon' }),
    );
    setup.tree.opened.length = 0;
    expect(await setup.round()).toMatchObject({ seen: 4, missing: 0 });
    expect(setup.tree.opened.filter((folder) => folder === 'series')).toHaveLength(4);
  });

  test('ends when the source itself fails, and goes on where it was', async () => {
    await using setup = await setUp();
    setup.tree.faults.set(
      'series/s1',
      () => new LarderError('origin-refused', 'the origin answered 401', { originStatus: 401 }),
    );
    await expect(setup.round()).rejects.toMatchObject({ code: 'origin-refused' });
    expect(setup.answers).toContain('origin-refused');
    setup.tree.faults.clear();
    setup.tree.opened.length = 0;
    expect(await setup.round({ ...(await setup.row()), ...setup.last!.counts })).toMatchObject({
      seen: 6,
      added: 6,
    });
    expect(setup.tree.opened).not.toContain('');
  });

  test('ends when its own folder cannot be read', async () => {
    await using setup = await setUp();
    await setup.round();
    for (const error of [
      new LarderError('not-found', 'the origin answered 404', { originStatus: 404 }),
      new LarderError('no-listing', 'the folder shows a web page that lists nothing'),
      new LarderError('origin-failed', 'ECONNREFUSED', { retry: 'soon' }),
    ]) {
      setup.tree.faults.set('', () => error);
      await expect(setup.round()).rejects.toBe(error);
      expect(await setup.missing()).toEqual([]);
    }
  });

  test('waits as long as the source asks, and goes on', async () => {
    await using setup = await setUp();
    let count = 0;
    setup.tree.faults.set('series', () => {
      count += 1;
      if (count > 3) return null;
      return new LarderError('origin-busy', 'the origin answered 429', { retry: 'later', retryAfterMs: 60_000 });
    });
    const startedMs = setup.clock.monotonicMs();
    expect(await setup.round()).toMatchObject({ seen: 6 });
    expect(setup.clock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(180_000);
  });

  test('does not walk in a circle when a link leads back up', async () => {
    await using setup = await setUp({ 'a/b.mkv': 1, 'a/c.mkv': 2, 'd.mkv': 3 });
    const files = [...setup.tree.files];
    // As deep as a test can make it: three levels of the same.
    for (const prefix of ['loop/', 'loop/loop/', 'loop/loop/loop/']) {
      for (const [path, size] of files) setup.tree.files.set(prefix + path, size);
    }
    await setup.round();
    // The deepest level has no further link, so that the one above it does not read the same.
    expect(setup.tree.opened).not.toContain('loop/loop');
    expect(await setup.paths()).toEqual(['a/b.mkv', 'a/c.mkv', 'd.mkv']);
  });

  test('goes no deeper than its bound', async () => {
    const deep = `${Array.from({ length: 40 }, (_, index) => `level-${index}`).join('/')}/film.mkv`;
    await using setup = await setUp({ [deep]: 1, 'film.mkv': 2 });
    expect(await setup.round()).toMatchObject({ seen: 1 });
    expect(setup.tree.opened).toHaveLength(33);
    expect(setup.last!.counts.skipped).toBe(1);
  });

  test('stops when it is called off, and the next one reads what was left', async () => {
    await using setup = await setUp();
    const row = await setup.table.startRound(setup.tree.id, NOW_MS);
    setup.tree.onPage = (folder) => {
      if (folder === 'music') setup.last!.cancel();
    };
    const { done } = setup.begin(row);
    await expect(done).rejects.toMatchObject({ code: 'stopped' });
    setup.tree.onPage = () => undefined;
    const left = await setup.row();
    expect(left.seen).toBeGreaterThan(0);
    expect(left.seen).toBeLessThan(6);
    expect(await setup.round(left)).toMatchObject({ seen: 6 });
    expect(await setup.paths()).toHaveLength(6);
  });
});
