// Turns results into Markdown for people and JSON for machines.
import { cpus, release, totalmem } from 'node:os';
import type { PeerName } from './peers/peer.ts';
import { figure, isGoalMet, type Metric, type ScenarioResult } from './scenario.ts';

const GOAL_MARK = { true: 'met', false: 'NOT MET', undecided: 'not measured' } as const;

/** For people; a dash for NaN. */
export function shown(value: number, decimals: number): string {
  return Number.isNaN(value)
    ? '–'
    : value.toLocaleString('en', { maximumFractionDigits: decimals, minimumFractionDigits: decimals });
}

function spread(result: ScenarioResult, peer: PeerName, metric: Metric): string {
  const samples = result.samples.get(peer)?.get(metric.samples) ?? [];
  if (samples.length < 2 || metric.statistic) return '';
  return ` (${shown(Math.min(...samples), metric.decimals)}–${shown(Math.max(...samples), metric.decimals)})`;
}

function ratio(result: ScenarioResult, metric: Metric, other: PeerName): string {
  const quotient = figure(result, 'larder', metric) / figure(result, other, metric);
  return Number.isFinite(quotient) ? `${shown(quotient, 2)}×` : '–';
}

function tableOf(result: ScenarioResult, peers: readonly PeerName[]): string[] {
  const others = peers.includes('larder') ? peers.filter((peer) => peer === 'nginx' || peer === 'rclone') : [];
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    row(['', ...peers, ...others.map((peer) => `larder/${peer}`)]),
    row(['---', ...peers.map(() => '--:'), ...others.map(() => '--:')]),
    ...result.scenario.metrics.map((metric) =>
      row([
        `${metric.label}${metric.unit ? ` [${metric.unit}]` : ''}`,
        ...peers.map((peer) => shown(figure(result, peer, metric), metric.decimals) + spread(result, peer, metric)),
        ...others.map((peer) => ratio(result, metric, peer)),
      ]),
    ),
  ];
}

/** One section: description, table, goals, failures. */
export function markdownOf(result: ScenarioResult, peers: readonly PeerName[]): string {
  const goals = result.scenario.goals.map((goal) => `- ${GOAL_MARK[`${isGoalMet(result, goal)}`]}: ${goal.text}`);
  const failures = [...result.failures].map(([who, reason]) => `- FAILED, ${who}: ${reason}`);
  return [
    `## ${result.scenario.name}`,
    result.scenario.description,
    '',
    ...tableOf(result, peers),
    '',
    ...goals,
    ...failures,
    '',
  ].join('\n');
}

export interface RunFacts {
  readonly startedAt: string;
  readonly rounds: number;
  readonly seed: number;
  readonly peers: readonly PeerName[];
  readonly versions: Readonly<Record<string, string>>;
}

export function machineLine(): string {
  const processors = cpus();
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  return `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}, ${memoryGiB} GiB, Linux ${release()}`;
}

export function jsonOf(facts: RunFacts, results: readonly ScenarioResult[]): string {
  const scenarios = results.map((result) => ({
    name: result.scenario.name,
    seconds: Math.round(result.seconds),
    failures: Object.fromEntries(result.failures),
    goals: result.scenario.goals.map((goal) => ({ text: goal.text, met: isGoalMet(result, goal) })),
    metrics: result.scenario.metrics.map((metric) => ({
      label: metric.label,
      unit: metric.unit,
      figures: Object.fromEntries(facts.peers.map((peer) => [peer, figure(result, peer, metric)])),
      samples: Object.fromEntries(
        facts.peers.map((peer) => [peer, result.samples.get(peer)?.get(metric.samples) ?? []]),
      ),
    })),
  }));
  return `${JSON.stringify({ machine: machineLine(), ...facts, scenarios }, undefined, 2)}\n`;
}
