// Users, sessions and tokens over the API.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { signedIn } from '../support/owner.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

const PASSWORD = 'four words that differ';

let larder: RunningLarder;

beforeAll(async () => {
  larder = await startLarder();
});

afterAll(() => larder[Symbol.asyncDispose]());

type Json = Record<string, unknown> & { items: Record<string, unknown>[]; next: string | null };

async function ask(method: string, path: string, body?: unknown, headers = larder.owner.headers) {
  const response = await fetch(`http://localhost:${larder.port}/api/v1${path}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text === '' ? null : JSON.parse(text)) as Json };
}

function bearer(token: unknown): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

describe('/tokens', () => {
  test('a token is told once, works by its scope, and ends when it is revoked', async () => {
    const made = await ask('POST', '/tokens', { scope: 'viewer', name: 'Script' });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      name: 'Script',
      scope: 'viewer',
      user: 'owner',
      expiresAt: null,
      lastUsedAt: null,
    });
    const token = bearer(made.body.token);
    expect((await ask('GET', '/status', undefined, token)).status).toBe(200);
    for (const path of ['/tokens', '/users', '/sessions']) {
      expect([path, (await ask('GET', path, undefined, token)).status]).toEqual([path, 403]);
    }
    const listed = await ask('GET', '/tokens');
    expect(JSON.stringify(listed.body)).not.toContain(String(made.body.token));
    expect(listed.body.items[0]).toMatchObject({ id: made.body.id, prefix: String(made.body.token).slice(0, 13) });
    expect(listed.body.items[0]!.lastUsedAt).not.toBeNull();
    expect((await ask('DELETE', `/tokens/${made.body.id}`)).status).toBe(204);
    expect((await ask('GET', '/status', undefined, token)).status).toBe(401);
    expect((await ask('DELETE', `/tokens/${made.body.id}`)).status).toBe(404);
  });

  test('a stream token opens nothing of the API', async () => {
    const { body } = await ask('POST', '/tokens', { scope: 'stream' });
    expect((await ask('GET', '/status', undefined, bearer(body.token))).status).toBe(403);
  });

  test('an admin token needs no cookie and no origin, and a wrong one is not saved by a cookie', async () => {
    const { body } = await ask('POST', '/tokens', { scope: 'admin', expiresAt: Date.now() + 3_600_000 });
    const own = await ask('POST', '/tokens', { scope: 'stream', name: 'made by a token' }, bearer(body.token));
    expect(own.status).toBe(201);
    const { Cookie } = larder.owner.headers;
    expect((await ask('GET', '/tokens', undefined, { Cookie: Cookie!, ...bearer('larder_wrong') })).status).toBe(401);
    expect((await ask('POST', '/tokens', { scope: 'stream' }, { Cookie: Cookie! })).status).toBe(403);
  });

  test('bad input is refused by name', async () => {
    for (const [body, field] of [
      [{}, 'scope'],
      [{ scope: 'root' }, 'scope'],
      [{ scope: 'admin', name: 5 }, 'name'],
      [{ scope: 'admin', expiresAt: 'soon' }, 'expiresAt'],
      [{ scope: 'admin', expiresAt: 5 }, ''],
      [{ scope: 'admin', userId: 1 }, 'userId'],
    ] as const) {
      const { status, body: problem } = await ask('POST', '/tokens', body);
      expect([body, status]).toEqual([body, 422]);
      expect(JSON.stringify(problem)).toContain(field);
    }
    expect((await ask('GET', '/tokens?cursor=x')).status).toBe(422);
  });

  test('lists come in pages', async () => {
    const ids: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await ask('GET', `/tokens?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      ids.push(...page.body.items.map(({ id }) => id));
      cursor = page.body.next;
    }
    const all = (await ask('GET', '/tokens')).body.items.map(({ id }) => id);
    expect(ids).toEqual(all);
    expect(all.length).toBeGreaterThan(2);
  });
});

describe('/users', () => {
  test('a user is added, changed and removed; no answer holds a password', async () => {
    const made = await ask('POST', '/users', { name: 'Joe', role: 'viewer', password: PASSWORD });
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe(`/api/v1/users/${made.body.id}`);
    expect(made.body).toMatchObject({ name: 'Joe', role: 'viewer', lastSignInAt: null });
    const path = `/users/${made.body.id}`;
    expect((await ask('POST', '/users', { name: 'JOE', role: 'viewer', password: PASSWORD })).status).toBe(409);
    const joe = await signedIn(larder.dataFolder, 'viewer', 'joe');
    expect((await ask('GET', '/status', undefined, joe.headers)).status).toBe(200);
    const refused = await ask('PATCH', path, { role: 'owner', password: 'short' });
    expect([refused.status, (await ask('GET', path)).body.role]).toEqual([422, 'viewer']);
    expect((await ask('PATCH', path, { role: 'owner' })).body).toMatchObject({ role: 'owner' });
    expect((await ask('GET', '/status', undefined, joe.headers)).status).toBe(401);
    const again = await signedIn(larder.dataFolder, 'owner', 'joe');
    expect((await ask('PATCH', path, { password: 'another good one' })).status).toBe(200);
    expect((await ask('GET', '/users', undefined, again.headers)).status).toBe(401);
    expect(JSON.stringify((await ask('GET', '/users')).body)).not.toMatch(/hash|argon|another good/);
    expect((await ask('DELETE', path)).status).toBe(204);
    expect((await ask('GET', path)).status).toBe(404);
  });

  test('the last owner can neither be removed nor demoted', async () => {
    const { id } = (await ask('GET', '/users')).body.items.find(({ role }) => role === 'owner')!;
    expect((await ask('DELETE', `/users/${id}`)).status).toBe(409);
    expect((await ask('PATCH', `/users/${id}`, { role: 'viewer' })).status).toBe(409);
    expect((await ask('GET', '/users')).status).toBe(200);
  });
});

describe('/sessions', () => {
  test('sessions say where they are, and end one by one or all but one’s own', async () => {
    const [one, two] = [await signedIn(larder.dataFolder), await signedIn(larder.dataFolder)];
    const listed = (await ask('GET', '/sessions')).body.items;
    expect(listed.filter(({ current }) => current)).toHaveLength(1);
    expect(listed[0]).toMatchObject({ user: { name: 'owner' }, device: 'test' });
    expect(JSON.stringify(listed)).not.toContain(one.cookie.value);
    const ownId = async (session: typeof one) =>
      (await ask('GET', '/sessions', undefined, session.headers)).body.items.find(({ current }) => current)!.id;
    expect((await ask('DELETE', `/sessions/${await ownId(one)}`)).status).toBe(204);
    expect((await ask('GET', '/status', undefined, one.headers)).status).toBe(401);
    expect((await ask('GET', '/status', undefined, two.headers)).status).toBe(200);
    const ended = await ask('DELETE', '/sessions');
    expect(ended.status).toBe(200);
    expect(Number(ended.body.ended)).toBeGreaterThan(0);
    expect((await ask('GET', '/status', undefined, two.headers)).status).toBe(401);
    expect((await ask('GET', '/sessions')).body.items).toHaveLength(1);
  });
});
