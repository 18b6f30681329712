// RFC 9110 §13: the table of conditions, in the order of §13.2.2.
import { describe, expect, test } from 'bun:test';
import { type ConditionalHeaders, evaluatePreconditions, rangeApplies } from '../../src/proxy/preconditions.ts';

const CHANGED_MS = Date.UTC(2026, 4, 10, 12, 0, 0);
const date = (offsetMs: number) => new Date(CHANGED_MS + offsetMs).toUTCString();
const current = { etag: '"abc"', lastModifiedMs: CHANGED_MS };
const undated = { etag: '"abc"', lastModifiedMs: null };

function evaluate(
  headers: Partial<ConditionalHeaders>,
  validators = current as { etag: string; lastModifiedMs: number | null },
) {
  const none = {
    ifMatch: undefined,
    ifNoneMatch: undefined,
    ifModifiedSince: undefined,
    ifUnmodifiedSince: undefined,
    ifRange: undefined,
  };
  return evaluatePreconditions({ ...none, ...headers }, validators);
}

describe('evaluatePreconditions()', () => {
  const table: [Partial<ConditionalHeaders>, string][] = [
    [{}, 'proceed'],
    [{ ifNoneMatch: '"abc"' }, 'not-modified'],
    [{ ifNoneMatch: 'W/"abc"' }, 'not-modified'], // §13.1.2: weak comparison
    [{ ifNoneMatch: '"x", "abc"' }, 'not-modified'],
    [{ ifNoneMatch: '"x","y"' }, 'proceed'],
    [{ ifNoneMatch: '*' }, 'not-modified'],
    [{ ifNoneMatch: '"ab"' }, 'proceed'],
    [{ ifNoneMatch: 'abc' }, 'proceed'],
    [{ ifNoneMatch: '"x, y", "abc"' }, 'not-modified'],
    [{ ifMatch: '"abc"' }, 'proceed'],
    [{ ifMatch: 'W/"abc"' }, 'failed'], // §13.1.1: strong comparison
    [{ ifMatch: '"x", "abc"' }, 'proceed'],
    [{ ifMatch: '"x"' }, 'failed'],
    [{ ifMatch: '*' }, 'proceed'],
    [{ ifModifiedSince: date(0) }, 'not-modified'],
    [{ ifModifiedSince: date(60_000) }, 'not-modified'],
    [{ ifModifiedSince: date(-1_000) }, 'proceed'],
    [{ ifModifiedSince: 'yesterday' }, 'proceed'],
    [{ ifUnmodifiedSince: date(0) }, 'proceed'],
    [{ ifUnmodifiedSince: date(-1_000) }, 'failed'],
    [{ ifUnmodifiedSince: 'nonsense' }, 'proceed'],
    // §13.2.2: tags come before dates, If-Match before If-None-Match.
    [{ ifNoneMatch: '"x"', ifModifiedSince: date(0) }, 'proceed'],
    [{ ifNoneMatch: '"abc"', ifModifiedSince: date(-1_000) }, 'not-modified'],
    [{ ifMatch: '"abc"', ifUnmodifiedSince: date(-1_000) }, 'proceed'],
    [{ ifMatch: '"x"', ifNoneMatch: '"abc"' }, 'failed'],
    [{ ifMatch: '"abc"', ifNoneMatch: '"abc"' }, 'not-modified'],
    [{ ifUnmodifiedSince: date(-1_000), ifNoneMatch: '"abc"' }, 'failed'],
  ];
  for (const [headers, result] of table) {
    test(`evaluatePreconditions() gives ${result} when the headers are ${JSON.stringify(headers)}`, () => {
      expect(evaluate(headers)).toBe(result as ReturnType<typeof evaluate>);
    });
  }

  test('evaluatePreconditions() ignores dates when the file has none', () => {
    expect(evaluate({ ifModifiedSince: date(0) }, undated)).toBe('proceed');
    expect(evaluate({ ifUnmodifiedSince: date(-1_000) }, undated)).toBe('proceed');
  });

  test('evaluatePreconditions() ignores what is no HTTP date although Date.parse would take it', () => {
    // RFC 9110 §13.1.3: a recipient must ignore the field when it is not a valid HTTP-date.
    expect(evaluate({ ifModifiedSince: '9999' })).toBe('proceed');
  });
});

describe('rangeApplies()', () => {
  const table: [string | undefined, boolean][] = [
    [undefined, true],
    ['"abc"', true],
    [' "abc" ', true],
    ['"x"', false],
    ['W/"abc"', false], // §13.1.5: only strong comparison
    ['abc', false],
    ['', false],
    ['*', false],
    [date(0), true],
    [date(1_000), false],
    [date(-1_000), false],
    ['"abc", "x"', false],
  ];
  for (const [header, applies] of table) {
    test(`rangeApplies() is ${applies} when If-Range is ${JSON.stringify(header)}`, () => {
      expect(rangeApplies(header, current)).toBe(applies);
    });
  }

  test('rangeApplies() is false for every date when the file has none', () => {
    expect(rangeApplies(date(0), undated)).toBe(false);
  });
});
