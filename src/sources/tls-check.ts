// What the certificate of an origin says, and why this machine would not take it.
import type { Socket } from 'node:net';
import { checkServerIdentity, connect, type PeerCertificate } from 'node:tls';
import ipaddr from 'ipaddr.js';
import type { ClientCertificate } from './client-certificate.ts';
import { describeNetworkError } from './network-words.ts';
import { tlsOptions } from './pinned-connection.ts';

export interface CertificateFinding {
  readonly ok: boolean;
  readonly detail: string;
  readonly hint: string | null;
}

const EXPIRES_SOON_MS = 14 * 86_400_000;

/** Certificates that no authority this machine knows vouches for, in OpenSSL's words. */
const SELF_SIGNED = new Set(['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN']);
const TRUST_HINT =
  'give the origin a certificate that this machine trusts, or start Larder with NODE_EXTRA_CA_CERTS=FILE that holds the one it has';

/**
 * Shakes hands on a connected `socket` and looks at the certificate, whatever it is. Closes the connection.
 * @param ours - shown, and its authority is trusted; null shows none and trusts whom this machine trusts
 */
export function checkCertificate(
  socket: Socket,
  host: string,
  nowMs: number,
  ours: ClientCertificate | null,
): Promise<CertificateFinding> {
  return new Promise((resolve) => {
    // No name for an address (RFC 6066 §3).
    const servername = ipaddr.isValid(host) ? '' : host;
    const options = { servername, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'], ...tlsOptions(ours) };
    const secure = connect({ socket, ...options });
    secure.once('secureConnect', () => {
      const certificate = secure.getPeerCertificate();
      const problem = secure.authorized ? null : codeOf(secure.authorizationError);
      resolve(judge(certificate, problem, host, nowMs, secure.getProtocol() ?? 'TLS'));
      secure.destroy();
    });
    secure.once('error', (error) => {
      resolve(handshakeFailed(error));
      secure.destroy();
    });
    secure.once('close', () => resolve(handshakeFailed(new Error('it closed the connection'))));
  });
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : String(error);
}

function handshakeFailed(error: Error): CertificateFinding {
  const code = codeOf(error);
  const noTls = /WRONG_VERSION_NUMBER|HTTP_REQUEST|RECORD_OVERFLOW/i.test(`${code} ${error.message}`);
  return {
    ok: false,
    detail: noTls ? 'the port does not speak TLS' : `no TLS connection came about: ${describeNetworkError(error)}`,
    hint: noTls
      ? 'write http:// in place of https://, or give the port of https'
      : 'the origin may want another TLS version, or the port may not be one of https',
  };
}

function judge(
  certificate: PeerCertificate,
  problem: string | null,
  host: string,
  nowMs: number,
  protocol: string,
): CertificateFinding {
  const validTo = Date.parse(certificate.valid_to);
  const until = Number.isNaN(validTo) ? '' : `, good until ${day(validTo)}`;
  if (validTo < nowMs) {
    return {
      ok: false,
      detail: `its certificate ran out on ${day(validTo)}`,
      hint: 'renew the certificate of the origin; if it is new, check the clock of this machine',
    };
  }
  if (Date.parse(certificate.valid_from) > nowMs) {
    return {
      ok: false,
      detail: `its certificate is good from ${day(Date.parse(certificate.valid_from))} on only`,
      hint: 'check the clock of this machine',
    };
  }
  if (problem !== null && SELF_SIGNED.has(problem)) {
    return { ok: false, detail: `its certificate is self-signed (by ${issuerOf(certificate)})`, hint: TRUST_HINT };
  }
  const mismatch = checkServerIdentity(host, certificate);
  if (mismatch !== undefined || problem === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = (certificate.subjectaltname ?? '').replaceAll(/DNS:|IP Address:/g, '') || 'another name';
    return {
      ok: false,
      detail: `its certificate is for ${names.slice(0, 200)} and not for ${host}`,
      hint: 'use the name that the certificate is for in the address',
    };
  }
  if (problem !== null) {
    return {
      ok: false,
      detail: `no authority this machine knows vouches for its certificate (by ${issuerOf(certificate)}: ${problem})`,
      hint: `its chain may be incomplete; ${TRUST_HINT}`,
    };
  }
  const isLate = validTo - nowMs < EXPIRES_SOON_MS;
  return {
    ok: true,
    detail: `${protocol}, certificate by ${issuerOf(certificate)}${until}`,
    hint: isLate ? 'it runs out soon: see that the origin renews it' : null,
  };
}

function issuerOf({ issuer }: PeerCertificate): string {
  const name = issuer?.O ?? issuer?.CN ?? 'nobody named';
  return (Array.isArray(name) ? name.join(', ') : name).slice(0, 100);
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
