import { expect, test } from 'bun:test';
import { EVERYTHING } from '../../../src/library/item-filter.ts';
import type { ItemQuery, LibraryItem } from '../../../src/library/library.ts';
import { LibraryPlaylist } from '../../../src/library/library-playlist.ts';

type Quality = LibraryItem['qualities'][number];

function quality(path: string, cachedBytes: number | null, details: Partial<Quality> = {}): Quality {
  return { path, cachedBytes, totalBytes: 100, removedAt: null, refusal: null, ...details } as Quality;
}

function item(mediaId: number, title: string, qualities: Quality[], year: number | null = null): LibraryItem {
  return { mediaId, title, year, source: 'my films', qualities } as unknown as LibraryItem;
}

function playlistOf(pages: LibraryItem[][]) {
  const asked: ItemQuery[] = [];
  const playlist = new LibraryPlaylist({
    library: {
      search: (query) => {
        asked.push(query);
        const items = pages[asked.length - 1]!;
        const next =
          asked.length < pages.length ? { key: items.at(-1)!.title, mediaId: items.at(-1)!.mediaId, facet: 0 } : null;
        return Promise.resolve({ items, next, total: 0, isCut: false });
      },
    },
  });
  return { playlist, asked };
}

async function read(parts: AsyncIterable<string>): Promise<string[]> {
  let text = '';
  for await (const part of parts) text += part;
  return text.split('\n');
}

test('a playlist takes the quality that is whole, page by page, and asks where each is', async () => {
  const { playlist, asked } = playlistOf([
    [item(1, 'One', [quality('a/One #1.mkv', 40), quality('One.480p.mkv', 100)], 2020)],
    [item(2, 'Two', [quality('Two?.mkv', 100)]), item(3, 'Dropped', [quality('x.mkv', 100, { removedAt: 5 })])],
  ]);
  const lines = await read(
    playlist.write({ ...EVERYTHING, availability: 'whole' }, (source, path) => `${source} | ${path}`),
  );
  expect(lines.slice(2, -1)).toEqual([
    '#EXTINF:-1 group-title="my films",One (2020)',
    'my films | One.480p.mkv',
    '#EXTINF:-1 group-title="my films",Two',
    'my films | Two?.mkv',
  ]);
  expect(asked.map(({ cursor, sort }) => [cursor?.mediaId ?? null, sort])).toEqual([
    [null, 'title'],
    [1, 'title'],
  ]);
});

test('a playlist of everything takes the best quality where none is whole', async () => {
  const { playlist } = playlistOf([[item(1, 'One', [quality('a.mkv', 40), quality('b.mkv', null)])]]);
  expect(await read(playlist.write(EVERYTHING, (_, path) => path))).toContain('a.mkv');
});
