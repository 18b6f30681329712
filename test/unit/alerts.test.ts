import { describe, expect, test } from 'bun:test';
import type { EventRow } from '../../src/db/events.ts';
import { type AlertServices, Alerts } from '../../src/upkeep/alerts.ts';
import { emptyCounters } from '../../src/upkeep/bookkeeper.ts';
import { StatusReport } from '../../src/upkeep/status.ts';
import { FakeClock } from '../support/fake-clock.ts';

const DAY_MS = 86_400_000;

function alertsOf(clock: FakeClock, details: Partial<AlertServices> = {}): Alerts {
  return new Alerts({
    sources: () => [{ id: 1, name: 'attic' }],
    stateOf: () => undefined,
    space: () => ({ trouble: null }),
    listEvents: async () => [],
    untrustedProxy: () => null,
    clock,
    ...details,
  });
}

function damage(id: number, at: number, subject: string): EventRow {
  return { id, at, kind: 'damaged', subject, text: '4 kB were wrong.', severity: 'warning' };
}

describe('Alerts', () => {
  test('all well: no alerts', async () => {
    expect(await alertsOf(new FakeClock()).list()).toEqual([]);
  });

  test('each says since when, why, what Larder does and what to do; what is worse comes first', async () => {
    const clock = new FakeClock();
    const nowMs = clock.nowMs();
    const alerts = await alertsOf(clock, {
      stateOf: () => ({
        lastSuccessAt: 1,
        lastErrorAt: 5,
        lastErrorText: 'connection refused',
        hint: 'is it switched on?',
        failingSince: 4,
      }),
      space: () => ({ trouble: { kind: 'refused', why: 'ENOSPC', hint: 'make room', sinceMs: 7 } }),
      listEvents: async () => [
        damage(3, nowMs - 10, 'films/b'),
        damage(2, nowMs - 20, 'films/a'),
        damage(1, nowMs - 8 * DAY_MS, 'films/old'),
      ],
      untrustedProxy: () => ({ address: '10.0.0.9', sinceMs: 9 }),
    }).list();
    expect(alerts.map((alert) => alert.id)).toEqual([
      'disk-refused',
      'source-failing:attic',
      'damaged',
      'untrusted-proxy:10.0.0.9',
    ]);
    expect(alerts[1]).toMatchObject({ sinceMs: 4, cause: 'connection refused', advice: 'is it switched on?' });
    expect(alerts[2]).toMatchObject({ title: 'Damaged bytes were found in 2 files', sinceMs: nowMs - 20 });
    for (const alert of alerts) expect(alert.meanwhile.length).toBeGreaterThan(10);
  });

  test('damage of long ago is no alert any more', async () => {
    const clock = new FakeClock();
    const listEvents = async () => [damage(1, clock.nowMs() - 8 * DAY_MS, 'films/old')];
    expect(await alertsOf(clock, { listEvents }).list()).toEqual([]);
  });
});

describe('StatusReport', () => {
  test('says version, uptime, readers, jobs, space and hit ratio; unknown is null', async () => {
    const clock = new FakeClock();
    const space = { capBytes: 1, floorBytes: 2, usedBytes: 3, reservedBytes: 4, freeBytes: 5, totalBytes: 6 };
    let servedBytes = 0;
    const status = new StatusReport({
      version: '1.2.3',
      readers: () => [{ waiting: null }, { waiting: 'something' }],
      jobs: () => ({ running: 3, waiting: 4 }),
      countWished: async () => 5,
      space: () => space,
      totals: async () => ({
        ...emptyCounters(),
        servedBytes,
        servedFromDiskBytes: servedBytes / 4,
        entryCount: 7,
        cachedBytes: 3,
      }),
      alerts: async () => [],
      clock,
    });
    clock.advance(90_500);
    expect(await status.get()).toMatchObject({
      version: '1.2.3',
      uptimeSeconds: 90,
      isWell: true,
      readers: { open: 2, waiting: 1 },
      jobs: { running: 3, waiting: 4, queued: 5 },
      space,
      hitRatio: null,
    });
    servedBytes = 100;
    expect((await status.get()).hitRatio).toBe(0.25);
  });
});
