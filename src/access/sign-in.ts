// Names and passwords. Who guesses waits longer and longer, by address and by account; somebody who has no account takes
// as long as somebody who has one, and hears the same.
import ipaddr from 'ipaddr.js';
import type { Clock } from '../clock.ts';
import type { Role, UserRow, UserTable } from '../db/users.ts';
import { describeError, LarderError } from '../errors.ts';
import { ACCOUNT_DELAY_MAX_MS, ADDRESS_DELAY_MAX_MS, FREE_TRIES } from '../limits.ts';
import type { Log } from '../log.ts';
import type { Passwords } from './passwords.ts';
import type { Sessions } from './sessions.ts';
import { Throttle, throttled } from './throttle.ts';
import { type NoteEvent, nameKeyOf } from './users.ts';

export interface SignInRequest {
  readonly name: string;
  readonly password: string;
  readonly address: string;
  /** Whether it comes from a private network: who guesses from afar delays nobody at home. */
  readonly isPrivate: boolean;
  readonly device: string;
}

export interface SignedIn {
  readonly userId: number;
  readonly userName: string;
  readonly role: Role;
  /** For the cookie: it is known to nobody else. */
  readonly secret: string;
}

export interface SignInServices {
  readonly users: UserTable;
  readonly sessions: Sessions;
  readonly passwords: Passwords;
  readonly noteEvent: NoteEvent;
  readonly clock: Clock;
  readonly log: Log;
}

const KEY_LENGTH_MAX = 64;

/** Addresses of one line: an IPv6 customer has a /64 at least. */
export function lineOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  const bytes = parsed.toByteArray();
  return `${ipaddr.fromByteArray([...bytes.slice(0, 8), 0, 0, 0, 0, 0, 0, 0, 0]).toString()}/64`;
}

export class SignIn {
  readonly #services: SignInServices;
  readonly #addresses: Throttle;
  readonly #accounts: Throttle;

  constructor(services: SignInServices) {
    this.#services = services;
    this.#addresses = new Throttle(services.clock, ADDRESS_DELAY_MAX_MS);
    this.#accounts = new Throttle(services.clock, ACCOUNT_DELAY_MAX_MS);
  }

  /**
   * @throws LarderError `sign-in` when it is wrong, `throttled` with `retryAfterMs`, `overloaded`
   */
  async signIn(request: SignInRequest): Promise<SignedIn> {
    const { users, sessions, passwords, clock, log } = this.#services;
    const nameKey = nameKeyOf(request.name);
    const user = await this.#check(request, nameKey);
    const { id, name, role } = user;
    const secret = await sessions.openWhile(user, { device: request.device, address: request.address });
    if (secret === null) {
      log.warning('sign-in failed', { address: request.address, user: name }); // it was right until a moment ago
      throw wrong();
    }
    log.info('signed in', { address: request.address, user: name });
    if (passwords.isOutdated(user.passwordHash)) {
      await users.rehash(id, user.passwordHash, await passwords.hash(request.password));
    }
    await users.recordSignIn(id, clock.nowMs());
    return { userId: id, userName: name, role, secret };
  }

  async #check(request: SignInRequest, nameKey: string): Promise<UserRow> {
    const { users, passwords, log } = this.#services;
    const line = lineOf(request.address);
    const account = `${request.isPrivate ? 'private' : 'public'} ${nameKey.slice(0, KEY_LENGTH_MAX)}`;
    const waitMs = Math.max(this.#addresses.waitOf(line), this.#accounts.waitOf(account));
    if (waitMs > 0) throw throttled(waitMs);
    const tries = Math.max(this.#addresses.note(line), this.#accounts.note(account));

    const user = await users.findByName(nameKey);
    let isRight = false;
    try {
      isRight = await passwords.verify(request.password, user?.passwordHash ?? null);
    } catch (error) {
      log.warning('a password could not be checked', { error: describeError(error) });
      throw error;
    }
    if (user === null || !isRight) {
      // This line is for fail2ban and the like, and stays as it is. A name that nobody has may be a password.
      log.warning('sign-in failed', { address: request.address, user: user?.name ?? 'unknown' });
      if (tries === FREE_TRIES) {
        const whose = user === null ? 'under a name that nobody has' : `as ${user.name}`;
        const text = `${FREE_TRIES} wrong passwords in a row, the last ${whose}; further tries are slowed down.`;
        await this.#services.noteEvent('sign-in-failed', request.address, text);
      }
      throw wrong();
    }
    this.#addresses.clear(line);
    this.#accounts.clear(account);
    return user;
  }
}

function wrong(): LarderError {
  return new LarderError('sign-in', 'name or password is wrong', {
    hint: 'a forgotten password is set anew on the machine Larder runs on: larder token reset-password',
  });
}
