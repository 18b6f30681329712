// A certificate that Larder makes for itself: https without an authority. Browsers warn of it once; its fingerprint is
// shown where nobody between can change it, so that the warning can be checked.
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export interface CertificatePair {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

export interface SelfSignedOptions {
  /** Host names and addresses that it is good for; the first one is its own name. */
  readonly names: readonly string[];
  readonly fromMs: number;
  readonly untilMs: number;
}

/** RFC 5280 §4.2.1 and §4.1.2.4. */
const OID = {
  commonName: '2.5.4.3',
  basicConstraints: '2.5.29.19',
  subjectAltName: '2.5.29.17',
  extendedKeyUsage: '2.5.29.37',
  serverAuthentication: '1.3.6.1.5.5.7.3.1',
} as const;
const GENERAL_NAME_DNS = 2;
const GENERAL_NAME_ADDRESS = 7;
const SERIAL_BYTES = 16;
/** RFC 5280, upper bound of a common name. */
const COMMON_NAME_MAX = 64;

function pem(label: string, bytes: ArrayBuffer): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** Positive (RFC 5280 §4.1.2.2), and without a zero in front, which DER would not have. */
function serialNumber(): ArrayBuffer {
  const bytes = new Uint8Array(randomBytes(SERIAL_BYTES));
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.buffer;
}

/** P-256: every player that speaks TLS 1.2 takes it, and a Raspberry Pi signs it in no time. */
export async function makeSelfSigned(options: SelfSignedOptions): Promise<CertificatePair> {
  // Loaded when one is made, about once a year.
  const [asn1, pki] = await Promise.all([import('asn1js'), import('pkijs')]);
  const engine = new pki.CryptoEngine({ name: 'larder', crypto: webcrypto as unknown as Crypto });
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

  const certificate = new pki.Certificate();
  certificate.version = 2; // X.509 v3
  certificate.serialNumber = new asn1.Integer({ valueHex: serialNumber() });
  const value = (options.names[0] ?? 'larder').slice(0, COMMON_NAME_MAX);
  for (const party of [certificate.issuer, certificate.subject]) {
    const name = new asn1.Utf8String({ value });
    party.typesAndValues.push(new pki.AttributeTypeAndValue({ type: OID.commonName, value: name }));
  }
  certificate.notBefore.value = new Date(options.fromMs);
  certificate.notAfter.value = new Date(options.untilMs);
  const names = options.names.map((name) => {
    if (isIP(name) === 0) return new pki.GeneralName({ type: GENERAL_NAME_DNS, value: name });
    const valueHex = new Uint8Array(ipaddr.parse(name).toByteArray()).buffer;
    return new pki.GeneralName({ type: GENERAL_NAME_ADDRESS, value: new asn1.OctetString({ valueHex }) });
  });
  const extension = (extnID: string, critical: boolean, content: { toSchema(): { toBER(): ArrayBuffer } }) =>
    new pki.Extension({ extnID, critical, extnValue: content.toSchema().toBER() });
  certificate.extensions = [
    extension(OID.basicConstraints, true, new pki.BasicConstraints({ cA: false })),
    extension(OID.subjectAltName, false, new pki.GeneralNames({ names })),
    extension(OID.extendedKeyUsage, false, new pki.ExtKeyUsage({ keyPurposes: [OID.serverAuthentication] })),
  ];
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey as CryptoKey, engine);
  await certificate.sign(keys.privateKey as CryptoKey, 'SHA-256', engine);
  return {
    certificate: pem('CERTIFICATE', certificate.toSchema().toBER()),
    key: pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)),
  };
}
