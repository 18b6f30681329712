import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { SignedAddresses, type Signer } from '../../../src/access/signed-addresses.ts';
import { type AccessFixture, openAccess } from '../../support/access.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const AT_HOME = '192.168.1.20';
const FAR_AWAY = '203.0.113.7';
const PATH = '/s/films/Some%20Film%20(2020).mkv';

type Headers = Record<string, string>;

async function prepared() {
  const fixture = await openAccess();
  const { users, sessions, tokens, control } = fixture.access;
  const jane = await users.create({ name: 'Jane', role: 'viewer', password: 'four words long' }, 'Test');
  const session = await sessions.open(jane.id, { device: 'x', address: AT_HOME });
  const make = async (scope: 'admin' | 'viewer' | 'stream') =>
    (await tokens.create({ name: scope, scope, userId: null, lifetimeMs: null, by: 'Test' })).secret;
  const cookie = `other=1; ${control.cookieName}=${session}`;
  const by = { kind: 'user', id: jane.id, sinceMs: jane.createdAt } as const;
  return {
    fixture,
    cookie,
    by,
    jane,
    admin: await make('admin'),
    viewer: await make('viewer'),
    stream: await make('stream'),
  };
}

function basic(name: string, password: string): Headers {
  return { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` };
}

async function play(
  fixture: AccessFixture,
  headers: Headers = {},
  query = '',
  remoteAddress = AT_HOME,
): Promise<string> {
  const facts = { headers: { host: 'nas', ...headers }, remoteAddress, isEncrypted: false };
  const decision = await fixture.access.control.mayPlay({ ...facts, path: PATH, query });
  return decision.may ? (decision.by?.kind ?? 'open') : `${decision.status} ${decision.message}`;
}

describe('AccessControl.mayPlay()', () => {
  test('private: who is at home plays, who is not shows something', async () => {
    const { fixture, cookie, stream } = await prepared();
    await using _ = fixture;
    expect(await play(fixture)).toBe('open');
    expect(await play(fixture, {}, '', FAR_AWAY)).toBe('401 streams are open to private networks only');
    expect(await play(fixture, { 'x-forwarded-for': AT_HOME })).toStartWith('401');
    expect(await play(fixture, { cookie }, '', FAR_AWAY)).toBe('session');
    expect(await play(fixture, {}, `token=${stream}`, FAR_AWAY)).toBe('token');
    fixture.settings.trustedProxies = [AT_HOME];
    expect(await play(fixture, { 'x-forwarded-for': '192.168.1.77' })).toBe('open');
    expect(await play(fixture, { 'x-forwarded-for': FAR_AWAY })).toStartWith('401');
  });

  test('all: everybody plays; locked: nobody without showing something', async () => {
    const { fixture, cookie, admin, viewer, stream } = await prepared();
    await using _ = fixture;
    fixture.settings.streamAccess = 'all';
    expect(await play(fixture, {}, '', FAR_AWAY)).toBe('open');
    fixture.settings.streamAccess = 'locked';
    expect(await play(fixture)).toBe('401 streams are locked');
    expect(await play(fixture, { cookie })).toBe('session');
    for (const token of [admin, viewer, stream]) {
      expect(await play(fixture, { authorization: `Bearer ${token}` })).toBe('token');
      expect(await play(fixture, basic('anything', token))).toBe('token');
      expect(await play(fixture, basic('', token))).toBe('token');
    }
    for (const headers of [
      basic('jane', 'four words long'),
      basic(stream, ''),
      { authorization: `Bearer ${stream}x` },
      { authorization: stream },
      { authorization: 'Basic %%%' },
      { cookie: 'larder_session=1' },
      { cookie: `${fixture.access.control.cookieName}=` },
    ] as Headers[]) {
      expect([headers, await play(fixture, headers)]).toEqual([headers, '401 streams are locked']);
    }
  });

  test('in an address only a token that opens nothing else is taken', async () => {
    const { fixture, admin, viewer, stream } = await prepared();
    await using _ = fixture;
    fixture.settings.streamAccess = 'locked';
    expect(await play(fixture, {}, `token=${stream}`)).toBe('token');
    expect(await play(fixture, {}, `a=b&token=${stream}&c`)).toBe('token');
    for (const token of [admin, viewer, 'x', '']) {
      expect(await play(fixture, {}, `token=${token}`)).toStartWith('401');
    }
  });

  test('a signed address opens its own path until its time, and says why when it does not', async () => {
    const { fixture, by } = await prepared();
    await using _ = fixture;
    fixture.settings.streamAccess = 'locked';
    const query = fixture.access.signatures.sign(PATH, by, 3_600_000).split('?')[1]!;
    expect(await play(fixture, {}, query, FAR_AWAY)).toBe('address');
    const other = fixture.access.signatures.sign('/s/films/Other.mkv', by).split('?')[1]!;
    expect(await play(fixture, {}, other)).toStartWith('403 this address was altered');
    expect(await play(fixture, {}, query.replace('expires=', 'expires=9'))).toStartWith('403 this address was altered');
    fixture.clock.advance(3_600_000);
    expect(await play(fixture, {}, query)).toBe('403 this address has expired');
  });

  test('a signed address, and what it opened, ends with the user or token it was made for', async () => {
    const { fixture, by, jane } = await prepared();
    await using _ = fixture;
    const { users, tokens, signatures, control } = fixture.access;
    fixture.settings.streamAccess = 'locked';
    const request = { name: 'tv', scope: 'viewer', userId: null, by: 'Test' } as const;
    const { token } = await tokens.create({ ...request, lifetimeMs: 60_000 });
    const { token: revoked } = await tokens.create({ ...request, lifetimeMs: null });
    const queryOf = (signer: Signer) => signatures.sign(PATH, signer).split('?')[1]!;
    const [byJane, byToken, byRevoked] = [
      by,
      { kind: 'token', id: token.id, sinceMs: token.createdAt } as const,
      { kind: 'token', id: revoked.id, sinceMs: revoked.createdAt } as const,
    ].map(queryOf) as [string, string, string];
    const told: string[] = [];
    for (const query of [byJane, byToken, byRevoked]) {
      const facts = { headers: { host: 'nas' }, remoteAddress: FAR_AWAY, isEncrypted: false, path: PATH, query };
      const decision = await control.mayPlay(facts);
      if (!decision.may) throw new Error(decision.message);
      control.watch(decision.by!, () => told.push(query));
    }
    // Nobody takes another one's name.
    expect(await play(fixture, {}, byJane.replace(`user-${by.id}`, `token-${token.id}`))).toStartWith('403');
    expect(await play(fixture, {}, byJane.replace(/&by=[^&]*/, ''))).toStartWith('403');
    await fixture.clock.run(62_000);
    expect(await play(fixture, {}, byToken)).toBe('403 this address has expired');
    expect(told).toEqual([byToken]);
    await tokens.revoke(revoked.id, 'Test');
    expect(await play(fixture, {}, byRevoked)).toStartWith('403 this address was altered');
    expect(await play(fixture, {}, byJane)).toBe('address');
    await users.remove(jane.id, 'Test');
    expect(await play(fixture, {}, byJane)).toStartWith('403 this address was altered');
    expect(told).toEqual([byToken, byRevoked, byJane]);
    // Ids are given anew: who has it now made nothing of this.
    const other = await users.create({ name: 'Joe', role: 'viewer', password: 'four words long' }, 'Test');
    expect(other.id).toBe(jane.id);
    expect(await play(fixture, {}, byJane)).toStartWith('403 this address was altered');
  });

  test('a page of another site under a name that is not ours plays nothing (DNS rebinding)', async () => {
    const { fixture } = await prepared();
    await using _ = fixture;
    const rebinding = { host: 'evil.example', 'sec-fetch-site': 'cross-site' };
    expect(await play(fixture, rebinding)).toStartWith('421');
    expect(await play(fixture, { ...rebinding, host: 'nas' })).toBe('open');
    fixture.settings.allowedHosts = ['evil.example'];
    expect(await play(fixture, rebinding)).toBe('open');
  });

  test('who shows nothing plays under names that nobody outside can own: plain http says nothing of sites', async () => {
    const { fixture, cookie, stream, by } = await prepared();
    await using _ = fixture;
    const strange = { host: 'evil.example:8420' };
    expect(await play(fixture, strange)).toBe('421 this Larder does not know evil.example as its own name');
    expect(await play(fixture, { host: 'a b' })).toStartWith('421');
    for (const host of ['192.168.1.5:8420', '[fd00::5]', 'localhost', 'nas', 'tv.local', 'nas.lan', 'nas.home.arpa']) {
      expect([host, await play(fixture, { host })]).toEqual([host, 'open']);
    }
    expect(await play(fixture, { host: 'attic.example.org' })).toBe('open'); // the machine's own
    // What is shown opens it under any name: a page of somebody else's has none of it.
    expect(await play(fixture, { ...strange, cookie })).toBe('session');
    expect(await play(fixture, strange, `token=${stream}`)).toBe('token');
    const query = fixture.access.signatures.sign(PATH, by).split('?')[1]!;
    expect(await play(fixture, strange, query)).toBe('address');
    // HTTP/1.0 has no Host, and no browser speaks it.
    const facts = { headers: {}, remoteAddress: AT_HOME, isEncrypted: false, path: PATH, query: '' };
    expect(await fixture.access.control.mayPlay(facts)).toEqual({ may: true, by: null });
    fixture.settings.allowedHosts = ['evil.example'];
    expect(await play(fixture, strange)).toBe('open');
    fixture.settings.allowedHosts = [];
    expect(await play(fixture, strange)).toStartWith('421');
    fixture.settings.streamAccess = 'all';
    expect(await play(fixture, strange)).toBe('open');
  });

  test('carriers’ networks and addresses that carry another are no home network', async () => {
    const { fixture } = await prepared();
    await using _ = fixture;
    for (const address of ['100.64.0.7', '64:ff9b::c0a8:114', '2002:c0a8:114::1']) {
      expect([address, await play(fixture, {}, '', address)]).toEqual([
        address,
        '401 streams are open to private networks only',
      ]);
    }
    for (const address of ['::ffff:192.168.1.20', 'fd00::1', 'fe80::1%eth0', '169.254.1.1', '127.0.0.1']) {
      expect([address, await play(fixture, {}, '', address)]).toEqual([address, 'open']);
    }
  });

  test('a peer that forwards without being trusted is named once', async () => {
    const { fixture } = await prepared();
    await using _ = fixture;
    for (let index = 0; index < 3; index++) await play(fixture, { 'x-forwarded-for': '1.2.3.4' });
    expect(fixture.log.filter((line) => line.includes('LARDER_TRUSTED_PROXIES'))).toHaveLength(1);
    expect(fixture.access.control.forwarding()).toEqual({
      trustedProxies: [],
      untrusted: { address: AT_HOME, atMs: fixture.clock.nowMs() },
      trustedAtMs: null,
    });
    fixture.settings.trustedProxies = [AT_HOME];
    await play(fixture);
    expect(fixture.access.control.forwarding()).toMatchObject({ untrusted: null, trustedAtMs: null });
    await play(fixture, { 'x-forwarded-for': '192.168.1.77' });
    expect(fixture.access.control.forwarding()).toMatchObject({ untrusted: null, trustedAtMs: fixture.clock.nowMs() });
  });
});

describe('AccessControl.identify()', () => {
  test('a cookie or a bearer token says who it is; a wrong token is nobody, whatever the cookie says', async () => {
    const { fixture, cookie, viewer } = await prepared();
    await using _ = fixture;
    const { control } = fixture.access;
    const identify = (headers: Headers) => {
      const request = { method: 'GET', headers, remoteAddress: AT_HOME, isEncrypted: false };
      return control.identify(request, control.clientOf(request));
    };
    expect(await identify({ cookie })).toMatchObject({ kind: 'session', userName: 'Jane', role: 'viewer' });
    expect(await identify({ authorization: `bearer ${viewer}` })).toMatchObject({ kind: 'token', scope: 'viewer' });
    expect(await identify({ cookie, authorization: 'Bearer larder_wrong' })).toEqual({ kind: 'nobody' });
    expect(await identify(basic('x', viewer))).toEqual({ kind: 'nobody' });
    expect(await identify({})).toEqual({ kind: 'nobody' });
  });

  test('requests that change something must be ours, unless they bear a token', async () => {
    const { fixture, cookie } = await prepared();
    await using _ = fixture;
    const { control } = fixture.access;
    const refusal = (method: string, headers: Headers) => {
      const request = { method, headers: { host: 'nas', ...headers }, remoteAddress: AT_HOME, isEncrypted: false };
      return control.refusalOf(request, control.clientOf(request));
    };
    expect(refusal('GET', { cookie, 'sec-fetch-site': 'cross-site' })).toBeNull();
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
      expect(refusal(method, { cookie })).not.toBeNull();
      expect(refusal(method, { 'sec-fetch-site': 'cross-site' })).not.toBeNull();
      expect(refusal(method, { cookie, origin: 'http://nas' })).toBeNull();
      expect(refusal(method, { cookie, authorization: 'Bearer larder_x' })).toBeNull();
    }
  });
});

describe('SignedAddresses', () => {
  const clock = new FakeClock();
  const by: Signer = { kind: 'user', id: 5, sinceMs: 7 };
  const signaturesOf = (key: number, sinceMs = 7) =>
    new SignedAddresses({
      key: new Uint8Array(32).fill(key),
      find: async (kind, id) => (kind === by.kind && id === by.id ? { sinceMs, expiresAtMs: null } : null),
      version: { current: 1, look: async () => undefined },
      clock,
    });
  const signatures = signaturesOf(1);
  const check = async (path: string, query: URLSearchParams, of = signatures) => (await of.check(path, query)).state;

  test('check() takes what sign() made, however a player spells the path', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 4 }), async (segments) => {
        const path = `/s/${segments.map(encodeURIComponent).join('/')}`;
        const [, query] = signatures.sign(path, by).split('?');
        expect(await check(path, new URLSearchParams(query))).toBe('good');
        const spelled = `/s/${segments.map((segment) => encodeURIComponent(segment).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)).join('/')}`;
        expect(await check(spelled, new URLSearchParams(query))).toBe('good');
        expect(await check(`${path}x`, new URLSearchParams(query))).toBe('wrong');
      }),
    );
  });

  test('check() refuses another key, another time and what is cut, and no time is longer than a month', async () => {
    const query = new URLSearchParams(signatures.sign(PATH, by, 10 ** 15).split('?')[1]);
    expect(Number(query.get('expires')) * 1_000 - clock.nowMs()).toBeLessThanOrEqual(30 * 86_400_000);
    expect(await check(PATH, query, signaturesOf(2))).toBe('wrong');
    expect(await check(PATH, query, signaturesOf(1, 8))).toBe('wrong');
    for (const [name, value] of [
      ['expires', '99999999999'],
      ['expires', 'NaN'],
      ['by', 'user-6'],
      ['by', 'token-5'],
      ['by', 'nobody'],
      ['signature', ''],
      ['signature', query.get('signature')!.slice(0, -4)],
    ] as const) {
      const altered = new URLSearchParams(query);
      altered.set(name, value);
      expect(await check(PATH, altered)).toBe('wrong');
    }
    expect(await check(PATH, new URLSearchParams('expires=5'))).toBe('none');
    expect(await check(PATH, new URLSearchParams())).toBe('none');
  });
});
