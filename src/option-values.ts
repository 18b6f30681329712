// Kinds of values that a setting may have. Each reads texts as they stand in flags, environment, file and forms, and
// writes a value back as texts that read the same.
import ipaddr from 'ipaddr.js';
import { LarderError } from './errors.ts';

/** Bytes, or a share of the disk from 0 to 1. */
export type SizeOrShare = { readonly bytes: number } | { readonly share: number };

/** What a form shows to take a value of this kind. */
export type Input =
  | { readonly kind: 'text' | 'list' | 'switch' | 'size' | 'size or share' | 'time' }
  | { readonly kind: 'number'; readonly least: number; readonly most: number }
  | { readonly kind: 'choice'; readonly choices: readonly string[] };

export interface ValueKind<Value> {
  /** @throws LarderError `usage` that names `where` */
  readonly parse: (texts: readonly string[], where: string) => Value;
  /** `parse(format(value))` is `value`. */
  readonly format: (value: Value) => readonly string[];
  readonly input: Input;
}

/** Says what is wrong with a value in words that go on behind it, such as `is not a path`; null when nothing is. */
type Check = (value: string) => string | null;

function reject(where: string, problem: string, hint: string): never {
  throw new LarderError('usage', `${where}: ${problem}`, { hint });
}

function checked(value: string, where: string, check: Check | undefined): string {
  const problem = check?.(value) ?? null;
  if (problem === null) return value;
  const [fault, hint = 'see larder help serve'] = problem.split(': ', 2);
  return reject(where, `${JSON.stringify(value)} ${fault}`, hint);
}

/** What a check says after `: ` is what to do. */
export function text(check?: Check, normalise = (value: string) => value): ValueKind<string> {
  return {
    parse: (texts, where) => checked(normalise(texts.at(-1) ?? ''), where, check),
    format: (value) => [value],
    input: { kind: 'text' },
  };
}

export function list(check?: Check, normalise = (value: string) => value): ValueKind<readonly string[]> {
  return {
    parse: (texts, where) =>
      texts.filter((entry) => entry !== '').map((entry) => checked(normalise(entry), where, check)),
    format: (value) => value,
    input: { kind: 'list' },
  };
}

export function wholeNumber(least: number, most: number): ValueKind<number> {
  return {
    parse: (texts, where) => {
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
    },
    format: (value) => [String(value)],
    input: { kind: 'number', least, most },
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

/** The shortest text that reads as exactly these bytes, without a fraction where that is no longer. */
export function writeBytes(bytes: number): string {
  let best = String(bytes);
  if (bytes < 1_000) return best;
  const cost = (written: string) => written.length + (written.includes('.') ? 0.5 : 0);
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB', 'TB', 'GB', 'MB', 'kB']) {
    const written = `${bytes / UNITS[unit.slice(0, -1).toLowerCase()]!}${unit}`;
    if (!/^\d+(?:\.\d{1,2})?[A-Za-z]/.test(written) || readBytes(written) !== bytes) continue;
    const isFirst = best === String(bytes) && written.length <= best.length;
    if (isFirst || cost(written) < cost(best)) best = written;
  }
  return best;
}

/** A size, a share of the disk (`60%`), or `auto`. */
export const sizeOrShare: ValueKind<SizeOrShare | null> = {
  parse: (texts, where) => {
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
  },
  format: (value) => {
    if (value === null) return ['auto'];
    return ['bytes' in value ? writeBytes(value.bytes) : `${percentOf(value.share)}%`];
  },
  input: { kind: 'size or share' },
};

/** The share times 100 without what binary fractions add: 57, not 56.99999999999999. */
function percentOf(share: number): string {
  for (let digits = 1; digits <= 17; digits++) {
    const percent = Number((share * 100).toPrecision(digits));
    if (percent / 100 === share) return String(percent);
  }
  return String(share * 100);
}

const TIME_UNITS_MS: Readonly<Record<string, number>> = { d: 86_400e3, h: 3_600e3, m: 60e3, s: 1e3 };

/** `90s`, `10m`, `1h`, `7d`: milliseconds. */
export function timeSpan(mostMs: number): ValueKind<number> {
  return {
    parse: (texts, where) => {
      const value = (texts.at(-1) ?? '').trim();
      const match = /^(\d+)\s*([smhd])$/.exec(value);
      const ms = match === null ? (value === '0' ? 0 : Number.NaN) : Number(match[1]) * TIME_UNITS_MS[match[2]!]!;
      if (!(ms <= mostMs)) {
        const most = Object.entries(TIME_UNITS_MS).find(([, unitMs]) => mostMs % unitMs === 0);
        const bound = most === undefined ? '' : ` of at most ${mostMs / most[1]}${most[0]}`;
        reject(where, `${JSON.stringify(value)} is not a time${bound}`, 'write a number with s, m, h or d, such as 1h');
      }
      return ms;
    },
    format: (value) => {
      const unit = Object.entries(TIME_UNITS_MS).find(([, unitMs]) => value % unitMs === 0);
      return [value === 0 || unit === undefined ? '0' : `${value / unit[1]}${unit[0]}`];
    },
    input: { kind: 'time' },
  };
}

export function byteCount(least: number, most: number): ValueKind<number> {
  return {
    parse: (texts, where) => {
      const value = texts.at(-1) ?? '';
      const bytes = readBytes(value);
      if (!(bytes >= least && bytes <= most)) {
        reject(
          where,
          `${JSON.stringify(value)} is not a size from ${writeBytes(least)} to ${writeBytes(most)}`,
          'write a number with a unit, such as 64MiB',
        );
      }
      return bytes;
    },
    format: (value) => [writeBytes(value)],
    input: { kind: 'size' },
  };
}

export function oneOf<Word extends string>(...words: readonly Word[]): ValueKind<Word> {
  return {
    parse: (texts, where) => {
      const value = texts.at(-1) ?? '';
      const word = words.find((candidate) => candidate === value);
      return word ?? reject(where, `${JSON.stringify(value)} is not one of ${words.join(', ')}`, 'use one of them');
    },
    format: (value) => [value],
    input: { kind: 'choice', choices: words },
  };
}

export const onOrOff: ValueKind<boolean> = {
  parse: (texts, where) => {
    const value = (texts.at(-1) ?? '').toLowerCase();
    if (['on', 'true', 'yes', '1'].includes(value)) return true;
    if (['off', 'false', 'no', '0'].includes(value)) return false;
    return reject(where, `${JSON.stringify(value)} is neither on nor off`, 'write on or off');
  },
  format: (value) => [value ? 'on' : 'off'],
  input: { kind: 'switch' },
};

/** A list whose entries may also be separated by commas, as people write them in one variable. */
export function separated(kind: ValueKind<readonly string[]>): ValueKind<readonly string[]> {
  return {
    ...kind,
    parse: (texts, where) =>
      kind.parse(
        texts.flatMap((entry) => entry.split(/[\s,]+/)),
        where,
      ),
  };
}

type Network = readonly [address: ReturnType<typeof ipaddr.parse>, bits: number];

/** @returns null when `text` is neither an address nor a network such as `10.0.0.0/8` */
export function readNetwork(text: string): Network | null {
  const [address = '', bits, ...rest] = text.split('/');
  // The library also takes 10.1 and 0x7f.1; whoever writes that means something else.
  if (rest.length > 0 || !(ipaddr.IPv4.isValidFourPartDecimal(address) || ipaddr.IPv6.isValid(address))) return null;
  const parsed = ipaddr.parse(address);
  const most = parsed.kind() === 'ipv4' ? 32 : 128;
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= most)) return null;
  return [parsed, bits === undefined ? most : Number(bits)];
}

/** Addresses and networks of proxies. */
export const networks: ValueKind<readonly string[]> = separated(
  list((value) => {
    const network = readNetwork(value);
    if (network === null) return 'is neither an address nor a network: write 192.168.1.5 or 10.0.0.0/8';
    if (network[1] > 0) return null;
    return 'is the whole internet, and whoever says so would be at home: name the address of the proxy';
  }),
);
