// When sources are gone through: new ones, in their time, when asked, after a failure, and after a stop.
import { describe, expect, test } from 'bun:test';
import { CatalogueTable } from '../../../src/db/catalogue.ts';
import { LarderError } from '../../../src/errors.ts';
import { CatalogueSyncs } from '../../../src/library/catalogue-syncs.ts';
import { createLog } from '../../../src/log.ts';
import { type CacheDatabase, NOW_MS, openCacheDatabase } from '../../support/cache-database.ts';
import { CatalogueTree } from '../../support/catalogue-tree.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { catalogueOf } from '../../support/source-services.ts';

const DAY_MS = 86_400_000;

interface Setup {
  readonly clock: FakeClock;
  readonly tree: CatalogueTree;
  readonly syncs: CatalogueSyncs;
  readonly events: string[];
  everyMs: number;
  /** Another life on the same rows. */
  again(): CatalogueSyncs;
}

async function setUp(cache: CacheDatabase): Promise<Setup> {
  const { id } = await cache.sources.declare('films', 'http://h/', NOW_MS);
  const tree = new CatalogueTree(id, { 'a.mkv': 1, 'b/c.mkv': 2 });
  const clock = new FakeClock(NOW_MS);
  const events: string[] = [];
  const make = () =>
    new CatalogueSyncs({
      table: new CatalogueTable(cache.database.tables),
      media: catalogueOf(cache, clock),
      sources: () => [{ id, name: 'films' }],
      open: () => tree,
      everyMs: () => setup.everyMs,
      atOnce: () => 1,
      answered: () => undefined,
      noteEvent: (_, subject, text) => events.push(`${subject}: ${text}`),
      clock,
      log: createLog({ level: 'error', write: () => undefined, nowMs: () => 0 }),
    });
  const setup: Setup = { clock, tree, syncs: make(), events, everyMs: DAY_MS, again: make };
  return setup;
}

describe('CatalogueSyncs', () => {
  test('goes through a new source soon after the start, then once in its time', async () => {
    await using cache = await openCacheDatabase();
    const setup = await setUp(cache);
    const { clock, tree, syncs } = setup;
    await syncs.start();
    expect(syncs.stateOf(tree.id)).toMatchObject({ state: 'idle', finishedAtMs: null, total: null });
    await clock.run(30_000, 20);
    expect(syncs.stateOf(tree.id)).toMatchObject({ state: 'idle', seen: 2, total: 2, added: 2 });
    expect(setup.events).toEqual(['films: 2 files of films and music found.']);
    tree.opened.length = 0;
    await clock.run(DAY_MS - 60_000, 3);
    expect(tree.opened).toEqual([]);
    tree.files.set('d.mkv', 3);
    tree.files.delete('a.mkv');
    await clock.run(180_000, 20);
    expect(syncs.stateOf(tree.id)).toMatchObject({ seen: 2, added: 1, missing: 1 });
    expect(setup.events.at(-1)).toBe('films: 2 files: 1 new, 1 gone from there.');
    await syncs.stop();
    expect(clock.pendingCount).toBe(0);
  });

  test('leaves sources alone when that is switched off, and still does what it is asked', async () => {
    await using cache = await openCacheDatabase();
    const setup = await setUp(cache);
    const { clock, tree, syncs } = setup;
    setup.everyMs = 0;
    await syncs.start();
    syncs.sourceChanged(tree.id);
    await clock.run(10 * DAY_MS, 1);
    expect(tree.opened).toEqual([]);
    expect(syncs.request(tree.id)).toMatchObject({ state: 'running' });
    expect(syncs.request(tree.id)).toMatchObject({ state: 'running' });
    await clock.run(1_000, 50);
    expect(syncs.stateOf(tree.id)).toMatchObject({ state: 'idle', seen: 2 });
    await syncs.stop();
  });

  test('says why a source cannot be gone through, and tries again by itself', async () => {
    await using cache = await openCacheDatabase();
    const { clock, tree, syncs } = await setUp(cache);
    tree.faults.set(
      '',
      () => new LarderError('origin-failed', 'nothing answers', { retry: 'soon', hint: 'is it up?' }),
    );
    await syncs.start();
    await clock.run(60_000, 20);
    const error = { code: 'origin-failed', message: 'nothing answers', hint: 'is it up?' };
    expect(syncs.stateOf(tree.id)).toMatchObject({ state: 'failed', error });
    tree.faults.clear();
    await clock.run(16 * 60_000, 10);
    expect(syncs.stateOf(tree.id)).toMatchObject({ state: 'idle', seen: 2, error: null });
    await syncs.stop();
  });

  test('does not insist where there is no listing', async () => {
    await using cache = await openCacheDatabase();
    const { clock, tree, syncs } = await setUp(cache);
    tree.faults.set('', () => new LarderError('no-listing', 'the folder shows a web page that lists nothing'));
    await syncs.start();
    await clock.run(60_000, 20);
    await clock.run(DAY_MS / 2, 1);
    expect(tree.opened).toEqual(['']);
    expect(syncs.stateOf(tree.id)).toMatchObject({ state: 'failed', error: { code: 'no-listing' } });
    await syncs.stop();
  });

  test('goes on after a stop with what was left, also when it is switched off', async () => {
    await using cache = await openCacheDatabase();
    const setup = await setUp(cache);
    const { clock, tree, syncs } = setup;
    setup.everyMs = 0;
    await syncs.start();
    let stopped: Promise<void> | undefined;
    tree.onPage = (folder) => {
      if (folder === 'b') stopped ??= syncs.stop();
    };
    syncs.request(tree.id);
    await clock.run(1_000, 50);
    await stopped;
    tree.onPage = () => undefined;
    tree.opened.length = 0;
    const next = setup.again();
    await next.start();
    expect(next.stateOf(tree.id)).toMatchObject({ state: 'waiting', seen: 1 });
    await clock.run(30_000, 30);
    expect(next.stateOf(tree.id)).toMatchObject({ state: 'idle', seen: 2, added: 2 });
    expect(tree.opened).toEqual(['b']);
    await next.stop();
  });

  test('forgets a source that was removed while it was gone through', async () => {
    await using cache = await openCacheDatabase();
    const { clock, tree, syncs } = await setUp(cache);
    await syncs.start();
    let forgotten: Promise<void> | undefined;
    tree.onPage = () => {
      forgotten ??= syncs.forget(tree.id);
    };
    syncs.request(tree.id);
    await clock.run(1_000, 50);
    await forgotten;
    expect(syncs.stateOf(tree.id)).toMatchObject({ state: 'idle', seen: 0 });
    await syncs.stop();
  });
});
