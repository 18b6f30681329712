// A command of Larder in this process, with what it printed.
import { readFileSync } from 'node:fs';
import { runCommandLine } from '../../src/cli/run.ts';
import { systemClock } from '../../src/clock.ts';

export interface CommandResult {
  readonly code: number;
  readonly printed: readonly string[];
  readonly complained: readonly string[];
}

export async function commandLine(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const printed: string[] = [];
  const complained: string[] = [];
  const code = await runCommandLine({
    args,
    environment,
    print: (line) => printed.push(line),
    complain: (line) => complained.push(line),
    readFile: (path) => readFileSync(path, 'utf8'),
    clock: systemClock,
    processId: process.pid,
    startThread: () => {
      throw new Error('a command that needs no thread started one');
    },
    stopSignal: new Promise(() => undefined),
  });
  return { code, printed, complained };
}
