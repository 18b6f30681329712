// Every setting of the program, in one table: it feeds the parsing of flags, environment and file, the built-in help,
// the README's table and the pages.
import { LarderError } from './errors.ts';
import type { LogLevel } from './log.ts';

export interface Settings {
  readonly data: string;
  readonly host: string;
  readonly port: number;
  /** `NAME=URL` each. */
  readonly source: readonly string[];
  readonly basePath: string;
  readonly allowedHosts: readonly string[];
  readonly streamAccess: 'private' | 'all';
  readonly threads: number;
  readonly connectionsPerSource: number;
  readonly connectionsTotal: number;
  readonly readAhead: number;
  readonly backgroundFill: boolean;
  readonly logLevel: LogLevel;
}

export type SettingName = keyof Settings;

interface Option<Value> {
  readonly flag: string;
  readonly variable: string;
  /** Stands for the value in the help. */
  readonly placeholder: string;
  readonly description: string;
  readonly fallback: Value;
  /** `flag` may be given several times; in the environment values are separated by spaces. */
  readonly repeatable: boolean;
  /** Can be changed on the pages while running; such a change is kept in the database. */
  readonly stored: boolean;
  /** @throws LarderError `usage` */
  readonly parse: (texts: readonly string[], where: string) => Value;
}

type OptionTable = { readonly [Name in SettingName]: Option<Settings[Name]> };

function reject(where: string, problem: string, hint: string): never {
  throw new LarderError('usage', `${where}: ${problem}`, { hint });
}

function text(check?: (value: string) => string | null): Option<string>['parse'] {
  return (texts, where) => {
    const value = texts.at(-1) ?? '';
    const problem = check?.(value) ?? null;
    if (problem !== null) reject(where, `${JSON.stringify(value)} ${problem}`, 'see larder help serve');
    return value;
  };
}

function wholeNumber(least: number, most: number): Option<number>['parse'] {
  return (texts, where) => {
    const value = texts.at(-1) ?? '';
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= least && number <= most)) {
      reject(
        where,
        `${JSON.stringify(value)} is not a whole number from ${least} to ${most}`,
        `give one, such as ${least}`,
      );
    }
    return number;
  };
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};

/** `64MiB`, `1.5 GB`, `4096`: bytes. */
function byteCount(least: number, most: number): Option<number>['parse'] {
  return (texts, where) => {
    const value = texts.at(-1) ?? '';
    const match = /^(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?$/i.exec(value.trim());
    const bytes = match === null ? Number.NaN : Math.round(Number(match[1]) * UNITS[(match[2] ?? '').toLowerCase()]!);
    if (!(bytes >= least && bytes <= most)) {
      reject(
        where,
        `${JSON.stringify(value)} is not a size from ${least} to ${most} bytes`,
        'write a number with a unit, such as 64MiB',
      );
    }
    return bytes;
  };
}

function oneOf<Word extends string>(...words: readonly Word[]): Option<Word>['parse'] {
  return (texts, where) => {
    const value = texts.at(-1) ?? '';
    const word = words.find((candidate) => candidate === value);
    return word ?? reject(where, `${JSON.stringify(value)} is not one of ${words.join(', ')}`, `use one of them`);
  };
}

const onOrOff: Option<boolean>['parse'] = (texts, where) => {
  const value = (texts.at(-1) ?? '').toLowerCase();
  if (['on', 'true', 'yes', '1'].includes(value)) return true;
  if (['off', 'false', 'no', '0'].includes(value)) return false;
  return reject(where, `${JSON.stringify(value)} is neither on nor off`, 'write on or off');
};

const list: Option<readonly string[]>['parse'] = (texts) => texts.filter((entry) => entry !== '');

export const options: OptionTable = {
  data: {
    flag: 'data',
    variable: 'LARDER_DATA',
    placeholder: 'DIR',
    description: 'State and cached bytes: database, chunks, backups. Made when missing.',
    fallback: './larder-data',
    repeatable: false,
    stored: false,
    parse: text((value) => (value.includes('\0') ? 'is not a path' : null)),
  },
  host: {
    flag: 'host',
    variable: 'LARDER_HOST',
    placeholder: 'ADDR',
    description: 'Address to listen on.',
    fallback: '0.0.0.0',
    repeatable: false,
    stored: false,
    parse: text((value) => (/^[\w.:%-]+$/.test(value) ? null : 'is not an address')),
  },
  port: {
    flag: 'port',
    variable: 'LARDER_PORT',
    placeholder: 'N',
    description: 'Port to listen on; 0 takes any free one and prints it.',
    fallback: 8420,
    repeatable: false,
    stored: false,
    parse: wholeNumber(0, 65_535),
  },
  source: {
    flag: 'source',
    variable: 'LARDER_SOURCE',
    placeholder: 'NAME=URL',
    description:
      'Declare an HTTP source: the files below URL are streamed at /s/NAME/…. May be given several times; an existing NAME gets the new URL. User and password may stand in the URL; they are never stored.',
    fallback: [],
    repeatable: true,
    stored: false,
    parse: list,
  },
  basePath: {
    flag: 'base-path',
    variable: 'LARDER_BASE_PATH',
    placeholder: 'PATH',
    description: 'Path below which a reverse proxy serves Larder, such as /larder.',
    fallback: '',
    repeatable: false,
    stored: false,
    parse: (texts, where) => {
      const value = (texts.at(-1) ?? '').replace(/\/+$/, '');
      if (value !== '' && !/^(\/[\w.~-]+)+$/.test(value))
        reject(where, `${JSON.stringify(value)} is not a path`, 'write it as /larder');
      return value;
    },
  },
  allowedHosts: {
    flag: 'allowed-host',
    variable: 'LARDER_ALLOWED_HOSTS',
    placeholder: 'NAME',
    description:
      'Name under which the pages may be asked for, besides this machine’s addresses and localhost. May be given several times.',
    fallback: [],
    repeatable: true,
    stored: false,
    parse: (texts) => list(texts, '').map((name) => name.toLowerCase()),
  },
  streamAccess: {
    flag: 'stream-access',
    variable: 'LARDER_STREAM_ACCESS',
    placeholder: 'private|all',
    description: 'Who may play streams: clients on private networks, or everybody who can reach the port.',
    fallback: 'private',
    repeatable: false,
    stored: false,
    parse: oneOf('private', 'all'),
  },
  threads: {
    flag: 'threads',
    variable: 'LARDER_THREADS',
    placeholder: 'N',
    description: 'Download threads at most; they start when needed.',
    fallback: 2,
    repeatable: false,
    stored: false,
    parse: wholeNumber(1, 16),
  },
  connectionsPerSource: {
    flag: 'connections-per-source',
    variable: 'LARDER_CONNECTIONS_PER_SOURCE',
    placeholder: 'N',
    description: 'Requests to one source at the same time, at most.',
    fallback: 3,
    repeatable: false,
    stored: false,
    parse: wholeNumber(1, 64),
  },
  connectionsTotal: {
    flag: 'connections-total',
    variable: 'LARDER_CONNECTIONS_TOTAL',
    placeholder: 'N',
    description: 'Requests to all sources at the same time, at most.',
    fallback: 24,
    repeatable: false,
    stored: false,
    parse: wholeNumber(1, 256),
  },
  readAhead: {
    flag: 'read-ahead',
    variable: 'LARDER_READ_AHEAD',
    placeholder: 'SIZE',
    description: 'How far the fetch runs ahead of a reader at most. It starts small and grows with what is played.',
    fallback: 64 * 2 ** 20,
    repeatable: false,
    stored: false,
    parse: byteCount(2 ** 20, 2 ** 36),
  },
  backgroundFill: {
    flag: 'background-fill',
    variable: 'LARDER_BACKGROUND_FILL',
    placeholder: 'on|off',
    description: 'Fetch the rest of what was played in the background, when nothing more urgent needs the source.',
    fallback: false,
    repeatable: false,
    stored: true,
    parse: onOrOff,
  },
  logLevel: {
    flag: 'log-level',
    variable: 'LARDER_LOG_LEVEL',
    placeholder: 'LEVEL',
    description: 'Least severe lines written to standard error: debug, info, warning or error.',
    fallback: 'info',
    repeatable: false,
    stored: false,
    parse: oneOf('debug', 'info', 'warning', 'error'),
  },
};

export const settingNames = Object.keys(options) as readonly SettingName[];

/** How a fallback reads in help and README. */
export function describeFallback(name: SettingName): string {
  const value = options[name].fallback;
  if (name === 'readAhead') return `${Number(value) / 2 ** 20}MiB`;
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return Array.isArray(value) || value === '' ? 'none' : String(value);
}
