// The client must notice whatever a server can do wrong, or the bench would praise fast nonsense.
import { afterAll, expect, test } from 'bun:test';
import { createServer, type Server } from 'node:net';
import { type BenchFile, contentOf } from '../content.ts';
import { type Exchange, fetchOnce } from './connection.ts';

const FILE: BenchFile = { name: 'film.bin', sizeBytes: 100_000, seed: 5 };
const RANGE = { start: 1003, end: 51_003 };
const EXCHANGE: Exchange = { path: '/film.bin', file: FILE, range: RANGE };
const BODY = Buffer.from(contentOf(RANGE.start, RANGE.end, FILE.seed));
const RIGHT_HEAD = `HTTP/1.1 206 Part\r\nContent-Length: 50000\r\nContent-Range: bytes 1003-51002/100000\r\n\r\n`;

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

// A server that says the given pieces, 5 ms apart, to whoever asks, and closes.
async function portOfServerSaying(...pieces: readonly (string | Buffer)[]): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', async () => {
      for (const piece of pieces) {
        socket.write(piece);
        await Bun.sleep(5);
      }
      socket.end();
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port');
  return address.port;
}

test('fetchOnce() accepts the right bytes, in whatever pieces head and body arrive', async () => {
  const whole = Buffer.concat([Buffer.from(RIGHT_HEAD), BODY]);
  const port = await portOfServerSaying(
    whole.subarray(0, 20),
    whole.subarray(20, 103),
    whole.subarray(103, 20_000),
    whole.subarray(20_000),
  );
  const result = await fetchOnce(port, EXCHANGE);
  expect(result.bodyBytes).toBe(50_000);
  expect(result.lastByteMs).toBeGreaterThanOrEqual(result.firstByteMs);
});

test('fetchOnce() stops at dropAfterBytes', async () => {
  const port = await portOfServerSaying(RIGHT_HEAD, BODY.subarray(0, 10_000), BODY.subarray(10_000));
  expect((await fetchOnce(port, { ...EXCHANGE, dropAfterBytes: 4_000 })).bodyBytes).toBe(10_000);
});

const MISTAKES: readonly (readonly [string, RegExp, ...(string | Buffer)[]])[] = [
  ['wrong bytes', /WRONG BYTES/, RIGHT_HEAD, Buffer.alloc(50_000)],
  ['a body that ends early', /closed by the server, after 40000 bytes/, RIGHT_HEAD, BODY.subarray(0, 40_000)],
  ['the whole file for a range', /status 200/, 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n'],
  ['no length', /Content-Length undefined/, 'HTTP/1.1 206 Part\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['another range', /starts at 1004/, RIGHT_HEAD.replace('bytes 1003', 'bytes 1004')],
  ['an error', /status 502.*origin is asleep/, 'HTTP/1.1 502 Bad Gateway\r\n\r\norigin is asleep'],
  ['no HTTP', /Not an HTTP/, 'SSH-2.0-OpenSSH\r\n\r\n'],
];
for (const [name, complaint, ...pieces] of MISTAKES) {
  test(`fetchOnce() rejects ${name}`, async () => {
    const port = await portOfServerSaying(...pieces);
    await expect(fetchOnce(port, EXCHANGE)).rejects.toThrow(complaint);
  });
}
