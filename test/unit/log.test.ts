import { describe, expect, test } from 'bun:test';
import { createLog, type LogLevel, redactUrls } from '../../src/log.ts';

function capture(level: LogLevel = 'debug') {
  const lines: string[] = [];
  return { lines, log: createLog({ level, write: (line) => lines.push(line), nowMs: () => Date.UTC(2026, 0, 1) }) };
}

describe('redactUrls()', () => {
  const table: [string, string][] = [
    ['http://host/path', 'http://host/path'],
    ['http://me:secret@host/path', 'http://***@host/path'],
    ['https://host/a?X-Plex-Token=secret', 'https://host/a?***'],
    ['see https://me:secret@host/a?b=secret and http://u@other/', 'see https://***@host/a?*** and http://***@other/'],
    ['HTTPS://me:secret@HOST/', 'HTTPS://***@HOST/'],
    ['"http://host/a?token=secret"', '"http://host/a?***"'],
    ['no address at all? really', 'no address at all? really'],
    ['http://host/@user/a', 'http://host/@user/a'],
  ];
  for (const [text, expected] of table) {
    test(`redactUrls() hides what is secret when the text is ${text}`, () => {
      expect(redactUrls(text)).toBe(expected);
    });
  }

  test('redactUrls() hides a password whole when it has an @ in it, as browsers read it', () => {
    expect(redactUrls('http://me:sec@ret@host/path')).not.toMatch(/sec|ret/);
  });
});

describe('createLog()', () => {
  test('createLog() writes one line with time, level, part and fields', () => {
    const { lines, log } = capture();
    log
      .part('chunks')
      .info('it "works"\nwell', { count: 3, path: 'a b', plain: 'a.mkv', none: undefined, nil: null, yes: true });
    expect(lines).toEqual([
      '2026-01-01T00:00:00.000Z level=info part=chunks msg="it \\"works\\"\\nwell" count=3 path="a b" plain=a.mkv nil=null yes=true',
    ]);
  });

  test('createLog() keeps to one line and hides secrets when fields are hostile', () => {
    const { lines, log } = capture();
    log.warning('failed at http://me:secret@host/?t=secret', {
      url: 'http://me:secret@host/?t=secret',
      evil: 'x\nlevel=error msg="forged"',
    });
    expect(lines[0]).not.toContain('secret');
    expect(lines[0]!.split('\n').length).toBe(1);
  });

  test('createLog() leaves out what is below its level', () => {
    const { lines, log } = capture('warning');
    log.debug('a');
    log.info('b');
    log.warning('c');
    log.error('d');
    expect(lines.map((line) => / msg="(.)"/.exec(line)?.[1])).toEqual(['c', 'd']);
  });
});
