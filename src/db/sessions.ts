// Browsers that are signed in. The secret in their cookie is never kept, its digest is.
import { and, desc, eq, gte, lt, ne, or, type SQL, sql } from 'drizzle-orm';
import type { Tables } from './database.ts';
import { sessions, users } from './schema.ts';
import type { Role } from './users.ts';

export type SessionRow = typeof sessions.$inferSelect;

export interface NewSession {
  readonly digest: string;
  readonly userId: number;
  readonly device: string;
  readonly address: string;
}

export interface SessionWithUser extends SessionRow {
  readonly userName: string;
  readonly userCreatedAt: number;
  readonly role: Role;
  readonly preferences: string;
}

/** Of the list that is shown newest first. */
export interface SessionCursor {
  readonly lastSeenAt: number;
  readonly id: number;
}

const withUser = {
  id: sessions.id,
  digest: sessions.digest,
  userId: sessions.userId,
  device: sessions.device,
  address: sessions.address,
  createdAt: sessions.createdAt,
  lastSeenAt: sessions.lastSeenAt,
  userName: users.name,
  userCreatedAt: users.createdAt,
  role: users.role,
  preferences: users.preferences,
};

export class SessionTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async add(session: NewSession, nowMs: number): Promise<SessionRow> {
    const rows = await this.#tables
      .insert(sessions)
      .values({ ...session, createdAt: nowMs, lastSeenAt: nowMs })
      .returning();
    return rows[0]!;
  }

  /** Adds it only while its user still has this password and this role, in one statement. @returns whether it was added */
  async addWhile(
    session: NewSession,
    user: { readonly passwordHash: string; readonly role: Role },
    nowMs: number,
  ): Promise<boolean> {
    const { digest, userId, device, address } = session;
    const added = await this.#tables.run(sql`
      INSERT INTO ${sessions} (digest, user_id, device, address, created_at, last_seen_at)
      SELECT ${digest}, ${userId}, ${device}, ${address}, ${nowMs}, ${nowMs}
      FROM ${users} WHERE id = ${userId} AND password_hash = ${user.passwordHash} AND role = ${user.role}`);
    return added.rowsAffected > 0;
  }

  async findByDigest(digest: string): Promise<SessionWithUser | null> {
    const rows = await this.#select(eq(sessions.digest, digest)).limit(1);
    return rows[0] ?? null;
  }

  async find(id: number): Promise<SessionWithUser | null> {
    const rows = await this.#select(eq(sessions.id, id)).limit(1);
    return rows[0] ?? null;
  }

  /** Those last seen first, without those that began before `createdAfterMs`. */
  list(limit: number, cursor: SessionCursor | null, createdAfterMs: number): Promise<SessionWithUser[]> {
    return this.#select(and(gte(sessions.createdAt, createdAfterMs), cursor === null ? undefined : isBehind(cursor)))
      .orderBy(desc(sessions.lastSeenAt), desc(sessions.id))
      .limit(limit);
  }

  listOf(
    userId: number,
    limit: number,
    cursor: SessionCursor | null,
    createdAfterMs: number,
  ): Promise<SessionWithUser[]> {
    const isTheirs = and(eq(sessions.userId, userId), gte(sessions.createdAt, createdAfterMs));
    return this.#select(and(isTheirs, cursor === null ? undefined : isBehind(cursor)))
      .orderBy(desc(sessions.lastSeenAt), desc(sessions.id))
      .limit(limit);
  }

  async recordSeen(id: number, address: string, nowMs: number): Promise<void> {
    await this.#tables.update(sessions).set({ lastSeenAt: nowMs, address }).where(eq(sessions.id, id));
  }

  async remove(id: number): Promise<boolean> {
    const result = await this.#tables.delete(sessions).where(eq(sessions.id, id));
    return result.rowsAffected > 0;
  }

  /** All of a user's but one. @returns the ids of those that ended */
  async removeOf(userId: number, exceptId: number | null): Promise<number[]> {
    const rows = await this.#tables
      .delete(sessions)
      .where(and(eq(sessions.userId, userId), exceptId === null ? undefined : ne(sessions.id, exceptId)))
      .returning({ id: sessions.id });
    return rows.map((row) => row.id);
  }

  /** Everybody's but one. @returns the ids of those that ended */
  async removeAll(exceptId: number | null): Promise<number[]> {
    const rows = await this.#tables
      .delete(sessions)
      .where(exceptId === null ? undefined : ne(sessions.id, exceptId))
      .returning({ id: sessions.id });
    return rows.map((row) => row.id);
  }

  /** Those that nobody used since `seenBeforeMs`, and those that began before `createdBeforeMs`. */
  async removeExpired(seenBeforeMs: number, createdBeforeMs: number): Promise<void> {
    await this.#tables
      .delete(sessions)
      .where(or(lt(sessions.lastSeenAt, seenBeforeMs), lt(sessions.createdAt, createdBeforeMs)));
  }

  #select(condition: SQL | undefined) {
    return this.#tables
      .select(withUser)
      .from(sessions)
      .innerJoin(users, eq(users.id, sessions.userId))
      .where(condition);
  }
}

function isBehind(cursor: SessionCursor): SQL {
  return sql`(${sessions.lastSeenAt}, ${sessions.id}) < (${cursor.lastSeenAt}, ${cursor.id})`;
}
