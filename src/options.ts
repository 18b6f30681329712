// Every setting of the program, in one table: it feeds the parsing of flags, environment and file, the built-in help,
// the README's table and the pages.
import { type LogLevel, redactUrls } from './log.ts';
import {
  byteCount,
  list,
  networks,
  oneOf,
  onOrOff,
  type SizeOrShare,
  separated,
  sizeOrShare,
  text,
  timeSpan,
  type ValueKind,
  wholeNumber,
} from './option-values.ts';

export interface Settings {
  readonly data: string;
  readonly host: string;
  readonly port: number;
  /** `NAME=URL` each. */
  readonly source: readonly string[];
  readonly basePath: string;
  readonly allowedHosts: readonly string[];
  readonly tls: 'off' | 'self-signed';
  /** Files in PEM; empty for none. */
  readonly tlsCert: string;
  readonly tlsKey: string;
  /** Addresses and networks. */
  readonly trustedProxies: readonly string[];
  readonly streamAccess: 'private' | 'all' | 'locked';
  readonly adminUser: string;
  readonly adminPassword: string;
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
  /** Milliseconds; 0 is off. */
  readonly syncEvery: number;
  readonly maxQuality: 'best' | '2160p' | '1080p' | '720p' | '480p' | '360p';
  readonly backgroundFill: boolean;
  readonly logLevel: LogLevel;
}

export type SettingName = keyof Settings;

/** Where a setting stands on the settings page, in this order. */
export const settingGroups = {
  playing: 'Playing and fetching',
  storage: 'Storage',
  upkeep: 'Upkeep',
  access: 'Who may come in',
  start: 'Where Larder runs',
} as const;

export type SettingGroup = keyof typeof settingGroups;

export interface Option<Value> extends ValueKind<Value> {
  readonly flag: string;
  readonly variable: string;
  /** What it is called on the pages. */
  readonly label: string;
  readonly group: SettingGroup;
  /** Stands for the value in the help. */
  readonly placeholder: string;
  readonly description: string;
  readonly fallback: Value;
  /** `flag` may be given several times; in the environment values are separated by spaces. */
  readonly repeatable: boolean;
  /** Can be changed on the pages while running; such a change is kept in the database. */
  readonly stored: boolean;
  /** Whether a change that is made on the pages is in force at once, or after the next start. */
  readonly takesEffect: 'at once' | 'after a restart';
  /** Its value is never shown, exported, logged or answered. */
  readonly secret?: true;
  /** What may be shown of the value, one text each; `format` where there is nothing to hide. */
  readonly display?: (value: Value) => readonly string[];
}

type OptionTable = { readonly [Name in SettingName]: Option<Settings[Name]> };

/** What is wrong with a name that stands in a Host header; its port and the brackets of an address are not part of it. */
function checkHostName(name: string): string | null {
  if (/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?$|^[\da-f:.]*:[\da-f:.]*$/.test(name) && !/^[^:]+:\d+$/.test(name)) return null;
  return 'is not a host name: write it as nas.example.org, without a port; several are separated by spaces';
}

export const options: OptionTable = {
  data: {
    flag: 'data',
    variable: 'LARDER_DATA',
    label: 'Data folder',
    group: 'start',
    placeholder: 'DIR',
    description: 'State and cached bytes: database, chunks, backups. Made when missing.',
    fallback: './larder-data',
    repeatable: false,
    stored: false,
    takesEffect: 'after a restart',
    ...text((value) => (value.includes('\0') ? 'is not a path' : null)),
  },
  host: {
    flag: 'host',
    variable: 'LARDER_HOST',
    label: 'Listen address',
    group: 'start',
    placeholder: 'ADDR',
    description: 'Address to listen on.',
    fallback: '0.0.0.0',
    repeatable: false,
    stored: false,
    takesEffect: 'after a restart',
    ...text((value) => (/^[\w.:%-]+$/.test(value) ? null : 'is not an address')),
  },
  port: {
    flag: 'port',
    variable: 'LARDER_PORT',
    label: 'Port',
    group: 'start',
    placeholder: 'N',
    description: 'Port to listen on; 0 takes any free one and prints it.',
    fallback: 8420,
    repeatable: false,
    stored: false,
    takesEffect: 'after a restart',
    ...wholeNumber(0, 65_535),
  },
  source: {
    flag: 'source',
    variable: 'LARDER_SOURCE',
    label: 'Declared sources',
    group: 'start',
    placeholder: 'NAME=URL',
    description:
      'Declare an HTTP source: the files below URL are streamed at /s/NAME/…. May be given several times; an existing NAME gets the new URL. User and password may stand in the URL; they are never stored.',
    fallback: [],
    repeatable: true,
    stored: false,
    takesEffect: 'after a restart',
    display: (sources) => sources.map(redactUrls),
    ...list(),
  },
  basePath: {
    flag: 'base-path',
    variable: 'LARDER_BASE_PATH',
    label: 'Path behind a proxy',
    group: 'start',
    placeholder: 'PATH',
    description: 'Path below which a reverse proxy serves Larder, such as /larder.',
    fallback: '',
    repeatable: false,
    stored: false,
    takesEffect: 'after a restart',
    ...text(
      (value) => (value === '' || /^(\/[\w.~-]+)+$/.test(value) ? null : 'is not a path: write it as /larder'),
      (value) => value.replace(/\/+$/, ''),
    ),
  },
  allowedHosts: {
    flag: 'allowed-host',
    variable: 'LARDER_ALLOWED_HOSTS',
    label: 'Names of this machine',
    group: 'access',
    placeholder: 'NAME',
    description:
      'Name under which the pages may be asked for, besides addresses, localhost, the name of this machine, names without a dot and those that end in .local, .lan or .home.arpa. May be given several times.',
    fallback: [],
    repeatable: true,
    stored: true,
    takesEffect: 'at once',
    ...separated(list(checkHostName, (name) => name.toLowerCase().replace(/^\[|\]$/g, ''))),
  },
  trustedProxies: {
    flag: 'trusted-proxy',
    variable: 'LARDER_TRUSTED_PROXIES',
    label: 'Trusted proxies',
    group: 'access',
    placeholder: 'ADDR|NETWORK',
    description:
      'Reverse proxy that may say for whom it asks (X-Forwarded-For, -Proto, -Host, -Prefix, or Forwarded where there is no X-Forwarded-For): an address or a network such as 10.0.0.0/8. From everybody else these headers are ignored. May be given several times.',
    fallback: [],
    repeatable: true,
    stored: true,
    takesEffect: 'at once',
    ...networks,
  },
  streamAccess: {
    flag: 'stream-access',
    variable: 'LARDER_STREAM_ACCESS',
    label: 'Who may play streams',
    group: 'access',
    placeholder: 'private|all|locked',
    description:
      'Who may play streams without showing anything: clients on private networks, everybody who can reach the port, or nobody. Whoever is signed in, has a token or a signed address may play in any case.',
    fallback: 'private',
    repeatable: false,
    stored: true,
    takesEffect: 'at once',
    ...oneOf('private', 'all', 'locked'),
  },
  adminUser: {
    flag: 'admin-user',
    variable: 'LARDER_ADMIN_USER',
    label: 'Name of the first owner',
    group: 'access',
    placeholder: 'NAME',
    description: 'Name of the owner that the first start makes when a password is given with it.',
    fallback: 'admin',
    repeatable: false,
    stored: false,
    takesEffect: 'after a restart',
    ...text((value) =>
      value.trim() === '' || value.includes(':') ? 'is not a name: write one without a colon' : null,
    ),
  },
  adminPassword: {
    flag: 'admin-password',
    variable: 'LARDER_ADMIN_PASSWORD',
    label: 'Password of the first owner',
    group: 'access',
    placeholder: 'TEXT',
    description:
      'Password of the first owner, for a start without the set-up pages; later starts ignore it. In the environment or the file only: other users of a machine can read its command lines.',
    fallback: '',
    repeatable: false,
    stored: false,
    takesEffect: 'after a restart',
    secret: true,
    ...text(),
  },
  tls: {
    flag: 'tls',
    variable: 'LARDER_TLS',
    label: 'TLS',
    group: 'access',
    placeholder: 'off|self-signed',
    description:
      'Serve https. self-signed makes a certificate in the data folder at the first start and renews it; its fingerprint is printed, to be compared with what the browser shows. For a certificate of your own see --tls-cert.',
    fallback: 'off',
    repeatable: false,
    stored: false,
    takesEffect: 'after a restart',
    ...oneOf('off', 'self-signed'),
  },
  tlsCert: {
    flag: 'tls-cert',
    variable: 'LARDER_TLS_CERT',
    label: 'Certificate',
    group: 'access',
    placeholder: 'FILE',
    description:
      'Serve https with this certificate, in PEM, with the chain behind it. When the file changes the new one is shown within half a minute, and open connections go on.',
    fallback: '',
    repeatable: false,
    stored: false,
    takesEffect: 'after a restart',
    ...text((value) => (value.includes('\0') ? 'is not a path' : null)),
  },
  tlsKey: {
    flag: 'tls-key',
    variable: 'LARDER_TLS_KEY',
    label: 'Key of the certificate',
    group: 'access',
    placeholder: 'FILE',
    description: 'Private key of --tls-cert, in PEM, without a passphrase.',
    fallback: '',
    repeatable: false,
    stored: false,
    takesEffect: 'after a restart',
    ...text((value) => (value.includes('\0') ? 'is not a path' : null)),
  },
  threads: {
    flag: 'threads',
    variable: 'LARDER_THREADS',
    label: 'Download threads',
    group: 'playing',
    placeholder: 'N',
    description: 'Download threads at most; they start when needed.',
    fallback: 2,
    repeatable: false,
    stored: true,
    takesEffect: 'after a restart',
    ...wholeNumber(1, 16),
  },
  connectionsPerSource: {
    flag: 'connections-per-source',
    variable: 'LARDER_CONNECTIONS_PER_SOURCE',
    label: 'Connections per source',
    group: 'playing',
    placeholder: 'N',
    description: 'Requests to one source at the same time, at most.',
    fallback: 3,
    repeatable: false,
    stored: true,
    takesEffect: 'at once',
    ...wholeNumber(1, 64),
  },
  connectionsTotal: {
    flag: 'connections-total',
    variable: 'LARDER_CONNECTIONS_TOTAL',
    label: 'Connections in total',
    group: 'playing',
    placeholder: 'N',
    description: 'Requests to all sources at the same time, at most.',
    fallback: 24,
    repeatable: false,
    stored: true,
    takesEffect: 'at once',
    ...wholeNumber(1, 256),
  },
  readAhead: {
    flag: 'read-ahead',
    variable: 'LARDER_READ_AHEAD',
    label: 'Read-ahead',
    group: 'playing',
    placeholder: 'SIZE',
    description: 'How far the fetch runs ahead of a reader at most. It starts small and grows with what is played.',
    fallback: 64 * 2 ** 20,
    repeatable: false,
    stored: true,
    takesEffect: 'at once',
    ...byteCount(2 ** 20, 2 ** 36),
  },
  cacheSize: {
    flag: 'cache-size',
    variable: 'LARDER_CACHE_SIZE',
    label: 'Cache size',
    group: 'storage',
    placeholder: 'SIZE|PERCENT|auto',
    description:
      'Cached bytes at most, those being fetched included: a size, or a share of the disk. What was not used for longest goes first; what is pinned or being read stays. auto is the smaller of 80 % of what was free at the first start and the disk less 10 %.',
    fallback: null,
    repeatable: false,
    stored: true,
    takesEffect: 'at once',
    ...sizeOrShare,
  },
  keepFree: {
    flag: 'keep-free',
    variable: 'LARDER_KEEP_FREE',
    label: 'Keep free',
    group: 'storage',
    placeholder: 'SIZE|PERCENT|auto',
    description:
      'Bytes of the disk that stay free, whoever fills it. auto is the smaller of 5 % of the disk and 10 GiB.',
    fallback: null,
    repeatable: false,
    stored: true,
    takesEffect: 'at once',
    ...sizeOrShare,
  },
  recheckAfter: {
    flag: 'recheck-after',
    variable: 'LARDER_RECHECK_AFTER',
    label: 'Ask the origin again after',
    group: 'playing',
    placeholder: 'TIME',
    description:
      'When a file is opened and its origin was not asked for this long, it is asked whether the file has changed; nobody waits for the answer. 0 asks at each open.',
    fallback: 3_600_000,
    repeatable: false,
    stored: true,
    takesEffect: 'at once',
    ...timeSpan(365 * 86_400e3),
  },
  verifyRate: {
    flag: 'verify-rate',
    variable: 'LARDER_VERIFY_RATE',
    label: 'Background check',
    group: 'upkeep',
    placeholder: 'SIZE',
    description:
      'Bytes per second at which all that is kept is compared with its checksums in the background, about once a month. 0 turns that off; what is first read after a start is compared all the same.',
    fallback: 8 * 2 ** 20,
    repeatable: false,
    stored: true,
    takesEffect: 'at once',
    ...byteCount(0, 2 ** 36),
  },
  syncEvery: {
    flag: 'sync-every',
    variable: 'LARDER_SYNC_EVERY',
    label: 'Look for new files every',
    group: 'playing',
    placeholder: 'TIME',
    description:
      'How often each source is gone through for films, series and music that are new, changed or gone. A new source is gone through at once. 0 turns both off; the page of a source has a button for it.',
    fallback: 86_400_000,
    repeatable: false,
    stored: true,
    takesEffect: 'at once',
    ...timeSpan(365 * 86_400e3),
  },
  maxQuality: {
    flag: 'max-quality',
    variable: 'LARDER_MAX_QUALITY',
    label: 'Best automatic quality',
    group: 'playing',
    placeholder: 'best|2160p|1080p|720p|480p|360p',
    description:
      'The tallest picture that is given where Larder chooses the quality (addresses with the quality "auto"). Everybody can choose less for themselves, on their account page or with ?max=720p in the address.',
    fallback: 'best',
    repeatable: false,
    stored: true,
    takesEffect: 'at once',
    ...oneOf('best', '2160p', '1080p', '720p', '480p', '360p'),
  },
  backgroundFill: {
    flag: 'background-fill',
    variable: 'LARDER_BACKGROUND_FILL',
    label: 'Background fill',
    group: 'playing',
    placeholder: 'on|off',
    description: 'Fetch the rest of what was played in the background, when nothing more urgent needs the source.',
    fallback: false,
    repeatable: false,
    stored: true,
    takesEffect: 'at once',
    ...onOrOff,
  },
  logLevel: {
    flag: 'log-level',
    variable: 'LARDER_LOG_LEVEL',
    label: 'Log level',
    group: 'upkeep',
    placeholder: 'LEVEL',
    description: 'Least severe lines written to standard error: debug, info, warning or error.',
    fallback: 'info',
    repeatable: false,
    stored: true,
    takesEffect: 'at once',
    ...oneOf('debug', 'info', 'warning', 'error'),
  },
};

export const settingNames = Object.keys(options) as readonly SettingName[];

/** How a fallback reads in help and README. */
export function describeFallback(name: SettingName): string {
  return describeValue(name, options[name].fallback);
}

/** The texts of a value that may be seen by whoever may see settings; none for a secret. */
export function displayTexts<Name extends SettingName>(name: Name, value: Settings[Name]): readonly string[] {
  const option: Option<Settings[Name]> = options[name];
  if (option.secret === true) return [];
  return option.display?.(value) ?? option.format(value);
}

/** A value in one line. */
export function describeValue<Name extends SettingName>(name: Name, value: Settings[Name]): string {
  const texts = displayTexts(name, value).filter((part) => part !== '');
  return texts.length === 0 ? 'none' : texts.join(', ');
}
