// Passwords as PHC strings: argon2id where the runtime has it (Bun), else scrypt. Both run off the main thread. The cost
// is what OWASP names for each as equal: some 60 ms on a desktop, a quarter of a second on a Raspberry Pi.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { LarderError } from '../errors.ts';

export interface PasswordHash {
  /** @returns a PHC string */
  hash(password: string): Promise<string>;
  /** @throws LarderError `sign-in` when this runtime cannot compute what `encoded` was made with */
  verify(password: string, encoded: string): Promise<boolean>;
  /** Whether `hash` would make it in another way today. */
  isOutdated(encoded: string): boolean;
  /** Takes as long as `verify` of a real one. */
  verifyNobody(password: string): Promise<void>;
}

const ARGON = { memoryCost: 19_456, timeCost: 2 } as const; // KiB, passes; one lane
const ARGON_HEAD = '$argon2id$v=19$m=19456,t=2,p=1$';
/** Matches no password; random bytes. */
const ARGON_NOBODY = `${ARGON_HEAD}e9N+r/iBbfUjP5AqCN+gaSbgQa68RdjqkuOe4KDWyqc$r+2VgGaFhJUf+PvQiACmSpU+NeyOIbBdvHaNnw8p/Og`;

const SCRYPT = { ln: 15, r: 8, p: 3 } as const; // 32 MiB
const SCRYPT_HEAD = `$scrypt$ln=${SCRYPT.ln},r=${SCRYPT.r},p=${SCRYPT.p}$`;
const SCRYPT_NOBODY = `${SCRYPT_HEAD}e9N+r/iBbfUjP5AqCN+gaQ$r+2VgGaFhJUf+PvQiACmSpU+NeyOIbBdvHaNnw8p/Og`;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** A stored cost beyond this is not ours. */
const SCRYPT_LN_MAX = 18;

interface BunPassword {
  hash(password: string, options: { algorithm: 'argon2id'; memoryCost: number; timeCost: number }): Promise<string>;
  verify(password: string, encoded: string): Promise<boolean>;
}

function findBunPassword(): BunPassword | null {
  return (globalThis as { Bun?: { password?: BunPassword } }).Bun?.password ?? null;
}

/** What this runtime has. */
export function systemPasswordHash(): PasswordHash {
  const bun = findBunPassword();
  return bun === null ? scryptPasswordHash : new ArgonPasswordHash(bun);
}

class ArgonPasswordHash implements PasswordHash {
  readonly #bun: BunPassword;

  constructor(bun: BunPassword) {
    this.#bun = bun;
  }

  hash(password: string): Promise<string> {
    return this.#bun.hash(password, { algorithm: 'argon2id', ...ARGON });
  }

  verify(password: string, encoded: string): Promise<boolean> {
    if (encoded.startsWith('$scrypt$')) return verifyScrypt(password, encoded);
    return this.#bun.verify(password, encoded);
  }

  isOutdated(encoded: string): boolean {
    return !encoded.startsWith(ARGON_HEAD);
  }

  async verifyNobody(password: string): Promise<void> {
    await this.verify(password, ARGON_NOBODY);
  }
}

export const scryptPasswordHash: PasswordHash = {
  async hash(password) {
    const salt = randomBytes(SALT_BYTES);
    const key = await deriveScrypt(password, salt, SCRYPT);
    return `${SCRYPT_HEAD}${unpadded(salt)}$${unpadded(key)}`;
  },
  verify: verifyScrypt,
  isOutdated: (encoded) => !encoded.startsWith(SCRYPT_HEAD),
  async verifyNobody(password) {
    await verifyScrypt(password, SCRYPT_NOBODY);
  },
};

async function verifyScrypt(password: string, encoded: string): Promise<boolean> {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(encoded);
  const ln = Number(match?.[1]);
  if (match === null || ln > SCRYPT_LN_MAX) {
    throw new LarderError('sign-in', 'this password was kept in a way that this build of Larder cannot check', {
      hint: 'set it anew with: larder token reset-password',
    });
  }
  const [, , r, p, salt, key] = match;
  const expected = Buffer.from(key!, 'base64');
  const found = await deriveScrypt(password, Buffer.from(salt!, 'base64'), { ln, r: Number(r), p: Number(p) });
  return expected.length === found.length && timingSafeEqual(expected, found);
}

function deriveScrypt(
  password: string,
  salt: Uint8Array,
  { ln, r, p }: { readonly ln: number; readonly r: number; readonly p: number },
): Promise<Buffer> {
  const N = 2 ** ln;
  // What the algorithm needs, and a little for its frame.
  const maxmem = 128 * r * (N + p + 2) + 2 ** 20;
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, { N, r, p, maxmem }, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}

/** PHC strings have base64 without padding. */
function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
