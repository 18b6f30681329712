// HTTP Digest (RFC 7616): user and password are proven and never sent. Each challenge is remembered with how often its
// nonce was used, so that only the first request to a source costs a second round trip.
import { createHash, randomBytes } from 'node:crypto';
import { type Challenge, parseChallenges } from './www-authenticate.ts';

export interface DigestCredentials {
  readonly username: string;
  readonly password: string;
}

/** Text is as it is on the wire: a character for each byte. */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | null;
  /** As it was written; null when it was not, which means MD5. */
  readonly algorithm: string | null;
  readonly hash: 'md5' | 'sha256';
  /** `-sess`: the first nonces of both sides are part of the secret. */
  readonly isSession: boolean;
  /** False is RFC 2069: neither our nonce nor a count. */
  readonly hasQop: boolean;
  /** The nonce was too old, and the password right. */
  readonly isStale: boolean;
  readonly isUtf8: boolean;
  readonly wantsUserHash: boolean;
}

export interface DigestRequest {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
}

const HASHES: Readonly<Record<string, 'md5' | 'sha256'>> = { md5: 'md5', 'sha-256': 'sha256' };
const SESSIONS_MAX = 64;
const NONCE_LENGTH_MAX = 4_096;
const CLIENT_NONCE_BYTES = 16;

/** UTF-8, a character for each byte. */
function utf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** What a header said: runtimes hand over its bytes as they are, or read them as UTF-8. */
function onWire(text: string): string {
  return /[^\0-\xff]/.test(text) ? utf8(text) : text;
}

function digestOf(hash: 'md5' | 'sha256', text: string): string {
  return createHash(hash).update(text, 'latin1').digest('hex');
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** The first that Larder can answer: the server's order is that of its preference (RFC 7616 §3.7). */
export function parseDigestChallenge(header: string | null): DigestChallenge | null {
  for (const challenge of parseChallenges(header)) {
    const digest = readChallenge(challenge);
    if (digest !== null) return digest;
  }
  return null;
}

/** RFC 7616 §3.3. Unknown algorithms, and `auth-int` alone, which takes a hash of each body, are not spoken. */
function readChallenge({ scheme, parameters }: Challenge): DigestChallenge | null {
  const nonce = parameters.get('nonce');
  if (scheme !== 'digest' || nonce === undefined || nonce.length > NONCE_LENGTH_MAX) return null;
  const algorithm = parameters.get('algorithm') ?? null;
  const [, name = '', session] = /^(.*?)(-sess)?$/i.exec((algorithm ?? 'MD5').toLowerCase()) ?? [];
  const hash = HASHES[name];
  const qop = parameters
    .get('qop')
    ?.toLowerCase()
    .split(/[\s,]+/);
  if (hash === undefined || (qop !== undefined && !qop.includes('auth'))) return null;
  const opaque = parameters.get('opaque');
  const isTrue = (key: string) => parameters.get(key)?.toLowerCase() === 'true';
  return {
    realm: onWire(parameters.get('realm') ?? ''),
    nonce: onWire(nonce),
    opaque: opaque === undefined ? null : onWire(opaque),
    algorithm,
    hash,
    isSession: session !== undefined,
    hasQop: qop !== undefined,
    isStale: isTrue('stale'),
    isUtf8: parameters.get('charset')?.toLowerCase() === 'utf-8',
    wantsUserHash: isTrue('userhash'),
  };
}

/** Value of Authorization (RFC 7616 §3.4). `count` is the number of requests with this nonce, this one included. */
export function answerChallenge(
  challenge: DigestChallenge,
  credentials: DigestCredentials,
  { method, target }: DigestRequest,
  { clientNonce, count }: { readonly clientNonce: string; readonly count: number },
): string {
  const { realm, nonce, opaque, algorithm, hash, isSession, hasQop, isUtf8, wantsUserHash } = challenge;
  const username = utf8(credentials.username);
  const h = (text: string) => digestOf(hash, text);
  const secret = h(`${username}:${realm}:${utf8(credentials.password)}`);
  const a1 = isSession ? h(`${secret}:${nonce}:${clientNonce}`) : secret;
  const a2 = h(`${method}:${target}`);
  const nc = count.toString(16).padStart(8, '0');
  const response = h(hasQop ? `${a1}:${nonce}:${nc}:${clientNonce}:auth:${a2}` : `${a1}:${nonce}:${a2}`);
  const isPlainName = !isUtf8 || /^[\x20-\x7e]*$/.test(username);
  const fields = [
    wantsUserHash
      ? `username=${quoted(h(`${username}:${realm}`))}`
      : isPlainName
        ? `username=${quoted(username)}`
        : `username*=UTF-8''${encodeExtended(credentials.username)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(target)}`,
    `response="${response}"`,
  ];
  if (algorithm !== null) fields.push(`algorithm=${algorithm}`);
  if (opaque !== null) fields.push(`opaque=${quoted(opaque)}`);
  if (hasQop) fields.push('qop=auth', `nc=${nc}`);
  if (hasQop || isSession) fields.push(`cnonce="${clientNonce}"`);
  if (wantsUserHash) fields.push('userhash=true');
  return `Digest ${fields.join(', ')}`;
}

/** RFC 8187 §3.2.1 lets fewer characters stand than `encodeURIComponent`. */
function encodeExtended(text: string): string {
  return encodeURIComponent(text).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
}

interface Session {
  challenge: DigestChallenge;
  clientNonce: string;
  count: number;
}

/** What servers asked for, by whom it was asked of. */
export class DigestSessions {
  /** The longest unused comes first. */
  readonly #sessions = new Map<string, Session>();

  /** Null where Digest was not asked for yet. */
  answer(key: string, credentials: DigestCredentials, request: DigestRequest): string | null {
    const session = this.#sessions.get(key);
    if (session === undefined) return null;
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    session.count += 1;
    return answerChallenge(session.challenge, credentials, request, session);
  }

  has(key: string): boolean {
    return this.#sessions.has(key);
  }

  learn(key: string, challenge: DigestChallenge): void {
    const clientNonce = randomBytes(CLIENT_NONCE_BYTES).toString('hex');
    this.#sessions.delete(key);
    this.#sessions.set(key, { challenge, clientNonce, count: 0 });
    if (this.#sessions.size <= SESSIONS_MAX) return;
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined) this.#sessions.delete(oldest);
  }

  /** Authentication-Info of an answer that was let pass: it may name the nonce to go on with (RFC 7616 §3.5). */
  note(key: string, authenticationInfo: string | null): void {
    const session = this.#sessions.get(key);
    // The secret of `-sess` stays with the nonce that it began with (RFC 7616 §3.4.2): that one is used until it is stale.
    if (session === undefined || session.challenge.isSession || authenticationInfo === null) return;
    // A list of parameters without a scheme: read as one with.
    const nonce = parseChallenges(`Digest ${authenticationInfo}`)[0]?.parameters.get('nextnonce');
    if (nonce === undefined || nonce.length > NONCE_LENGTH_MAX) return;
    this.learn(key, { ...session.challenge, nonce: onWire(nonce) });
  }
}
