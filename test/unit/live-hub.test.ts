// The live stream of an open page: what it is told, and when.
import { expect, test } from 'bun:test';
import { createLog } from '../../src/log.ts';
import { changedRegions, LiveHub, type LiveSubscriber } from '../../src/web/live-hub.ts';
import type { Regions } from '../../src/web/live-page.ts';
import { FakeClock, turnLoop } from '../support/fake-clock.ts';

function startHub(clock: FakeClock): { hub: LiveHub; log: string[] } {
  const log: string[] = [];
  const write = (line: string) => log.push(line);
  return { hub: new LiveHub({ clock, log: createLog({ level: 'error', write, nowMs: () => clock.nowMs() }) }), log };
}

function subscriber(
  regions: LiveSubscriber['regions'],
  key = '/',
): LiveSubscriber & { told: string[]; closed: number } {
  const told: string[] = [];
  const own = {
    key,
    regions,
    told,
    closed: 0,
    isBusy: () => false,
    send: (text: string) => told.push(text),
    close: () => {
      own.closed += 1;
    },
  };
  return own;
}

test('the first message is everything, the next ones what reads differently, and silence has a heartbeat', async () => {
  const clock = new FakeClock();
  const { hub } = startHub(clock);
  let count = 1;
  const page = subscriber(async () => ({ a: `<p>${count}</p>`, b: '<p>same</p>' }));
  const end = hub.subscribe(page);
  await turnLoop();
  expect(page.told).toHaveLength(1);
  expect(page.told[0]).toContain('hx-target="#b"');
  count = 2;
  await clock.run(1_000);
  expect(page.told).toHaveLength(2);
  expect(page.told[1]).toContain('<p>2</p>');
  expect(page.told[1]).not.toContain('hx-target="#b"');
  await clock.run(17_000);
  expect(page.told.slice(2)).toEqual(['event: heartbeat\ndata: x\n\n']);
  end();
  expect(clock.pendingCount).toBe(0);
});

test('pages that show the same are looked at once, and one that fails takes no other with it', async () => {
  const clock = new FakeClock();
  const { hub, log } = startHub(clock);
  let looks = 0;
  const same = async (): Promise<Regions> => {
    looks += 1;
    return { a: 'x' };
  };
  const broken = subscriber(() => Promise.reject(new Error('a bug')), '/broken');
  const pages = [broken, subscriber(same), subscriber(same)];
  for (const page of pages) hub.subscribe(page);
  await clock.run(1_000);
  expect(pages.map((page) => page.told.length)).toEqual([0, 1, 1]);
  const before = looks;
  await clock.run(1_000);
  expect(looks).toBe(before + 1);
  expect(log.join()).toContain('a bug');
});

test('a page whose thing is gone is closed', async () => {
  const clock = new FakeClock();
  const { hub } = startHub(clock);
  const page = subscriber(async () => null);
  hub.subscribe(page);
  await turnLoop();
  expect(page.closed).toBe(1);
});

test('changedRegions() sends a listing whole when its rows came, went or moved, else the rows that changed', () => {
  const said = new Map<string, string>();
  const list = (key: string, first: string) => ({
    list: { key, whole: `whole ${key}`, rows: { 'row-1': first, 'row-2': 'two' } },
  });
  expect(changedRegions(list('1,2', 'one'), said)).toEqual({ list: 'whole 1,2' });
  expect(changedRegions(list('1,2', 'one'), said)).toEqual({});
  expect(changedRegions(list('1,2', 'ONE'), said)).toEqual({ 'row-1': 'ONE' });
  expect(changedRegions(list('2,1', 'ONE'), said)).toEqual({ list: 'whole 2,1' });
});
