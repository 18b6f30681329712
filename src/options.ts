// Every setting of the program, in one table: it feeds the parsing of flags, environment and file, the built-in help,
// the README's table and the pages.
import { LarderError } from './errors.ts';
import type { LogLevel } from './log.ts';

/** Bytes, or a share of the disk from 0 to 1. */
export type SizeOrShare = { readonly bytes: number } | { readonly share: number };

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
  /** Null: derived from the disk at the first start. */
  readonly cacheSize: SizeOrShare | null;
  readonly keepFree: SizeOrShare | null;
  /** Milliseconds. */
  readonly recheckAfter: number;
  /** Bytes per second; 0 is off. */
  readonly verifyRate: number;
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

/** `64MiB`, `1.5 GB`, `4096`: bytes; not a number for anything else. */
function readBytes(value: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?$/i.exec(value.trim());
  return match === null ? Number.NaN : Math.round(Number(match[1]) * UNITS[(match[2] ?? '').toLowerCase()]!);
}

/** A size, a share of the disk (`60%`), or `auto`. */
const sizeOrShare: Option<SizeOrShare | null>['parse'] = (texts, where) => {
  const value = (texts.at(-1) ?? '').trim();
  if (value === 'auto') return null;
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(value);
  const share = percent === null ? Number.NaN : Number(percent[1]) / 100;
  if (share <= 1) return { share };
  const bytes = readBytes(value);
  if (Number.isSafeInteger(bytes)) return { bytes };
  return reject(
    where,
    `${JSON.stringify(value)} is neither a size nor a share of the disk`,
    'write 500GB, 60% or auto',
  );
};

const TIME_UNITS_MS: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3 };

/** `90s`, `10m`, `1h`, `7d`: milliseconds. */
function timeSpan(mostMs: number): Option<number>['parse'] {
  return (texts, where) => {
    const value = (texts.at(-1) ?? '').trim();
    const match = /^(\d+)\s*([smhd])$/.exec(value);
    const ms = match === null ? (value === '0' ? 0 : Number.NaN) : Number(match[1]) * TIME_UNITS_MS[match[2]!]!;
    if (!(ms <= mostMs))
      reject(where, `${JSON.stringify(value)} is not a time`, 'write a number with s, m, h or d, such as 1h');
    return ms;
  };
}

function byteCount(least: number, most: number): Option<number>['parse'] {
  return (texts, where) => {
    const value = texts.at(-1) ?? '';
    const bytes = readBytes(value);
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
  cacheSize: {
    flag: 'cache-size',
    variable: 'LARDER_CACHE_SIZE',
    placeholder: 'SIZE|PERCENT|auto',
    description:
      'Cached bytes at most, those being fetched included: a size, or a share of the disk. What was not used for longest goes first; what is pinned or being read stays. auto is the smaller of 80 % of what was free at the first start and the disk less 10 %.',
    fallback: null,
    repeatable: false,
    stored: false,
    parse: sizeOrShare,
  },
  keepFree: {
    flag: 'keep-free',
    variable: 'LARDER_KEEP_FREE',
    placeholder: 'SIZE|PERCENT|auto',
    description:
      'Bytes of the disk that stay free, whoever fills it. auto is the smaller of 5 % of the disk and 10 GiB.',
    fallback: null,
    repeatable: false,
    stored: false,
    parse: sizeOrShare,
  },
  recheckAfter: {
    flag: 'recheck-after',
    variable: 'LARDER_RECHECK_AFTER',
    placeholder: 'TIME',
    description:
      'When a file is opened and its origin was not asked for this long, it is asked whether the file has changed; nobody waits for the answer. 0 asks at each open.',
    fallback: 3_600_000,
    repeatable: false,
    stored: false,
    parse: timeSpan(365 * 86_400e3),
  },
  verifyRate: {
    flag: 'verify-rate',
    variable: 'LARDER_VERIFY_RATE',
    placeholder: 'SIZE',
    description:
      'Bytes per second at which all that is kept is compared with its checksums in the background, about once a month. 0 turns that off; what is first read after a start is compared all the same.',
    fallback: 8 * 2 ** 20,
    repeatable: false,
    stored: false,
    parse: byteCount(0, 2 ** 36),
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
  if (name === 'recheckAfter') return `${Number(value) / TIME_UNITS_MS.h!}h`;
  if (value === null) return 'auto';
  if (name === 'readAhead' || name === 'verifyRate') return `${Number(value) / 2 ** 20}MiB`;
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return Array.isArray(value) || value === '' ? 'none' : String(value);
}
