// Secrets that are handed out: 256 random bits each, of which only a digest is kept. The digest needs no salt and no
// slow hash: there is nothing to guess.
import { createHash, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;

export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/** SHA-256 as hex. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
