// What an appliance is made from.
import type { Worker } from 'node:worker_threads';
import type { Clock } from '../clock.ts';
import type { Configuration } from '../config.ts';
import type { Log, LogLevel } from '../log.ts';

export interface ApplianceOptions {
  readonly configuration: Configuration;
  readonly version: string;
  readonly processId: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly setLogLevel?: (level: LogLevel) => void;
  readonly startThread: (role: 'download' | 'upkeep') => Worker;
}
