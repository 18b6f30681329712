// Addresses that open one stream until a moment: for players that can take an address and nothing else. They end with
// the user or token they were made for. The signature is an HMAC-SHA-256 over the path as it reads decoded (players spell
// `%20` and `(` as they like), the moment, and whose it is.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { REMEMBERED_RIGHTS_MAX, SIGNED_ADDRESS_MAX_MS, SIGNED_ADDRESS_MS } from '../limits.ts';
import type { Caller } from './caller.ts';
import { Remembered } from './remembered.ts';
import type { RightsVersion } from './rights-version.ts';

/** In whose right an address is made. */
export interface Signer {
  readonly kind: 'user' | 'token';
  readonly id: number;
  /** When it was made: the database gives the ids of those that are gone to others. */
  readonly sinceMs: number;
}

export interface SignerRight {
  readonly sinceMs: number;
  readonly expiresAtMs: number | null;
}

export interface SignedAddressServices {
  /** Of the data folder, for this purpose. */
  readonly key: Uint8Array;
  /** Null when there is no such user or token any more. */
  readonly find: (kind: Signer['kind'], id: number) => Promise<SignerRight | null>;
  readonly version: Pick<RightsVersion, 'current' | 'look'>;
  readonly clock: Clock;
}

export type SignatureCheck =
  | { readonly state: 'none' | 'expired' | 'wrong' }
  | { readonly state: 'good'; readonly signer: Signer };

/** Null for who has no right of their own. */
export function signerOf(caller: Caller): Signer | null {
  if (caller.kind === 'session') return { kind: 'user', id: caller.userId, sinceMs: caller.userSinceMs };
  if (caller.kind === 'token') return { kind: 'token', id: caller.tokenId, sinceMs: caller.sinceMs };
  return null;
}

export class SignedAddresses {
  readonly #services: SignedAddressServices;
  readonly #remembered = new Remembered<SignerRight>(REMEMBERED_RIGHTS_MAX);
  #rememberedOf = -1;

  constructor(services: SignedAddressServices) {
    this.#services = services;
  }

  /** @param path from the root of Larder on, as it stands in an address: `/s/films/Some%20Film.mkv` */
  sign(path: string, { kind, id, sinceMs }: Signer, lifetimeMs: number = SIGNED_ADDRESS_MS): string {
    const { clock } = this.#services;
    const expires = Math.floor((clock.nowMs() + Math.min(lifetimeMs, SIGNED_ADDRESS_MAX_MS)) / 1_000);
    const by = `${kind}-${id}`;
    const signature = this.#signatureOf(path, String(expires), by, sinceMs).toString('base64url');
    return `${path}?expires=${expires}&by=${by}&signature=${signature}`;
  }

  async check(path: string, query: URLSearchParams): Promise<SignatureCheck> {
    const [expires, by, signature] = [query.get('expires'), query.get('by'), query.get('signature')];
    if (expires === null || signature === null) return { state: 'none' };
    const [, kind, id] = /^(user|token)-(\d{1,15})$/.exec(by ?? '') ?? [];
    if (by === null || (kind !== 'user' && kind !== 'token')) return { state: 'wrong' };
    const right = await this.#rightOf(by, kind, Number(id));
    if (right === null) return { state: 'wrong' };
    const given = Buffer.from(signature, 'base64url');
    const expected = this.#signatureOf(path, expires, by, right.sinceMs);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return { state: 'wrong' };
    const nowMs = this.#services.clock.nowMs();
    const isOver = right.expiresAtMs !== null && nowMs >= right.expiresAtMs;
    if (isOver || !(Number(expires) * 1_000 > nowMs)) return { state: 'expired' };
    return { state: 'good', signer: { kind, id: Number(id), sinceMs: right.sinceMs } };
  }

  async #rightOf(by: string, kind: Signer['kind'], id: number): Promise<SignerRight | null> {
    const { find, version } = this.#services;
    await version.look();
    const asOf = version.current;
    if (this.#rememberedOf !== asOf) this.#remembered.clear();
    this.#rememberedOf = asOf;
    const right = this.#remembered.get(by) ?? (await find(kind, id));
    if (right !== null && version.current === asOf) this.#remembered.set(by, right);
    return right;
  }

  #signatureOf(path: string, expires: string, by: string, sinceMs: number): Buffer {
    return createHmac('sha256', this.#services.key)
      .update(`${expires}\n${by}\n${sinceMs}\n${readable(path)}`)
      .digest();
  }
}

function readable(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // no valid spelling: it means itself
  }
}
