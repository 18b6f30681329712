// What opens an HTTP source: user and password, a token, headers of its own, or a certificate. Written by the owner, sent to the
// source's own host, and shown to nobody again.
import { LarderError } from '../errors.ts';
import { type ClientCertificate, parseClientCertificate } from './client-certificate.ts';
import type { DigestCredentials } from './digest-auth.ts';

export type HttpCredentials =
  | { readonly username: string; readonly password: string }
  | { readonly token: string }
  | { readonly headers: Readonly<Record<string, string>> }
  | ClientCertificate;

export const HEADERS_COUNT_MAX = 16;
export const TEXT_LENGTH_MAX = 4_096;
/** RFC 9110 §5.1: a field name is a token. */
export const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/;
/** RFC 9110 §5.5, without what lies past ASCII: what that means is for no two servers the same. */
export const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/;
/** RFC 6750 §2.1. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/** Larder speaks for itself in these: the connection's own (RFC 9110 §7.6.1), which host, and which bytes. */
export const RESERVED_HEADERS = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'accept-encoding',
  'content-length',
  'content-encoding',
  'expect',
]);

function invalid(message: string, hint: string): LarderError {
  return new LarderError('invalid', message, { hint });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Credentials as the API, the pages and the database hold them; null and `{}` are none. No message repeats a value.
 * @throws LarderError `invalid` that names what is wrong
 */
export function parseHttpCredentials(value: unknown): HttpCredentials | null {
  const hint = 'give {"username", "password"}, {"token"}, {"headers"} or {"certificate", "key"}, or null for none';
  if (value === null || value === undefined) return null;
  if (!isRecord(value)) throw invalid('the credentials are not an object', hint);
  const keys = Object.keys(value).sort().join(' ');
  if (keys === '') return null;
  if (keys === 'password username') return parseBasic(value.username, value.password);
  if (keys === 'token') return { token: parseToken(value.token) };
  if (keys === 'headers') return { headers: parseHeaders(value.headers) };
  if (keys === 'certificate key' || keys === 'ca certificate key') return parseClientCertificate(value);
  throw invalid('the credentials are of no kind that an HTTP source takes', hint);
}

function parseBasic(username: unknown, password: unknown): HttpCredentials | null {
  if (typeof username !== 'string' || typeof password !== 'string') {
    throw invalid('user name and password are not both text', 'give both; one of them may be empty');
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const control = /[\u0000-\u001f\u007f]/;
  if (username === '' && password === '') return null;
  if (username.length > TEXT_LENGTH_MAX || username.includes(':') || control.test(username)) {
    throw invalid('the user name cannot be sent', 'it holds no colon and no control characters');
  }
  if (password.length > TEXT_LENGTH_MAX || control.test(password)) {
    throw invalid(
      'the password cannot be sent',
      `it has at most ${TEXT_LENGTH_MAX} characters, none of them control characters`,
    );
  }
  return { username, password };
}

function parseToken(token: unknown): string {
  if (typeof token !== 'string' || token.length > TEXT_LENGTH_MAX || !TOKEN.test(token)) {
    throw invalid(
      'the token cannot be sent as a bearer token',
      'paste it without "Bearer" and without spaces; one that goes into a header of its own belongs under headers',
    );
  }
  return token;
}

function parseHeaders(headers: unknown): Readonly<Record<string, string>> {
  if (!isRecord(headers)) throw invalid('the headers are not an object', 'give {"headers": {"X-Api-Key": "…"}}');
  const entries = Object.entries(headers);
  if (entries.length === 0 || entries.length > HEADERS_COUNT_MAX) {
    throw invalid(`there are ${entries.length} headers`, `give 1 to ${HEADERS_COUNT_MAX}`);
  }
  const names = new Set<string>();
  for (const [name, value] of entries) {
    const lowerCase = name.toLowerCase();
    const shown = JSON.stringify(name.slice(0, 100));
    if (!HEADER_NAME.test(name)) throw invalid(`${shown} is no name of a header`, 'write a name such as X-Api-Key');
    if (RESERVED_HEADERS.has(lowerCase)) {
      throw invalid(`the header ${name} is Larder's own to send`, 'leave it out');
    }
    if (names.has(lowerCase)) throw invalid(`the header ${name} is there twice`, 'give each header once');
    names.add(lowerCase);
    if (typeof value !== 'string' || value.length > TEXT_LENGTH_MAX || !HEADER_VALUE.test(value)) {
      throw invalid(
        `the value of the header ${name} cannot be sent`,
        'it is one line of printable ASCII that neither begins nor ends with a space',
      );
    }
  }
  return headers as Record<string, string>;
}

/** The request headers that carry them, names in lower case. */
export function credentialHeaders(credentials: HttpCredentials | null): Record<string, string> {
  if (credentials === null || 'certificate' in credentials) return {};
  if ('token' in credentials) return { authorization: `Bearer ${credentials.token}` };
  if ('headers' in credentials) {
    return Object.fromEntries(Object.entries(credentials.headers).map(([name, value]) => [name.toLowerCase(), value]));
  }
  // RFC 7617: user and password in UTF-8.
  const bytes = new TextEncoder().encode(`${credentials.username}:${credentials.password}`);
  return { authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

/** What of a request carries the credentials. */
export interface CarriedCredentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly digest?: DigestCredentials;
  readonly clientCertificate?: ClientCertificate;
}

/** The parts of a request that carry them: user and password go by Basic, and by Digest where that is asked for. */
export function carryCredentials(credentials: HttpCredentials | null): CarriedCredentials {
  const headers = credentialHeaders(credentials);
  if (credentials !== null && 'certificate' in credentials) return { headers, clientCertificate: credentials };
  if (credentials === null || !('username' in credentials)) return { headers };
  const { username, password } = credentials;
  return { headers, digest: { username, password } };
}

export type CredentialKind = 'none' | 'password' | 'token' | 'headers' | 'certificate';

/** All that is ever told of them. */
export function credentialKind(credentials: HttpCredentials | null): CredentialKind {
  if (credentials === null) return 'none';
  if ('token' in credentials) return 'token';
  if ('certificate' in credentials) return 'certificate';
  return 'headers' in credentials ? 'headers' : 'password';
}
