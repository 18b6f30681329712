import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { type PlaylistPage, writeItem, writePlaylist } from '../../../src/library/playlist.ts';

async function collect(parts: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const part of parts) text += part;
  return text;
}

test('writePlaylist() reads page by page and keeps the order', async () => {
  const pages: Record<string, PlaylistPage> = {
    first: {
      items: [{ title: 'One', group: 'films', address: 'http://nas/s/films/1.mkv', durationSeconds: 61.4 }],
      next: 'b',
    },
    b: { items: [], next: 'c' },
    c: {
      items: [{ title: 'Two', group: 'films', address: 'http://nas/s/films/2.mkv', durationSeconds: null }],
      next: null,
    },
  };
  const asked: (string | null)[] = [];
  const text = await collect(
    writePlaylist('Larder', (cursor) => {
      asked.push(cursor);
      return Promise.resolve(pages[cursor ?? 'first']!);
    }),
  );
  expect(asked).toEqual([null, 'b', 'c']);
  expect(text).toBe(`#EXTM3U
#PLAYLIST:Larder
#EXTINF:61 group-title="films",One
http://nas/s/films/1.mkv
#EXTINF:-1 group-title="films",Two
http://nas/s/films/2.mkv
`);
});

test('writeItem() is two lines whatever a title holds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (title, group) => {
      const written = writeItem({ title, group, address: 'http://nas/a', durationSeconds: null });
      expect(written.split(/[\n\r\u0085\u2028\u2029]/u).length).toBe(3);
      expect(written.split('\n')[1]).toBe('http://nas/a');
      expect(written.split('"').length).toBeGreaterThanOrEqual(3);
    }),
  );
});
