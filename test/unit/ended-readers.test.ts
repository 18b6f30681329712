import { describe, expect, test } from 'bun:test';
import { ReaderHistoryTable } from '../../src/db/reader-history.ts';
import { createLog } from '../../src/log.ts';
import { type EndedReader, EndedReaders, TOGETHER_MS } from '../../src/proxy/ended-readers.ts';
import { openCacheDatabase } from '../support/cache-database.ts';
import { FakeClock } from '../support/fake-clock.ts';

const silent = createLog({ level: 'error', write: () => undefined, nowMs: () => 0 });

function endedAt(clock: FakeClock, details: Partial<EndedReader> = {}): Omit<EndedReader, 'id'> {
  return {
    entryId: 1,
    source: 'films',
    path: 'film.mkv',
    title: 'film',
    quality: 'original',
    address: '192.168.1.20',
    userAgent: 'VLC/3.0.20',
    startedAt: clock.nowMs() - 1_000,
    endedAt: clock.nowMs(),
    requestCount: 1,
    servedBytes: 1_000,
    servedFromDiskBytes: 400,
    position: 1_000,
    sizeBytes: 5_000,
    firstByteMs: 20,
    stallCount: 1,
    stalledMs: 50,
    worstStallMs: 50,
    outcome: 'left',
    reason: null,
    ...details,
  };
}

describe('EndedReaders', () => {
  test('requests of one player for one film that follow upon each other are one row with sums and the worst', async () => {
    await using cache = await openCacheDatabase();
    const clock = new FakeClock();
    const ended = new EndedReaders({ table: new ReaderHistoryTable(cache.database.tables), clock, log: silent });
    await ended.load();
    ended.note(endedAt(clock));
    clock.advance(TOGETHER_MS);
    ended.note(endedAt(clock, { worstStallMs: 900, stalledMs: 900, outcome: 'finished', position: 5_000 }));
    const [row, ...others] = await ended.list(10, null);
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      requestCount: 2,
      servedBytes: 2_000,
      servedFromDiskBytes: 800,
      stallCount: 2,
      stalledMs: 950,
      worstStallMs: 900,
      position: 5_000,
      outcome: 'finished',
      endedAt: clock.nowMs(),
    });
  });

  test('another player, another film, and a later hour are rows of their own', async () => {
    await using cache = await openCacheDatabase();
    const clock = new FakeClock();
    const ended = new EndedReaders({ table: new ReaderHistoryTable(cache.database.tables), clock, log: silent });
    ended.note(endedAt(clock));
    ended.note(endedAt(clock, { address: '192.168.1.21' }));
    ended.note(endedAt(clock, { path: 'other.mkv' }));
    ended.note(endedAt(clock, { userAgent: 'mpv' }));
    clock.advance(2 * TOGETHER_MS);
    ended.note(endedAt(clock));
    expect((await ended.list(10, null)).map((row) => row.id)).toEqual([5, 4, 3, 2, 1]);
  });

  test('rows are written when their player has been away for long enough, and are there after a restart', async () => {
    await using cache = await openCacheDatabase();
    const table = new ReaderHistoryTable(cache.database.tables);
    const clock = new FakeClock();
    const ended = new EndedReaders({ table, clock, log: silent });
    ended.note(endedAt(clock));
    await ended.flush();
    expect(await table.list(10, null)).toEqual([]);
    clock.advance(TOGETHER_MS + 1);
    ended.note(endedAt(clock, { address: 'b' }));
    await ended.flush();
    expect((await table.list(10, null)).map((row) => row.address)).toEqual(['192.168.1.20']);
    await ended.flush(true);
    const again = new EndedReaders({ table, clock, log: silent });
    await again.load();
    expect((await again.list(10, null)).map((row) => row.address)).toEqual(['b', '192.168.1.20']);
    again.note(endedAt(clock, { address: 'c' }));
    expect((await again.list(1, null))[0]).toMatchObject({ id: 3, address: 'c' });
  });

  test('list() goes on in the database where memory ends, page by page, each row once; a thousand are kept', async () => {
    await using cache = await openCacheDatabase();
    const clock = new FakeClock();
    const table = new ReaderHistoryTable(cache.database.tables);
    const ended = new EndedReaders({ table, clock, log: silent });
    await ended.load();
    for (let index = 1; index <= 1_150; index++) {
      ended.note(endedAt(clock, { address: `player ${index}` }));
      if (index % 100 === 0) {
        clock.advance(TOGETHER_MS + 1);
        await ended.flush();
      }
    }
    await ended.flush(true);
    const seen: number[] = [];
    for (let before: number | null = null; ; ) {
      const page: EndedReader[] = await ended.list(40, before);
      seen.push(...page.map((row) => row.id));
      before = page.at(-1)?.id ?? null;
      if (before === null || page.length < 40) break;
    }
    expect(seen).toEqual(Array.from({ length: 1_000 }, (_, index) => 1_150 - index));
  });

  test('a database that takes nothing is tried again, and a huge User-Agent is cut', async () => {
    const clock = new FakeClock();
    let refuses = true;
    const written: EndedReader[] = [];
    const ended = new EndedReaders({
      table: {
        add: async (rows) => {
          if (refuses) throw new Error('disk full');
          written.push(...rows);
        },
        list: async () => [],
        findNewestId: async () => 0,
      },
      clock,
      log: silent,
    });
    ended.note(endedAt(clock, { userAgent: 'x'.repeat(10_000) }));
    await ended.flush(true);
    refuses = false;
    await ended.flush(true);
    expect(written).toHaveLength(1);
    expect(written[0]!.userAgent.length).toBeLessThan(300);
  });
});
