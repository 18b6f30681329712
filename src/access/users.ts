// People who may sign in. There is always an owner: the last one can neither go nor become a viewer.
import type { Clock } from '../clock.ts';
import type { Role, UserRow, UserTable } from '../db/users.ts';
import { LarderError } from '../errors.ts';
import { ACCOUNT_DELAY_MAX_MS } from '../limits.ts';
import type { Log } from '../log.ts';
import { type Preferences, readPreferences } from './caller.ts';
import { checkNewPassword, type Passwords } from './passwords.ts';
import { RightWatchers } from './right-watchers.ts';
import type { RightsVersion } from './rights-version.ts';
import type { Sessions } from './sessions.ts';
import { Throttle, throttled } from './throttle.ts';

export interface User {
  readonly id: number;
  readonly name: string;
  readonly role: Role;
  readonly preferences: Preferences;
  readonly createdAt: number;
  readonly passwordChangedAt: number;
  readonly lastSignInAt: number | null;
}

export interface UserServices {
  readonly table: UserTable;
  readonly sessions: Sessions;
  readonly passwords: Passwords;
  readonly version: RightsVersion;
  readonly noteEvent: NoteEvent;
  readonly clock: Clock;
  readonly log: Log;
}

/** Writes down who did what to whom. Never throws. */
export type NoteEvent = (kind: string, subject: string, text: string) => Promise<unknown>;

const NAME_LENGTH_MAX = 64;

/** What two names are compared by. */
export function nameKeyOf(name: string): string {
  return name.normalize('NFKC').trim().toLowerCase();
}

/** @throws LarderError `invalid` */
export function checkUserName(text: string): string {
  const name = text.normalize('NFC').trim();
  if (name === '') {
    throw new LarderError('invalid', 'the name is empty', { hint: 'use one that its owner can remember' });
  }
  // A colon would end the name in basic authentication.
  if ([...name].length > NAME_LENGTH_MAX || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}:]/u.test(name)) {
    throw new LarderError('invalid', 'this name cannot be taken', {
      hint: `use at most ${NAME_LENGTH_MAX} characters, without colons and signs that cannot be seen`,
    });
  }
  return name;
}

export class Users {
  readonly #services: UserServices;
  /** Of the current password, by user: who found a browser signed in must not guess it. */
  readonly #tries: Throttle;
  readonly #watchers: RightWatchers;

  constructor(services: UserServices) {
    this.#services = services;
    const endOf = async (id: number) => ((await services.table.find(id)) === null ? null : Number.POSITIVE_INFINITY);
    this.#watchers = new RightWatchers({ ...services, endOf });
    services.version.onChange(() => this.#watchers.look());
    this.#tries = new Throttle(services.clock, ACCOUNT_DELAY_MAX_MS);
  }

  /** In the order they were added. */
  async list(limit: number, afterId = 0): Promise<User[]> {
    return (await this.#services.table.list(limit, afterId)).map(toUser);
  }

  /** @throws LarderError `missing` */
  async get(id: number): Promise<User> {
    return toUser(await this.#row(id));
  }

  /** Null when there is no such user any more. */
  async findPreferences(id: number): Promise<Preferences | null> {
    const row = await this.#services.table.find(id);
    return row === null ? null : readPreferences(row.preferences);
  }

  async findByName(name: string): Promise<User | null> {
    const row = await this.#services.table.findByName(nameKeyOf(name));
    return row === null ? null : toUser(row);
  }

  /** @throws LarderError `invalid`, or `conflict` when the name is taken */
  async create(
    request: { readonly name: string; readonly role: Role; readonly password: string },
    by: string,
  ): Promise<User> {
    const { table, passwords, noteEvent, clock } = this.#services;
    const name = checkUserName(request.name);
    checkNewPassword(request.password, name);
    const nameKey = nameKeyOf(name);
    const taken = () =>
      new LarderError('conflict', `there is a user named ${JSON.stringify(name)} already`, {
        hint: 'choose another name',
      });
    // Asked first, so that no password is hashed for nothing; the row itself decides.
    if ((await table.findByName(nameKey)) !== null) throw taken();
    const passwordHash = await passwords.hash(request.password);
    const row = await table.add({ name, nameKey, role: request.role, passwordHash }, clock.nowMs());
    if (row === null) throw taken();
    await noteEvent('user', name, `${name} was added as ${row.role} by ${by}.`);
    return toUser(row);
  }

  /** Ends all their sessions, and tokens that may do more. @throws LarderError `missing`, or `conflict` for the last owner */
  async setRole(id: number, role: Role, by: string): Promise<User> {
    const { table, version, noteEvent } = this.#services;
    const before = await this.#row(id);
    if (before.role === role) return toUser(before);
    if (!(await table.setRole(id, role))) throw lastOwner(before.name, 'become a viewer');
    await version.changed();
    await noteEvent('user', before.name, `${before.name} was made ${role} by ${by}; their sessions ended.`);
    return toUser(await this.#row(id));
  }

  /** Looks whether `setPassword` would take it. @throws LarderError `missing`, `invalid` */
  async checkPassword(id: number, password: string): Promise<void> {
    checkNewPassword(password, (await this.#row(id)).name);
  }

  /** As an owner sets it for somebody: all their sessions end. @throws LarderError `missing`, `invalid` */
  async setPassword(id: number, password: string, by: string, keepSessionId: number | null = null): Promise<void> {
    await this.#replacePassword(await this.#row(id), { password, by, keepSessionId, from: null });
  }

  /** @returns whether it was replaced: not when `from` is not the hash in force any more */
  async #replacePassword(
    row: UserRow,
    change: {
      readonly password: string;
      readonly by: string;
      readonly keepSessionId: number | null;
      readonly from: string | null;
    },
  ): Promise<boolean> {
    const { table, sessions, passwords, noteEvent, clock } = this.#services;
    const { password, by, keepSessionId, from } = change;
    checkNewPassword(password, row.name);
    if (!(await table.setPassword(row.id, await passwords.hash(password), clock.nowMs(), from))) return false;
    await sessions.endAllOf(row.id, keepSessionId);
    const whose = by === row.name ? 'their' : `the password of ${row.name}, whose`;
    const rest = by === row.name ? 'password; their other sessions ended' : 'sessions ended';
    await noteEvent('user', row.name, `${by} changed ${whose} ${rest}.`);
    return true;
  }

  /**
   * As its owner changes it: the session it was changed in goes on, all others end.
   * @throws LarderError `sign-in` when `current` is wrong, `throttled`, `invalid` when `next` cannot be taken
   */
  async changePassword(
    id: number,
    change: { readonly current: string; readonly next: string; readonly sessionId: number | null },
  ): Promise<void> {
    const row = await this.#row(id);
    const waitMs = this.#tries.waitOf(String(id));
    if (waitMs > 0) throw throttled(waitMs);
    this.#tries.note(String(id));
    const wrong = () =>
      new LarderError('sign-in', 'the current password is wrong', { hint: 'enter the one you signed in with' });
    if (!(await this.#services.passwords.verify(change.current, row.passwordHash))) throw wrong();
    this.#tries.clear(String(id));
    const isReplaced = await this.#replacePassword(row, {
      password: change.next,
      by: row.name,
      keepSessionId: change.sessionId,
      from: row.passwordHash,
    });
    if (!isReplaced) throw wrong(); // somebody set another one meanwhile
  }

  async setPreferences(id: number, changes: Partial<Preferences>): Promise<Preferences> {
    const row = await this.#row(id);
    const preferences = { ...readPreferences(row.preferences), ...changes };
    await this.#services.table.setPreferences(id, JSON.stringify(preferences));
    await this.#services.version.changed();
    return preferences;
  }

  /** Their sessions and tokens go with them. @throws LarderError `missing`, or `conflict` for the last owner */
  async remove(id: number, by: string): Promise<User> {
    const row = await this.#row(id);
    if (!(await this.#services.table.remove(id))) throw lastOwner(row.name, 'be removed');
    await this.#services.version.changed();
    await this.#services.noteEvent('user', row.name, `${row.name} was removed by ${by}.`);
    return toUser(row);
  }

  /** Calls `onEnded` once when this user is removed. @returns how to stop that */
  watch(id: number, onEnded: () => void): () => void {
    return this.#watchers.add(id, onEnded);
  }

  async #row(id: number): Promise<UserRow> {
    const row = await this.#services.table.find(id);
    if (row !== null) return row;
    throw new LarderError('missing', 'there is no such user', { hint: 'somebody may have removed them meanwhile' });
  }
}

function toUser({ nameKey: _, passwordHash: __, preferences, ...row }: UserRow): User {
  return { ...row, preferences: readPreferences(preferences) };
}

function lastOwner(name: string, what: string): LarderError {
  return new LarderError('conflict', `${name} is the only owner and cannot ${what}`, {
    hint: 'make somebody else an owner first',
  });
}
