// People who may sign in. A name is taken once, whatever its letters' case: `nameKey` is what it is compared by.
import { and, asc, eq, exists, gt, ne, or, sql } from 'drizzle-orm';
import type { Tables } from './database.ts';
import { sessions, tokens, users } from './schema.ts';

export type UserRow = typeof users.$inferSelect;
export type Role = UserRow['role'];

export interface NewUser {
  readonly name: string;
  readonly nameKey: string;
  readonly role: Role;
  readonly passwordHash: string;
}

/** No row is changed that would leave nobody who is an owner. */
const notTheLastOwner = or(
  eq(users.role, 'viewer'),
  sql`(SELECT count(*) FROM ${users} AS owners WHERE owners.role = 'owner') > 1`,
);

export class UserTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** In the order they were added. */
  list(limit: number, afterId: number): Promise<UserRow[]> {
    return this.#tables.select().from(users).where(gt(users.id, afterId)).orderBy(asc(users.id)).limit(limit);
  }

  async find(id: number): Promise<UserRow | null> {
    const rows = await this.#tables.select().from(users).where(eq(users.id, id));
    return rows[0] ?? null;
  }

  async findByName(nameKey: string): Promise<UserRow | null> {
    const rows = await this.#tables.select().from(users).where(eq(users.nameKey, nameKey));
    return rows[0] ?? null;
  }

  /** Owners, at most two of them: enough to know whether there is one, and whether it is the only one. */
  listOwners(): Promise<UserRow[]> {
    return this.#tables.select().from(users).where(eq(users.role, 'owner')).orderBy(asc(users.id)).limit(2);
  }

  /** @returns null when the name is taken */
  async add(user: NewUser, nowMs: number): Promise<UserRow | null> {
    const rows = await this.#tables
      .insert(users)
      .values({ ...user, createdAt: nowMs, passwordChangedAt: nowMs })
      .onConflictDoNothing()
      .returning();
    return rows[0] ?? null;
  }

  /** Adds the first user, in one statement: of two who try at once one wins. @returns null when there is one already */
  async addFirst(user: NewUser, nowMs: number): Promise<UserRow | null> {
    const added = await this.#tables.run(sql`
      INSERT INTO ${users} (name, name_key, role, password_hash, created_at, password_changed_at)
      SELECT ${user.name}, ${user.nameKey}, ${user.role}, ${user.passwordHash}, ${nowMs}, ${nowMs}
      WHERE NOT EXISTS (SELECT 1 FROM ${users})`);
    return added.rowsAffected === 0 ? null : this.findByName(user.nameKey);
  }

  /** @param from only while this is still the hash in force; null in any case */
  async setPassword(id: number, passwordHash: string, nowMs: number, from: string | null): Promise<boolean> {
    const result = await this.#tables
      .update(users)
      .set({ passwordHash, passwordChangedAt: nowMs })
      .where(and(eq(users.id, id), from === null ? undefined : eq(users.passwordHash, from)));
    return result.rowsAffected > 0;
  }

  /** The same password, hashed anew: only while `from` is still the hash in force. */
  async rehash(id: number, from: string, to: string): Promise<void> {
    await this.#tables
      .update(users)
      .set({ passwordHash: to })
      .where(and(eq(users.id, id), eq(users.passwordHash, from)));
  }

  async setPreferences(id: number, preferences: string): Promise<void> {
    await this.#tables.update(users).set({ preferences }).where(eq(users.id, id));
  }

  async recordSignIn(id: number, nowMs: number): Promise<void> {
    await this.#tables.update(users).set({ lastSignInAt: nowMs }).where(eq(users.id, id));
  }

  /**
   * Changes the role, and ends what came with the old one: sessions, and tokens that may do more than a viewer.
   * @returns false when nothing changed: nobody has this id, they have the role already, or they are the last owner
   */
  async setRole(id: number, role: Role): Promise<boolean> {
    const mayChange = and(eq(users.id, id), ne(users.role, role), role === 'owner' ? undefined : notTheLastOwner);
    const changes = exists(this.#tables.select({ one: sql`1` }).from(users).where(mayChange));
    const [, , changed] = await this.#tables.batch([
      this.#tables.delete(sessions).where(and(eq(sessions.userId, id), changes)),
      this.#tables.delete(tokens).where(and(eq(tokens.userId, id), eq(tokens.scope, 'admin'), changes)),
      this.#tables.update(users).set({ role }).where(mayChange),
    ]);
    return changed.rowsAffected > 0;
  }

  /** Sessions and tokens go with their user. @returns false when nobody has this id or it is the last owner */
  async remove(id: number): Promise<boolean> {
    const result = await this.#tables.delete(users).where(and(eq(users.id, id), notTheLastOwner));
    return result.rowsAffected > 0;
  }
}
