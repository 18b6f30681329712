// Apache httpd with mod_auth_digest before a folder, and with WebDAV: a real server that asks for Digest. Left out where
// it is not installed on a developer's machine, and a failure in CI.
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Child } from '../bench/system/child.ts';
import { findFreePort, waitUntilListening } from '../bench/system/listening.ts';

const MODULES = ['mpm_event', 'authn_core', 'authn_file', 'authz_core', 'authz_user', 'auth_digest'];
const MODULES_OF_FILES = ['autoindex', 'dir', 'mime', 'dav', 'dav_fs'];
const PATH = `${process.env.PATH ?? ''}:/usr/sbin`;

export interface DigestApache extends AsyncDisposable {
  readonly url: string;
  /** What it was asked so far: `GET 206 Digest`. */
  log(): Promise<string[]>;
}

export interface DigestApacheOptions {
  readonly root: string;
  readonly realm: string;
  readonly username: string;
  readonly password: string;
  /** Directives for the folder. */
  readonly directives?: readonly string[];
}

export function isApacheInstalled(): boolean {
  if (Bun.which('apache2', { PATH }) !== null) return true;
  if (process.env.CI) throw new Error('apache2 is not installed');
  return false;
}

export async function startDigestApache(options: DigestApacheOptions): Promise<DigestApache> {
  const { root, realm, username, password, directives = [] } = options;
  const folder = join(dirname(root), 'apache-digest');
  await mkdir(folder, { recursive: true });
  // It gives up being root.
  await chmod(dirname(root), 0o755);
  const port = await findFreePort();
  const secret = createHash('md5').update(`${username}:${realm}:${password}`).digest('hex');
  await writeFile(join(folder, 'users'), `${username}:${realm}:${secret}\n`);
  const file = join(folder, 'apache.conf');
  const lines = [
    `ServerRoot "${folder}"`,
    `DefaultRuntimeDir ${folder}`,
    `PidFile ${folder}/apache.pid`,
    `ErrorLog ${folder}/error.log`,
    'ServerName localhost',
    ...[...MODULES, ...MODULES_OF_FILES].map(
      (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
    ),
    'LogFormat "%m %>s %{Authorization}i" asked',
    `CustomLog ${folder}/asked.log asked`,
    'TypesConfig /dev/null',
    `DAVLockDB ${folder}/lock`,
    `Listen 127.0.0.1:${port}`,
    `DocumentRoot "${root}"`,
    `<Directory "${root}">`,
    'Options +Indexes',
    'AuthType Digest',
    `AuthName "${realm.replaceAll('"', '\\"')}"`,
    'AuthDigestProvider file',
    `AuthUserFile ${folder}/users`,
    'Require valid-user',
    ...directives,
    '</Directory>',
    '',
  ];
  await writeFile(file, lines.join('\n'));
  const command = Bun.which('apache2', { PATH }) ?? 'apache2';
  const child = new Child({ command: [command, '-f', file, '-D', 'FOREGROUND'], folder });
  await waitUntilListening(port, () => child.isAlive).catch(async (error: unknown) => {
    await child.stop();
    throw new Error(`Apache: ${String(error)}: ${child.lastWords}`);
  });
  return {
    url: `http://127.0.0.1:${port}/`,
    async log() {
      const text = await readFile(join(folder, 'asked.log'), 'utf8');
      const asked = text.split('\n').filter((line) => line !== '');
      return asked.map((line) => line.split(' ').slice(0, 3).join(' '));
    },
    [Symbol.asyncDispose]: () => child.stop(),
  };
}
