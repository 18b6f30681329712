// How a cost grew along a curve, against how it may. Pure: takes sizes and costs, says met or not and by how much.

export interface Point {
  readonly size: number;
  /** NaN where nothing was measured. */
  readonly cost: number;
}

/** What a cost may do as the size grows. */
export interface Bound {
  readonly kind: 'constant' | 'linear';
  /** Costs below it are all the same: the grain of the clock, or what no one would notice. In the column's unit. */
  readonly noise: number;
  /** Sizes below it are not looked at: there the work itself is smaller. */
  readonly fromSize?: number;
  /** Also, for `linear`: the cost of one more, at most. */
  readonly mostPerUnit?: number;
}

export interface Verdict {
  readonly isMet: boolean;
  /** What was seen, in words. */
  readonly seen: string;
}

/**
 * A cost that may not grow is as it was when it is no more than so many times what it was: a shared machine makes the
 * same thing cost half as much again, and sizes grow five hundred times and more.
 */
const CONSTANT_TOLERANCE = 2;
/** A cost grows linearly when no step grows faster than size to this power. */
const LINEAR_EXPONENT = 1.2;

export function permissionOf(bound: Bound): string {
  const from = bound.fromSize === undefined ? '' : ` from ${bound.fromSize.toLocaleString('en')} on`;
  if (bound.kind === 'constant') return `may not grow${from}`;
  const slope = bound.mostPerUnit === undefined ? '' : `, ${bound.mostPerUnit} for each at most`;
  return `may grow in proportion${slope}${from}`;
}

/**
 * The power of the size with which a cost grew between two points; costs are taken to be at least `noise`.
 * 0 is no growth, 1 is in proportion.
 */
export function exponentBetween(from: Point, to: Point, noise: number): number {
  const quotient = Math.max(to.cost, noise) / Math.max(from.cost, noise);
  return Math.log(quotient) / Math.log(to.size / from.size);
}

/** Undefined when fewer than two sizes were measured: nothing can be said. */
export function judge(points: readonly Point[], bound: Bound): Verdict | undefined {
  const counted = points
    .filter(({ size, cost }) => !Number.isNaN(cost) && size >= (bound.fromSize ?? 0))
    .sort((left, right) => left.size - right.size);
  const first = counted[0];
  const last = counted.at(-1);
  if (first === undefined || last === undefined || first === last) return undefined;
  return bound.kind === 'constant'
    ? judgeConstant(counted, first, bound)
    : judgeLinear(counted, { first, last, bound });
}

/** Against the least that any smaller size cost: a fixed cost that many share hides no growth behind it. */
function judgeConstant(points: readonly Point[], first: Point, { noise }: Bound): Verdict {
  let least = first;
  let worst = { factor: 1, from: first, at: first };
  for (const point of points) {
    const factor = Math.max(point.cost, noise) / Math.max(least.cost, noise);
    if (factor > worst.factor) worst = { factor, from: least, at: point };
    if (point.cost < least.cost) least = point;
  }
  const { factor, from, at } = worst;
  const seen = `${factor.toFixed(2)}× from ${from.size.toLocaleString('en')} to ${at.size.toLocaleString('en')}`;
  return { isMet: factor <= CONSTANT_TOLERANCE, seen: factor > 1 ? seen : 'it did not' };
}

function judgeLinear(
  points: readonly Point[],
  { first, last, bound }: { readonly first: Point; readonly last: Point; readonly bound: Bound },
): Verdict {
  const steps = points.slice(1).map((point, index) => exponentBetween(points[index]!, point, bound.noise));
  const steepest = Math.max(...steps);
  const perUnit = (last.cost - first.cost) / (last.size - first.size);
  const isDear = last.cost - first.cost > bound.noise && perUnit > (bound.mostPerUnit ?? Number.POSITIVE_INFINITY);
  const isMet = steepest <= LINEAR_EXPONENT && !isDear;
  return { isMet, seen: `steepest step size^${steepest.toFixed(2)}, ${Number(perUnit.toPrecision(2))} for each` };
}
