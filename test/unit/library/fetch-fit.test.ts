import { expect, test } from 'bun:test';
import { fetchFit, refuseBeyondCap } from '../../../src/library/fetch-fit.ts';

const room = { effectiveCapBytes: 1_000, roomBytes: 100, removableBytes: 500 };

test('says whether the rest fits, what would go for it, and what is too much', () => {
  expect(fetchFit({ cachedBytes: 0, missingBytes: 100 }, room)).toEqual({ kind: 'fits', bytes: 100 });
  expect(fetchFit({ cachedBytes: 0, missingBytes: 600 }, room)).toEqual({ kind: 'replaces', bytes: 500 });
  expect(fetchFit({ cachedBytes: 300, missingBytes: 700 }, room)).toEqual({ kind: 'held', bytes: 100 });
  expect(fetchFit({ cachedBytes: 301, missingBytes: 700 }, room)).toEqual({ kind: 'beyond', bytes: 1 });
  expect(fetchFit({ cachedBytes: 2_000, missingBytes: 0 }, room)).toEqual({ kind: 'fits', bytes: 0 });
});

test('what the cache can never hold is refused', () => {
  expect(() => refuseBeyondCap({ cachedBytes: 0, missingBytes: 1_001 }, room)).toThrow('more than the cache holds');
  expect(() => refuseBeyondCap({ cachedBytes: 0, missingBytes: 900 }, room)).not.toThrow();
});
