// Origins whose connections fail: refused, reset, ended early, silent, slow, or speaking no HTTP (CONTRACT.md, stream
// promises 5 and 9; DESIGN.md §5, invariants 4 and 9).
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Socket } from 'node:net';
import { FIRST_BYTE_TIMEOUT_MS, STALL_TIMEOUT_MS } from '../../src/limits.ts';
import { contentOf } from '../support/content.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { createRandom, testSeed } from '../support/random.ts';
import { FaultyOrigin, FILE_BYTES, turnUntil } from './faulty-origin.ts';
import { RawConnection, rawRequest } from './raw-client.ts';
import { startLarder } from './running-larder.ts';
import { startWireOrigin } from './wire-origin.ts';

let faulty: FaultyOrigin;

beforeAll(async () => {
  faulty = await FaultyOrigin.start();
});

afterAll(() => faulty[Symbol.asyncDispose]());

describe('connection refused', () => {
  test('connection refused at the first open: 502 with the reason, and all bytes when the origin is back', async () => {
    await using own = await FaultyOrigin.start();
    const file = own.newFile();
    await own.origin.goDown();
    await own.expectRefused(file, 502, /check that the origin is up/);
    await own.origin.comeBack();
    await own.expectHealed(file);
  });

  test('connection refused when a part is cached: that part is served, 502 for the rest, mid-stream a cut connection', async () => {
    await using own = await FaultyOrigin.start();
    const file = await own.newCachedFile();
    await own.origin.goDown();
    await own.expectRange(file, 0, 1_000);
    await own.expectRefused(file, 502, /check that the origin is up/, [2_000_000, 2_000_100]);
    await own.expectCut(file);
    await own.origin.comeBack();
    await own.expectHealed(file);
  });

  test('connection refused in mid-stream until the next try but one: the reader does not notice', async () => {
    const clock = new FakeClock();
    await using own = await FaultyOrigin.start(clock);
    const file = own.newFile({ behaviour: { stallAfterBytes: 1_000_000, times: 1 } });
    const reading = own.expectWhole(file);
    await own.origin.until(() => own.origin.bytesSent(file.path) === 1_000_000);
    await own.origin.goDown();
    // Longer than the first pause and shorter than all: the try after it is refused.
    await clock.run(600, 100);
    await own.origin.comeBack();
    await turnUntil(clock, () => own.origin.requestsOf(file.path).length > 1, 20_000);
    await reading;
  });
});

describe('connections that break', () => {
  for (const cutBy of ['close', 'reset'] as const) {
    test(`${cutBy === 'reset' ? 'reset (RST)' : 'broken off'} in mid-body at random offsets, several rounds: the reader does not notice`, async () => {
      const random = createRandom(testSeed);
      for (let round = 0; round < 6; round++) {
        const cutAfterBytes = random.between(0, FILE_BYTES - 1);
        const file = faulty.newFile({ behaviour: { cutAfterBytes, cutBy, times: random.between(1, 2) } });
        try {
          await faulty.expectWhole(file);
        } catch (error) {
          throw new Error(`LARDER_TEST_SEED=${testSeed}, round ${round}, cut after ${cutAfterBytes}`, { cause: error });
        }
      }
    });
  }

  test('a short body with a proper close, once: the reader does not notice', async () => {
    const behaviour = { cutAfterBytes: 1_234_567, cutBy: 'end', times: 1 } as const;
    await faulty.expectWhole(faulty.newFile({ behaviour }));
  });

  // At the same time: most of it is waiting for the next try.
  for (const cutBy of ['close', 'end', 'reset'] as const) {
    test.concurrent(`a body that always breaks off before its first byte (${cutBy}): 502, and all bytes when the origin is well`, async () => {
      const file = faulty.newFile({ behaviour: { cutAfterBytes: 0, cutBy } });
      await faulty.expectRefused(file, 502, /./);
      await faulty.expectHealed(file);
    });

    test.concurrent(`a short body of which nothing more ever comes (${cutBy}): the connection is cut, and the next reader gets all bytes`, async () => {
      const file = await faulty.newCachedFile({ behaviour: { cutAfterBytes: 0, cutBy } });
      await faulty.expectCut(file);
      await faulty.expectHealed(file);
    });

    test.concurrent(`chunked without its last chunk (${cutBy}), always: a body that does not look whole, and the next reader gets all bytes`, async () => {
      const behaviour = { ranges: 'none', hideLength: true, cutAfterBytes: 500_000, cutBy } as const;
      const file = faulty.newFile({ behaviour });
      const response = await faulty.get(file);
      expect([response.status, response.isWhole]).toEqual([
        response.status === 502 ? 502 : 200,
        response.status === 502,
      ]);
      if (response.status === 200) faulty.origin.assertBody(file.path, response.body);
      faulty.origin.behave(file.path, { ranges: 'none', hideLength: true });
      const healed = await faulty.get(file);
      expect([healed.status, healed.isWhole, healed.body.length]).toEqual([200, true, FILE_BYTES]);
      faulty.origin.assertBody(file.path, healed.body);
    });
  }

  test('chunked without its last chunk, once: the reader does not notice', async () => {
    const behaviour = { ranges: 'none', hideLength: true, cutAfterBytes: 500_000 } as const;
    const file = faulty.newFile({ behaviour: { ...behaviour, times: 1 } });
    const reading = faulty.get(file);
    await faulty.origin.until(() => faulty.origin.requestsOf(file.path)[0]?.closed === true);
    faulty.origin.behave(file.path, { ranges: 'none', hideLength: true });
    const response = await reading;
    expect([response.status, response.isWhole, response.body.length]).toEqual([200, true, FILE_BYTES]);
    faulty.origin.assertBody(file.path, response.body);
  });
});

describe('silence', () => {
  test('silence before the head, once: the reader waits and does not notice', async () => {
    const clock = new FakeClock();
    await using own = await FaultyOrigin.start(clock);
    const file = own.newFile({ behaviour: { stallBeforeHead: true, times: 1 } });
    const reading = own.expectWhole(file);
    await own.origin.until(() => own.origin.openCount(file.path) === 1);
    await clock.run(FIRST_BYTE_TIMEOUT_MS, 20);
    await turnUntil(clock, () => own.origin.requestsOf(file.path).length === 2, 15_000);
    await reading;
  });

  test('silence in mid-body, once: the reader waits and does not notice', async () => {
    const clock = new FakeClock();
    await using own = await FaultyOrigin.start(clock);
    const file = own.newFile({ behaviour: { stallAfterBytes: 1_000_000, times: 1 } });
    using connection = await RawConnection.open(own.larder.port);
    connection.send('GET', file.address);
    expect((await connection.readHead()).header('content-length')).toBe(String(FILE_BYTES));
    let begin: Uint8Array | undefined;
    void connection.readBytes(1_000_000).then((bytes) => {
      begin = bytes;
    });
    await turnUntil(clock, () => begin !== undefined, STALL_TIMEOUT_MS / 2);
    own.origin.assertBody(file.path, begin!);
    await clock.run(STALL_TIMEOUT_MS / 2, 20);
    await turnUntil(clock, () => own.origin.requestsOf(file.path).length === 2, STALL_TIMEOUT_MS);
    const rest = await connection.readBytes(FILE_BYTES - 1_000_000);
    expect(rest.length).toBe(FILE_BYTES - 1_000_000);
    own.origin.assertBody(file.path, rest, 1_000_000);
  });

  test('one byte a second: the reader gets each as it comes, and the file is whole', async () => {
    const sizeBytes = 30;
    expect(sizeBytes * 1_000).toBeGreaterThan(STALL_TIMEOUT_MS);
    const clock = new FakeClock();
    await using own = await FaultyOrigin.start(clock);
    const file = own.newFile({ sizeBytes, behaviour: { stepBytes: 1 } });
    using connection = await RawConnection.open(own.larder.port);
    connection.send('GET', file.address);
    await own.origin.until(() => own.origin.openCount(file.path) === 1);
    own.origin.release(file.path);
    expect((await connection.readHead()).header('content-length')).toBe(String(sizeBytes));
    own.origin.assertBody(file.path, await connection.readBytes(1));
    for (let offset = 1; offset < sizeBytes; offset++) {
      await clock.run(1_000, 1);
      own.origin.release(file.path);
      let byte: Uint8Array | undefined;
      void connection.readBytes(1).then((bytes) => {
        byte = bytes;
      });
      await turnUntil(clock, () => byte !== undefined, STALL_TIMEOUT_MS / 2);
      own.origin.assertBody(file.path, byte!, offset);
    }
    expect(own.origin.requestsOf(file.path).length).toBe(1);
    expect((await own.expectWhole(file, sizeBytes)).header('x-cache')).toBe('HIT');
  });
});

describe('what is no HTTP, or bends it', () => {
  const BODY = Buffer.from(contentOf(7, 0, 1_000));
  const send =
    (...parts: readonly (string | Buffer)[]) =>
    (socket: Socket) =>
      void socket.write(Buffer.concat(parts.map((part) => Buffer.from(part as Buffer))));
  const well = send('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n', BODY);
  const refused: [what: string, answer: (socket: Socket) => void][] = [
    ['another protocol', send('SSH-2.0-OpenSSH_9.9\r\n\r\n')],
    ['two lengths that differ', send('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Length: 500\r\n\r\n', BODY)],
    ['a negative length', send('HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n', BODY)],
  ];
  const badChunk = send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', BODY);

  test('a chunk size that is no number: 502, and all bytes when the origin is well', async () => {
    await using wire = await startWireOrigin();
    await using larder = await startLarder({ args: ['--source', `films=${wire.url}`], clock: faulty.clock });
    wire.answer = badChunk;
    expect((await rawRequest(larder.port, '/s/films/film.mkv')).status).toBe(502);
    wire.answer = well;
    expect(Buffer.from((await rawRequest(larder.port, '/s/films/film.mkv')).body)).toEqual(BODY);
  });

  // Words of fetch() about a body come to the player as they are; they name the whole address, signature and all.
  test('a chunk size that is no number: the reason shows no address', async () => {
    await using wire = await startWireOrigin();
    await using larder = await startLarder({ args: ['--source', `films=${wire.url}`], clock: faulty.clock });
    wire.answer = badChunk;
    const response = await rawRequest(larder.port, '/s/films/film.mkv');
    expect(Buffer.from(response.body).toString()).not.toMatch(/film\.mkv|verbose/);
  });

  for (const [what, answer] of refused) {
    test(`${what}: 502 with a reason that shows no address, and all bytes when the origin is well`, async () => {
      await using wire = await startWireOrigin();
      await using larder = await startLarder({ args: ['--source', `films=${wire.url}`], clock: faulty.clock });
      wire.answer = answer;
      const response = await rawRequest(larder.port, '/s/films/film.mkv');
      expect([response.status, response.isWhole]).toEqual([502, true]);
      expect(Buffer.from(response.body).toString()).not.toMatch(/film\.mkv|verbose/);
      wire.answer = well;
      const healed = await rawRequest(larder.port, '/s/films/film.mkv');
      expect(Buffer.from(healed.body)).toEqual(BODY);
    });
  }

  const taken: [what: string, answer: (socket: Socket) => void][] = [
    [
      'an early hint (103) first',
      send('HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n', BODY),
    ],
    ['more bytes than Content-Length says', send('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n', BODY, 'EXTRA')],
    [
      'a second response that nobody asked for',
      send('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n', BODY, 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL'),
    ],
  ];
  for (const [what, answer] of taken) {
    test(`${what}: exactly the bytes of the file, also for the next file on that connection`, async () => {
      await using wire = await startWireOrigin();
      await using larder = await startLarder({ args: ['--source', `films=${wire.url}`], clock: faulty.clock });
      wire.answer = answer;
      for (const name of ['one.mkv', 'two.mkv', 'three.mkv']) {
        const response = await rawRequest(larder.port, `/s/films/${name}`);
        expect([response.status, response.isWhole]).toEqual([200, true]);
        expect(Buffer.from(response.body)).toEqual(BODY);
      }
    });
  }

  test('a body that ends with the connection (HTTP/1.0): streamed, and whole at a proper close', async () => {
    await using wire = await startWireOrigin();
    await using larder = await startLarder({ args: ['--source', `films=${wire.url}`], clock: faulty.clock });
    wire.answer = (socket) => socket.end(Buffer.concat([Buffer.from('HTTP/1.0 200 OK\r\n\r\n'), BODY]));
    const response = await rawRequest(larder.port, '/s/films/film.mkv');
    expect([response.status, response.isWhole]).toEqual([200, true]);
    expect(Buffer.from(response.body)).toEqual(BODY);
  });
});
