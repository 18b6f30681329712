// Readers that are slow, that leave, that are many.
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { RawConnection, rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

let origin: TestOrigin;
let larder: RunningLarder;

beforeAll(async () => {
  origin = await startOrigin();
  larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
});

afterAll(async () => {
  await larder[Symbol.asyncDispose]();
  await origin.stop();
});

test('a reader that leaves frees its work at once (invariant 5)', async () => {
  origin.addFile('leave.bin', { sizeBytes: 50_000_000 });
  origin.behave('leave.bin', { bytesPerSecond: 1_000_000 });
  const connection = await RawConnection.open(larder.port);
  connection.send('GET', '/s/films/leave.bin');
  await connection.readHead();
  await connection.readBytes(50_000);
  expect(origin.openCount('leave.bin')).toBe(1);
  const leftAtMs = performance.now();
  connection.socket.destroy();
  await origin.until(() => origin.openCount('leave.bin') === 0);
  expect(performance.now() - leftAtMs).toBeLessThan(1_000);
  // What it brought is kept.
  const again = await rawRequest(larder.port, '/s/films/leave.bin', { Range: 'bytes=0-9999' });
  expect(again.header('x-cache')).toBe('HIT');
  origin.assertBody('leave.bin', again.body);
});

test('a reader that leaves before the first byte frees its work', async () => {
  origin.addFile('early.bin', { sizeBytes: 1_000_000 });
  origin.behave('early.bin', { stallBeforeHead: true });
  const connection = await RawConnection.open(larder.port);
  connection.send('GET', '/s/films/early.bin');
  await origin.until(() => origin.openCount('early.bin') === 1);
  connection.socket.destroy();
  await origin.until(() => origin.openCount('early.bin') === 0);
});

test('a reader whose file the origin has said nothing of yet is listed as waiting, and can be stopped', async () => {
  origin.addFile('Mute Film (2020).mkv', { sizeBytes: 1_000_000 });
  origin.behave('Mute Film (2020).mkv', { stallBeforeHead: true });
  const connection = await RawConnection.open(larder.port);
  connection.send('GET', '/s/films/Mute%20Film%20(2020).mkv', { 'User-Agent': 'VLC/3.0.20 LibVLC/3.0.20' });
  const read = async (path: string) =>
    JSON.parse(Buffer.from((await rawRequest(larder.port, path, larder.owner.headers)).body).toString());
  let [listed] = (await read('/api/v1/readers')).items;
  while (listed === undefined) [listed] = (await read('/api/v1/readers')).items;
  expect(listed).toMatchObject({ title: 'Mute Film (2020)', player: 'VLC 3.0.20', servedBytes: 0 });
  expect(listed.waiting).toMatchObject({ kind: 'first-byte', source: 'films', attempt: 1 });
  expect((await read('/api/v1/status')).readers).toEqual({ open: 1, waiting: 1 });
  const headers = { ...larder.owner.headers, 'Content-Length': '0' };
  await rawRequest(larder.port, `/activity/${listed.id}/stop`, headers, 'POST');
  await origin.until(() => origin.openCount('Mute Film (2020).mkv') === 0);
  while ((await read('/api/v1/readers')).items.length > 0);
  connection.socket.destroy();
});

test('one of two readers that leaves does not disturb the other', async () => {
  origin.addFile('pair.bin', { sizeBytes: 2_000_000 });
  origin.behave('pair.bin', { bytesPerSecond: 4_000_000 });
  const leaving = await RawConnection.open(larder.port);
  leaving.send('GET', '/s/films/pair.bin');
  await leaving.readHead();
  const staying = rawRequest(larder.port, '/s/films/pair.bin');
  await leaving.readBytes(100_000);
  leaving.socket.destroy();
  const response = await staying;
  expect(response.isWhole).toBe(true);
  origin.assertBody('pair.bin', response.body);
  expect(origin.bytesSent('pair.bin')).toBe(2_000_000);
});

test('a reader that pauses is not cut, and holds the origin back (bounded read-ahead)', async () => {
  const sizeBytes = 200_000_000;
  origin.addFile('slow.bin', { sizeBytes });
  const connection = await RawConnection.open(larder.port);
  connection.send('GET', '/s/films/slow.bin');
  await connection.readHead();
  await connection.readBytes(10_000_000);
  connection.pause();
  let sent = -1;
  // Until nothing more comes from the origin: socket buffers and read-ahead are full.
  for (let quiet = 0; quiet < 20; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    quiet = origin.bytesSent('slow.bin') === sent ? quiet + 1 : 0;
    sent = origin.bytesSent('slow.bin');
  }
  expect(sent).toBeLessThan(sizeBytes);
  connection.resume();
  const more = await connection.readBytes(5_000_000);
  origin.assertBody('slow.bin', more, 10_000_000);
  connection.socket.destroy();
  await origin.until(() => origin.openCount('slow.bin') === 0);
});

test('a bounded range fetches nothing behind its end', async () => {
  origin.addFile('probe.mkv', { sizeBytes: 100_000_000 });
  for (const [first, last] of [
    [0, 4095],
    [50_000_000, 50_004_095],
  ]) {
    await rawRequest(larder.port, '/s/films/probe.mkv', { Range: `bytes=${first}-${last}` });
  }
  await origin.until(() => origin.openCount('probe.mkv') === 0);
  expect(origin.bytesSent('probe.mkv')).toBe(2 * 4096);
});

test('a dropped seek costs the origin little', async () => {
  origin.addFile('seek.mkv', { sizeBytes: 1_000_000_000 });
  origin.behave('seek.mkv', { latencyMs: 80, bytesPerSecond: 5_000_000 });
  const connection = await RawConnection.open(larder.port);
  connection.send('GET', '/s/films/seek.mkv', { Range: 'bytes=500000000-' });
  await connection.readHead();
  await connection.readBytes(262_144);
  connection.socket.destroy();
  await origin.until(() => origin.openCount('seek.mkv') === 0);
  expect(origin.bytesSent('seek.mkv')).toBeLessThan(1_000_000);
});

test('at most three requests run at one source, and the most urgent goes first', async () => {
  const names = Array.from({ length: 6 }, (_, index) => `many-${index}.bin`);
  for (const name of names) {
    origin.addFile(name, { sizeBytes: 100_000 });
    origin.behave(name, { stallBeforeHead: true });
  }
  const open = () => names.reduce((sum, name) => sum + origin.openCount(name), 0);
  const responses = names.map((name) => rawRequest(larder.port, `/s/films/${name}`));
  await origin.until(() => open() === 3);
  let most = 0;
  for (const name of names) {
    await origin.until(() => origin.openCount(name) === 1);
    most = Math.max(most, open());
    origin.release(name);
  }
  for (const [index, response] of responses.entries()) origin.assertBody(names[index]!, (await response).body);
  expect(most).toBe(3);
});

test('requests that are cut at once leave nothing behind', async () => {
  origin.addFile('cut.bin', { sizeBytes: 5_000_000 });
  for (let round = 0; round < 10; round++) {
    const connections = await Promise.all(Array.from({ length: 30 }, () => RawConnection.open(larder.port)));
    for (const [index, connection] of connections.entries()) {
      connection.send('GET', '/s/films/cut.bin', { Range: `bytes=${index * 100_000}-` });
    }
    for (const connection of connections) connection.socket.destroy();
  }
  await origin.until(() => origin.openCount('cut.bin') === 0);
  const response = await rawRequest(larder.port, '/s/films/cut.bin');
  origin.assertBody('cut.bin', response.body);
  expect(larder.log.filter((line) => line.includes('level=error'))).toEqual([]);
});
