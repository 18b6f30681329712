import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { writeBytes } from '../../src/option-values.ts';
import {
  describeValue,
  displayTexts,
  options,
  type SettingName,
  settingGroups,
  settingNames,
} from '../../src/options.ts';

/** Texts that each kind of value may be given, good and bad. */
const texts = fc.oneof(
  fc.nat().map(String),
  fc
    .tuple(fc.float({ min: 0, max: 2_000, noNaN: true }), fc.constantFrom('', 'k', 'MB', 'MiB', 'GiB', 'TB', '%'))
    .map(([number, unit]) => `${number.toFixed(2)}${unit}`),
  fc
    .tuple(fc.nat(10_000), fc.constantFrom('s', 'm', 'h', 'd', '%', 'GiB', 'MB', 'kB'))
    .map(([number, unit]) => `${number}${unit}`),
  fc.constantFrom(
    'auto',
    'on',
    'off',
    'yes',
    'private',
    'all',
    'debug',
    'error',
    '/larder/',
    '/a/b',
    'NAS.lan',
    '::1',
    '[fe80::1]',
    'nas:80',
    '',
  ),
  fc.string(),
);

function parse(name: SettingName, value: readonly string[]): { value: unknown } | null {
  try {
    return { value: options[name].parse(value, name) };
  } catch {
    return null;
  }
}

describe('options', () => {
  for (const name of settingNames) {
    test(`${name}: what format() writes of any value reads as that value`, () => {
      fc.assert(
        fc.property(fc.array(texts, { minLength: 1, maxLength: 3 }), (input) => {
          const parsed = parse(name, options[name].repeatable ? input : input.slice(0, 1));
          if (parsed === null) return;
          const written = options[name].format(parsed.value as never);
          expect(parse(name, written)).toEqual(parsed as never);
        }),
        { numRuns: 300 },
      );
    });
  }

  test('each has a label, a group of the page, and what can be changed there is no part of the way to the page', () => {
    for (const name of settingNames) {
      expect(options[name].label).not.toBe('');
      expect(Object.keys(settingGroups)).toContain(options[name].group);
      if (options[name].group === 'start') expect([name, options[name].stored]).toEqual([name, false]);
    }
  });

  test('displayTexts() shows no password of a source, and nothing of a secret', () => {
    expect(displayTexts('source', ['films=https://me:hush@host/a?token=1'])).toEqual(['films=https://***@host/a?***']);
    expect(describeValue('source', [])).toBe('none');
    for (const name of settingNames) {
      if (options[name].secret === true) expect(displayTexts(name, 'hush' as never)).toEqual([]);
    }
  });

  test('allowedHosts takes names and addresses, and says what to write for anything else', () => {
    const { parse: read } = options.allowedHosts;
    expect(read(['NAS.lan', 'nas', '192.168.1.5', '[fe80::1]', '::1'], 'x')).toEqual([
      'nas.lan',
      'nas',
      '192.168.1.5',
      'fe80::1',
      '::1',
    ]);
    for (const name of ['nas:8420', 'http://nas', 'nas/', '*']) {
      expect(() => read([name], 'allowed-host')).toThrow(`allowed-host: ${JSON.stringify(name)} is not a host name`);
    }
  });
});

describe('writeBytes()', () => {
  test.each([
    [0, '0'],
    [512, '512'],
    [1_024, '1KiB'],
    [64 * 2 ** 20, '64MiB'],
    [1_500_000_000, '1.5GB'],
    [2 ** 36, '64GiB'],
    [500e9, '500GB'],
    [123_456_789, '123456789'],
  ])('%d bytes are %s', (bytes, written) => {
    expect(writeBytes(bytes)).toBe(written);
  });
});
