import { describe, expect, test } from 'bun:test';
import { readConfiguration } from '../../../src/config.ts';
import { createLog } from '../../../src/log.ts';
import { options, settingNames } from '../../../src/options.ts';
import { toConfigFile } from '../../../src/settings/config-file.ts';
import { SettingsService } from '../../../src/settings/settings-service.ts';
import { FakeClock } from '../../support/fake-clock.ts';

interface Begin {
  readonly args?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly stored?: Readonly<Record<string, unknown>>;
}

function begin({ args = [], files = {}, stored = {} }: Begin = {}) {
  const kept = new Map(Object.entries(stored));
  const events: string[] = [];
  const state = { refuses: false };
  const clock = new FakeClock();
  const service = new SettingsService(
    {
      configuration: readConfiguration({ args, environment: {}, readFile: (path) => files[path] ?? '' }),
      store: {
        all: () => Promise.resolve(new Map(kept)),
        change: (values) => {
          if (state.refuses) return Promise.reject(new Error('the disk is full'));
          for (const [name, value] of values) {
            if (value === null) kept.delete(name);
            else kept.set(name, value);
          }
          return Promise.resolve();
        },
      },
      noteEvent: (_kind, subject, text) => Promise.resolve(events.push(`${subject}: ${text}`)),
      clock,
      log: createLog({ level: 'error', write: () => undefined, nowMs: () => clock.nowMs() }),
    },
    kept,
  );
  return { service, kept, events, state };
}

describe('SettingsService', () => {
  test('says of each setting its value, its default, where it comes from and what locks it', () => {
    const { service } = begin({
      args: ['--config=l.toml', '--read-ahead=32MiB'],
      files: { 'l.toml': 'threads = 4' },
      stored: { verifyRate: '1MiB', port: 9 },
    });
    expect(service.list().map(({ name }) => name)).toEqual([...settingNames]);
    expect(service.get('readAhead')).toMatchObject({
      texts: ['32MiB'],
      fallbackTexts: ['64MiB'],
      origin: 'flag',
      place: '--read-ahead',
      locked: 'outside',
      isSet: true,
    });
    expect(service.get('threads')).toMatchObject({ origin: 'file', place: 'threads in l.toml', locked: 'outside' });
    expect(service.get('verifyRate')).toMatchObject({ texts: ['1MiB'], origin: 'database', place: null, locked: null });
    expect(service.get('port')).toMatchObject({ texts: ['8420'], origin: 'default', locked: 'at start', isSet: false });
  });

  test('change() keeps what is asked for, puts it into force and tells who listens', async () => {
    const { service, kept, events } = begin();
    const heard: number[] = [];
    service.onChange(['readAhead'], ({ readAhead }) => void heard.push(readAhead));
    const result = await service.change({ readAhead: ['32 MiB'], backgroundFill: ['off'] }, 'anna');
    expect(result).toEqual({ ok: true, changed: ['readAhead'], restartNeeded: [] });
    expect(service.current.readAhead).toBe(32 * 2 ** 20);
    expect(Object.fromEntries(kept)).toEqual({ readAhead: '32MiB' });
    expect(heard).toEqual([32 * 2 ** 20]);
    expect(events).toEqual(['read-ahead: Read-ahead was changed from 64MiB to 32MiB by anna.']);
  });

  test('change() to null goes back to the default', async () => {
    const { service, kept } = begin({ stored: { allowedHosts: ['nas.lan'] } });
    expect(service.current.allowedHosts).toEqual(['nas.lan']);
    expect(await service.change({ allowedHosts: null, readAhead: null })).toMatchObject({ changed: ['allowedHosts'] });
    expect([service.current.allowedHosts, kept.size]).toEqual([[], 0]);
  });

  test('a setting that needs a restart is pending until then, and no longer when it is set back', async () => {
    const { service } = begin();
    const result = await service.change({ threads: ['4'] });
    expect(result).toEqual({ ok: true, changed: ['threads'], restartNeeded: ['threads'] });
    expect(service.current.threads).toBe(2);
    expect(service.get('threads')).toMatchObject({ texts: ['4'], textsInForce: ['2'], isPending: true });
    expect(await service.change({ threads: null })).toMatchObject({ restartNeeded: [] });
    expect(service.get('threads').isPending).toBe(false);
  });

  test('invariant 10: change() names each field at fault and changes nothing when one is', async () => {
    const { service, kept } = begin({ args: ['--log-level=debug'] });
    const result = await service.change({
      readAhead: ['32MiB'],
      verifyRate: ['quick'],
      logLevel: ['info'],
      port: ['80'],
      keepFree: ['1GB', '2GB'],
      nothing: ['1'],
    });
    expect(result).toEqual({
      ok: false,
      problems: [
        expect.objectContaining({ name: 'verifyRate', message: expect.stringContaining('"quick"') }),
        expect.objectContaining({ name: 'logLevel', message: 'Log level is fixed by --log-level' }),
        expect.objectContaining({ name: 'port', message: 'Port can only be set when Larder is started' }),
        expect.objectContaining({ name: 'keepFree', message: 'Keep free takes one value' }),
        expect.objectContaining({ name: 'nothing', message: 'there is no setting "nothing"' }),
      ],
    });
    expect([kept.size, service.current.readAhead]).toEqual([0, 64 * 2 ** 20]);
  });

  test('a locked setting that comes back as it stands is no mistake', async () => {
    const { service } = begin({ args: ['--log-level=debug'] });
    expect(await service.change({ logLevel: ['debug'], port: ['8420'] })).toMatchObject({ ok: true, changed: [] });
  });

  test('a store that refuses changes nothing', async () => {
    const { service, state } = begin();
    state.refuses = true;
    expect(service.change({ readAhead: ['32MiB'] })).rejects.toThrow('the disk is full');
    await Promise.resolve();
    expect(service.current.readAhead).toBe(64 * 2 ** 20);
  });

  test('a listener that fails keeps neither the change nor the next listener from taking effect', async () => {
    const { service } = begin();
    const heard: boolean[] = [];
    service.onChange(['backgroundFill'], () => Promise.reject(new Error('no')));
    service.onChange(['backgroundFill'], ({ backgroundFill }) => void heard.push(backgroundFill));
    await service.change({ backgroundFill: ['on'] });
    expect(heard).toEqual([true]);
  });

  test('changes at the same time go one after the other', async () => {
    const { service } = begin();
    const results = await Promise.all(['1MiB', '2MiB', '3MiB'].map((rate) => service.change({ verifyRate: [rate] })));
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(service.current.verifyRate).toBe(3 * 2 ** 20);
  });

  test('every setting that pages may change goes through store and restart unharmed', async () => {
    const samples: Readonly<Record<string, string[]>> = {
      allowedHosts: ['nas.lan', '10.0.0.1'],
      streamAccess: ['all'],
      threads: ['5'],
      connectionsPerSource: ['7'],
      connectionsTotal: ['9'],
      readAhead: ['1.5GB'],
      cacheSize: ['57%'],
      keepFree: ['2GiB'],
      recheckAfter: ['7d'],
      syncEvery: ['7d'],
      verifyRate: ['0'],
      maxQuality: ['720p'],
      backgroundFill: ['on'],
      logLevel: ['error'],
    };
    for (const [name, texts] of Object.entries(samples)) {
      const { service, kept } = begin();
      expect([name, await service.change({ [name]: texts })]).toMatchObject([name, { ok: true, changed: [name] }]);
      const next = begin({ stored: Object.fromEntries(kept) }).service;
      expect([name, next.get(name as 'threads').texts, next.warnings]).toEqual([name, texts, []]);
    }
    const untested = settingNames.filter(
      (name) => options[name].stored && options[name].secret !== true && !(name in samples),
    );
    expect(untested.filter((name) => !/^(tls|trusted|admin)/.test(name))).toEqual([]);
  });
});

describe('toConfigFile()', () => {
  test('reads back as the same settings', async () => {
    const { service } = begin({ args: ['--source=films=http://h/a', '--port=80', '--background-fill=on'] });
    await service.change({ cacheSize: ['57%'], allowedHosts: ['nas.lan'], threads: ['3'] });
    const file = toConfigFile(service.list(), '1.0.0');
    const read = readConfiguration({ args: ['--config=f'], environment: {}, readFile: () => file });
    expect(read.settings).toEqual({ ...service.current, threads: 3 });
    expect(read.origins.readAhead).toBe('default');
  });

  test('has no credentials', () => {
    const { service } = begin({ args: ['--source=films=http://me:hush@h/a?key=secret'] });
    const file = toConfigFile(service.list(), '1.0.0');
    expect(file).not.toMatch(/hush|secret|me:/);
    expect(file).toContain('# source = [ "films=http://***@h/a?***" ]');
    expect(readConfiguration({ args: ['--config=f'], environment: {}, readFile: () => file }).settings.source).toEqual(
      [],
    );
  });
});
