import { describe, expect, test } from 'bun:test';
import { readConfiguration, withStored } from '../../src/config.ts';
import { LarderError } from '../../src/errors.ts';
import { describeFallback, options, settingNames } from '../../src/options.ts';

function read(input: { args?: string[]; environment?: Record<string, string>; files?: Record<string, string> }) {
  return readConfiguration({
    args: input.args ?? [],
    environment: input.environment ?? {},
    readFile: (path) => {
      const content = input.files?.[path];
      if (content === undefined) throw Object.assign(new Error(`no such file ${path}`), { code: 'ENOENT' });
      return content;
    },
  });
}

function failure(input: Parameters<typeof read>[0]): LarderError {
  try {
    read(input);
  } catch (error) {
    if (error instanceof LarderError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('readConfiguration()', () => {
  test('readConfiguration() takes flag before environment before file before default', () => {
    const files = { 'l.toml': 'port = 3\nthreads = 3\nread-ahead = "3MiB"\n' };
    const { settings, origins } = read({
      args: ['--config', 'l.toml', '--port', '1'],
      environment: { LARDER_PORT: '2', LARDER_THREADS: '2' },
      files,
    });
    expect([settings.port, settings.threads, settings.readAhead, settings.host]).toEqual([
      1,
      2,
      3 * 2 ** 20,
      '0.0.0.0',
    ]);
    expect([origins.port, origins.threads, origins.readAhead, origins.host]).toEqual([
      'flag',
      'environment',
      'file',
      'default',
    ]);
  });

  test('readConfiguration() has every default when nothing is said', () => {
    const { settings, origins, warnings } = read({});
    for (const name of settingNames)
      expect([name, settings[name], origins[name]]).toEqual([name, options[name].fallback, 'default']);
    expect(warnings).toEqual([]);
  });

  test('readConfiguration() reads each setting from flag, environment and both kinds of file', () => {
    const samples: Partial<Record<(typeof settingNames)[number], [string, unknown]>> = {
      data: ['/srv/larder', '/srv/larder'],
      host: ['::1', '::1'],
      port: ['0', 0],
      source: ['a=http://h/', ['a=http://h/']],
      basePath: ['/larder/', '/larder'],
      allowedHosts: ['NAS.lan', ['nas.lan']],
      streamAccess: ['all', 'all'],
      threads: ['4', 4],
      connectionsPerSource: ['5', 5],
      connectionsTotal: ['50', 50],
      readAhead: ['1.5 GB', 1_500_000_000],
      backgroundFill: ['ON', true],
      logLevel: ['debug', 'debug'],
    };
    for (const name of settingNames) {
      const { flag, variable } = options[name];
      const sample = samples[name];
      if (sample === undefined) continue;
      const [text, value] = sample;
      expect(read({ args: [`--${flag}=${text}`] }).settings[name]).toEqual(value as never);
      expect(read({ args: [`--${flag}`, text] }).settings[name]).toEqual(value as never);
      expect(read({ environment: { [variable]: text } }).settings[name]).toEqual(value as never);
      expect(read({ args: ['--config=c'], files: { c: `${flag} = ${JSON.stringify(text)}` } }).settings[name]).toEqual(
        value as never,
      );
      expect(
        read({ args: ['--config=c.JSON'], files: { 'c.JSON': JSON.stringify({ [flag]: text }) } }).settings[name],
      ).toEqual(value as never);
    }
  });

  test('readConfiguration() collects what may be given several times, and takes the last of what may not', () => {
    expect(read({ args: ['--source', 'a=http://a/', '--source=b=http://b/'] }).settings.source).toEqual([
      'a=http://a/',
      'b=http://b/',
    ]);
    expect(read({ environment: { LARDER_SOURCE: ' a=http://a/  b=http://b/ ' } }).settings.source).toEqual([
      'a=http://a/',
      'b=http://b/',
    ]);
    expect(
      read({ args: ['--config=c'], files: { c: 'source = ["a=http://a/", "b=http://b/"]' } }).settings.source.length,
    ).toBe(2);
    expect(read({ args: ['--port=1', '--port=2'] }).settings.port).toBe(2);
  });

  test('readConfiguration() keeps the comma of a URL when LARDER_SOURCE has one', () => {
    expect(read({ environment: { LARDER_SOURCE: 'a=http://host/1,2/' } }).settings.source).toEqual([
      'a=http://host/1,2/',
    ]);
  });

  test('readConfiguration() takes an empty variable for an unset one, and the file from LARDER_CONFIG', () => {
    expect(read({ environment: { LARDER_PORT: '', LARDER_CONFIG: '' } }).origins.port).toBe('default');
    expect(read({ environment: { LARDER_CONFIG: 'c' }, files: { c: 'port = 9' } }).settings.port).toBe(9);
  });

  const wrong: [string, Parameters<typeof read>[0], string, string | RegExp][] = [
    ['an unknown flag', { args: ['--prt', '1'] }, '--prt', /did you mean --port\?/],
    ['an unknown flag like none', { args: ['--zzzzzzzzzzzz', '1'] }, '--zzzzzzzzzzzz', /larder help/],
    ['an argument', { args: ['films'] }, '"films"', /larder help/],
    ['a flag without a value', { args: ['--port'] }, '--port needs a value', /help/],
    ['a flag with an empty value', { args: ['--port='] }, '--port needs a value', /help/],
    ['a flag whose value is the next flag', { args: ['--host', '--port', '1'] }, '"1"', /help/],
    ['a port that is none', { args: ['--port', '70000'] }, '--port', /whole number|such as/],
    ['a port with a sign', { environment: { LARDER_PORT: '+80' } }, 'LARDER_PORT', /./],
    ['a port of the file', { args: ['--config=c'], files: { c: 'port = 1.5' } }, 'port in c', /./],
    ['a size', { args: ['--read-ahead', 'much'] }, '--read-ahead', /MiB/],
    ['a size too small', { args: ['--read-ahead', '1'] }, '--read-ahead', /MiB/],
    ['a word', { args: ['--stream-access', 'some'] }, '--stream-access', /./],
    ['on or off', { args: ['--background-fill', 'maybe'] }, '--background-fill', /on or off/],
    ['a base path', { args: ['--base-path', 'larder'] }, '--base-path', /\/larder/],
    ['a file that is not there', { args: ['--config', 'none.toml'] }, '--config none.toml', /./],
    ['a file that is not TOML', { args: ['--config=c'], files: { c: 'port = = 1' } }, '--config c', /TOML/],
    ['a file that is not JSON', { args: ['--config=c.json'], files: { 'c.json': '{' } }, '--config c.json', /JSON/],
    ['a file that is a list', { args: ['--config=c.json'], files: { 'c.json': '[]' } }, 'holds no settings', /./],
    [
      'an unknown setting in the file',
      { args: ['--config=c'], files: { c: 'prt = 1' } },
      '"prt"',
      /did you mean port\?/,
    ],
    [
      'a table in the file',
      { args: ['--config=c'], files: { c: '[source]\nfilms = "http://h/"' } },
      'source is a table',
      /source = /,
    ],
  ];
  for (const [what, input, names, hint] of wrong) {
    test(`invariant 10: readConfiguration() names the setting at fault and what to do when it is ${what}`, () => {
      const error = failure(input);
      expect(error.code).toBe('usage');
      expect(error.message).toContain(names);
      expect(error.hint ?? '').toMatch(hint);
    });
  }

  test('readConfiguration() warns of variables that are not known and names the nearest', () => {
    const { warnings } = read({
      environment: { LARDER_PROT: '1', LARDER_PORT: '1', LARDER_SOMETHING_ELSE: '1', PATH: 'x' },
    });
    expect(warnings).toEqual([
      'the environment variable LARDER_PROT is not known; did you mean LARDER_PORT?',
      'the environment variable LARDER_SOMETHING_ELSE is not known',
    ]);
  });

  test('readConfiguration() refuses several values in the file where there may be one', () => {
    expect(failure({ args: ['--config=c'], files: { c: 'port = [1, 2]' } }).code).toBe('usage');
  });
});

describe('options', () => {
  test('options have flags, variables and fallbacks of their own that can be read back', () => {
    const flags = settingNames.map((name) => options[name].flag);
    expect(new Set(flags).size).toBe(flags.length);
    expect(new Set(settingNames.map((name) => options[name].variable)).size).toBe(flags.length);
    for (const name of settingNames) {
      expect(options[name].variable).toMatch(/^LARDER_[A-Z_]+$/);
      expect(options[name].description).toMatch(/\.$/);
      const fallback = options[name].fallback;
      if (Array.isArray(fallback) || fallback === '') continue;
      expect(options[name].parse([describeFallback(name)], name)).toEqual(fallback as never);
    }
  });

  test('options.readAhead counts bytes in both kinds of units when it is written with one', () => {
    const parse = (text: string) => options.readAhead.parse([text], 'x');
    expect([parse('64MiB'), parse('64 mib'), parse('64MB'), parse('2g'), parse('1.5GiB'), parse('1048576')]).toEqual([
      64 * 2 ** 20,
      64 * 2 ** 20,
      64e6,
      2e9,
      1.5 * 2 ** 30,
      2 ** 20,
    ]);
    for (const text of ['', '64 XB', '-64MiB', '1e9', 'MiB', '64MiBs']) expect(() => parse(text)).toThrow();
  });
});

describe('withStored()', () => {
  test('withStored() fills in what nothing outside fixes, of the right type, and only where pages may change it', () => {
    const stored = new Map<string, unknown>([
      ['backgroundFill', true],
      ['port', 1],
    ]);
    const filled = withStored(read({}), stored);
    expect([filled.settings.backgroundFill, filled.origins.backgroundFill]).toEqual([true, 'database']);
    expect([filled.settings.port, filled.origins.port]).toEqual([8420, 'default']);
    const fixed = withStored(read({ args: ['--background-fill=off'] }), stored);
    expect([fixed.settings.backgroundFill, fixed.origins.backgroundFill]).toEqual([false, 'flag']);
    const damaged = withStored(
      read({}),
      new Map<string, unknown>([
        ['backgroundFill', 'perhaps'],
        ['readAhead', '32MiB'],
      ]),
    );
    expect([damaged.settings.backgroundFill, damaged.origins.backgroundFill]).toEqual([false, 'default']);
    expect([damaged.settings.readAhead, damaged.origins.readAhead]).toEqual([32 * 2 ** 20, 'database']);
    expect(damaged.warnings).toEqual([expect.stringContaining('backgroundFill')]);
  });

  test('readConfiguration() says what fixes a setting, as its owner wrote it', () => {
    const files = { 'l.toml': 'threads = 3\n' };
    const { places } = read({ args: ['--config=l.toml', '--port', '1'], environment: { LARDER_HOST: '::' }, files });
    expect(places).toEqual({ port: '--port', host: 'LARDER_HOST', threads: 'threads in l.toml' });
  });
});
