import { describe, expect, test } from 'bun:test';
import { openAccess } from '../../support/access.ts';
import { turnLoop } from '../../support/fake-clock.ts';

const DAY_MS = 86_400_000;
const from = { device: 'Firefox on Linux', address: '192.168.1.20' };

async function withUser() {
  const fixture = await openAccess();
  const user = await fixture.access.users.create({ name: 'Jane', role: 'owner', password: 'four words long' }, 'Test');
  return { fixture, user, ...fixture.access };
}

describe('Sessions', () => {
  test('a session is found by its secret only, and the secret is not in the database', async () => {
    const { fixture, sessions, user } = await withUser();
    await using _ = fixture;
    const secret = await sessions.open(user.id, from);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    expect(await sessions.find(secret, from.address)).toMatchObject({ userName: 'Jane', role: 'owner', ...from });
    expect(await sessions.find(`${secret}x`, from.address)).toBeNull();
    expect(await sessions.find('', from.address)).toBeNull();
    expect(JSON.stringify(await fixture.cache.rows('SELECT * FROM sessions'))).not.toContain(secret);
  });

  test('a session that is in use costs no statement but one look every two seconds', async () => {
    const { fixture, sessions, user } = await withUser();
    await using _ = fixture;
    const secret = await sessions.open(user.id, from);
    await sessions.find(secret, from.address);
    const before = fixture.statements();
    for (let request = 0; request < 100; request++) await sessions.find(secret, from.address);
    expect(fixture.statements()).toBe(before);
    fixture.clock.advance(2_000);
    for (let request = 0; request < 100; request++) await sessions.find(secret, from.address);
    expect(fixture.statements()).toBe(before + 1);
  });

  test('last use and address are written at most once a minute', async () => {
    const { fixture, sessions, user } = await withUser();
    await using _ = fixture;
    const secret = await sessions.open(user.id, from);
    const writes = () => fixture.cache.rows('SELECT last_seen_at, address FROM sessions');
    const [opened] = await writes();
    fixture.clock.advance(59_000);
    await sessions.find(secret, '10.0.0.9');
    expect(await writes()).toEqual([opened!]);
    fixture.clock.advance(1_000);
    expect(await sessions.find(secret, '10.0.0.9')).toMatchObject({ address: '10.0.0.9' });
    await turnLoop();
    expect(await writes()).toEqual([{ last_seen_at: fixture.clock.nowMs(), address: '10.0.0.9' }]);
  });

  test('a session ends after a month without use, and after half a year of daily use', async () => {
    const { fixture, sessions, user } = await withUser();
    await using _ = fixture;
    const idle = await sessions.open(user.id, from);
    fixture.clock.advance(30 * DAY_MS);
    expect(await sessions.find(idle, from.address)).not.toBeNull();
    fixture.clock.advance(30 * DAY_MS + 1);
    expect(await sessions.find(idle, from.address)).toBeNull();
    const used = await sessions.open(user.id, from);
    for (let day = 0; day < 180; day++) {
      fixture.clock.advance(DAY_MS);
      expect([day, await sessions.find(used, from.address)]).not.toEqual([day, null]);
    }
    fixture.clock.advance(1);
    expect(await sessions.find(used, from.address)).toBeNull();
    sessions.start();
    await fixture.clock.run(1);
    expect(await fixture.cache.rows('SELECT count(*) AS n FROM sessions')).toEqual([{ n: 0 }]);
  });

  test('a session that is ended here is over at once, and who watches it is told once', async () => {
    const { fixture, sessions, user } = await withUser();
    await using _ = fixture;
    const secret = await sessions.open(user.id, from);
    const other = await sessions.open(user.id, from);
    const { id } = (await sessions.find(secret, from.address))!;
    const kept = (await sessions.find(other, from.address))!;
    const told: string[] = [];
    sessions.watch(id, () => told.push('ended'));
    sessions.watch(id, () => told.push('ended too'));
    const stop = sessions.watch(id, () => told.push('not any more'));
    sessions.watch(kept.id, () => told.push('kept'));
    stop();
    stop();
    await turnLoop();
    expect(await sessions.end(id)).toBe(true);
    expect(await sessions.find(secret, from.address)).toBeNull();
    expect(await sessions.find(other, from.address)).not.toBeNull();
    await turnLoop();
    expect(told.toSorted()).toEqual(['ended', 'ended too']);
    expect(await sessions.end(id)).toBe(false);
    // The one that is left is still looked after, and nobody else.
    expect(fixture.clock.pendingCount).toBe(1);
    await sessions.endAll(null);
    await turnLoop();
    expect(told).toContain('kept');
    expect(fixture.clock.pendingCount).toBe(0);
  });

  test('who watches a session or a token is told when its time is over', async () => {
    const { fixture, sessions, tokens, user } = await withUser();
    await using _ = fixture;
    const told: string[] = [];
    const secret = await sessions.open(user.id, from);
    const request = { name: 'x', scope: 'stream', userId: null, by: 'Test' } as const;
    const { token } = await tokens.create({ ...request, lifetimeMs: 60_000 });
    const { token: lasting } = await tokens.create({ ...request, lifetimeMs: null });
    const { id } = (await sessions.find(secret, from.address))!;
    const lastSeenAt = fixture.clock.nowMs() - 30 * DAY_MS + 90_000;
    await fixture.cache.rows(`UPDATE sessions SET last_seen_at = ${lastSeenAt}`);
    sessions.watch(id, () => told.push('session'));
    tokens.watch(token.id, () => told.push('token'));
    tokens.watch(lasting.id, () => told.push('lasting token'));
    await fixture.clock.run(59_000);
    expect(told).toEqual([]);
    await fixture.clock.run(3_000);
    expect(told).toEqual(['token']);
    await fixture.clock.run(28_000);
    expect(told).toEqual(['token']);
    await fixture.clock.run(4_000);
    expect(told).toEqual(['token', 'session']);
  });

  test('watching a session that is over already tells at once', async () => {
    const { fixture, sessions } = await withUser();
    await using _ = fixture;
    const told: string[] = [];
    sessions.watch(99, () => told.push('ended'));
    await turnLoop();
    expect(told).toEqual(['ended']);
  });

  test('another process that ends a session is heard of within two seconds, also by who waits', async () => {
    const { fixture, sessions, user } = await withUser();
    await using _ = fixture;
    await using beside = await fixture.beside();
    const secret = await sessions.open(user.id, from);
    const { id } = (await sessions.find(secret, from.address))!;
    const told: string[] = [];
    sessions.watch(id, () => told.push('ended'));
    await turnLoop();
    await beside.access.users.setPassword(user.id, 'another good one', 'Test');
    expect(await sessions.find(secret, from.address)).not.toBeNull();
    await fixture.clock.run(2_000);
    expect(told).toEqual(['ended']);
    expect(await sessions.find(secret, from.address)).toBeNull();
  });

  test('a session that ends while it is being looked up is not remembered', async () => {
    const { fixture, sessions, user } = await withUser();
    await using _ = fixture;
    const secret = await sessions.open(user.id, from);
    const [found] = await Promise.all([sessions.find(secret, from.address), sessions.endAll(null)]);
    void found; // it may have come before or after
    expect(await sessions.find(secret, from.address)).toBeNull();
  });

  test('lists are by last use, in pages, and of one user where asked', async () => {
    const { fixture, sessions, users, user } = await withUser();
    await using _ = fixture;
    const joe = await users.create({ name: 'Joe', role: 'viewer', password: 'four words long' }, 'Test');
    for (let index = 0; index < 5; index++) {
      await sessions.open(index % 2 === 0 ? user.id : joe.id, { device: `d${index}`, address: '::1' });
      fixture.clock.advance(1_000);
    }
    const first = await sessions.list(null, 3);
    const rest = await sessions.list(null, 3, first.at(-1)!);
    expect([...first, ...rest].map(({ device }) => device)).toEqual(['d4', 'd3', 'd2', 'd1', 'd0']);
    expect((await sessions.list(joe.id, 9)).map(({ device }) => device)).toEqual(['d3', 'd1']);
    expect(await sessions.endAllOf(user.id, first[0]!.id)).toBe(2);
    expect(await sessions.endAll(first[0]!.id)).toBe(2);
  });
});

describe('Tokens', () => {
  test('a token is found by all of it, its digest is kept, its first letters are shown', async () => {
    const { fixture, tokens, user } = await withUser();
    await using _ = fixture;
    const { secret, token } = await tokens.create({
      name: '',
      scope: 'stream',
      userId: user.id,
      lifetimeMs: null,
      by: 'Test',
    });
    expect(secret).toMatch(/^larder_[\w-]{43}$/);
    expect(token).toMatchObject({ name: 'stream token', scope: 'stream', userName: 'Jane', lastUsedAt: null });
    expect(secret).toStartWith(token.prefix);
    expect(token.prefix.length).toBeLessThan(16);
    expect(await tokens.find(secret)).toMatchObject({ id: token.id });
    for (const wrong of [secret.slice(0, -1), `${secret}A`, secret.slice(7), token.prefix, '']) {
      expect(await tokens.find(wrong)).toBeNull();
    }
    expect(JSON.stringify(await fixture.cache.rows('SELECT * FROM tokens'))).not.toContain(secret.slice(7));
    expect(JSON.stringify(await tokens.list(10))).not.toContain('digest');
  });

  test('a token is over when its time is, and at once when it is revoked, here or elsewhere', async () => {
    const { fixture, tokens } = await withUser();
    await using _ = fixture;
    const made = await tokens.create({ name: 'CI', scope: 'admin', userId: null, lifetimeMs: DAY_MS, by: 'Test' });
    fixture.clock.advance(DAY_MS - 1);
    expect(await tokens.find(made.secret)).not.toBeNull();
    fixture.clock.advance(1);
    expect(await tokens.find(made.secret)).toBeNull();
    const here = await tokens.create({ name: 'a', scope: 'admin', userId: null, lifetimeMs: null, by: 'Test' });
    expect(await tokens.find(here.secret)).not.toBeNull();
    expect(await tokens.revoke(here.token.id, 'Test')).toMatchObject({ name: 'a' });
    expect(await tokens.find(here.secret)).toBeNull();
    expect(await tokens.revoke(here.token.id, 'Test')).toBeNull();
    const there = await tokens.create({ name: 'b', scope: 'admin', userId: null, lifetimeMs: null, by: 'Test' });
    expect(await tokens.find(there.secret)).not.toBeNull();
    const told: string[] = [];
    tokens.watch(there.token.id, () => told.push('revoked'));
    await using beside = await fixture.beside();
    await beside.access.tokens.revoke(there.token.id, 'Test');
    await fixture.clock.run(2_000);
    expect(told).toEqual(['revoked']);
    expect(await tokens.find(there.secret)).toBeNull();
  });

  test('last use is written once a minute and at the stop, and shown at once', async () => {
    const { fixture, tokens } = await withUser();
    await using _ = fixture;
    const { secret, token } = await tokens.create({
      name: 'a',
      scope: 'admin',
      userId: null,
      lifetimeMs: null,
      by: 'Test',
    });
    const written = async () => (await fixture.cache.rows('SELECT last_used_at FROM tokens'))[0]!.last_used_at;
    await tokens.find(secret);
    const usedAt = fixture.clock.nowMs();
    expect(await written()).toBeNull();
    expect((await tokens.get(token.id))!.lastUsedAt).toBe(usedAt);
    await fixture.clock.run(60_000);
    expect(await written()).toBe(usedAt);
    await tokens.find(secret);
    await tokens.stop();
    expect(await written()).toBe(usedAt + 60_000);
  });

  test('somebody else’s token is not revoked by who may only revoke their own', async () => {
    const { fixture, tokens, user } = await withUser();
    await using _ = fixture;
    const { token } = await tokens.create({
      name: 'a',
      scope: 'stream',
      userId: user.id,
      lifetimeMs: null,
      by: 'Test',
    });
    expect(await tokens.revoke(token.id, 'Test', user.id + 1)).toBeNull();
    expect(await tokens.revoke(token.id, 'Test', user.id)).not.toBeNull();
  });

  test('names and times that cannot be taken are refused', async () => {
    const { fixture, tokens } = await withUser();
    await using _ = fixture;
    for (const request of [{ name: 'a\nb' }, { name: 'x'.repeat(65) }, { lifetimeMs: 0 }, { lifetimeMs: Number.NaN }]) {
      const create = tokens.create({
        name: 'a',
        scope: 'admin',
        userId: null,
        lifetimeMs: null,
        by: 'Test',
        ...request,
      });
      await expect(create).rejects.toMatchObject({ code: 'invalid' });
    }
  });
});
