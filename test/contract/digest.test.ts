// Sources that ask for Digest: Apache with mod_auth_digest, and a server that checks each answer by RFC 7616 itself.
import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { LarderError } from '../../src/errors.ts';
import { HttpListings } from '../../src/sources/http-listings.ts';
import { HttpSource } from '../../src/sources/http-source.ts';
import { OriginClient } from '../../src/sources/origin-client.ts';
import { testSource } from '../../src/sources/source-test.ts';
import { parseChallenges } from '../../src/sources/www-authenticate.ts';
import { rawRequest } from '../http/raw-client.ts';
import { startLarder } from '../http/running-larder.ts';
import { isApacheInstalled, startDigestApache } from '../support/digest-apache.ts';
import { makeTree, sampleTree } from '../support/listing-servers.ts';
import { serveLoopback } from '../support/loopback-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ME = { username: 'me', password: 'pä:ss w"ord' };
const MODIFIED = new Date(Date.UTC(2025, 2, 4, 5, 6, 0));

function sourceAt(url: string, credentials = ME): HttpSource {
  return new HttpSource(1, 'films', { url, credentials, local: true });
}

function open(client: OriginClient, source: HttpSource, path: string, start = 0, end = 10) {
  const request = { ...source.resolvePath(path), ownPort: 1, ifRange: null, expectsMedia: true };
  return client.open({ ...request, range: { kind: 'from', start, end } }, new AbortController());
}

async function bytesOf(opening: ReturnType<typeof open>): Promise<number> {
  return (await new Response((await opening).body).arrayBuffer()).byteLength;
}

describe.skipIf(!isApacheInstalled())('Apache with mod_auth_digest', () => {
  for (const [what, username, directives] of [
    ['one nonce for long', 'me', []],
    ['a name past ASCII', 'mü', []],
    ['a nonce that is replaced with every answer, before it runs out', 'me', ['AuthDigestNonceLifetime 20']],
    ['a nonce that is good for one request', 'me', ['AuthDigestNonceLifetime 0']],
  ] as const) {
    test(`${what}: ranges and WebDAV, and one answer of 401 in all`, async () => {
      await using folder = await temporaryFolder();
      const root = join(folder.path, 'root');
      await makeTree(root, sampleTree, MODIFIED);
      const options = { root, realm: 'films at home', ...ME, username, directives: ['Dav On', ...directives] };
      await using apache = await startDigestApache(options);
      const client = new OriginClient(systemClock);
      const source = sourceAt(apache.url, { ...ME, username });
      for (const [start, end] of [
        [0, 10],
        [500, 1_000],
      ] as const) {
        const opening = open(client, source, 'Film (2019).mkv', start, end);
        expect((await opening).head).toMatchObject({ start, totalBytes: 1_234_567 });
        expect(await bytesOf(opening)).toBe(end - start);
      }
      expect(await bytesOf(open(client, source, '100% real #1?.mp4', 0, 5))).toBe(5);
      const listings = new HttpListings({ client, ownPort: () => 1, clock: systemClock });
      const { pages } = await listings.open(source, `a'b"c<d>/deep/er`, null, new AbortController().signal);
      const names: string[] = [];
      for await (const page of pages) names.push(...page.map(({ name }) => name));
      expect(names).toEqual(['film.mp4']);
      expect(await apache.log()).toEqual([
        'GET 401 Basic',
        'GET 206 Digest',
        'GET 206 Digest',
        'GET 206 Digest',
        'PROPFIND 207 Digest',
      ]);
    });
  }

  test('many at the same time are all let in, and a wrong password is told after two answers', async () => {
    await using folder = await temporaryFolder();
    const root = join(folder.path, 'root');
    await makeTree(root, { 'film.mkv': 5_000 }, MODIFIED);
    await using apache = await startDigestApache({ root, realm: 'films', ...ME });
    const client = new OriginClient(systemClock);
    const all = Array.from({ length: 8 }, () => bytesOf(open(client, sourceAt(apache.url), 'film.mkv')));
    expect(await Promise.all(all)).toEqual(all.map(() => 10));
    const before = (await apache.log()).length;
    const wrong = sourceAt(apache.url, { username: 'me', password: 'wrong' });
    for (const count of [1, 2]) {
      const error = await open(new OriginClient(systemClock), wrong, 'film.mkv').catch((thrown: unknown) => thrown);
      expect(error instanceof LarderError && error.code).toBe('origin-refused');
      expect((await apache.log()).slice(before)).toHaveLength(2 * count);
    }
    const error = await open(client, wrong, 'film.mkv').catch((thrown: unknown) => thrown);
    expect(error instanceof LarderError && error.originStatus).toBe(401);
    expect((await apache.log()).slice(-2)).toEqual(['GET 401 Digest', 'GET 401 Digest']);
  });

  test('a film streams through the whole of Larder, and the test of the source says how it was let in', async () => {
    await using folder = await temporaryFolder();
    const root = join(folder.path, 'root');
    await makeTree(root, { 'Film.mkv': 3_000_000 }, MODIFIED);
    await using apache = await startDigestApache({ root, realm: 'films', ...ME });
    const url = apache.url.replace('//', `//me:${encodeURIComponent(ME.password)}@`);
    await using larder = await startLarder({ args: ['--source', `films=${url}`] });
    const response = await rawRequest(larder.port, '/s/films/Film.mkv');
    expect([response.status, response.isWhole, response.body.length]).toEqual([200, true, 3_000_000]);
    const services = {
      client: new OriginClient(systemClock),
      lookup: async () => [],
      clock: systemClock,
      ownPort: 1,
      trySignIn: null,
    };
    const target = { url: apache.url, credentials: ME, local: true };
    const { signal } = new AbortController();
    for (const file of ['Film.mkv', null]) {
      const report = await testSource(target, services, { file, signal, onStep: () => undefined });
      const signIn = report.steps.find(({ step }) => step === 'sign-in');
      expect(report.ok).toBe(true);
      expect(signIn?.detail).toContain('it lets us in with the user name and password, by Digest');
    }
  });
});

/** Asks for Digest as `challenge` says, and lets in who answers right. Nonces count up; each is good for `usesMax`. */
function checkingServer(challenge: string, { realm = 'films', usesMax = Infinity, saysStale = true } = {}) {
  const asked: string[] = [];
  let nonce = 0;
  let uses = 0;
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const authorization = request.headers.authorization ?? '';
    const scheme = authorization.split(' ')[0] ?? '';
    const [answer] = parseChallenges(authorization);
    const given = answer?.parameters ?? new Map<string, string>();
    const algorithm = /algorithm=([\w-]+)/.exec(challenge)?.[1] ?? 'MD5';
    const h = (text: string) =>
      createHash(algorithm.startsWith('SHA-256') ? 'sha256' : 'md5')
        .update(text)
        .digest('hex');
    let a1 = h(`${ME.username}:${realm}:${ME.password}`);
    if (algorithm.endsWith('-sess')) a1 = h(`${a1}:${given.get('nonce')}:${given.get('cnonce')}`);
    const middle = given.has('qop') ? `${given.get('nc')}:${given.get('cnonce')}:${given.get('qop')}:` : '';
    const isRight =
      given.get('response') === h(`${a1}:${given.get('nonce')}:${middle}${h(`${request.method}:${request.url}`)}`) &&
      given.get('uri') === request.url &&
      given.get('username') === (challenge.includes('userhash=true') ? h(`${ME.username}:${realm}`) : ME.username);
    const isCurrent = given.get('nonce') === `n${nonce}` && uses < usesMax;
    uses += 1;
    if (isRight && isCurrent && (!given.has('nc') || given.get('nc') === uses.toString(16).padStart(8, '0'))) {
      asked.push(`200 ${scheme}`);
      response.writeHead(200, { 'content-length': 4 }).end('film');
      return;
    }
    asked.push(`401 ${scheme}`);
    nonce += 1;
    uses = 0;
    const stale = isRight && saysStale ? ', stale=true' : '';
    response
      .writeHead(401, { 'www-authenticate': `${challenge}, realm="${realm}", nonce="n${nonce}"${stale}` })
      .end('no');
  };
  return { asked, listener };
}

describe('a server that checks each answer', () => {
  for (const challenge of [
    'Digest algorithm=SHA-256, qop="auth"',
    'Digest algorithm=SHA-256-sess, qop="auth,auth-int", opaque="o"',
    'Digest algorithm=MD5-sess, qop=auth, charset=UTF-8',
    'Digest algorithm=MD5, charset=UTF-8, userhash=true, qop="auth"',
    'Digest algorithm=MD5',
    'Digest domain="/"',
    'Basic realm="x", Digest qop="auth"',
  ]) {
    test(`${challenge}: one answer of 401, whatever follows`, async () => {
      const { asked, listener } = checkingServer(challenge);
      await using server = await serveLoopback(listener);
      const client = new OriginClient(systemClock);
      const source = sourceAt(`http://127.0.0.1:${server.port}/`);
      for (const path of ['a?.mkv', "ä 'b' [1]|^.mkv", 'c.mkv'])
        expect(await bytesOf(open(client, source, path))).toBe(4);
      expect(asked).toEqual(['401 Basic', '200 Digest', '200 Digest', '200 Digest']);
    });
  }

  for (const saysStale of [true, false]) {
    test(`a nonce that runs out, which it says${saysStale ? '' : ' not'}: answered anew, and never by Basic`, async () => {
      const { asked, listener } = checkingServer('Digest qop="auth"', { usesMax: 2, saysStale });
      await using server = await serveLoopback(listener);
      const client = new OriginClient(systemClock);
      const source = sourceAt(`http://127.0.0.1:${server.port}/`);
      for (let count = 0; count < 4; count++) expect(await bytesOf(open(client, source, 'a.mkv'))).toBe(4);
      const once = ['200 Digest', '200 Digest', '401 Digest'];
      expect(asked).toEqual(['401 Basic', ...once, '200 Digest', '200 Digest']);
    });
  }

  test('one that says stale for ever: given up, and Digest stays', async () => {
    const { asked, listener } = checkingServer('Digest qop="auth"', { usesMax: 0 });
    await using server = await serveLoopback(listener);
    const client = new OriginClient(systemClock);
    const source = sourceAt(`http://127.0.0.1:${server.port}/`);
    const fails = async () => ((await open(client, source, 'a').catch((error: unknown) => error)) as LarderError).code;
    expect(await fails()).toBe('origin-refused');
    expect(asked).toEqual(['401 Basic', '401 Digest', '401 Digest']);
    expect(await fails()).toBe('origin-refused');
    expect(asked.slice(3)).toEqual(['401 Digest', '401 Digest', '401 Digest']);
  });

  test('another host that is redirected to is answered nothing', async () => {
    const other = checkingServer('Digest qop="auth"');
    await using elsewhere = await serveLoopback(other.listener);
    await using server = await serveLoopback((_, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${elsewhere.port}/a` }).end();
    });
    const source = sourceAt(`http://127.0.0.1:${server.port}/`);
    await open(new OriginClient(systemClock), source, 'a').catch(() => undefined);
    expect(other.asked.every((line) => line === '401 ')).toBe(true);
  });
});
