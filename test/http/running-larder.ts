// A whole appliance in this process, with real sockets, files, database and threads, in a folder of its own.
import { Worker } from 'node:worker_threads';
import { type Appliance, startAppliance } from '../../src/appliance.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { type Configuration, readConfiguration } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { type SignedIn, signedIn } from '../support/owner.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

export interface RunningLarder extends AsyncDisposable {
  readonly port: number;
  readonly dataFolder: string;
  /** Who may open the pages: `larder.owner.headers` for requests, `larder.owner.signIn(context, port)` for browsers. */
  readonly owner: SignedIn;
  /** Lines of its log so far. */
  readonly log: readonly string[];
  /** Threads that were started so far. */
  readonly threads: readonly Worker[];
  stop(): Promise<void>;
  /** Stops it and starts it again on the same folder; the port changes. */
  restart(args?: readonly string[]): Promise<void>;
}

export interface RunningLarderOptions {
  readonly args?: readonly string[];
  readonly clock?: Clock;
  /** Nobody owns it yet: the first run is ahead. */
  readonly isUnclaimed?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly startThread?: (role: 'download' | 'upkeep') => Worker;
}

export async function startLarder(options: RunningLarderOptions = {}): Promise<RunningLarder> {
  const folder: TemporaryFolder = await temporaryFolder();
  const log: string[] = [];
  const threads: Worker[] = [];
  const clock = options.clock ?? systemClock;

  function startThread(role: 'download' | 'upkeep'): Worker {
    const thread =
      options.startThread?.(role) ??
      new Worker(new URL('../../src/worker.ts', import.meta.url), { workerData: { role, addonFile: null } });
    threads.push(thread);
    return thread;
  }

  function configurationOf(args: readonly string[]): Configuration {
    return readConfiguration({
      args: ['--data', folder.path, '--host', '127.0.0.1', '--port', '0', '--sync-every', '0', ...args],
      environment: options.environment ?? {},
      readFile: () => '',
    });
  }

  function start(args: readonly string[]): Promise<Appliance> {
    const configuration = configurationOf(args);
    return startAppliance({
      configuration,
      version: 'test',
      processId: process.pid,
      clock,
      log: createLog({ level: 'debug', write: (line) => log.push(line), nowMs: () => clock.nowMs() }),
      startThread,
    });
  }

  let appliance: Appliance | null = await start(options.args ?? []).catch(async (error: unknown) => {
    await folder[Symbol.asyncDispose]();
    throw error;
  });
  // A disk or a database that takes nothing has no owner: such a test opens no pages.
  const owner = options.isUnclaimed
    ? null
    : await signedIn(configurationOf(options.args ?? []).settings.data).catch((error: unknown) => error as Error);
  const stop = async () => {
    const running = appliance;
    appliance = null;
    await running?.stop();
  };
  return {
    get port() {
      return appliance?.port ?? 0;
    },
    dataFolder: folder.path,
    get owner() {
      if (owner === null || owner instanceof Error) throw owner ?? new Error('nobody owns this Larder');
      return owner;
    },
    log,
    threads,
    stop,
    async restart(args = options.args ?? []) {
      await stop();
      appliance = await start(args);
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}
