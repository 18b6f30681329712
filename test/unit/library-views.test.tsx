// The library and an item as markup: nothing hostile gets through, nothing needs more than the policy allows, every
// address has the base path, and each state offers what can be done in it.
import { describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { assets } from '../../src/web/assets.ts';
import type { PageContext } from '../../views/page-context.ts';
import { ItemHistory, ItemPage } from '../../views/pages/item.tsx';
import { LibraryPage, type LibraryPageProps } from '../../views/pages/library.tsx';
import { SelectionPage } from '../../views/pages/library-selection.tsx';
import { Dropped } from '../../views/parts/dropped.tsx';
import type { EncodingProps } from '../../views/parts/encoding-words.ts';
import { ItemPlay } from '../../views/parts/item-play.tsx';
import {
  describePlayable,
  ItemQuality,
  type ItemQualityProps,
  type KeptProps,
} from '../../views/parts/item-quality.tsx';
import { Jobs } from '../../views/parts/jobs.tsx';
import { type LibraryQueryProps, libraryPath } from '../../views/parts/library-filter.tsx';
import { type ItemProps, LibraryItem } from '../../views/parts/library-item.tsx';
import { renderFragment, renderPage } from '../../views/render.ts';
import { HOSTILE_TEXT, PAGE_NOW_MS, pageContext } from '../support/page-context.ts';

const nowMs = PAGE_NOW_MS;
const hostile = HOSTILE_TEXT;
const libraryContext = (change: Partial<PageContext> = {}) => pageContext({ path: '/library', ...change });

const viewer = { name: 'guest', role: 'viewer', shortcuts: true } as const;

const chosen: LibraryQueryProps = {
  query: '',
  source: null,
  type: null,
  availability: null,
  unreachable: false,
  pinned: false,
  sort: 'used',
  view: 'list',
};

function item(change: Partial<ItemProps> = {}): ItemProps {
  return {
    id: 1,
    title: 'Night Train',
    year: 2023,
    source: 'films',
    type: 'video',
    qualities: ['1080p'],
    sizeBytes: 100e6,
    cachedBytes: 16e6,
    availability: 'partly',
    pinned: false,
    unreachable: false,
    lastPlayedAtMs: nowMs - 600_000,
    isPlayed: false,
    droppedEntryIds: [],
    numbering: null,
    belongsTo: null,
    holds: null,
    durationMs: null,
    posterPath: null,
    ...change,
  };
}

function library(change: Partial<LibraryPageProps> = {}): string {
  const { page = libraryContext(), items = [item()] } = change;
  const regions = Object.fromEntries(items.map((one) => [`item-${one.id}`, <LibraryItem page={page} item={one} />]));
  return renderPage(
    <LibraryPage
      page={page}
      notice={null}
      chosen={chosen}
      facets={{
        sources: [{ name: 'films', count: 1 }],
        types: [{ name: 'video', count: 1 }],
        availabilities: { whole: 0, partly: 1, none: 0 },
        unreachable: 0,
        pinned: 0,
      }}
      items={items}
      total={items.length}
      isCut={false}
      isFirstPage
      next={null}
      sourceNames={['films']}
      searchable={[]}
      regions={regions}
      {...change}
    />,
  );
}

function kept(change: Partial<KeptProps> = {}): KeptProps {
  return {
    entryId: 7,
    cachedBytes: 16e6,
    isComplete: false,
    ranges: [
      [0, 12e6],
      [40e6, 44e6],
    ],
    inFlight: [],
    gaps: [
      [12e6, 40e6],
      [44e6, 100e6],
    ],
    gapCount: 2,
    isFetched: false,
    readerPositions: [],
    download: null,
    pinned: false,
    durationMs: null,
    lastPlayedAtMs: nowMs,
    fetchedSinceMs: nowMs,
    checkedAtMs: null,
    verifiedAtMs: nowMs,
    etag: null,
    lastModified: null,
    missing: null,
    isTooLarge: false,
    ...change,
  };
}

function encoding(change: Partial<EncodingProps> = {}): EncodingProps {
  return {
    width: null,
    height: null,
    bitrate: null,
    videoCodec: null,
    audioCodec: null,
    container: 'mkv',
    delivery: 'file',
    seekable: null,
    ...change,
  };
}

function quality(change: Partial<ItemQualityProps> = {}): ItemQualityProps {
  return {
    itemId: 1,
    title: 'Night Train',
    quality: '1080p',
    encoding: encoding(),
    refusal: null,
    unlistedSinceMs: null,
    sizeBytes: 100e6,
    kept: kept(),
    dropped: null,
    ...change,
  };
}

function renderQuality(change: Partial<ItemQualityProps> = {}, page = libraryContext()): string {
  return renderFragment(<ItemQuality page={page} quality={quality(change)} />);
}

function itemPage(title: string, page = libraryContext({ path: '/items/1' })): string {
  const own = quality({
    title,
    quality: title,
    kept: kept({ etag: title, missing: { sinceMs: nowMs, reason: title } }),
  });
  return renderPage(
    <ItemPage
      page={page}
      notice={{ tone: 'failed', text: title, hint: title }}
      title={title}
      year={2023}
      type="video"
      source={title}
      addedAtMs={nowMs}
      numbering={title}
      durationMs={6_000_000}
      overview={title}
      posterPath={`/s/${encodeURIComponent(title)}`}
      above={[{ id: 2, title }]}
      qualityCount={1}
      subtitles={[
        { number: 1, label: title, language: title, format: 'vtt', path: `/s/${encodeURIComponent(title)}` },
        { number: 2, label: title, language: title, format: title, path: `/s/${encodeURIComponent(title)}` },
      ]}
      below={null}
      alsoAt={[{ id: 3, title, source: title }]}
      plays={[
        {
          delivery: 'file',
          quality: title,
          address: `http://nas/s/${title}`,
          streamPath: `/s/${title}`,
          playlistPath: '/items/1/play.m3u',
        },
      ]}
      regions={{
        jobs: (
          <Jobs
            page={page}
            jobs={[
              {
                id: 'a1',
                action: 'verify',
                state: 'running',
                title,
                itemCount: 2,
                itemsDone: 1,
                bytesDone: 5e6,
                damagedBytes: 0,
                failureCount: 1,
                failures: [{ mediaId: 1, title, message: title, hint: title }],
                canRestore: false,
              },
            ]}
          />
        ),
        'quality-0': <ItemQuality page={page} quality={own} />,
        history: (
          <ItemHistory page={page} events={[{ id: 1, atMs: nowMs, quality: title, text: title, severity: 'info' }]} />
        ),
      }}
    />,
  );
}

function hostilePages(): string[] {
  const page = libraryContext();
  const dropped = {
    count: 1,
    entries: [{ entryId: 1, mediaId: 1, title: hostile, quality: hostile, bytes: 1, leftMs: 1 }],
  };
  return [
    library({
      items: [
        item({
          title: hostile,
          source: hostile,
          type: hostile,
          qualities: [hostile],
          droppedEntryIds: [3],
          numbering: hostile,
          belongsTo: { id: 2, title: hostile },
        }),
      ],
      chosen: { ...chosen, query: hostile, source: hostile },
      next: hostile,
      page: libraryContext({ path: `/library?q=${hostile}` }),
    }),
    itemPage(hostile),
    renderPage(
      <SelectionPage
        page={page}
        back={`/library?q=${hostile}`}
        itemCount={3}
        entryCount={3}
        cachedBytes={1}
        missingBytes={1}
        unknownCount={1}
        isCut
        fit={{ kind: 'replaces', bytes: 5e6 }}
        filterWords={hostile}
        titles={[hostile]}
        fields={[['q', hostile]]}
      />,
    ),
    `${renderFragment(<Dropped page={page} dropped={dropped} />)}<script src="x"></script>`,
  ];
}

describe('library and item pages', () => {
  test('hostile titles, names and addresses stay text, and nothing needs more than the policy allows', () => {
    for (const html of hostilePages()) {
      expect(html).not.toContain('<img src=x');
      expect(html).not.toContain('<script>');
      expect(html).not.toContain('<hx-partial');
      expect(html).not.toContain('</template>');
      expect(html.match(/<script /g)).toHaveLength(1);
      expect(html).not.toMatch(/<[^>]*\sstyle=/);
      expect(html).not.toMatch(/<[^>]*\shx-on/);
      expect(html).not.toMatch(/<style/);
      expect(html).not.toContain('js:');
    }
  });

  test('every address has the base path in front', () => {
    const page = libraryContext({ basePath: '/a/b', serverAddress: 'http://nas/a/b' });
    const pages = [library({ page, next: 'y=', isFirstPage: false }), itemPage('Film', { ...page, path: '/items/1' })];
    for (const html of pages) {
      const addresses = [...html.matchAll(/ (?:href|src|action|hx-post|hx-get|hx-sse:connect)="([^"]*)"/g)].map(
        ([, at]) => at,
      );
      expect(addresses.length).toBeGreaterThan(12);
      for (const address of addresses) expect(address).toMatch(/^(\/a\/b\/|#main$)/);
    }
  });

  test('who only watches is offered nothing that changes anything', () => {
    const page = libraryContext({ visitor: viewer });
    for (const html of [library({ page }), itemPage('Film', page)]) {
      expect(
        [...html.matchAll(/<form[^>]*method="post"[^>]*action="([^"]*)"/g)].map(([, at]) => at),
      ).not.toContainEqual(expect.stringMatching(/entries|items|library/));
      expect(html).not.toContain('type="checkbox" form=');
    }
  });

  test('the first load of 50 items stays under 60 kB compressed', () => {
    const items = Array.from({ length: 50 }, (_, index) => item({ id: index + 1, title: `Title ${index}` }));
    const parts = [library({ items }), ...[...assets.values()].map((asset) => asset.body)];
    expect(parts.reduce((sum, part) => sum + gzipSync(part).length, 0)).toBeLessThan(60_000);
  });

  test('an empty library teaches; a filter that finds nothing can be cleared; many matches are said to be many', () => {
    expect(library({ items: [], total: 0 })).toContain('Nothing is kept yet');
    const none = library({ items: [], total: 0, chosen: { ...chosen, query: 'zzz' } });
    expect(none).toContain('Nothing matches');
    expect(none).toContain('href="/library"');
    expect(library({ isCut: true, total: 1_000 })).toContain('More than 1,000 items');
  });

  test('libraryPath() says only what was chosen', () => {
    expect(libraryPath(chosen)).toBe('/library');
    expect(
      libraryPath({ ...chosen, query: 'a b', availability: 'whole', pinned: true, sort: 'size', view: 'grid' }),
    ).toBe('/library?q=a+b&availability=whole&pinned=1&sort=size&view=grid');
  });
});

describe('LibraryItem', () => {
  function text(change: Partial<ItemProps>): string {
    return renderFragment(<LibraryItem page={libraryContext()} item={item(change)} />).replaceAll(/<[^>]*>/g, ' ');
  }

  test('says what is here in words and bytes, and what is not known', () => {
    expect(text({})).toContain('16.0 MB of 100 MB');
    expect(text({ availability: 'whole', cachedBytes: 100e6 })).toMatch(/whole\s+100 MB/);
    expect(text({ availability: 'none', cachedBytes: 0 })).toMatch(/not here\s+100 MB/);
    expect(text({ availability: 'none', cachedBytes: 0, sizeBytes: null })).toContain('size unknown');
    expect(text({ sizeBytes: null })).toContain('16.0 MB of unknown');
    expect(text({ pinned: true, unreachable: true })).toMatch(/pinned\s+unreachable/);
    expect(text({ lastPlayedAtMs: null })).toContain('Never played');
    expect(text({ droppedEntryIds: [5] })).toContain('Bring back');
  });
});

describe('items of a catalogue', () => {
  const fragment = (change: Partial<ItemProps>) =>
    renderFragment(<LibraryItem page={libraryContext({ basePath: '/a' })} item={item(change)} />);

  test('say what they hold in place of bytes, or what they belong to', () => {
    const series = fragment({ type: 'series', qualities: [], holds: [{ type: 'season', count: 3 }] });
    expect(series).toContain('3 seasons');
    expect(series).not.toMatch(/not here|size unknown|Never played|kept-bar/);
    expect(fragment({ type: 'album', holds: [] })).toContain('nothing known of it yet');
    const episode = fragment({ type: 'episode', numbering: 'S01E02', belongsTo: { id: 7, title: 'Tidewatch' } });
    expect(episode.replaceAll(/<[^>]*>/g, '')).toContain('S01E02 of Tidewatch · films');
    expect(episode).toContain('href="/a/items/7"');
    const many = fragment({ qualities: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] });
    expect(many).toContain('a, b, c, d, e, f and 2 more');
  });

  test('show pictures in the grid alone, each with its place, and a word where one has none', () => {
    const items = [item({ id: 1, posterPath: '/stream/home/a/~poster/x.jpg', type: 'album' }), item({ id: 2 })];
    const grid = library({ items, chosen: { ...chosen, view: 'grid' } });
    expect(grid.match(/<img[^>]*~poster[^>]*>/g)).toEqual([
      '<img src="/stream/home/a/~poster/x.jpg" alt="" width="200" height="200" loading="lazy" decoding="async" data-word="Album"/>',
    ]);
    expect(grid.match(/class="poster /g)).toHaveLength(2);
    expect(library({ items })).not.toContain('~poster');
    expect(library({ chosen: { ...chosen, view: 'grid' } })).not.toContain('class="poster');
  });
});

describe('ItemPlay', () => {
  const page = libraryContext();
  const play = (quality: string, delivery: 'auto' | 'file' | 'hls' = 'file') => ({
    quality,
    delivery,
    address: `http://nas/${quality}`,
    streamPath: `/${quality}`,
    playlistPath: `/items/1/play.m3u?quality=${quality}`,
  });
  const text = (plays: readonly ReturnType<typeof play>[], type = 'movie') =>
    renderFragment(<ItemPlay page={page} title="Film" type={type} plays={plays} subtitles={[]} />);

  test('offers first what chooses, folds away what is many, and plays here what browsers can', () => {
    const auto = text([play('auto', 'auto'), play('original'), play('720p'), play('480p')]);
    expect(auto).toMatch(/Auto<\/span>.*Larder chooses.*original.*2 more addresses.*720p/s);
    expect(auto).toContain('<video controls="" preload="none" src="/auto"');
    expect(text([play('original')])).not.toContain('class="quality"');
    expect(text([play('720p', 'hls')])).not.toContain('<video');
    expect(text([play('original')], 'track')).toContain('<audio');
    expect(text([play('original')], 'file')).not.toMatch(/<audio|<video/);
    expect(text([])).toBe('');
  });
});

describe('ItemQuality of a catalogue', () => {
  test('says what it is, and why it cannot be played', () => {
    const facts = encoding({ width: 1280, height: 720, delivery: 'growing', seekable: false });
    expect(renderQuality({ encoding: facts })).toContain('1280 × 720, MKV, converted as it comes');
    expect(renderQuality({ encoding: facts })).toContain('everywhere once all of it has been converted');
    const refused = renderQuality({ kept: null, refusal: 'it is a torrent' });
    expect(refused).toContain('It cannot be played through Larder: It is a torrent.');
    expect(refused).not.toContain('<form');
    expect(renderQuality({ refusal: 'it is a torrent' })).toContain('gives no more of it: It is a torrent.');
    const playlist = renderQuality({ kept: null, encoding: encoding({ delivery: 'hls' }) });
    expect(playlist).toContain('a playlist of pieces');
    expect(playlist).toContain('/items/1/fetch"');
    expect(renderQuality({ kept: null, unlistedSinceMs: nowMs - 840_000 })).toContain(
      'does not name it any more since',
    );
  });

  test('offers what can be done in its state', () => {
    const partly = renderQuality();
    for (const verb of ['pin', 'recheck', 'verify', 'fetch', 'drop'])
      expect(partly).toContain(`action="/entries/7/${verb}"`);
    expect(partly).toContain('Drop 16.0 MB');
    const queued = renderQuality({
      kept: kept({
        download: {
          state: 'queued',
          isResting: false,
          attempts: 2,
          nextAttemptAt: nowMs + 600_000,
          error: 'attic answered 500',
        },
      }),
    });
    expect(queued).toContain('It is tried again in 10 min.');
    expect(queued).toContain('Attic answered 500.</span> Tried in vain 2 times.');
    expect(queued).toContain('/entries/7/stop"');
    expect(queued).not.toContain('/entries/7/fetch"');
    const givenUp = renderQuality({
      kept: kept({
        download: { state: 'failed', isResting: false, attempts: 1, nextAttemptAt: null, error: 'it has no such file' },
      }),
    });
    expect(givenUp).toContain('Given up');
    expect(givenUp).toContain('/entries/7/fetch"');
    const whole = renderQuality({
      kept: kept({ isComplete: true, cachedBytes: 100e6, ranges: [[0, 100e6]], gapCount: 0, gaps: [] }),
    });
    expect(whole).not.toMatch(/\/(fetch|stop)"/);
    expect(whole).toContain('Plays from the start to the end');
    const pinned = renderQuality({ kept: kept({ pinned: true }) });
    expect(pinned).toContain('/entries/7/unpin"');
    expect(pinned).toMatch(/>\s*pinned\s*</);
    const empty = renderQuality({ kept: kept({ cachedBytes: 0, ranges: [] }) });
    expect(empty).not.toMatch(/\/(drop|verify)"/);
    const untouched = renderQuality({ kept: null });
    expect(untouched).toContain('action="/items/1/fetch"');
    const dropped = renderQuality({ kept: null, dropped: { entryId: 7, bytes: 16e6, leftMs: 540_000 } });
    expect(dropped).toContain('can be brought back for 9 min');
    expect(dropped).toContain('/entries/7/restore"');
    expect(renderQuality({}, libraryContext({ visitor: viewer }))).not.toContain('<form');
  });

  test('says how far it plays: in minutes where its length is known, else in bytes', () => {
    const facts = { ranges: kept().ranges, isComplete: false, isTooLarge: false };
    expect(describePlayable(100e6, { ...facts, durationMs: 6_000_000 })).toBe(
      'Playable from the start for about 12 min of 1 h 40 min',
    );
    expect(describePlayable(100e6, { ...facts, durationMs: null })).toBe('The first 12.0 MB play without the source');
    expect(describePlayable(null, { ...facts, durationMs: null })).toBe('The first 12.0 MB play without the source');
    const behind = { ...facts, ranges: [[5, 9]] as const, durationMs: null };
    expect(describePlayable(100e6, behind)).toBe('Not playable from the start without the source');
    expect(describePlayable(100e6, { ...behind, ranges: [], isTooLarge: true })).toContain(
      'Larger than the whole cache',
    );
  });

  test('one that is gone at its origin says since when and why; what is not known is said to be unknown', () => {
    const missing = { sinceMs: nowMs - 840_000, reason: 'the origin answered 404 Not Found' };
    const text = renderQuality({ kept: kept({ missing }) }).replaceAll(/<[^>]*>/g, '');
    expect(text).toContain(
      'Not at its origin since 11:50 UTC (14 min): the origin answered 404 Not Found; what is kept plays on.',
    );
    const unknown = renderQuality({ sizeBytes: null, kept: kept({ gaps: [], gapCount: 0 }) });
    expect(unknown).toContain('unknown');
    expect(unknown).not.toMatch(/NaN|Infinity|undefined|∞/);
  });
});

test('sources that can be searched are offered when words were typed, by name or by number', () => {
  const shown = (query: string, searchable: readonly string[]) => library({ chosen: { ...chosen, query }, searchable });
  expect(shown('winter', ['attic', 'add-on'])).toContain('Search attic and add-on too');
  expect(shown('winter', ['a', 'b', 'c', 'd'])).toContain('Search 4 sources too');
  expect(shown('', ['attic'])).not.toContain('Search attic');
  expect(shown('winter', [])).not.toContain('/library/ask');
});
