import { describe, expect, test } from 'bun:test';
import { backoffDelayMs } from '../../src/chunks/retry-policy.ts';
import { compareVersion } from '../../src/chunks/version.ts';
import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS } from '../../src/limits.ts';
import type { OriginHead } from '../../src/sources/origin-response.ts';

const plain: OriginHead = {
  start: 0,
  bodyBytes: 10,
  totalBytes: 10,
  seekable: true,
  etag: null,
  lastModified: null,
  contentType: null,
  contentLanguage: null,
  contentDisposition: null,
};

describe('compareVersion()', () => {
  const [strong, strong2, weak, weak2, monday, tuesday] = ['"a"', '"b"', 'W/"a"', 'W/"b"', 'Mon', 'Tue'];
  type Marks = [string | null, string | null, number | null];
  const table: [string, Marks, Marks, 'same' | 'other' | 'unknown'][] = [
    ['strong tags agree', [strong, monday, 10], [strong, tuesday, 10], 'same'],
    ['strong tags differ', [strong, monday, 10], [strong2, monday, 10], 'other'],
    ['lengths differ although tags agree', [strong, null, 10], [strong, null, 11], 'other'],
    ['one length is not known', [strong, null, null], [strong, null, 11], 'same'],
    ['the new answer has no tag and dates agree', [strong, monday, 10], [null, monday, 10], 'same'],
    ['the new answer has no tag and dates differ', [strong, monday, 10], [null, tuesday, 10], 'other'],
    ['a strong tag became weak', [strong, monday, 10], [weak, monday, 10], 'other'],
    ['weak tags differ and dates agree', [weak, monday, 10], [weak2, monday, 10], 'same'],
    ['weak tags agree without dates', [weak, null, 10], [weak, null, 10], 'same'],
    ['weak tags differ without dates', [weak, null, 10], [weak2, null, 10], 'other'],
    ['dates differ', [null, monday, 10], [null, tuesday, 10], 'other'],
    ['nothing is said but equal lengths', [null, null, 10], [null, null, 10], 'unknown'],
    ['nothing is said at all', [null, null, null], [null, null, null], 'unknown'],
    ['only the old answer had marks', [strong, monday, 10], [null, null, 10], 'unknown'],
  ];
  for (const [when, known, now, result] of table) {
    test(`invariant 3: compareVersion() is ${result} when ${when}`, () => {
      const head = { ...plain, etag: now[0], lastModified: now[1], totalBytes: now[2] };
      expect(compareVersion({ etag: known[0], lastModified: known[1] }, known[2], head)).toBe(result);
    });
  }
});

describe('backoffDelayMs()', () => {
  test('backoffDelayMs() doubles from the first pause to the longest, half of it chance', () => {
    const least = (attempt: number) => backoffDelayMs(attempt, () => 0);
    const most = (attempt: number) => backoffDelayMs(attempt, () => 1);
    expect([least(1), most(1)]).toEqual([BACKOFF_FIRST_MS / 2, BACKOFF_FIRST_MS]);
    expect([least(2), most(2)]).toEqual([BACKOFF_FIRST_MS, 2 * BACKOFF_FIRST_MS]);
    for (const attempt of [20, 100, 2_000]) expect(most(attempt)).toBe(BACKOFF_MAX_MS);
  });
});
