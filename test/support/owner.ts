// Whoever tests pages is an owner of that Larder, by a session that is written into its database: no password is hashed,
// and it works for a Larder in this process as for one that runs elsewhere.
import { join } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { sessionCookieName } from '../../src/access/create-access.ts';
import { loadSecretKey } from '../../src/access/secret-key.ts';
import { digestOf, newSecret } from '../../src/access/secrets.ts';
import { openDatabase } from '../../src/db/database.ts';
import { SessionTable } from '../../src/db/sessions.ts';
import { type Role, UserTable } from '../../src/db/users.ts';

export interface SignedIn {
  /** What a browser of theirs sends with each request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly user: { readonly id: number; readonly createdAt: number };
  readonly cookie: { readonly name: string; readonly value: string };
  /** Signs a browser in. */
  signIn(context: BrowserContext, port: number): Promise<void>;
}

/** Adds a user, unless there is one of this name, and signs them in. */
export async function signedIn(dataFolder: string, role: Role = 'owner', name: string = role): Promise<SignedIn> {
  const database = await openDatabase(join(dataFolder, 'larder.db'));
  try {
    const users = new UserTable(database.tables);
    const nowMs = Date.now();
    const user = { name, nameKey: name, role, passwordHash: 'none' };
    const { id, createdAt } = (await users.findByName(name)) ?? (await users.add(user, nowMs))!;
    const value = newSecret();
    const session = { digest: digestOf(value), userId: id, device: 'test', address: '127.0.0.1' };
    await new SessionTable(database.tables).add(session, nowMs);
    const cookie = { name: sessionCookieName(await loadSecretKey(dataFolder)), value };
    return {
      user: { id, createdAt },
      cookie,
      headers: { Cookie: `${cookie.name}=${value}`, 'Sec-Fetch-Site': 'same-origin' },
      signIn: (context, port) =>
        context.addCookies([{ ...cookie, url: `http://localhost:${port}/`, httpOnly: true, sameSite: 'Lax' }]),
    };
  } finally {
    database.close();
  }
}
