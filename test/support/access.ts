// The parts of src/access on a real database, a clock that is turned by hand, and passwords that are hashed at once.

import type { AccessSettings } from '../../src/access/access-control.ts';
import { type Access, createAccess } from '../../src/access/create-access.ts';
import type { PasswordHash } from '../../src/access/passwords.ts';
import { SecretKey } from '../../src/access/secret-key.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { SessionTable } from '../../src/db/sessions.ts';
import { TokenTable } from '../../src/db/tokens.ts';
import { UserTable } from '../../src/db/users.ts';
import { createLog } from '../../src/log.ts';
import { type CacheDatabase, openCacheDatabase } from './cache-database.ts';
import { FakeClock } from './fake-clock.ts';

export interface AccessFixture extends AsyncDisposable {
  readonly access: Access;
  readonly clock: FakeClock;
  readonly cache: CacheDatabase;
  readonly log: readonly string[];
  readonly events: readonly string[];
  readonly settings: { trustedProxies: string[]; allowedHosts: string[]; streamAccess: AccessSettings['streamAccess'] };
  /** Statements that were run so far. */
  readonly statements: () => number;
  /** Passwords that were checked so far, those of nobody included. */
  readonly checks: () => number;
  /** What happens elsewhere while the next password is being checked. */
  readonly meanwhile: (action: () => Promise<unknown>) => void;
  /** A second set of parts on the same database, as another process has it. */
  beside(): Promise<AccessFixture>;
}

/** Its hash is the password spelled backwards. */
export function plainHash(): PasswordHash & { count: number; meanwhile: (() => Promise<unknown>) | null } {
  const backwards = (text: string) => [...text].reverse().join('');
  return {
    count: 0,
    meanwhile: null,
    hash: async (password) => `plain ${backwards(password)}`,
    async verify(password, encoded) {
      this.count += 1;
      const { meanwhile } = this;
      this.meanwhile = null;
      await meanwhile?.();
      return encoded.replace('old ', 'plain ') === `plain ${backwards(password)}`;
    },
    isOutdated: (encoded) => !encoded.startsWith('plain '),
    async verifyNobody() {
      this.count += 1;
    },
  };
}

export async function openAccess(
  given: { readonly cache?: CacheDatabase; readonly clock?: FakeClock; readonly database?: Database } = {},
): Promise<AccessFixture> {
  const cache = given.cache ?? (await openCacheDatabase());
  const clock = given.clock ?? new FakeClock();
  const database = given.database ?? cache.database;
  const log: string[] = [];
  const events: string[] = [];
  const passwordHash = plainHash();
  const settings: AccessFixture['settings'] = { trustedProxies: [], allowedHosts: [], streamAccess: 'private' };
  let statements = 0;
  const { client } = database;
  for (const name of ['execute', 'batch'] as const) {
    const run = client[name].bind(client) as (...args: unknown[]) => unknown;
    Object.assign(client, {
      [name]: (...args: unknown[]) => {
        statements += 1;
        return run(...args);
      },
    });
  }
  const { tables } = database;
  const access = createAccess({
    users: new UserTable(tables),
    sessions: new SessionTable(tables),
    tokens: new TokenTable(tables),
    secretKey: new SecretKey(new Uint8Array(32).fill(7)),
    passwordHash,
    dataFolder: cache.folder,
    hostname: 'attic.example.org',
    settings: () => settings,
    noteEvent: async (kind, subject, text) => {
      events.push(`${kind} ${subject}: ${text}`);
    },
    clock,
    log: createLog({ level: 'debug', write: (line) => log.push(line), nowMs: () => clock.nowMs() }),
  });
  return {
    access,
    clock,
    cache,
    log,
    events,
    settings,
    statements: () => statements,
    checks: () => passwordHash.count,
    meanwhile: (action) => {
      passwordHash.meanwhile = action;
    },
    beside: async () => openAccess({ cache, clock, database: await openDatabase(cache.file) }),
    async [Symbol.asyncDispose]() {
      await access.stop();
      if (given.database !== undefined) given.database.close();
      else await cache[Symbol.asyncDispose]();
    },
  };
}
