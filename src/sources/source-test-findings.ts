// What each answer of an origin means to who tests it as a source, in words, with what to do. Pure.
import { describeError, LarderError, systemCode } from '../errors.ts';
import { describeBytes } from '../words.ts';
import { credentialKind, type HttpCredentials } from './http-credentials.ts';
import { type OriginHead, readOriginHead } from './origin-response.ts';

export interface Finding {
  /** Null: there is nothing to try. */
  readonly ok: boolean | null;
  readonly detail: string;
  readonly hint?: string | null;
}

const CLOCK_TOLERANCE_MS = 60_000;

const KIND_WORDS = { password: 'user name and password', token: 'token', headers: 'headers' } as const;

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
  return { ok: false, detail: `${where} takes no connection: ${describeError(error)}`, hint };
}

export function describeAdmission(credentials: HttpCredentials | null): string {
  const kind = credentialKind(credentials);
  return kind === 'none' ? 'it lets us in without credentials' : `it lets us in with the ${KIND_WORDS[kind]}`;
}

/** A status that says no; what the client that fetches films says of it where there is nothing better to say. */
export function judgeRefusal(response: Response, credentials: HttpCredentials | null, nowMs: number): Finding {
  const { status } = response;
  const kind = credentialKind(credentials);
  if (status === 401) {
    const scheme = /^\s*([A-Za-z]+)/.exec(response.headers.get('www-authenticate') ?? '')?.[1] ?? null;
    if (scheme !== null && !/^(basic|bearer)$/i.test(scheme)) {
      const detail = `it wants to know who asks by ${scheme}, which Larder does not speak (401)`;
      return { ok: false, detail, hint: 'let the origin take user name and password by Basic over https, or a token' };
    }
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
    return findingOf(error);
  }
  return { ok: false, detail: `it answered ${status}` };
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
