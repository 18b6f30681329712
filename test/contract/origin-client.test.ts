// OriginClient over real sockets against an origin that does what origins do.
import { describe, expect, test } from 'bun:test';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { LarderError } from '../../src/errors.ts';
import { CONNECT_TIMEOUT_MS, FIRST_BYTE_TIMEOUT_MS, REDIRECTS_MAX } from '../../src/limits.ts';
import { OriginClient, type OriginRequest } from '../../src/sources/origin-client.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';

function requestFor(origin: TestOrigin, path: string, details: Partial<OriginRequest> = {}): OriginRequest {
  return {
    url: origin.url + path,
    headers: { authorization: 'Basic c2VjcmV0' },
    baseUrl: origin.url,
    ownPort: 1,
    local: null,
    range: { kind: 'from', start: 0, end: null },
    ifRange: null,
    expectsMedia: true,
    ...details,
  };
}

async function drain(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array> {
  return new Uint8Array(await new Response(body).arrayBuffer());
}

async function failure(promise: Promise<unknown>): Promise<LarderError> {
  const thrown = await promise.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
  if (!(thrown instanceof LarderError)) throw thrown;
  return thrown;
}

describe('OriginClient.open()', () => {
  test('open() asks for exactly the range, identity encoding and If-Range when it is told to', async () => {
    await using origin = await startOrigin({ files: { 'a.mkv': { sizeBytes: 5_000, etag: '"v1"' } } });
    const client = new OriginClient(new FakeClock());
    const range = { kind: 'from', start: 100, end: 200 } as const;
    const { head, body } = await client.open(
      requestFor(origin, 'a.mkv', { range, ifRange: '"v1"' }),
      new AbortController(),
    );
    expect(head).toMatchObject({ start: 100, bodyBytes: 100, totalBytes: 5_000, seekable: true, etag: '"v1"' });
    origin.assertBody('a.mkv', await drain(body), 100);
    const { headers } = origin.requests[0]!;
    expect(headers).toMatchObject({
      range: 'bytes=100-199',
      'if-range': '"v1"',
      'accept-encoding': 'identity',
      authorization: 'Basic c2VjcmV0',
    });
  });

  test('open() sends no weak tag as If-Range and no Range when it asks for the whole file', async () => {
    await using origin = await startOrigin({ files: { 'a.mkv': { sizeBytes: 50 } } });
    const client = new OriginClient(new FakeClock());
    const weak = await client.open(requestFor(origin, 'a.mkv', { ifRange: 'W/"v1"' }), new AbortController());
    await drain(weak.body);
    const whole = await client.open(
      requestFor(origin, 'a.mkv', { range: null, ifRange: '"v1"' }),
      new AbortController(),
    );
    await drain(whole.body);
    expect(origin.requests.map(({ range, headers }) => [range, headers['if-range']])).toEqual([
      ['bytes=0-', undefined],
      [undefined, undefined],
    ]);
  });

  test('open() resolves with the head while the body has not come yet', async () => {
    await using origin = await startOrigin({ files: { 'a.mkv': { sizeBytes: 5_000 } } });
    origin.behave('a.mkv', { stallAfterBytes: 0 });
    const abort = new AbortController();
    const { head } = await new OriginClient(new FakeClock()).open(requestFor(origin, 'a.mkv'), abort);
    expect(head.totalBytes).toBe(5_000);
    abort.abort();
    await origin.until(() => origin.openCount('a.mkv') === 0);
  });

  test('open() follows a chain of redirects inside when it is no longer than allowed', async () => {
    const files = Object.fromEntries(
      Array.from({ length: REDIRECTS_MAX + 2 }, (_, hop) => [`hop${hop}`, { sizeBytes: 100 }]),
    );
    await using origin = await startOrigin({ files });
    for (let hop = 0; hop < REDIRECTS_MAX; hop++) origin.behave(`hop${hop}`, { redirectTo: `/hop${hop + 1}` });
    const client = new OriginClient(new FakeClock());
    const { body } = await client.open(requestFor(origin, 'hop0'), new AbortController());
    origin.assertBody(`hop${REDIRECTS_MAX}`, await drain(body));
    origin.behave(`hop${REDIRECTS_MAX}`, { redirectTo: `/hop${REDIRECTS_MAX + 1}` });
    expect(await failure(client.open(requestFor(origin, 'hop0'), new AbortController()))).toMatchObject({
      code: 'origin-failed',
    });
    expect(origin.requestsOf(`hop${REDIRECTS_MAX + 1}`)).toEqual([]);
  });

  test('open() gives up when redirects go round in a loop or nowhere', async () => {
    await using origin = await startOrigin({ files: { a: { sizeBytes: 1 }, b: { sizeBytes: 1 } } });
    const client = new OriginClient(new FakeClock());
    origin.behave('a', { redirectTo: '/b' });
    origin.behave('b', { redirectTo: '/a' });
    expect((await failure(client.open(requestFor(origin, 'a'), new AbortController()))).message).toContain(
      'redirected',
    );
    expect(origin.requests.length).toBe(REDIRECTS_MAX + 1);
    origin.behave('a', { redirectTo: 'http://[broken' });
    expect(await failure(client.open(requestFor(origin, 'a'), new AbortController()))).toMatchObject({
      code: 'origin-failed',
    });
  });

  test('open() refuses a redirect when it leads to another scheme, to link-local or to Larder itself', async () => {
    await using origin = await startOrigin({ files: { a: { sizeBytes: 1 } } });
    const client = new OriginClient(new FakeClock());
    for (const target of [
      'file:///etc/passwd',
      'ftp://127.0.0.1/x',
      'data:,x',
      'http://169.254.169.254/latest',
      'http://127.0.0.1:1/s/films/a',
    ]) {
      origin.behave('a', { redirectTo: target });
      const error = await failure(client.open(requestFor(origin, 'a'), new AbortController()));
      expect([target, error.code, error.retry]).toEqual([target, 'forbidden-address', 'never']);
    }
  });

  test('open() drops the credentials when a redirect leads to another host and keeps them on its own', async () => {
    await using first = await startOrigin({ files: { a: { sizeBytes: 10 }, same: { sizeBytes: 10 } } });
    await using second = await startOrigin({ files: { b: { sizeBytes: 10 } } });
    const client = new OriginClient(new FakeClock());
    first.behave('a', { redirectTo: `${second.url}b` });
    await drain((await client.open(requestFor(first, 'a'), new AbortController())).body);
    expect(second.requests[0]!.headers.authorization).toBeUndefined();
    expect(second.requests[0]!.range).toBe('bytes=0-');
    first.behave('a', { redirectTo: '/same' });
    await drain((await client.open(requestFor(first, 'a'), new AbortController())).body);
    expect(first.requestsOf('same')[0]!.headers.authorization).toBe('Basic c2VjcmV0');
  });

  test('open() refuses to go to a local address when the source is not a local one', async () => {
    await using origin = await startOrigin({ files: { a: { sizeBytes: 10 } } });
    const lookup = (host: string) => Promise.resolve(host === 'films.example' ? ['203.0.113.7'] : ['127.0.0.1']);
    const client = new OriginClient(new FakeClock(), lookup);
    const request = { ...requestFor(origin, 'a'), baseUrl: 'https://films.example/' };
    expect(await failure(client.open(request, new AbortController()))).toMatchObject({ code: 'forbidden-address' });
    expect(origin.requests).toEqual([]);
  });

  test('open() says origin-silent and hangs up when no head comes in time', async () => {
    await using origin = await startOrigin({ files: { a: { sizeBytes: 10 } } });
    const clock = new FakeClock();
    origin.behave('a', { stallBeforeHead: true });
    const opening = failure(new OriginClient(clock).open(requestFor(origin, 'a'), new AbortController()));
    await origin.until(() => origin.openCount('a') === 1);
    await clock.run(FIRST_BYTE_TIMEOUT_MS + 1);
    expect(await opening).toMatchObject({ code: 'origin-silent', retry: 'soon' });
    await origin.until(() => origin.openCount('a') === 0);
    expect(clock.pendingCount).toBe(0);
  });

  test('open() says origin-silent earlier when not even a connection is taken', async () => {
    // The request hangs on a server that answers nothing; that it takes connections no more is what the second look
    // half-way finds out.
    const clock = new FakeClock();
    const silent: Server = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const connected = new Promise<void>((resolve) => silent.once('connection', () => resolve()));
    const base = `http://127.0.0.1:${port}/`;
    const request: OriginRequest = {
      url: `${base}a`,
      headers: {},
      baseUrl: base,
      ownPort: 1,
      local: null,
      range: null,
      ifRange: null,
      expectsMedia: false,
    };
    const opening = failure(new OriginClient(clock).open(request, new AbortController()));
    await connected;
    silent.close();
    await clock.run(CONNECT_TIMEOUT_MS + 1, 10);
    expect((await opening).message).toContain('took no connection');
  });

  test('open() fails at once with a reason when the origin is down', async () => {
    const origin = await startOrigin({ files: { a: { sizeBytes: 10 } } });
    await origin.goDown();
    const clock = new FakeClock();
    expect(await failure(new OriginClient(clock).open(requestFor(origin, 'a'), new AbortController()))).toMatchObject({
      code: 'origin-failed',
      retry: 'soon',
    });
    expect(clock.pendingCount).toBe(0);
  });

  test('open() says stopped when it is called off while it waits', async () => {
    await using origin = await startOrigin({ files: { a: { sizeBytes: 10 } } });
    origin.behave('a', { stallBeforeHead: true });
    const abort = new AbortController();
    const opening = failure(new OriginClient(new FakeClock()).open(requestFor(origin, 'a'), abort));
    await origin.until(() => origin.openCount('a') === 1);
    abort.abort();
    expect(await opening).toMatchObject({ code: 'stopped' });
  });

  test('open() hangs up when the answer is no use, and says why', async () => {
    await using origin = await startOrigin({ files: { 'a.mkv': { sizeBytes: 500_000 } } });
    const client = new OriginClient(new FakeClock());
    const range = { kind: 'from', start: 1_000, end: null } as const;
    const cases = [
      [{ gzip: true }, 'origin-lied'],
      [{ html: true }, 'origin-refused'],
      [{ shiftBytes: 1 }, 'origin-lied'],
      [{ contentRange: 'bytes 0-9/*' }, 'origin-lied'],
      [{ contentRange: 'nonsense' }, 'origin-lied'],
      [{ status: 404 }, 'not-found'],
      [{ status: 403 }, 'origin-refused'],
      [{ status: 500 }, 'origin-failed'],
      [{ status: 429, headers: { 'Retry-After': '3' } }, 'origin-busy'],
    ] as const;
    for (const [behaviour, code] of cases) {
      origin.behave('a.mkv', { ...behaviour, times: 1 });
      const error = await failure(client.open(requestFor(origin, 'a.mkv', { range }), new AbortController()));
      expect([behaviour, error.code]).toEqual([behaviour, code]);
      await origin.until(() => origin.openCount('a.mkv') === 0);
    }
  });
});
