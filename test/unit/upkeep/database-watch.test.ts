import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { createLog } from '../../../src/log.ts';
import { DatabaseWatch } from '../../../src/upkeep/database-watch.ts';
import { openCacheDatabase } from '../../support/cache-database.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/temporary-folder.ts';

function watchOf(folder: TemporaryFolder, databaseFile: string, checkedAtMs: number | null = null) {
  const clock = new FakeClock();
  const found: number[] = [];
  const events: string[] = [];
  let threads = 0;
  const watch = new DatabaseWatch({
    databaseFile,
    suspectFile: folder.file('suspect'),
    startUpkeepThread: () => {
      threads += 1;
      return new Worker(new URL('../../../src/worker.ts', import.meta.url), {
        workerData: { role: 'upkeep', addonFile: null },
      });
    },
    checkedAtMs,
    found: (atMs) => Promise.resolve(void found.push(atMs)),
    noteEvent: (_kind, _subject, text) => Promise.resolve(events.push(text)),
    clock,
    log: createLog({ level: 'error', write: () => undefined, nowMs: () => 0 }),
  });
  return { watch, clock, found, events, threads: () => threads };
}

describe('DatabaseWatch', () => {
  test('finds a sound database sound, on a thread that ends', async () => {
    await using folder = await temporaryFolder();
    await using cache = await openCacheDatabase();
    const { watch, found, events } = watchOf(folder, cache.file);
    await watch.check();
    expect(found.length).toBe(1);
    expect(watch.state).toEqual({ checkedAtMs: found[0]!, problems: [] });
    expect([events, existsSync(folder.file('suspect'))]).toEqual([[], false]);
    await watch.stop();
  });

  test('tells of damage, and has the next start look', async () => {
    await using folder = await temporaryFolder();
    await using cache = await openCacheDatabase();
    await cache.database.client.execute('PRAGMA wal_checkpoint(TRUNCATE)');
    const handle = await open(cache.file, 'r+');
    await handle.write(new Uint8Array(2_000).fill(255), 0, 2_000, 4096 * 2);
    await handle.close();
    const { watch, events } = watchOf(folder, cache.file);
    await watch.check();
    expect(watch.state.problems.length).toBeGreaterThan(0);
    expect(events[0]).toMatch(/^The database is damaged/);
    expect(existsSync(folder.file('suspect'))).toBe(true);
  });

  test('a stop calls off a check, which then says nothing', async () => {
    await using folder = await temporaryFolder();
    await using cache = await openCacheDatabase();
    const { watch, found } = watchOf(folder, cache.file);
    const checked = watch.check();
    await watch.stop();
    await checked;
    expect(found).toEqual([]);
  });
});
