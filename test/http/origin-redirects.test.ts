// Origins that redirect: where to is followed, where not, and addresses that are good for a while only (CONTRACT.md,
// stream promise 12; DESIGN.md §6, re-resolve). test/contract/origin-client.test.ts holds the credentials' part.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { REDIRECTS_MAX } from '../../src/limits.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { FaultyOrigin, FILE_BYTES, type TestFile } from './faulty-origin.ts';

let faulty: FaultyOrigin;
/** Another host:port: a CDN that the origin redirects to. */
let other: TestOrigin;

beforeAll(async () => {
  faulty = await FaultyOrigin.start();
  other = await startOrigin({ seed: 2 });
});

afterAll(async () => {
  await faulty[Symbol.asyncDispose]();
  await other.stop();
});

/** A chain of `hops` redirects within the origin that ends at `last`. */
function chain(hops: number, last: string): TestFile {
  let target = last;
  let file = faulty.newFile();
  for (let hop = 0; hop < hops; hop++) {
    if (hop > 0) file = faulty.newFile();
    faulty.origin.behave(file.path, { redirectTo: target });
    target = `/${file.path}`;
  }
  return file;
}

describe('redirects that are followed', () => {
  for (const redirectStatus of [301, 302, 303, 307, 308]) {
    test(`${redirectStatus} to another host and port, at the first open and at each later request: the bytes of there`, async () => {
      const target = `cdn-${redirectStatus}.mkv`;
      other.addFile(target, { sizeBytes: FILE_BYTES });
      const file = faulty.newFile({ behaviour: { redirectTo: `${other.url}${target}`, redirectStatus } });
      const part = await faulty.getRange(file, 2_000_000, 2_000_100);
      expect(part.status).toBe(206);
      other.assertBody(target, part.body, 2_000_000);
      const whole = await faulty.get(file);
      expect([whole.status, whole.isWhole]).toEqual([200, true]);
      expect(whole.header('location')).toBeUndefined();
      other.assertBody(target, whole.body);
    });
  }

  test('a chain of 5: all bytes', async () => {
    const last = faulty.newFile();
    const response = await faulty.get(chain(REDIRECTS_MAX, `/${last.path}`));
    expect([response.status, response.isWhole]).toEqual([200, true]);
    faulty.origin.assertBody(last.path, response.body);
  });

  test('a redirect whose target breaks off in mid-body: the reader does not notice', async () => {
    other.addFile('breaks.mkv', { sizeBytes: FILE_BYTES });
    other.behave('breaks.mkv', { cutAfterBytes: 1_000_000, times: 2 });
    const response = await faulty.get(faulty.newFile({ behaviour: { redirectTo: `${other.url}breaks.mkv` } }));
    expect(response.isWhole).toBe(true);
    other.assertBody('breaks.mkv', response.body);
  });

  test('a redirect that leads to another version from some time on: a reader in mid-stream is cut, the next gets the new one whole', async () => {
    const file = await faulty.newCachedFile();
    const seed = faulty.origin.seedOf(file.path);
    other.addFile('new.mkv', { sizeBytes: FILE_BYTES });
    faulty.origin.behave(file.path, { redirectTo: `${other.url}new.mkv` });
    await faulty.expectCut(file, seed);
    const response = await faulty.get(file);
    expect(response.isWhole).toBe(true);
    other.assertBody('new.mkv', response.body);
  });
});

describe('redirects that are not followed: 502 with the reason, what is cached is served, mid-stream the connection is cut', () => {
  const targets = [
    'file:///etc/passwd',
    'ftp://127.0.0.1/film.mkv',
    'data:text/plain,film',
    'http://169.254.169.254/latest/meta-data/',
    'http://2852039166/latest/meta-data/', // the same, in one number
    'http://169.254.10.10/',
    'http://[fe80::1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://224.0.0.1/',
    'http://[ff02::1]/',
    'http://255.255.255.255/',
    'http://240.0.0.1/',
    'http://0.0.0.0/',
    'http://[::]/',
  ];
  for (const redirectTo of targets) {
    test(`a redirect to ${redirectTo}: refused`, () => faulty.expectContained({ redirectTo }, 502, /refused/));
  }

  test('a redirect to Larder itself: refused', () =>
    faulty.expectContained({ redirectTo: `http://localhost:${faulty.larder.port}/healthz` }, 502, /Larder itself/));

  test('a forbidden address behind an allowed one: refused, and never asked', async () => {
    other.addFile('step.mkv', { sizeBytes: 10 });
    other.behave('step.mkv', { redirectTo: 'http://169.254.169.254/' });
    await faulty.expectContained({ redirectTo: `${other.url}step.mkv` }, 502, /refused/);
  });

  test('a redirect without Location', () => faulty.expectContained({ status: 302 }, 502, /without a usable Location/));

  test('a redirect to what is no address', () =>
    faulty.expectContained({ redirectTo: 'http://[broken' }, 502, /without a usable Location/));

  test('a loop of one', () => faulty.expectContained({ redirectTo: '' }, 502, /redirected more than 5 times/));

  test('a loop over two hosts', async () => {
    other.addFile('loop.mkv', { sizeBytes: 10 });
    const file = faulty.newFile({ behaviour: { redirectTo: `${other.url}loop.mkv` } });
    other.behave('loop.mkv', { redirectTo: `${faulty.origin.url}${file.path}` });
    await faulty.expectRefused(file, 502, /redirected more than 5 times/);
    await faulty.expectHealed(file);
  });

  test('a chain of 6', async () => {
    const last = faulty.newFile();
    const file = chain(REDIRECTS_MAX + 1, `/${last.path}`);
    await faulty.expectRefused(file, 502, /redirected more than 5 times/);
    expect(faulty.origin.requestsOf(last.path)).toEqual([]);
    await faulty.expectHealed(file);
  });

  test('a redirect to where nobody listens: 502 that names the host and no path', async () => {
    await using gone = await startOrigin();
    await gone.goDown();
    const fault = { redirectTo: `${gone.url}film.mkv?signature=secret` };
    const file = faulty.newFile({ behaviour: fault });
    const response = await faulty.expectRefused(file, 502, /cannot be reached/);
    expect(Buffer.from(response.body).toString()).not.toContain('secret');
    await faulty.expectHealed(file);
  });
});

describe('signed addresses that expire: asked for anew at the base address', () => {
  test('good for one request, and the connection breaks in mid-body: the reader does not notice', async () => {
    const signed = { usesMax: 1 };
    const file = faulty.newFile({ behaviour: { signed, stallAfterBytes: 1_000_000 } });
    const reading = faulty.expectWhole(file);
    await faulty.origin.until(() => faulty.origin.bytesSent(file.path) === 1_000_000);
    faulty.origin.behave(file.path, { signed });
    faulty.origin.cut(file.path);
    await reading;
    expect(faulty.origin.requestsOf(file.path).some((request) => request.status === 403)).toBe(false);
  });

  test('good for so many bytes, again and again: the reader does not notice', async () => {
    await faulty.expectWhole(faulty.newFile({ behaviour: { signed: { usesMax: 1 }, cutAfterBytes: 700_000 } }));
  });

  test('good for one request and expired when a seek comes: the right bytes', async () => {
    const file = await faulty.newCachedFile({ behaviour: { signed: { usesMax: 1 } } });
    await faulty.expectRange(file, 2_000_000, 2_000_100);
    await faulty.expectRange(file, 2_500_000, 2_500_100);
    await faulty.expectWhole(file);
  });

  test('a redirect that is expired already when it is handed out (403): asked for once more, and the reader does not notice', async () => {
    const file = faulty.newFile({ behaviour: { signed: { usesMax: 1, handedOutMax: 2 } } });
    await faulty.expectRange(file, 0, 1_000);
    await faulty.expectRange(file, 2_000_000, 2_000_100);
    await faulty.expectWhole(file);
    expect(faulty.origin.requestsOf(file.path).some((request) => request.status === 403)).toBe(true);
  });

  test('a redirect whose target always says 403: a status and the reason after one more try, and all bytes when it is well', async () => {
    other.addFile('forbidden.mkv', { sizeBytes: FILE_BYTES });
    other.behave('forbidden.mkv', { status: 403 });
    const file = faulty.newFile({ behaviour: { redirectTo: `${other.url}forbidden.mkv` } });
    await faulty.expectRefused(file, 502, /403/);
    expect(other.requestsOf('forbidden.mkv').length).toBe(2);
    other.behave('forbidden.mkv', null);
    const response = await faulty.get(file);
    expect(response.isWhole).toBe(true);
    other.assertBody('forbidden.mkv', response.body);
  });
});
