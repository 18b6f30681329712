// What this Larder is: for its owner, and for a report that gives nothing of them away.
import { existsSync } from 'node:fs';
import { arch, cpus, release, type as systemType, totalmem } from 'node:os';
import type { Clock } from '../clock.ts';
import { describeBytes } from '../words.ts';
import type { Finding } from './doctor/finding.ts';

export type Installation = 'container' | 'binary' | 'source';

export interface AboutServices {
  readonly version: string;
  readonly commit: string | null;
  readonly target: string;
  readonly runtime: string;
  readonly schema: number;
  readonly dataFolder: string;
  readonly databaseFile: string;
  readonly chunkFolder: string;
  readonly isCompiled: boolean;
  readonly memoryBytes: () => number;
  readonly clock: Clock;
}

export interface About {
  readonly version: string;
  readonly commit: string | null;
  readonly target: string;
  readonly runtime: string;
  /** `Linux 6.18.0 x64, 2 processors, 8.2 GB`. */
  readonly system: string;
  readonly schema: number;
  readonly dataFolder: string;
  readonly databaseFile: string;
  readonly chunkFolder: string;
  readonly startedAtMs: number;
  readonly uptimeMs: number;
  readonly memoryBytes: number;
  readonly installation: Installation;
  /** How this kind of installation is brought up to date. */
  readonly updating: string;
}

const UPDATING: Readonly<Record<Installation, string>> = {
  container: 'Pull the new image and make the container anew on the same volume. What is kept stays.',
  binary: 'Put the new executable in the place of the old one and start Larder again. What is kept stays.',
  source: 'Get the new sources, build, and start Larder again. What is kept stays.',
};

export class AboutLarder {
  readonly #services: AboutServices;
  readonly #startedAtMs: number;
  readonly #startedAtMonotonicMs: number;

  constructor(services: AboutServices) {
    this.#services = services;
    this.#startedAtMs = services.clock.nowMs();
    this.#startedAtMonotonicMs = services.clock.monotonicMs();
  }

  about(): About {
    const { isCompiled, memoryBytes, clock, ...facts } = this.#services;
    const isContained = existsSync('/.dockerenv') || existsSync('/run/.containerenv');
    const installation = isContained ? 'container' : isCompiled ? 'binary' : 'source';
    const processors = cpus().length;
    return {
      ...facts,
      system: `${systemType()} ${release()} ${arch()}, ${processors} processor${processors === 1 ? '' : 's'}, ${describeBytes(totalmem())}`,
      startedAtMs: this.#startedAtMs,
      uptimeMs: clock.monotonicMs() - this.#startedAtMonotonicMs,
      memoryBytes: memoryBytes(),
      installation,
      updating: UPDATING[installation],
    };
  }
}

export interface SettingOfReport {
  readonly flag: string;
  readonly texts: readonly string[];
  readonly isSet: boolean;
  readonly isSecret: boolean;
  readonly origin: string;
  readonly input: { readonly kind: string };
}

const HOUR_MS = 3_600_000;

/** A block to paste into an issue: no paths, names, addresses or secrets. */
export function describeForIssue(
  about: About,
  settings: readonly SettingOfReport[],
  findings: readonly Finding[],
): string {
  const hours = (about.uptimeMs / HOUR_MS).toFixed(1);
  const lines = [
    `larder ${about.version}${about.commit === null ? '' : ` (${about.commit})`}, ${about.target}, ${about.installation}`,
    `${about.runtime}, schema ${about.schema}`,
    about.system,
    `up ${hours} h, ${describeBytes(about.memoryBytes)} of memory`,
    ...settings
      .filter(({ isSet }) => isSet)
      .map((setting) => `${setting.flag}: ${describeSetting(setting)} (${setting.origin})`),
    // Their words may hold names and addresses: only what was looked at is told.
    ...findings.filter(({ state }) => state !== 'ok').map(({ name, state }) => `doctor: ${name} ${state}`),
  ];
  return lines.join('\n');
}

function describeSetting({ input, isSecret, texts }: SettingOfReport): string {
  if (isSecret || input.kind === 'text') return 'set';
  return input.kind === 'list' ? `${texts.length} given` : texts.join(' ');
}
