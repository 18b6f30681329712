// Turns curves into Markdown for people and JSON for machines.
import { machineLine, shown } from '../report.ts';
import type { Column, Curve, CurveResult } from './curve.ts';
import { judge, permissionOf, type Verdict } from './verdict.ts';

export function sizeOf(curve: Curve, size: number): string {
  return curve.showSize?.(size) ?? size.toLocaleString('en');
}

function verdictOf({ measured }: CurveResult, { cost, may }: Column): Verdict | undefined {
  if (may === undefined) return undefined;
  return judge(
    measured.map(({ size, costs }) => ({ size, cost: costs[cost] ?? Number.NaN })),
    may,
  );
}

function verdictLine(result: CurveResult, column: Column): string[] {
  if (column.may === undefined) return [];
  const verdict = verdictOf(result, column);
  const mark = verdict === undefined ? 'not measured' : verdict.isMet ? 'met' : 'NOT MET';
  const seen = verdict === undefined ? '' : ` (${verdict.seen})`;
  return [`- ${mark}: ${column.label} ${permissionOf(column.may)}${seen}`];
}

/** One section: description, table, verdicts, failures. */
export function markdownOf(result: CurveResult): string {
  const { curve, measured } = result;
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    `## ${curve.name}`,
    curve.description,
    '',
    row([curve.sizeLabel, ...curve.columns.map(({ label, unit }) => (unit === '' ? label : `${label} [${unit}]`))]),
    row(['--:', ...curve.columns.map(() => '--:')]),
    ...measured.map(({ size, costs }) =>
      row([
        sizeOf(curve, size),
        ...curve.columns.map(({ cost, decimals }) => shown(costs[cost] ?? Number.NaN, decimals)),
      ]),
    ),
    '',
    ...curve.columns.flatMap((column) => verdictLine(result, column)),
    ...measured.flatMap(({ size, failure }) => (failure === undefined ? [] : [`- FAILED, ${size}: ${failure}`])),
    '',
  ].join('\n');
}

export interface GrowthFacts {
  readonly startedAt: string;
  readonly seed: number;
  readonly version: string;
}

export function jsonOf(facts: GrowthFacts, results: readonly CurveResult[]): string {
  const curves = results.map((result) => ({
    name: result.curve.name,
    measured: result.measured,
    verdicts: result.curve.columns.flatMap((column) => {
      if (column.may === undefined) return [];
      return [{ cost: column.cost, may: permissionOf(column.may), ...verdictOf(result, column) }];
    }),
  }));
  return `${JSON.stringify({ machine: machineLine(), ...facts, curves }, undefined, 2)}\n`;
}
