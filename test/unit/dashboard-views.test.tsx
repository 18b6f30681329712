// Dashboard, activity, storage and events, rendered from plain data.
import { describe, expect, test } from 'bun:test';
import type { ReaderWait } from '../../src/proxy/readers.ts';
import type { Alert } from '../../src/upkeep/alerts.ts';
import { emptyCounters } from '../../src/upkeep/bookkeeper.ts';
import type { TrafficChart } from '../../src/upkeep/traffic-history.ts';
import { alertProps, describeForecast, headlineOf } from '../../src/web/dashboard-model.ts';
import { describeWait } from '../../src/web/reader-words.ts';
import { OpenReaders } from '../../views/pages/activity.tsx';
import { SpaceRegion } from '../../views/pages/dashboard.tsx';
import { EventRegion, LogRegion } from '../../views/pages/events.tsx';
import { StoragePage } from '../../views/pages/storage.tsx';
import { Alerts } from '../../views/parts/alerts.tsx';
import { DiskBar, type DiskProps, DiskTable, diskParts } from '../../views/parts/disk-bar.tsx';
import { EndedReaders } from '../../views/parts/ended-readers.tsx';
import { PlayingList } from '../../views/parts/playing-list.tsx';
import type { ReaderProps } from '../../views/parts/reader-row.tsx';
import { SourceStates } from '../../views/parts/source-states.tsx';
import { Traffic } from '../../views/parts/traffic-chart.tsx';
import { columnsPath, niceMost, sharesPath } from '../../views/parts/traffic-geometry.ts';
import { type Rendered, renderFragment } from '../../views/render.ts';
import { HOSTILE_TEXT, PAGE_NOW_MS, pageContext } from '../support/page-context.ts';

const nowMs = PAGE_NOW_MS;
const hostile = HOSTILE_TEXT;
const GB = 1e9;

const page = pageContext({ basePath: '/a/b', serverAddress: 'http://nas:8420/a/b' });

function reader(change: Partial<ReaderProps> = {}): ReaderProps {
  return {
    id: '3',
    player: 'VLC 3.0.20',
    address: '192.168.1.7',
    title: 'Night Train (2023)',
    quality: '1080p',
    source: 'attic',
    itemPath: '/items/5',
    startedAtMs: nowMs - 720_000,
    positionBytes: 1.2 * GB,
    sizeBytes: 4 * GB,
    toPlayerRate: 5e6,
    fromOriginRate: 2e6,
    servedBytes: GB,
    fromDiskBytes: 0.63 * GB,
    runwayBytes: 120e6,
    isRunwayWhole: false,
    worstStallMs: 0,
    waiting: null,
    seconds: [{ servedRate: 5e6, fromDiskRate: 3e6, waited: true }],
    mayStop: true,
    ...change,
  };
}

function disk(change: Partial<DiskProps> = {}): DiskProps {
  return {
    totalBytes: 1_000 * GB,
    freeBytes: 200 * GB,
    pinnedBytes: 100 * GB,
    inUseBytes: 10 * GB,
    removableBytes: 290 * GB,
    reservedBytes: 5 * GB,
    otherBytes: 400 * GB,
    roomBytes: 95 * GB,
    capBytes: 500 * GB,
    floorBytes: 10 * GB,
    ...change,
  };
}

function textOf(content: Rendered): string {
  return renderFragment(content)
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');
}

function chartOf(details: Partial<TrafficChart['points'][number]>[] = [], slotMs = 90 * 60_000): TrafficChart {
  const points = details.map((point, index) => ({ ...emptyCounters(), atMs: index * slotMs, ...point }));
  return { range: 'week', slotMs, points };
}

describe('readers', () => {
  test('a row says what it gets, from where, how long its runway is, and can be stopped', () => {
    const html = renderFragment(<OpenReaders page={page} readers={[reader()]} />);
    const text = textOf(<OpenReaders page={page} readers={[reader()]} />);
    for (const words of [
      'Night Train (2023)',
      'VLC 3.0.20 at 192.168.1.7',
      '1.20 GB of 4.00 GB (30 %)',
      '5.00 MB/s',
      'From attic 2.00 MB/s',
      '63 %',
      '120 MB ahead of it are here: 24 s at this rate.',
    ]) {
      expect(text).toContain(words);
    }
    expect(html).toContain('href="/a/b/items/5"');
    expect(html).toContain('action="/a/b/activity/3/stop"');
    expect(html).toContain('aria-label="Stop Night Train (2023) at 192.168.1.7"');
  });

  test('one that waits says for what, how long and why', () => {
    const waiting = {
      words: 'for bytes from attic (try 2)',
      sinceMs: nowMs - 12_000,
      reason: 'reset',
      hint: 'look at it',
    };
    const text = textOf(<OpenReaders page={page} readers={[reader({ waiting })]} />);
    expect(text).toContain('Waiting for bytes from attic (try 2), for 12 s. Reset.');
    expect(text).toContain('Look at it.');
    expect(textOf(<PlayingList page={page} readers={[reader({ waiting })]} />)).toContain(
      'waits for bytes from attic (try 2) for 12 s',
    );
  });

  test('what is not known is said to be unknown, and nobody teaches', () => {
    const unknown = reader({ player: null, sizeBytes: null, toPlayerRate: null, fromOriginRate: null, servedBytes: 0 });
    const text = textOf(<OpenReaders page={page} readers={[unknown]} />);
    expect(text).toContain('of unknown (unknown)');
    expect(text).not.toMatch(/NaN|Infinity|null|undefined|∞/);
    expect(textOf(<OpenReaders page={page} readers={[]} />)).toContain('Nobody is playing anything.');
    expect(textOf(<EndedReaders page={page} readers={[]} nextPath={null} isFirst />)).toContain(
      'Nothing has ended yet.',
    );
  });

  test('an ended one says how it ended and its longest wait', () => {
    const ended = {
      id: '9',
      player: 'Kodi 21.0',
      address: '192.168.1.8',
      title: 'Film',
      quality: 'original',
      itemPath: null,
      startedAtMs: nowMs - 3_600_000,
      endedAtMs: nowMs - 1_800_000,
      requestCount: 14,
      servedBytes: 2 * GB,
      fromDiskBytes: GB,
      firstByteMs: 80,
      stallCount: 2,
      worstStallMs: 4_000,
      outcome: 'failed',
      reason: 'nothing came within 38 s',
    } as const;
    const html = renderFragment(<EndedReaders page={page} readers={[ended]} nextPath="/activity?before=9" isFirst />);
    const text = html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
    for (const words of [
      'Cut off',
      '4.0 s (2 waits)',
      '50 %',
      '80 ms',
      'Nothing came within 38 s.',
      '30 min ago after 30 min',
    ]) {
      expect(text).toContain(words);
    }
    expect(html).toContain('href="/a/b/activity?before=9"');
  });

  test('describeWait() has words for every kind', () => {
    const wait: ReaderWait = {
      kind: 'retry',
      source: 'attic',
      sinceMs: nowMs,
      attempt: 3,
      reason: null,
      hint: null,
      untilMs: nowMs + 2_400,
    };
    expect(describeWait(wait, nowMs)).toBe('for attic, which is asked again in 3 s (try 3)');
    expect(describeWait({ ...wait, untilMs: null }, nowMs)).toBe('for attic, which is asked again soon (try 3)');
    for (const kind of ['connection', 'first-byte', 'bytes', 'pause', 'comparison'] as const) {
      expect(describeWait({ ...wait, kind, attempt: 1 }, nowMs)).not.toMatch(/undefined|try/);
    }
  });
});

describe('the disk', () => {
  test('its parts add up to it, in any state', () => {
    for (const change of [
      {},
      { roomBytes: -20 * GB },
      { reservedBytes: 500 * GB },
      { freeBytes: 0, otherBytes: 600 * GB, roomBytes: -10 * GB },
      { roomBytes: 500 * GB },
    ]) {
      const state = disk(change);
      const parts = diskParts(state);
      expect(parts.every((part) => part.bytes >= 0)).toBe(true);
      expect(parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(state.totalBytes);
    }
  });

  test('bar and table say the same, and trouble has its place', () => {
    expect(textOf(<DiskBar {...disk()} />)).toContain('Pinned 100 GB, In use 10.0 GB, Kept 290 GB, In flight 5.00 GB');
    expect(textOf(<DiskTable {...disk()} />)).toContain('Room may still be kept 95.0 GB');
    const well = textOf(<SpaceRegion page={page} disk={disk()} trouble={null} mayChange />);
    expect(well).toContain('400 GB of 500 GB kept, 5.00 GB in flight. Room for 95.0 GB more.');
    const trouble = { sentence: 'Nothing can be cached: no.', hint: 'Make room.' };
    const full = textOf(<SpaceRegion page={page} disk={disk()} trouble={trouble} mayChange={false} />);
    expect(full).toContain('Nothing can be cached: no. Make room.');
    expect(full).not.toContain('Room for');
    expect(textOf(<SpaceRegion page={page} disk={disk({ roomBytes: 0 })} trouble={null} mayChange />)).toContain(
      'Full.',
    );
  });

  test('the effect of a change names what goes on the button that does it', () => {
    const effect = {
      changes: { cacheSize: '100GB' },
      problem: null,
      isChanged: true,
      capBytes: 100 * GB,
      floorBytes: 10 * GB,
      goesCount: 12,
      goesBytes: 300 * GB,
      goes: [
        {
          title: 'Old',
          quality: 'original',
          itemPath: '/items/1',
          source: 'attic',
          bytes: GB,
          reason: 'last used 12 days ago',
        },
      ],
      shortBytes: 0,
      shortOwnBytes: 0,
      shortOtherBytes: 0,
      roomBytes: 0,
      remarks: ['A remark.'],
    };
    const show = (change: Partial<typeof effect>) =>
      renderFragment(
        <StoragePage
          page={page}
          notice={null}
          fields={[
            { name: 'cacheSize', label: 'Cache size', hint: 'x', value: 'auto', lockedBy: null },
            { name: 'keepFree', label: 'Keep free', hint: 'y', value: 'auto', lockedBy: 'LARDER_KEEP_FREE' },
          ]}
          form={{ typed: effect.changes, errors: {} }}
          effect={{ ...effect, ...change }}
          regions={{ disk: '', next: '' }}
        />,
      );
    const html = show({});
    for (const words of [
      'Save and remove 300 GB (12 entries)',
      'last used 12 days ago',
      'and 11 more entries',
      'A remark.',
    ]) {
      expect(html).toContain(words);
    }
    expect(html).toContain('<input type="hidden" name="cacheSize" value="100GB"');
    expect(html).toContain('Set by LARDER_KEEP_FREE');
    expect(show({ goesCount: 0, goesBytes: 0, goes: [] })).toContain('>Save<');
    expect(show({ shortBytes: 5 * GB, shortOwnBytes: 5 * GB })).toContain('5.00 GB of the cache are pinned or in use.');
    expect(show({ shortBytes: 127 * GB, shortOtherBytes: 127 * GB })).toContain(
      'Still too much would be taken: 127 GB are taken by other programs. Nothing',
    );
    expect(show({ isChanged: false })).toContain('This changes nothing.');
  });
});

describe('charts', () => {
  test('paths are short, whole-numbered and closed; nothing gives nothing', () => {
    const values = Array.from({ length: 120 }, (_, index) => (index * 7919) % 1000);
    const path = columnsPath(values, 1000);
    expect(path).toMatch(/^M0 100(V\d+H\d+|H\d+)+V100Z$/);
    expect(path.length).toBeLessThan(1_400);
    expect(path).toContain('H480V100Z');
    expect(columnsPath([0, 0], 1)).toBe('');
    expect(columnsPath([0, 5, 5, 0], 10)).toBe('M0 100H120V50H360V100H480V100Z');
    expect(columnsPath([1, 1_000], 1_000)).toBe('M0 100V99H240V0H480V100Z');
  });

  test('the line of shares breaks where nothing was served', () => {
    expect(sharesPath([1, null, 0, 0.5])).toBe('M0 1H120M240 39H360V20H480');
    expect(sharesPath([null, null])).toBe('');
  });

  test('the scale moves in steps', () => {
    expect([0, 1, 3, 5, 6, 99, 2_001].map(niceMost)).toEqual([1, 1, 3, 5, 6, 100, 3_000]);
  });

  test('the chart says in words and as a table what it draws', () => {
    const points = Array.from({ length: 120 }, (_, index) => ({
      atMs: nowMs - (119 - index) * 720_000,
      servedBytes: index === 100 ? 10e6 : 0,
      fromDiskBytes: index === 100 ? 4e6 : 0,
    }));
    const chart = { range: 'day', points, slotMs: 720_000, savedBytes: 9e9, hitRatio: 0.5 };
    const text = textOf(<Traffic page={page} {...chart} />);
    expect(text).toContain('4.00 MB of 10.0 MB came from the disk in the last 24 hours (40 %).');
    expect(text).toContain('Ever: 9.00 GB saved, hit ratio 50 %.');
    const html = renderFragment(<Traffic page={page} {...chart} />);
    expect(html.match(/<tr>/g)).toHaveLength(13);
    expect(html).toContain('href="/a/b/?range=week"');
    const idle = textOf(
      <Traffic page={page} {...chart} points={points.map((p) => ({ ...p, servedBytes: 0, fromDiskBytes: 0 }))} />,
    );
    expect(idle).toContain('Nothing was played in the last 24 hours.');
  });

  test('the forecast is of the rate of the week, and of no less than a day', () => {
    expect(describeForecast(GB, chartOf([{}, {}]))).toBe('nothing was fetched this week');
    expect(describeForecast(0, chartOf([{ originBytes: 5 }]))).toBe('each new film makes an old one go');
    const week = Array.from({ length: 112 }, () => ({ originBytes: GB }));
    expect(describeForecast(160 * GB, chartOf(week))).toBe('full in 10 days at this week’s rate');
    expect(describeForecast(5_000 * GB, chartOf([{ originBytes: GB }]))).toBe('room for more than a year');
    expect(describeForecast(GB / 2, chartOf([{ originBytes: GB }]))).toBe('full within a day at this week’s rate');
  });
});

describe('state', () => {
  const failing: Alert = {
    id: 'source-failing:attic',
    kind: 'source-failing',
    severity: 'warning',
    subject: 'attic',
    title: 'attic does not answer',
    sinceMs: nowMs - 840_000,
    cause: 'no route',
    meanwhile: 'what is cached plays on',
    advice: 'is it on?',
  };
  const source = { id: 1, name: 'attic', state: undefined };

  test('the headline is one sentence: all is well, what is not, or what to do first', () => {
    expect(headlineOf([source], [], 0, { nowMs, timeZone: 'UTC' }).sentence).toBe('All is well. Nobody is watching.');
    expect(headlineOf([source], [], 2, { nowMs, timeZone: 'UTC' })).toEqual({
      tone: 'well',
      sentence: 'All is well. 2 readers.',
    });
    expect(headlineOf([], [], 0, { nowMs, timeZone: 'UTC' }).sentence).toContain('no source yet');
    expect(headlineOf([source], [failing], 1, { nowMs, timeZone: 'UTC' })).toEqual({
      tone: 'attention',
      sentence: 'attic does not answer since 11:50 UTC (14 min); what is cached plays on. 1 reader.',
      advice: 'Is it on?',
      advicePath: null,
    });
    const others = ['loft', 'cellar'].map((subject) => ({ ...failing, subject, sinceMs: nowMs - 60_000 }));
    expect(headlineOf([source], [failing, ...others], 1, { nowMs, timeZone: 'UTC' }).sentence).toBe(
      '3 sources do not answer, the first since 11:50 UTC (14 min); what is cached plays on. 1 reader.',
    );
    const refused: Alert = { ...failing, kind: 'disk-refused', severity: 'error', cause: 'ENOSPC', advice: null };
    expect(headlineOf([source], [refused], 0, { nowMs, timeZone: 'UTC' })).toEqual({
      tone: 'failing',
      sentence: 'Nothing can be cached: ENOSPC; streams go on uncached. Nobody is watching.',
      advice: null,
      advicePath: '/storage',
    });
  });

  test('an alert says since when, why, what happens meanwhile and what to do, and leads there', () => {
    const html = renderFragment(<Alerts page={page} alerts={[alertProps(failing, () => false)]} />);
    expect(html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')).toContain(
      'Is it on? Since 11:50 UTC (14 min) . No route. Meanwhile what is cached plays on.',
    );
    expect(html).toContain('href="/a/b/sources/attic"');
    expect(textOf(<Alerts page={page} alerts={[]} />)).toContain('Nothing: every source answers');
  });

  test('a source that fails says since when', () => {
    const props = { name: 'attic', lastSuccessAtMs: null, requestsInFlight: 1 } as const;
    expect(
      textOf(<SourceStates page={page} sources={[{ ...props, state: 'failing', failingSinceMs: nowMs - 840_000 }]} />),
    ).toContain('does not answer since 11:50 UTC (14 min)');
    expect(
      textOf(<SourceStates page={page} sources={[{ ...props, state: 'untried', failingSinceMs: null }]} />),
    ).toContain('Not asked yet');
    expect(textOf(<SourceStates page={page} sources={[]} />)).toContain('None yet.');
  });

  test('events say what, why and when, also of a kind that is not known; empty lists teach', () => {
    const event = {
      id: '7',
      atMs: nowMs - 120_000,
      kind: 'evicted',
      subject: 'films/Old.mkv',
      words: 'films/Old.mkv',
      severity: 'info',
      text: 'It went.',
    } as const;
    const none = { newestPath: null, olderPath: null };
    const text = textOf(
      <EventRegion
        page={page}
        events={[event, { ...event, id: '6', kind: 'moon-rose' }]}
        isFiltered={false}
        {...none}
      />,
    );
    for (const words of ['Made room films/Old.mkv', 'It went. 2 min ago', 'Moon rose']) expect(text).toContain(words);
    expect(textOf(<EventRegion page={page} events={[]} isFiltered={false} {...none} />)).toContain(
      'Nothing out of the',
    );
    expect(textOf(<EventRegion page={page} events={[]} isFiltered {...none} />)).toContain('fits this filter');
    expect(textOf(<LogRegion page={page} lines={[]} isFiltered {...none} />)).toContain('None of the last thousand');
  });
});

test('hostile titles, names, addresses and reasons stay text, everywhere', () => {
  const waiting = { words: hostile, sinceMs: nowMs, reason: hostile, hint: hostile };
  const evil = reader({
    title: hostile,
    quality: hostile,
    player: hostile,
    address: hostile,
    source: hostile,
    waiting,
  });
  const event = {
    id: '7',
    atMs: nowMs,
    kind: hostile,
    subject: hostile,
    words: hostile,
    severity: 'info',
    text: hostile,
  } as const;
  const line = { id: '1', atMs: nowMs, level: 'info', part: hostile, message: hostile, fields: [hostile] } as const;
  const alert = {
    id: 'x',
    severity: 'error',
    title: hostile,
    sinceMs: null,
    cause: hostile,
    meanwhile: hostile,
    advice: hostile,
    path: '/',
  } as const;
  const none = { newestPath: null, olderPath: null, isFiltered: false };
  const html = [
    <OpenReaders page={page} readers={[evil]} />,
    <PlayingList page={page} readers={[evil]} />,
    <EventRegion page={page} events={[event]} {...none} />,
    <LogRegion page={page} lines={[line]} {...none} />,
    <Alerts page={page} alerts={[alert]} />,
    <SourceStates
      page={page}
      sources={[{ name: hostile, state: 'failing', failingSinceMs: nowMs, lastSuccessAtMs: null, requestsInFlight: 0 }]}
    />,
  ]
    .map((part) => renderFragment(part))
    .join('');
  expect(html).not.toContain('<img src=x');
  expect(html).not.toContain('<script>');
  expect(html).not.toContain('<hx-partial');
  expect(html).not.toMatch(/<[^>]*\s(style|hx-on)/);
});
