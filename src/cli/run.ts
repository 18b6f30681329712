// Finds the command, runs it, and turns what it throws into words and an exit code.
import { describeError, LarderError } from '../errors.ts';
import type { Command, CommandContext } from './command.ts';
import { demo } from './demo.ts';
import { doctor } from './doctor.ts';
import { serve } from './serve.ts';
import { token } from './token.ts';
import { verify } from './verify.ts';
import { version } from './version.ts';

const commands: readonly Command[] = [serve, demo, doctor, token, verify, version];

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

export async function runCommandLine(context: CommandContext): Promise<number> {
  try {
    const [first, ...rest] = context.args;
    if (first === undefined || (first.startsWith('--') && first !== '--help' && first !== '--version')) {
      return await serve.run(context);
    }
    if (first === 'help' || first === '--help' || first === '-h') return help(context, rest);
    if (first === '--version') return await version.run({ ...context, args: [] });
    const command = find(first);
    if (rest.includes('--help') || rest.includes('-h')) return help(context, [first]);
    return await command.run({ ...context, args: rest });
  } catch (error) {
    const known = error instanceof LarderError;
    const hint = known && error.hint !== undefined ? ` (${error.hint})` : '';
    context.complain(`larder: ${describeError(error)}${hint}`);
    return known && error.code === 'usage' ? EXIT_USAGE : EXIT_FAILED;
  }
}

function find(name: string): Command {
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  throw new LarderError('usage', `there is no command ${JSON.stringify(name)}`, {
    hint: `commands are ${commands.map((candidate) => candidate.name).join(', ')} and help`,
  });
}

function help(context: CommandContext, args: readonly string[]): number {
  const [name] = args;
  if (name !== undefined) {
    const command = find(name);
    context.print(`larder ${command.name}: ${command.summary}\n\n${command.describe()}`);
    return 0;
  }
  const width = Math.max(...commands.map((command) => command.name.length));
  const lines = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  context.print(`Larder keeps your media close: what is fetched once is kept and served at full speed.

Usage: larder [COMMAND] [OPTIONS]

${lines.join('\n')}
  ${'help'.padEnd(width)}  this page; larder help COMMAND explains one

Exit codes: 0 done, 1 failed, 2 wrong usage.`);
  return 0;
}
