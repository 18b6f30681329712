// How the appliance fares, in numbers: the same for the API and the pages.
import type { Clock } from '../clock.ts';
import type { Alert } from './alerts.ts';
import type { Totals } from './bookkeeper.ts';

export interface StatusServices {
  readonly version: string;
  readonly readers: () => readonly { readonly waiting: unknown }[];
  /** Requests to sources that have a connection, and that wait for one. */
  readonly jobs: () => { readonly running: number; readonly waiting: number };
  /** Entries that are to be fetched whole. */
  readonly countWished: () => Promise<number>;
  readonly space: () => {
    readonly capBytes: number;
    readonly floorBytes: number;
    readonly usedBytes: number;
    readonly reservedBytes: number;
    readonly freeBytes: number;
    readonly totalBytes: number;
  };
  readonly totals: () => Promise<Totals>;
  readonly alerts: () => Promise<readonly Alert[]>;
  readonly clock: Clock;
}

export interface Status {
  readonly version: string;
  readonly startedAtMs: number;
  readonly uptimeSeconds: number;
  readonly isWell: boolean;
  readonly readers: { readonly open: number; readonly waiting: number };
  readonly jobs: { readonly running: number; readonly waiting: number; readonly queued: number };
  readonly space: ReturnType<StatusServices['space']>;
  /** Share of the served bytes that came from the disk, 0 to 1; null as long as nothing was served. */
  readonly hitRatio: number | null;
  readonly totals: Totals;
  readonly alerts: readonly Alert[];
}

export class StatusReport {
  readonly #services: StatusServices;
  readonly #startedAtMs: number;
  readonly #startedMonotonicMs: number;

  constructor(services: StatusServices) {
    this.#services = services;
    this.#startedAtMs = services.clock.nowMs();
    this.#startedMonotonicMs = services.clock.monotonicMs();
  }

  async get(): Promise<Status> {
    const { version, readers, jobs, countWished, space, totals, alerts, clock } = this.#services;
    const counted = await totals();
    const open = await alerts();
    const reading = readers();
    const { capBytes, floorBytes, usedBytes, reservedBytes, freeBytes, totalBytes } = space();
    return {
      version,
      startedAtMs: this.#startedAtMs,
      uptimeSeconds: Math.floor((clock.monotonicMs() - this.#startedMonotonicMs) / 1_000),
      isWell: open.length === 0,
      readers: { open: reading.length, waiting: reading.filter((reader) => reader.waiting !== null).length },
      jobs: { ...jobs(), queued: await countWished() },
      space: { capBytes, floorBytes, usedBytes, reservedBytes, freeBytes, totalBytes },
      hitRatio: counted.servedBytes === 0 ? null : counted.servedFromDiskBytes / counted.servedBytes,
      totals: counted,
      alerts: open,
    };
  }
}
