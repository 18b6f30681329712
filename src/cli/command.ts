// What every command is given, and what it gives back.
import type { Worker } from 'node:worker_threads';
import type { Clock } from '../clock.ts';

export interface CommandContext {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** One line to standard output. */
  readonly print: (line: string) => void;
  /** One line to standard error. */
  readonly complain: (line: string) => void;
  readonly readFile: (path: string) => string;
  readonly clock: Clock;
  readonly processId: number;
  readonly startThread: (role: 'download' | 'upkeep', addonFile: string | null) => Worker;
  /** Resolves with the first of SIGTERM and SIGINT. */
  readonly stopSignal: Promise<string>;
}

export interface Command {
  readonly name: string;
  /** One line for the overview. */
  readonly summary: string;
  /** What `larder help NAME` prints below the usage line. */
  readonly describe: () => string;
  /** @returns the exit code: 0 done, 1 failed, 2 wrong usage */
  readonly run: (context: CommandContext) => Promise<number>;
}
