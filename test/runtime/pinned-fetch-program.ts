// Starts pinned-fetch-thread.ts, on whatever runtime it is itself started with, and prints what it found as JSON.
import process from 'node:process';
import { Worker } from 'node:worker_threads';

const thread = new Worker(new URL('./pinned-fetch-thread.ts', import.meta.url), {
  workerData: JSON.parse(process.argv[2] ?? ''),
});
thread.once('message', (findings) => {
  process.stdout.write(`${JSON.stringify(findings)}\n`, () => process.exit(0));
});
thread.once('error', (error) => {
  process.stderr.write(`${error}\n`, () => process.exit(1));
});
