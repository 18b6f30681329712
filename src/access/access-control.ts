// Who asks for something, and whether they may have it: the one place where a request becomes a caller. Everything that
// answers requests asks here.
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { type Caller, NOBODY, type Preferences, readPreferences } from './caller.ts';
import { type EffectiveClient, effectiveClient, Peers, type RequestFacts } from './effective-client.ts';
import { hostNameOf, isKnownHost } from './known-hosts.ts';
import { foreignReason, isSafeMethod } from './own-request.ts';
import { Remembered } from './remembered.ts';
import type { Sessions } from './sessions.ts';
import type { SignedAddresses, Signer } from './signed-addresses.ts';
import type { Token, Tokens } from './tokens.ts';
import { type TrustedProxies, trustedProxies } from './trusted-proxies.ts';
import type { NoteEvent, Users } from './users.ts';

/** Of the settings, each asked for anew: they may change while running. */
export interface AccessSettings {
  readonly trustedProxies: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly streamAccess: 'private' | 'all' | 'locked';
}

export interface AccessServices {
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly users: Pick<Users, 'watch' | 'findPreferences'>;
  readonly signatures: SignedAddresses;
  readonly settings: () => AccessSettings;
  readonly hostname: string;
  readonly noteEvent: NoteEvent;
  readonly clock: Clock;
  /** Of the cookie: two Larders on one machine must not sign each other's visitors out. */
  readonly cookieName: string;
  readonly log: Log;
}

/** What is looked at of a request. node:http's own fits, with `isEncrypted` beside it. */
export interface AccessRequest extends RequestFacts {
  readonly method: string;
}

export interface StreamRequest extends RequestFacts {
  /** From the root of Larder on, without the query: `/s/films/Some%20Film.mkv`. */
  readonly path: string;
  readonly query: string;
}

export interface ForwardingState {
  readonly trustedProxies: readonly string[];
  /** The peer that last sent forwarding headers without being trusted. */
  readonly untrusted: { readonly address: string; readonly atMs: number } | null;
  /** When a trusted proxy last forwarded something. */
  readonly trustedAtMs: number | null;
}

/** What somebody showed, or in whose right their address was made. */
export type Right = Caller | { readonly kind: 'address'; readonly signer: Signer };

export type StreamDecision =
  /** `by`: whose right it is, to be watched; null when nobody had to show one. */
  | { readonly may: true; readonly by: Right | null }
  | { readonly may: false; readonly status: 401 | 403 | 421; readonly message: string; readonly hint: string };

const STRANGERS_KEPT = 100;
const REMEMBERED_HOSTS_MAX = 100;

export class AccessControl {
  readonly #services: AccessServices;
  #proxies: { readonly texts: readonly string[]; readonly trusted: TrustedProxies } | null = null;
  /** Peers that forwarded without being trusted, and when they last did; the latest is last. */
  readonly #strangers = new Map<string, number>();
  #trustedAtMs: number | null = null;
  readonly #peers = new Peers();
  /** By Host, as long as the setting is the same: each request of a stream asks. */
  #hosts: { readonly of: readonly string[]; readonly known: Remembered<boolean> } = {
    of: [],
    known: new Remembered(REMEMBERED_HOSTS_MAX),
  };

  constructor(services: AccessServices) {
    this.#services = services;
  }

  get cookieName(): string {
    return this.#services.cookieName;
  }

  /** What was seen of reverse proxies, those included that should probably be named. */
  forwarding(): ForwardingState {
    const [address, atMs] = [...this.#strangers].at(-1) ?? [];
    return {
      trustedProxies: this.#services.settings().trustedProxies,
      untrusted: address === undefined || atMs === undefined ? null : { address, atMs },
      trustedAtMs: this.#trustedAtMs,
    };
  }

  clientOf(request: RequestFacts): EffectiveClient {
    const client = effectiveClient(request, this.#trustedProxies(), this.#peers);
    if (client.isForwardedByStranger) this.#noteStranger(client.address);
    else if (client.isForwarded) this.#trustedAtMs = this.#services.clock.nowMs();
    return client;
  }

  isKnownHost({ host }: EffectiveClient): boolean {
    const { hostname, settings } = this.#services;
    const { allowedHosts } = settings();
    if (this.#hosts.of !== allowedHosts)
      this.#hosts = { of: allowedHosts, known: new Remembered(REMEMBERED_HOSTS_MAX) };
    const { known } = this.#hosts;
    const remembered = known.get(host ?? '');
    if (remembered !== undefined) return remembered;
    const isKnown = isKnownHost(host, { hostname, allowedHosts });
    known.set(host ?? '', isKnown);
    return isKnown;
  }

  /** The session's cookie, or a bearer token; who presents a token is never taken for the browser's visitor. */
  async identify(request: AccessRequest, client: EffectiveClient): Promise<Caller> {
    const { authorization } = request.headers;
    if (authorization !== undefined && /^bearer /i.test(authorization)) {
      return toCaller(await this.#services.tokens.find(authorization.slice('bearer '.length).trim()));
    }
    return this.#visitor(request.headers, client);
  }

  /** Null when a request that changes something may be taken; else the reason why not. */
  refusalOf(request: AccessRequest, client: EffectiveClient): string | null {
    if (isSafeMethod(request.method) || /^bearer /i.test(request.headers.authorization ?? '')) return null;
    return foreignReason(request.headers, client.host, this.#secretOf(request.headers) !== null);
  }

  /** Calls `onEnded` when this right ends. @returns how to stop that */
  watch(right: Right, onEnded: () => void): () => void {
    const { sessions, tokens, users } = this.#services;
    if (right.kind === 'session') return sessions.watch(right.sessionId, onEnded);
    if (right.kind === 'token') return tokens.watch(right.tokenId, onEnded);
    if (right.kind === 'nobody') return () => undefined;
    const { kind, id } = right.signer;
    return kind === 'token' ? tokens.watch(id, onEnded) : users.watch(id, onEnded);
  }

  /**
   * Says so at once where nobody has to show a right, which is nearly always.
   * @param client of this request, where the caller knows it: finding it out is much of what a small answer costs
   */
  mayPlay(request: StreamRequest, client = this.clientOf(request)): StreamDecision | Promise<StreamDecision> {
    const { streamAccess } = this.#services.settings();
    if (request.headers['sec-fetch-site'] === 'cross-site' && client.host !== null && !this.isKnownHost(client)) {
      return {
        may: false,
        status: 421,
        message: 'streams are not played on pages of other sites under a name that is not known here',
        hint: 'if the name is yours, add it to LARDER_ALLOWED_HOSTS',
      };
    }
    if (streamAccess === 'all') return { may: true, by: null };
    const isAtHome = streamAccess === 'private' && client.isPrivate;
    // Over plain http browsers do not say which site asks: a page that points its name at us looks like a player, but
    // for the name. HTTP/1.0 has none, and no browser speaks it.
    if (isAtHome && (client.host === null || this.isKnownHost(client))) return { may: true, by: null };
    return this.#mayPlayByRight(request, client, streamAccess, isAtHome);
  }

  async #mayPlayByRight(
    request: StreamRequest,
    client: EffectiveClient,
    streamAccess: 'private' | 'locked',
    isAtHome: boolean,
  ): Promise<StreamDecision> {
    const query = new URLSearchParams(request.query);
    const signature = await this.#services.signatures.check(request.path, query);
    if (signature.state === 'good') return { may: true, by: { kind: 'address', signer: signature.signer } };
    const caller = await this.#player(request.headers, query, client);
    if (caller.kind !== 'nobody') return { may: true, by: caller };
    return isAtHome ? refuseName(client) : refuse(streamAccess, signature.state, client);
  }

  /** What the person prefers in whose right it is played, or who is signed in; null where nobody is known. */
  async preferencesOf(request: StreamRequest, client: EffectiveClient, by: Right | null): Promise<Preferences | null> {
    const { users } = this.#services;
    if (by?.kind === 'address') return by.signer.kind === 'user' ? users.findPreferences(by.signer.id) : null;
    const caller = by ?? (await this.#player(request.headers, new URLSearchParams(request.query), client));
    if (caller.kind === 'session') return caller.preferences;
    return caller.kind === 'token' && caller.userId !== null ? users.findPreferences(caller.userId) : null;
  }

  /** Players bring what they can: a bearer token, a token as the password of basic authentication, one in the address. */
  async #player(headers: IncomingHttpHeaders, query: URLSearchParams, client: EffectiveClient): Promise<Caller> {
    const { tokens } = this.#services;
    const authorization = headers.authorization ?? '';
    const [, scheme = '', credentials = ''] = /^(bearer|basic) +(\S+) *$/i.exec(authorization) ?? [];
    if (scheme.toLowerCase() === 'bearer') return toCaller(await tokens.find(credentials));
    if (scheme.toLowerCase() === 'basic') {
      const pair = Buffer.from(credentials, 'base64').toString('utf8');
      const caller = toCaller(await tokens.find(pair.slice(pair.indexOf(':') + 1)));
      if (caller.kind !== 'nobody') return caller;
    }
    const inAddress = query.get('token');
    if (inAddress !== null) {
      // Addresses end in histories and lists: only what opens nothing but streams may stand in one.
      const token = await tokens.find(inAddress);
      if (token !== null && token.scope === 'stream') return toCaller(token);
    }
    return this.#visitor(headers, client);
  }

  async #visitor(headers: IncomingHttpHeaders, client: EffectiveClient): Promise<Caller> {
    const secret = this.#secretOf(headers);
    const session = secret === null ? null : await this.#services.sessions.find(secret, client.address);
    if (session === null) return NOBODY;
    const { id, userId, userName, userCreatedAt, role } = session;
    return {
      kind: 'session',
      sessionId: id,
      userId,
      userName,
      userSinceMs: userCreatedAt,
      role,
      preferences: readPreferences(session.preferences),
    };
  }

  #secretOf(headers: IncomingHttpHeaders): string | null {
    for (const pair of (headers.cookie ?? '').split(';')) {
      const equals = pair.indexOf('=');
      if (pair.slice(0, equals).trim() === this.#services.cookieName) return pair.slice(equals + 1).trim();
    }
    return null;
  }

  #trustedProxies(): TrustedProxies {
    const { trustedProxies: texts } = this.#services.settings();
    if (this.#proxies?.texts !== texts) {
      this.#proxies = { texts, trusted: trustedProxies(texts) };
      this.#strangers.clear();
    }
    return this.#proxies.trusted;
  }

  #noteStranger(address: string): void {
    const isKnown = this.#strangers.delete(address);
    if (!isKnown && this.#strangers.size >= STRANGERS_KEPT) return;
    this.#strangers.set(address, this.#services.clock.nowMs());
    if (isKnown) return;
    this.#services.log.warning(
      'forwarding headers were ignored: they came from a peer that is not trusted, which now counts as the internet; if it is your proxy, name it in LARDER_TRUSTED_PROXIES',
      { address },
    );
    const what = 'sends forwarding headers and is no trusted proxy: they are ignored, and it counts as the internet.';
    const hint = `If it is your proxy, add it to the setting “Trusted proxies” (LARDER_TRUSTED_PROXIES=${address}).`;
    void this.#services.noteEvent('untrusted-proxy', address, `${address} ${what} ${hint}`);
  }
}

function toCaller(token: Token | null): Caller {
  if (token === null) return NOBODY;
  const { id, name, scope, createdAt, userId } = token;
  return { kind: 'token', tokenId: id, name, scope, sinceMs: createdAt, userId };
}

function refuseName({ host }: EffectiveClient): StreamDecision {
  const name = hostNameOf(host);
  return {
    may: false,
    status: 421,
    message: name === null ? 'this name is none' : `this Larder does not know ${name} as its own name`,
    hint: `ask for it by its address or the name of its machine; or, if the name is yours, add it to LARDER_ALLOWED_HOSTS`,
  };
}

function refuse(
  streamAccess: 'private' | 'locked',
  signature: 'none' | 'expired' | 'wrong',
  client: EffectiveClient,
): StreamDecision {
  if (signature === 'expired') {
    return {
      may: false,
      status: 403,
      message: 'this address has expired',
      hint: 'copy a fresh one from the pages of Larder',
    };
  }
  if (signature === 'wrong') {
    const hint = 'copy it again from the pages of Larder, whole';
    return {
      may: false,
      status: 403,
      message: 'this address was altered, is not of this Larder, or who made it is gone',
      hint,
    };
  }
  const ways =
    'use an address copied from the pages of Larder, or a token: in the address (?token=…) or as the password';
  if (streamAccess === 'locked') return { may: false, status: 401, message: 'streams are locked', hint: ways };
  return {
    may: false,
    status: 401,
    message: 'streams are open to private networks only',
    hint: client.isForwardedByStranger
      ? `this request came through a proxy that is not trusted: name it in LARDER_TRUSTED_PROXIES; or ${ways}`
      : `${ways}; or start Larder with --stream-access all`,
  };
}
