// What a stream address promises (CONTRACT.md), over raw sockets, with a real origin, real files, database and threads.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { CHUNK_BYTES } from '../../src/limits.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { RawConnection, rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

const SIZE = 5_000_001;

let origin: TestOrigin;
let larder: RunningLarder;
let fileCount = 0;

/** A file of its own for each test: nothing of it is known. */
function newFile(name = 'film.mkv', sizeBytes = SIZE): { path: string; address: string } {
  const path = `${++fileCount}-${name}`;
  origin.addFile(path, { sizeBytes });
  return { path, address: `/s/films/${encodeURIComponent(path)}` };
}

beforeAll(async () => {
  origin = await startOrigin();
  larder = await startLarder({ args: ['--source', `films=${origin.url}`] });
});

afterAll(async () => {
  await larder[Symbol.asyncDispose]();
  await origin.stop();
});

describe('promise 1 and 2: the whole file', () => {
  test('GET answers 200 with length, type, strong tag and date, unchunked, cold and warm', async () => {
    const { path, address } = newFile();
    for (const cache of ['MISS', 'HIT']) {
      const response = await rawRequest(larder.port, address);
      expect(response.status).toBe(200);
      expect(response.header('content-length')).toBe(String(SIZE));
      expect(response.header('transfer-encoding')).toBeUndefined();
      expect(response.header('accept-ranges')).toBe('bytes');
      expect(response.header('content-type')).toBe('video/x-matroska');
      expect(response.header('etag')).toMatch(/^"[^"]+"$/);
      expect(Date.parse(response.header('last-modified') ?? '')).toBeGreaterThan(0);
      expect(response.header('x-cache')).toBe(cache);
      expect(response.header('server-timing')).toContain(`cache;desc=${cache}`);
      expect(response.isWhole).toBe(true);
      origin.assertBody(path, response.body);
    }
  });

  test('GET serves a part that is cached and goes on with what is not', async () => {
    const { path, address } = newFile();
    await rawRequest(larder.port, address, { Range: 'bytes=1000000-1999999' });
    const response = await rawRequest(larder.port, address);
    expect(response.header('x-cache')).toBe('PARTIAL');
    expect(response.isWhole).toBe(true);
    origin.assertBody(path, response.body);
    expect(origin.bytesSent(path)).toBe(SIZE);
  });

  test('GET of an empty file answers 200 with length 0', async () => {
    const { address } = newFile('empty.bin', 0);
    const response = await rawRequest(larder.port, address);
    expect(response.status).toBe(200);
    expect(response.header('content-length')).toBe('0');
  });

  test('the type comes from the origin where it names one, else from the extension', async () => {
    origin.addFile('typed.bin', { sizeBytes: 10, headers: { 'Content-Type': 'audio/x-special' } });
    origin.addFile('vague.mp4', { sizeBytes: 10, headers: { 'Content-Type': 'application/octet-stream' } });
    expect((await rawRequest(larder.port, '/s/films/typed.bin')).header('content-type')).toBe('audio/x-special');
    expect((await rawRequest(larder.port, '/s/films/vague.mp4')).header('content-type')).toBe('video/mp4');
  });
});

describe('promise 3: ranges', () => {
  const cases: [range: string, start: number, end: number][] = [
    ['bytes=0-0', 0, 1],
    ['bytes=5-', 5, SIZE],
    ['bytes=-5', SIZE - 5, SIZE],
    ['bytes=-99999999', 0, SIZE],
    [`bytes=${SIZE - 1}-`, SIZE - 1, SIZE],
    [`bytes=4000000-${SIZE + 1000}`, 4_000_000, SIZE],
    ['bytes=4000000-99999999999999999999', 4_000_000, SIZE],
    ['BYTES=1-2', 1, 3],
  ];
  for (const [range, start, end] of cases) {
    for (const temperature of ['cold', 'warm']) {
      test(`${range} on a ${temperature} file`, async () => {
        const { path, address } = newFile();
        if (temperature === 'warm') await rawRequest(larder.port, address);
        const response = await rawRequest(larder.port, address, { Range: range });
        expect(response.status).toBe(206);
        expect(response.header('content-range')).toBe(`bytes ${start}-${end - 1}/${SIZE}`);
        expect(response.header('content-length')).toBe(String(end - start));
        expect(response.isWhole).toBe(true);
        origin.assertBody(path, response.body, start);
      });
    }
  }

  test('a range that straddles a chunk boundary by -1, 0 and +1 is right', async () => {
    const { path, address } = newFile();
    for (const boundary of [CHUNK_BYTES, 2 * CHUNK_BYTES]) {
      for (const from of [-1, 0, 1]) {
        for (const to of [-1, 0, 1]) {
          const [first, last] = [boundary + from, boundary + to + 2];
          const response = await rawRequest(larder.port, address, { Range: `bytes=${first}-${last}` });
          expect(response.status).toBe(206);
          expect(response.body.length).toBe(last - first + 1);
          origin.assertBody(path, response.body, first);
        }
      }
    }
  });

  for (const range of [
    'bytes=abc',
    'bytes=5-2',
    'bytes=',
    'chunks=0-5',
    'bytes=1',
    'bytes=--5',
    'bytes=1-2-3',
    'bytes=0x0-5',
  ]) {
    test(`a malformed Range ${range} is ignored`, async () => {
      const { address } = newFile('small.bin', 100);
      const response = await rawRequest(larder.port, address, { Range: range });
      expect(response.status).toBe(200);
      expect(response.body.length).toBe(100);
    });
  }

  for (const temperature of ['cold', 'warm']) {
    test(`a range past the end of a ${temperature} file answers 416 with the length`, async () => {
      const { address } = newFile('small.bin', 100);
      if (temperature === 'warm') await rawRequest(larder.port, address);
      for (const range of ['bytes=100-', 'bytes=5000-6000', 'bytes=-0']) {
        const response = await rawRequest(larder.port, address, { Range: range });
        expect([range, response.status]).toEqual([range, 416]);
        expect(response.header('content-range')).toBe('bytes */100');
      }
    });
  }

  test('several ranges answer multipart/byteranges whose length is right', async () => {
    const { path, address } = newFile();
    const response = await rawRequest(larder.port, address, { Range: 'bytes=0-9,4000000-4000019,-7' });
    expect(response.status).toBe(206);
    expect(response.isWhole).toBe(true);
    const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(response.header('content-type') ?? '')?.[1];
    const text = Buffer.from(response.body).toString('latin1');
    const parts = text.split(`--${boundary}`).slice(1, -1);
    const expected: [number, number][] = [
      [0, 10],
      [4_000_000, 4_000_020],
      [SIZE - 7, SIZE],
    ];
    expect(parts.length).toBe(3);
    for (const [index, part] of parts.entries()) {
      const [start, end] = expected[index]!;
      expect(part).toContain(`Content-Range: bytes ${start}-${end - 1}/${SIZE}\r\n`);
      const body = part.slice(part.indexOf('\r\n\r\n') + 4, -2);
      origin.assertBody(path, Buffer.from(body, 'latin1'), start);
    }
    expect(text.endsWith(`--${boundary}--\r\n`)).toBe(true);
  });

  test('ranges that overlap are joined, and too many are ignored', async () => {
    const { address } = newFile('small.bin', 1000);
    const joined = await rawRequest(larder.port, address, { Range: 'bytes=0-9,5-19,20-29' });
    expect(joined.status).toBe(206);
    expect(joined.header('content-range')).toBe('bytes 0-29/1000');
    const many = Array.from({ length: 40 }, (_, index) => `${index * 20}-${index * 20}`).join(',');
    expect((await rawRequest(larder.port, address, { Range: `bytes=${many}` })).status).toBe(200);
  });

  test('conditional requests are answered as RFC 9110 §13 says', async () => {
    const { address } = newFile('small.bin', 1000);
    const first = await rawRequest(larder.port, address);
    const etag = first.header('etag')!;
    const modified = first.header('last-modified')!;
    const earlier = new Date(Date.parse(modified) - 60_000).toUTCString();
    const table: [headers: Record<string, string>, status: number][] = [
      [{ 'If-None-Match': etag }, 304],
      [{ 'If-None-Match': `W/${etag}` }, 304],
      [{ 'If-None-Match': '*' }, 304],
      [{ 'If-None-Match': '"other"' }, 200],
      [{ 'If-None-Match': '"other"', 'If-Modified-Since': modified }, 200],
      [{ 'If-Modified-Since': modified }, 304],
      [{ 'If-Modified-Since': earlier }, 200],
      [{ 'If-Match': etag }, 200],
      [{ 'If-Match': `W/${etag}` }, 412],
      [{ 'If-Match': '"other"' }, 412],
      [{ 'If-Unmodified-Since': modified }, 200],
      [{ 'If-Unmodified-Since': earlier }, 412],
      [{ Range: 'bytes=0-9', 'If-Range': etag }, 206],
      [{ Range: 'bytes=0-9', 'If-Range': '"other"' }, 200],
      [{ Range: 'bytes=0-9', 'If-Range': `W/${etag}` }, 200],
      [{ Range: 'bytes=0-9', 'If-Range': modified }, 206],
      [{ Range: 'bytes=0-9', 'If-Range': earlier }, 200],
      [{ Range: 'bytes=0-9', 'If-None-Match': etag }, 304],
    ];
    for (const [headers, status] of table) {
      const response = await rawRequest(larder.port, address, headers);
      expect([headers, response.status]).toEqual([headers, status]);
      if (status === 304) expect(response.header('etag')).toBe(etag);
    }
  });
});

describe('promise 4: HEAD', () => {
  test('HEAD gives the headers of GET, no body, and starts no download', async () => {
    const { path, address } = newFile();
    using connection = await RawConnection.open(larder.port);
    connection.send('HEAD', address);
    const head = await connection.readResponse('HEAD');
    expect(head.status).toBe(200);
    // The connection goes on: nothing of a body stands in the way of the next answer.
    connection.send('HEAD', address, { Range: 'bytes=0-9' });
    expect((await connection.readResponse('HEAD')).status).toBe(200);
    await origin.until(() => origin.openCount(path) === 0);
    expect(origin.bytesSent(path)).toBeLessThanOrEqual(1);

    const get = await rawRequest(larder.port, address);
    const names = (lines: typeof get.lines) =>
      lines.filter(([name]) => !/^(date|x-cache|server-timing|connection|keep-alive)$/i.test(name));
    expect(names(head.lines)).toEqual(names(get.lines));
  });
});

describe('promise 5: waiting', () => {
  test('the response begins with its first byte and goes on as bytes arrive', async () => {
    const { path, address } = newFile();
    origin.behave(path, { stallAfterBytes: 300_000, times: 1 });
    using connection = await RawConnection.open(larder.port);
    connection.send('GET', address);
    const head = await connection.readHead();
    expect(head.status).toBe(200);
    // The origin has not sent more than this: bytes are not held back until a chunk is whole.
    origin.assertBody(path, await connection.readBytes(300_000));
    origin.release(path);
    origin.assertBody(path, await connection.readBytes(SIZE - 300_000), 300_000);
  });

  test('a miss asks the origin at the exact offset', async () => {
    const { path, address } = newFile();
    await rawRequest(larder.port, address, { Range: 'bytes=3333333-3333433' });
    expect(origin.requestsOf(path).map((request) => request.range)).toEqual(['bytes=3333333-3333433']);
  });

  test('a seek far ahead does not wait for what lies between', async () => {
    const { path, address } = newFile('long.bin', 50_000_000);
    origin.behave(path, { bytesPerSecond: 200_000, times: 1 });
    using slow = await RawConnection.open(larder.port);
    slow.send('GET', address);
    await slow.readHead();
    const seek = await rawRequest(larder.port, address, { Range: 'bytes=40000000-40000099' });
    expect(seek.status).toBe(206);
    origin.assertBody(path, seek.body, 40_000_000);
  });
});

describe('promise 6: once from the origin (invariant 5)', () => {
  test('16 clients of one cold file cost its bytes once', async () => {
    const { path, address } = newFile();
    const responses = await Promise.all(Array.from({ length: 16 }, () => rawRequest(larder.port, address)));
    for (const response of responses) {
      expect(response.isWhole).toBe(true);
      origin.assertBody(path, response.body);
    }
    expect(origin.bytesSent(path)).toBe(SIZE);
  });

  test('many overlapping ranges of one cold file cost its bytes once', async () => {
    const { path, address } = newFile();
    // At a rate, so that what the origin sends is what was asked for, and not what fits into socket buffers.
    origin.behave(path, { bytesPerSecond: 20_000_000 });
    const starts = Array.from({ length: 30 }, (_, index) => index * 150_000);
    await Promise.all(
      starts.map(async (start) => {
        const response = await rawRequest(larder.port, address, { Range: `bytes=${start}-${start + 499_999}` });
        origin.assertBody(path, response.body, start);
      }),
    );
    await rawRequest(larder.port, address);
    // What is under way when a fetch is cut short comes twice: at most a piece of 64 KiB for each request.
    expect(origin.bytesSent(path)).toBeLessThan(SIZE + starts.length * 65_536);
  });
});

describe('promise 7: with the origin down', () => {
  test('what is cached is served, and only what is missing fails', async () => {
    await using own = await startOrigin({ files: { 'a.bin': { sizeBytes: SIZE }, 'b.bin': { sizeBytes: SIZE } } });
    await using other = await startLarder({ args: ['--source', `own=${own.url}`] });
    await rawRequest(other.port, '/s/own/a.bin');
    await rawRequest(other.port, '/s/own/b.bin', { Range: 'bytes=0-999999' });
    await own.goDown();
    const whole = await rawRequest(other.port, '/s/own/a.bin');
    expect(whole.header('x-cache')).toBe('HIT');
    own.assertBody('a.bin', whole.body);
    const cached = await rawRequest(other.port, '/s/own/b.bin', { Range: 'bytes=100-999' });
    own.assertBody('b.bin', cached.body, 100);
    const missing = await rawRequest(other.port, '/s/own/b.bin', { Range: 'bytes=2000000-2000099' });
    expect(missing.status).toBe(502);
    expect(Buffer.from(missing.body).toString()).toContain('cannot be reached');
    await own.comeBack();
    const back = await rawRequest(other.port, '/s/own/b.bin', { Range: 'bytes=2000000-2000099' });
    own.assertBody('b.bin', back.body, 2_000_000);
  });
});

describe('promise 8: origins without ranges or length', () => {
  test('no ranges: streamed, kept, and seekable once whole', async () => {
    const { path, address } = newFile('plain.bin');
    origin.behave(path, { ranges: 'none' });
    const first = await rawRequest(larder.port, address);
    expect(first.status).toBe(200);
    expect(first.header('accept-ranges')).toBeUndefined();
    expect(first.header('content-length')).toBe(String(SIZE));
    origin.assertBody(path, first.body);
    await until(async () => (await rawRequest(larder.port, address, {}, 'HEAD')).header('accept-ranges') === 'bytes');
    const range = await rawRequest(larder.port, address, { Range: 'bytes=4000000-4000009' });
    expect(range.status).toBe(206);
    expect(range.header('x-cache')).toBe('HIT');
    origin.assertBody(path, range.body, 4_000_000);
    expect(origin.bytesSent(path)).toBe(SIZE);
  });

  test('no ranges: a range is waited for and is right', async () => {
    const { path, address } = newFile('plain.bin');
    origin.behave(path, { ranges: 'none' });
    const range = await rawRequest(larder.port, address, { Range: 'bytes=4000000-4000009' });
    expect(range.status).toBe(206);
    origin.assertBody(path, range.body, 4_000_000);
  });

  test('no length: streamed chunked without promises, then known', async () => {
    const { path, address } = newFile('endless.bin');
    origin.behave(path, { ranges: 'none', hideLength: true });
    const first = await rawRequest(larder.port, address);
    expect(first.status).toBe(200);
    expect(first.header('content-length')).toBeUndefined();
    expect(first.header('accept-ranges')).toBeUndefined();
    expect(first.isWhole).toBe(true);
    origin.assertBody(path, first.body);
    await until(
      async () => (await rawRequest(larder.port, address, {}, 'HEAD')).header('content-length') === String(SIZE),
    );
    const range = await rawRequest(larder.port, address, { Range: 'bytes=-10' });
    expect(range.status).toBe(206);
    origin.assertBody(path, range.body, SIZE - 10);
  });
});

describe('promise 10 to 13', () => {
  test('promise 11: nothing that a player sends reaches the origin', async () => {
    const { path, address } = newFile('private.bin', 1000);
    await rawRequest(larder.port, address, {
      Cookie: 'secret=1',
      Authorization: 'Bearer secret',
      Referer: 'http://secret/',
      'X-Forwarded-For': '10.1.2.3',
      'User-Agent': 'SecretPlayer/1.0',
    });
    for (const request of origin.requestsOf(path))
      expect(JSON.stringify(request.headers)).not.toMatch(/secret|10\.1\.2\.3/i);
  });

  test('promise 12: redirects are followed inside, and loops end with a reason', async () => {
    const { path, address } = newFile('moved.bin', 1000);
    origin.addFile('target.bin', { sizeBytes: 1000 });
    origin.behave(path, { redirectTo: '/target.bin' });
    const response = await rawRequest(larder.port, address);
    expect(response.status).toBe(200);
    origin.assertBody('target.bin', response.body);
    const loop = newFile('loop.bin', 1000);
    origin.behave(loop.path, { redirectTo: `/${loop.path}` });
    const looped = await rawRequest(larder.port, loop.address);
    expect(looped.status).toBe(502);
    expect(Buffer.from(looped.body).toString()).toContain('redirected more than 5 times');
  });

  for (const target of ['file:///etc/passwd', 'http://169.254.169.254/latest/meta-data', 'ftp://127.0.0.1/x']) {
    test(`promise 12: a redirect to ${target} is refused`, async () => {
      const { path, address } = newFile('evil.bin', 1000);
      origin.behave(path, { redirectTo: target });
      const response = await rawRequest(larder.port, address);
      expect(response.status).toBe(502);
      expect(Buffer.from(response.body).toString()).toContain('refused');
    });
  }

  test('promise 12: a redirect to Larder itself is refused', async () => {
    const { path, address } = newFile('self.bin', 1000);
    origin.behave(path, { redirectTo: `http://127.0.0.1:${larder.port}/healthz` });
    expect(Buffer.from((await rawRequest(larder.port, address)).body).toString()).toContain('Larder itself');
  });

  for (const type of [
    'text/html',
    'image/svg+xml',
    'application/xml',
    'text/javascript',
    'application/xhtml+xml',
    'text/xsl',
  ]) {
    test(`promise 13: ${type} comes sandboxed and as a download`, async () => {
      const path = `active-${++fileCount}.bin`;
      origin.addFile(path, { sizeBytes: 10, headers: { 'Content-Type': type } });
      const response = await rawRequest(larder.port, `/s/films/${path}`);
      expect(response.header('x-content-type-options')).toBe('nosniff');
      expect(response.header('content-security-policy')).toBe('sandbox');
      expect(response.header('content-disposition')).toStartWith('attachment');
    });
  }
});

/** Looks again until it is so; each look is a request, so that no time is guessed. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < 500; look++) if (await condition()) return;
  throw new Error('it did not become so');
}
