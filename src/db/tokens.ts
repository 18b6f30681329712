// Tokens for programs and players. What is shown once is never kept, its digest is; `prefix` is what it is known by.
import { and, desc, eq, lt, sql } from 'drizzle-orm';
import type { Tables } from './database.ts';
import { accessChanges, tokens, users } from './schema.ts';

export type TokenRow = typeof tokens.$inferSelect;
export type Scope = TokenRow['scope'];

export interface NewToken {
  readonly digest: string;
  readonly prefix: string;
  readonly name: string;
  readonly scope: Scope;
  readonly userId: number | null;
  readonly expiresAt: number | null;
}

export interface TokenWithUser extends TokenRow {
  /** Null: made on the command line. */
  readonly userName: string | null;
}

const withUser = {
  id: tokens.id,
  digest: tokens.digest,
  prefix: tokens.prefix,
  name: tokens.name,
  scope: tokens.scope,
  userId: tokens.userId,
  createdAt: tokens.createdAt,
  expiresAt: tokens.expiresAt,
  lastUsedAt: tokens.lastUsedAt,
  userName: users.name,
};

export class TokenTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async add(token: NewToken, nowMs: number): Promise<TokenRow> {
    const rows = await this.#tables
      .insert(tokens)
      .values({ ...token, createdAt: nowMs })
      .returning();
    return rows[0]!;
  }

  async findByDigest(digest: string): Promise<TokenWithUser | null> {
    const rows = await this.#tables
      .select(withUser)
      .from(tokens)
      .leftJoin(users, eq(users.id, tokens.userId))
      .where(eq(tokens.digest, digest));
    return rows[0] ?? null;
  }

  async find(id: number): Promise<TokenWithUser | null> {
    const rows = await this.#tables
      .select(withUser)
      .from(tokens)
      .leftJoin(users, eq(users.id, tokens.userId))
      .where(eq(tokens.id, id));
    return rows[0] ?? null;
  }

  /** Newest first. */
  list(limit: number, beforeId: number | null): Promise<TokenWithUser[]> {
    return this.#tables
      .select(withUser)
      .from(tokens)
      .leftJoin(users, eq(users.id, tokens.userId))
      .where(beforeId === null ? undefined : lt(tokens.id, beforeId))
      .orderBy(desc(tokens.id))
      .limit(limit);
  }

  listOf(userId: number, limit: number): Promise<TokenWithUser[]> {
    return this.#tables
      .select(withUser)
      .from(tokens)
      .leftJoin(users, eq(users.id, tokens.userId))
      .where(eq(tokens.userId, userId))
      .orderBy(desc(tokens.id))
      .limit(limit);
  }

  /** When each token was last used; times only grow. */
  async recordUses(lastUsedAt: ReadonlyMap<number, number>): Promise<void> {
    const [first, ...rest] = [...lastUsedAt].map(([id, atMs]) =>
      this.#tables
        .update(tokens)
        .set({ lastUsedAt: sql`max(coalesce(${tokens.lastUsedAt}, 0), ${atMs})` })
        .where(eq(tokens.id, id)),
    );
    if (first !== undefined) await this.#tables.batch([first, ...rest]);
  }

  /** @param userId only when it is theirs; null for anybody's */
  async remove(id: number, userId: number | null): Promise<boolean> {
    const result = await this.#tables
      .delete(tokens)
      .where(and(eq(tokens.id, id), userId === null ? undefined : eq(tokens.userId, userId)));
    return result.rowsAffected > 0;
  }

  /** Grows when a right ends or changes, in whichever process. */
  async changesVersion(): Promise<number> {
    const rows = await this.#tables.select({ version: accessChanges.version }).from(accessChanges);
    return rows[0]!.version; // seeded by the migration
  }
}
