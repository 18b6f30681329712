// rclone serving its VFS over HTTP with the full cache, everything else at its defaults.
import { join } from 'node:path';
import { Child } from '../system/child.ts';
import { findFreePort, waitUntilListening } from '../system/listening.ts';
import { requiredCommand } from '../system/required-command.ts';
import type { StartPeer } from './peer.ts';

export const startRclone: StartPeer = async ({ origin, folder, adopt }) => {
  const port = await findFreePort();
  const child = new Child({
    command: [
      requiredCommand('rclone'),
      'serve',
      'http',
      `:http,url="${origin.url}":`,
      '--addr',
      `127.0.0.1:${port}`,
      '--vfs-cache-mode',
      'full',
      '--cache-dir',
      join(folder, 'cache'),
      '--config',
      '/dev/null',
      '--read-only',
      // The listing is asked for once, at the warm-up, and not again in the middle of a measurement.
      '--dir-cache-time',
      '24h',
    ],
    folder,
  });
  adopt(child);
  await waitUntilListening(port, () => child.isAlive);
  return { name: 'rclone', port, pid: child.pid, pathOf: (file) => `/${file.name}`, stop: () => child.stop() };
};
