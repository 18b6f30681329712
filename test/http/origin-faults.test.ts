// Failing origins as a player sees them: all the right bytes, a status and a reason, or a cut connection; never a wrong
// byte, never a short body that looks whole (CONTRACT.md, stream promise 9; DESIGN.md §5, invariants 3, 4 and 9).
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { FakeClock, turnLoop } from '../support/fake-clock.ts';
import { type OriginBehaviour, startOrigin, type TestOrigin } from '../support/origin.ts';
import { inProcessThread } from './in-process-thread.ts';
import { RawConnection, rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

const SIZE = 3_000_000;

let origin: TestOrigin;
let larder: RunningLarder;
let fileCount = 0;

function newFile(behaviour: OriginBehaviour | null, name = 'film.bin'): { path: string; address: string } {
  const path = `${++fileCount}-${name}`;
  origin.addFile(path, { sizeBytes: SIZE });
  if (behaviour !== null) origin.behave(path, behaviour);
  return { path, address: `/s/films/${path}` };
}

beforeAll(async () => {
  origin = await startOrigin();
  larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
});

afterAll(async () => {
  await larder[Symbol.asyncDispose]();
  await origin.stop();
});

describe('faults that a reader does not notice', () => {
  const faults: [what: string, behaviour: OriginBehaviour][] = [
    ['reset in mid-body', { cutAfterBytes: 1_234_567, times: 1 }],
    ['reset in mid-body twice', { cutAfterBytes: 400_000, times: 2 }],
    ['reset before the first byte', { cutAfterBytes: 0, times: 1 }],
    ['500 once', { status: 500, times: 1 }],
    ['503 once', { status: 503, times: 1 }],
    ['parts shorter than asked', { partBytesMax: 700_000 }],
  ];
  for (const [what, behaviour] of faults) {
    test(`${what}: all the bytes, and they are right`, async () => {
      const { path, address } = newFile(behaviour);
      const response = await rawRequest(larder.port, address);
      expect(response.status).toBe(200);
      expect(response.isWhole).toBe(true);
      origin.assertBody(path, response.body);
    });
  }

  test('an origin that ignores ranges from some time on is read from its start', async () => {
    const { path, address } = newFile(null);
    await rawRequest(larder.port, address, { Range: 'bytes=0-99999' });
    origin.behave(path, { ranges: 'ignored' });
    const response = await rawRequest(larder.port, address, { Range: 'bytes=2000000-2000099' });
    expect(response.status).toBe(206);
    origin.assertBody(path, response.body, 2_000_000);
  });
});

describe('faults that end in a status and a reason', () => {
  const faults: [what: string, behaviour: OriginBehaviour, status: number, reason: RegExp][] = [
    ['404', { status: 404 }, 404, /404/],
    ['410', { status: 410 }, 410, /410/],
    ['401', { status: 401 }, 502, /401[\s\S]*credentials/],
    ['403', { status: 403 }, 502, /403[\s\S]*credentials/],
    ['400', { status: 400 }, 502, /400/],
    ['500 for good', { status: 500 }, 502, /500/],
    ['429 with Retry-After', { status: 429, headers: { 'Retry-After': '120' } }, 429, /429/],
    ['503 with Retry-After', { status: 503, headers: { 'Retry-After': '90' } }, 503, /503/],
    ['a 206 that begins elsewhere', { shiftBytes: 7 }, 502, /does not begin at/],
    ['a 206 without a usable Content-Range', { contentRange: 'bytes x-y/z' }, 502, /does not say/],
    ['a gzipped body', { gzip: true }, 502, /gzip/],
  ];
  for (const [what, behaviour, status, reason] of faults) {
    test(`${what}: ${status}`, async () => {
      // A source of its own: a pause that the origin asked for concerns the whole source.
      await using own = await startLarder({ args: ['--source', `films=${origin.url}`] });
      const { address } = newFile(behaviour);
      const response = await rawRequest(own.port, address, { Range: 'bytes=1000-1999' });
      expect([response.status, response.isWhole]).toEqual([status, true]);
      expect(response.header('content-type')).toStartWith('text/plain');
      expect(Buffer.from(response.body).toString()).toMatch(reason);
      if (status === 429) expect(response.header('retry-after')).toBe('120');
      if (status === 503) expect(response.header('retry-after')).toBe('90');
    });
  }

  test('a page of HTML in place of a film is refused, in place of a page it is not', async () => {
    const film = newFile({ html: true }, 'film.mkv');
    const refused = await rawRequest(larder.port, film.address);
    expect(refused.status).toBe(502);
    expect(Buffer.from(refused.body).toString()).toContain('HTML page');
    const page = newFile({ html: true }, 'page.html');
    expect((await rawRequest(larder.port, page.address)).status).toBe(200);
  });

  test('nobody at the address: 502 after the retries', async () => {
    await using gone = await startOrigin({ files: { 'a.bin': { sizeBytes: 10 } } });
    await using other = await startLarder({ args: ['--source', `gone=${gone.url}`] });
    await gone.goDown();
    const response = await rawRequest(other.port, '/s/gone/a.bin');
    expect(response.status).toBe(502);
    expect(Buffer.from(response.body).toString()).toContain('check that the origin is up');
  });

  test('an error is forgotten when the origin is well again', async () => {
    const { path, address } = newFile({ status: 404 });
    expect((await rawRequest(larder.port, address)).status).toBe(404);
    origin.behave(path, null);
    origin.assertBody(path, (await rawRequest(larder.port, address)).body);
  });
});

describe('invariant 4: every wait ends', () => {
  test('a silent origin: 504 within 40 s before the first byte', async () => {
    const clock = new FakeClock();
    await using slow = await startLarder({
      args: ['--source', `films=${origin.url}`],
      clock,
      startThread: (role) => inProcessThread(role, clock),
    });
    const { path, address } = newFile({ stallBeforeHead: true });
    const answer = rawRequest(slow.port, address);
    const startedAtMs = clock.monotonicMs();
    let status = 0;
    void answer.then((response) => {
      status = response.status;
    });
    await origin.until(() => origin.openCount(path) > 0);
    while (status === 0 && clock.monotonicMs() - startedAtMs < 60_000) {
      await clock.run(250, 20);
      await turnLoop();
    }
    expect(status).toBe(504);
    expect(clock.monotonicMs() - startedAtMs).toBeLessThanOrEqual(40_000);
    // Which of the two deadlines is told depends on how far the thread came.
    expect(Buffer.from((await answer).body).toString()).toMatch(/sent nothing|nothing came from the origin/);
  }, 30_000);

  test('an origin that goes silent in mid-body: the connection is cut (invariant 9)', async () => {
    const clock = new FakeClock();
    // An origin of its own: no connection of an earlier test is used again, and no retry waits for a clock that stands.
    await using own = await startOrigin({ files: { 'film.bin': { sizeBytes: SIZE } } });
    await using slow = await startLarder({
      args: ['--source', `films=${own.url}`],
      clock,
      startThread: (role) => inProcessThread(role, clock),
    });
    own.behave('film.bin', { stallAfterBytes: 500_000, times: 1 });
    using connection = await RawConnection.open(slow.port);
    connection.send('GET', '/s/films/film.bin');
    await own.until(() => own.openCount('film.bin') === 1);
    own.behave('film.bin', { stallBeforeHead: true });
    // The clock stands still until the head is there: real sockets need real time.
    const head = await connection.readHead();
    let cut = false;
    const reading = (async () => {
      const body = await connection.readBytes(SIZE);
      await connection.closed();
      return body;
    })().finally(() => {
      cut = true;
    });
    const startedAtMs = clock.monotonicMs();
    while (!cut) await clock.run(100, 20);
    const body = await reading;
    expect(head.header('content-length')).toBe(String(SIZE));
    expect(body.length).toBeLessThan(SIZE);
    own.assertBody('film.bin', body);
    expect(clock.monotonicMs() - startedAtMs).toBeLessThan(120_000);
  }, 30_000);
});

describe('invariant 3 and 9: one version per response', () => {
  for (const [what, sizeBytes] of [
    ['same length', SIZE],
    ['longer', SIZE + 1000],
    ['shorter', SIZE - 1000],
  ] as const) {
    test(`a file that changed (${what}): the open reader is cut, the next one gets the new version whole`, async () => {
      // Slow, so that a busy machine does not bring the old version to where the seek goes.
      const { path, address } = newFile({ bytesPerSecond: 400_000 });
      const oldSeed = origin.seedOf(path);
      using connection = await RawConnection.open(larder.port);
      connection.send('GET', address);
      const head = await connection.readHead();
      await connection.readBytes(200_000).then((bytes) => origin.assertBody(path, bytes));
      origin.change(path, sizeBytes);
      origin.behave(path, null);
      // Another reader asks for bytes that are not there: this is where the change is noticed.
      const seek = await rawRequest(larder.port, address, { Range: 'bytes=2500000-2500099' });
      expect(seek.status).toBe(206);
      origin.assertBody(path, seek.body, 2_500_000);
      expect(seek.header('etag')).not.toBe(head.header('etag'));
      const rest = await connection.readBytes(SIZE - 200_000);
      const { assertContent } = await import('../support/content.ts');
      assertContent(rest, oldSeed, 200_000);
      const whole = await rawRequest(larder.port, address);
      expect(whole.header('content-length')).toBe(String(sizeBytes));
      origin.assertBody(path, whole.body);
    });
  }
});

test('a reader of the old version that comes to its end later is cut at once (invariant 4)', async () => {
  const { path, address } = newFile(null);
  await rawRequest(larder.port, address, { Range: 'bytes=0-999999' });
  origin.behave(path, { bytesPerSecond: 1_000_000, times: 1 });
  using old = await RawConnection.open(larder.port);
  old.send('GET', address);
  await old.readHead();
  old.pause();
  origin.change(path);
  origin.behave(path, null);
  const seek = await rawRequest(larder.port, address, { Range: 'bytes=2500000-2500099' });
  origin.assertBody(path, seek.body, 2_500_000);
  const startedAtMs = performance.now();
  old.resume();
  const rest = await old.readBytes(SIZE);
  await old.closed();
  expect(rest.length).toBeLessThan(SIZE);
  // Far below the 38 s after which any reader would hear.
  expect(performance.now() - startedAtMs).toBeLessThan(4_000);
});

describe('a dying download thread', () => {
  test('its fetches start again in another thread and the reader does not notice', async () => {
    await using other = await startLarder({ args: ['--source', `films=${origin.url}`] });
    const { path, address } = newFile({ bytesPerSecond: 3_000_000 });
    using connection = await RawConnection.open(other.port);
    connection.send('GET', address);
    await connection.readHead();
    const first = await connection.readBytes(300_000);
    await other.threads[0]!.terminate();
    const rest = await connection.readBytes(SIZE - 300_000);
    expect(first.length + rest.length).toBe(SIZE);
    origin.assertBody(path, first);
    origin.assertBody(path, rest, 300_000);
    expect(other.threads.length).toBeGreaterThan(1);
  });
});
