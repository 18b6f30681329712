// What-if questions against what the space keeper then does: both must agree on who goes.
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { StorageTable } from '../../src/db/storage.ts';
import { LarderError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { SpaceKeeper } from '../../src/offline/space-keeper.ts';
import { policyOf } from '../../src/offline/space-policy.ts';
import { Storage, type StorageChanges } from '../../src/offline/storage.ts';
import { options, type Settings } from '../../src/options.ts';
import { type CacheDatabase, entryOf, generationOf, NOW_MS, openCacheDatabase } from '../support/cache-database.ts';
import { FakeClock, turnLoop } from '../support/fake-clock.ts';
import { runs } from '../support/property.ts';

const MB = 1_000_000;
const DISK_BYTES = 1_000 * MB;
const silent = createLog({ level: 'error', write: () => undefined, nowMs: () => 0 });

interface Film {
  readonly bytes: number;
  readonly isPinned?: boolean;
  readonly isUsed?: boolean;
}

interface Machine extends AsyncDisposable {
  readonly storage: Storage;
  readonly keeper: SpaceKeeper;
  readonly clock: FakeClock;
  readonly cache: CacheDatabase;
  /** Titles that went, in order. */
  readonly evicted: string[];
  /** Lets time pass until `work` is done. */
  finish<Result>(work: Promise<Result>): Promise<Result>;
}

/** Films named film0, film1, …: film0 was not used for longest. */
async function machineWith(films: readonly Film[], othersBytes = 100 * MB): Promise<Machine> {
  const cache = await openCacheDatabase();
  const clock = new FakeClock(NOW_MS + 86_400_000);
  const { id: sourceId } = await cache.sources.declare('films', 'http://h/', NOW_MS);
  const bytesOf = new Map<number, number>();
  const used = new Set<number>();
  for (const [index, film] of films.entries()) {
    const { entryId } = await cache.entries.ensure(entryOf(sourceId, `film${index}`), NOW_MS + index * 1_000);
    const { generation } = await cache.generations.create(generationOf(entryId, `film${index}`), NOW_MS);
    const range = { start: 0, end: film.bytes };
    await cache.generations.recordRange(generation.id, range, [{ ...range, crc32: 1 }], NOW_MS);
    if (film.isPinned) await cache.entries.setPinned(entryId, true);
    if (film.isUsed) used.add(entryId);
    bytesOf.set(entryId, film.bytes);
  }
  const evicted: string[] = [];
  let settings: Pick<Settings, 'cacheSize' | 'keepFree'> = {
    cacheSize: { bytes: 900 * MB },
    keepFree: { bytes: 10 * MB },
  };
  const stored = () => [...bytesOf.values()].reduce((sum, bytes) => sum + bytes, 0);
  const listEvictable = (...args: Parameters<typeof cache.entries.listEvictable>) =>
    cache.entries.listEvictable(...args);
  const keeper = new SpaceKeeper(stored(), {
    policy: (disk) => policyOf({ ...settings, derivedCapBytes: 500 * MB }, disk),
    lookAtDisk: async () => ({ freeBytes: DISK_BYTES - othersBytes - stored(), totalBytes: DISK_BYTES }),
    listEvictable,
    evict: async (entryId) => {
      if (used.has(entryId)) return null;
      const bytes = bytesOf.get(entryId) ?? 0;
      const [entry] = await new StorageTable(cache.database.tables).describe([entryId]);
      evicted.push(entry!.title);
      bytesOf.delete(entryId);
      await cache.entries.remove(entryId);
      keeper.removed(bytes);
      return bytes;
    },
    isWanted: () => true,
    changed: () => undefined,
    tryToWrite: async () => undefined,
    giveUpBallast: async () => false,
    restoreBallast: async () => undefined,
    noteEvent: async () => true,
    clock,
    log: silent,
  });
  await keeper.start();
  const storage = new Storage({
    space: keeper,
    table: new StorageTable(cache.database.tables),
    listEvictable,
    files: () => [...used].map((entryId) => ({ entryId, isUsed: true, bytes: bytesOf.get(entryId) ?? 0 })),
    policyOf: (chosen, disk) => policyOf({ ...chosen, derivedCapBytes: 500 * MB }, disk),
    settings: {
      current: () => settings,
      lockedBy: () => null,
      change: async (changes: StorageChanges) => {
        const parsed = Object.entries(changes).map(([name, text]) => [
          name,
          options[name as 'cacheSize'].parse([text], name),
        ]);
        settings = { ...settings, ...Object.fromEntries(parsed) };
        await keeper.policyChanged();
      },
    },
    clock,
  });
  return {
    storage,
    keeper,
    clock,
    cache,
    evicted,
    async finish(work) {
      let isDone = false;
      const done = work.finally(() => {
        isDone = true;
      });
      done.catch(() => undefined);
      while (!isDone) {
        await turnLoop();
        clock.advance(1);
      }
      return done;
    },
    async [Symbol.asyncDispose]() {
      await keeper.stop();
      await cache[Symbol.asyncDispose]();
    },
  };
}

describe('Storage', () => {
  test('preview() names who would go, in order, and changes nothing', async () => {
    await using machine = await machineWith([
      { bytes: 100 * MB, isPinned: true },
      { bytes: 100 * MB },
      { bytes: 100 * MB, isUsed: true },
      { bytes: 100 * MB },
      { bytes: 100 * MB },
    ]);
    const preview = await machine.finish(machine.storage.preview({ cacheSize: '350MB' }));
    expect(preview.goes.items.map((entry) => entry.title)).toEqual(['film1', 'film3']);
    expect(preview).toMatchObject({ isChanged: true, shortBytes: 0, roomBytes: 50 * MB });
    expect(preview.goes).toMatchObject({ count: 2, bytes: 200 * MB });
    expect(preview.goes.items[0]!.reason).toBe('last used 23 hours ago');
    expect(machine.evicted).toEqual([]);
    expect(machine.keeper.state.capBytes).toBe(900 * MB);
  });

  test('preview() says how much stays above the bounds when the rest is pinned or in use', async () => {
    await using machine = await machineWith([
      { bytes: 100 * MB, isPinned: true },
      { bytes: 100 * MB, isUsed: true },
      { bytes: 50 * MB },
    ]);
    const preview = await machine.finish(machine.storage.preview({ cacheSize: '20MB' }));
    expect(preview.goes).toMatchObject({ count: 1, bytes: 50 * MB });
    expect(preview).toMatchObject({ shortBytes: 180 * MB, shortOwnBytes: 180 * MB, shortOtherBytes: 0, roomBytes: 0 });
  });

  test('preview() tells what other programs hold from what is pinned, and what a cap comes to on this disk', async () => {
    await using machine = await machineWith([{ bytes: 100 * MB, isPinned: true }, { bytes: 50 * MB }]);
    const { totalBytes, freeBytes } = machine.keeper.state;
    const preview = await machine.finish(machine.storage.preview({ keepFree: String(totalBytes) }));
    expect(preview.shortBytes).toBe(totalBytes - freeBytes - 50 * MB);
    expect(preview.shortOwnBytes).toBe(100 * MB);
    expect(preview.shortOtherBytes).toBe(preview.shortBytes - 100 * MB);
    const large = await machine.finish(machine.storage.preview({ cacheSize: '999TB' }));
    expect(large.remarks.join()).toMatch(/the cache comes to .* at most, not to 999 TB/);
  });

  test('change() does what preview() said, for any films and bounds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ size: fc.integer({ min: 1, max: 60 }), isPinned: fc.boolean(), isUsed: fc.boolean() }), {
          maxLength: 12,
        }),
        fc.integer({ min: 0, max: 500 }),
        fc.integer({ min: 0, max: 900 }),
        async (films, capMb, floorMb) => {
          await using machine = await machineWith(films.map(({ size, ...film }) => ({ ...film, bytes: size * MB })));
          const changes = { cacheSize: `${capMb}MB`, keepFree: `${floorMb}MB` };
          const preview = await machine.finish(machine.storage.preview(changes));
          const after = await machine.finish(machine.storage.change(changes));
          expect(machine.evicted).toEqual(preview.goes.items.map((entry) => entry.title));
          expect(Math.max(0, after.roomBytes)).toBe(preview.roomBytes);
          expect(Math.max(0, -after.roomBytes)).toBe(preview.shortBytes);
        },
      ),
      runs(15),
    );
  }, 20_000);

  test('state() parts the disk: what never goes, what is in use, what may go, what others take', async () => {
    await using machine = await machineWith([
      { bytes: 100 * MB, isPinned: true },
      { bytes: 70 * MB, isUsed: true },
      { bytes: 30 * MB, isUsed: true, isPinned: true },
      { bytes: 50 * MB },
    ]);
    machine.keeper.reserve(10 * MB);
    const state = await machine.finish(machine.storage.state());
    expect(state).toMatchObject({
      usedBytes: 250 * MB,
      pinnedBytes: 130 * MB,
      inUseBytes: 70 * MB,
      removableBytes: 50 * MB,
      reservedBytes: 10 * MB,
      otherBytes: 100 * MB,
      roomBytes: 630 * MB,
    });
    expect(state.settings.cacheSize).toEqual({
      text: '900MB',
      bytes: 900 * MB,
      automaticBytes: 500 * MB,
      lockedBy: null,
    });
  });

  test('a size that cannot be read is refused and names the setting', async () => {
    await using machine = await machineWith([]);
    const refused = await machine.storage.preview({ keepFree: 'lots' }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(LarderError);
    expect((refused as LarderError).message).toContain('Keep free');
  });

  test('bounds that no disk can hold come with a remark', async () => {
    await using machine = await machineWith([]);
    const preview = await machine.finish(machine.storage.preview({ cacheSize: '5TB' }));
    expect(preview.remarks.join()).toContain('the cache comes to');
    const nothing = await machine.finish(machine.storage.preview({ cacheSize: '0' }));
    expect(nothing.remarks.join()).toContain('nothing is kept');
  });

  test('hundreds of films: previewed in pages, all counted, few listed', async () => {
    await using machine = await machineWith(Array.from({ length: 250 }, () => ({ bytes: MB })));
    const preview = await machine.finish(machine.storage.preview({ cacheSize: '10MB' }));
    expect(preview.goes.count).toBe(240);
    expect(preview.goes.items).toHaveLength(50);
    expect((await machine.finish(machine.storage.nextToGo(3))).map((entry) => entry.title)).toEqual([
      'film0',
      'film1',
      'film2',
    ]);
  }, 20_000);
});
