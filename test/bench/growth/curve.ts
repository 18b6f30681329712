// What a curve is: one thing that grows, the sizes at which costs are measured, and how each cost may grow with it.
import type { GrowthRun } from './growth-run.ts';
import type { Bound } from './verdict.ts';

export interface Column {
  /** Key under which `measure` gives it. */
  readonly cost: string;
  readonly label: string;
  readonly unit: string;
  readonly decimals: number;
  /** Absent: shown, not judged. */
  readonly may?: Bound;
}

export interface Curve {
  readonly name: string;
  readonly description: string;
  /** What is counted: `readers`. */
  readonly sizeLabel: string;
  readonly sizes: readonly number[];
  readonly showSize?: (size: number) => string;
  readonly columns: readonly Column[];
  /** For one size. */
  readonly limitSeconds: number;
  measure(run: GrowthRun, size: number): Promise<Readonly<Record<string, number>>>;
}

/** Costs of one size; without them, why not. */
export interface Measured {
  readonly size: number;
  readonly costs: Readonly<Record<string, number>>;
  readonly failure?: string;
}

export interface CurveResult {
  readonly curve: Curve;
  readonly measured: readonly Measured[];
}
