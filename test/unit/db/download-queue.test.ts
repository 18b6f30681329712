import { describe, expect, test } from 'bun:test';
import { asc, inArray } from 'drizzle-orm';
import type { DownloadRow } from '../../../src/db/download-queue.ts';
import { cacheDownloadQueue } from '../../../src/db/schema.ts';
import { type CacheDatabase, entryOf, NOW_MS, openCacheDatabase } from '../../support/cache-database.ts';

async function withEntries(cache: CacheDatabase, count: number): Promise<number[]> {
  const { id } = await cache.sources.declare('films', 'http://h/', NOW_MS);
  const ids: number[] = [];
  for (let index = 0; index < count; index++)
    ids.push((await cache.entries.ensure(entryOf(id, `f${index}`), NOW_MS)).entryId);
  return ids;
}

function openRows(cache: CacheDatabase): Promise<DownloadRow[]> {
  return cache.database.tables
    .select()
    .from(cacheDownloadQueue)
    .where(inArray(cacheDownloadQueue.state, ['queued', 'running']))
    .orderBy(asc(cacheDownloadQueue.id));
}

describe('DownloadQueueTable', () => {
  test('enqueue() holds one open wish for an entry when it is asked for again, and a person raises it', async () => {
    await using cache = await openCacheDatabase();
    const [entry] = await withEntries(cache, 1);
    await cache.queue.enqueue(entry!, 'background', NOW_MS);
    await cache.queue.enqueue(entry!, 'background', NOW_MS + 1);
    expect(await openRows(cache)).toMatchObject([{ requestedBy: 'background', nextAttemptAt: NOW_MS }]);
    await cache.queue.enqueue(entry!, 'person', NOW_MS + 2);
    expect(await openRows(cache)).toMatchObject([{ requestedBy: 'person', state: 'queued' }]);
    await cache.queue.enqueue(entry!, 'background', NOW_MS + 3);
    expect(await openRows(cache)).toMatchObject([{ requestedBy: 'person' }]);
  });

  test('enqueue() makes a new wish when the last one is done or was given up', async () => {
    await using cache = await openCacheDatabase();
    const [entry] = await withEntries(cache, 1);
    await cache.queue.enqueue(entry!, 'person', NOW_MS);
    const [row] = await openRows(cache);
    await cache.queue.markDone(row!.id, NOW_MS);
    expect(await openRows(cache)).toEqual([]);
    await cache.queue.enqueue(entry!, 'person', NOW_MS);
    const [second] = await openRows(cache);
    await cache.queue.markFailed(second!, { code: 'not-found', text: 'gone' }, null, NOW_MS + 5);
    await cache.queue.enqueue(entry!, 'person', NOW_MS);
    expect(await cache.rows('SELECT state, error_code FROM cache_download_queue ORDER BY id')).toEqual([
      // What was finished before is no use to anybody.
      { state: 'queued', error_code: null },
    ]);
  });

  test('enqueue() holds one open wish when two ask in the same moment', async () => {
    await using cache = await openCacheDatabase();
    const [entry] = await withEntries(cache, 1);
    await Promise.all([cache.queue.enqueue(entry!, 'person', NOW_MS), cache.queue.enqueue(entry!, 'person', NOW_MS)]);
    expect((await openRows(cache)).length).toBe(1);
  });

  test('listOpen() lists all wishes in the order in which they are granted, page by page', async () => {
    await using cache = await openCacheDatabase();
    const ids = await withEntries(cache, 6);
    const [later, filled, second, first, laterFilled, running] = ids;
    await cache.queue.enqueue(later!, 'person', NOW_MS + 9);
    await cache.queue.enqueue(filled!, 'background', NOW_MS - 9);
    await cache.queue.enqueue(second!, 'person', NOW_MS - 1);
    await cache.queue.enqueue(first!, 'person', NOW_MS - 2);
    await cache.queue.enqueue(laterFilled!, 'background', NOW_MS + 5);
    await cache.queue.enqueue(running!, 'background', NOW_MS);
    await cache.queue.markRunning((await openRows(cache)).find((row) => row.entryId === running)!.id);
    const one = await cache.queue.listOpen(3, null, NOW_MS);
    const two = await cache.queue.listOpen(9, one.at(-1)!, NOW_MS);
    const order = [running, first, second, filled, later, laterFilled];
    expect([...one, ...two].map((wish) => wish.entryId)).toEqual(order as number[]);
    expect(one[0]).toMatchObject({ state: 'running', source: 'films', sizeBytes: null, cachedBytes: 0 });
    expect(await cache.queue.sumOpen()).toBe(0);
    expect(await cache.queue.cancelAll()).toBe(6);
    expect(await cache.queue.listOpen(9, null, NOW_MS)).toEqual([]);
  });

  test('listDue() puts people before background fill, then the oldest first, and leaves out what is not due', async () => {
    await using cache = await openCacheDatabase();
    const entries = await withEntries(cache, 6);
    const wishes = [
      ['background', 1],
      ['person', 3],
      ['background', 0],
      ['person', 2],
      ['person', 9],
      ['person', 2],
    ] as const;
    for (const [index, [by, at]] of wishes.entries()) await cache.queue.enqueue(entries[index]!, by, NOW_MS + at);
    const due = await cache.queue.listDue(10, NOW_MS + 5);
    expect(due.map((row) => entries.indexOf(row.entryId))).toEqual([3, 5, 1, 2, 0]);
    expect((await cache.queue.listDue(2, NOW_MS + 5)).length).toBe(2);
    await cache.queue.markRunning(due[0]!.id);
    expect((await cache.queue.listDue(10, NOW_MS + 5)).map((row) => row.id)).not.toContain(due[0]!.id);
  });

  test('requeueRunning() gives back to the queue what a stopped Larder left running', async () => {
    await using cache = await openCacheDatabase();
    const entries = await withEntries(cache, 2);
    for (const entry of entries) await cache.queue.enqueue(entry, 'person', NOW_MS);
    const [first] = await openRows(cache);
    await cache.queue.markRunning(first!.id);
    await cache.queue.requeueRunning();
    expect((await openRows(cache)).map((row) => row.state)).toEqual(['queued', 'queued']);
  });

  test('markFailed() keeps words, attempts and the next time when it is to be tried again', async () => {
    await using cache = await openCacheDatabase();
    const [entry] = await withEntries(cache, 1);
    await cache.queue.enqueue(entry!, 'person', NOW_MS);
    const [row] = await openRows(cache);
    await cache.queue.markFailed(row!, { code: 'origin-failed', text: 'down' }, NOW_MS + 1_000, NOW_MS);
    expect(await openRows(cache)).toMatchObject([
      {
        state: 'queued',
        attempts: 1,
        nextAttemptAt: NOW_MS + 1_000,
        errorCode: 'origin-failed',
        errorText: 'down',
        finishedAt: null,
      },
    ]);
    expect(await cache.queue.listDue(5, NOW_MS + 999)).toEqual([]);
  });

  test('cancel() and cancelBackground() take back what is open and leave the history', async () => {
    await using cache = await openCacheDatabase();
    const entries = await withEntries(cache, 4);
    await cache.queue.enqueue(entries[0]!, 'background', NOW_MS);
    await cache.queue.markDone((await openRows(cache))[0]!.id, NOW_MS);
    await cache.queue.enqueue(entries[1]!, 'background', NOW_MS);
    await cache.queue.enqueue(entries[2]!, 'person', NOW_MS);
    await cache.queue.enqueue(entries[3]!, 'person', NOW_MS);
    await cache.queue.cancelBackground();
    await cache.queue.cancel(entries[3]!);
    expect((await openRows(cache)).map((row) => row.entryId)).toEqual([entries[2]!]);
    expect((await cache.rows("SELECT count(*) AS n FROM cache_download_queue WHERE state = 'done'"))[0]).toEqual({
      n: 1,
    });
  });
});
