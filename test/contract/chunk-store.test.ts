import { describe, expect, test } from 'bun:test';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileChunkStore } from '../../src/chunks/file-chunk-store.ts';
import { RecentReads } from '../../src/chunks/recent-reads.ts';
import { contentOf } from '../support/content.ts';
import { MemoryChunkStore } from '../support/memory-chunk-store.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { chunkStoreContract } from './chunk-store.contract.ts';

chunkStoreContract('FileChunkStore', async () => {
  const folder = await temporaryFolder();
  return {
    store: new FileChunkStore(folder.file('chunks')),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
});

// The double that crash tests trust keeps the same promises.
chunkStoreContract('MemoryChunkStore', () =>
  Promise.resolve({ store: new MemoryChunkStore(), [Symbol.asyncDispose]: () => Promise.resolve() }),
);

describe('FileChunkStore', () => {
  test('readAgain() gives at once what read() brought before, and nothing else', async () => {
    await using folder = await temporaryFolder();
    const store = new FileChunkStore(
      folder.file('chunks'),
      RecentReads.ofThisMachine(() => performance.now()),
    );
    const content = contentOf(5, 0, 200_000);
    const writer = await store.openWriter('films/A-1.mkv', true);
    writer.write(content, 0);
    await writer.close();
    const reader = await store.openReader('films/A-1.mkv');
    const buffer = new Uint8Array(50_000);
    expect(reader.readAgain(buffer, 10_000)).toBe(0);
    expect(await reader.read(buffer, 10_000)).toBe(50_000);
    expect(reader.readAgain(buffer.fill(0), 10_000)).toBe(50_000);
    expect(Buffer.compare(buffer, content.subarray(10_000, 60_000))).toBe(0);
    expect(reader.readAgain(buffer, 140_000)).toBe(0);
    await reader.close();
    expect(reader.readAgain(buffer, 10_000)).toBe(0);
  });

  test('openWriter() makes folders 0700 and files 0600 when they are new', async () => {
    await using folder = await temporaryFolder();
    const store = new FileChunkStore(folder.file('chunks'));
    const writer = await store.openWriter('films/A-1.mkv', true);
    await writer.close();
    await store.writeLabel('films/A-1.mkv', 'label');
    const modes = await Promise.all(
      ['chunks', 'chunks/films', 'chunks/films/A-1.mkv', 'chunks/films/A-1.mkv.larder.json'].map((name) =>
        stat(folder.file(name)),
      ),
    );
    expect(modes.map((found) => (found.mode & 0o777).toString(8))).toEqual(['700', '700', '600', '600']);
  });

  test('write() leaves holes unallocated when it writes far into a file', async () => {
    await using folder = await temporaryFolder();
    const store = new FileChunkStore(folder.file('chunks'));
    const writer = await store.openWriter('films/A-1.mkv', true);
    const offset = 2 ** 32 + 5;
    writer.write(contentOf(1, offset, offset + 10), offset);
    await writer.sync();
    await writer.close();
    const found = await stat(folder.file('chunks/films/A-1.mkv'));
    expect(found.size).toBe(offset + 10);
    expect(found.blocks * 512).toBeLessThan(1024 * 1024);
  });

  test('openWriter() refuses a name that leads out of its folder, and makes nothing', async () => {
    await using folder = await temporaryFolder();
    const store = new FileChunkStore(folder.file('chunks'));
    for (const name of ['../outside', 'films/../../outside', '..', '.', '']) {
      await expect((async () => store.openWriter(name, true))()).rejects.toThrow('outside the store');
    }
    expect(await readdir(folder.path)).toEqual([]);
  });

  test('list() passes over what is no chunk file when strangers lie in the folder', async () => {
    await using folder = await temporaryFolder();
    const store = new FileChunkStore(folder.file('chunks'));
    await (await store.openWriter('films/A-1.mkv', true)).close();
    await writeFile(join(folder.file('chunks'), 'readme.txt'), 'x');
    const names: string[] = [];
    for await (const name of store.list()) names.push(name);
    expect(names).toEqual(['films/A-1.mkv']);
  });
});

describe('MemoryChunkStore', () => {
  test('crash() forgets what was written and not synced', async () => {
    const store = new MemoryChunkStore();
    const writer = await store.openWriter('a/b', true);
    writer.write(contentOf(1, 0, 100), 0);
    await writer.sync();
    writer.write(contentOf(1, 100, 200), 100);
    store.crash();
    expect(await store.findLength('a/b')).toBe(100);
    (await store.openWriter('a/c', true)).write(new Uint8Array(5), 0);
    store.crash();
    expect(await store.findLength('a/c')).toBeNull();
  });
});
