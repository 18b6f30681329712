// Tokens for programs and players: shown once, kept as a digest, known by their first letters ever after.
import type { Clock, Timer } from '../clock.ts';
import type { Scope, TokenTable, TokenWithUser } from '../db/tokens.ts';
import { describeError, LarderError } from '../errors.ts';
import { LAST_USE_WRITE_MS, REMEMBERED_RIGHTS_MAX } from '../limits.ts';
import type { Log } from '../log.ts';
import { Remembered } from './remembered.ts';
import { RightWatchers } from './right-watchers.ts';
import type { RightsVersion } from './rights-version.ts';
import { digestOf, newSecret } from './secrets.ts';
import type { NoteEvent } from './users.ts';

export interface Token {
  readonly id: number;
  readonly prefix: string;
  readonly name: string;
  readonly scope: Scope;
  /** Whose it is; null when it was made on the command line. */
  readonly userId: number | null;
  readonly userName: string | null;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
}

export interface TokenRequest {
  readonly name: string;
  readonly scope: Scope;
  readonly userId: number | null;
  /** Null: good until it is revoked. */
  readonly lifetimeMs: number | null;
  /** Who asks for it. */
  readonly by: string;
}

export interface TokenServices {
  readonly table: TokenTable;
  readonly version: RightsVersion;
  readonly noteEvent: NoteEvent;
  readonly clock: Clock;
  readonly log: Log;
}

export const TOKEN_START = 'larder_';
const SHOWN_LETTERS = 6;
const NAME_LENGTH_MAX = 64;
const LIFETIME_MIN_MS = 60_000;
const LIFETIME_MAX_MS = 10 * 365 * 86_400_000;

export class Tokens {
  readonly #services: TokenServices;
  readonly #remembered = new Remembered<TokenWithUser>(REMEMBERED_RIGHTS_MAX);
  readonly #watchers: RightWatchers;
  /** By id: last use that is not written yet. */
  #uses = new Map<number, number>();
  #timer: Timer | null = null;

  constructor(services: TokenServices) {
    this.#services = services;
    const endOf = async (id: number) => {
      const token = await services.table.find(id);
      if (token === null) return null;
      return token.expiresAt === null ? Number.POSITIVE_INFINITY : token.expiresAt - 1;
    };
    this.#watchers = new RightWatchers({ ...services, endOf });
    services.version.onChange(() => {
      this.#remembered.clear();
      this.#watchers.look();
    });
  }

  /** Writes what is left of the last uses. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#writeUses();
  }

  /**
   * @returns the token in clear, which nobody can be shown again
   * @throws LarderError `invalid`
   */
  async create(request: TokenRequest): Promise<{ readonly secret: string; readonly token: Token }> {
    const name = request.name.trim() === '' ? `${request.scope} token` : checkTokenName(request.name);
    const { lifetimeMs } = request;
    if (lifetimeMs !== null && !(lifetimeMs >= LIFETIME_MIN_MS && lifetimeMs <= LIFETIME_MAX_MS)) {
      throw new LarderError('invalid', 'a token is good for a minute at least and ten years at most', {
        hint: 'choose another time, or none for a token that is good until it is revoked',
      });
    }
    const nowMs = this.#services.clock.nowMs();
    const secret = TOKEN_START + newSecret();
    const prefix = secret.slice(0, TOKEN_START.length + SHOWN_LETTERS);
    const expiresAt = lifetimeMs === null ? null : nowMs + lifetimeMs;
    const { scope, userId } = request;
    const row = await this.#services.table.add(
      { digest: digestOf(secret), prefix, name, scope, userId, expiresAt },
      nowMs,
    );
    await this.#services.noteEvent('token', name, `${request.by} made the ${scope} token ${prefix}… (${name}).`);
    return { secret, token: (await this.get(row.id))! };
  }

  /** The token that is presented and used now; null when there is none, or none any more. */
  async find(secret: string): Promise<Token | null> {
    if (!secret.startsWith(TOKEN_START)) return null;
    const { table, version, clock } = this.#services;
    await version.look();
    const asOf = version.current;
    const digest = digestOf(secret);
    const token = this.#remembered.get(digest) ?? (await table.findByDigest(digest));
    const nowMs = clock.nowMs();
    if (token === null || isExpired(token, nowMs)) return null;
    if (version.current === asOf) this.#remembered.set(digest, token);
    this.#noteUse(token.id, nowMs);
    return token;
  }

  /** Newest first, those that are over too: they say so. */
  async list(limit: number, beforeId: number | null = null): Promise<Token[]> {
    return (await this.#services.table.list(limit, beforeId)).map((row) => this.#toToken(row));
  }

  async listOf(userId: number, limit: number): Promise<Token[]> {
    return (await this.#services.table.listOf(userId, limit)).map((row) => this.#toToken(row));
  }

  async get(id: number): Promise<Token | null> {
    const row = await this.#services.table.find(id);
    return row === null ? null : this.#toToken(row);
  }

  /** @param userId only when it is theirs; null for anybody's. @returns null when there is none */
  async revoke(id: number, by: string, userId: number | null = null): Promise<Token | null> {
    const token = await this.get(id);
    const isRevoked = token !== null && (await this.#services.table.remove(id, userId));
    await this.#services.version.changed();
    if (!isRevoked) return null;
    const { name, prefix, scope } = token;
    await this.#services.noteEvent('token', name, `${by} revoked the ${scope} token ${prefix}… (${name}).`);
    return token;
  }

  /** Calls `onEnded` once when the token is revoked or its time is over. @returns how to stop that */
  watch(id: number, onEnded: () => void): () => void {
    return this.#watchers.add(id, onEnded);
  }

  #toToken({ digest: _, ...row }: TokenWithUser): Token {
    return { ...row, lastUsedAt: this.#uses.get(row.id) ?? row.lastUsedAt };
  }

  #noteUse(id: number, nowMs: number): void {
    this.#uses.set(id, nowMs);
    this.#timer ??= this.#services.clock.after(LAST_USE_WRITE_MS, () => void this.#writeUses());
  }

  async #writeUses(): Promise<void> {
    this.#timer = null;
    const uses = this.#uses;
    this.#uses = new Map();
    try {
      await this.#services.table.recordUses(uses);
    } catch (error) {
      this.#services.log.debug('the use of tokens could not be written', { error: describeError(error) });
    }
  }
}

export function isExpired(token: Pick<Token, 'expiresAt'>, nowMs: number): boolean {
  return token.expiresAt !== null && nowMs >= token.expiresAt;
}

function checkTokenName(text: string): string {
  const name = text.normalize('NFC').trim();
  if ([...name].length <= NAME_LENGTH_MAX && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name)) return name;
  throw new LarderError('invalid', 'this name cannot be taken for a token', {
    hint: `use at most ${NAME_LENGTH_MAX} characters, without line breaks and other signs that cannot be seen`,
  });
}
