// Opens requests at origins: through ky, streamed, identity encoding, redirects followed by hand, time-outs of our own.
// A host that is not the source's own is connected to at the addresses that were checked (pinned-fetch.ts), and so is one
// that is shown a certificate. Nothing that a player sent ever comes here.
import { connect } from 'node:net';
import ipaddr from 'ipaddr.js';
import ky from 'ky';
import type { Clock } from '../clock.ts';
import { describeError, LarderError } from '../errors.ts';
import { CONNECT_TIMEOUT_MS, FIRST_BYTE_TIMEOUT_MS, REDIRECTS_MAX } from '../limits.ts';
import { type AddressLookup, checkHop, type ReachRule, systemLookup } from './address-guard.ts';
import type { ClientCertificate } from './client-certificate.ts';
import { type DigestCredentials, DigestSessions, parseDigestChallenge } from './digest-auth.ts';
import { describeNetworkError } from './network-words.ts';
import { isStrongEtag, type OriginHead, type OriginRange, readOriginHead } from './origin-response.ts';
import { hostOf, portOf } from './pinned-connection.ts';
import { PinnedFetch, requestTarget } from './pinned-fetch.ts';
import type { UpstreamRequest } from './upstream-request.ts';

export interface OriginRequest extends UpstreamRequest {
  readonly ownPort: number;
  /** Null asks for the whole file without a Range header. */
  readonly range: OriginRange | null;
  /** Strong ETag that the file must still have; a changed file then answers 200 (RFC 9110 §13.1.5). */
  readonly ifRange: string | null;
  /** The name says film or music: an HTML page in its place is refused. */
  readonly expectsMedia: boolean;
  /** User and password, for an own host that asks for Digest in place of Basic. */
  readonly digest?: DigestCredentials;
  /** Shown to the own host, where it speaks TLS. */
  readonly clientCertificate?: ClientCertificate;
}

/** What may be asked of an origin besides files. */
export interface OriginQuestion
  extends Pick<OriginRequest, 'url' | 'headers' | 'baseUrl' | 'ownPort' | 'local' | 'digest' | 'clientCertificate'> {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'PROPFIND';
  readonly body: string | null;
  /** Beside the credentials in `headers`, which go to the source's own host only. */
  readonly ownHeaders: Readonly<Record<string, string>>;
}

export interface OriginAnswer {
  /** The first that is no redirect, of any status. */
  readonly response: Response;
  /** Where it came from in the end. */
  readonly url: URL;
  readonly isRedirected: boolean;
}

export interface OriginResponse {
  readonly head: OriginHead;
  readonly body: ReadableStream<Uint8Array> | null;
}

/** One request of a chain of redirects. */
interface Hop {
  readonly url: URL;
  /** What is connected to, and nothing else; null leaves that to fetch. */
  readonly addresses: readonly string[] | null;
  readonly clientCertificate: ClientCertificate | null;
  readonly headers: Readonly<Record<string, string>>;
}

const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308]);
/** What an address that was good for a while says afterwards. */
const EXPIRED_STATUSES = new Set([401, 403, 404, 410]);

function rangeHeader(range: OriginRange): string {
  if (range.kind === 'suffix') return `bytes=-${range.length}`;
  return `bytes=${range.start}-${range.end === null ? '' : range.end - 1}`;
}

function fileQuestion(request: OriginRequest): OriginQuestion {
  const headers: Record<string, string> = { 'accept-encoding': 'identity', accept: '*/*' };
  if (request.range !== null) {
    headers.range = rangeHeader(request.range);
    if (isStrongEtag(request.ifRange)) headers['if-range'] = request.ifRange;
  }
  return { ...request, method: 'GET', body: null, ownHeaders: headers };
}

/** Of one request, after a challenge: the second is for a nonce that ran out in between. */
const DIGEST_TRIES_MAX = 2;

/** Two sources of one host may have realms of their own. */
function digestKey(baseUrl: string, { username }: DigestCredentials): string {
  return `${baseUrl}\n${username}`;
}

/** Servers escape what they redirect to as they like. */
function readable(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Alerts of a server to a certificate of ours (RFC 8446 §6.2), as BoringSSL and rustls put them. */
const CERTIFICATE_WANTED =
  /ALERT_(?:CERTIFICATE_(?:REQUIRED|UNKNOWN|EXPIRED|REVOKED)|BAD_CERTIFICATE|UNKNOWN_CA)|alert: (?:CertificateRequired|BadCertificate|CertificateUnknown|CertificateExpired|UnknownCA)/i;

/** Bun's words name the whole address, which may hold a signature, and advise programmers: neither is for a player. */
export function reasonOf(error: unknown): string {
  if (CERTIFICATE_WANTED.test(`${(error as { code?: unknown } | null)?.code} ${describeError(error)}`)) {
    return 'it wants a client certificate, and takes none, or not the one that it was shown';
  }
  return describeNetworkError(error)
    .replace(/ fetching ".*"/, '')
    .replace('Unable to connect. Is the computer able to access the url?', 'nothing answers at the address')
    .replace(/\. For more information, pass `verbose.*$/, '');
}

/** Splits the wait for headers in two: a host that does not even take a connection is told apart from a silent one. */
function watchConnection(url: URL, clock: Clock, onUnreachable: () => void): { stop(): void } {
  const timers: { cancel(): void }[] = [];
  let socket: ReturnType<typeof connect> | undefined;
  const halfway = CONNECT_TIMEOUT_MS / 2;
  timers.push(
    clock.after(halfway, () => {
      socket = connect({ host: hostOf(url), port: portOf(url) });
      const deadline = clock.after(CONNECT_TIMEOUT_MS - halfway, onUnreachable);
      timers.push(deadline);
      socket.once('connect', () => {
        deadline.cancel();
        socket?.destroy();
      });
      socket.once('error', () => socket?.destroy()); // the request itself reports why; the deadline stands
    }),
  );
  return {
    stop() {
      for (const timer of timers) timer.cancel();
      socket?.destroy();
    },
  };
}

/** The owner typed the source's own host; a name that somebody else hands out may mean another address by now. */
function isPinned(url: URL, { baseUrl, local }: ReachRule): boolean {
  return !ipaddr.isValid(hostOf(url)) && (local === false || url.host !== new URL(baseUrl).host);
}

export class OriginClient {
  readonly #clock: Clock;
  readonly #lookup: AddressLookup;
  readonly #pinned: PinnedFetch;
  readonly #digests = new DigestSessions();

  constructor(clock: Clock, lookup: AddressLookup = systemLookup) {
    this.#clock = clock;
    this.#lookup = lookup;
    this.#pinned = new PinnedFetch(clock);
  }

  /**
   * Resolves once the headers of a usable response are there. The caller reads the body or aborts `abort`.
   * @throws LarderError that says whether and when to try again
   */
  async open(request: OriginRequest, abort: AbortController): Promise<OriginResponse> {
    const question = fileQuestion(request);
    let { response, url, isRedirected } = await this.follow(question, abort);
    if (isRedirected && readable(url.pathname) === `${readable(new URL(request.url).pathname)}/`) {
      abort.abort();
      throw new LarderError('is-folder', 'this address names a folder', { hint: 'add a slash to see what is in it' });
    }
    if (isRedirected && EXPIRED_STATUSES.has(response.status)) {
      // What was redirected to may have been good for a while only, and the redirect old: a fresh one is asked for, once.
      await response.body?.cancel();
      ({ response } = await this.follow(question, abort));
    }
    try {
      return {
        head: readOriginHead(response, request.range, request.expectsMedia, this.#clock.nowMs()),
        body: response.body,
      };
    } catch (error) {
      abort.abort();
      throw error;
    }
  }

  /** The first response that is no redirect, whatever it says. The caller reads the body or aborts `abort`. */
  async ask(request: OriginRequest, abort: AbortController): Promise<Response> {
    return (await this.follow(fileQuestion(request), abort)).response;
  }

  /**
   * The same for what is no file.
   * @throws LarderError when there is no such response
   */
  async follow(request: OriginQuestion, abort: AbortController): Promise<OriginAnswer> {
    const { baseUrl, ownPort, local } = request;
    const rule = { baseUrl, ownPort, local };
    let url = new URL(request.url);
    const first = url;
    for (let hop = 0; hop <= REDIRECTS_MAX; hop++) {
      const checked = await this.#checkHop(url, rule);
      // Credentials belong to the host they were given for.
      const isOwn = url.host === first.host && url.protocol === first.protocol;
      const clientCertificate = (isOwn && url.protocol === 'https:' && request.clientCertificate) || null;
      // fetch can show none that runs on Bun and on Deno.
      const addresses = clientCertificate !== null || isPinned(url, rule) ? checked : null;
      const headers = { ...(isOwn ? request.headers : {}), ...request.ownHeaders };
      const response = await this.#signedIn({ url, addresses, clientCertificate, headers }, request, isOwn, abort);
      if (!REDIRECT_STATUSES.has(response.status)) return { response, url, isRedirected: hop > 0 };
      const location = response.headers.get('location');
      await response.body?.cancel();
      if (location === null || !URL.canParse(location, url)) {
        throw new LarderError('origin-failed', `the origin answered ${response.status} without a usable Location`);
      }
      url = new URL(location, url);
      url.hash = '';
    }
    throw new LarderError('origin-failed', `the origin redirected more than ${REDIRECTS_MAX} times`, {
      hint: 'open the address in a browser: it may be a loop, or a sign-in page',
    });
  }

  /** Whether the source was found to ask for Digest. */
  asksForDigest(request: Pick<OriginQuestion, 'baseUrl' | 'digest'>): boolean {
    return request.digest !== undefined && this.#digests.has(digestKey(request.baseUrl, request.digest));
  }

  /** The answer to the credentials, by Digest where the own host asks for it; once it has, Basic is not sent to it. */
  async #signedIn(hop: Hop, request: OriginQuestion, isOwn: boolean, abort: AbortController): Promise<Response> {
    const { digest, baseUrl, method } = request;
    if (digest === undefined || !isOwn) return this.#request(hop, request, abort);
    const key = digestKey(baseUrl, digest);
    const target = requestTarget(hop.url);
    for (let triesLeft = DIGEST_TRIES_MAX; ; triesLeft--) {
      const authorization = this.#digests.answer(key, digest, { method, target });
      const headers = authorization === null ? hop.headers : { ...hop.headers, authorization };
      const response = await this.#request({ ...hop, headers }, request, abort);
      if (response.status !== 401) {
        this.#digests.note(key, response.headers.get('authentication-info'));
        return response;
      }
      const challenge = parseDigestChallenge(response.headers.get('www-authenticate'));
      if (challenge === null) return response;
      this.#digests.learn(key, challenge);
      // A fresh challenge was answered, and that was not right. An old one may have run out, whether it says so or not.
      const wasFresh = triesLeft < DIGEST_TRIES_MAX && !challenge.isStale;
      if (wasFresh || triesLeft === 0) return response;
      await response.body?.cancel();
    }
  }

  async #checkHop(url: URL, rule: ReachRule): Promise<readonly string[]> {
    try {
      return await checkHop(url, rule, this.#lookup);
    } catch (error) {
      if (error instanceof LarderError) throw error;
      throw new LarderError(
        'origin-failed',
        `the name ${url.hostname} cannot be looked up: ${describeNetworkError(error)}`,
        {
          retry: 'soon',
          cause: error,
          hint: 'check the host name of the source and the name server of this machine',
        },
      );
    }
  }

  async #request(
    { url, addresses, clientCertificate, headers }: Hop,
    { method, body }: Pick<OriginQuestion, 'method' | 'body'>,
    abort: AbortController,
  ): Promise<Response> {
    let silence: LarderError | undefined;
    const giveUp = (message: string) => {
      silence = new LarderError('origin-silent', message, { retry: 'soon', hint: 'the origin may be asleep or down' });
      abort.abort();
    };
    const unreachable = () => giveUp(`${url.host} took no connection within ${CONNECT_TIMEOUT_MS / 1_000} s`);
    const firstByte = this.#clock.after(FIRST_BYTE_TIMEOUT_MS, () =>
      giveUp(`${url.host} took the request and sent nothing for ${FIRST_BYTE_TIMEOUT_MS / 1_000} s`),
    );
    let connecting: { stop(): void } | undefined;
    try {
      if (addresses !== null) {
        const timer = this.#clock.after(CONNECT_TIMEOUT_MS, unreachable);
        connecting = { stop: () => timer.cancel() };
        const onConnected = connecting.stop;
        const { signal } = abort;
        const hop = { url, addresses, clientCertificate, headers };
        return await this.#pinned.request({ ...hop, method, body, signal, onConnected });
      }
      connecting = watchConnection(url, this.#clock, unreachable);
      return await ky(url, {
        method,
        ...(body === null ? {} : { body }),
        headers,
        redirect: 'manual',
        retry: 0,
        timeout: false,
        throwHttpErrors: false,
        signal: abort.signal,
      });
    } catch (error) {
      if (silence !== undefined) throw silence;
      if (abort.signal.aborted) throw new LarderError('stopped', 'the request was called off');
      if (error instanceof LarderError) throw error;
      throw new LarderError('origin-failed', `${url.host} cannot be reached: ${reasonOf(error)}`, {
        retry: 'soon',
        cause: error,
        hint: 'check that the origin is up and its address is right',
      });
    } finally {
      firstByte.cancel();
      connecting?.stop();
    }
  }
}
