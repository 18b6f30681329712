// The live stream of an open page: what it is told, and when.
import { expect, test } from 'bun:test';
import { createLog } from '../../src/log.ts';
import type { HomeModel, HomeRegions } from '../../src/web/home-model.ts';
import { LiveHub } from '../../src/web/live-hub.ts';
import { FakeClock, turnLoop } from '../support/fake-clock.ts';

const regions = {
  headline: { tone: 'well', sentence: 'All is well.' },
  sources: { sources: [] },
  events: { events: [{ id: '1', atMs: 0, kind: 'evicted', subject: 'films/Old.mkv', text: 'It went.' }] },
  entries: { entries: [], total: 0, cursor: null, next: null, sourceNames: [] },
};

test('what says how long ago it was is told anew each minute, and nothing else is while nothing changes', async () => {
  const clock = new FakeClock();
  const told: string[][] = [];
  const hub = new LiveHub({
    model: { regions: async () => regions as unknown as HomeRegions } as unknown as HomeModel,
    render: (changed) => {
      told.push(Object.keys(changed));
      return '';
    },
    clock,
    log: createLog({ level: 'error', write: () => undefined, nowMs: () => clock.nowMs() }),
  });
  const end = hub.subscribe({ cursor: null, isBusy: () => false, send: () => undefined, close: () => undefined });
  await turnLoop();
  expect(told).toEqual([['headline', 'sources', 'events', 'entries']]);
  await clock.run(120_000);
  expect(told.slice(1)).toEqual([
    ['sources', 'events'],
    ['sources', 'events'],
  ]);
  end();
});
