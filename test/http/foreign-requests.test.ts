// Every route that changes something, asked by raw socket as a page of another site could make a browser ask: with the
// visitor's cookie, and with a body of no length or none at all.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { BODIES_PER_ADDRESS_MAX } from '../../src/limits.ts';
import { routeRecords } from '../support/route-records.ts';
import { RawConnection, type RawResponse } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

let larder: RunningLarder;
let cookie: string;

beforeAll(async () => {
  larder = await startLarder();
  cookie = larder.owner.headers.Cookie!;
});

afterAll(() => larder[Symbol.asyncDispose]());

const CHUNKED = '2\r\n{}\r\n0\r\n\r\n';
const unsafeRoutes = routeRecords()
  .filter(({ method }) => method !== 'GET')
  .map(({ method, path }) => ({
    method,
    path: path.replace(/:id(\{[^/]*\})?/g, '999999999').replace(/:\w+/g, 'none'),
  }));

async function ask(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string | null,
): Promise<RawResponse> {
  using connection = await RawConnection.open(larder.port);
  connection.send(method, path, { ...headers, ...(body === null ? {} : { 'Transfer-Encoding': 'chunked' }) });
  if (body !== null) connection.socket.write(body);
  return await connection.readResponse(method);
}

describe('requests of other sites', () => {
  test('there are routes to ask', () => expect(unsafeRoutes.length).toBeGreaterThan(50));

  for (const body of [null, CHUNKED]) {
    test(`${body === null ? 'without a body' : 'with a chunked body'} are refused on every route`, async () => {
      for (const { method, path } of unsafeRoutes) {
        const headers = { Cookie: cookie, Origin: 'http://evil.example', 'Content-Type': 'application/json' };
        expect([method, path, (await ask(method, path, headers, body)).status]).toEqual([method, path, 403]);
      }
    });
  }

  test('a chunked body that is no JSON is refused on every route of the API', async () => {
    for (const { method, path } of unsafeRoutes.filter((route) => route.path.startsWith('/api/'))) {
      const headers = { Cookie: cookie, 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'text/plain' };
      expect([method, path, (await ask(method, path, headers, CHUNKED)).status]).toEqual([method, path, 415]);
    }
  });

  test('a chunked body of our own pages and scripts is taken', async () => {
    const own = { Cookie: cookie, 'Sec-Fetch-Site': 'same-origin' };
    const made = await ask(
      'POST',
      '/api/v1/tokens',
      { ...own, 'Content-Type': 'application/json' },
      `12\r\n{"scope":"stream"}\r\n0\r\n\r\n`,
    );
    expect([made.status, Buffer.from(made.body).toString()]).toEqual([
      201,
      expect.stringContaining('"scope":"stream"'),
    ]);
    const form = { ...own, 'Content-Type': 'application/x-www-form-urlencoded', Referer: 'http://localhost/' };
    const themed = await ask('POST', '/theme', form, 'a\r\ntheme=dark\r\n0\r\n\r\n');
    expect([themed.status, themed.header('set-cookie')]).toEqual([303, expect.stringContaining('dark')]);
    const tooLong = `${(300 * 1024).toString(16)}\r\n${' '.repeat(300 * 1024)}\r\n0\r\n\r\n`;
    for (const [path, type] of [
      ['/api/v1/tokens', 'application/json'],
      ['/theme', 'application/x-www-form-urlencoded'],
    ] as const) {
      expect((await ask('POST', path, { ...own, 'Content-Type': type }, tooLong)).status).toBe(413);
    }
  });
});

test('a form leads back to a page of ours, whatever its Referer says', async () => {
  const own = { Cookie: cookie, 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/x-www-form-urlencoded' };
  for (const [referer, location] of [
    ['http://localhost//evil.example/x', '/'],
    ['http://localhost/\\evil.example', '/'],
    ['http://localhost/.//evil.example', '/'],
    ['http://localhost/x/..//evil.example', '/'],
    ['http://localhost/%2e//evil.example', '/'],
    ['http://evil.example/library', '/'],
    ['http://localhost/library?q=a', '/library?q=a'],
  ] as const) {
    const answer = await ask('POST', '/theme', { ...own, Referer: referer }, 'a\r\ntheme=dark\r\n0\r\n\r\n');
    expect([referer, answer.status, answer.header('location')]).toEqual([referer, 303, location]);
  }
});

for (const path of ['/api/v1/tokens', '/login']) {
  test(`${path}: bodies that never end hold few places, and give them back without an error in the log`, async () => {
    const headers = { Cookie: cookie, 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/json' };
    const opened: RawConnection[] = [];
    const begin = async () => {
      const connection = await RawConnection.open(larder.port);
      opened.push(connection);
      connection.send('POST', path, { ...headers, 'Content-Length': '100' });
      connection.socket.write('{');
      return connection;
    };
    for (let count = 0; count < BODIES_PER_ADDRESS_MAX; count += 1) await begin();
    // They arrive in no order: one of those that came last is told.
    const refused = await Promise.any((await Promise.all([begin(), begin()])).concat(opened).map((c) => c.readHead()));
    expect(refused.status).toBe(429);
    for (const connection of opened) connection[Symbol.dispose]();
    for (;;) if ((await ask('POST', path, headers, CHUNKED)).status !== 429) break;
    expect(larder.log.filter((line) => /\berror\b.*(failed|stack)/.test(line))).toEqual([]);
  });
}
