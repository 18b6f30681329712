// The download queue under failing origins, on a clock that the test turns.
import { expect, test } from 'bun:test';
import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { FakeClock, turnLoop } from '../support/fake-clock.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { inProcessThread } from './in-process-thread.ts';
import { RawConnection, rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

const SIZE = 3_000_000;

async function startOnFakeClock(origin: TestOrigin): Promise<{ larder: RunningLarder; clock: FakeClock }> {
  const clock = new FakeClock();
  const args = ['--source', `films=${origin.url}`];
  return {
    larder: await startLarder({
      args,
      clock,
      startThread: (role: 'download' | 'upkeep') => inProcessThread(role, clock),
    }),
    clock,
  };
}

async function turnUntil(clock: FakeClock, condition: () => boolean, limitMs: number): Promise<void> {
  for (let turned = 0; !condition(); turned += 250) {
    if (turned > limitMs) throw new Error(`it did not become so within ${limitMs} ms`);
    // Many turns: what a disk has to do takes its time, whatever this clock says.
    await clock.run(250, 200);
  }
}

async function fetchRest(larder: RunningLarder): Promise<void> {
  await rawRequest(larder.port, '/s/films/film.bin', { Range: 'bytes=0-99' });
  await rawRequest(larder.port, '/entries/1/fetch', { ...larder.owner.headers, 'Content-Length': '0' }, 'POST');
}

test('a download that fails is tried again later, and goes on where it was', async () => {
  await using origin = await startOrigin({ files: { 'film.bin': { sizeBytes: SIZE } } });
  const { larder, clock } = await startOnFakeClock(origin);
  await using _ = larder;
  await rawRequest(larder.port, '/s/films/film.bin', { Range: 'bytes=0-99' });
  origin.behave('film.bin', { status: 500 });
  await rawRequest(larder.port, '/entries/1/fetch', { ...larder.owner.headers, 'Content-Length': '0' }, 'POST');
  await turnUntil(clock, () => larder.log.some((line) => line.includes('will be tried again')), 60_000);
  // The page of activity says so, and so does the API.
  const read = async (path: string) =>
    Buffer.from((await rawRequest(larder.port, path, larder.owner.headers)).body)
      .toString()
      .replaceAll(/<[^>]*>/g, ' ')
      .replaceAll(/\s+/g, ' ');
  expect(await read('/activity')).toMatch(
    /To be fetched 1 .*3\.00 MB to come.*Not fetched yet .*500.*Tried in vain 1 time\./,
  );
  const { download } = JSON.parse(await read('/api/v1/entries/1'));
  expect(download).toMatchObject({ state: 'queued', attempts: 1 });
  expect(download.nextAttemptAt).toBeGreaterThan(clock.nowMs());
  const asked = origin.requests.length;
  // Not at once: a failing origin is left alone for a while.
  await clock.run(10_000, 2);
  expect(origin.requests.length).toBe(asked);
  origin.behave('film.bin', null);
  await turnUntil(clock, () => larder.log.some((line) => line.includes('an entry is whole')), 240_000);
  const whole = await rawRequest(larder.port, '/s/films/film.bin');
  expect(whole.header('x-cache')).toBe('HIT');
  origin.assertBody('film.bin', whole.body);
});

test('a download whose file is gone is given up, and says so', async () => {
  await using origin = await startOrigin({ files: { 'film.bin': { sizeBytes: SIZE } } });
  const { larder, clock } = await startOnFakeClock(origin);
  await using _ = larder;
  await rawRequest(larder.port, '/s/films/film.bin', { Range: 'bytes=0-99' });
  origin.behave('film.bin', { status: 404 });
  await rawRequest(larder.port, '/entries/1/fetch', { ...larder.owner.headers, 'Content-Length': '0' }, 'POST');
  await turnUntil(clock, () => larder.log.some((line) => line.includes('a download was given up')), 60_000);
  const asked = origin.requests.length;
  await clock.run(7_200_000, 2);
  expect(origin.requests.length).toBe(asked);
});

test('a download that is stopped gives up its fetch and keeps what came', async () => {
  await using origin = await startOrigin({ files: { 'film.bin': { sizeBytes: SIZE } } });
  await using larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  await rawRequest(larder.port, '/s/films/film.bin', { Range: 'bytes=0-99' });
  origin.behave('film.bin', { stallAfterBytes: 1_000_000 });
  await rawRequest(larder.port, '/entries/1/fetch', { ...larder.owner.headers, 'Content-Length': '0' }, 'POST');
  await origin.until(() => origin.bytesSent('film.bin') > 1_000_000);
  // What was sent has also come when a reader was given it.
  await rawRequest(larder.port, '/s/films/film.bin', { Range: 'bytes=0-499999' });
  await rawRequest(larder.port, '/entries/1/stop', { ...larder.owner.headers, 'Content-Length': '0' }, 'POST');
  await origin.until(() => origin.openCount('film.bin') === 0);
  const kept = await rawRequest(larder.port, '/s/films/film.bin', { Range: 'bytes=0-499999' });
  expect(kept.header('x-cache')).toBe('HIT');
});

test('a download that rests for somebody who plays says so, and goes on when they are gone', async () => {
  await using origin = await startOrigin({
    files: { 'film.bin': { sizeBytes: SIZE }, 'played.bin': { sizeBytes: SIZE } },
  });
  const { larder, clock } = await startOnFakeClock(origin);
  await using _ = larder;
  const { headers } = larder.owner;
  const textOf = async (path: string) => Buffer.from((await rawRequest(larder.port, path, headers)).body).toString();
  const download = async () => JSON.parse(await textOf('/api/v1/entries/1')).download;
  origin.behave('film.bin', { stallAfterBytes: 500_000 });
  await fetchRest(larder);
  await origin.until(() => origin.bytesSent('film.bin') >= 500_000);
  expect(await download()).toMatchObject({ state: 'running', resting: false });
  expect(await textOf('/activity')).not.toContain('Resting');

  origin.behave('played.bin', { stallAfterBytes: 200_000 });
  const player = await RawConnection.open(larder.port);
  player.send('GET', '/s/films/played.bin');
  await origin.until(() => origin.bytesSent('played.bin') >= 200_000);
  await turnUntil(clock, () => origin.openCount('film.bin') === 0, 10_000);
  expect(await download()).toMatchObject({ state: 'running', resting: true });
  const page = await textOf('/activity');
  expect(page).toContain('Resting</span> Somebody plays from this source and gets too little');
  expect(page).toContain('somebody who plays from films and gets too little');

  player.socket.destroy();
  await origin.until(() => origin.openCount('played.bin') === 0);
  await turnUntil(clock, () => origin.openCount('film.bin') === 1, 10_000);
  expect(await download()).toMatchObject({ state: 'running', resting: false });
});

test('all that is to be fetched is called off with one press', async () => {
  await using origin = await startOrigin();
  await using larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  for (let entry = 1; entry <= 4; entry++) {
    origin.addFile(`${entry}.bin`, { sizeBytes: SIZE });
    await rawRequest(larder.port, `/s/films/${entry}.bin`, { Range: 'bytes=0-99' });
    origin.behave(`${entry}.bin`, { stallAfterBytes: 500_000 });
    const headers = { ...larder.owner.headers, 'Content-Length': '0' };
    await rawRequest(larder.port, `/entries/${entry}/fetch`, headers, 'POST');
  }
  await origin.until(() => origin.openCount('1.bin') + origin.openCount('2.bin') === 2);
  await rawRequest(larder.port, '/activity/wishes/cancel', { ...larder.owner.headers, 'Content-Length': '0' }, 'POST');
  await origin.until(() => origin.openCount('1.bin') + origin.openCount('2.bin') === 0);
  const page = Buffer.from((await rawRequest(larder.port, '/activity', larder.owner.headers)).body).toString();
  expect(page).not.toContain('Cancel all');
});

test('a download that a restart interrupts goes on by itself', async () => {
  await using origin = await startOrigin({ files: { 'film.bin': { sizeBytes: SIZE } } });
  await using larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
  origin.behave('film.bin', { stallAfterBytes: 500_000, times: 2 });
  await fetchRest(larder);
  await origin.until(() => origin.bytesSent('film.bin') > 500_000);
  await larder.restart();
  await origin.until(() => origin.bytesSent('film.bin') >= SIZE);
  const whole = await rawRequest(larder.port, '/s/films/film.bin');
  origin.assertBody('film.bin', whole.body);
});

test('the database log is moved by the upkeep thread when it has grown, and counters are written down', async () => {
  await using origin = await startOrigin();
  const clock = new FakeClock();
  const upkeepThreads: Worker[] = [];
  const startThread = (role: 'download' | 'upkeep') => {
    if (role === 'download') return inProcessThread(role, clock);
    const workerData = { role, addonFile: null };
    upkeepThreads.push(new Worker(new URL('../../src/worker.ts', import.meta.url), { workerData }));
    return upkeepThreads[0]!;
  };
  await using larder = await startLarder({ args: ['--source', `films=${origin.url}`], clock, startThread });
  const count = 300;
  for (let index = 0; index < count; index++) {
    origin.addFile(`${index}.bin`, { sizeBytes: 10 });
    await rawRequest(larder.port, `/s/films/${index}.bin`);
  }
  const log = `${larder.dataFolder}/larder.db-wal`;
  expect((await stat(log)).size).toBeGreaterThan(4_000_000);
  await clock.run(61_000, 5);
  while (upkeepThreads.length === 0) await turnLoop();
  await new Promise((resolve) => upkeepThreads[0]!.once('exit', resolve));
  // The next writes begin the log anew instead of growing it.
  const size = (await stat(log)).size;
  origin.addFile('after.bin', { sizeBytes: 10 });
  await rawRequest(larder.port, '/s/films/after.bin');
  expect((await stat(log)).size).toBe(size);
  await larder.restart();
  const page = Buffer.from((await rawRequest(larder.port, '/', larder.owner.headers)).body).toString();
  expect(page).toContain(`of ${(((count + 1) * 10) / 1000).toFixed(2)} kB came from the disk in the last 24 hours`);
}, 30_000);
