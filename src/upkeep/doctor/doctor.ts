// Runs the checks of a running Larder when somebody asks, and not more often than is of use: they write to the disk.
import type { Clock } from '../../clock.ts';
import { type Check, type CheckedFinding, type FindingState, runChecks } from './finding.ts';

export interface Diagnosis {
  readonly findings: readonly CheckedFinding[];
  readonly checkedAtMs: number;
  /** The worst of the findings. What is unknown does not count. */
  readonly state: Exclude<FindingState, 'unknown'>;
}

/** Findings are given again for so long. */
const FRESH_MS = 10_000;

export class Doctor {
  readonly #checks: readonly Check[];
  readonly #clock: Clock;
  #latest: Diagnosis | null = null;
  #running: Promise<Diagnosis> | null = null;

  constructor(checks: readonly Check[], clock: Clock) {
    this.#checks = checks;
    this.#clock = clock;
  }

  /** @param again checks anew whatever is known */
  diagnose(again = false): Promise<Diagnosis> {
    const latest = this.#latest;
    const isFresh = latest !== null && Math.abs(this.#clock.nowMs() - latest.checkedAtMs) < FRESH_MS;
    if (isFresh && !again) return Promise.resolve(latest);
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #run(): Promise<Diagnosis> {
    const findings = await runChecks(this.#checks, this.#clock);
    this.#latest = { findings, checkedAtMs: this.#clock.nowMs(), state: worstOf(findings) };
    return this.#latest;
  }
}

export function worstOf(findings: readonly { readonly state: FindingState }[]): Diagnosis['state'] {
  if (findings.some(({ state }) => state === 'failed')) return 'failed';
  return findings.some(({ state }) => state === 'warning') ? 'warning' : 'ok';
}
