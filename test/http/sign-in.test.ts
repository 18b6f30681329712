// The first run, signing in and out, and what becomes of a form that comes too late, over real sockets.
import { describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { signedIn } from '../support/owner.ts';
import { rawRequest } from './raw-client.ts';
import { type RunningLarder, startLarder } from './running-larder.ts';

const PASSWORD = 'four words that differ';

type Fields = Record<string, string>;
type Headers = Record<string, string>;

/** A form as a browser sends it. */
function send(larder: RunningLarder, path: string, fields: Fields, headers: Headers = {}): Promise<Response> {
  return fetch(`http://localhost:${larder.port}${path}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'Sec-Fetch-Site': 'same-origin', ...headers },
    body: new URLSearchParams(fields),
  });
}

function get(larder: RunningLarder, path: string, headers: Headers = {}): Promise<Response> {
  return fetch(`http://localhost:${larder.port}${path}`, { redirect: 'manual', headers });
}

/** `name=value` of the session cookie that an answer gives. */
function cookieOf(response: Response): string {
  const [cookie = ''] = response.headers.getSetCookie();
  return cookie.split(';')[0]!;
}

function where(response: Response): [number, string | null] {
  return [response.status, response.headers.get('location')];
}

async function startOwned(args: readonly string[] = []): Promise<RunningLarder> {
  return startLarder({ isUnclaimed: true, environment: { LARDER_ADMIN_PASSWORD: PASSWORD }, args });
}

function signIn(larder: RunningLarder, fields: Fields = {}, headers: Headers = {}): Promise<Response> {
  return send(larder, '/login', { name: 'admin', password: PASSWORD, ...fields }, headers);
}

describe('the first run', () => {
  test('whoever has the code becomes the owner and is signed in; after that there is nothing to claim', async () => {
    await using larder = await startLarder({ isUnclaimed: true });
    const file = join(larder.dataFolder, 'setup-code');
    for (const path of ['/', '/more', '/login']) expect(where(await get(larder, path))).toEqual([303, '/setup']);
    const page = await (await get(larder, '/setup')).text();
    expect(page).toContain('Make this Larder yours');
    const code = readFileSync(file, 'utf8').trim();
    expect(page).not.toContain(code);
    expect(await (await get(larder, `/setup?code=${code}`)).text()).toContain(`value="${code}"`);

    const wrong = await send(larder, '/setup', { code: 'AAAA-BBBB-CCCC-DDDD', name: 'Jane', password: PASSWORD });
    expect(wrong.status).toBe(401);
    const again = await wrong.text();
    expect(again).toContain('This is not the set-up code.');
    expect(again).toContain('value="Jane"');
    expect(again).not.toContain(PASSWORD);
    expect((await send(larder, '/setup', { code, name: 'Jane', password: 'short' })).status).toBe(422);
    expect((await send(larder, '/setup', { code: '', name: '', password: '' })).status).toBe(422);
    const foreign = await send(
      larder,
      '/setup',
      { code, name: 'Jane', password: PASSWORD },
      { 'Sec-Fetch-Site': 'cross-site' },
    );
    expect(foreign.status).toBe(403);

    const claimed = await send(larder, '/setup', { code, name: 'Jane', password: PASSWORD });
    expect(claimed.status).toBe(303);
    expect(claimed.headers.get('location')).toMatch(/^\/(setup\/\w+)?$/);
    expect(existsSync(file)).toBe(false);
    const Cookie = cookieOf(claimed);
    expect((await get(larder, '/', { Cookie })).status).toBe(200);
    expect((await get(larder, '/setup')).status).toBe(404);
    expect((await send(larder, '/setup', { code, name: 'Joe', password: PASSWORD })).status).toBe(404);
    expect(where(await get(larder, '/'))).toEqual([303, '/login']);
    await larder.restart();
    expect((await get(larder, '/', { Cookie })).status).toBe(200);
    expect(existsSync(file)).toBe(false);
    expect(larder.log.join()).not.toContain(code);
  });

  test('two who claim at the same time make one owner', async () => {
    await using larder = await startLarder({ isUnclaimed: true });
    await get(larder, '/setup');
    const code = readFileSync(join(larder.dataFolder, 'setup-code'), 'utf8').trim();
    const claims = ['Jane', 'Joe', 'Jim'].map((name) => send(larder, '/setup', { code, name, password: PASSWORD }));
    const statuses = (await Promise.all(claims)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 303)).toHaveLength(1);
    expect(statuses.filter((status) => status === 303 || status === 404 || status === 409)).toHaveLength(3);
  });

  test('codes are tried five times a minute', async () => {
    await using larder = await startLarder({ isUnclaimed: true });
    const statuses: number[] = [];
    let last: Response | undefined;
    for (let tries = 0; tries < 6; tries++) {
      last = await send(larder, '/setup', { code: 'AAAA-BBBB-CCCC-DDDD', name: 'Jane', password: PASSWORD });
      statuses.push(last.status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    expect(Number(last!.headers.get('retry-after'))).toBeGreaterThan(50);
  });

  test('a larder whose owner is named in the environment asks for nothing', async () => {
    await using larder = await startOwned();
    expect(existsSync(join(larder.dataFolder, 'setup-code'))).toBe(false);
    expect((await get(larder, '/setup')).status).toBe(404);
    const Cookie = cookieOf(await signIn(larder));
    for (const step of ['', '/storage', '/source', '/play']) {
      expect([step, (await get(larder, `/setup${step}`, { Cookie })).status]).toEqual([step, 404]);
    }
    expect(larder.log.join()).not.toContain(PASSWORD);
  });
});

describe('signing in', () => {
  test('the cookie is for the server only, and gone with the session', async () => {
    await using larder = await startOwned();
    const response = await signIn(larder);
    expect(where(response)).toEqual([303, '/']);
    const [cookie = ''] = response.headers.getSetCookie();
    for (const attribute of ['HttpOnly', 'SameSite=Lax', 'Path=/', 'Max-Age=15552000'])
      expect(cookie).toContain(attribute);
    expect(cookie).not.toContain('Secure');
    const Cookie = cookieOf(response);
    expect((await get(larder, '/', { Cookie })).headers.get('cache-control')).toBe('no-store');
    expect(where(await get(larder, '/login?next=%2Fmore', { Cookie }))).toEqual([303, '/more']);
    const out = await send(larder, '/logout', {}, { Cookie });
    expect(where(out)).toEqual([303, '/login']);
    expect(out.headers.getSetCookie()[0]).toContain('Max-Age=0');
    expect(where(await get(larder, '/', { Cookie }))).toEqual([303, '/login']);
  });

  test('a wrong one says so in the same words, and is slowed down with a time', async () => {
    await using larder = await startOwned();
    const texts: string[] = [];
    for (const fields of [{ password: 'wrong' }, { name: 'nobody' }, { name: 'somebody' }]) {
      const response = await signIn(larder, fields);
      expect(response.status).toBe(401);
      texts.push((await response.text()).replace(/value="[^"]*"/g, ''));
    }
    expect(new Set(texts).size).toBe(1);
    const slowed = await signIn(larder);
    expect([slowed.status, slowed.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await slowed.text()).toContain('too many wrong tries');
  });

  test('where it leads to is below Larder, whatever the address says', async () => {
    await using larder = await startOwned();
    expect(where(await get(larder, '/more?a=b'))).toEqual([303, '/login?next=%2Fmore%3Fa%3Db']);
    for (const [next, target] of [
      ['/more?a=b', '/more?a=b'],
      ['//evil.example/', '/'],
      ['/\\evil.example', '/'],
      ['\\\\evil.example', '/'],
      ['https://evil.example/', '/'],
      ['/.//evil.example', '/'],
      ['/\t/evil.example', '/'],
      ['javascript:alert(1)', '/'],
      ['more', '/'],
      ['', '/'],
    ] as const) {
      const { status, headers } = await signIn(larder, { next });
      expect([next, status, headers.get('location')]).toEqual([next, 303, target]);
    }
  });

  test('a form that comes when the session is over is sent again after signing in, without its secrets', async () => {
    await using larder = await startOwned();
    const Cookie = cookieOf(await signIn(larder));
    await send(larder, '/logout', {}, { Cookie });
    const fields = { backgroundFill: 'on', 'source-password': 'hunter22', note: '<b>&' };
    const headers = { Cookie, Referer: `http://localhost:${larder.port}/more` };
    const late = await send(larder, '/account/preferences?x=1', fields, headers);
    expect(late.status).toBe(401);
    const page = await late.text();
    expect(page).toContain('name="carried:backgroundFill" value="on"');
    expect(page).toContain('value="&lt;b&gt;&amp;"');
    expect(page).not.toContain('hunter22');
    const carried = {
      'carried-action': '/account/preferences?x=1',
      'carried:backgroundFill': 'on',
      'carried-left': 'source-password',
    };
    const back = await signIn(larder, carried);
    expect(back.status).toBe(200);
    const again = await back.text();
    expect(again).toContain('action="/account/preferences?x=1"');
    expect(again).toContain('name="backgroundFill" value="on"');
    expect(again).toContain('name="source-password"');
    expect(await (await signIn(larder, { ...carried, 'carried-action': '//evil.example/' })).text()).toContain(
      'action="/"',
    );
  });

  test('what htmx sends when the session is over is answered in place, so that nothing typed is lost', async () => {
    await using larder = await startOwned();
    const response = await send(larder, '/account/preferences', { backgroundFill: 'on' }, { 'HX-Request': 'true' });
    expect(response.status).toBe(401);
    const text = await response.text();
    expect(text).toContain('hx-target="#notice"');
    expect(text).toContain('Your session has ended');
    expect(text).toContain('href="/login"');
    expect((await get(larder, '/live?at=/')).status).toBe(401);
  });

  test('below a path that a trusted proxy takes off, every address has it, and over TLS the cookie is for TLS only', async () => {
    await using larder = await startOwned(['--trusted-proxy', '127.0.0.1', '--trusted-proxy', '::1']);
    const proxied = {
      'X-Forwarded-For': '203.0.113.7',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'films.local',
      'X-Forwarded-Prefix': '/a/b',
    };
    expect(where(await get(larder, '/more', proxied))).toEqual([303, '/a/b/login?next=%2Fmore']);
    const response = await signIn(larder, { next: '/more' }, proxied);
    expect(where(response)).toEqual([303, '/a/b/more']);
    const [cookie = ''] = response.headers.getSetCookie();
    expect(cookie).toContain('Path=/a/b/;');
    expect(cookie).toContain('Secure');
    const page = await (await get(larder, '/', { ...proxied, Cookie: cookieOf(response) })).text();
    expect(page).toContain('https://films.local/a/b');
    expect(
      [...page.matchAll(/(?:href|src|action)="(\/[^"]*)"/g)].filter(([, path]) => !path!.startsWith('/a/b/')),
    ).toEqual([]);
    const foreign = { ...proxied, Origin: 'https://evil.example' };
    expect((await fetch(`http://localhost:${larder.port}/logout`, { method: 'POST', headers: foreign })).status).toBe(
      403,
    );
    expect(larder.log.join('\n')).toContain('msg="signed in" address=203.0.113.7');
  });

  test('below a base path', async () => {
    await using larder = await startOwned(['--base-path', '/a/b']);
    expect(where(await get(larder, '/a/b/more'))).toEqual([303, '/a/b/login?next=%2Fmore']);
    const response = await send(larder, '/a/b/login', { name: 'admin', password: PASSWORD, next: '/more' });
    expect(where(response)).toEqual([303, '/a/b/more']);
    expect(response.headers.getSetCookie()[0]).toContain('Path=/a/b/;');
    expect((await get(larder, '/more')).status).toBe(404);
  });
});

test('a viewer sees the library and changes nothing of it', async () => {
  await using larder = await startLarder();
  const viewer = await signedIn(larder.dataFolder, 'viewer');
  expect((await rawRequest(larder.port, '/', viewer.headers)).status).toBe(200);
  const refused = await rawRequest(
    larder.port,
    '/entries/1/remove',
    { ...viewer.headers, 'Content-Length': '0' },
    'POST',
  );
  expect(refused.status).toBe(403);
  expect(Buffer.from(refused.body).toString()).toContain('This is for owners');
});

test('unknown names get 421 with the setting to paste, on the API as a problem', async () => {
  await using larder = await startLarder();
  const rebinding = { ...larder.owner.headers, Host: 'evil.example' };
  const api = await rawRequest(larder.port, '/api/v1/status', rebinding);
  expect([api.status, api.header('content-type')]).toEqual([421, 'application/problem+json']);
  expect(Buffer.from(api.body).toString()).toContain('LARDER_ALLOWED_HOSTS=evil.example');
  await larder.restart(['--allowed-host', 'evil.example']);
  expect((await rawRequest(larder.port, '/', rebinding)).status).toBe(200);
});

describe('what belongs to one session', () => {
  test('signing in again in the same browser ends the session it had; a wrong password does not', async () => {
    await using larder = await startOwned();
    const Cookie = cookieOf(await signIn(larder));
    const other = cookieOf(await signIn(larder));
    expect((await signIn(larder, { password: 'wrong' }, { Cookie })).status).toBe(401);
    expect((await get(larder, '/', { Cookie })).status).toBe(200);
    const next = cookieOf(await signIn(larder, {}, { Cookie }));
    expect(where(await get(larder, '/', { Cookie }))).toEqual([303, '/login']);
    for (const kept of [next, other]) expect((await get(larder, '/', { Cookie: kept })).status).toBe(200);
  });

  test('the notice that holds a new token is shown to the session that made it, once', async () => {
    await using larder = await startLarder();
    const guest = await signedIn(larder.dataFolder, 'viewer', 'Guest');
    const made = await send(larder, '/account/tokens', { name: 'tv' }, larder.owner.headers);
    expect(made.status).toBe(303);
    const address = made.headers.get('location')!;
    expect(address).toContain('notice=');
    const again = await signedIn(larder.dataFolder); // the same user elsewhere
    for (const headers of [guest.headers, again.headers]) {
      const page = await get(larder, address, headers);
      expect(page.status).toBe(200);
      expect(await page.text()).not.toMatch(/larder_[\w-]{20}/);
    }
    expect(await (await get(larder, address, larder.owner.headers)).text()).toMatch(/larder_[\w-]{20}/);
    expect(await (await get(larder, address, larder.owner.headers)).text()).not.toMatch(/larder_[\w-]{20}/);
  });
});
