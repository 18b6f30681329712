import { describe, expect, test } from 'bun:test';
import { EventTable } from '../../src/db/events.ts';
import { createLog } from '../../src/log.ts';
import { EventLog } from '../../src/upkeep/event-log.ts';
import { LogRing } from '../../src/upkeep/log-ring.ts';
import { openCacheDatabase } from '../support/cache-database.ts';
import { FakeClock } from '../support/fake-clock.ts';

const silent = createLog({ level: 'error', write: () => undefined, nowMs: () => 0 });

describe('EventLog', () => {
  test('note() writes, tells listeners, and knows how much a kind matters', async () => {
    await using cache = await openCacheDatabase();
    const log = new EventLog({ table: new EventTable(cache.database.tables), clock: new FakeClock(), log: silent });
    const heard: string[] = [];
    const end = log.listen((event) => heard.push(`${event.kind} ${event.severity}`));
    expect(await log.note('evicted', 'films/a', 'It went.')).toBe(true);
    await log.note('disk-refused', 'disk', 'It refuses.');
    end();
    await log.note('damaged', 'films/a', 'Damaged.');
    expect(heard).toEqual(['evicted info', 'disk-refused error']);
    expect(log.newestId).toBe(3);
  });

  test('list() filters by kind, subject, severity and words, and goes on page by page', async () => {
    await using cache = await openCacheDatabase();
    const log = new EventLog({ table: new EventTable(cache.database.tables), clock: new FakeClock(), log: silent });
    for (let index = 0; index < 10; index++) {
      await log.note(index % 2 === 0 ? 'evicted' : 'damaged', `films/${index}`, `Number ${index} 100% of_it`);
    }
    const idsOf = async (...filter: Parameters<typeof log.list>) => (await log.list(...filter)).map((row) => row.id);
    expect(await idsOf({ kind: 'evicted' }, 3, null)).toEqual([9, 7, 5]);
    expect(await idsOf({ kind: 'evicted' }, 3, 5)).toEqual([3, 1]);
    expect(await idsOf({ subject: 'films/3' }, 10, null)).toEqual([4]);
    expect(await idsOf({ severity: 'warning' }, 2, null)).toEqual([10, 8]);
    expect(await idsOf({ text: 'NUMBER 4' }, 10, null)).toEqual([5]);
    expect(await idsOf({ text: '100%' }, 1, null)).toEqual([10]);
    expect(await idsOf({ text: 'ofXit' }, 1, null)).toEqual([]);
    expect(await idsOf({ text: 'FILMS/7' }, 10, null)).toEqual([8]);
    expect(await log.listKinds()).toEqual(['damaged', 'evicted']);
  });

  test('listKinds() of nothing is nothing', async () => {
    await using cache = await openCacheDatabase();
    expect(await new EventTable(cache.database.tables).listKinds()).toEqual([]);
  });

  test('a database that takes nothing is no failure of who tells', async () => {
    const table = {
      add: () => Promise.reject(new Error('disk full')),
      list: () => Promise.resolve([]),
      listKinds: () => Promise.resolve([]),
    };
    const log = new EventLog({ table, clock: new FakeClock(), log: silent });
    expect(await log.note('evicted', 'a', 'b')).toBe(false);
  });
});

describe('LogRing', () => {
  function ringOf(level: 'debug' | 'info' = 'info') {
    const lines: string[] = [];
    const clock = new FakeClock();
    const ring = new LogRing(clock, () => level);
    const log = ring.around(createLog({ level, write: (line) => lines.push(line), nowMs: () => clock.nowMs() }));
    return { ring, log, lines };
  }

  test('keeps what the log writes, with its part, newest first', () => {
    const { ring, log, lines } = ringOf();
    log.info('started', { port: 1 });
    log.part('space').warning('no room', { why: 'full', nothing: undefined });
    log.debug('unseen');
    expect(lines).toHaveLength(2);
    expect(ring.list({}, 10, null)).toMatchObject([
      { id: 2, level: 'warning', part: 'space', message: 'no room', fields: { why: 'full' } },
      { id: 1, level: 'info', part: null, message: 'started', fields: { port: 1 } },
    ]);
    expect(ring.parts()).toEqual(['space']);
  });

  test('secrets in addresses are not kept, and long texts are cut', () => {
    const { ring, log } = ringOf();
    log.info('asked https://me:secret@host/x?token=abc', { url: 'http://u:p@h/?k=1', long: 'y'.repeat(5_000) });
    const [line] = ring.list({}, 1, null);
    expect(JSON.stringify(line)).not.toMatch(/secret|abc|u:p|k=1/);
    expect(String(line!.fields.long).length).toBeLessThan(600);
  });

  test('is bounded, filters, pages and tells listeners', () => {
    const { ring, log } = ringOf('debug');
    const heard: number[] = [];
    const end = ring.listen((line) => heard.push(line.id));
    for (let index = 1; index <= 1_500; index++) log.part(index % 2 === 0 ? 'a' : 'b').debug(`line ${index}`);
    end();
    log.error('Broken', { file: 'X.mkv' });
    expect(heard).toHaveLength(1_500);
    expect(ring.list({}, 5_000, null)).toHaveLength(1_000);
    expect(ring.list({ part: 'a' }, 2, null).map((line) => line.id)).toEqual([1_500, 1_498]);
    expect(ring.list({ part: 'a' }, 2, 1_498).map((line) => line.id)).toEqual([1_496, 1_494]);
    expect(ring.list({ level: 'warning' }, 10, null).map((line) => line.message)).toEqual(['Broken']);
    expect(ring.list({ text: 'x.MKV' }, 10, null).map((line) => line.message)).toEqual(['Broken']);
  });
});
