// Who owns a Larder that nobody owns yet: who was named in the environment, else who can read its console or its data
// folder. The code there is 80 random bits, the same until it is used, also over restarts.
import { randomInt, timingSafeEqual } from 'node:crypto';
import { chmod, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import type { UserRow, UserTable } from '../db/users.ts';
import { describeError, LarderError, systemCode } from '../errors.ts';
import { SETUP_TRIES_PER_MINUTE, SETUP_TRIES_PER_MINUTE_TOTAL } from '../limits.ts';
import type { Log } from '../log.ts';
import { checkNewPassword, type Passwords } from './passwords.ts';
import { lineOf } from './sign-in.ts';
import { MinuteLimit, throttled } from './throttle.ts';
import { checkUserName, nameKeyOf } from './users.ts';

export const SETUP_CODE_FILE = 'setup-code';

/** Crockford's: no letter looks like a digit. */
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_LENGTH = 16; // × 5 bits

export interface FirstOwnerServices {
  readonly users: UserTable;
  readonly passwords: Passwords;
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Claim {
  readonly code: string;
  readonly name: string;
  readonly password: string;
  readonly address: string;
}

/** As it is shown: `ABCD-EFGH-JKMN-PQRS`. */
function newCode(): string {
  const letters = Array.from({ length: CODE_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]!);
  return [0, 4, 8, 12].map((at) => letters.slice(at, at + 4).join('')).join('-');
}

/** What two codes are compared by: typed in any case, with or without dashes, and with letters read as digits. */
export function readCode(text: string): string {
  return text.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
}

function isCode(text: string): boolean {
  const code = readCode(text);
  return code.length === CODE_LENGTH && [...code].every((letter) => LETTERS.includes(letter));
}

/** The code that stands in the data folder; null when there is none. */
export async function readSetupCode(dataFolder: string): Promise<string | null> {
  try {
    const text = (await readFile(join(dataFolder, SETUP_CODE_FILE), 'utf8')).trim();
    return isCode(text) ? text : null;
  } catch {
    return null; // a new one is made
  }
}

/** The code in the data folder, made when there is none. @throws what the system throws when it cannot be written */
export async function ensureSetupCode(dataFolder: string, code: string = newCode()): Promise<string> {
  const file = join(dataFolder, SETUP_CODE_FILE);
  const kept = await readSetupCode(dataFolder);
  if (kept !== null) {
    await chmod(file, 0o600).catch(() => undefined); // not ours: it is read all the same
    return kept;
  }
  await rm(file, { force: true });
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(`${code}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return code;
}

export class FirstOwner {
  readonly #services: FirstOwnerServices;
  readonly #tries: MinuteLimit;
  readonly #allTries: MinuteLimit;
  #isClaimed = false;
  #code: string | null = null;

  constructor(services: FirstOwnerServices) {
    this.#services = services;
    this.#tries = new MinuteLimit(services.clock, SETUP_TRIES_PER_MINUTE);
    this.#allTries = new MinuteLimit(services.clock, SETUP_TRIES_PER_MINUTE_TOTAL);
  }

  /** Whether somebody owns this Larder. It never becomes false again: the last owner cannot go. */
  async isClaimed(): Promise<boolean> {
    if (this.#isClaimed) return true;
    this.#isClaimed = (await this.#services.users.listOwners()).length > 0;
    if (this.#isClaimed) await this.#forgetCode();
    return this.#isClaimed;
  }

  /** Makes the owner who was named outside, unless there is one. A password that is set so is taken as it is. */
  async seed(name: string, password: string): Promise<void> {
    const { users, passwords, clock, log } = this.#services;
    if (password === '' || (await this.isClaimed())) return;
    const checked = checkUserName(name);
    try {
      checkNewPassword(password, checked);
    } catch (error) {
      log.warning('the password of the first owner is easy to guess', { reason: describeError(error) });
    }
    const passwordHash = await passwords.hash(password);
    const row = await users.addFirst(
      { name: checked, nameKey: nameKeyOf(checked), role: 'owner', passwordHash },
      clock.nowMs(),
    );
    if (row !== null) log.info('the first owner was made from the settings', { user: row.name });
    await this.isClaimed();
  }

  /** The code to print and to ask for; null when somebody owns this Larder. */
  async code(): Promise<string | null> {
    if (await this.isClaimed()) return null;
    if (this.#code !== null) return this.#code;
    const code = newCode();
    try {
      this.#code = await ensureSetupCode(this.#services.dataFolder, code);
    } catch (error) {
      this.#services.log.warning('the set-up code could not be kept; it is another one after a restart', {
        error: describeError(error),
      });
      this.#code = code;
    }
    return this.#code;
  }

  /**
   * Looks at a code without using it.
   * @throws LarderError `sign-in` when it is wrong, `throttled`, or `conflict` when somebody was quicker
   */
  async checkCode(code: string, address: string): Promise<void> {
    const expected = await this.code();
    if (expected === null) throw claimed();
    // Who has it is let in whatever others try: nobody guesses 80 bits, and nobody may keep the owner out.
    const [left, right] = [Buffer.from(readCode(expected)), Buffer.from(readCode(code))];
    if (left.length === right.length && timingSafeEqual(left, right)) return;
    const waitMs = Math.max(this.#tries.take(lineOf(address)), this.#allTries.take(''));
    if (waitMs > 0) throw throttled(waitMs);
    this.#services.log.warning('a wrong set-up code was entered', { address });
    throw new LarderError('sign-in', 'this is not the set-up code', {
      hint: `it stands on the console of Larder and in the file ${SETUP_CODE_FILE} of its data folder; larder token setup shows it again`,
    });
  }

  /** @throws LarderError as `checkCode`, and `invalid` when name or password cannot be taken: the code stays good */
  async claim(claim: Claim): Promise<UserRow> {
    const { users, passwords, clock, log } = this.#services;
    await this.checkCode(claim.code, claim.address);
    const name = checkUserName(claim.name);
    checkNewPassword(claim.password, name);
    const passwordHash = await passwords.hash(claim.password);
    const row = await users.addFirst({ name, nameKey: nameKeyOf(name), role: 'owner', passwordHash }, clock.nowMs());
    if (row === null) throw claimed();
    await users.recordSignIn(row.id, clock.nowMs()); // claiming it signs in
    await this.isClaimed();
    log.info('this Larder was claimed', { user: row.name, address: claim.address });
    return row;
  }

  async #forgetCode(): Promise<void> {
    this.#code = null;
    try {
      await rm(join(this.#services.dataFolder, SETUP_CODE_FILE), { force: true });
    } catch (error) {
      // It opens nothing any more.
      this.#services.log.debug('the set-up code could not be removed', {
        error: systemCode(error) ?? describeError(error),
      });
    }
  }
}

function claimed(): LarderError {
  return new LarderError('conflict', 'this Larder has an owner already', {
    hint: 'sign in with the name and password of one',
  });
}
