// Looks at a database without changing it, for `larder doctor`.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from '../errors.ts';
import { checkDatabase, connect } from './database.ts';

export type Inspection =
  | { readonly kind: 'none' }
  | { readonly kind: 'in-use'; readonly pid: string }
  | { readonly kind: 'checked'; readonly schema: number; readonly problems: readonly string[] };

/** Whether a running Larder holds the folder: its lock cannot be had. */
export async function isHeld(folder: string): Promise<boolean> {
  if (!existsSync(join(folder, 'larder.lock'))) return false;
  const client = connect(join(folder, 'larder.lock'), 0);
  try {
    const transaction = await client.transaction('write');
    transaction.close();
    return false;
  } catch {
    return true;
  } finally {
    client.close();
  }
}

export async function inspectDatabase(folder: string): Promise<Inspection> {
  const file = join(folder, 'larder.db');
  if (!existsSync(file)) return { kind: 'none' };
  if (await isHeld(folder)) {
    const pid = await readFile(join(folder, 'larder.pid'), 'utf8').catch(() => 'unknown');
    return { kind: 'in-use', pid: pid.trim() };
  }
  let client: ReturnType<typeof connect> | undefined;
  try {
    client = connect(file);
    const problems = await checkDatabase({ client });
    const schema = await client.execute('SELECT max(version) AS version FROM schema_migrations');
    return { kind: 'checked', schema: Number(schema.rows[0]?.version ?? 0), problems };
  } catch (error) {
    return { kind: 'checked', schema: 0, problems: [describeError(error)] };
  } finally {
    client?.close();
  }
}
