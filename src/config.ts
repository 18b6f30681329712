// Settings from flags, environment and file, in this order of precedence, each with where it came from. What is kept
// in the database comes after them and is added once the database is open; then the default.
import { parse as parseToml } from 'smol-toml';
import { describeError, LarderError } from './errors.ts';
import { options, type SettingName, type Settings, settingNames } from './options.ts';

export type SettingOrigin = 'flag' | 'environment' | 'file' | 'database' | 'default';

export interface Configuration {
  readonly settings: Settings;
  readonly origins: Readonly<Record<SettingName, SettingOrigin>>;
  /** What fixes a setting outside, as its owner wrote it: `--port`, `LARDER_PORT`, `port in /etc/larder.toml`. */
  readonly places: Readonly<Partial<Record<SettingName, string>>>;
  /** Things that are probably mistakes, in words. */
  readonly warnings: readonly string[];
}

export interface ConfigurationInput {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string;
}

const FILE_FLAG = 'config';
const FILE_VARIABLE = 'LARDER_CONFIG';

/** @throws LarderError `usage` that names the flag, variable or key at fault */
export function readConfiguration(input: ConfigurationInput): Configuration {
  const flags = readFlags(input.args);
  const variables = readVariables(input.environment);
  const file = flags.get(FILE_FLAG)?.at(-1) ?? input.environment[FILE_VARIABLE];
  const keys = file === undefined || file === '' ? new Map<string, string[]>() : readFile(file, input.readFile);

  const settings: Record<string, unknown> = {};
  const origins: Partial<Record<SettingName, SettingOrigin>> = {};
  const places: Partial<Record<SettingName, string>> = {};
  for (const name of settingNames) {
    const option = options[name];
    const layers: [SettingOrigin, readonly string[] | undefined, string][] = [
      ['flag', flags.get(option.flag), `--${option.flag}`],
      ['environment', variables.get(option.variable), option.variable],
      ['file', keys.get(option.flag), `${option.flag} in ${file}`],
    ];
    const layer = layers.find(([, texts]) => texts !== undefined);
    origins[name] = layer?.[0] ?? 'default';
    if (layer !== undefined) places[name] = layer[2];
    settings[name] = layer === undefined ? option.fallback : option.parse(layer[1]!, layer[2]);
  }
  return {
    settings: settings as unknown as Settings,
    origins: origins as Record<SettingName, SettingOrigin>,
    places,
    warnings: unknownVariables(input.environment),
  };
}

/**
 * Adds what the pages changed: only settings that nothing outside fixes. A value that does not read any more, written
 * by another version, is passed over with a warning: it must not keep Larder from starting.
 */
export function withStored(configuration: Configuration, stored: ReadonlyMap<string, unknown>): Configuration {
  const settings: Record<string, unknown> = { ...configuration.settings };
  const origins: Record<SettingName, SettingOrigin> = { ...configuration.origins };
  const warnings = [...configuration.warnings];
  for (const name of settingNames) {
    if (!options[name].stored || origins[name] !== 'default' || !stored.has(name)) continue;
    try {
      settings[name] = options[name].parse(textsOf(stored.get(name)), name);
      origins[name] = 'database';
    } catch (error) {
      warnings.push(`a stored setting is not valid and was left out: ${describeError(error)}`);
    }
  }
  return { ...configuration, settings: settings as unknown as Settings, origins, warnings };
}

/** A value of JSON as a setting's parser takes it: lists entry by entry, `true` and 5 as they are written. */
export function textsOf(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).map(String);
}

function readFlags(args: readonly string[]): Map<string, string[]> {
  const flags = new Map<string, string[]>();
  const known = new Set([FILE_FLAG, ...settingNames.map((name) => options[name].flag)]);
  for (let index = 0; index < args.length; index++) {
    const argument = args[index]!;
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(argument);
    if (match === null) {
      throw new LarderError('usage', `unexpected argument ${JSON.stringify(argument)}`, { hint: 'see larder help' });
    }
    const name = match[1]!;
    if (!known.has(name)) {
      const nearest = nearestOf(name, [...known]);
      throw new LarderError('usage', `unknown option --${name}`, {
        hint: nearest === null ? 'see larder help serve' : `did you mean --${nearest}?`,
      });
    }
    const secret = settingNames.find((setting) => options[setting].flag === name && options[setting].secret === true);
    if (secret !== undefined) {
      throw new LarderError('usage', `--${name} is not taken: other users of this machine can read command lines`, {
        hint: `set ${options[secret].variable}, or ${name} in the file given with --config`,
      });
    }
    const value = match[2] ?? args[++index];
    if (value === undefined || value === '')
      throw new LarderError('usage', `--${name} needs a value`, { hint: 'see larder help serve' });
    const isRepeatable = settingNames.some((setting) => options[setting].flag === name && options[setting].repeatable);
    flags.set(name, isRepeatable ? [...(flags.get(name) ?? []), value] : [value]);
  }
  return flags;
}

function readVariables(environment: ConfigurationInput['environment']): Map<string, string[]> {
  const variables = new Map<string, string[]>();
  for (const name of settingNames) {
    const { variable, repeatable } = options[name];
    const value = environment[variable];
    if (value === undefined || value === '') continue; // an empty variable is an unset one
    variables.set(variable, repeatable ? value.split(/\s+/).filter((part) => part !== '') : [value]);
  }
  return variables;
}

function readFile(path: string, read: (path: string) => string): Map<string, string[]> {
  const fail = (problem: string, hint: string): never => {
    throw new LarderError('usage', `--${FILE_FLAG} ${path}: ${problem}`, { hint });
  };
  let content = '';
  try {
    content = read(path);
  } catch (error) {
    fail(`cannot be read: ${describeError(error)}`, 'check the path and who may read it');
  }
  let parsed: unknown;
  try {
    parsed = path.toLowerCase().endsWith('.json') ? JSON.parse(content) : parseToml(content);
  } catch (error) {
    fail(
      `is not valid: ${describeError(error).split('\n', 1)[0]}`,
      'a file that ends in .json is read as JSON, any other as TOML',
    );
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return fail('holds no settings', 'write one setting a line, such as port = 8420');
  }
  const flags = settingNames.map((name) => options[name].flag);
  const keys = new Map<string, string[]>();
  for (const [key, value] of Object.entries(parsed)) {
    if (!flags.includes(key)) {
      const nearest = nearestOf(key, flags);
      fail(
        `unknown setting ${JSON.stringify(key)}`,
        nearest === null ? 'see larder help serve' : `did you mean ${nearest}?`,
      );
    }
    const values: unknown[] = Array.isArray(value) ? value : [value];
    const isRepeatable = settingNames.some((name) => options[name].flag === key && options[name].repeatable);
    if (Array.isArray(value) && !isRepeatable) fail(`${key} takes one value`, `write it as ${key} = "…"`);
    if (values.some((entry) => typeof entry === 'object')) fail(`${key} is a table`, `write it as ${key} = "…"`);
    keys.set(key, values.map(String));
  }
  return keys;
}

function unknownVariables(environment: ConfigurationInput['environment']): string[] {
  const known = [FILE_VARIABLE, ...settingNames.map((name) => options[name].variable)];
  return Object.keys(environment)
    .filter((name) => name.startsWith('LARDER_') && !known.includes(name))
    .map((name) => {
      const nearest = nearestOf(name, known);
      return `the environment variable ${name} is not known${nearest === null ? '' : `; did you mean ${nearest}?`}`;
    });
}

/** The known word that is at most a third of its letters (rounded up) away, or null. */
function nearestOf(word: string, known: readonly string[]): string | null {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .sort((left, right) => left.distance - right.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.ceil(best.candidate.length / 3) ? best.candidate : null;
}

/** Levenshtein distance. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const substitution = previous[column - 1]! + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(previous[column]! + 1, current[column - 1]! + 1, substitution));
    }
    previous = current;
  }
  return previous[right.length]!;
}
