// Real servers that list a folder, each with its own configuration and in a folder of its own: what they say is what
// Larder has to read. A server that is not installed is left out on a developer's machine, and a failure in CI.
import { chmod, mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Child } from '../bench/system/child.ts';
import { findFreePort, waitUntilListening } from '../bench/system/listening.ts';
import { nginxConfiguration } from '../bench/system/nginx-configuration.ts';

export interface ListingServer {
  readonly url: string;
  stop(): Promise<void>;
}

interface Setup {
  readonly port: number;
  /** What is served. */
  readonly root: string;
  /** For the server's own files. */
  readonly folder: string;
}

interface Kind {
  readonly command: string;
  readonly start: (setup: Setup) => Promise<readonly [string, ...string[]]>;
  /** Whether it tells sizes to the byte; the others say nothing of them, or round them. */
  readonly hasExactSizes: boolean;
  readonly hasTimes: boolean;
  /** It shows links, so that a loop can be walked. */
  readonly followsLinks: boolean;
  readonly environment?: (folder: string) => Record<string, string>;
}

function nginx(lines: readonly string[]): Kind['start'] {
  return async ({ port, root, folder }) => {
    const server = `server { listen 127.0.0.1:${port}; root "${root}"; autoindex on; ${lines.join(' ')} }`;
    await writeFile(join(folder, 'nginx.conf'), nginxConfiguration(folder, ['access_log off;', server]));
    return ['nginx', '-p', folder, '-c', 'nginx.conf'];
  };
}

const APACHE_MODULES = ['mpm_event', 'authz_core', 'autoindex', 'dir', 'mime', 'dav', 'dav_fs'];

function apache(lines: readonly string[]): Kind['start'] {
  return async ({ port, root, folder }) => {
    const file = join(folder, 'apache.conf');
    await writeFile(
      file,
      [
        `ServerRoot "${folder}"`,
        `PidFile ${folder}/apache.pid`,
        `ErrorLog ${folder}/error.log`,
        'ServerName localhost',
        ...APACHE_MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`),
        'TypesConfig /dev/null',
        `DAVLockDB ${folder}/lock`,
        `Listen 127.0.0.1:${port}`,
        `DocumentRoot "${root}"`,
        `<Directory "${root}">`,
        'Require all granted',
        'Options +Indexes +FollowSymLinks',
        ...lines,
        '</Directory>',
        '',
      ].join('\n'),
    );
    return ['apache2', '-f', file, '-D', 'FOREGROUND'];
  };
}

export const listingServers: Readonly<Record<string, Kind>> = {
  'nginx, HTML': { command: 'nginx', start: nginx([]), hasExactSizes: true, hasTimes: true, followsLinks: true },
  'nginx, HTML with rounded sizes': {
    command: 'nginx',
    start: nginx(['autoindex_exact_size off;']),
    hasExactSizes: false,
    hasTimes: true,
    followsLinks: true,
  },
  'nginx, JSON': {
    command: 'nginx',
    start: nginx(['autoindex_format json;']),
    hasExactSizes: true,
    hasTimes: true,
    followsLinks: true,
  },
  'Apache, fancy': {
    command: 'apache2',
    start: apache(['IndexOptions FancyIndexing']),
    hasExactSizes: false,
    hasTimes: true,
    followsLinks: true,
  },
  'Apache, table': {
    command: 'apache2',
    start: apache(['IndexOptions FancyIndexing HTMLTable TrackModified NameWidth=*']),
    hasExactSizes: false,
    hasTimes: true,
    followsLinks: true,
  },
  'Apache, plain': {
    command: 'apache2',
    start: apache([]),
    hasExactSizes: false,
    hasTimes: false,
    followsLinks: true,
  },
  'Apache, WebDAV': {
    command: 'apache2',
    start: apache(['Dav On']),
    hasExactSizes: true,
    hasTimes: true,
    followsLinks: false,
  },
  Caddy: {
    command: 'caddy',
    start: async ({ port, root }) => [
      'caddy',
      'file-server',
      '--browse',
      '--root',
      root,
      '--listen',
      `127.0.0.1:${port}`,
    ],
    hasExactSizes: true,
    hasTimes: true,
    followsLinks: true,
    environment: (folder) => ({ XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder, HOME: folder }),
  },
  'rclone, HTML': {
    command: 'rclone',
    start: async ({ port, root }) => rclone('http', port, root),
    hasExactSizes: true,
    hasTimes: true,
    followsLinks: false,
  },
  'rclone, WebDAV': {
    command: 'rclone',
    start: async ({ port, root }) => rclone('webdav', port, root),
    hasExactSizes: true,
    hasTimes: true,
    followsLinks: false,
  },
};

function rclone(protocol: string, port: number, root: string): [string, ...string[]] {
  return [
    'rclone',
    'serve',
    protocol,
    root,
    '--addr',
    `127.0.0.1:${port}`,
    '--config',
    '/dev/null',
    // What is changed under it is to be seen at once.
    '--dir-cache-time',
    '1ms',
  ];
}

export function isInstalled(name: string): boolean {
  const paths = `${process.env.PATH ?? ''}:/usr/sbin`;
  const command = listingServers[name]!.command;
  if (Bun.which(command, { PATH: paths }) !== null) return true;
  if (process.env.CI) throw new Error(`${command} is not installed`);
  return false;
}

/** Serves `root` with the server of this name. */
export async function startListingServer(name: string, root: string): Promise<ListingServer & AsyncDisposable> {
  const kind = listingServers[name]!;
  const folder = join(dirname(root), `server-${name.replaceAll(/\W+/g, '-')}`);
  await mkdir(folder, { recursive: true });
  // Apache gives up being root.
  await chmod(dirname(root), 0o755);
  const port = await findFreePort();
  const [command, ...rest] = await kind.start({ port, root, folder });
  const file = Bun.which(command, { PATH: `${process.env.PATH ?? ''}:/usr/sbin` }) ?? command;
  const environment = kind.environment?.(folder) ?? {};
  const child = new Child({ command: [file, ...rest], folder, environment });
  await waitUntilListening(port, () => child.isAlive).catch(async (error: unknown) => {
    await child.stop();
    throw new Error(`${name}: ${String(error)}: ${child.lastWords}`);
  });
  const stop = () => child.stop();
  return { url: `http://127.0.0.1:${port}/`, stop, [Symbol.asyncDispose]: stop };
}

export const LONG_NAME = 'A very long name that goes past the fifty characters that nginx shows of it (2021).1080p.mkv';

/** Names that servers, browsers and parsers stumble over. */
export const sampleTree: Readonly<Record<string, number>> = {
  'Film (2019).mkv': 1_234_567,
  [LONG_NAME]: 2_048,
  '100% real #1?.mp4': 5,
  'readme.txt': 300,
  'Films & more/S01:E02; x=1 &amp; y+z.mkv': 20,
  'Films & more/Ünïcode [720p]/日本 1.mp3': 30,
  'a\'b"c<d>/deep/er/film.mp4': 40,
  'empty/': 0,
};

/** Files as the tree says, all of one time; a name that ends in a slash is a folder. */
export async function makeTree(root: string, tree: Readonly<Record<string, number>>, modifiedAt: Date): Promise<void> {
  for (const [path, size] of Object.entries(tree)) {
    const file = join(root, path);
    if (path.endsWith('/')) {
      await mkdir(file, { recursive: true });
      continue;
    }
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, new Uint8Array(size));
    await utimes(file, modifiedAt, modifiedAt);
  }
}

export function makeLoop(root: string, name: string): Promise<void> {
  return symlink('.', join(root, name));
}
