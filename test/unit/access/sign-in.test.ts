import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readCode } from '../../../src/access/first-owner.ts';
import { lineOf } from '../../../src/access/sign-in.ts';
import { Throttle } from '../../../src/access/throttle.ts';
import { LarderError } from '../../../src/errors.ts';
import { type AccessFixture, openAccess } from '../../support/access.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const password = 'four words long';

async function withOwner(): Promise<AccessFixture> {
  const fixture = await openAccess();
  await fixture.access.users.create({ name: 'Jane', role: 'owner', password }, 'Test');
  return fixture;
}

function attempt(fixture: AccessFixture, request: Partial<Parameters<AccessFixture['access']['signIn']['signIn']>[0]>) {
  const home = { name: 'jane', password, address: '192.168.1.20', isPrivate: true, device: 'Firefox' };
  return fixture.access.signIn.signIn({ ...home, ...request });
}

/** What a try came to: `ok`, or the error's code and how long to wait in seconds. */
async function outcome(fixture: AccessFixture, request: Parameters<typeof attempt>[1]): Promise<string> {
  try {
    await attempt(fixture, request);
    return 'ok';
  } catch (error) {
    if (!(error instanceof LarderError)) throw error;
    return error.retryAfterMs === undefined ? error.code : `${error.code} ${Math.ceil(error.retryAfterMs / 1_000)}`;
  }
}

describe('SignIn', () => {
  test('the right name and password open a session; the name in any case', async () => {
    await using fixture = await withOwner();
    const { secret, userName, role } = await attempt(fixture, { name: ' JANE ' });
    expect([userName, role]).toEqual(['Jane', 'owner']);
    expect(await fixture.access.sessions.find(secret, '::1')).toMatchObject({ device: 'Firefox' });
    expect((await fixture.access.users.findByName('jane'))!.lastSignInAt).toBe(fixture.clock.nowMs());
  });

  test('a wrong password and an unknown name get the same words, and each costs one check', async () => {
    await using fixture = await withOwner();
    const messages: string[] = [];
    for (const request of [{ password: 'wrong' }, { name: 'nobody' }]) {
      const before = fixture.checks();
      await attempt(fixture, request).catch((error: LarderError) => messages.push(`${error.message} ${error.hint}`));
      expect(fixture.checks()).toBe(before + 1);
    }
    expect(new Set(messages).size).toBe(1);
  });

  test('failed tries are logged in one stable form, without what may be a password', async () => {
    await using fixture = await withOwner();
    await outcome(fixture, { password: 'wrong' });
    await outcome(fixture, { name: 'hunter2', address: '203.0.113.7' });
    const lines = fixture.log.filter((line) => line.includes('sign-in failed')).map((line) => line.slice(25));
    expect(lines).toEqual([
      'level=warning msg="sign-in failed" address=192.168.1.20 user=Jane',
      'level=warning msg="sign-in failed" address=203.0.113.7 user=unknown',
    ]);
    expect(fixture.log.join()).not.toMatch(/hunter2|wrong/);
  });

  test('guessing is slowed down more and more, up to a limit, and the right password clears it', async () => {
    await using fixture = await withOwner();
    const wrong = () => outcome(fixture, { password: 'wrong' });
    for (let free = 0; free < 3; free++) expect(await wrong()).toBe('sign-in');
    expect(await wrong()).toBe('throttled 1');
    expect(await outcome(fixture, {})).toBe('throttled 1');
    const waits: number[] = [];
    for (let tries = 0; tries < 14; tries++) {
      const wait = Number((await wrong()).split(' ')[1]);
      waits.push(wait);
      fixture.clock.advance(wait * 1_000);
      expect(await wrong()).toBe('sign-in');
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60, 60, 60]);
    fixture.clock.advance(60_000);
    expect(await outcome(fixture, {})).toBe('ok');
    for (let free = 0; free < 3; free++) expect(await wrong()).toBe('sign-in');
  });

  test('a thousand tries at the same time are three', async () => {
    await using fixture = await withOwner();
    const before = fixture.checks();
    const tries = Array.from({ length: 1_000 }, () => outcome(fixture, { password: 'wrong' }));
    const results = await Promise.all(tries);
    expect(results.filter((result) => result === 'sign-in')).toHaveLength(3);
    expect(fixture.checks()).toBe(before + 3);
  });

  test('an account that is guessed at from everywhere waits a minute at most, and at home not at all', async () => {
    await using fixture = await withOwner();
    for (let tries = 0; tries < 40; tries++) {
      const request = { password: 'wrong', address: `203.0.113.${tries}`, isPrivate: false };
      const result = await outcome(fixture, request);
      const wait = Number(result.split(' ')[1] ?? 0);
      expect(wait).toBeLessThanOrEqual(60);
      fixture.clock.advance(wait * 1_000);
    }
    expect(await outcome(fixture, {})).toBe('ok');
    fixture.clock.advance(60_000);
    expect(await outcome(fixture, { address: '198.51.100.1', isPrivate: false })).toBe('ok');
  });

  test('a line with a /64 of its own is one address', async () => {
    expect(lineOf('2001:db8:1:2:3:4:5:6')).toBe(lineOf('2001:db8:1:2::1'));
    expect(lineOf('2001:db8:1:2::1')).not.toBe(lineOf('2001:db8:1:3::1'));
    expect(lineOf('::ffff:10.0.0.1')).toBe('10.0.0.1');
    expect(lineOf('')).toBe('');
    await using fixture = await withOwner();
    for (let tries = 0; tries < 3; tries++) {
      await outcome(fixture, { name: `n${tries}`, address: `2001:db8::${tries}`, isPrivate: false });
    }
    expect(await outcome(fixture, { name: 'n9', address: '2001:db8::9', isPrivate: false })).toBe('throttled 1');
  });

  test('a password that was hashed in an older way is hashed anew', async () => {
    await using fixture = await withOwner();
    await fixture.cache.rows("UPDATE users SET password_hash = replace(password_hash, 'plain ', 'old ')");
    expect(await outcome(fixture, {})).toBe('ok');
    expect(await fixture.cache.rows('SELECT password_hash FROM users')).toEqual([
      { password_hash: `plain ${[...password].reverse().join('')}` },
    ]);
  });
});

describe('a password or role that changes while a sign-in is being looked at', () => {
  for (const [what, change] of [
    [
      'password',
      (beside: AccessFixture, id: number) => beside.access.users.setPassword(id, 'another good one', 'Test'),
    ],
    ['role', (beside: AccessFixture, id: number) => beside.access.users.setRole(id, 'viewer', 'Test')],
    ['user, who is removed,', (beside: AccessFixture, id: number) => beside.access.users.remove(id, 'Test')],
  ] as const) {
    test(`the ${what} opens no session`, async () => {
      await using fixture = await withOwner();
      await using beside = await fixture.beside();
      const { users } = fixture.access;
      await users.create({ name: 'Joe', role: 'owner', password }, 'Test');
      const jane = (await users.findByName('jane'))!;
      fixture.meanwhile(() => change(beside, jane.id));
      expect(await outcome(fixture, {})).toBe('sign-in');
      expect(await fixture.cache.rows('SELECT * FROM sessions')).toEqual([]);
      expect(fixture.log.join()).not.toContain('signed in');
    });
  }

  test('an old password that is being checked is not set over a new one', async () => {
    await using fixture = await withOwner();
    await using beside = await fixture.beside();
    const { users } = fixture.access;
    const { id } = (await users.findByName('jane'))!;
    fixture.meanwhile(() => beside.access.users.setPassword(id, 'another good one', 'Test'));
    const change = users.changePassword(id, { current: password, next: 'what a thief wants', sessionId: null });
    await expect(change).rejects.toMatchObject({ code: 'sign-in' });
    expect(await outcome(fixture, { password: 'another good one' })).toBe('ok');
  });
});

describe('Throttle', () => {
  test('it remembers ten thousand keys and no more, and forgets after a day', () => {
    const clock = new FakeClock();
    const throttle = new Throttle(clock, 60_000);
    for (let index = 0; index < 11_000; index++) throttle.note(`k${index}`);
    expect(throttle.size).toBe(10_000);
    for (let tries = 0; tries < 10; tries++) throttle.note('a');
    expect(throttle.waitOf('a')).toBe(60_000);
    clock.advance(86_400_001);
    throttle.note('a');
    expect(throttle.waitOf('a')).toBe(0);
  });
});

describe('FirstOwner', () => {
  const claim = { name: 'Jane', password, address: '192.168.1.20' };

  test('the code is of 80 bits, in a file for its owner only, and stays until it is used', async () => {
    await using fixture = await openAccess();
    const { firstOwner } = fixture.access;
    const code = (await firstOwner.code())!;
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
    const file = join(fixture.cache.folder, 'setup-code');
    expect(await readFile(file, 'utf8')).toBe(`${code}\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await using again = await fixture.beside();
    expect(await again.access.firstOwner.code()).toBe(code);
    await firstOwner.claim({ ...claim, code: code.toLowerCase().replaceAll('-', ' ') });
    expect(existsSync(file)).toBe(false);
    expect([await firstOwner.code(), await again.access.firstOwner.code()]).toEqual([null, null]);
  });

  test('a code is read as people type it', () => {
    expect(readCode(' abcd-Efgh jkO0 1Il9')).toBe('ABCDEFGHJK001119');
  });

  test('a damaged file is replaced, and a folder that takes none keeps nobody out', async () => {
    await using fixture = await openAccess();
    await writeFile(join(fixture.cache.folder, 'setup-code'), 'x');
    expect(await fixture.access.firstOwner.code()).toHaveLength(19);
  });

  test('wrong codes are looked at five times a minute; the right one always', async () => {
    await using fixture = await openAccess();
    const { firstOwner } = fixture.access;
    const code = (await firstOwner.code())!;
    const tries = async (text: string, address = claim.address) =>
      firstOwner.claim({ ...claim, address, code: text }).then(
        () => 'claimed',
        (error: LarderError) => error.code,
      );
    for (const wrong of ['', 'x', 'AAAA-AAAA-AAAA-AAAA', `${code}0`, code.slice(1)]) {
      expect(await tries(wrong)).toBe('sign-in');
    }
    expect(await tries('x')).toBe('throttled');
    expect(await tries('x', '192.168.1.21')).toBe('sign-in');
    for (let index = 0; index < 100; index++) await tries('x', `10.0.0.${index}`);
    expect(await tries('x', '192.168.1.22')).toBe('throttled');
    expect(await tries(code)).toBe('claimed');
    expect(await tries(code)).toBe('conflict');
  });

  test('of two who claim at once one becomes the owner', async () => {
    await using fixture = await openAccess();
    const { firstOwner, users } = fixture.access;
    const code = (await firstOwner.code())!;
    const results = await Promise.allSettled(
      ['Jane', 'Joe'].map((name, index) => firstOwner.claim({ ...claim, name, code, address: `10.0.0.${index}` })),
    );
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await users.list(5)).toHaveLength(1);
  });

  test('a name or password that cannot be taken leaves the code as it is', async () => {
    await using fixture = await openAccess();
    const { firstOwner } = fixture.access;
    const code = (await firstOwner.code())!;
    await expect(firstOwner.claim({ ...claim, code, password: 'short' })).rejects.toMatchObject({ code: 'invalid' });
    await expect(firstOwner.claim({ ...claim, code, name: '' })).rejects.toMatchObject({ code: 'invalid' });
    expect(await firstOwner.code()).toBe(code);
    expect(await firstOwner.claim({ ...claim, code })).toMatchObject({ name: 'Jane', role: 'owner' });
  });

  test('an owner named outside is made once, and the code goes', async () => {
    await using fixture = await openAccess();
    const { firstOwner, users, signIn } = fixture.access;
    await firstOwner.code();
    await firstOwner.seed('admin', '');
    expect(await firstOwner.isClaimed()).toBe(false);
    await firstOwner.seed('admin', 'secret');
    await firstOwner.seed('other', 'another good one');
    expect((await users.list(5)).map(({ name, role }) => [name, role])).toEqual([['admin', 'owner']]);
    expect(await firstOwner.code()).toBeNull();
    expect(existsSync(join(fixture.cache.folder, 'setup-code'))).toBe(false);
    const home = { address: '::1', isPrivate: true, device: 'x' };
    expect(await signIn.signIn({ name: 'admin', password: 'secret', ...home })).toMatchObject({ role: 'owner' });
    expect(fixture.log.join()).toContain('easy to guess');
    expect(fixture.log.join()).not.toContain('secret');
  });
});
