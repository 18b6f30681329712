// Browsers that are signed in. A session ends when it was not used for a month, after half a year in any case, and when
// it is ended by hand, by a new password or a new role. Who holds a stream open for one is told.
import type { Clock, Timer } from '../clock.ts';
import type { SessionCursor, SessionTable, SessionWithUser } from '../db/sessions.ts';
import type { UserRow } from '../db/users.ts';
import { describeError } from '../errors.ts';
import { LAST_USE_WRITE_MS, REMEMBERED_RIGHTS_MAX, SESSION_IDLE_MS, SESSION_MAX_MS } from '../limits.ts';
import type { Log } from '../log.ts';
import { Remembered } from './remembered.ts';
import { RightWatchers } from './right-watchers.ts';
import type { RightsVersion } from './rights-version.ts';
import { digestOf, newSecret } from './secrets.ts';

export type { SessionCursor };

export interface Session {
  readonly id: number;
  readonly userId: number;
  readonly userName: string;
  readonly userCreatedAt: number;
  readonly role: SessionWithUser['role'];
  /** As it is kept; see `readPreferences`. */
  readonly preferences: string;
  readonly device: string;
  readonly address: string;
  readonly createdAt: number;
  readonly lastSeenAt: number;
}

export interface SessionServices {
  readonly table: SessionTable;
  readonly version: RightsVersion;
  readonly clock: Clock;
  readonly log: Log;
}

const SWEEP_PERIOD_MS = 86_400_000;

export class Sessions {
  readonly #services: SessionServices;
  readonly #remembered = new Remembered<SessionWithUser>(REMEMBERED_RIGHTS_MAX);
  readonly #watchers: RightWatchers;
  #sweep: Timer | null = null;

  constructor(services: SessionServices) {
    this.#services = services;
    const endOf = async (id: number) => {
      const session = await services.table.find(id);
      return session === null ? null : endOfSession(session);
    };
    this.#watchers = new RightWatchers({ ...services, endOf });
    services.version.onChange(() => {
      this.#remembered.clear();
      this.#watchers.look();
    });
  }

  start(): void {
    this.#sweep = this.#services.clock.every(SWEEP_PERIOD_MS, () => void this.#removeExpired());
    void this.#removeExpired();
  }

  stop(): void {
    this.#sweep?.cancel();
  }

  /** @returns the secret for the cookie: it is known to nobody else */
  async open(userId: number, from: { readonly device: string; readonly address: string }): Promise<string> {
    const secret = newSecret();
    await this.#services.table.add({ digest: digestOf(secret), userId, ...from }, this.#services.clock.nowMs());
    return secret;
  }

  /**
   * For who showed a password that takes its time to be checked: it may have been changed meanwhile, and the sessions
   * that came of it ended.
   * @returns null when this is not the user's password or role any more
   */
  async openWhile(user: UserRow, from: { readonly device: string; readonly address: string }): Promise<string | null> {
    const { table, clock } = this.#services;
    const secret = newSecret();
    const isOpen = await table.addWhile({ digest: digestOf(secret), userId: user.id, ...from }, user, clock.nowMs());
    return isOpen ? secret : null;
  }

  /** The session of a cookie's secret, which is used from `address` now; null when there is none, or none any more. */
  async find(secret: string, address: string): Promise<Session | null> {
    const { table, version, clock } = this.#services;
    await version.look();
    const asOf = version.current;
    const digest = digestOf(secret);
    const session = this.#remembered.get(digest) ?? (await table.findByDigest(digest));
    const nowMs = clock.nowMs();
    if (session === null || isOver(session, nowMs)) return null;
    const isNews = nowMs - session.lastSeenAt >= LAST_USE_WRITE_MS;
    const seen = isNews ? { ...session, lastSeenAt: nowMs, address } : session;
    if (version.current === asOf) this.#remembered.set(digest, seen);
    if (isNews) {
      table.recordSeen(session.id, address, nowMs).catch((error: unknown) => this.#notWritten(error));
    }
    return seen;
  }

  /** Everybody's, or one user's; those last seen first. Those that are over are left out. */
  async list(userId: number | null, limit: number, cursor: SessionCursor | null = null): Promise<Session[]> {
    const { table, clock } = this.#services;
    const nowMs = clock.nowMs();
    const since = nowMs - SESSION_MAX_MS;
    const rows = await (userId === null
      ? table.list(limit, cursor, since)
      : table.listOf(userId, limit, cursor, since));
    // In this order those that were not used for too long are the last ones.
    return rows.filter((row) => !isOver(row, nowMs));
  }

  async get(id: number): Promise<Session | null> {
    const row = await this.#services.table.find(id);
    return row === null || isOver(row, this.#services.clock.nowMs()) ? null : row;
  }

  async end(id: number): Promise<boolean> {
    const isEnded = await this.#services.table.remove(id);
    await this.#services.version.changed();
    return isEnded;
  }

  /** @returns how many ended */
  async endAllOf(userId: number, exceptId: number | null): Promise<number> {
    const ended = await this.#services.table.removeOf(userId, exceptId);
    await this.#services.version.changed();
    return ended.length;
  }

  /** Everybody's. @returns how many ended */
  async endAll(exceptId: number | null): Promise<number> {
    const ended = await this.#services.table.removeAll(exceptId);
    await this.#services.version.changed();
    return ended.length;
  }

  /** Calls `onEnded` once when the session is over, within two seconds wherever it was ended. @returns how to stop that */
  watch(id: number, onEnded: () => void): () => void {
    return this.#watchers.add(id, onEnded);
  }

  async #removeExpired(): Promise<void> {
    const { table, version, clock } = this.#services;
    const nowMs = clock.nowMs();
    try {
      // A page that stands open is in use, although nothing was asked for.
      for (const id of this.#watchers.ids()) {
        const session = await table.find(id);
        if (session !== null) await table.recordSeen(id, session.address, nowMs);
      }
      await table.removeExpired(nowMs - SESSION_IDLE_MS, nowMs - SESSION_MAX_MS);
      await version.changed();
    } catch (error) {
      this.#notWritten(error);
    }
  }

  #notWritten(error: unknown): void {
    this.#services.log.debug('the use of a session could not be written', { error: describeError(error) });
  }
}

type Times = Pick<Session, 'createdAt' | 'lastSeenAt'>;

/** The last moment at which it is good. */
function endOfSession({ createdAt, lastSeenAt }: Times): number {
  return Math.min(lastSeenAt + SESSION_IDLE_MS, createdAt + SESSION_MAX_MS);
}

function isOver(session: Times, nowMs: number): boolean {
  return nowMs > endOfSession(session);
}
