// The command lines of the endurance runs: whole numbers with a default, switches, and words to choose from.
import { parseArgs } from 'node:util';

export interface NumberFlag {
  readonly fallback: number;
  readonly says: string;
}

/** Reads the flags, or prints the usage and ends the process with 2. */
export function readFlags<Name extends string, Switch extends string, Choice extends string = never>(
  script: string,
  numbers: Readonly<Record<Name, NumberFlag>>,
  switches: Readonly<Record<Switch, string>>,
  choices?: Readonly<Record<Choice, readonly [string, ...string[]]>>,
): Readonly<Record<Name, number>> & Readonly<Record<Switch, boolean>> & Readonly<Record<Choice, string>> {
  const entries = Object.entries<NumberFlag>(numbers);
  const words = Object.entries<readonly [string, ...string[]]>(choices ?? {});
  try {
    const { values } = parseArgs({
      options: Object.fromEntries<{ type: 'string' | 'boolean' }>([
        ...[...entries, ...words].map(([name]) => [name, { type: 'string' }] as const),
        ...Object.keys(switches).map((name) => [name, { type: 'boolean' }] as const),
      ]),
    });
    const read = entries.map(([name, { fallback }]) => {
      const value = Number(values[name] ?? fallback);
      if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} ${values[name]} is no whole number`);
      return [name, value] as const;
    });
    const set = Object.keys(switches).map((name) => [name, values[name] === true] as const);
    const chosen = words.map(([name, known]) => {
      const value = String(values[name] ?? known[0]);
      if (!known.includes(value)) throw new Error(`--${name} ${value} is none of ${known.join(', ')}`);
      return [name, value] as const;
    });
    return Object.fromEntries<number | boolean | string>([...read, ...set, ...chosen]) as never;
  } catch (error) {
    const lines = [
      ...words.map(([name, known]) => `${`  --${name} WORD`.padEnd(20)}${known.join(' or ')}, default ${known[0]}`),
      ...entries.map(([name, { fallback, says }]) => `${`  --${name} N`.padEnd(20)}${says}, default ${fallback}`),
      ...Object.entries<string>(switches).map(([name, says]) => `${`  --${name}`.padEnd(20)}${says}`),
    ];
    console.error(
      `${error instanceof Error ? error.message : error}\n\nnpm run ${script} -- [options]\n${lines.join('\n')}`,
    );
    return process.exit(2);
  }
}
