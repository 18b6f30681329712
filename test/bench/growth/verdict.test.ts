import { expect, test } from 'bun:test';
import { type Bound, exponentBetween, judge, type Point, permissionOf } from './verdict.ts';

const CONSTANT: Bound = { kind: 'constant', noise: 1 };
const LINEAR: Bound = { kind: 'linear', noise: 1 };

function curve(costOf: (size: number) => number, sizes: readonly number[] = [10, 100, 1_000, 10_000]): Point[] {
  return sizes.map((size) => ({ size, cost: costOf(size) }));
}

test('exponentBetween() finds the power of the size', () => {
  expect(exponentBetween({ size: 10, cost: 5 }, { size: 1_000, cost: 5 }, 1)).toBe(0);
  expect(exponentBetween({ size: 10, cost: 5 }, { size: 1_000, cost: 500 }, 1)).toBeCloseTo(1);
  expect(exponentBetween({ size: 10, cost: 5 }, { size: 100, cost: 500 }, 1)).toBeCloseTo(2);
});

test('exponentBetween() does not see what is below the noise', () => {
  expect(exponentBetween({ size: 10, cost: 0 }, { size: 1_000, cost: 0.9 }, 1)).toBe(0);
});

test('judge() accepts a constant cost with noise, at any size', () => {
  expect(
    judge(
      curve((size) => (size === 100 ? 13 : 10)),
      CONSTANT,
    ),
  ).toEqual({ isMet: true, seen: '1.30× from 10 to 100' });
  expect(
    judge(
      curve((size) => 10 - Math.log10(size)),
      CONSTANT,
    ),
  ).toEqual({ isMet: true, seen: 'it did not' });
});

test('judge() refuses a cost that should be constant and is not', () => {
  expect(
    judge(
      curve((size) => 10 + 4 * Math.log2(size)),
      CONSTANT,
    )?.isMet,
  ).toBe(false);
  expect(
    judge(
      curve((size) => 10 + size / 128),
      CONSTANT,
    ),
  ).toEqual({ isMet: false, seen: '8.74× from 10 to 10,000' });
});

test('judge() sees growth behind a fixed cost that many share', () => {
  const verdict = judge(
    curve((size) => 100 / size + size / 1_000),
    CONSTANT,
  );
  expect(verdict?.isMet).toBe(false);
});

test('judge() accepts a linear cost, with and without a base, and less than linear', () => {
  for (const costOf of [(n: number) => n, (n: number) => 50 + 3 * n, (n: number) => 40 * Math.sqrt(n), () => 7]) {
    expect(judge(curve(costOf), LINEAR)?.isMet).toBe(true);
  }
});

test('judge() refuses a quadratic cost, also when it shows at the end only', () => {
  expect(
    judge(
      curve((size) => size ** 2),
      LINEAR,
    )?.isMet,
  ).toBe(false);
  expect(
    judge(
      curve((size) => 1_000 + size ** 2 / 1_000),
      LINEAR,
    )?.isMet,
  ).toBe(false);
});

test('judge() refuses more than may be for each', () => {
  const points = curve((size) => 100 + 0.5 * size);
  expect(judge(points, { ...LINEAR, mostPerUnit: 0.6 })?.isMet).toBe(true);
  expect(judge(points, { ...LINEAR, mostPerUnit: 0.4 })?.isMet).toBe(false);
});

test('judge() leaves out sizes below the first that counts, and those that were not measured', () => {
  const points = curve((size) => (size < 1_000 ? 1 : 9));
  expect(judge(points, CONSTANT)?.isMet).toBe(false);
  expect(judge(points, { ...CONSTANT, fromSize: 1_000 })?.isMet).toBe(true);
  expect(judge([...points.slice(0, 2), { size: 5_000, cost: Number.NaN }], CONSTANT)?.isMet).toBe(true);
});

test('judge() says nothing of a single size', () => {
  expect(judge([{ size: 10, cost: 5 }], CONSTANT)).toBeUndefined();
});

test('permissionOf() says what may be', () => {
  expect(permissionOf({ ...CONSTANT, fromSize: 1_000 })).toBe('may not grow from 1,000 on');
  expect(permissionOf({ ...LINEAR, mostPerUnit: 0.2 })).toBe('may grow in proportion, 0.2 for each at most');
});
