import { describe, expect, test } from 'bun:test';
import { readPreferences } from '../../../src/access/caller.ts';
import { openAccess } from '../../support/access.ts';

const password = 'four words long';
const from = { device: 'x', address: '::1' };

describe('Users', () => {
  test('a name is taken once, whatever its case and spelling', async () => {
    await using fixture = await openAccess();
    const { users } = fixture.access;
    expect(await users.create({ name: ' Zoë ', role: 'owner', password }, 'Test')).toMatchObject({ name: 'Zoë' });
    for (const name of ['zoë', 'ZOË', 'Zoe\u0308', ' zoë']) {
      await expect(users.create({ name, role: 'viewer', password }, 'Test')).rejects.toMatchObject({
        code: 'conflict',
      });
    }
    expect(await users.findByName('ZOE\u0308')).toMatchObject({ name: 'Zoë' });
    expect(await users.list(10)).toHaveLength(1);
  });

  test('names that nobody could type or tell apart are refused', async () => {
    await using fixture = await openAccess();
    for (const name of ['', '  ', 'x'.repeat(65), 'a:b', 'a\nb', 'a\u200bb']) {
      const create = fixture.access.users.create({ name, role: 'owner', password }, 'Test');
      await expect(create).rejects.toMatchObject({ code: 'invalid' });
    }
  });

  test('no answer holds a password or its hash', async () => {
    await using fixture = await openAccess();
    const user = await fixture.access.users.create({ name: 'Jane', role: 'owner', password }, 'Test');
    expect(JSON.stringify([user, await fixture.access.users.list(5)])).not.toMatch(/hash|gnol/i);
  });

  test('the last owner can neither go nor become a viewer, also not two at once', async () => {
    await using fixture = await openAccess();
    const { users } = fixture.access;
    const jane = await users.create({ name: 'Jane', role: 'owner', password }, 'Test');
    const joe = await users.create({ name: 'Joe', role: 'owner', password }, 'Test');
    const results = await Promise.allSettled([
      users.setRole(jane.id, 'viewer', 'Test'),
      users.setRole(joe.id, 'viewer', 'Test'),
    ]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const [owner] = (await users.list(5)).filter(({ role }) => role === 'owner');
    await expect(users.remove(owner!.id, 'Test')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('only owner'),
    });
    await expect(users.setRole(owner!.id, 'viewer', 'Test')).rejects.toMatchObject({ code: 'conflict' });
    expect(await users.setRole(owner!.id, 'owner', 'Test')).toMatchObject({ role: 'owner' });
    await expect(users.remove(999, 'Test')).rejects.toMatchObject({ code: 'missing' });
  });

  test('who is removed is signed out, and so are their tokens', async () => {
    await using fixture = await openAccess();
    const { users, sessions, tokens } = fixture.access;
    await users.create({ name: 'Jane', role: 'owner', password }, 'Test');
    const joe = await users.create({ name: 'Joe', role: 'owner', password }, 'Test');
    const secret = await sessions.open(joe.id, from);
    const { secret: token } = await tokens.create({
      name: '',
      scope: 'admin',
      userId: joe.id,
      lifetimeMs: null,
      by: 'Test',
    });
    expect(await sessions.find(secret, '::1')).not.toBeNull();
    expect(await tokens.find(token)).not.toBeNull();
    await users.remove(joe.id, 'Test');
    expect(await sessions.find(secret, '::1')).toBeNull();
    expect(await tokens.find(token)).toBeNull();
  });

  test('a new role ends the sessions of the old one, and tokens that may do more than it', async () => {
    await using fixture = await openAccess();
    const { users, sessions, tokens } = fixture.access;
    await users.create({ name: 'Jane', role: 'owner', password }, 'Test');
    const joe = await users.create({ name: 'Joe', role: 'owner', password }, 'Test');
    const make = (scope: 'admin' | 'stream') =>
      tokens.create({ name: '', scope, userId: joe.id, lifetimeMs: null, by: 'Test' });
    const [admin, stream] = [await make('admin'), await make('stream')];
    const secret = await sessions.open(joe.id, from);
    await users.setRole(joe.id, 'owner', 'Test');
    expect(await sessions.find(secret, '::1')).not.toBeNull();
    await users.setRole(joe.id, 'viewer', 'Test');
    expect(await sessions.find(secret, '::1')).toBeNull();
    expect(await tokens.find(admin.secret)).toBeNull();
    expect(await tokens.find(stream.secret)).not.toBeNull();
  });

  test('a new password ends every session but the one it was changed in', async () => {
    await using fixture = await openAccess();
    const { users, sessions } = fixture.access;
    const jane = await users.create({ name: 'Jane', role: 'owner', password }, 'Test');
    const [here, there] = [await sessions.open(jane.id, from), await sessions.open(jane.id, from)];
    const { id: sessionId } = (await sessions.find(here, '::1'))!;
    const change = (current: string, next: string) => users.changePassword(jane.id, { current, next, sessionId });
    await expect(change('wrong', 'another good one')).rejects.toMatchObject({ code: 'sign-in' });
    await expect(change(password, 'short')).rejects.toMatchObject({ code: 'invalid' });
    expect(await sessions.find(there, '::1')).not.toBeNull();
    await change(password, 'another good one');
    expect(await sessions.find(here, '::1')).not.toBeNull();
    expect(await sessions.find(there, '::1')).toBeNull();
    await users.setPassword(jane.id, password, 'Test');
    expect(await sessions.find(here, '::1')).toBeNull();
  });

  test('preferences are kept, and what a session knows of them is fresh', async () => {
    await using fixture = await openAccess();
    const { users, sessions } = fixture.access;
    const jane = await users.create({ name: 'Jane', role: 'owner', password }, 'Test');
    const secret = await sessions.open(jane.id, from);
    expect(jane.preferences).toEqual({ theme: 'auto', shortcuts: true, maxHeight: null });
    await sessions.find(secret, '::1');
    await users.setPreferences(jane.id, { shortcuts: false });
    await users.setPreferences(jane.id, { theme: 'dark', maxHeight: 720 });
    const session = (await sessions.find(secret, '::1'))!;
    expect(readPreferences(session.preferences)).toEqual({ theme: 'dark', shortcuts: false, maxHeight: 720 });
  });

  test('readPreferences() gives what it can read, and defaults for the rest', () => {
    for (const text of ['', 'null', '7', '{"theme":"pink","shortcuts":1,"maxHeight":"x"}', '{']) {
      expect(readPreferences(text)).toEqual({ theme: 'auto', shortcuts: true, maxHeight: null });
    }
  });
});
