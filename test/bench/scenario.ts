// What a scenario is: one file with a name, a description, what it reports, what is wanted of it, and how it is run.
import type { PeerName } from './peers/peer.ts';
import type { ScenarioRun } from './scenario-run.ts';
import { median } from './statistics.ts';

export interface Metric {
  /** Key under which the run records samples. */
  readonly samples: string;
  readonly label: string;
  readonly unit: string;
  readonly decimals: number;
  /** Of all samples of a peer; the median when absent. */
  readonly statistic?: (samples: readonly number[]) => number;
}

/** The statistic of a metric for a peer. Missing figures make the goal undecided, so a goal need not look for them. */
export type FigureOf = (peer: PeerName, label: string) => number;

export interface Goal {
  readonly text: string;
  readonly holds: (figureOf: FigureOf) => boolean;
}

export interface Scenario {
  readonly name: string;
  readonly description: string;
  readonly metrics: readonly Metric[];
  readonly goals: readonly Goal[];
  readonly limitSeconds: number;
  run(run: ScenarioRun): Promise<void>;
}

export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly seconds: number;
  /** By peer, then by the metric's samples key. */
  readonly samples: ReadonlyMap<PeerName, ReadonlyMap<string, readonly number[]>>;
  readonly failures: ReadonlyMap<PeerName | 'scenario', string>;
}

/** NaN when nothing was recorded. */
export function figure(result: ScenarioResult, peer: PeerName, metric: Metric): number {
  const samples = result.samples.get(peer)?.get(metric.samples) ?? [];
  return samples.length === 0 ? Number.NaN : (metric.statistic ?? median)(samples);
}

export function isGoalMet(result: ScenarioResult, goal: Goal): boolean | 'undecided' {
  let isMissing = false;
  const holds = goal.holds((peer, label) => {
    const metric = result.scenario.metrics.find((candidate) => candidate.label === label);
    if (!metric) throw new Error(`${result.scenario.name} has no metric "${label}"`);
    const value = figure(result, peer, metric);
    if (Number.isNaN(value)) isMissing = true;
    return value;
  });
  return isMissing ? 'undecided' : holds;
}
