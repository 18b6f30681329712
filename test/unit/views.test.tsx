// The first page and its live updates, rendered from plain data.
import { describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { assets } from '../../src/web/assets.ts';
import {
  formatByteRange,
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
  formatSentence,
  formatSince,
} from '../../views/format.ts';
import type { PageContext } from '../../views/page-context.ts';
import { HomePage } from '../../views/pages/home.tsx';
import { ProblemPage } from '../../views/pages/problem.tsx';
import { describeChunkMap } from '../../views/parts/chunk-map.tsx';
import { type ByteRange, chunkMapRuns, chunkMapWidth } from '../../views/parts/chunk-map-runs.ts';
import { Entries, type EntriesProps, groupByTitle } from '../../views/parts/entries.tsx';
import { Entry, type EntryProps } from '../../views/parts/entry.tsx';
import type { NoticeProps } from '../../views/parts/notice.tsx';
import { renderFragment, renderPage } from '../../views/render.ts';

const nowMs = Date.UTC(2026, 10, 20, 12, 4, 31);
const hostile = '"><img src=x onerror=alert(1)><script>alert(2)</script></template><hx-partial hx-target="body">';

function context(change: Partial<PageContext> = {}): PageContext {
  return {
    basePath: '',
    serverAddress: 'http://nas:8420',
    path: '/',
    assetVersion: 'v1',
    nowMs,
    visitor: { name: 'admin', role: 'owner', shortcuts: true },
    theme: 'auto',
    ...change,
  };
}

type HomeProps = { page: PageContext; notice: NoticeProps | null; entries: EntriesProps };

function entry(change: Partial<EntryProps> = {}): EntryProps {
  return {
    id: 'e1',
    groupKey: 'films/night-train',
    title: 'Night Train (2023)',
    source: 'films',
    quality: '1080p',
    sizeBytes: 100e6,
    cachedBytes: 16e6,
    ranges: [
      [0, 12e6],
      [40e6, 44e6],
    ],
    inFlight: [],
    readerPositions: [],
    lastUsedAtMs: nowMs - 600_000,
    streamPath: '/s/films/Night%20Train%20(2023).1080p.mp4',
    fetchQueued: false,
    pinned: false,
    tooLarge: false,
    missing: null,
    ...change,
  };
}

function home(change: Partial<HomeProps> = {}): HomeProps {
  return {
    page: context(),
    notice: null,
    entries: { entries: [entry()], total: 1, cursor: null, next: null, sourceNames: ['films'] },
    ...change,
  };
}

function entriesOf(entries: EntryProps[], change: Partial<HomeProps['entries']> = {}) {
  return { entries, total: entries.length, cursor: null, next: null, sourceNames: ['films'], ...change };
}

function render(change: Partial<HomeProps> = {}): string {
  const { page, notice, entries } = home(change);
  const regions = { entries: <Entries page={page} {...entries} /> };
  return renderPage(<HomePage page={page} notice={notice} regions={regions} />);
}

function renderEntry(change: Partial<EntryProps>): string {
  return renderFragment(<Entry page={context()} entry={entry(change)} />);
}

function hostilePage(): string {
  return render({
    notice: { tone: 'failed', text: hostile, hint: hostile },
    entries: entriesOf(
      [
        entry({
          title: hostile,
          quality: hostile,
          source: hostile,
          streamPath: `/s/${hostile}`,
          pinned: true,
          missing: { sinceMs: nowMs, reason: hostile },
        }),
      ],
      { next: hostile },
    ),
  });
}

describe('format', () => {
  test('formatBytes() gives SI units with three significant digits, also where rounding moves the unit', () => {
    const cases: [number | null, string][] = [
      [0, '0 B'],
      [512, '512 B'],
      [999, '999 B'],
      [1000, '1.00 kB'],
      [999_499, '999 kB'],
      [999_500, '1.00 MB'],
      [1_333_350, '1.33 MB'],
      [412e9, '412 GB'],
      [10e12, '10.0 TB'],
      [5e18, '5000 PB'],
    ];
    for (const [bytes, text] of cases) expect(formatBytes(bytes)).toBe(text);
  });

  test('every format says "unknown" when the value is not known, never 0 and never infinity', () => {
    for (const format of [formatBytes, formatRate, formatPercent, formatDuration]) {
      for (const value of [null, Number.NaN, Number.POSITIVE_INFINITY, -1]) expect(format(value)).toBe('unknown');
    }
    expect(formatCount(null, 'entry', 'entries')).toBe('unknown entries');
  });

  test('formatPercent() says 100 % only when it is whole and never 0 % when there is something', () => {
    expect([0, 0.0001, 0.634, 0.9999, 1].map(formatPercent)).toEqual(['0 %', '<1 %', '63 %', '99 %', '100 %']);
  });

  test('formatDuration() and formatByteRange() are short', () => {
    expect([900, 59_999, 720_000, 7_500_000, 90_000_000].map(formatDuration)).toEqual([
      '0 s',
      '59 s',
      '12 min',
      '2 h 05 min',
      '1 d 01 h',
    ]);
    expect(formatByteRange(40e6, 44e6)).toBe('40–44 MB');
    expect(formatByteRange(0, 466_297)).toBe('0–466 kB');
  });

  test('formatSince() names the moment and how long it is, and the day only when it was another', () => {
    const at = Date.UTC(2026, 10, 20, 11, 50, 0);
    expect(formatSince(at, nowMs)).toBe('11:50 UTC (14 min)');
    expect(formatSince(nowMs - 5_000, nowMs)).toBe('12:04 UTC (less than a minute)');
    expect(formatSince(at - 49 * 3_600_000, nowMs)).toBe('2026-11-18 10:50 UTC (2 d 01 h)');
    // The clock was set back meanwhile.
    expect(formatSince(nowMs + 60_000, nowMs)).toBe('12:05 UTC (less than a minute)');
  });

  test('formatSentence() makes a sentence and leaves one as it is', () => {
    expect(formatSentence('make room on the disk')).toBe('Make room on the disk.');
    expect(formatSentence('Why not?')).toBe('Why not?');
  });
});

describe('chunk map', () => {
  const runsOf = (sizeBytes: number, ranges: ByteRange[], inFlight: ByteRange[] = []) =>
    chunkMapRuns({ sizeBytes, ranges, inFlight });

  test('chunkMapRuns() is one run for a whole file of any size, and none for nothing', () => {
    for (const size of [1, 7, 239, 240, 241, 466_297, 60e9 + 1]) {
      expect(runsOf(size, [[0, size]])).toEqual([{ state: 'whole', start: 0, width: chunkMapWidth }]);
      expect(runsOf(size, [])).toEqual([]);
    }
    expect(runsOf(0, [[0, 0]])).toEqual([]);
  });

  test('chunkMapRuns() puts half-open ranges where they are', () => {
    const bucket = 1000;
    const size = chunkMapWidth * bucket;
    expect(
      runsOf(size, [
        [0, 10 * bucket],
        [10 * bucket, 12 * bucket],
        [100 * bucket, 101 * bucket + 1],
        [size - 1, size],
      ]),
    ).toEqual([
      { state: 'whole', start: 0, width: 12 },
      { state: 'whole', start: 100, width: 1 },
      { state: 'partly', start: 101, width: 1 },
      { state: 'partly', start: 239, width: 1 },
    ]);
  });

  test('chunkMapRuns() shows what is in flight where it is not whole yet', () => {
    const bucket = 1000;
    expect(runsOf(chunkMapWidth * bucket, [[0, 2500]], [[1000, 5000]])).toEqual([
      { state: 'whole', start: 0, width: 2 },
      { state: 'in-flight', start: 2, width: 3 },
    ]);
  });

  test('chunkMapRuns() says whole exactly where every byte is there, against a byte by byte model', () => {
    const size = chunkMapWidth * 3 + 7;
    for (let seed = 1; seed < 60; seed += 1) {
      const start = (seed * 37) % size;
      const end = Math.min(size, start + ((seed * 101) % size));
      const painted = new Array<string>(chunkMapWidth).fill('missing');
      for (const run of runsOf(size, [[start, end]])) painted.fill(run.state, run.start, run.start + run.width);
      for (const [bucket, state] of painted.entries()) {
        const low = (bucket * size) / chunkMapWidth;
        const high = ((bucket + 1) * size) / chunkMapWidth;
        const whole = start <= low && end >= high;
        const touched = start < high && end > low;
        expect(state).toBe(whole ? 'whole' : touched ? 'partly' : 'missing');
      }
    }
  });

  test('describeChunkMap() says in words what the strip shows', () => {
    const map = { sizeBytes: 25.3e6, inFlight: [] };
    const ranges: ByteRange[] = [
      [0, 12e6],
      [20e6, 24e6],
    ];
    expect(describeChunkMap({ ...map, ranges })).toBe('63 % cached: 0–12 MB, 20–24 MB');
    expect(describeChunkMap({ ...map, ranges: [], inFlight: [[0, 2e6]] })).toBe('Nothing cached; in flight: 0–2 MB');
    const many = Array.from({ length: 30 }, (_, index): ByteRange => [index * 2000, index * 2000 + 1000]);
    expect(describeChunkMap({ ...map, ranges: many })).toEndWith(' and 24 more');
  });
});

describe('HomePage', () => {
  test('hostile titles, names and addresses stay text', () => {
    const html = hostilePage();
    expect(html).not.toContain('<img src=x');
    expect(html).not.toContain('<script>');
    expect(html).not.toContain('<hx-partial');
    expect(html).not.toContain('</template>');
    expect(html).not.toMatch(/ onerror=alert\(1\)(?!&gt;)/);
    expect(html.match(/<script /g)).toHaveLength(1);
  });

  test('nothing on it needs more than the content security policy allows', () => {
    const html = hostilePage();
    expect(html).not.toMatch(/<[^>]*\sstyle=/);
    expect(html).not.toMatch(/<[^>]*\shx-on/);
    expect(html).not.toMatch(/<style/);
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)/);
    expect(html).not.toContain('js:');
  });

  test('qualities of one title are grouped under it, in the order of their first entry', () => {
    const entries = [
      entry({ id: 'a', quality: '1080p' }),
      entry({ id: 'b', groupKey: 'films/other', title: 'Other' }),
      entry({ id: 'c', quality: '480p' }),
    ];
    expect(groupByTitle(entries).map((group) => group.entries.map(({ id }) => id))).toEqual([['a', 'c'], ['b']]);
    const html = render({ entries: entriesOf(entries) });
    expect(html.match(/<h3>Night Train \(2023\)<\/h3>/g)).toHaveLength(1);
    for (const id of ['a', 'b', 'c']) expect(html).toContain(`id="entry-${id}"`);
  });

  test('an empty library teaches how to add a source and what to play', () => {
    const html = render({ entries: entriesOf([], { sourceNames: [] }) });
    expect(html).toContain('--source films=https://host/films/');
    expect(html).toContain('http://nas:8420/s/films/Some%20Film.mkv');
    const withSource = render({ entries: entriesOf([], { sourceNames: ['my attic'] }) });
    expect(withSource).not.toContain('--source films');
    expect(withSource).toContain('href="/s/my%20attic/"');
  });

  test('unknown totals and sizes say so', () => {
    const html = render({ entries: entriesOf([entry({ sizeBytes: null, ranges: [[0, 5e6]], cachedBytes: 5e6 })]) });
    expect(html).toContain('5.00 MB (unknown)');
    expect(html).toContain('Playable for the first 5.00 MB; size unknown');
    expect(html).not.toMatch(/NaN|Infinity|null|undefined|∞/);
  });

  test('every address has the base path in front, and assets carry the version', () => {
    const html = render({
      page: context({ basePath: '/a/b', serverAddress: 'http://nas/a/b', path: '/?cursor=x', assetVersion: 'c0ffee' }),
      entries: entriesOf([entry()], { cursor: 'x', next: 'y=' }),
    });
    const addresses = [...html.matchAll(/ (?:href|src|action|hx-post|hx-sse:connect)="([^"]*)"/g)].map(([, at]) => at);
    expect(addresses.length).toBeGreaterThan(12);
    for (const address of addresses) expect(address).toMatch(/^(\/a\/b\/|#main$)/);
    for (const name of ['larder.js', 'larder.css', 'icon.svg']) {
      expect(html).toContain(`/a/b/assets/${name}?v=c0ffee`);
    }
    expect(html).toContain('hx-sse:connect="/a/b/live?at=%2F%3Fcursor%3Dx"');
    expect(html).toContain('href="/a/b/library?cursor=y%3D"');
  });

  test('the first load stays under 60 kB compressed, with 50 entries', () => {
    const entries = Array.from({ length: 50 }, (_, index) => {
      const ranges = Array.from(
        { length: 120 },
        (_, run): ByteRange => [run * 800_000, run * 800_000 + 411_000 + index],
      );
      return entry({ id: `e${index}`, groupKey: `g${index}`, title: `Title ${index}`, ranges });
    });
    const html = render({ entries: entriesOf(entries) });
    const parts = [html, ...[...assets.values()].map((asset) => asset.body)];
    expect(parts.reduce((sum, part) => sum + gzipSync(part).length, 0)).toBeLessThan(60_000);
  });
});

describe('Entry', () => {
  test('offers what can be done in its state', () => {
    const partly = renderEntry({});
    expect(partly).toContain('action="/entries/e1/fetch"');
    expect(partly).toContain('action="/entries/e1/remove"');
    expect(partly).toContain('Remove 16.0 MB');
    expect(partly).toContain('Playable from the start to 12 %');
    const queued = renderEntry({ fetchQueued: true });
    expect(queued).toContain('action="/entries/e1/stop"');
    expect(queued).not.toContain('/fetch"');
    const whole = renderEntry({ cachedBytes: 100e6, ranges: [[0, 100e6]] });
    expect(whole).not.toMatch(/\/(fetch|stop)"/);
    expect(whole).toContain('Playable from the start to the end');
    const empty = renderEntry({ cachedBytes: 0, ranges: [] });
    expect(empty).not.toContain('/remove"');
  });

  test('says what it is in a word', () => {
    expect(renderEntry({})).toContain('>partly<');
    expect(renderEntry({ cachedBytes: 0, ranges: [] })).toContain('>empty<');
    expect(renderEntry({ cachedBytes: 100e6, ranges: [[0, 100e6]] })).toContain('>whole<');
    expect(renderEntry({ sizeBytes: null })).toContain('>partly<');
  });
});

describe('Entry at its origin and on this disk', () => {
  test('a pinned entry says so and can be unpinned, and any can be checked', () => {
    const loose = renderEntry({});
    expect(loose).toContain('action="/entries/e1/pin"');
    expect(loose).toContain('action="/entries/e1/recheck"');
    expect(loose).not.toContain('>pinned<');
    const pinned = renderEntry({ pinned: true });
    expect(pinned).toContain('action="/entries/e1/unpin"');
    expect(pinned).toMatch(/>\s*pinned\s*</);
    expect(pinned).not.toContain('entries/e1/pin"');
  });

  test('one that is gone at its origin says since when and why', () => {
    const missing = { sinceMs: nowMs - 840_000, reason: 'the origin answered 404 Not Found' };
    const text = renderEntry({ missing }).replace(/<[^>]*>/g, '');
    expect(text).toContain(
      'Not at its origin since 11:50 UTC (14 min): the origin answered 404 Not Found; what is kept plays on.',
    );
  });
});

test('an entry that is larger than the whole cache says so as long as nothing of it is here', () => {
  expect(renderEntry({ tooLarge: true, cachedBytes: 0, ranges: [] })).toContain('Larger than the whole cache');
  expect(renderEntry({ tooLarge: true })).toContain('Playable from the start to 12 %');
});

describe('ProblemPage', () => {
  test('says what happened and what to do, and keeps hostile text as text', () => {
    const html = renderPage(
      <ProblemPage
        page={context()}
        status={421}
        title={hostile}
        whatHappened="The name is not allowed"
        whatToDo={['Allow it']}
        snippet="LARDER_ALLOWED_HOSTS=nas"
      />,
    );
    expect(html).toStartWith('<!doctype html>');
    for (const text of ['The name is not allowed', 'Allow it', 'LARDER_ALLOWED_HOSTS=nas', '421']) {
      expect(html).toContain(text);
    }
    expect(html).not.toContain('<img src=x');
    expect(html).not.toContain('hx-sse:connect');
  });
});
