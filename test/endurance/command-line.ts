// The command lines of the endurance runs: whole numbers with a default, and switches.
import { parseArgs } from 'node:util';

export interface NumberFlag {
  readonly fallback: number;
  readonly says: string;
}

/** Reads the flags, or prints the usage and ends the process with 2. */
export function readFlags<Name extends string, Switch extends string>(
  script: string,
  numbers: Readonly<Record<Name, NumberFlag>>,
  switches: Readonly<Record<Switch, string>>,
): Readonly<Record<Name, number>> & Readonly<Record<Switch, boolean>> {
  const entries = Object.entries<NumberFlag>(numbers);
  try {
    const { values } = parseArgs({
      options: Object.fromEntries<{ type: 'string' | 'boolean' }>([
        ...entries.map(([name]) => [name, { type: 'string' }] as const),
        ...Object.keys(switches).map((name) => [name, { type: 'boolean' }] as const),
      ]),
    });
    const read = entries.map(([name, { fallback }]) => {
      const value = Number(values[name] ?? fallback);
      if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} ${values[name]} is no whole number`);
      return [name, value] as const;
    });
    const set = Object.keys(switches).map((name) => [name, values[name] === true] as const);
    return Object.fromEntries<number | boolean>([...read, ...set]) as never;
  } catch (error) {
    const lines = [
      ...entries.map(([name, { fallback, says }]) => `${`  --${name} N`.padEnd(20)}${says}, default ${fallback}`),
      ...Object.entries<string>(switches).map(([name, says]) => `${`  --${name}`.padEnd(20)}${says}`),
    ];
    console.error(
      `${error instanceof Error ? error.message : error}\n\nnpm run ${script} -- [options]\n${lines.join('\n')}`,
    );
    return process.exit(2);
  }
}
