// What each answer of an origin means to who tests it as a source, in words, with what to do. Pure.
import { describeError, LarderError, systemCode } from '../errors.ts';
import { describeBytes } from '../words.ts';
import { parseDigestChallenge } from './digest-auth.ts';
import { type CredentialKind, credentialKind, type HttpCredentials } from './http-credentials.ts';
import type { HttpTarget } from './http-source.ts';
import { listsFolders } from './listed-file.ts';
import { describePath } from './media-address.ts';
import { describeNetworkError } from './network-words.ts';
import { type OriginHead, readOriginHead } from './origin-response.ts';
import { parseChallenges } from './www-authenticate.ts';

export interface Finding {
  /** Null: there is nothing to try. */
  readonly ok: boolean | null;
  readonly detail: string;
  readonly hint?: string | null;
}

const CLOCK_TOLERANCE_MS = 60_000;

const KIND_WORDS = {
  password: 'user name and password',
  token: 'token',
  headers: 'headers',
  certificate: 'certificate',
} as const;

export const NO_FILE: Finding = { ok: null, detail: 'not tried: it takes a file' };

export function findingOf(error: unknown): Finding {
  return { ok: false, detail: describeError(error), hint: (error instanceof LarderError && error.hint) || null };
}

export function judgeConnectError(error: unknown, address: string, port: number): Finding {
  const code = systemCode(error);
  const where = `${address}, port ${port}`;
  if (code === 'ECONNREFUSED') {
    return { ok: false, detail: `nothing listens at ${where}`, hint: 'check the port, and that the origin is running' };
  }
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') {
    return { ok: false, detail: `there is no way to ${where}`, hint: 'check the network of this machine, or its VPN' };
  }
  const hint = 'the origin may be asleep, or a firewall is in the way';
  return { ok: false, detail: `${where} takes no connection: ${describeNetworkError(error)}`, hint };
}

export function describeAdmission(credentials: HttpCredentials | null, isDigest: boolean): string {
  const kind = credentialKind(credentials);
  if (kind === 'none') return 'it lets us in without credentials';
  return `it lets us in with the ${KIND_WORDS[kind]}${isDigest ? ', by Digest' : ''}`;
}

/** A status that says no; what the client that fetches films says of it where there is nothing better to say. */
export function judgeRefusal(response: Response, target: HttpTarget, nowMs: number): Finding {
  const { status } = response;
  const { credentials } = target;
  const isPlain = target.url.startsWith('http:');
  const kind = credentialKind(credentials);
  if (status === 401) {
    const unspoken = findUnspoken(response, kind);
    if (unspoken !== null) return unspoken;
    if (kind === 'none') {
      const hint = 'enter a user name and password, or a token';
      return { ok: false, detail: 'it wants to know who asks (401)', hint };
    }
    const hint = 'check them, and enter them again';
    return { ok: false, detail: `it does not take the ${KIND_WORDS[kind]} (401)`, hint };
  }
  if (status === 403) {
    const mayBe = kind === 'none' ? 'it may want a user name and password, or a token' : null;
    const hint = mayBe ?? 'what was entered may not be good for this file';
    return { ok: false, detail: 'it refuses the file (403)', hint };
  }
  try {
    readOriginHead(response, { kind: 'from', start: 0, end: 1 }, false, nowMs);
  } catch (error) {
    const finding = findingOf(error);
    return { ...finding, hint: finding.hint ?? hintOf(response, isPlain) };
  }
  return { ok: false, detail: `it answered ${status}` };
}

/** Of a 401: what cannot be answered with credentials of this kind, whatever they are. */
function findUnspoken({ headers }: Response, kind: CredentialKind): Finding | null {
  const header = headers.get('www-authenticate');
  const schemes = parseChallenges(header).map(({ scheme }) => scheme);
  const takesBasic = schemes.includes('basic');
  if (schemes.length === 0 || takesBasic || schemes.includes('bearer')) return null;
  if (!schemes.includes('digest')) {
    const name = /^[\s,]*([A-Za-z0-9-]{1,40})/.exec(header ?? '')?.[1] ?? 'other means';
    const detail = `it wants to know who asks by ${name}, which Larder does not speak (401)`;
    return { ok: false, detail, hint: 'let the origin take user name and password by Digest or Basic, or a token' };
  }
  if (parseDigestChallenge(header) === null) {
    const detail = 'it wants to know who asks by a form of Digest that Larder does not speak (401)';
    return { ok: false, detail, hint: 'let the origin take Digest with MD5 or SHA-256 and qop "auth"' };
  }
  if (kind === 'none' || kind === 'password') return null;
  const detail = `it wants a user name and a password, by Digest, and was given the ${KIND_WORDS[kind]} (401)`;
  return { ok: false, detail, hint: 'enter a user name and password' };
}

function hintOf({ status, headers }: Response, isPlain: boolean): string | null {
  // nginx says so by 400 (ngx_http_ssl_module, ssl_verify_client).
  if (status === 400 && !isPlain) return 'it may want a client certificate: enter one, or check the one it has';
  if (status === 400 && isPlain) return 'the port may be one of https: write https:// in place of http://';
  if (status === 405) return 'the address does not let itself be read: give the folder as it opens in a browser';
  if (status === 429 || status === 503) {
    const retryAfter = headers.get('retry-after');
    if (retryAfter !== null && /^\d+$/.test(retryAfter))
      return `it asks to be left alone: try again in ${retryAfter} s`;
    return 'it has too much to do, or is being started: try again in a while';
  }
  if (status === 502 || status === 504) return 'what stands before the origin does not reach it: see that it is up';
  if (status >= 500) return 'the fault is at the origin: its log says more';
  return 'open the address in a browser: it says more there';
}

/** What the folder itself answers, when it lists no film to go on with. */
export function judgeFolder(response: Response, body: string, target: HttpTarget, isDigest: boolean): Finding {
  const { status } = response;
  const { pathname } = new URL(target.url);
  const last = pathname.split('/').at(-2) ?? '';
  const contentType = response.headers.get('content-type') ?? '';
  const isMedia = /^(?:video|audio)\//i.test(contentType);
  if (isMedia || (status !== 200 && isMediaName(last))) {
    const hint = 'give the folder that the file is in: the address without the name of the file';
    return { ok: false, detail: 'the address is that of a file, and a source is a folder', hint };
  }
  // A server without listings answers 403 or 404 to its folder, and still streams the files in it.
  if (status === 404) {
    const detail = 'it answers, and says that there is nothing at this address (404)';
    const hint = 'some origins say so of every folder: check the address in a browser, or give a file to test with';
    return { ok: true, detail, hint };
  }
  if (status === 403) {
    const detail = 'it answers, and lists no files (403), which is usual';
    return { ok: true, detail, hint: 'give a file to test sign-in, ranges and speed' };
  }
  const admission = `${describeAdmission(target.credentials, isDigest)} (${status})`;
  if (/\bhtml\b/i.test(contentType) && !listsFolders(body, target.url)) {
    const detail = 'it answers with a web page that lists no files';
    const hint = 'check the address: it may be a sign-in or a start page; if it is right, give a file to test with';
    return { ok: true, detail, hint };
  }
  return {
    ok: true,
    detail: admission,
    hint: 'no film or music lies right in it: give a file to test ranges and speed',
  };
}

function isMediaName(segment: string): boolean {
  try {
    return describePath(decodeURIComponent(segment)).type !== 'file';
  } catch {
    return false;
  }
}

export function judgeRanges(head: OriginHead | null): Finding {
  if (head === null) return NO_FILE;
  if (head.seekable) return { ok: true, detail: 'it serves from any place of a file' };
  return {
    ok: false,
    detail: 'it serves files from their beginning only',
    hint: 'films play, and a seek past what is kept waits for everything before it; switch ranges on at the origin if you can',
  };
}

export function judgeLength(head: OriginHead | null): Finding {
  if (head === null) return NO_FILE;
  if (head.totalBytes !== null) return { ok: true, detail: `the file has ${describeBytes(head.totalBytes)}` };
  return {
    ok: false,
    detail: 'it does not say how long the file is',
    hint: 'films play, and can be sought in only once they are kept whole',
  };
}

/** How far its clock is ahead of ours; null when it does not say. */
export function judgeClock(aheadMs: number | null): Finding {
  if (aheadMs === null) return { ok: null, detail: 'it does not say what time it is' };
  if (Math.abs(aheadMs) <= CLOCK_TOLERANCE_MS) return { ok: true, detail: 'its clock and ours agree' };
  const minutes = Math.round(Math.abs(aheadMs) / 60_000);
  return {
    ok: false,
    detail: `its clock is ${minutes} min ${aheadMs > 0 ? 'ahead of' : 'behind'} ours`,
    hint: 'check the clock of this machine, then that of the origin: certificates and dates go by them',
  };
}
