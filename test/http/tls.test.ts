// Larder over https: with a certificate of its own, and with one in files that somebody renews while films play.
import { describe, expect, test } from 'bun:test';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { type Agent, get } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { makeSelfSigned } from '../../src/access/self-signed.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { LarderError } from '../../src/errors.ts';
import { startOrigin } from '../support/origin.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { rawRequest } from './raw-client.ts';
import { startLarder } from './running-larder.ts';

const DAY_MS = 86_400_000;
const FILE_BYTES = 3_000_000;

/** Real time, a hundred times as fast: what is looked at every half a minute is looked at three times a second. */
const hurriedClock: Clock = {
  nowMs: () => systemClock.nowMs(),
  monotonicMs: () => systemClock.monotonicMs(),
  after: (delayMs, action) => systemClock.after(delayMs, action),
  every: (periodMs, action) => systemClock.every(periodMs / 100, action),
};

function fingerprintAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

function open(
  port: number,
  path: string,
  details: { ca?: string; agent?: Agent; headers?: Record<string, string> } = {},
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // The name is what the certificate is checked for; the address is where it is.
    const options = { host: 'localhost', port, path, family: 4, ...details };
    get({ ...options, rejectUnauthorized: details.ca !== undefined }, resolve).once('error', reject);
  });
}

async function bodyOf(response: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of response) parts.push(part as Uint8Array);
  return new Uint8Array(Buffer.concat(parts));
}

async function writePair(folder: TemporaryFolder, days = 90): Promise<string> {
  const fromMs = Date.now() - DAY_MS;
  const pair = await makeSelfSigned({ names: ['localhost', '127.0.0.1'], fromMs, untilMs: fromMs + days * DAY_MS });
  writeFileSync(folder.file('key.pem'), pair.key);
  writeFileSync(folder.file('cert.pem'), pair.certificate);
  return pair.certificate;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let look = 0; look < 1_000; look++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not become so');
}

describe('--tls self-signed', () => {
  test('streams and pages are served by https with a certificate for this machine, the same after a restart', async () => {
    await using origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: FILE_BYTES } } });
    const args = ['--source', `films=${origin.url}`, '--tls', 'self-signed'];
    await using larder = await startLarder({ args });
    const file = join(larder.dataFolder, 'tls', 'self-signed.pem');
    expect([statSync(file).mode & 0o777, statSync(join(file, '..')).mode & 0o777]).toEqual([0o600, 0o700]);
    const ca = readFileSync(file, 'utf8').split('-----BEGIN PRIVATE KEY')[0]!;
    const stream = await open(larder.port, '/s/films/film.mkv', { ca });
    expect([stream.statusCode, stream.headers['content-length']]).toEqual([200, String(FILE_BYTES)]);
    origin.assertBody('film.mkv', await bodyOf(stream));
    const health = await open(larder.port, '/healthz', { ca });
    expect(health.statusCode).toBe(200);
    await bodyOf(health);
    const page = await open(larder.port, '/', { ca, headers: larder.owner.headers });
    expect(Buffer.from(await bodyOf(page)).toString()).toContain('<html');

    const fingerprint = await fingerprintAt(larder.port);
    const connect = await open(larder.port, '/connect', { ca, headers: larder.owner.headers });
    expect(Buffer.from(await bodyOf(connect)).toString()).toContain(fingerprint);
    await larder.restart();
    expect(await fingerprintAt(larder.port)).toBe(fingerprint);
    rmSync(file);
    await larder.restart();
    expect(await fingerprintAt(larder.port)).not.toBe(fingerprint);
  });

  test('one that runs out soon, is damaged or was cut off is made anew', async () => {
    await using larder = await startLarder({ args: ['--tls', 'self-signed'] });
    const file = join(larder.dataFolder, 'tls', 'self-signed.pem');
    const whole = readFileSync(file, 'utf8');
    const kept = await fingerprintAt(larder.port);
    for (const damaged of ['', whole.slice(0, 200), whole.slice(0, -60), 'nonsense']) {
      writeFileSync(file, damaged);
      await larder.restart();
      expect(await fingerprintAt(larder.port)).not.toBe(kept);
    }
    await larder.stop();
    const fromMs = Date.now() - 380 * DAY_MS;
    const names = readFileSync('/etc/hostname', 'utf8').trim().toLowerCase();
    const old = await makeSelfSigned({ names: [names], fromMs, untilMs: fromMs + 397 * DAY_MS });
    writeFileSync(file, old.certificate + old.key);
    await larder.restart();
    expect(readFileSync(file, 'utf8')).not.toContain(old.certificate);
  });
});

describe('--tls-cert and --tls-key', () => {
  test('a certificate that is renewed is shown without a restart, and whoever plays goes on', async () => {
    await using folder = await temporaryFolder();
    await using origin = await startOrigin({ files: { 'film.mkv': { sizeBytes: FILE_BYTES } } });
    const first = await writePair(folder);
    const tls = ['--tls-cert', folder.file('cert.pem'), '--tls-key', folder.file('key.pem')];
    await using larder = await startLarder({ args: ['--source', `films=${origin.url}`, ...tls], clock: hurriedClock });
    origin.behave('film.mkv', { stallAfterBytes: 1_000_000 });
    const before = await fingerprintAt(larder.port);
    const playing = await open(larder.port, '/s/films/film.mkv', { ca: first });

    const second = await writePair(folder);
    await until(async () => (await fingerprintAt(larder.port).catch(() => before)) !== before);
    origin.behave('film.mkv', null);
    origin.release('film.mkv');
    origin.assertBody('film.mkv', await bodyOf(playing));
    const later = await open(larder.port, '/s/films/film.mkv', { ca: second });
    origin.assertBody('film.mkv', await bodyOf(later));

    const good = await fingerprintAt(larder.port);
    writeFileSync(folder.file('cert.pem'), 'half a cert');
    await until(() => larder.log.some((line) => line.includes('the new certificate cannot be used')));
    expect(await fingerprintAt(larder.port)).toBe(good);
    expect(larder.log.join('\n')).not.toContain('PRIVATE KEY-----\n');
  });

  test('plain http to the port of https gets no answer that could pass for one', async () => {
    await using larder = await startLarder({ args: ['--tls', 'self-signed'] });
    expect(
      await rawRequest(larder.port, '/healthz').then(
        (response) => response.status,
        () => 'cut',
      ),
    ).not.toBe(200);
  });

  for (const [what, args, setting] of [
    ['the key is missing', ['--tls-cert', 'CERT'], '--tls-key'],
    ['the certificate is missing', ['--tls-key', 'KEY'], '--tls-cert'],
    ['both ways are asked for', ['--tls', 'self-signed', '--tls-cert', 'CERT', '--tls-key', 'KEY'], '--tls'],
    ['a file is not there', ['--tls-cert', '/nowhere/cert.pem', '--tls-key', 'KEY'], '--tls-cert'],
    ['the two are swapped', ['--tls-cert', 'KEY', '--tls-key', 'CERT'], '--tls-cert'],
    ['the key is of another certificate', ['--tls-cert', 'CERT', '--tls-key', 'OTHER'], '--tls-key'],
  ] as const) {
    test(`invariant 10: the start names ${setting} and what to do when ${what}`, async () => {
      await using folder = await temporaryFolder();
      await writePair(folder);
      writeFileSync(folder.file('other.pem'), readFileSync(folder.file('key.pem')));
      await writePair(folder);
      const files = { CERT: folder.file('cert.pem'), KEY: folder.file('key.pem'), OTHER: folder.file('other.pem') };
      const named = args.map((argument) => files[argument as keyof typeof files] ?? argument);
      const error = await startLarder({ args: named }).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      if (!(error instanceof LarderError)) throw error;
      expect([error.code, typeof error.hint]).toEqual(['usage', 'string']);
      expect(error.message).toContain(setting);
      expect(error.message).not.toContain('BEGIN');
    });
  }
});
