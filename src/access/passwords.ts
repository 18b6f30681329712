// What a password must be, and its hashing: one at a time, because each takes much memory and a quarter of a second of
// a small machine, and never more waiting than would be worth waiting for.
import { LarderError } from '../errors.ts';
import { PASSWORD_CHECKS_WAITING_MAX, PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from '../limits.ts';

/** What hashing needs of the runtime (src/runtime/password-hash.ts). */
export interface PasswordHash {
  hash(password: string): Promise<string>;
  verify(password: string, encoded: string): Promise<boolean>;
  isOutdated(encoded: string): boolean;
  verifyNobody(password: string): Promise<void>;
}

/** The first ones that are tried wherever a password is guessed; all long enough for the rule of length. */
const COMMON = new Set(
  (
    'password password1 password12 password123 passw0rd 12345678 123456789 1234567890 qwertyui qwertyuiop qwerty123 ' +
    'iloveyou sunshine princess football baseball superman trustno1 whatever starwars computer letmein1 welcome1 ' +
    'adminadmin administrator changeme larderlarder 11111111 00000000 88888888 87654321 abcd1234 1q2w3e4r 1qaz2wsx ' +
    'asdfghjk zxcvbnm1 internet michelle jennifer'
  ).split(' '),
);

/** One spelling of each text, whatever keyboard wrote it. */
function normalize(password: string): string {
  return password.normalize('NFKC');
}

/**
 * @param userName may not be the password
 * @throws LarderError `invalid` that says what to change; never the password itself
 */
export function checkNewPassword(password: string, userName: string): void {
  const text = normalize(password);
  const length = [...text].length;
  if (length < PASSWORD_LENGTH_MIN) {
    throw weak(`the password has ${length === 1 ? '1 character' : `${length} characters`}`);
  }
  if (length > PASSWORD_LENGTH_MAX) {
    throw new LarderError('invalid', 'the password is too long', {
      hint: `use at most ${PASSWORD_LENGTH_MAX} characters`,
    });
  }
  const lower = text.toLowerCase();
  if (COMMON.has(lower) || new Set(lower).size < 3) throw weak('the password is one of the first that are tried');
  if (lower === userName.toLowerCase()) throw weak('the password is the name');
}

function weak(problem: string): LarderError {
  return new LarderError('invalid', problem, {
    hint: `use at least ${PASSWORD_LENGTH_MIN} characters; three or four words that do not belong together are good`,
  });
}

export class Passwords {
  readonly #hash: PasswordHash;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(hash: PasswordHash) {
    this.#hash = hash;
  }

  /** @throws LarderError `overloaded` when too many are being looked at */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => this.#hash.hash(normalize(password)));
  }

  /**
   * @param encoded null where nobody has the name: that takes as long
   * @throws LarderError `overloaded`, or `sign-in` when this build cannot check it
   */
  verify(password: string, encoded: string | null): Promise<boolean> {
    return this.#inTurn(async () => {
      const text = normalize(password);
      // Longer ones were never taken: no time is spent on what cannot be right.
      if (text.length === 0 || text.length > PASSWORD_LENGTH_MAX * 4) return false;
      if (encoded !== null) return this.#hash.verify(text, encoded);
      await this.#hash.verifyNobody(text);
      return false;
    });
  }

  isOutdated(encoded: string): boolean {
    return this.#hash.isOutdated(encoded);
  }

  async #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#waiting >= PASSWORD_CHECKS_WAITING_MAX) {
      throw new LarderError('overloaded', 'too many passwords are being checked', {
        hint: 'try again in a few seconds',
        retryAfterMs: 5_000,
      });
    }
    this.#waiting += 1;
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }
}
