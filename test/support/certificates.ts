// An authority of a test's own, and what it vouches for: certificates of servers and of clients.
import { randomBytes, webcrypto } from 'node:crypto';
import { Integer, OctetString, Utf8String } from 'asn1js';
import * as pki from 'pkijs';

export interface TestCertificate {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

export interface TestAuthority {
  /** PEM. */
  readonly ca: string;
  /** Good for the DNS names and IPv4 addresses, as a server and as a client. */
  issue(...names: readonly string[]): Promise<TestCertificate>;
}

const DAY_MS = 86_400_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
/** RFC 5280 §4.1.2.4, §4.2.1. */
const COMMON_NAME = '2.5.4.3';
const BASIC_CONSTRAINTS = '2.5.29.19';
const SUBJECT_ALT_NAME = '2.5.29.17';

function pem(label: string, bytes: ArrayBuffer): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function generalName(name: string): pki.GeneralName {
  if (!/^[\d.]+$/.test(name)) return new pki.GeneralName({ type: 2, value: name });
  const valueHex = new Uint8Array(name.split('.').map(Number)).buffer;
  return new pki.GeneralName({ type: 7, value: new OctetString({ valueHex }) });
}

async function make(
  commonName: string,
  names: readonly string[],
  issuer: { readonly name: string; readonly key: webcrypto.CryptoKey } | null,
) {
  const engine = new pki.CryptoEngine({ name: 'test', crypto: webcrypto as unknown as Crypto });
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = new pki.Certificate();
  certificate.version = 2; // X.509 v3
  certificate.serialNumber = new Integer({ valueHex: new Uint8Array([0x40, ...randomBytes(8)]).buffer });
  for (const [party, value] of [
    [certificate.issuer, issuer?.name ?? commonName],
    [certificate.subject, commonName],
  ] as const) {
    party.typesAndValues.push(new pki.AttributeTypeAndValue({ type: COMMON_NAME, value: new Utf8String({ value }) }));
  }
  certificate.notBefore.value = new Date(Date.now() - DAY_MS);
  certificate.notAfter.value = new Date(Date.now() + 30 * DAY_MS);
  const extension = (extnID: string, content: { toSchema(): { toBER(): ArrayBuffer } }) =>
    new pki.Extension({ extnID, critical: extnID === BASIC_CONSTRAINTS, extnValue: content.toSchema().toBER() });
  certificate.extensions = [extension(BASIC_CONSTRAINTS, new pki.BasicConstraints({ cA: issuer === null }))];
  if (names.length > 0) {
    const altNames = new pki.GeneralNames({ names: names.map(generalName) });
    certificate.extensions.push(extension(SUBJECT_ALT_NAME, altNames));
  }
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey as CryptoKey, engine);
  await certificate.sign((issuer?.key ?? keys.privateKey) as CryptoKey, 'SHA-256', engine);
  return {
    keys,
    certificate: pem('CERTIFICATE', certificate.toSchema().toBER()),
    key: pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)),
  };
}

export async function makeAuthority(name = 'Test authority'): Promise<TestAuthority> {
  const root = await make(name, [], null);
  return {
    ca: root.certificate,
    async issue(...names) {
      const { certificate, key } = await make(names[0] ?? 'nobody', names, { name, key: root.keys.privateKey });
      return { certificate, key };
    },
  };
}
