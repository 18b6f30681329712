// Faults that a review found, each held here so that it cannot come back.
import { expect, test } from 'bun:test';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FakeClock, turnLoop } from '../support/fake-clock.ts';
import { startOrigin } from '../support/origin.ts';
import { inProcessThread } from './in-process-thread.ts';
import { RawConnection, rawRequest } from './raw-client.ts';
import { startLarder } from './running-larder.ts';

const MB = 1_000_000;

async function removeChunkFiles(dataFolder: string): Promise<void> {
  const folder = join(dataFolder, 'chunks', 'films');
  for (const name of await readdir(folder)) await rm(join(folder, name));
}

async function storedBytes(dataFolder: string): Promise<number> {
  const folder = join(dataFolder, 'chunks', 'films');
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

for (const [what, ranges] of [
  ['and one beyond the gap is known', ['bytes=0-999999', 'bytes=25000000-25999999']],
  ['and the file was shorter than the gap', ['bytes=0-999999']],
] as const) {
  test(`a chunk file that is deleted while Larder runs serves no zeros: ${what}`, async () => {
    await using origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: 30 * MB } } });
    await using larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
    for (const range of ranges) await rawRequest(larder.port, '/s/films/film.mkv', { Range: range });
    await removeChunkFiles(larder.dataFolder);
    const gap = await rawRequest(larder.port, '/s/films/film.mkv', { Range: 'bytes=10000000-10999999' });
    expect([gap.status, gap.isWhole]).toEqual([206, true]);
    origin.assertBody('film.mkv', gap.body, 10 * MB);
    const start = await rawRequest(larder.port, '/s/films/film.mkv', { Range: 'bytes=0-999999' });
    origin.assertBody('film.mkv', start.body);
    await larder.restart();
    const whole = await rawRequest(larder.port, '/s/films/film.mkv');
    expect(whole.isWhole).toBe(true);
    origin.assertBody('film.mkv', whole.body);
  }, 20_000);
}

test('a chunk file that is deleted under a running fetch: what that fetch still writes is never served as holes', async () => {
  await using origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: 6 * MB } } });
  await using larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  await rawRequest(larder.port, '/s/films/film.mkv', {}, 'HEAD');
  origin.behave('film.mkv', { stallAfterBytes: 2 * MB, times: 1 });
  await rawRequest(larder.port, '/entries/1/fetch', { ...larder.owner.headers, 'Content-Length': '0' }, 'POST');
  await origin.until(() => origin.bytesSent('film.mkv') > 2 * MB);
  // What was sent is written a moment later, by another thread.
  while ((await storedBytes(larder.dataFolder)) < 2 * MB) await turnLoop();
  await removeChunkFiles(larder.dataFolder);
  const first = await rawRequest(larder.port, '/s/films/film.mkv', { Range: 'bytes=0-99999' });
  expect([first.status, first.isWhole]).toEqual([206, true]);
  origin.assertBody('film.mkv', first.body);
  origin.release('film.mkv');
  await origin.until(() => origin.openCount('film.mkv') === 0);
  for (const restart of [false, true]) {
    if (restart) await larder.restart();
    const whole = await rawRequest(larder.port, '/s/films/film.mkv');
    expect(whole.isWhole).toBe(true);
    origin.assertBody('film.mkv', whole.body);
  }
});

test('an origin that hides the total: a part never passes for the whole file', async () => {
  await using origin = await startOrigin({
    files: {
      'bounded.bin': { sizeBytes: 3 * MB },
      'capped.bin': { sizeBytes: 3 * MB },
      'suffix.bin': { sizeBytes: 3 * MB },
    },
  });
  await using larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  origin.behave('bounded.bin', { hideTotal: true });
  origin.behave('capped.bin', { hideTotal: true, partBytesMax: 700_000 });
  origin.behave('suffix.bin', { hideTotal: true });
  const first = await rawRequest(larder.port, '/s/films/bounded.bin', { Range: 'bytes=0-999' });
  origin.assertBody('bounded.bin', first.body);
  for (const name of ['bounded.bin', 'capped.bin']) {
    const whole = await rawRequest(larder.port, `/s/films/${name}`);
    expect([name, whole.isWhole, whole.body.length]).toEqual([name, true, 3 * MB]);
    origin.assertBody(name, whole.body);
  }
  const last = await rawRequest(larder.port, '/s/films/suffix.bin', { Range: 'bytes=-500' });
  origin.assertBody('suffix.bin', last.body, 3 * MB - 500);
});

test('invariant 3: an origin without validators cannot mix two versions in one response', async () => {
  const file = { sizeBytes: 9 * MB, etag: null, lastModified: null };
  await using origin = await startOrigin({ files: { 'film.mkv': file, 'same.mkv': file } });
  await using larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  for (const name of ['film.mkv', 'same.mkv']) {
    await rawRequest(larder.port, `/s/films/${name}`, { Range: 'bytes=0-3999999' });
  }
  origin.change('film.mkv');
  const cut = await rawRequest(larder.port, '/s/films/film.mkv');
  expect(cut.isWhole).toBe(false);
  const whole = await rawRequest(larder.port, '/s/films/film.mkv');
  expect(whole.isWhole).toBe(true);
  origin.assertBody('film.mkv', whole.body);
  // Unchanged bytes are known by their sample and not fetched again.
  origin.assertBody('same.mkv', (await rawRequest(larder.port, '/s/films/same.mkv')).body);
  expect(origin.bytesSent('same.mkv')).toBeLessThan(9 * MB + 100_000);
});

test('more cached files than may idle can be opened in the same moment', async () => {
  const names = Array.from({ length: 150 }, (_, index) => `${index}.bin`);
  await using origin = await startOrigin({
    files: Object.fromEntries(names.map((name) => [name, { sizeBytes: 100 }])),
  });
  await using larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  for (const name of names) await rawRequest(larder.port, `/s/films/${name}`);
  const responses = await Promise.all(names.map((name) => rawRequest(larder.port, `/s/films/${name}`)));
  expect(responses.filter((response) => response.status !== 200)).toEqual([]);
}, 30_000); // 150 files are synced to a disk that others use as well

test('Retry-After: 0 does not make a hot loop of read-ahead', async () => {
  await using origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: 200 * MB } } });
  const clock = new FakeClock();
  const startThread = (role: 'download' | 'upkeep') => inProcessThread(role, clock);
  await using larder = await startLarder({ args: ['--source', `films=${origin.url}`], clock, startThread });
  using player = await RawConnection.open(larder.port);
  origin.behave('film.mkv', { cutAfterBytes: 12 * MB, times: 1 });
  player.send('GET', '/s/films/film.mkv');
  await player.readHead();
  await player.readBytes(2 * MB);
  player.pause();
  origin.behave('film.mkv', { status: 503, headers: { 'Retry-After': '0' } });
  const before = origin.requests.length;
  await clock.run(60_000, 10);
  expect(origin.requests.length - before).toBeLessThan(40);
});

test('a download whose origin is silent can be called off, and does not hold up the stop', async () => {
  await using origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: 5 * MB, etag: '"a"' } } });
  await using larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  await rawRequest(larder.port, '/s/films/film.mkv', { Range: 'bytes=0-99' });
  // The version changes: the entry has no current generation, so that a download has to open it at the origin.
  origin.change('film.mkv', 6 * MB);
  await rawRequest(larder.port, '/s/films/film.mkv', { Range: 'bytes=1000-1099' }).catch(() => null);
  origin.change('film.mkv', 7 * MB);
  origin.behave('film.mkv', { stallBeforeHead: true });
  using reader = await RawConnection.open(larder.port);
  reader.send('GET', '/s/films/film.mkv', { Range: 'bytes=2000-2099' });
  await rawRequest(larder.port, '/entries/1/fetch', { ...larder.owner.headers, 'Content-Length': '0' }, 'POST');
  await origin.until(() => origin.openCount('film.mkv') > 0);
  reader.socket.destroy();
  await rawRequest(larder.port, '/entries/1/stop', { ...larder.owner.headers, 'Content-Length': '0' }, 'POST');
  await origin.until(() => origin.openCount('film.mkv') === 0);
  await rawRequest(larder.port, '/entries/1/fetch', { ...larder.owner.headers, 'Content-Length': '0' }, 'POST');
  await origin.until(() => origin.openCount('film.mkv') > 0);
  await larder.stop();
  expect(origin.openCount('film.mkv')).toBe(0);
});

test('streams that come through a proxy are not taken for the home network', async () => {
  await using origin = await startOrigin({ files: { 'a.bin': { sizeBytes: 10 } } });
  await using larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  const forwarded = { 'X-Forwarded-For': '203.0.113.9' };
  const refused = await rawRequest(larder.port, '/s/films/a.bin', forwarded);
  expect(refused.status).toBe(401);
  expect(refused.header('x-content-type-options')).toBe('nosniff');
  await larder.restart(['--source', `films=${origin.url}`, '--stream-access', 'all']);
  expect((await rawRequest(larder.port, '/s/films/a.bin', forwarded)).status).toBe(200);
});

test('a request line with the whole address is understood (RFC 9112 §3.2.2)', async () => {
  await using origin = await startOrigin({ files: { 'a.bin': { sizeBytes: 10 } } });
  await using larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  const response = await rawRequest(larder.port, `http://localhost:${larder.port}/s/films/a.bin`);
  origin.assertBody('a.bin', response.body);
});
