import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { connect } from '../../../src/db/database.ts';
import { commandLine } from '../../support/command-line.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

async function folderOf() {
  const folder = await temporaryFolder();
  const run = (...args: string[]) => commandLine(['token', ...args, '--data', folder.path]);
  return { folder, run };
}

describe('larder token', () => {
  test('create prints the token and nothing else, list shows it without its secret, revoke ends it', async () => {
    const { folder, run } = await folderOf();
    await using _ = folder;
    const made = await run('create', '--scope', 'admin', '--name', 'CI script');
    expect(made).toMatchObject({ code: 0, complained: [] });
    expect(made.printed).toHaveLength(1);
    const [secret] = made.printed;
    expect(secret).toMatch(/^larder_[\w-]{43}$/);
    await run('create', '--scope=stream', '--expires=90d');
    const list = (await run('list')).printed.join('\n');
    expect(list).toMatch(/1 +larder_\S{6}… +admin +never +no end +- +CI script/);
    expect(list).toMatch(/2 +larder_\S{6}… +stream/);
    expect(list).not.toContain(secret!);
    expect(await run('revoke', '2')).toMatchObject({ code: 0 });
    expect(await run('revoke', secret!)).toMatchObject({ code: 0 });
    expect((await run('list')).printed).toEqual(['there are no tokens; larder token create makes one']);
    const gone = await run('revoke', secret!);
    expect(gone.code).toBe(1);
    expect(gone.complained.join()).not.toContain(secret!);
  });

  for (const [what, args, words] of [
    ['no verb', [], /needs a verb .*create, list, revoke/],
    ['another verb', ['make'], /no "token make"/],
    ['no scope', ['create'], /--scope is missing .*admin, viewer, stream/],
    ['another scope', ['create', '--scope', 'root'], /--scope: "root"/],
    ['no value', ['create', '--scope'], /--scope needs a value/],
    ['nonsense for a time', ['create', '--scope', 'admin', '--expires', 'soon'], /--expires: "soon" is not a time/],
    ['a flag of another verb', ['list', '--scope', 'admin'], /unknown option --scope/],
    ['too many words', ['revoke', '1', '2'], /unexpected argument "2"/],
    ['no token', ['revoke'], /which token/],
  ] as [string, string[], RegExp][]) {
    test(`${what} is wrong usage, and makes nothing`, async () => {
      const { folder, run } = await folderOf();
      await using _ = folder;
      const result = await run(...args);
      expect(result.code).toBe(2);
      expect(result.printed).toEqual([]);
      expect(result.complained.join()).toMatch(words);
    });
  }

  test('setup shows the same code until somebody owns it; reset-password gives a way back in', async () => {
    const { folder, run } = await folderOf();
    await using _ = folder;
    const first = await run('setup');
    expect(first.printed[0]).toMatch(/^set-up code: \w{4}-\w{4}-\w{4}-\w{4}$/);
    expect((await run('setup')).printed).toEqual(first.printed);
    expect((await run('reset-password')).complained.join()).toContain('nobody owns this Larder yet');
    const client = connect(folder.file('larder.db'));
    await client.execute("INSERT INTO users VALUES (1, 'Jane', 'jane', 'owner', 'h', '{}', 1, 1, NULL)");
    await client.execute("INSERT INTO sessions VALUES (1, 'd', 1, 'x', '::1', 1, 1)");
    expect((await run('setup')).complained.join()).toContain('has an owner already');
    expect(existsSync(folder.file('setup-code'))).toBe(false);
    const reset = await run('reset-password');
    expect(reset.printed[0]).toMatch(/^new password of Jane: \w{4}-\w{4}-\w{4}-\w{4}$/);
    const rows = await client.execute('SELECT (SELECT count(*) FROM sessions) AS n, password_hash FROM users');
    expect(rows.rows[0]!.n).toBe(0);
    expect(String(rows.rows[0]!.password_hash)).toStartWith('$argon2id$');
    expect((await run('reset-password', 'joe')).complained.join()).toMatch(/no user named "joe".*"Jane"/);
    await client.execute("INSERT INTO users VALUES (2, 'Joe', 'joe', 'owner', 'h', '{}', 1, 1, NULL)");
    expect(await run('reset-password')).toMatchObject({ code: 2 });
    expect(await run('reset-password', 'JOE')).toMatchObject({ code: 0 });
    client.close();
  });

  test('a folder that lost its database is left to be rebuilt', async () => {
    const { folder, run } = await folderOf();
    await using _ = folder;
    await mkdir(folder.file('chunks'));
    const result = await run('create', '--scope', 'admin');
    expect(result.code).toBe(1);
    expect(result.complained.join()).toContain('lost its database');
    expect(existsSync(folder.file('larder.db'))).toBe(false);
  });

  test('help explains each verb', async () => {
    const { printed } = await commandLine(['help', 'token']);
    for (const verb of ['create --scope', 'list', 'revoke', 'setup', 'reset-password']) {
      expect(printed.join()).toContain(`larder token ${verb}`);
    }
  });
});
