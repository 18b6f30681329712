// The one key of a data folder: 32 random bytes in `secret-key`, readable by the user Larder runs as and nobody else.
// It is never used itself: each purpose has a key derived from it, so that what one of them gives away says nothing of
// the others. Sealed text is AES-256-GCM: `v1.` and, as base64url, nonce, ciphertext and tag.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { chmod, link, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describeError, LarderError, systemCode } from '../errors.ts';

/** Keeps secrets in the database: who has the database alone cannot read them. */
export interface Sealer {
  /** @throws LarderError `secret-key` when nothing could be opened again after a restart */
  seal(text: string): string;
  /** @throws LarderError `secret-key` when it was sealed with another key or altered */
  open(sealed: string): string;
}

export const SECRET_KEY_FILE = 'secret-key';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 'v1.';

export class SecretKey {
  readonly #key: Uint8Array;
  readonly #notKept: unknown;

  constructor(key: Uint8Array, notKept: unknown = null) {
    this.#key = key;
    this.#notKept = notKept;
  }

  /** Null, or why the key lives in memory only: it will be another one after a restart. */
  get notKeptBecause(): string | null {
    return this.#notKept === null ? null : describeError(this.#notKept);
  }

  /** 32 bytes for one purpose; the same ones for the same words as long as the file lives. */
  derive(purpose: string): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.#key, '', `larder ${purpose}`, KEY_BYTES));
  }

  sealer(purpose: string): Sealer {
    return new GcmSealer(this.derive(purpose), this.notKeptBecause);
  }
}

class GcmSealer implements Sealer {
  readonly #key: Uint8Array;
  readonly #notKeptBecause: string | null;

  constructor(key: Uint8Array, notKeptBecause: string | null) {
    this.#key = key;
    this.#notKeptBecause = notKeptBecause;
  }

  seal(text: string): string {
    if (this.#notKeptBecause !== null) {
      throw new LarderError('secret-key', `secrets cannot be kept: ${this.#notKeptBecause}`, {
        hint: `let Larder write the file ${SECRET_KEY_FILE} in its data folder, then start it again`,
      });
    }
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    const bytes = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
    return VERSION + Buffer.concat(bytes).toString('base64url');
  }

  open(sealed: string): string {
    const bytes = Buffer.from(sealed.slice(VERSION.length), 'base64url');
    if (!sealed.startsWith(VERSION) || bytes.length < NONCE_BYTES + TAG_BYTES) throw cannotOpen();
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
      return Buffer.concat([text, decipher.final()]).toString('utf8');
    } catch {
      // The driver's words say nothing that helps; which secret it was is for the caller to name.
      throw cannotOpen();
    }
  }
}

function cannotOpen(): LarderError {
  return new LarderError('secret-key', 'a secret in the database was sealed with another key', {
    hint: `put the ${SECRET_KEY_FILE} that belongs to this database back into the data folder, or enter the secret again`,
  });
}

/**
 * The key of the data folder, made when there is none. Where a new one cannot be written it lives in memory, so that a
 * full or read-only disk keeps nobody from playing.
 * @throws LarderError `data-folder` when there is a file that is no key or cannot be read
 */
export async function loadSecretKey(dataFolder: string): Promise<SecretKey> {
  const file = join(dataFolder, SECRET_KEY_FILE);
  const existing = await read(file);
  if (existing !== null) return new SecretKey(existing);
  const key = randomBytes(KEY_BYTES);
  try {
    await write(file, key);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') return new SecretKey(key, error);
  }
  // What stands in the file counts: another process may have been quicker.
  return new SecretKey((await read(file)) ?? key);
}

async function read(file: string): Promise<Uint8Array | null> {
  let key: Uint8Array;
  try {
    key = await readFile(file);
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0) await chmod(file, 0o600);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw new LarderError('data-folder', `the key ${file} cannot be read: ${describeError(error)}`, {
      cause: error,
      hint: 'let the user Larder runs as own it, with mode 0600',
    });
  }
  if (key.length === KEY_BYTES) return key;
  throw new LarderError('data-folder', `the key ${file} is damaged: it has ${key.length} bytes, not ${KEY_BYTES}`, {
    hint: 'put the file back from a backup; or remove it, then the passwords of sources must be entered again',
  });
}

/** Whole or not at all, also when the power goes; never over a file that is there. */
async function write(file: string, key: Uint8Array): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(key);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
