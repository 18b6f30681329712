// Sources that let in who shows a certificate, over real TLS: node:https that asks for one, and an authority of its own.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../src/clock.ts';
import { LarderError } from '../../src/errors.ts';
import type { ClientCertificate } from '../../src/sources/client-certificate.ts';
import { credentialHeaders, credentialKind, parseHttpCredentials } from '../../src/sources/http-credentials.ts';
import { HttpSource } from '../../src/sources/http-source.ts';
import { OriginClient, reasonOf } from '../../src/sources/origin-client.ts';
import { testSource } from '../../src/sources/source-test.ts';
import { makeAuthority, type TestAuthority, type TestCertificate } from '../support/certificates.ts';

let authority: TestAuthority;
let stranger: TestAuthority;
let ours: TestCertificate;
let server: Server;
let port = 0;
const asked: string[] = [];

beforeAll(async () => {
  [authority, stranger] = await Promise.all([makeAuthority(), makeAuthority('A stranger')]);
  ours = await authority.issue('larder');
  const { certificate: cert, key } = await authority.issue('films.test', '127.0.0.1');
  server = createServer(
    { cert, key, ca: authority.ca, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      asked.push(request.url ?? '');
      if (request.url === '/away.mkv')
        return void response.writeHead(302, { location: `https://other.test:${port}/x` }).end();
      response.setHeader('accept-ranges', 'bytes');
      response.end('film');
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const lookup = () => Promise.resolve(['127.0.0.1']);

function shown(credentials: unknown) {
  return parseHttpCredentials(credentials) as ClientCertificate;
}

async function ask(credentials: unknown, host = 'films.test', path = 'film.mkv'): Promise<string> {
  const url = `https://${host}:${port}/`;
  const source = new HttpSource(1, 'films', { url, credentials: parseHttpCredentials(credentials), local: true });
  const request = { ...source.resolvePath(path), ownPort: 1, range: null, ifRange: null, expectsMedia: true };
  const response = await new OriginClient(systemClock, lookup).ask(request, new AbortController());
  return response.text();
}

function reason(promise: Promise<unknown>): Promise<string> {
  return promise.then(String, (error: Error) => `${error instanceof LarderError ? error.code : ''} ${error.message}`);
}

describe('a source that wants a certificate', () => {
  test('is shown ours, its own is checked by our authority, under a name and under an address', async () => {
    asked.length = 0;
    expect(await ask({ ...ours, ca: authority.ca })).toBe('film');
    expect(await ask({ ...ours, ca: authority.ca }, '127.0.0.1')).toBe('film');
    expect(asked).toEqual(['/film.mkv', '/film.mkv']);
  });

  test('does not answer who shows one of a stranger, and what servers say to that is told in words', async () => {
    asked.length = 0;
    const foreign = await stranger.issue('larder');
    expect(await reason(ask({ ...foreign, ca: authority.ca }))).toStartWith('origin-failed ');
    expect(asked).toEqual([]);
    for (const error of [
      // BoringSSL's and rustls' words for what OpenSSL's servers send.
      Object.assign(new Error('error:1000045c:SSL routines'), { code: 'ERR_SSL_TLSV1_ALERT_CERTIFICATE_REQUIRED' }),
      Object.assign(new Error('x'), { code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA' }),
      new Error('received fatal alert: CertificateRequired'),
    ]) {
      expect(reasonOf(error)).toStartWith('it wants a client certificate');
    }
    expect([reasonOf(new Error('else')), reasonOf(null)]).toEqual(['else', 'null']);
  });

  test('is not asked at all when its own certificate is not good', async () => {
    asked.length = 0;
    expect(await reason(ask(ours))).toMatch(/origin-failed .*cannot be reached/); // by an authority that is not known
    expect(await reason(ask({ ...ours, ca: stranger.ca }))).toMatch(/origin-failed/);
    expect(await reason(ask({ ...ours, ca: authority.ca }, 'else.test'))).toMatch(/origin-failed .*else\.test/);
    expect(asked).toEqual([]);
  });

  test('the certificate is not shown to another host', async () => {
    asked.length = 0;
    expect(await reason(ask({ ...ours, ca: authority.ca }, 'films.test', 'away.mkv'))).toMatch(
      /origin-failed .*other\.test/,
    );
    expect(asked).toEqual(['/away.mkv']);
  });

  test('the test of the source goes through, and says what let it in', async () => {
    const services = {
      client: new OriginClient(systemClock, lookup),
      lookup,
      clock: systemClock,
      ownPort: 1,
      trySignIn: null,
    };
    const run = (url: string, credentials: unknown) => {
      const target = { url, credentials: parseHttpCredentials(credentials), local: true };
      const { signal } = new AbortController();
      return testSource(target, services, { file: 'film.mkv', signal, onStep: () => undefined });
    };
    const url = `https://films.test:${port}/`;
    const report = await run(url, { ...ours, ca: authority.ca });
    expect(report.steps.filter(({ ok }) => ok === true).map(({ step }) => step)).toContain('speed');
    expect(report.steps.find(({ step }) => step === 'tls')?.detail).toContain('certificate by Test authority');
    expect(report.steps.find(({ step }) => step === 'sign-in')?.detail).toStartWith(
      'it lets us in with the certificate',
    );
    const untrusted = await run(url, ours);
    expect(untrusted.steps.find(({ ok }) => ok === false)?.step).toBe('tls');
    const plain = await run(`http://films.test:${port}/`, ours);
    expect(plain.steps.find(({ step }) => step === 'tls')?.detail).toContain('where no certificate is shown');
  });
});

describe('parseHttpCredentials() with a certificate', () => {
  test('keeps the blocks alone, and tells no more than the kind', () => {
    const around = {
      certificate: `Bag Attributes\n${ours.certificate}\nafter`,
      key: `key:\n${ours.key}`,
      ca: authority.ca,
    };
    expect(shown(around)).toEqual({ ...ours, ca: authority.ca });
    expect(shown({ ...ours, ca: '' })).toEqual(ours);
    expect(shown({ ...ours, certificate: ours.certificate + authority.ca }).certificate).toBe(
      ours.certificate + authority.ca,
    );
    expect([credentialKind(shown(ours)), credentialHeaders(shown(ours))]).toEqual(['certificate', {}]);
    // As openssl genrsa and ecparam write keys.
    const rsa = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' });
    expect(() => shown({ ...ours, key: rsa })).toThrow('the key is not that of the certificate');
  });

  test('says what is wrong, and repeats nothing of it', async () => {
    const other = await authority.issue('other');
    const label = (name: string) => ours.key.replaceAll('PRIVATE KEY', name);
    for (const [value, words] of [
      [{ certificate: ours.certificate }, 'of no kind'],
      [{ ...ours, username: 'me', password: 'x' }, 'of no kind'],
      [{ ...ours, certificate: 5 }, 'the certificate is not PEM'],
      [{ ...ours, certificate: 'nonsense' }, 'the certificate is not PEM'],
      [{ ...ours, certificate: ours.certificate.repeat(11) }, 'holds 11 certificates'],
      [{ ...ours, certificate: ours.certificate.padEnd(70_000) }, 'the certificate is not PEM'],
      [{ ...ours, certificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' }, 'cannot be read'],
      [{ ...ours, key: ours.certificate }, 'the key is not PEM'],
      [{ ...ours, key: label('ENCRYPTED PRIVATE KEY') }, 'the key has a passphrase'],
      [{ ...ours, key: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----' }, 'the key cannot be read'],
      [{ ...ours, key: other.key }, 'the key is not that of the certificate'],
      [{ ...ours, ca: 'nonsense' }, 'the authority is not PEM'],
    ] as const) {
      const error = await Promise.resolve()
        .then(() => parseHttpCredentials(value))
        .catch((thrown: unknown) => thrown);
      if (!(error instanceof LarderError)) throw new Error(`${words}: it was taken`);
      expect([error.code, error.message]).toEqual(['invalid', expect.stringContaining(words)]);
      expect(`${error.message} ${error.hint}`).not.toContain(ours.key.slice(40, 60));
    }
  });
});
