// Hosts that a source leads to are connected to at the addresses that were checked, whatever their names mean later
// (facts/pitfalls.md 104). test/runtime/pinned-fetch.test.ts has the same on other runtimes and over TLS.
import { describe, expect, test } from 'bun:test';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { LarderError } from '../../src/errors.ts';
import { CONNECT_TIMEOUT_MS, FIRST_BYTE_TIMEOUT_MS } from '../../src/limits.ts';
import type { AddressLookup } from '../../src/sources/address-guard.ts';
import { OriginClient, type OriginQuestion } from '../../src/sources/origin-client.ts';
import { PinnedFetch, type PinnedRequest, requestTarget } from '../../src/sources/pinned-fetch.ts';
import { FakeClock, turnLoop } from '../support/fake-clock.ts';
import { type LoopbackServer, serveLoopback } from '../support/loopback-server.ts';

const MIB = 1024 * 1024;

function question(url: string, details: Partial<OriginQuestion> = {}): OriginQuestion {
  return {
    url,
    headers: { authorization: 'Basic c2VjcmV0' },
    baseUrl: 'http://127.0.0.1/',
    ownPort: 1,
    local: true,
    method: 'GET',
    body: null,
    ownHeaders: { 'accept-encoding': 'gzip' },
    ...details,
  };
}

/** Each name's addresses, one answer after the other; the last one stays. */
function lookupOf(names: Readonly<Record<string, readonly (readonly string[])[]>>): AddressLookup {
  const counts = new Map<string, number>();
  return (host) => {
    const answers = names[host];
    if (answers === undefined) return Promise.reject(Object.assign(new Error('not there'), { code: 'ENOTFOUND' }));
    const count = counts.get(host) ?? 0;
    counts.set(host, count + 1);
    return Promise.resolve(answers[Math.min(count, answers.length - 1)] ?? []);
  };
}

function request(url: string, addresses: readonly string[], details: Partial<PinnedRequest> = {}): PinnedRequest {
  return {
    url: new URL(url),
    addresses,
    clientCertificate: null,
    method: 'GET',
    headers: {},
    body: null,
    signal: new AbortController().signal,
    onConnected: () => undefined,
    ...details,
  };
}

async function failure(promise: Promise<unknown>): Promise<LarderError> {
  const thrown = await promise.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
  if (!(thrown instanceof LarderError)) throw thrown;
  return thrown;
}

const hello = (_: IncomingMessage, response: ServerResponse) => void response.end('hello');

async function follow(client: OriginClient, asked: OriginQuestion): Promise<string> {
  return (await client.follow(asked, new AbortController())).response.text();
}

describe('OriginClient.follow() to a host that is handed out', () => {
  test('a name that means another address a moment later: the checked one is asked, by its name', async () => {
    await using good = await serveLoopback(hello, { address: '127.0.0.2' });
    await using secret = await serveLoopback(hello, { port: good.port });
    const client = new OriginClient(new FakeClock(), lookupOf({ 'cdn.test': [['127.0.0.2'], ['127.0.0.1']] }));
    expect(await follow(client, question(`http://cdn.test:${good.port}/film`))).toBe('hello');
    expect(good.requests).toEqual([{ host: `cdn.test:${good.port}`, url: '/film' }]);
    expect(secret.connectionCount).toBe(0);
  });

  test('a public name that is rebound to loopback after it was checked: loopback is not even connected to', async () => {
    await using secret = await serveLoopback(hello);
    // 2001:2::/48 is for benchmarks and routed nowhere (RFC 5180 §8).
    const names = { 'films.test': [['2001:2::1'], ['127.0.0.1']], 'cdn.test': [['2001:2::1'], ['127.0.0.1']] };
    for (const [host, local] of [
      ['films.test', false], // its own host, where private networks are not for it
      ['cdn.test', false],
      ['cdn.test', null],
    ] as const) {
      const clock = new FakeClock();
      const client = new OriginClient(clock, lookupOf(names));
      const baseUrl = `http://films.test:${secret.port}/`;
      const asked = question(`http://${host}:${secret.port}/`, { baseUrl, local });
      const asking = failure(client.follow(asked, new AbortController()));
      await turnLoop();
      await clock.run(CONNECT_TIMEOUT_MS + 1, 10);
      expect(['origin-failed', 'origin-silent']).toContain((await asking).code);
    }
    expect(secret.connectionCount).toBe(0);
  });

  test('each hop is checked, and connected to as it was checked', async () => {
    const names = lookupOf({
      'one.test': [['127.0.0.2'], ['127.0.0.1']],
      'two.test': [['127.0.0.3'], ['127.0.0.1']],
      'metadata.test': [['169.254.169.254']],
    });
    let port = 0;
    const redirect = (to: string) => (_: IncomingMessage, response: ServerResponse) =>
      void response.writeHead(302, { location: to.replace('PORT', String(port)) }).end('elsewhere');
    await using base = await serveLoopback(redirect('http://one.test:PORT/1'));
    port = base.port;
    await using one = await serveLoopback(redirect('http://two.test:PORT/2'), { address: '127.0.0.2', port });
    await using two = await serveLoopback(redirect('http://metadata.test/3'), { address: '127.0.0.3', port });
    const client = new OriginClient(new FakeClock(), names);
    const baseUrl = `http://127.0.0.1:${port}/`;
    const error = await failure(client.follow(question(baseUrl, { baseUrl }), new AbortController()));
    expect([error.code, error.message]).toEqual(['forbidden-address', expect.stringContaining('metadata.test')]);
    expect([base, one, two].map(({ requests }) => requests.map(({ url }) => url))).toEqual([['/'], ['/1'], ['/2']]);
  });

  test('an IPv6 address', async () => {
    const six = await serveLoopback(hello, { address: '::1' }).catch(() => null);
    if (six === null) return; // a machine without IPv6
    await using server = six;
    const client = new OriginClient(new FakeClock(), lookupOf({ 'six.test': [['::1']] }));
    expect(await follow(client, question(`http://six.test:${server.port}/`))).toBe('hello');
    expect(server.requests[0]?.host).toBe(`six.test:${server.port}`);
  });

  test('the second address when the first takes no connection; no address at all', async () => {
    await using server = await serveLoopback(hello);
    const names = lookupOf({
      'cdn.test': [['127.0.0.9', '127.0.0.1']],
      'none.test': [[]],
      'down.test': [['127.0.0.9']],
    });
    const clock = new FakeClock();
    const client = new OriginClient(clock, names);
    expect(await follow(client, question(`http://cdn.test:${server.port}/`))).toBe('hello');
    const messages = await Promise.all(
      ['none', 'down'].map(async (name) => {
        const asked = question(`http://${name}.test:${server.port}/`);
        const { code, retry, message } = await failure(client.follow(asked, new AbortController()));
        expect([code, retry]).toEqual(['origin-failed', 'soon']);
        return message;
      }),
    );
    expect(messages[0]).toContain('the name has no address');
    expect(messages[1]).toContain('nothing listens there');
  });

  test('an address that is silent is left for the next, and the last is given up', async () => {
    await using one = await serveLoopback(hello, { address: '127.0.0.2' });
    await using two = await serveLoopback(hello, { port: one.port });
    const clock = new FakeClock();
    const client = new OriginClient(
      clock,
      lookupOf({ 'two.test': [['127.0.0.2', '127.0.0.1']], 'one.test': [['127.0.0.2']] }),
    );
    // Before the loop turns no connection can come about: that is what silence looks like.
    const waiting = async (count: number) => {
      while (clock.pendingCount < count) await Promise.resolve();
    };
    const asking = follow(client, question(`http://two.test:${one.port}/`));
    await waiting(3);
    clock.advance(2_500);
    expect(await asking).toBe('hello');
    expect([one.requests.length, two.requests.length]).toEqual([0, 1]);
    await clock.run(60_000);
    const silent = failure(client.follow(question(`http://one.test:${one.port}/`), new AbortController()));
    await waiting(2);
    clock.advance(CONNECT_TIMEOUT_MS);
    expect(await silent).toMatchObject({
      code: 'origin-silent',
      message: expect.stringContaining('took no connection'),
    });
    expect(clock.pendingCount).toBe(0);
  });

  test('a silent one is given up; one that is called off hangs up', async () => {
    await using server = await serveLoopback(() => undefined);
    const clock = new FakeClock();
    const client = new OriginClient(clock, lookupOf({ 'cdn.test': [['127.0.0.1']] }));
    const asked = question(`http://cdn.test:${server.port}/`);
    const silent = failure(client.follow(asked, new AbortController()));
    await server.until(() => server.requests.length === 1);
    await clock.run(FIRST_BYTE_TIMEOUT_MS + 1);
    expect(await silent).toMatchObject({ code: 'origin-silent', message: expect.stringContaining('sent nothing') });
    await server.until(() => server.openCount === 0);
    const abort = new AbortController();
    const stopped = failure(client.follow(asked, abort));
    await server.until(() => server.requests.length === 2);
    abort.abort();
    expect((await stopped).code).toBe('stopped');
    await server.until(() => server.openCount === 0);
    expect(clock.pendingCount).toBe(0);
    const before = new AbortController();
    before.abort();
    expect((await failure(client.follow(asked, before))).code).toBe('stopped');
    expect(server.requests.length).toBe(2);
  });

  test('a compressed listing is unpacked; a compressed film is refused as it is', async () => {
    await using server = await serveLoopback((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'text/plain' }).end(gzipSync('a listing'));
    });
    const client = new OriginClient(new FakeClock(), lookupOf({ 'cdn.test': [['127.0.0.1']] }));
    const url = `http://cdn.test:${server.port}/`;
    expect(await follow(client, question(url))).toBe('a listing');
    const file = { ...question(url), range: null, ifRange: null, expectsMedia: false };
    expect((await failure(client.open(file, new AbortController()))).code).toBe('origin-lied');
    await server.until(() => server.openCount <= 1);
  });
});

describe('PinnedFetch.request()', () => {
  const text = async (fetch: PinnedFetch, server: LoopbackServer, details: Partial<PinnedRequest> = {}) =>
    (await fetch.request(request(`http://cdn.test:${server.port}/`, ['127.0.0.1'], details))).text();

  test('a connection is used again for the same name at a checked address, and closed when it is idle for long', async () => {
    await using server = await serveLoopback(hello);
    const clock = new FakeClock();
    const fetch = new PinnedFetch(clock);
    for (let count = 0; count < 15; count++) expect(await text(fetch, server)).toBe('hello');
    expect([server.connectionCount, clock.pendingCount]).toEqual([1, 1]);
    // Other names and other addresses have connections of their own.
    expect(await text(fetch, server, { url: new URL(`http://other.test:${server.port}/`) })).toBe('hello');
    expect(server.connectionCount).toBe(2);
    const elsewhere = text(fetch, server, { addresses: ['127.0.0.9'] });
    expect(await elsewhere.catch((error: { code: string }) => error.code)).toBe('ECONNREFUSED');
    // What may not be asked twice goes over a new one.
    expect(await text(fetch, server, { method: 'POST', body: 'x' })).toBe('hello');
    expect(server.connectionCount).toBe(3);
    await clock.run(60_000);
    await server.until(() => server.openCount === 0);
    expect(clock.pendingCount).toBe(0);
  });

  test('a kept connection that is closed, while it is idle or as it is asked, is replaced', async () => {
    let isLast = false;
    await using server = await serveLoopback((request, response) => {
      if (isLast && server.connectionCount === 2) request.socket.destroy();
      else response.writeHead(200, isLast ? { connection: 'close' } : {}).end('hello');
    });
    const clock = new FakeClock();
    const fetch = new PinnedFetch(clock);
    isLast = true;
    await text(fetch, server);
    await server.until(() => server.openCount === 0);
    isLast = false;
    await text(fetch, server);
    expect([server.connectionCount, server.openCount]).toEqual([2, 1]);
    isLast = true;
    expect(await text(fetch, server)).toBe('hello');
    expect([server.connectionCount, server.requests.length]).toEqual([3, 4]);
    await server.until(() => server.openCount === 0);
    expect(clock.pendingCount).toBe(0);
  });

  test('no more than a few idle connections are kept', async () => {
    await using server = await serveLoopback(hello);
    const clock = new FakeClock();
    const fetch = new PinnedFetch(clock);
    const names = Array.from({ length: 12 }, (_, index) => new URL(`http://cdn${index}.test:${server.port}/`));
    await Promise.all(names.map((url) => text(fetch, server, { url })));
    await server.until(() => server.openCount === 8);
    expect([server.connectionCount, clock.pendingCount]).toEqual([12, 8]);
  });

  test('a body comes no faster than it is read, and all of it', async () => {
    const bodyBytes = 64 * MIB;
    let sentBytes = 0;
    await using server = await serveLoopback((request, response) => {
      if (request.url === '/') return hello(request, response);
      response.writeHead(200, { 'content-length': bodyBytes });
      const piece = Buffer.alloc(MIB, 7);
      const send = () => {
        if (sentBytes === bodyBytes) return void response.end();
        sentBytes += piece.length;
        response.write(piece, () => send());
      };
      send();
    });
    const fetch = new PinnedFetch(new FakeClock());
    const response = await fetch.request(request(`http://cdn.test:${server.port}/film`, ['127.0.0.1']));
    // Long enough for all of it, were there nobody to hold it back.
    for (let count = 0; count < 300; count++) await text(fetch, server);
    expect(sentBytes).toBeLessThan(16 * MIB);
    let read = 0;
    for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) read += bytes.length;
    expect(read).toBe(bodyBytes);
  });

  test('a body that is called off, or not wanted any more, hangs up; one that breaks off fails', async () => {
    await using server = await serveLoopback((request, response) => {
      response.writeHead(200, { 'content-length': 1_000_000 });
      response.write('beginning');
      if (request.url === '/cut') setImmediate(() => response.socket?.destroy());
    });
    const fetch = new PinnedFetch(new FakeClock());
    const ask = async (path: string, signal = new AbortController().signal) =>
      (
        await fetch.request(request(`http://cdn.test:${server.port}/${path}`, ['127.0.0.1'], { signal }))
      ).body!.getReader();
    const abort = new AbortController();
    const first = await ask('', abort.signal);
    await first.read();
    abort.abort();
    expect(await first.read().catch((error: Error) => error.name)).toBe('AbortError');
    await server.until(() => server.openCount === 0);
    const second = await ask('');
    await second.read();
    await second.cancel();
    await server.until(() => server.openCount === 0);
    const third = await ask('cut');
    const readAll = async () => {
      while (!(await third.read()).done);
    };
    expect(await readAll().catch((error: { code: string }) => error.code)).toBe('ECONNRESET');
    await server.until(() => server.openCount === 0);
  });

  test('a compressed body that is called off fails, and hangs up', async () => {
    const packed = gzipSync('a listing'.repeat(100));
    await using server = await serveLoopback((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.write(packed.subarray(0, packed.length - 8));
    });
    const abort = new AbortController();
    const details = { signal: abort.signal, headers: { 'accept-encoding': 'gzip' } };
    const fetch = new PinnedFetch(new FakeClock());
    const response = await fetch.request(request(`http://cdn.test:${server.port}/`, ['127.0.0.1'], details));
    const reading = response.text().catch((error: Error) => error.name);
    abort.abort();
    expect(await reading).toBe('AbortError');
    await server.until(() => server.openCount === 0);
  });

  test('answers without a body, with odd words, with no status', async () => {
    await using server = await serveLoopback((request, response) => {
      if (request.url === '/204') response.writeHead(204).end();
      else if (request.url === '/304') response.writeHead(304, { etag: '"v1"' }).end();
      else if (request.url === '/empty')
        response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': 0 }).end();
      else if (request.url === '/early') request.socket.end();
      else if (request.url === '/999') request.socket.end('HTTP/1.1 999 what\r\n\r\n');
      else request.socket.end('HTTP/1.1 200 \xfcber\r\nx-a: 1\r\nx-a: 2\r\ncontent-length: 1\r\n\r\nx');
    });
    const fetch = new PinnedFetch(new FakeClock());
    const ask = (path: string) =>
      fetch.request(
        request(`http://cdn.test:${server.port}${path}`, ['127.0.0.1'], { headers: { 'accept-encoding': 'gzip' } }),
      );
    const empty = await ask('/204');
    expect([empty.status, empty.body]).toEqual([204, null]);
    expect((await ask('/304')).headers.get('etag')).toBe('"v1"');
    expect(await (await ask('/empty')).text()).toBe('');
    const odd = await ask('/odd');
    expect([odd.statusText, odd.headers.get('x-a'), await odd.text()]).toEqual(['ber', '1, 2', 'x']);
    expect(await ask('/999').catch((error: LarderError) => error.code)).toBe('origin-lied');
    expect(await ask('/early').catch((error: { code: string }) => error.code)).toBe('ECONNRESET');
  });

  test('the request line is what fetch would send', () => {
    const targets = ['http://h:1/a?', 'https://h/ä b#x?y', 'http://[::1]:2/?q=/x', 'http://h'];
    expect(targets.map((url) => requestTarget(new URL(url)))).toEqual(['/a?', '/%C3%A4%20b', '/?q=/x', '/']);
  });
});
