// A certificate that Larder shows to a source, and its key, as the owner pasted them: read, and held against each other
// before they are kept. An authority of the owner's own may go with them, for the certificate of the source.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { LarderError } from '../errors.ts';

export type ClientCertificate = {
  /** PEM: ours first, then those in between. */
  readonly certificate: string;
  /** PEM, without a passphrase. */
  readonly key: string;
  /** PEM. Vouches for the source's certificate, in place of the authorities that this machine knows. */
  readonly ca?: string;
};

const PEM_LENGTH_MAX = 64 * 1024;
const CERTIFICATES_MAX = 10;

function invalid(message: string, hint: string): LarderError {
  return new LarderError('invalid', message, { hint });
}

/** The blocks of `label` alone: what programs write around them is for people. */
function blocksOf(text: unknown, label: string, what: string): string[] {
  const hint = `paste the text of a PEM file, from "-----BEGIN" on; it has at most ${PEM_LENGTH_MAX / 1024} KiB`;
  if (typeof text !== 'string' || text.length > PEM_LENGTH_MAX) throw invalid(`${what} is not PEM`, hint);
  const pattern = new RegExp(`-----BEGIN (${label})-----[A-Za-z0-9+/=\\s]+-----END \\1-----`, 'g');
  const blocks = text.match(pattern) ?? [];
  if (blocks.length === 0) throw invalid(`${what} is not PEM`, hint);
  return blocks;
}

function parseCertificates(text: unknown, what: string): { readonly pem: string; readonly first: X509Certificate } {
  const blocks = blocksOf(text, 'CERTIFICATE', what);
  if (blocks.length > CERTIFICATES_MAX) {
    throw invalid(`${what} holds ${blocks.length} certificates`, `give at most ${CERTIFICATES_MAX}`);
  }
  const [first] = blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw invalid(`${what} cannot be read`, 'check that all of the file was pasted');
    }
  });
  if (first === undefined) throw invalid(`${what} is empty`, 'paste the text of a PEM file');
  return { pem: `${blocks.join('\n')}\n`, first };
}

function parseKey(text: unknown): { readonly pem: string; readonly key: KeyObject } {
  if (typeof text === 'string' && /BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: *4, *ENCRYPTED/m.test(text)) {
    throw invalid('the key has a passphrase', 'take it off: openssl pkey -in key.pem -out plain.pem');
  }
  const [pem = ''] = blocksOf(text, '(?:RSA |EC )?PRIVATE KEY', 'the key');
  try {
    return { pem: `${pem}\n`, key: createPrivateKey(pem) };
  } catch {
    throw invalid('the key cannot be read', 'check that all of the file was pasted');
  }
}

/** @throws LarderError `invalid` that names what is wrong and repeats nothing of it */
export function parseClientCertificate(value: Readonly<Record<string, unknown>>): ClientCertificate {
  const { pem: certificate, first } = parseCertificates(value.certificate, 'the certificate');
  const { pem: key, key: privateKey } = parseKey(value.key);
  if (!first.checkPrivateKey(privateKey)) {
    throw invalid('the key is not that of the certificate', 'give both from one pair; our own certificate comes first');
  }
  if (value.ca === undefined || value.ca === null || value.ca === '') return { certificate, key };
  return { certificate, key, ca: parseCertificates(value.ca, 'the authority').pem };
}
