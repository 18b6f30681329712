// The test of a source against origins that are well and origins that are not: each says at which step, why, and what
// to do.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { makeSelfSigned } from '../../src/access/self-signed.ts';
import { systemClock } from '../../src/clock.ts';
import { SOURCE_TEST_MS } from '../../src/limits.ts';
import { type AddressLookup, systemLookup } from '../../src/sources/address-guard.ts';
import { type HttpTarget, parseSourceUrl } from '../../src/sources/http-source.ts';
import { OriginClient } from '../../src/sources/origin-client.ts';
import { testSource } from '../../src/sources/source-test.ts';
import type { SourceTestReport, TestStepName } from '../../src/sources/source-test-report.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startOrigin, type TestOrigin } from '../support/origin.ts';
import { turnUntil } from './faulty-origin.ts';

const FILE_BYTES = 3_000_000;
const DAY_MS = 86_400_000;
const SECRET = 'hunter2';

let origin: TestOrigin;
const servers: Server[] = [];

beforeAll(async () => {
  origin = await startOrigin({
    files: { 'film.mkv': { sizeBytes: FILE_BYTES }, 'Sub/Ä film.mkv': { sizeBytes: 500 } },
  });
});
afterAll(async () => {
  for (const server of servers) server.close();
  await origin.stop();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createHttpServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function serveSecurely(names: string[], fromMs: number, untilMs: number): Promise<number> {
  const { certificate, key } = await makeSelfSigned({ names, fromMs, untilMs });
  const server = createSecureServer({ cert: certificate, key }, (_, response) => response.end('x'));
  servers.push(server as unknown as Server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

interface Options extends Partial<HttpTarget> {
  readonly file?: string | null;
  readonly ownPort?: number;
  readonly lookup?: AddressLookup;
}

async function run({ file = null, ownPort = 1, lookup = systemLookup, ...target }: Options = {}) {
  const shown: string[] = [];
  const whole: HttpTarget = { url: origin.url, credentials: null, local: true, ...target };
  const client = new OriginClient(systemClock, lookup);
  const services = { client, lookup, clock: systemClock, ownPort, trySignIn: null };
  const { signal } = new AbortController();
  const report = await testSource(whole, services, { file, signal, onStep: ({ step }) => shown.push(step) });
  expect(shown).toEqual(report.steps.map(({ step }) => step));
  expect(JSON.stringify(report)).not.toContain(SECRET);
  return report;
}

function step({ steps }: SourceTestReport, name: TestStepName) {
  return steps.find((one) => one.step === name)!;
}

/** The one step that failed, as `name: detail → hint`, when those behind it were not tried. */
function failedStep(report: SourceTestReport): string {
  expect(report.ok).toBe(false);
  const index = report.steps.findIndex(({ ok }) => ok === false);
  expect(report.steps.slice(index + 1).every(({ ok, detail }) => ok === null && detail === 'not tried')).toBe(true);
  const { step, detail, hint } = report.steps[index]!;
  return `${step}: ${detail} → ${hint}`;
}

describe('testSource() with an origin that is well', () => {
  test('a file that is named: every step with its time and what was found', async () => {
    const report = await run({ file: 'film.mkv' });
    expect(report.ok).toBe(true);
    expect(report.steps.map(({ step, ok }) => [step, ok])).toEqual([
      ['name', true],
      ['connect', true],
      ['tls', null],
      ['sign-in', true],
      ['ranges', true],
      ['length', true],
      ['speed', true],
      ['clock', true],
    ]);
    expect(report.steps.every(({ ok, ms }) => (ok === null) === (ms === null))).toBe(true);
    expect(step(report, 'length').detail).toBe('the file has 3.0 MB');
    expect(report.capabilities).toMatchObject({ ranges: true, length: true, validator: 'strong ETag' });
    expect(report.capabilities.bytesPerSecond).toBeGreaterThan(0);
    // Not more than it says it would.
    expect(origin.requestsOf('film.mkv').map(({ range }) => range)).toEqual(['bytes=0-0', 'bytes=0-1048575']);
  });

  test('a folder that lists no files is no fault, and says what to give', async () => {
    const report = await run();
    expect(report.ok).toBe(true);
    expect(step(report, 'sign-in')).toMatchObject({
      ok: true,
      detail: 'it answers, and says that there is nothing at this address (404)',
    });
    expect(step(report, 'speed')).toMatchObject({ ok: null, detail: 'not tried: it takes a file' });
  });

  test('a web page that lists nothing, and one of folders', async () => {
    const say = (html: string) =>
      serve((_, response) => response.setHeader('Content-Type', 'text/html').end(`<html>${html}`));
    const start = await run({ url: await say('<a href="/login">Sign in</a>') });
    expect(step(start, 'sign-in')).toMatchObject({
      ok: true,
      detail: 'it answers with a web page that lists no files',
    });
    const folders = await run({ url: await say('<a href="Films/">Films</a>') });
    expect(step(folders, 'sign-in').hint).toStartWith('no film or music lies right in it');
  });

  test('a folder that lists files is tested with a film of it', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/') {
        response.setHeader('Content-Type', 'text/html');
        response.end('<a href="../">up</a><a href="a.txt">a</a><a href="Some%20Film.mkv">f</a>');
        return;
      }
      expect(request.url).toBe('/Some%20Film.mkv');
      response.setHeader('Content-Length', '5');
      response.end('12345');
    });
    const report = await run({ url });
    expect([report.ok, report.file]).toEqual([true, 'Some Film.mkv']);
    // It plays, and the steps say how well.
    expect(step(report, 'ranges')).toMatchObject({ ok: false, detail: 'it serves files from their beginning only' });
    expect(step(report, 'length')).toMatchObject({ ok: true, detail: 'the file has 5 bytes' });
    expect(report.capabilities).toMatchObject({ ranges: false, validator: 'none' });
  });

  test('a file in a folder, with letters that must be encoded', async () => {
    expect((await run({ file: 'Sub/Ä film.mkv' })).capabilities.ranges).toBe(true);
  });

  test('a length that it does not say, a clock that is wrong', async () => {
    origin.behave('film.mkv', { ranges: 'none', hideLength: true, headers: { Date: 'Mon, 01 Jan 2024 00:00:00 GMT' } });
    const report = await run({ file: 'film.mkv' });
    origin.behave('film.mkv', null);
    expect(report.ok).toBe(true);
    expect(step(report, 'length')).toMatchObject({ ok: false, detail: 'it does not say how long the file is' });
    expect(step(report, 'clock').ok).toBe(false);
    expect(step(report, 'clock').detail).toContain('behind ours');
  });
});

describe('testSource() says at which step it fails, why, and what to do', () => {
  test('name: that is not there', async () => {
    const lookup = () => Promise.reject(Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' }));
    expect(failedStep(await run({ url: 'http://films.invalid/', lookup }))).toBe(
      'name: films.invalid cannot be looked up: there is no such name → check how it is written, and the name server of this machine',
    );
  });

  test('name: of a private network that the source may not reach; of metadata; of Larder itself', async () => {
    expect(failedStep(await run({ local: false }))).toContain(
      'may not reach private networks → allow private addresses',
    );
    expect(failedStep(await run({ url: 'http://169.254.169.254/' }))).toStartWith('name: the source leads to');
    expect(failedStep(await run({ ownPort: origin.port }))).toContain('it is Larder itself');
  });

  test('what cannot be a source says what is meant instead', async () => {
    expect(failedStep(await run({ url: 'http://169.254.169.254/' }))).toContain(
      '169.254.169.254 is a link-local address → give the address that the origin has in your network',
    );
    expect(failedStep(await run({ ownPort: origin.port }))).toContain('→ give the address of the machine');
    expect(failedStep(await run({ url: `${origin.url}film.mkv/` }))).toContain(
      'the address is that of a file, and a source is a folder',
    );
    for (const [status, hint] of [
      [400, 'write https:// in place of http://'],
      [503, 'try again in a while'],
    ] as const) {
      const url = await serve((_, response) => response.writeHead(status).end());
      expect(failedStep(await run({ url }))).toContain(hint);
    }
    expect(() => parseSourceUrl('127.0.0.1:9901/films')).toThrow(
      expect.objectContaining({ hint: 'write http://127.0.0.1:9901/films, or https:// before it' }),
    );
    expect(() => parseSourceUrl('me:hush@nas/films')).toThrow(
      expect.not.objectContaining({ hint: expect.stringContaining('hush') }),
    );
  });

  test('connect: nothing listens', async () => {
    const gone = createTcpServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    expect(failedStep(await run({ url: `http://127.0.0.1:${port}/` }))).toBe(
      `connect: nothing listens at 127.0.0.1, port ${port} → check the port, and that the origin is running`,
    );
  });

  test('tls: self-signed, run out, of another name, and a port that does not speak it', async () => {
    const nowMs = Date.now();
    const lookup = () => Promise.resolve(['127.0.0.1']);
    const good = await serveSecurely(['films.test'], nowMs - DAY_MS, nowMs + 90 * DAY_MS);
    expect(failedStep(await run({ url: `https://films.test:${good}/`, lookup }))).toStartWith(
      'tls: its certificate is self-signed (by films.test) → give the origin a certificate that this machine trusts',
    );
    const old = await serveSecurely(['films.test'], nowMs - 90 * DAY_MS, nowMs - DAY_MS);
    expect(failedStep(await run({ url: `https://films.test:${old}/`, lookup }))).toContain(
      'tls: its certificate ran out on ',
    );
    const early = await serveSecurely(['films.test'], nowMs + DAY_MS, nowMs + 9 * DAY_MS);
    expect(failedStep(await run({ url: `https://films.test:${early}/`, lookup }))).toContain(
      '→ check the clock of this machine',
    );
    const plain = origin.url.replace('http:', 'https:');
    expect(failedStep(await run({ url: plain }))).toContain('write http:// in place of https://');
  });

  const password = { username: 'me', password: SECRET };
  for (const [what, headers, credentials, words] of [
    ['no credentials', {}, null, 'it wants to know who asks (401) → enter a user name and password, or a token'],
    [
      'wrong ones',
      {},
      password,
      'it does not take the user name and password (401) → check them, and enter them again',
    ],
    ['a wrong token', {}, { token: SECRET }, 'it does not take the token (401)'],
    [
      'Digest, wrong ones',
      { 'WWW-Authenticate': 'Digest realm="x", nonce="1", qop="auth"' },
      password,
      'it does not take the user name and password (401)',
    ],
    [
      'Digest, and a token',
      { 'WWW-Authenticate': 'Digest realm="x", nonce="1"' },
      { token: SECRET },
      'it wants a user name and a password, by Digest, and was given the token (401) → enter a user name and password',
    ],
    [
      'Digest of a kind of its own',
      { 'WWW-Authenticate': 'Digest realm="x", nonce="1", algorithm=SHA-1' },
      password,
      'by a form of Digest that Larder does not speak (401)',
    ],
    ['Negotiate', { 'WWW-Authenticate': 'Negotiate' }, password, 'by Negotiate, which Larder does not speak (401)'],
  ] as const) {
    test(`sign-in: ${what}`, async () => {
      origin.behave('film.mkv', { status: 401, headers });
      expect(failedStep(await run({ file: 'film.mkv', credentials }))).toContain(`sign-in: it`);
      expect(failedStep(await run({ file: 'film.mkv', credentials }))).toContain(words);
      origin.behave('film.mkv', null);
    });
  }

  test('sign-in: a folder that wants to know who asks', async () => {
    const url = await serve((_, response) => response.writeHead(401).end());
    expect(failedStep(await run({ url }))).toContain('sign-in: it wants to know who asks (401)');
  });

  for (const [what, behaviour, words] of [
    ['403', { status: 403 }, 'it refuses the file (403)'],
    ['404', { status: 404 }, 'there is no "film.mkv" below the address (404)'],
    ['500', { status: 500 }, 'the origin answered 500'],
    ['429', { status: 429, headers: { 'Retry-After': '60' } }, 'the origin answered 429'],
    ['an HTML page', { html: true }, 'it may be a sign-in page'],
    ['a wrong range', { contentRange: 'bytes 5-5/3000000' }, 'does not begin at 0'],
    ['a compressed body', { gzip: true }, 'sent a gzip body'],
    ['a redirect to metadata', { redirectTo: 'http://169.254.169.254/' }, 'which is refused'],
  ] as const) {
    test(`sign-in: ${what}`, async () => {
      origin.behave('film.mkv', behaviour);
      const said = failedStep(await run({ file: 'film.mkv', credentials: password }));
      expect(said).toStartWith('sign-in: ');
      expect(said).toContain(words);
      origin.behave('film.mkv', null);
    });
  }

  test('credentials do not go with a redirect to another host', async () => {
    await using other = await startOrigin({ files: { 'film.mkv': { sizeBytes: 500 } } });
    for (const credentials of [
      password,
      { token: SECRET },
      { headers: { 'X-Api-Key': SECRET, Cookie: `a=${SECRET}` } },
    ]) {
      origin.behave('film.mkv', { redirectTo: `${other.url}film.mkv` });
      expect((await run({ file: 'film.mkv', credentials })).ok).toBe(true);
    }
    origin.behave('film.mkv', null);
    expect(other.requests.length).toBe(6);
    for (const { headers } of other.requests) expect(JSON.stringify(headers)).not.toContain(SECRET);
    for (const { headers } of other.requests) expect(headers.authorization).toBeUndefined();
  });
});

describe('testSource() ends', () => {
  test('an origin that is silent: given up after a while, and at the latest with the test', async () => {
    origin.behave('film.mkv', { stallBeforeHead: true });
    const clock = new FakeClock(Date.now());
    const client = new OriginClient(clock);
    const services = { client, lookup: systemLookup, clock, ownPort: 1, trySignIn: null };
    const target = { url: origin.url, credentials: null, local: true };
    const { signal } = new AbortController();
    let report: SourceTestReport | undefined;
    const testing = testSource(target, services, { file: 'film.mkv', signal, onStep: () => undefined }).then(
      (result) => {
        report = result;
      },
    );
    await turnUntil(clock, () => report !== undefined, SOURCE_TEST_MS + 1_000);
    await testing;
    origin.behave('film.mkv', null);
    expect(failedStep(report!)).toContain('sign-in: ');
    expect(failedStep(report!)).toContain('sent nothing for 15 s');
  });

  test('when it is called off, at once', async () => {
    origin.behave('film.mkv', { stallBeforeHead: true });
    const abort = new AbortController();
    const services = {
      client: new OriginClient(systemClock),
      lookup: systemLookup,
      clock: systemClock,
      ownPort: 1,
      trySignIn: null,
    };
    const target = { url: origin.url, credentials: null, local: true };
    const testing = testSource(target, services, { file: 'film.mkv', signal: abort.signal, onStep: () => undefined });
    await origin.until(() => origin.openCount('film.mkv') > 0);
    abort.abort();
    expect(await testing.catch((error: { code: string }) => error.code)).toBe('stopped');
    await origin.until(() => origin.openCount('film.mkv') === 0);
    origin.behave('film.mkv', null);
  });
});
