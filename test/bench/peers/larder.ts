// Larder as a user starts it: the compiled binary (or LARDER_BINARY), one HTTP source, a fresh data folder.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Child } from '../system/child.ts';
import type { StartPeer } from './peer.ts';

/** Absolute path of the binary under test. Throws one clear line when it is not there. */
export function larderBinary(): string {
  const file = resolve(process.env.LARDER_BINARY ?? join(import.meta.dirname, '../../../dist/larder'));
  if (!existsSync(file)) throw new Error(`${file} does not exist: run "npm run build" or set LARDER_BINARY`);
  return file;
}

export const startLarder: StartPeer = async ({ origin, folder, adopt, settings = [] }) => {
  const data = join(folder, 'data');
  await mkdir(data, { recursive: true });
  const child = new Child({
    command: [
      larderBinary(),
      'serve',
      '--data',
      data,
      '--host',
      '127.0.0.1',
      '--port',
      '0',
      '--source',
      `films=${origin.url}`,
      ...settings,
    ],
    folder,
  });
  adopt(child);
  const port = Number((await child.waitForLine(/larder listening on http:\/\/[^ ]*:(\d+)/))[1]);
  return { name: 'larder', port, pid: child.pid, pathOf: (file) => `/s/films/${file.name}`, stop: () => child.stop() };
};
