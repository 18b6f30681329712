import { describe, expect, test } from 'bun:test';
import { SourceRemover } from '../../../src/library/source-remover.ts';
import { createLog } from '../../../src/log.ts';
import { entryOf, NOW_MS, openCacheDatabase } from '../../support/cache-database.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const ENTRIES = 120;

describe('SourceRemover', () => {
  test('takes out entry by entry, waits for readers to be gone, and the source last; what was cut off goes on', async () => {
    await using cache = await openCacheDatabase();
    const { id } = await cache.sources.declare('films', 'http://h/', NOW_MS);
    const other = await cache.sources.declare('other', 'http://h/', NOW_MS);
    for (let index = 0; index < ENTRIES; index++) await cache.entries.ensure(entryOf(id, `f${index}`), NOW_MS);
    await cache.entries.ensure(entryOf(other.id, 'kept'), NOW_MS);
    await cache.sources.markRemoved(id, 'films (removed 1)', NOW_MS);

    const clock = new FakeClock();
    const steps: string[] = [];
    let failures = 1;
    let removedCount = 0;
    const read = new Set<number>([5]);
    const start = (stopAfter: number) => {
      const remover: SourceRemover = new SourceRemover({
        table: cache.sources,
        cancelDownload: () => Promise.resolve(),
        removeEntry: async (entryId) => {
          if (read.has(entryId)) return false;
          if (failures-- > 0) throw new Error('the disk is full');
          await cache.entries.remove(entryId);
          removedCount += 1;
          if (removedCount === stopAfter) void remover.stop();
          return true;
        },
        cutReaders: () => read.clear(),
        forget: () => Promise.resolve(),
        removed: ({ name }) => steps.push(`removed ${name}`),
        clock,
        log: createLog({ level: 'info', write: (line) => steps.push(line), nowMs: () => clock.nowMs() }),
      });
      remover.add({ sourceId: id, name: 'films', entryCount: ENTRIES, cachedBytes: 0 });
      remover.start();
      return remover;
    };
    const first = start(70);
    await clock.run(60_000, 100);
    await first.idle();
    expect(removedCount).toBe(70);
    expect(steps.filter((step) => step.includes('removed films'))).toEqual([]);

    const second = start(Number.POSITIVE_INFINITY);
    await clock.run(60_000, 100);
    await second.idle();
    expect(removedCount).toBe(ENTRIES);
    expect(steps.at(-1)).toBe('removed films');
    expect(second.removals).toEqual([]);
    expect((await cache.sources.list()).map((row) => row.name)).toEqual(['other']);
    expect(await cache.rows('SELECT source_id, key FROM media_items')).toEqual([{ source_id: other.id, key: 'kept' }]);
  });
});
