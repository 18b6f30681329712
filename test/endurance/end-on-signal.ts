// Ctrl-C in the middle of a run: programs that were started end with this process (larder-process.ts), and the
// temporary folder goes.
import { rmSync } from 'node:fs';

export function endOnSignal(folder: string): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
      process.exit(1);
    });
  }
}
