import { describe, expect, test } from 'bun:test';
import { describeError, fromErrorValue, LarderError, systemCode, toErrorValue } from '../../src/errors.ts';

describe('toErrorValue()', () => {
  test('toErrorValue() and fromErrorValue() keep everything that steers when an error crosses a thread', () => {
    const details = { retry: 'later', hint: 'wait', originStatus: 429, retryAfterMs: 7_000, totalBytes: 5 } as const;
    const error = new LarderError('origin-busy', 'the origin answered 429', { ...details, cause: new Error('socket') });
    const value = structuredClone(toErrorValue(error));
    expect(value).toEqual({ code: 'origin-busy', message: 'the origin answered 429', ...details });
    expect(fromErrorValue(value)).toMatchObject({
      code: 'origin-busy',
      message: 'the origin answered 429',
      ...details,
    });
    expect(fromErrorValue(value)).toBeInstanceOf(LarderError);
  });

  test('toErrorValue() leaves out what an error does not have', () => {
    expect(toErrorValue(new LarderError('stopped', 'x'))).toEqual({ code: 'stopped', message: 'x', retry: 'never' });
  });

  test('toErrorValue() makes a passing fault of whatever else was thrown', () => {
    for (const thrown of [new Error('boom'), 'boom', undefined, null, { a: 1 }]) {
      expect(toErrorValue(thrown)).toMatchObject({ code: 'origin-failed', retry: 'soon' });
    }
  });
});

describe('systemCode()', () => {
  test('systemCode() finds the code of the system when it is wrapped', () => {
    const inner = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    expect(systemCode(new Error('outer', { cause: new LarderError('storage', 'mid', { cause: inner }) }))).toBe(
      'ENOSPC',
    );
    expect(systemCode(new LarderError('storage', 'x'))).toBeUndefined();
    expect(systemCode(Object.assign(new Error('x'), { code: 'SQLITE_BUSY' }))).toBeUndefined();
    expect(systemCode('ENOSPC')).toBeUndefined();
  });
});

describe('describeError()', () => {
  test('describeError() puts the code in front unless the words have it', () => {
    expect(describeError(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED: refused');
    expect(describeError(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))).toBe(
      'connect ECONNREFUSED',
    );
    expect(describeError('text')).toBe('text');
  });
});
