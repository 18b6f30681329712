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
}
