// Sources are asked for words: what they find, what they do not say, and how long that is waited for.
import { describe, expect, test } from 'bun:test';
import { SourceSearch } from '../../../src/library/source-search.ts';
import { SOURCE_SEARCH_MS } from '../../../src/limits.ts';
import type { CataloguePage } from '../../../src/sources/catalogue-source.ts';
import type { MediaSource } from '../../../src/sources/media-source.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const film = {
  mediaKey: 'tt1',
  quality: 'original',
  type: 'movie',
  title: 'One',
  year: null,
  path: 'One/tt1:original',
};
const found = {
  items: [{ ...film, container: null, sizeBytes: null, stamp: null }],
  folders: [],
  media: [
    { key: 's1', type: 'series' },
    { key: 'x', type: 'season' },
  ],
} as unknown as CataloguePage;

function setUp() {
  const clock = new FakeClock();
  const put: number[] = [];
  const asked: string[] = [];
  const source = (id: number, name: string, search?: MediaSource['search']) => ({ id, name, search }) as MediaSource;
  const never = (_: string, signal: AbortSignal) =>
    new Promise<CataloguePage>((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('late'))));
  const search = new SourceSearch({
    sources: () => [
      source(1, 'films'),
      source(2, 'add-on', async (words) => {
        asked.push(words);
        return found;
      }),
      source(3, 'broken', async () => Promise.reject(new Error('it is down'))),
      source(4, 'slow', never),
    ],
    catalogue: { putPage: async (sourceId) => void put.push(sourceId) },
    findMediaId: async (_, key) => ({ tt1: 11, s1: 12 })[key] ?? null,
    clock,
  });
  return { search, clock, put, asked };
}

describe('SourceSearch', () => {
  test('tells what each source found, and why another said nothing', async () => {
    const { search, clock, put, asked } = setUp();
    const searching = search.search(' one ', null);
    await clock.run(SOURCE_SEARCH_MS);
    expect(await searching).toEqual([
      { source: 'add-on', mediaIds: [12, 11], error: null },
      { source: 'broken', mediaIds: [], error: 'it is down' },
      { source: 'slow', mediaIds: [], error: `it did not answer within ${SOURCE_SEARCH_MS / 1_000} s` },
    ]);
    expect([put, asked]).toEqual([[2], ['one']]);
    expect(search.searchable()).toEqual(['add-on', 'broken', 'slow']);
  });

  test('asks one source only when it is named, and says when that cannot be searched', async () => {
    const { search } = setUp();
    expect((await search.search('one', 'add-on')).map(({ source }) => source)).toEqual(['add-on']);
    for (const [words, name] of [
      ['one', 'films'],
      ['one', 'nobody'],
      ['  ', null],
      ['x'.repeat(201), null],
    ] as const) {
      expect(search.search(words, name)).rejects.toMatchObject({ code: 'invalid' });
    }
  });

  test('searches the sources for a few people at a time', async () => {
    const { search, clock } = setUp();
    const searching = Array.from({ length: 4 }, (_, index) => search.search(`one ${index}`, null));
    expect(search.search('another', null)).rejects.toMatchObject({ code: 'overloaded' });
    await clock.run(SOURCE_SEARCH_MS);
    await Promise.all(searching);
    expect(await search.search('another', 'add-on')).toHaveLength(1);
  });
});
