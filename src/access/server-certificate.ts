// The certificate that Larder itself shows: read from files that somebody else renews, or made and renewed by Larder in
// DATA/tls. Looked at again now and then; who listens is told of a new one, and a broken one changes nothing.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Clock, Timer } from '../clock.ts';
import { describeError, LarderError, systemCode } from '../errors.ts';
import { CERTIFICATE_LOOK_MS } from '../limits.ts';
import type { Log } from '../log.ts';
import { type CertificatePair, makeSelfSigned } from './self-signed.ts';

export interface ServerCertificate extends CertificatePair {
  /** SHA-256, as browsers show it: `AB:CD:…`. */
  readonly fingerprint: string;
  readonly names: readonly string[];
  readonly validToMs: number;
  readonly selfSigned: boolean;
}

export type TlsSettings =
  | { readonly kind: 'files'; readonly certificateFile: string; readonly keyFile: string }
  | { readonly kind: 'self-signed' };

const DAY_MS = 86_400_000;
/** Longer than this browsers do not like (CA/Browser Forum, 398 days). */
const SELF_SIGNED_MS = 397 * DAY_MS;
const RENEW_BEFORE_MS = 30 * DAY_MS;
/** Clocks that go behind ours take it all the same. */
const BACKDATED_MS = DAY_MS;
export const SELF_SIGNED_FILE: string = join('tls', 'self-signed.pem');

/**
 * What the settings of TLS ask for; null for plain http.
 * @throws LarderError `usage` when they do not go together
 */
export function readTlsSettings(settings: {
  readonly tls: 'off' | 'self-signed';
  readonly tlsCert: string;
  readonly tlsKey: string;
}): TlsSettings | null {
  const { tls, tlsCert, tlsKey } = settings;
  if ((tlsCert === '') !== (tlsKey === '')) {
    const [given, missing] = tlsCert === '' ? ['--tls-key', '--tls-cert'] : ['--tls-cert', '--tls-key'];
    throw new LarderError('usage', `${given} is set and ${missing} is not`, {
      hint: 'a certificate and its key go together',
    });
  }
  if (tlsCert !== '' && tls === 'self-signed') {
    throw new LarderError('usage', '--tls self-signed and --tls-cert are both set', {
      hint: 'leave out --tls: a certificate and its key are enough',
    });
  }
  if (tlsCert !== '') return { kind: 'files', certificateFile: tlsCert, keyFile: tlsKey };
  return tls === 'self-signed' ? { kind: 'self-signed' } : null;
}

/** @throws LarderError `usage` when the two are no certificate and its key; `where` names them */
export function checkCertificatePair(pair: CertificatePair, where: string): ServerCertificate {
  const wrong = (problem: string, hint: string, cause?: unknown) =>
    new LarderError('usage', `${where}: ${problem}`, { hint, cause });
  let certificate: X509Certificate;
  try {
    // The first one of a chain is the server's own.
    certificate = new X509Certificate(pair.certificate);
  } catch (error) {
    throw wrong('the certificate is not one in PEM', 'give a file that begins with -----BEGIN CERTIFICATE-----', error);
  }
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(pair.key));
  } catch (error) {
    // The words of the library may hold parts of the key.
    throw wrong('the key is not a private key in PEM without a passphrase', 'give a file that holds a PRIVATE KEY', {
      name: (error as Error).name,
    });
  }
  if (!matches) throw wrong('the key is not the key of the certificate', 'give the two files that were made together');
  return {
    ...pair,
    fingerprint: certificate.fingerprint256,
    names: (certificate.subjectAltName ?? '').split(', ').map((name) => name.replace(/^(DNS|IP Address):/, '')),
    validToMs: Date.parse(certificate.validTo),
    selfSigned: certificate.issuer === certificate.subject,
  };
}

export interface CertificateKeeperOptions {
  readonly settings: TlsSettings;
  readonly dataFolder: string;
  /** What the self-signed one is good for; the first is its own name. */
  readonly names?: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

export class CertificateKeeper {
  readonly #options: CertificateKeeperOptions;
  #current: ServerCertificate | undefined;
  #complaint = '';
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;

  constructor(options: CertificateKeeperOptions) {
    this.#options = options;
  }

  /** The one in force; undefined before `load`. */
  get current(): ServerCertificate | undefined {
    return this.#current;
  }

  /** @throws LarderError that names the file at fault */
  async load(): Promise<ServerCertificate> {
    const { settings, clock, log } = this.#options;
    const certificate = settings.kind === 'files' ? await readFiles(settings) : await this.#ensureSelfSigned();
    this.#current = certificate;
    if (certificate.validToMs < clock.nowMs()) {
      log.warning('the certificate of Larder has run out: players and browsers will refuse it', {
        until: new Date(certificate.validToMs).toISOString(),
      });
    }
    return certificate;
  }

  /** Looks for a new one now and then, and hands it to `changed`. */
  watch(changed: (certificate: ServerCertificate) => Promise<void>): void {
    this.#timer = this.#options.clock.every(CERTIFICATE_LOOK_MS, () => {
      this.#looking ??= this.#look(changed).finally(() => {
        this.#looking = undefined;
      });
    });
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#looking;
  }

  async #look(changed: (certificate: ServerCertificate) => Promise<void>): Promise<void> {
    const { log } = this.#options;
    const before = this.#current;
    try {
      const certificate = await this.load();
      this.#complaint = '';
      if (certificate.fingerprint === before?.fingerprint && certificate.certificate === before.certificate) return;
      await changed(certificate);
      log.info('Larder shows a new certificate', { fingerprint: certificate.fingerprint });
    } catch (error) {
      this.#current = before;
      const complaint = describeError(error);
      // A file that is being replaced is half there for a moment, one that stays broken is told once.
      if (complaint !== this.#complaint) log.warning('the new certificate cannot be used', { error: complaint });
      this.#complaint = complaint;
    }
  }

  /** The one in the data folder while it is good for this machine and for long enough, else a new one. */
  async #ensureSelfSigned(): Promise<ServerCertificate> {
    const { dataFolder, clock } = this.#options;
    const file = join(dataFolder, SELF_SIGNED_FILE);
    const names = this.#options.names ?? ownNames();
    const kept = await readSelfSigned(file);
    const isGood = kept !== null && kept.validToMs - clock.nowMs() > RENEW_BEFORE_MS && kept.names.includes(names[0]!);
    if (isGood) return kept;
    const fromMs = clock.nowMs() - BACKDATED_MS;
    const pair = await makeSelfSigned({ names, fromMs, untilMs: fromMs + SELF_SIGNED_MS });
    await writeSelfSigned(file, pair);
    return checkCertificatePair(pair, file);
  }
}

/** Host name, localhost and the addresses that this machine has now; scoped ones are of no use in a certificate. */
function ownNames(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const usable = addresses.map(({ address }) => address).filter((address) => !/^fe80:/i.test(address));
  const host = hostname().toLowerCase();
  const local = host === '' || host.includes('.') ? [] : [`${host}.local`];
  return [...new Set([host || 'localhost', ...local, 'localhost', '127.0.0.1', '::1', ...usable])];
}

async function readFiles({
  certificateFile,
  keyFile,
}: Extract<TlsSettings, { kind: 'files' }>): Promise<ServerCertificate> {
  const read = async (option: string, file: string) => {
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      throw new LarderError('usage', `${option} ${file} cannot be read: ${describeError(error)}`, {
        cause: error,
        hint: 'check the path, and that the user Larder runs as may read it',
      });
    }
  };
  const certificate = await read('--tls-cert', certificateFile);
  const key = await read('--tls-key', keyFile);
  return checkCertificatePair({ certificate, key }, `--tls-cert ${certificateFile}, --tls-key ${keyFile}`);
}

async function readSelfSigned(file: string): Promise<ServerCertificate | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw new LarderError('data-folder', `${file} cannot be read: ${describeError(error)}`, {
      cause: error,
      hint: 'let the user Larder runs as own it, with mode 0600',
    });
  }
  const keyStart = text.indexOf('-----BEGIN PRIVATE KEY-----');
  try {
    return checkCertificatePair({ certificate: text.slice(0, Math.max(0, keyStart)), key: text.slice(keyStart) }, file);
  } catch {
    return null; // cut off or damaged: there is a new one in its place right away
  }
}

/** One file, so that certificate and key are always of each other; whole or not at all. */
async function writeSelfSigned(file: string, pair: CertificatePair): Promise<void> {
  const temporary = `${file}.new`;
  try {
    await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
    await rm(temporary, { force: true });
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(pair.certificate + pair.key);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    throw new LarderError('data-folder', `the certificate ${file} cannot be written: ${describeError(error)}`, {
      cause: error,
      hint: 'make room on the disk of the data folder and let Larder write there, or give a certificate with --tls-cert and --tls-key',
    });
  }
}
