// Stop and start at any time: what was recorded is served without the origin, and files and rows agree again.
import { expect, test } from 'bun:test';
import { readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startOrigin } from '../support/origin.ts';
import { RawConnection, rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

/** Below the length from which on the ends of a film are fetched early: bytes are counted exactly. */
const SIZE = 7_000_000;

async function chunkFiles(larder: RunningLarder): Promise<string[]> {
  const folder = join(larder.dataFolder, 'chunks');
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const isChunkFile = (name: string) => !name.endsWith('.larder.json');
  return names
    .filter((entry) => entry.isFile() && isChunkFile(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

test('what was recorded is served after a restart with the origin down', async () => {
  await using origin = await startOrigin({ files: { 'a film.mkv': { sizeBytes: SIZE } } });
  await using larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  const first = await rawRequest(larder.port, '/s/films/a%20film.mkv');
  await larder.stop();
  await origin.goDown();
  // The source was declared by the first start and is known by its row.
  await larder.restart([]);
  const second = await rawRequest(larder.port, '/s/films/a%20film.mkv');
  expect(second.header('x-cache')).toBe('HIT');
  expect(second.header('etag')).toBe(first.header('etag')!);
  expect(second.isWhole).toBe(true);
  origin.assertBody('a film.mkv', second.body);
});

test('a stop in the middle of a fetch keeps what came, and the rest follows after the start', async () => {
  await using origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: SIZE } } });
  origin.behave('film.mkv', { bytesPerSecond: 4_000_000, times: 1 });
  await using larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  const connection = await RawConnection.open(larder.port);
  connection.send('GET', '/s/films/film.mkv');
  await connection.readHead();
  await connection.readBytes(2_000_000);
  await larder.restart();
  const before = origin.bytesSent('film.mkv');
  const kept = await rawRequest(larder.port, '/s/films/film.mkv', { Range: 'bytes=0-1999999' });
  expect(kept.header('x-cache')).toBe('HIT');
  expect(origin.bytesSent('film.mkv')).toBe(before);
  const whole = await rawRequest(larder.port, '/s/films/film.mkv');
  expect(whole.header('x-cache')).toBe('PARTIAL');
  origin.assertBody('film.mkv', whole.body);
});

test('invariant 8: files without rows are removed, rows without files are corrected', async () => {
  await using origin = await startOrigin({
    files: { 'gone.mkv': { sizeBytes: SIZE }, 'short.mkv': { sizeBytes: SIZE }, 'good.mkv': { sizeBytes: SIZE } },
  });
  await using larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  for (const name of ['gone', 'short', 'good']) await rawRequest(larder.port, `/s/films/${name}.mkv`);
  await larder.stop();
  const files = await chunkFiles(larder);
  await rm(files.find((file) => file.includes('gone'))!);
  await truncate(files.find((file) => file.includes('short'))!, 3_000_000);
  const orphan = join(larder.dataFolder, 'chunks', 'films', 'orphan-0123456789ab.mkv');
  await writeFile(orphan, 'nobody names this');
  await larder.restart();
  for (const name of ['gone', 'short', 'good']) {
    const response = await rawRequest(larder.port, `/s/films/${name}.mkv`);
    expect([name, response.status, response.isWhole]).toEqual([name, 200, true]);
    origin.assertBody(`${name}.mkv`, response.body);
  }
  await larder.stop(); // waits for the comparison of files and rows
  expect(await stat(orphan).catch(() => null)).toBeNull();
  expect((await chunkFiles(larder)).length).toBe(3);
  expect(origin.bytesSent('good.mkv')).toBe(SIZE);
  expect(origin.bytesSent('short.mkv')).toBeLessThan(2 * SIZE);
});

test('a chunk file that is deleted while Larder runs costs a fetch, not an error', async () => {
  await using origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: SIZE } } });
  await using larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  await rawRequest(larder.port, '/s/films/film.mkv');
  await larder.restart();
  for (const file of await chunkFiles(larder)) await rm(file);
  const response = await rawRequest(larder.port, '/s/films/film.mkv');
  expect(response.isWhole).toBe(true);
  origin.assertBody('film.mkv', response.body);
});

test('chunk files are readable for a person and for nobody else', async () => {
  await using origin = await startOrigin({ files: { 'Ünïcode/Some Film (2020).mkv': { sizeBytes: 1000 } } });
  await using larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  await rawRequest(larder.port, '/s/films/%C3%9Cn%C3%AFcode/Some%20Film%20(2020).mkv');
  const [file] = await chunkFiles(larder);
  expect(file).toMatch(/chunks\/films\/Some Film \(2020\)-[0-9a-f]{12}\.mkv$/);
  expect((await stat(file!)).mode & 0o777).toBe(0o600);
  expect((await stat(join(larder.dataFolder, 'chunks'))).mode & 0o777).toBe(0o700);
});
