// The program's entry. The address of worker.ts must be computed here, beside it, to survive compiling.
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { runCommandLine } from './cli/run.ts';
import { systemClock } from './clock.ts';
import { processEnvironment } from './runtime/process-environment.ts';

const stopSignal = new Promise<string>((resolve) => {
  // The first one stops it; those after it change nothing.
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => resolve(signal));
});

// A last line of defence: a promise that nobody handles is a mistake of ours, and no reason to cut off every player.
process.on('unhandledRejection', (reason) => {
  process.stderr.write(`larder: unhandled rejection: ${reason instanceof Error ? reason.stack : String(reason)}\n`);
});

const exitCode = await runCommandLine({
  args: process.argv.slice(2),
  environment: processEnvironment(),
  print: (line) => process.stdout.write(`${line}\n`),
  complain: (line) => process.stderr.write(`${line}\n`),
  readFile: (path) => readFileSync(path, 'utf8'),
  clock: systemClock,
  processId: process.pid,
  startThread: (role, addonFile) =>
    new Worker(new URL('./worker.ts', import.meta.url), { workerData: { role, addonFile } }),
  stopSignal,
});
process.exit(exitCode);
