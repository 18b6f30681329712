import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { licences } from '../../../src/runtime/embedded.ts';
import { runtimeName } from '../../../src/runtime/runtime-name.ts';
import { AboutLarder, describeForIssue } from '../../../src/upkeep/about.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function aboutOf(clock: FakeClock) {
  return new AboutLarder({
    version: '1.2.3',
    commit: 'abc',
    target: 'linux-x64',
    runtime: runtimeName(),
    schema: 6,
    dataFolder: '/home/anna/larder',
    databaseFile: '/home/anna/larder/larder.db',
    chunkFolder: '/home/anna/larder/chunks',
    isCompiled: true,
    memoryBytes: () => 80e6,
    clock,
  });
}

describe('AboutLarder', () => {
  test('says how long it runs, also when the clock was set', async () => {
    const clock = new FakeClock();
    const larder = aboutOf(clock);
    await clock.advance(5_400_000);
    expect(larder.about()).toMatchObject({ version: '1.2.3', uptimeMs: 5_400_000, memoryBytes: 80e6 });
    expect(larder.about().runtime).toMatch(/^Bun \d/);
    expect(larder.about().updating).not.toBe('');
  });
});

describe('describeForIssue()', () => {
  test('gives away no path, name, address or secret', async () => {
    const clock = new FakeClock();
    const larder = aboutOf(clock);
    await clock.advance(5_400_000);
    const setting = { isSet: true, isSecret: false, origin: 'flag', input: { kind: 'text' } };
    const text = describeForIssue(
      larder.about(),
      [
        { ...setting, flag: 'data', texts: ['/home/anna/larder'] },
        { ...setting, flag: 'source', texts: ['films=http://nas.example.org/'], input: { kind: 'list' } },
        { ...setting, flag: 'read-ahead', texts: ['32MiB'], input: { kind: 'size' } },
        { ...setting, flag: 'admin-password', texts: ['hush'], isSecret: true, input: { kind: 'size' } },
        { ...setting, flag: 'port', texts: ['8420'], isSet: false, input: { kind: 'number' } },
      ],
      [{ name: 'sources', state: 'failed', detail: 'source films at nas.example.org fails', hint: null }],
    );
    expect(text).not.toMatch(/anna|nas\.example|hush|8420/);
    expect(text).toContain('larder 1.2.3 (abc), linux-x64');
    expect(text).toContain('read-ahead: 32MiB (flag)\n');
    expect(text).toContain('source: 1 given (flag)');
    expect(text).toContain('doctor: sources failed');
    expect(text).toContain('up 1.5 h, 80.0 MB of memory');
  });
});

describe('licences()', () => {
  test('has every package that is inside, with words', () => {
    const { dependencies } = JSON.parse(readFileSync(join(import.meta.dir, '../../../package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const all = licences();
    const names = all.map(({ name }) => name);
    for (const name of [...Object.keys(dependencies), 'Bun', 'libsql']) expect(names).toContain(name);
    for (const { name, licence, text } of all) {
      expect([name, licence === 'unknown', text === '']).toEqual([name, false, false]);
    }
    expect(names).not.toContain('typescript');
  });
});
