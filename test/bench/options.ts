// The bench's own command line.
import { parseArgs } from 'node:util';
import { PEER_NAMES, type PeerName } from './peers/peer.ts';

export const USAGE = `npm run bench -- [options]
  --scenario NAME   only this scenario; repeatable (see --list)
  --only NAMES      comma-separated: ${PEER_NAMES.join(',')}
  --rounds N        rounds per scenario, default 5
  --json FILE       also write the figures and all samples as JSON
  --folder DIR      where the temporary folder is made, default the system's; it needs about 8 GB
  --seed N          another choice of offsets
  --quiet           print only the tables
  --list            name the scenarios`;

export interface BenchOptions {
  readonly scenarioNames: readonly string[];
  readonly peerNames: readonly PeerName[];
  readonly rounds: number;
  readonly seed: number;
  readonly jsonFile: string | undefined;
  readonly folder: string | undefined;
  readonly isQuiet: boolean;
  readonly isListing: boolean;
}

/** @throws Error in one clear line */
export function wholeNumber(text: string, flag: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(`${flag} is "${text}", it must be a whole number from ${least}`);
  return value;
}

/** Throws one clear line for anything that cannot be obeyed. */
export function parseOptions(commandLine: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...commandLine],
    options: {
      scenario: { type: 'string', multiple: true, default: [] },
      only: { type: 'string', default: PEER_NAMES.join(',') },
      rounds: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string' },
      folder: { type: 'string' },
      quiet: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  });
  const wanted = values.only.split(',');
  const unknown = wanted.find((name) => !PEER_NAMES.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`--only names "${unknown}", known are ${PEER_NAMES.join(', ')}`);
  return {
    scenarioNames: values.scenario,
    peerNames: PEER_NAMES.filter((name) => wanted.includes(name)),
    rounds: wholeNumber(values.rounds, '--rounds', 1),
    seed: wholeNumber(values.seed, '--seed', 0),
    jsonFile: values.json,
    folder: values.folder,
    isQuiet: values.quiet,
    isListing: values.list,
  };
}
