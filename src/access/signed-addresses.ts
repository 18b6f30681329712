// Addresses that open one stream until a moment: for players that can take an address and nothing else. The signature
// is an HMAC-SHA-256 over the path as it reads decoded (players spell `%20` and `(` as they like) and the moment.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { SIGNED_ADDRESS_MAX_MS, SIGNED_ADDRESS_MS } from '../limits.ts';

export type SignatureState = 'none' | 'good' | 'expired' | 'wrong';

export class SignedAddresses {
  readonly #key: Uint8Array;
  readonly #clock: Clock;

  /** @param key of the data folder, for this purpose */
  constructor(key: Uint8Array, clock: Clock) {
    this.#key = key;
    this.#clock = clock;
  }

  /** @param path from the root of Larder on, as it stands in an address: `/s/films/Some%20Film.mkv` */
  sign(path: string, lifetimeMs: number = SIGNED_ADDRESS_MS): string {
    const expires = Math.floor((this.#clock.nowMs() + Math.min(lifetimeMs, SIGNED_ADDRESS_MAX_MS)) / 1_000);
    return `${path}?expires=${expires}&signature=${this.#signatureOf(path, String(expires)).toString('base64url')}`;
  }

  check(path: string, query: URLSearchParams): SignatureState {
    const expires = query.get('expires');
    const signature = query.get('signature');
    if (expires === null || signature === null) return 'none';
    const given = Buffer.from(signature, 'base64url');
    const expected = this.#signatureOf(path, expires);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'wrong';
    return Number(expires) * 1_000 > this.#clock.nowMs() ? 'good' : 'expired';
  }

  #signatureOf(path: string, expires: string): Buffer {
    return createHmac('sha256', this.#key)
      .update(`${expires}\n${readable(path)}`)
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
