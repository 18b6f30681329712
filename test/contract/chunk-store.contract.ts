// What every ChunkStore must do, whatever it is made of.
import { describe, expect, test } from 'bun:test';
import type { ChunkStore } from '../../src/chunks/chunk-store.ts';
import { chunkFileName } from '../../src/chunks/file-name.ts';
import { systemCode } from '../../src/errors.ts';
import { assertContent, contentOf } from '../support/content.ts';

export interface StoreUnderTest extends AsyncDisposable {
  readonly store: ChunkStore;
}

const SEED = 11;
const NAME = 'films/Film-0a1b.mkv';

async function fill(
  store: ChunkStore,
  fileName: string,
  ranges: readonly (readonly [number, number])[],
): Promise<void> {
  const writer = await store.openWriter(fileName, true);
  for (const [start, end] of ranges) writer.write(contentOf(SEED, start, end), start);
  await writer.sync();
  await writer.close();
}

async function read(store: ChunkStore, fileName: string, start: number, length: number): Promise<Uint8Array> {
  const reader = await store.openReader(fileName);
  try {
    const buffer = new Uint8Array(length).fill(0xee);
    const count = await reader.read(buffer, start);
    return buffer.subarray(0, count);
  } finally {
    await reader.close();
  }
}

async function namesOf(store: ChunkStore): Promise<string[]> {
  const names: string[] = [];
  for await (const name of store.list()) names.push(name);
  return names.sort();
}

export function chunkStoreContract(name: string, create: () => Promise<StoreUnderTest>): void {
  describe(`${name} as a ChunkStore`, () => {
    test('openReader() gives the bytes at their offsets when they were written in any order', async () => {
      await using under = await create();
      await fill(under.store, NAME, [
        [700_000, 900_000],
        [0, 100_000],
        [100_000, 350_000],
      ]);
      assertContent(await read(under.store, NAME, 0, 350_000), SEED, 0);
      assertContent(await read(under.store, NAME, 700_001, 199_999), SEED, 700_001);
    });

    test('openReader() sees what a writer wrote before it is synced when both are open', async () => {
      await using under = await create();
      const writer = await under.store.openWriter(NAME, true);
      writer.write(contentOf(SEED, 0, 1_000), 0);
      const reader = await under.store.openReader(NAME);
      writer.write(contentOf(SEED, 1_000, 2_000), 1_000);
      const buffer = new Uint8Array(2_000);
      expect(await reader.read(buffer, 0)).toBe(2_000);
      assertContent(buffer, SEED, 0);
      expect(reader.readRecent(buffer.fill(0), 0)).toBe(2_000);
      assertContent(buffer, SEED, 0);
      expect(reader.readRecent(buffer, 2_000)).toBe(0);
      await reader.close();
      await writer.close();
    });

    test('read() gives fewer bytes at the end and 0 past it when the file is shorter', async () => {
      await using under = await create();
      await fill(under.store, NAME, [[0, 1_000]]);
      expect((await read(under.store, NAME, 900, 500)).length).toBe(100);
      expect((await read(under.store, NAME, 1_000, 500)).length).toBe(0);
      expect((await read(under.store, NAME, 2 ** 33, 500)).length).toBe(0);
    });

    test('openWriter() keeps what is there when the file exists', async () => {
      await using under = await create();
      await fill(under.store, NAME, [[0, 1_000]]);
      await fill(under.store, NAME, [[1_000, 1_500]]);
      assertContent(await read(under.store, NAME, 0, 1_500), SEED, 0);
      expect(await under.store.findLength(NAME)).toBe(1_500);
    });

    test('openWriter() lets two writers fill different parts when both are open', async () => {
      await using under = await create();
      const [left, right] = [await under.store.openWriter(NAME, true), await under.store.openWriter(NAME, true)];
      right.write(contentOf(SEED, 5_000, 6_000), 5_000);
      left.write(contentOf(SEED, 0, 5_000), 0);
      await Promise.all([left.sync(), right.sync()]);
      await Promise.all([left.close(), right.close()]);
      assertContent(await read(under.store, NAME, 0, 6_000), SEED, 0);
    });

    test('openReader() fails with ENOENT when there is no such file', async () => {
      await using under = await create();
      const error = await under.store.openReader(NAME).catch((thrown: unknown) => thrown);
      expect(systemCode(error)).toBe('ENOENT');
    });

    test('findLength() is null when there is no such file and the end of the last byte when there is', async () => {
      await using under = await create();
      expect(await under.store.findLength(NAME)).toBeNull();
      await fill(under.store, NAME, [[5_000, 5_001]]);
      expect(await under.store.findLength(NAME)).toBe(5_001);
    });

    test('remove() takes one file and is content when it is not there', async () => {
      await using under = await create();
      await fill(under.store, NAME, [[0, 10]]);
      await fill(under.store, 'films/Other-1.mkv', [[0, 10]]);
      await under.store.remove(NAME);
      await under.store.remove(NAME);
      await under.store.remove('nowhere/None-1.mkv');
      expect(await namesOf(under.store)).toEqual(['films/Other-1.mkv']);
    });

    test('list() names every file of every source when there are several, and none at the start', async () => {
      await using under = await create();
      expect(await namesOf(under.store)).toEqual([]);
      const names = ['films/A-1.mkv', 'films/B-2.mkv', 'music/C-3.flac'];
      for (const fileName of names) await fill(under.store, fileName, [[0, 1]]);
      expect(await namesOf(under.store)).toEqual(names);
    });

    test('openWriter() takes any name that chunkFileName() makes when paths are strange', async () => {
      await using under = await create();
      const paths = [
        '../../etc/passwd',
        'a/..',
        '.hidden',
        'x'.repeat(600),
        '映画/ﷺ.mkv',
        'a\u0000b',
        '-rf *.mkv',
        ' . .mp4',
      ];
      for (const [index, path] of paths.entries()) {
        const fileName = chunkFileName('films', path, `id${index}`);
        await fill(under.store, fileName, [[index, index + 10]]);
        assertContent(await read(under.store, fileName, index, 10), SEED, index);
      }
      expect((await namesOf(under.store)).length).toBe(paths.length);
    });
  });
}
