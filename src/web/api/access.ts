// Users, sessions and tokens: for owners and tokens of scope admin.
import { createRoute, z } from '@hono/zod-openapi';
import type { Session } from '../../access/sessions.ts';
import type { Token } from '../../access/tokens.ts';
import type { User } from '../../access/users.ts';
import { LarderError } from '../../errors.ts';
import { nameOf } from '../access-views.ts';
import type { WebServices } from '../services.ts';
import type { ApiRoutes } from './api.ts';
import { taggedJson } from './entity-tag.ts';
import { jsonAnswer, jsonBody, listOf, pagingQuery } from './paging.ts';

const moment = z.number().int();
const role = z.enum(['owner', 'viewer']);
const scope = z.enum(['admin', 'viewer', 'stream']).openapi({
  description: 'admin: everything; viewer: reads the library and plays; stream: only plays',
});
const password = z
  .string()
  .max(1_000)
  .openapi({ description: 'Write-only; at least 8 characters', format: 'password' });
const idParam = z.object({ id: z.coerce.number().int().positive() });
const gone = { 204: { description: 'Gone' } };

const tokenSchema = z
  .object({
    id: z.number().int(),
    name: z.string(),
    scope,
    prefix: z.string().openapi({ description: 'Its first letters', example: 'larder_Ab3dEf' }),
    user: z.string().nullable().openapi({ description: 'Whose it is; null: made on the command line or by a token' }),
    createdAt: moment,
    expiresAt: moment.nullable(),
    lastUsedAt: moment.nullable(),
  })
  .openapi('Token');
const newTokenSchema = tokenSchema
  .extend({ token: z.string().openapi({ description: 'The token itself: told this once' }) })
  .openapi('NewToken');
const userSchema = z
  .object({
    id: z.number().int(),
    name: z.string(),
    role,
    createdAt: moment,
    passwordChangedAt: moment,
    lastSignInAt: moment.nullable(),
  })
  .openapi('User');
const sessionSchema = z
  .object({
    id: z.number().int(),
    user: z.object({ id: z.number().int(), name: z.string() }),
    device: z.string(),
    address: z.string(),
    createdAt: moment,
    lastSeenAt: moment,
    current: z.boolean().openapi({ description: 'The one that this was asked for with' }),
  })
  .openapi('Session');

const listTokens = createRoute({
  method: 'get',
  path: '/tokens',
  summary: 'Tokens, newest first',
  request: { query: pagingQuery },
  responses: { 200: jsonAnswer('A page of them', listOf(tokenSchema)) },
});
const addToken = createRoute({
  method: 'post',
  path: '/tokens',
  summary: 'Make a token',
  request: {
    body: jsonBody(
      z.strictObject({
        scope,
        name: z.string().max(64).default(''),
        expiresAt: moment.nullable().default(null).openapi({ description: 'null: good until it is revoked' }),
      }),
    ),
  },
  responses: { 201: jsonAnswer('It was made', newTokenSchema) },
});
const removeToken = createRoute({
  method: 'delete',
  path: '/tokens/{id}',
  summary: 'Revoke a token',
  request: { params: idParam },
  responses: gone,
});
const listUsers = createRoute({
  method: 'get',
  path: '/users',
  summary: 'Users, in the order they were added',
  request: { query: pagingQuery },
  responses: { 200: jsonAnswer('A page of them', listOf(userSchema)) },
});
const addUser = createRoute({
  method: 'post',
  path: '/users',
  summary: 'Add a user',
  request: { body: jsonBody(z.strictObject({ name: z.string().min(1).max(64), role, password })) },
  responses: { 201: jsonAnswer('They were added', userSchema) },
});
const getUser = createRoute({
  method: 'get',
  path: '/users/{id}',
  summary: 'A user',
  request: { params: idParam },
  responses: { 200: jsonAnswer('The user', userSchema) },
});
const changeUser = createRoute({
  method: 'patch',
  path: '/users/{id}',
  summary: 'Change role or password; either ends all their sessions',
  request: {
    params: idParam,
    body: jsonBody(z.strictObject({ role: role.optional(), password: password.optional() })),
  },
  responses: { 200: jsonAnswer('As they are now', userSchema) },
});
const removeUser = createRoute({
  method: 'delete',
  path: '/users/{id}',
  summary: 'Remove a user with their sessions and tokens',
  request: { params: idParam },
  responses: gone,
});
const listSessions = createRoute({
  method: 'get',
  path: '/sessions',
  summary: 'Sessions, those last seen first',
  request: { query: pagingQuery.extend({ user: z.coerce.number().int().positive().optional() }) },
  responses: { 200: jsonAnswer('A page of them', listOf(sessionSchema)) },
});
const endSessions = createRoute({
  method: 'delete',
  path: '/sessions',
  summary: 'End all sessions but the one that asks; of one user with ?user=ID',
  request: { query: z.object({ user: z.coerce.number().int().positive().optional() }) },
  responses: { 200: jsonAnswer('How many ended', z.object({ ended: z.number().int() })) },
});
const endSession = createRoute({
  method: 'delete',
  path: '/sessions/{id}',
  summary: 'End a session',
  request: { params: idParam },
  responses: gone,
});

function tokenOf({ id, name, scope, prefix, userName, createdAt, expiresAt, lastUsedAt }: Token) {
  return { id, name, scope, prefix, user: userName, createdAt, expiresAt, lastUsedAt };
}

function userOf({ id, name, role, createdAt, passwordChangedAt, lastSignInAt }: User) {
  return { id, name, role, createdAt, passwordChangedAt, lastSignInAt };
}

function sessionOf(session: Session, currentId: number | null) {
  const { id, userId, userName, device, address, createdAt, lastSeenAt } = session;
  return {
    id,
    user: { id: userId, name: userName },
    device,
    address,
    createdAt,
    lastSeenAt,
    current: id === currentId,
  };
}

/** Cursors are ids, but for sessions, whose order is by last use. @throws LarderError `invalid` */
function readCursor(cursor: string | undefined): readonly [first: number | null, second: number | null] {
  if (cursor === undefined) return [null, null];
  const [, first, second] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(cursor) ?? [];
  if (first === undefined) {
    throw new LarderError('invalid', 'cursor: it is not one of this list', { hint: 'take `next` of the page before' });
  }
  return [Number(first), second === undefined ? null : Number(second)];
}

export function addAccessRoutes(
  api: ApiRoutes,
  { access, clock, basePath }: Pick<WebServices, 'access' | 'clock' | 'basePath'>,
): void {
  const { users, sessions, tokens } = access;
  const missing = (what: string) =>
    new LarderError('missing', `there is no such ${what}`, { hint: `list the ${what}s` });

  api.route(listTokens, 'owner', async (context) => {
    const { limit, cursor } = context.req.valid('query');
    const found = await tokens.list(limit + 1, readCursor(cursor)[0]);
    const page = found.slice(0, limit);
    const next = found.length > limit ? String(page.at(-1)!.id) : null;
    return taggedJson(context, { items: page.map(tokenOf), next });
  });
  api.route(addToken, 'owner', async (context) => {
    const { name, scope, expiresAt } = context.req.valid('json');
    const { caller } = context.var;
    const { secret, token } = await tokens.create({
      name,
      scope,
      userId: caller.kind === 'nobody' ? null : caller.userId,
      lifetimeMs: expiresAt === null ? null : expiresAt - clock.nowMs(),
      by: nameOf(caller),
    });
    return context.json({ token: secret, ...tokenOf(token) }, 201);
  });
  api.route(removeToken, 'owner', async (context) => {
    const token = await tokens.revoke(context.req.valid('param').id, nameOf(context.var.caller));
    if (token === null) throw missing('token');
    return context.body(null, 204);
  });

  api.route(listUsers, 'owner', async (context) => {
    const { limit, cursor } = context.req.valid('query');
    const found = await users.list(limit + 1, readCursor(cursor)[0] ?? 0);
    const page = found.slice(0, limit);
    const next = found.length > limit ? String(page.at(-1)!.id) : null;
    return taggedJson(context, { items: page.map(userOf), next });
  });
  api.route(addUser, 'owner', async (context) => {
    const user = await users.create(context.req.valid('json'), nameOf(context.var.caller));
    context.header('Location', `${basePath}/api/v1/users/${user.id}`);
    return context.json(userOf(user), 201);
  });
  api.route(getUser, 'owner', async (context) => {
    return taggedJson(context, userOf(await users.get(context.req.valid('param').id)));
  });
  api.route(changeUser, 'owner', async (context) => {
    const { id } = context.req.valid('param');
    const { role, password } = context.req.valid('json');
    const by = nameOf(context.var.caller);
    // All or nothing: either may be refused.
    if (password !== undefined) await users.checkPassword(id, password);
    if (role !== undefined) await users.setRole(id, role, by);
    if (password !== undefined) await users.setPassword(id, password, by);
    return context.json(userOf(await users.get(id)), 200);
  });
  api.route(removeUser, 'owner', async (context) => {
    await users.remove(context.req.valid('param').id, nameOf(context.var.caller));
    return context.body(null, 204);
  });

  api.route(listSessions, 'owner', async (context) => {
    const { limit, cursor, user } = context.req.valid('query');
    const [lastSeenAt, id] = readCursor(cursor);
    const behind = lastSeenAt === null || id === null ? null : { lastSeenAt, id };
    const found = await sessions.list(user ?? null, limit + 1, behind);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const next = found.length > limit && last !== undefined ? `${last.lastSeenAt}-${last.id}` : null;
    const { caller } = context.var;
    const currentId = caller.kind === 'session' ? caller.sessionId : null;
    return taggedJson(context, { items: page.map((session) => sessionOf(session, currentId)), next });
  });
  api.route(endSessions, 'owner', async (context) => {
    const { user } = context.req.valid('query');
    const { caller } = context.var;
    const exceptId = caller.kind === 'session' ? caller.sessionId : null;
    const ended = await (user === undefined ? sessions.endAll(exceptId) : sessions.endAllOf(user, exceptId));
    return context.json({ ended }, 200);
  });
  api.route(endSession, 'owner', async (context) => {
    if (!(await sessions.end(context.req.valid('param').id))) throw missing('session');
    return context.body(null, 204);
  });
}
