// Joins the parts of this folder: everything about who may come in, for one data folder.
import type { Clock } from '../clock.ts';
import type { SessionTable } from '../db/sessions.ts';
import type { TokenTable } from '../db/tokens.ts';
import type { UserTable } from '../db/users.ts';
import type { Log } from '../log.ts';
import { AccessControl, type AccessSettings } from './access-control.ts';
import { FirstOwner } from './first-owner.ts';
import { type PasswordHash, Passwords } from './passwords.ts';
import { RightsVersion } from './rights-version.ts';
import type { SecretKey } from './secret-key.ts';
import { Sessions } from './sessions.ts';
import { SignIn } from './sign-in.ts';
import { SignedAddresses, type Signer, type SignerRight } from './signed-addresses.ts';
import { Tokens } from './tokens.ts';
import { type NoteEvent, Users } from './users.ts';

export interface AccessParts {
  readonly users: UserTable;
  readonly sessions: SessionTable;
  readonly tokens: TokenTable;
  readonly secretKey: SecretKey;
  readonly passwordHash: PasswordHash;
  readonly dataFolder: string;
  readonly hostname: string;
  readonly settings: () => AccessSettings;
  readonly noteEvent: NoteEvent;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Access {
  readonly users: Users;
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly signIn: SignIn;
  readonly firstOwner: FirstOwner;
  readonly signatures: SignedAddresses;
  readonly control: AccessControl;
  start(): void;
  stop(): Promise<void>;
}

const COOKIE_LETTERS = 8;

/** Two Larders on one machine must not sign each other's visitors out: browsers know no ports for cookies. */
export function sessionCookieName(secretKey: SecretKey): string {
  const own = Buffer.from(secretKey.derive('name of the cookie')).toString('hex').slice(0, COOKIE_LETTERS);
  return `larder_session_${own}`;
}

export function createAccess(parts: AccessParts): Access {
  const { clock, log, dataFolder, secretKey, noteEvent } = parts;
  const version = new RightsVersion(parts.tokens, clock);
  const passwords = new Passwords(parts.passwordHash);
  const sessions = new Sessions({ table: parts.sessions, version, clock, log });
  const tokens = new Tokens({ table: parts.tokens, version, noteEvent, clock, log });
  const users = new Users({ table: parts.users, sessions, passwords, version, noteEvent, clock, log });
  const signatures = new SignedAddresses({
    key: secretKey.derive('signed stream addresses'),
    find: (kind, id) => findSigner(parts, kind, id),
    version,
    clock,
  });
  return {
    users,
    sessions,
    tokens,
    signIn: new SignIn({ users: parts.users, sessions, passwords, noteEvent, clock, log }),
    firstOwner: new FirstOwner({ users: parts.users, passwords, dataFolder, clock, log }),
    signatures,
    control: new AccessControl({
      sessions,
      tokens,
      users,
      signatures,
      settings: parts.settings,
      hostname: parts.hostname,
      noteEvent,
      clock,
      cookieName: sessionCookieName(secretKey),
      log,
    }),
    start: () => sessions.start(),
    stop: async () => {
      sessions.stop();
      await tokens.stop();
    },
  };
}

async function findSigner(
  { users, tokens }: Pick<AccessParts, 'users' | 'tokens'>,
  kind: Signer['kind'],
  id: number,
): Promise<SignerRight | null> {
  if (kind === 'user') {
    const user = await users.find(id);
    return user === null ? null : { sinceMs: user.createdAt, expiresAtMs: null };
  }
  const token = await tokens.find(id);
  return token === null ? null : { sinceMs: token.createdAt, expiresAtMs: token.expiresAt };
}
