// What opens a Larder, from the machine it runs on: tokens, the set-up code, and a way back in for who forgot.
import { randomInt } from 'node:crypto';
import type { Tokens } from '../access/tokens.ts';
import type { Users } from '../access/users.ts';
import { readConfiguration } from '../config.ts';
import { LarderError } from '../errors.ts';
import { createLog } from '../log.ts';
import { timeSpan } from '../option-values.ts';
import type { Command, CommandContext } from './command.ts';
import { prepareDataFolder } from './data-folder.ts';

const SCOPES = ['admin', 'viewer', 'stream'] as const;
const DAY_MS = 86_400_000;
const LISTED_MAX = 1_000;
/** For the event: who did it. */
const BY = 'Somebody at the command line';

interface Request {
  readonly verb: string;
  readonly words: readonly string[];
  readonly own: ReadonlyMap<string, string>;
  readonly rest: readonly string[];
}

/** Flags of each verb that `serve` does not have. */
const OWN_FLAGS: Readonly<Record<string, readonly string[]>> = {
  create: ['scope', 'name', 'expires'],
  list: [],
  revoke: [],
  setup: [],
  'reset-password': [],
};

export const token: Command = {
  name: 'token',
  summary: 'make, list and revoke tokens; show the set-up code; set a new password',
  describe: () => `Works on a running Larder and on a stopped one. All take --data DIR (LARDER_DATA) and --config FILE.

  larder token create --scope admin|viewer|stream [--name NAME] [--expires 90d]
      Prints a new token, and nothing else, to standard output. It is shown this once.
      admin may do everything, viewer reads the library and plays, stream only plays.
      Programs send it as "Authorization: Bearer TOKEN"; players also take a stream token in the address
      (?token=TOKEN), or any as the password of http://any:TOKEN@HOST/….
  larder token list
      Id, first letters, scope, name, last use and end of each.
  larder token revoke ID|LETTERS
      Ends one at once: by its id, or by the first letters that the list shows.
  larder token setup
      Shows the set-up code of a Larder that nobody owns yet.
  larder token reset-password [USER]
      Gives an owner, or the user who is named, a new password, prints it, and ends all their sessions.`,
  async run(context) {
    const request = readRequest(context.args);
    const { settings } = readConfiguration({ ...context, args: request.rest });
    const { path } = prepareDataFolder(settings.data);
    if (request.verb === 'create') readScope(request); // before anything is made
    const { openData } = await import('./open-data.ts');
    const data = await openData(context, path);
    try {
      const { createAccess } = await import('../access/create-access.ts');
      const { SecretKey } = await import('../access/secret-key.ts');
      const { systemPasswordHash } = await import('../runtime/password-hash.ts');
      const { EventTable } = await import('../db/events.ts');
      const { SessionTable } = await import('../db/sessions.ts');
      const { TokenTable } = await import('../db/tokens.ts');
      const { UserTable } = await import('../db/users.ts');
      const { tables } = data.database;
      const { clock } = context;
      const access = createAccess({
        users: new UserTable(tables),
        sessions: new SessionTable(tables),
        tokens: new TokenTable(tables),
        // Nothing here signs or seals.
        secretKey: new SecretKey(new Uint8Array(32)),
        passwordHash: systemPasswordHash(),
        dataFolder: path,
        hostname: '',
        settings: () => settings,
        noteEvent: async (kind, subject, text) => {
          const severity = kind === 'user' ? 'warning' : 'info';
          await new EventTable(tables).add(kind, subject, text, clock.nowMs(), severity).catch(() => undefined);
        },
        clock,
        log: createLog({ level: 'warning', write: context.complain, nowMs: () => clock.nowMs() }),
      });
      if (request.verb === 'create') return await create(context, request, access.tokens);
      if (request.verb === 'list') return await list(context, access.tokens);
      if (request.verb === 'revoke') return await revoke(context, request, access.tokens);
      if (request.verb === 'setup') return await showSetupCode(context, access.firstOwner);
      return await resetPassword(context, request, access.users);
    } finally {
      data.close();
    }
  },
};

/** @throws LarderError `usage` */
function readRequest(args: readonly string[]): Request {
  const [verb, ...given] = args;
  if (verb === undefined || !Object.hasOwn(OWN_FLAGS, verb)) {
    const what = verb === undefined || verb.startsWith('--') ? 'token needs a verb' : `there is no "token ${verb}"`;
    throw new LarderError('usage', what, {
      hint: `verbs are ${Object.keys(OWN_FLAGS).join(', ')}; see larder help token`,
    });
  }
  const own = new Map<string, string>();
  const words: string[] = [];
  const rest: string[] = [];
  for (let index = 0; index < given.length; index++) {
    const argument = given[index]!;
    const [, name, joined] = /^--([^=]+)(?:=(.*))?$/s.exec(argument) ?? [];
    if (name === undefined) {
      words.push(argument);
      continue;
    }
    const isAlone = joined === undefined && (given[index + 1] ?? '--').startsWith('--');
    const value = joined ?? (isAlone ? undefined : given[++index]);
    if (!OWN_FLAGS[verb]!.includes(name)) {
      rest.push(value === undefined ? argument : `--${name}=${value}`);
      continue;
    }
    if (value === undefined || value === '') {
      throw new LarderError('usage', `--${name} needs a value`, { hint: 'see larder help token' });
    }
    own.set(name, value);
  }
  const most = verb === 'revoke' || verb === 'reset-password' ? 1 : 0;
  if (words.length > most) {
    throw new LarderError('usage', `unexpected argument ${JSON.stringify(words[most])}`, {
      hint: 'see larder help token',
    });
  }
  return { verb, words, own, rest };
}

function readScope({ own }: Request): (typeof SCOPES)[number] {
  const text = own.get('scope');
  const scope = SCOPES.find((candidate) => candidate === text);
  if (scope !== undefined) return scope;
  const what = text === undefined ? '--scope is missing' : `--scope: ${JSON.stringify(text)} is none`;
  throw new LarderError('usage', what, { hint: `scopes are ${SCOPES.join(', ')}` });
}

async function create(context: CommandContext, request: Request, tokens: Tokens): Promise<number> {
  const scope = readScope(request);
  const expires = request.own.get('expires');
  const lifetimeMs = expires === undefined ? null : timeSpan(3_650 * DAY_MS).parse([expires], '--expires');
  const name = request.own.get('name') ?? '';
  const { secret } = await tokens.create({ name, scope, userId: null, lifetimeMs, by: BY });
  context.print(secret);
  return 0;
}

async function list(context: CommandContext, tokens: Tokens): Promise<number> {
  const all = await tokens.list(LISTED_MAX);
  if (all.length === 0) {
    context.print('there are no tokens; larder token create makes one');
    return 0;
  }
  const nowMs = context.clock.nowMs();
  const moment = (atMs: number | null, none: string) =>
    atMs === null ? none : new Date(atMs).toISOString().slice(0, 16);
  const rows = all.map((row) => [
    String(row.id),
    `${row.prefix}…`,
    row.scope,
    moment(row.lastUsedAt, 'never'),
    row.expiresAt !== null && row.expiresAt <= nowMs ? 'expired' : moment(row.expiresAt, 'no end'),
    row.userName ?? '-',
    row.name,
  ]);
  const cells = [['id', 'token', 'scope', 'last used (UTC)', 'ends (UTC)', 'user', 'name'], ...rows];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  for (const row of cells) {
    context.print(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
  }
  return 0;
}

async function revoke(context: CommandContext, { words }: Request, tokens: Tokens): Promise<number> {
  const [wanted] = words;
  if (wanted === undefined) {
    throw new LarderError('usage', 'which token?', {
      hint: 'give the id or the first letters that larder token list shows',
    });
  }
  const letters = wanted.replace(/…$/, '');
  const found = (await tokens.list(LISTED_MAX)).filter(
    ({ id, prefix }) => String(id) === letters || (prefix.length > 0 && letters.startsWith(prefix)),
  );
  const [first] = found;
  if (first === undefined || found.length > 1) {
    const what = first === undefined ? 'there is no such token' : 'several tokens begin like this';
    // What was given may be a token in clear: it is not repeated.
    throw new LarderError('missing', what, { hint: 'larder token list shows them with their ids' });
  }
  await tokens.revoke(first.id, BY);
  context.print(`revoked ${first.prefix}… (${first.scope}, ${first.name})`);
  return 0;
}

async function showSetupCode(context: CommandContext, firstOwner: { code(): Promise<string | null> }): Promise<number> {
  const code = await firstOwner.code();
  if (code === null) {
    throw new LarderError('conflict', 'this Larder has an owner already', {
      hint: 'larder token reset-password sets a new password',
    });
  }
  context.print(`set-up code: ${code}`);
  return 0;
}

/** Read by a person and typed once: 80 bits, without letters that look alike. */
function newPassword(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  const pick = () => Array.from({ length: 4 }, () => letters[randomInt(letters.length)]!).join('');
  return [pick(), pick(), pick(), pick()].join('-');
}

async function resetPassword(context: CommandContext, { words }: Request, users: Users): Promise<number> {
  const [name] = words;
  const all = await users.list(LISTED_MAX);
  const owners = all.filter((user) => user.role === 'owner');
  if (all.length === 0) {
    throw new LarderError('missing', 'nobody owns this Larder yet', {
      hint: 'larder token setup shows the set-up code',
    });
  }
  if (name === undefined && owners.length > 1) {
    throw new LarderError('usage', 'there are several owners', {
      hint: `say whose: larder token reset-password ${JSON.stringify(owners[0]!.name)}`,
    });
  }
  const user = name === undefined ? owners[0]! : await users.findByName(name);
  if (user === null) {
    throw new LarderError('missing', `there is no user named ${JSON.stringify(name)}`, {
      hint: `users are ${all.map((row) => JSON.stringify(row.name)).join(', ')}`,
    });
  }
  const password = newPassword();
  await users.setPassword(user.id, password, BY);
  context.print(`new password of ${user.name}: ${password}`);
  return 0;
}
