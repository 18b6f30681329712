// The disk of the chunks becomes read-only while Larder runs, and writable again. (The database keeps its file open for
// writing, so that the system refuses to make its disk read-only under it: that it refuses rows is tested with a full
// disk, which refuses them in the same way.)
import { expect, test } from 'bun:test';
import { mkdir } from 'node:fs/promises';
import { startOrigin } from '../support/origin.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { rawRequest } from './raw-client.ts';
import { startLarder } from './running-larder.ts';
import { canMount, eventsOf, hurriedClock, MB, smallDisk, until, Viewer } from './small-machine.ts';

test.skipIf(!canMount)(
  'a disk that becomes read-only: what is cached is served, the rest passes by, it is said once, and caching goes on when it is writable',
  async () => {
    await using folder = await temporaryFolder();
    await mkdir(folder.file('chunks'), { mode: 0o700 });
    await using disk = await smallDisk(64, folder.file('chunks'));
    await using origin = await startOrigin({
      files: { 'old.mkv': { sizeBytes: 3 * MB }, 'half.mkv': { sizeBytes: 3 * MB }, 'new.mkv': { sizeBytes: 3 * MB } },
    });
    const args = ['--data', folder.path, '--source', `films=${origin.url}`];
    await using larder = await startLarder({ args, clock: hurriedClock });
    const get = async (name: string, headers: Record<string, string> = {}) => {
      const response = await rawRequest(larder.port, `/s/films/${name}.mkv`, headers);
      expect([name, response.isWhole]).toEqual([name, true]);
      origin.assertBody(`${name}.mkv`, response.body);
      return response.header('x-cache');
    };
    await get('old');
    await get('half', { Range: `bytes=0-${1 * MB - 1}` });
    await until('nothing is written any more', () => disk.remount('ro'));
    expect(await get('old')).toBe('HIT');
    expect(await get('half')).toBe('PARTIAL');
    expect(await get('new')).toMatch(/MISS|BYPASS/);
    expect(await get('new')).toBe('BYPASS');
    const told = larder.log.filter((line) => line.includes('the disk refuses bytes'));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/EROFS/);
    expect(told[0]).toContain('mount it for writing');
    expect(await eventsOf(folder.path, 'disk-refused')).toHaveLength(1);
    // A reader that is in the middle of its film when the disk is well again.
    origin.addFile('long.mkv', { sizeBytes: 40 * MB });
    using viewer = await Viewer.open(larder.port, '/s/films/long.mkv', (bytes, offset) =>
      origin.assertBody('long.mkv', bytes, offset),
    );
    expect(viewer.head.header('x-cache')).toBe('BYPASS');
    await viewer.take(1 * MB);
    viewer.connection.pause();
    expect(disk.remount('rw')).toBe(true);
    await until('it is well again', () => larder.log.some((line) => line.includes('the disk takes bytes again')));
    viewer.connection.resume();
    expect(await viewer.takeRest()).toBe(true);
    const end = await rawRequest(larder.port, '/s/films/long.mkv', { Range: `bytes=${39 * MB}-` });
    expect(end.header('x-cache')).toBe('HIT');
    origin.assertBody('long.mkv', end.body, 39 * MB);
    for (const name of ['half', 'new']) await until(`${name} is cached`, async () => (await get(name)) === 'HIT');
    expect(await eventsOf(folder.path, 'disk-refused')).toHaveLength(1);
    expect(await eventsOf(folder.path, 'disk-well')).toHaveLength(1);
    await origin.goDown();
    await larder.restart(['--data', folder.path]);
    for (const name of ['old', 'half', 'new']) expect([name, await get(name)]).toEqual([name, 'HIT']);
  },
  30_000,
);
