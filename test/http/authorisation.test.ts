// Who may ask for what: every route × everybody who may ask. The table is written by hand, so that a route which is added
// without thinking, or which asks for another right than before, fails here.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { PUBLIC_PATHS } from '../../src/web/app.ts';
import { type SignedIn, signedIn } from '../support/owner.ts';
import { routeRecords } from '../support/route-records.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

/** Routes by the least right that opens them. Streams have rules of their own: `stream-access.test.ts`. */
const TABLE: Readonly<Record<'public' | 'viewer' | 'owner', readonly string[]>> = {
  public: ['GET /login', 'POST /login', 'POST /logout', 'GET /setup', 'POST /setup', 'POST /theme'],
  viewer: [
    'GET /live',
    'GET /',
    'GET /library',
    'GET /items/:id',
    'GET /items/:id/play.m3u',
    'GET /connect',
    'GET /about',
    'GET /about/licences',
    'GET /help',
    'GET /account',
    'POST /account/password',
    'POST /account/preferences',
    'POST /library/ask',
    'POST /account/sessions/:id/end',
    'POST /account/sessions/end-others',
    'POST /account/tokens',
    'POST /account/tokens/:id/revoke',
    'GET /more',
    'GET /api/v1/status',
    'GET /api/v1/history',
    'GET /api/v1/items',
    'GET /api/v1/search',
    'GET /api/v1/items/:id',
    'GET /api/v1/entries',
    'GET /api/v1/entries/:id',
    'GET /api/v1/openapi.json',
  ],
  owner: [
    'GET /library/selection',
    'GET /setup/storage',
    'POST /setup/storage',
    'POST /entries/:id/verify',
    'POST /items/:id/fetch',
    'POST /jobs/:id/restore',
    'POST /jobs/:id/stop',
    'POST /library/selection/drop',
    'POST /library/selection/fetch',
    'POST /library/selection/pin',
    'POST /library/selection/recheck',
    'POST /library/selection/restore',
    'POST /library/selection/stop',
    'POST /library/selection/unpin',
    'POST /library/selection/verify',
    'GET /activity',
    'POST /activity/:id/stop',
    'POST /activity/wishes/cancel',
    'POST /entries/:id/fetch',
    'POST /entries/:id/stop',
    'POST /entries/:id/pin',
    'POST /entries/:id/unpin',
    'POST /entries/:id/drop',
    'POST /entries/:id/restore',
    'POST /entries/:id/remove',
    'POST /entries/:id/recheck',
    'GET /settings',
    'POST /settings',
    'POST /settings/reset',
    'GET /settings/larder.toml',
    'GET /doctor',
    'POST /doctor/check',
    'GET /sources',
    'GET /sources/new',
    'POST /sources/new',
    'POST /sources/test',
    'POST /sources/new/sign-in',
    'GET /sources/new/sign-in/:id',
    'GET /sources/:name',
    'POST /sources/:name',
    'POST /sources/:name/test',
    'POST /sources/:name/sign-in',
    'POST /sources/:name/remove',
    'POST /sources/:name/sync',
    'POST /sources/:name/sync/cancel',
    'GET /setup/source',
    'POST /setup/source',
    'GET /users',
    'POST /users',
    'POST /users/:id/role',
    'POST /users/:id/password',
    'POST /users/:id/remove',
    'POST /users/tokens',
    'POST /users/tokens/:id/revoke',
    'POST /users/sessions/:id/end',
    'POST /users/sessions/end-others',
    'POST /setup/skip',
    'GET /setup/play',
    'POST /setup/play',
    'GET /storage',
    'POST /storage',
    'GET /events',
    'GET /log',
    'GET /api/v1/sources',
    'POST /api/v1/sources',
    'POST /api/v1/sources/test',
    'GET /api/v1/sources/:name',
    'PATCH /api/v1/sources/:name',
    'DELETE /api/v1/sources/:name',
    'POST /api/v1/sources/:name/test',
    'GET /api/v1/sources/:name/sync',
    'POST /api/v1/sources/:name/sync',
    'DELETE /api/v1/sources/:name/sync',
    'GET /api/v1/tokens',
    'POST /api/v1/tokens',
    'DELETE /api/v1/tokens/:id',
    'GET /api/v1/users',
    'POST /api/v1/users',
    'GET /api/v1/users/:id',
    'PATCH /api/v1/users/:id',
    'DELETE /api/v1/users/:id',
    'GET /api/v1/sessions',
    'DELETE /api/v1/sessions',
    'DELETE /api/v1/sessions/:id',
    'GET /api/v1/settings',
    'PATCH /api/v1/settings',
    'GET /api/v1/doctor',
    'GET /api/v1/about',
    'DELETE /api/v1/entries/:id',
    'POST /api/v1/entries/bulk',
    'GET /api/v1/jobs',
    'GET /api/v1/jobs/:id',
    'DELETE /api/v1/jobs/:id',
    'POST /api/v1/entries/:id/fetch',
    'POST /api/v1/entries/:id/stop',
    'POST /api/v1/entries/:id/pin',
    'POST /api/v1/entries/:id/unpin',
    'POST /api/v1/entries/:id/drop',
    'POST /api/v1/entries/:id/restore',
    'POST /api/v1/entries/:id/verify',
    'POST /api/v1/entries/:id/recheck',
    'GET /api/v1/readers',
    'GET /api/v1/readers/ended',
    'DELETE /api/v1/readers/:id',
    'GET /api/v1/storage',
    'POST /api/v1/storage/preview',
    'PATCH /api/v1/storage',
    'GET /api/v1/events/log',
    'GET /api/v1/log',
    'GET /api/v1/events',
  ],
};

/** Registered as public, because they look at what is shown themselves: viewers, or whoever has a signed address. */
const SIGNED = ['GET /library.m3u'];

/** Before the site: health and what a browser needs to show anything. */
const PUBLIC_FILES = PUBLIC_PATHS.map((path) => `GET ${path}`);

/** Everybody who may ask, and what each may. */
const CALLERS = {
  nobody: ['public'],
  'a stream token': ['public'],
  'a viewer token': ['public', 'viewer'],
  'an admin token': ['public', 'viewer', 'owner'],
  'a token that was revoked': ['public'],
  'a viewer': ['public', 'viewer'],
  'an owner': ['public', 'viewer', 'owner'],
  'a session that has ended': ['public'],
} as const;
type CallerName = keyof typeof CALLERS;

let larder: RunningLarder;
const tokens: Partial<Record<CallerName, string>> = {};
let ended: SignedIn;

beforeAll(async () => {
  larder = await startLarder();
  for (const [name, scope] of [
    ['a stream token', 'stream'],
    ['a viewer token', 'viewer'],
    ['an admin token', 'admin'],
    ['a token that was revoked', 'admin'],
  ] as const) {
    const made = await send('POST', '/api/v1/tokens', larder.owner.headers, JSON.stringify({ scope }));
    const { token, id } = (await made.json()) as { token: string; id: number };
    tokens[name] = token;
    if (name === 'a token that was revoked') await send('DELETE', `/api/v1/tokens/${id}`, larder.owner.headers);
  }
  ended = await signedIn(larder.dataFolder);
  await send('POST', '/logout', ended.headers);
});

afterAll(() => larder[Symbol.asyncDispose]());

function send(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<Response> {
  return fetch(`http://localhost:${larder.port}${path}`, {
    method,
    redirect: 'manual',
    headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    ...(body === undefined ? {} : { body }),
  });
}

/** Sessions are made for each request: some of the routes end all others. */
async function headersOf(name: CallerName): Promise<Readonly<Record<string, string>>> {
  const token = tokens[name];
  if (token !== undefined) return { Authorization: `Bearer ${token}` };
  if (name === 'an owner') return (await signedIn(larder.dataFolder)).headers;
  if (name === 'a viewer') return (await signedIn(larder.dataFolder, 'viewer')).headers;
  return name === 'nobody' ? { 'Sec-Fetch-Site': 'same-origin' } : ended.headers;
}

/** What names nothing, so that nothing is done. */
function fill(path: string): string {
  return path
    .replace(/:id\b/g, '999999999')
    .replace(/:name\b/g, 'none')
    .replace(/:\w+/g, 'none');
}

async function answerTo(name: CallerName, route: string): Promise<'let in' | 'sign in' | 'not allowed'> {
  const [method = '', path = ''] = route.split(' ');
  const response = await send(method, fill(path), await headersOf(name));
  // Event streams go on for ever.
  await response.body?.cancel();
  const location = response.headers.get('location') ?? '';
  if (response.status === 401 || (response.status === 303 && location.startsWith('/login?next='))) return 'sign in';
  if (response.status === 303 && location === '/login' && path === '/') return 'sign in';
  return response.status === 403 ? 'not allowed' : 'let in';
}

describe('authorisation', () => {
  for (const [right, routes] of Object.entries(TABLE) as [keyof typeof TABLE, readonly string[]][]) {
    for (const route of routes) {
      test(`${route} is for ${right === 'public' ? 'everybody' : `${right}s`}`, async () => {
        const expected: Record<string, string> = {};
        const found: Record<string, string> = {};
        for (const [name, rights] of Object.entries(CALLERS) as [CallerName, readonly string[]][]) {
          const isKnown = name !== 'nobody' && !name.includes('revoked') && !name.includes('ended');
          expected[name] = rights.includes(right) ? 'let in' : isKnown ? 'not allowed' : 'sign in';
          found[name] = await answerTo(name, route);
        }
        expect(found).toEqual(expected);
      });
    }
  }

  for (const route of SIGNED) {
    test(`${route} is for viewers, and for nobody who shows nothing`, async () => {
      for (const [name, rights] of Object.entries(CALLERS) as [CallerName, readonly string[]][]) {
        const expected = rights.includes('viewer') ? 'let in' : 'sign in';
        expect([name, await answerTo(name, route)]).toEqual([name, expected]);
      }
    });
  }

  test('what is answered before the site is public', async () => {
    for (const route of PUBLIC_FILES) expect([route, await answerTo('nobody', route)]).toEqual([route, 'let in']);
  });

  test('every route has a row, and every row a route', () => {
    const rows = [
      ...Object.entries(TABLE).flatMap(([need, routes]) => routes.map((route) => `${route} ${need}`)),
      ...SIGNED.map((route) => `${route} public`),
    ];
    const records = routeRecords().map(
      ({ method, path, need }) => `${method} ${path.replace(/\{[^/]*\}(?=\/|$)/g, '')} ${need}`,
    );
    expect(records.toSorted()).toEqual(rows.toSorted());
  });
});
