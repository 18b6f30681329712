import { eq } from 'drizzle-orm';
import type { Tables } from './database.ts';
import { userPreferences } from './schema.ts';

/** Settings changed while running. Values are JSON; who reads one checks its type. */
export class PreferenceTable {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async all(): Promise<Map<string, unknown>> {
    const rows = await this.#tables.select().from(userPreferences);
    return new Map(rows.map((row) => [row.name, JSON.parse(row.value) as unknown]));
  }

  async set(name: string, value: unknown, nowMs: number): Promise<void> {
    const row = { value: JSON.stringify(value), updatedAt: nowMs };
    await this.#tables
      .insert(userPreferences)
      .values({ name, ...row })
      .onConflictDoUpdate({ target: userPreferences.name, set: row });
  }

  /** All of them or none; null forgets one. */
  async change(values: ReadonlyMap<string, unknown>, nowMs: number): Promise<void> {
    const statements = [...values].map(([name, value]) => {
      if (value === null) return this.#tables.delete(userPreferences).where(eq(userPreferences.name, name));
      const row = { value: JSON.stringify(value), updatedAt: nowMs };
      return this.#tables
        .insert(userPreferences)
        .values({ name, ...row })
        .onConflictDoUpdate({ target: userPreferences.name, set: row });
    });
    const [first, ...rest] = statements;
    if (first !== undefined) await this.#tables.batch([first, ...rest]);
  }
}
