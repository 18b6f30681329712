// Bad input gets a clear error and changes nothing (DESIGN.md §5, invariant 10).
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { RawConnection, rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

let origin: TestOrigin;
let larder: RunningLarder;

beforeAll(async () => {
  origin = await startOrigin({
    files: {
      'films/a.bin': { sizeBytes: 100 },
      'secret.bin': { sizeBytes: 100 },
      'films/100% sure?.bin': { sizeBytes: 100 },
    },
  });
  larder = await startLarder({ args: ['--source', `films=${origin.url}films`] });
});

afterAll(async () => {
  await larder[Symbol.asyncDispose]();
  await origin.stop();
});

test('an unknown source answers 404 and says how sources are declared', async () => {
  const response = await rawRequest(larder.port, '/s/nothing/a.bin');
  expect(response.status).toBe(404);
  expect(Buffer.from(response.body).toString()).toMatch(/no source named "nothing"[\s\S]*--source/);
});

test('a folder that is not there, or not listed, answers 404 in words', async () => {
  for (const path of ['/s/films/', '/s/films/sub/']) {
    const response = await rawRequest(larder.port, path);
    expect(response.status).toBe(404);
    expect(Buffer.from(response.body).toString()).toContain('folder');
  }
  const response = await rawRequest(larder.port, '/s/films');
  expect(response.status).toBe(301);
});

describe('path traversal in any spelling stays inside the base URL or gets 400', () => {
  const spellings = [
    '../secret.bin',
    '..%2Fsecret.bin',
    '%2e%2e/secret.bin',
    '%2E%2E%2Fsecret.bin',
    '.%2e/secret.bin',
    './../secret.bin',
    'a/../../secret.bin',
    'a/%2e%2e/%2e%2e/secret.bin',
    '..%5Csecret.bin',
    '..\\secret.bin',
    '%252e%252e/secret.bin',
    '%c0%ae%c0%ae/secret.bin',
    '%u002e%u002e/secret.bin',
    '/secret.bin',
    '//secret.bin',
    'a.bin%00.mkv',
    'a%0d%0aX-Injected:1',
    'http://127.0.0.1/secret.bin',
    '..;/secret.bin',
  ];
  for (const spelling of spellings) {
    test(spelling, async () => {
      const before = origin.requests.length;
      const response = await rawRequest(larder.port, `/s/films/${spelling}`);
      expect([400, 404]).toContain(response.status);
      for (const request of origin.requests.slice(before)) expect(request.path).toStartWith('films/');
      expect(origin.requestsOf('secret.bin')).toEqual([]);
      expect(response.header('x-injected')).toBeUndefined();
    });
  }
});

test('names with signs that mean something in addresses are found', async () => {
  const response = await rawRequest(larder.port, '/s/films/100%25%20sure%3F.bin?token=1#part');
  expect(response.status).toBe(200);
  origin.assertBody('films/100% sure?.bin', response.body);
});

for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']) {
  test(`${method} of a stream answers 405 with Allow`, async () => {
    const response = await rawRequest(larder.port, '/s/films/a.bin', { 'Content-Length': '0' }, method);
    expect(response.status).toBe(405);
    expect(response.header('allow')).toBe('GET, HEAD');
  });
}

test('an address of 8 KB is answered, and a longer path refused', async () => {
  const long = await rawRequest(larder.port, `/s/films/${'a'.repeat(8_000)}`);
  expect(long.status).toBe(404);
  const longer = await rawRequest(larder.port, `/s/films/${'a'.repeat(9_000)}`);
  expect([400, 414, 431]).toContain(longer.status);
});

test('headers of 60 KB are taken, and more do not hurt', async () => {
  const filling = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`X-Filling-${index}`, 'x'.repeat(1_000)]));
  const response = await rawRequest(larder.port, '/s/films/a.bin', filling(50));
  expect([200, 431]).toContain(response.status);
  await rawRequest(larder.port, '/s/films/a.bin', filling(200)).catch(() => null);
  origin.assertBody('films/a.bin', (await rawRequest(larder.port, '/s/films/a.bin')).body);
});

test('nonsense on the socket does not hurt', async () => {
  for (const nonsense of [
    '\r\n\r\n',
    'GET\r\n\r\n',
    'GET /s/films/a.bin HTTP/9.9\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00',
    'GET  HTTP/1.1\r\nHost: \0\r\n\r\n',
  ]) {
    const connection = await RawConnection.open(larder.port);
    connection.socket.end(nonsense);
    await connection.closed();
  }
  origin.assertBody('films/a.bin', (await rawRequest(larder.port, '/s/films/a.bin')).body);
});
