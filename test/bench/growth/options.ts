// The command line of the growth curves.
import { parseArgs } from 'node:util';
import { wholeNumber } from '../options.ts';

export const USAGE = `npm run growth -- [options]
  --curve NAME      only this curve; repeatable (see --list)
  --up-to N         leave out sizes beyond N (files: bytes)
  --json FILE       also write all figures and verdicts as JSON
  --folder DIR      where the temporary folder is made, default the system's; it needs about 8 GB
  --seed N          another choice of offsets
  --quiet           print only the tables
  --list            name the curves`;

export interface GrowthOptions {
  readonly curveNames: readonly string[];
  readonly mostSize: number;
  readonly seed: number;
  readonly jsonFile: string | undefined;
  readonly folder: string | undefined;
  readonly isQuiet: boolean;
  readonly isListing: boolean;
}

/** Throws one clear line for anything that cannot be obeyed. */
export function parseOptions(commandLine: readonly string[]): GrowthOptions {
  const { values } = parseArgs({
    args: [...commandLine],
    options: {
      curve: { type: 'string', multiple: true, default: [] },
      'up-to': { type: 'string', default: String(Number.MAX_SAFE_INTEGER) },
      seed: { type: 'string', default: '1' },
      json: { type: 'string' },
      folder: { type: 'string' },
      quiet: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  });
  return {
    curveNames: values.curve,
    mostSize: wholeNumber(values['up-to'], '--up-to', 1),
    seed: wholeNumber(values.seed, '--seed', 0),
    jsonFile: values.json,
    folder: values.folder,
    isQuiet: values.quiet,
    isListing: values.list,
  };
}
