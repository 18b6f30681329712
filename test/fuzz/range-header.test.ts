// Range headers: what comes back must be what RFC 9110 §14 says, whatever is sent.
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  coalesceRanges,
  formatContentRange,
  parseContentRange,
  parseRangeHeader,
  type RangeSpec,
  resolveRangeSpec,
} from '../../src/bytes/range-header.ts';
import { runs } from '../support/property.ts';

const offset = fc.oneof(fc.nat(200), fc.integer({ min: 2 ** 31 - 2, max: 2 ** 33 }), fc.maxSafeNat());
const length = fc.oneof(fc.nat(300), fc.integer({ min: 2 ** 31 - 2, max: 2 ** 33 }));

const spec: fc.Arbitrary<RangeSpec> = fc.oneof(
  fc.record({ kind: fc.constant('suffix' as const), length: offset }),
  fc.tuple(offset, fc.option(fc.nat(1_000))).map(([first, more]) => ({
    kind: 'from' as const,
    first,
    last: more === null ? null : Math.min(Number.MAX_SAFE_INTEGER, first + more),
  })),
);

function write(one: RangeSpec): string {
  return one.kind === 'suffix' ? `-${one.length}` : `${one.first}-${one.last ?? ''}`;
}

describe('parseRangeHeader()', () => {
  test('parseRangeHeader() reads back what was written when the header is well formed', () => {
    const spaces = fc.constantFrom('', ' ', '\t', '  ');
    fc.assert(
      fc.property(fc.array(fc.tuple(spec, spaces, spaces), { minLength: 1, maxLength: 40 }), (members) => {
        const header = `bytes=${members.map(([one, before, after]) => before + write(one) + after).join(',')}`;
        expect(parseRangeHeader(header)).toEqual(members.map(([one]) => one));
      }),
      runs(500),
    );
  });

  test('parseRangeHeader() never throws and gives null or usable numbers when fed anything', () => {
    const noise = fc.string({ unit: fc.constantFrom(...'bytes=-,0123456789 \t.+x*'.split('')), maxLength: 40 });
    fc.assert(
      fc.property(
        fc.oneof(
          noise,
          noise.map((text) => `bytes=${text}`),
          fc.string(),
        ),
        (header) => {
          for (const one of parseRangeHeader(header) ?? []) {
            const numbers = one.kind === 'suffix' ? [one.length] : [one.first, one.last ?? one.first];
            for (const number of numbers) expect(Number.isSafeInteger(number) && number >= 0).toBe(true);
            if (one.kind === 'from' && one.last !== null) expect(one.last).toBeGreaterThanOrEqual(one.first);
          }
        },
      ),
      runs(2_000),
    );
  });
});

describe('resolveRangeSpec()', () => {
  test('resolveRangeSpec() stays inside the file and selects exactly the bytes named when it can be satisfied', () => {
    fc.assert(
      fc.property(spec, length, (one, totalBytes) => {
        const range = resolveRangeSpec(one, totalBytes);
        if (range === null) {
          expect(totalBytes === 0 || (one.kind === 'suffix' ? one.length === 0 : one.first >= totalBytes)).toBe(true);
          return;
        }
        expect(range.start).toBeLessThan(range.end);
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.end).toBeLessThanOrEqual(totalBytes);
        if (one.kind === 'suffix') {
          expect(range.end - range.start).toBe(Math.min(one.length, totalBytes));
          expect(range.end).toBe(totalBytes);
        } else {
          expect(range.start).toBe(one.first);
          expect(range.end).toBe(one.last === null ? totalBytes : Math.min(totalBytes, one.last + 1));
        }
      }),
      runs(1_000),
    );
  });
});

describe('coalesceRanges()', () => {
  test('coalesceRanges() keeps each byte once, in order, with gaps between when ranges overlap or touch', () => {
    const range = fc
      .tuple(fc.nat(60), fc.integer({ min: 1, max: 20 }))
      .map(([start, size]) => ({ start, end: start + size }));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), (ranges) => {
        const joined = coalesceRanges(ranges);
        const bytes = new Set(
          ranges.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, at) => start + at)),
        );
        const covered = joined.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, at) => start + at));
        expect(covered).toEqual([...bytes].sort((left, right) => left - right));
        for (let index = 1; index < joined.length; index++) {
          expect(joined[index]!.start).toBeGreaterThan(joined[index - 1]!.end);
        }
      }),
      runs(500),
    );
  });

  test('coalesceRanges() leaves its input as it was when it joins', () => {
    const ranges = [
      { start: 5, end: 9 },
      { start: 0, end: 5 },
    ];
    coalesceRanges(ranges);
    expect(ranges).toEqual([
      { start: 5, end: 9 },
      { start: 0, end: 5 },
    ]);
  });
});

describe('parseContentRange()', () => {
  test('parseContentRange() reads back what formatContentRange() wrote when the range lies in the file', () => {
    fc.assert(
      fc.property(offset, fc.integer({ min: 1, max: 10_000 }), fc.nat(10_000), (start, size, rest) => {
        const end = start + size;
        const totalBytes = end + rest;
        fc.pre(Number.isSafeInteger(totalBytes));
        const header = formatContentRange({ start, end }, totalBytes);
        expect(parseContentRange(header)).toEqual({ range: { start, end }, totalBytes });
      }),
      runs(500),
    );
  });

  test('parseContentRange() gives null or a range inside its total when fed anything', () => {
    const noise = fc.string({ unit: fc.constantFrom(...'0123456789-/* '.split('')), maxLength: 30 });
    fc.assert(
      fc.property(
        fc.oneof(
          noise.map((text) => `bytes ${text}`),
          fc.string(),
        ),
        (header) => {
          const parsed = parseContentRange(header);
          if (parsed === null) return;
          if (parsed.range === null) expect(parsed.totalBytes).not.toBeNull();
          else {
            expect(parsed.range.end).toBeGreaterThan(parsed.range.start);
            if (parsed.totalBytes !== null) expect(parsed.range.end).toBeLessThanOrEqual(parsed.totalBytes);
          }
        },
      ),
      runs(2_000),
    );
  });
});
