// nginx as a slice cache: 2 MiB slices, cache lock, keep-alive to the origin, sendfile to the client, one worker.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Child } from '../system/child.ts';
import { findFreePort, waitUntilListening } from '../system/listening.ts';
import { nginxConfiguration } from '../system/nginx-configuration.ts';
import { requiredCommand } from '../system/required-command.ts';
import type { StartPeer } from './peer.ts';

export const startNginx: StartPeer = async ({ origin, folder, adopt }) => {
  const port = await findFreePort();
  const configuration = nginxConfiguration(folder, [
    'access_log off;',
    `proxy_cache_path ${folder}/cache levels=1:2 keys_zone=slices:32m max_size=64g inactive=7d use_temp_path=off;`,
    `upstream origin { server 127.0.0.1:${origin.port}; keepalive 32; }`,
    `server { listen 127.0.0.1:${port} backlog=1024; location / {`,
    'slice 2m;',
    'proxy_pass http://origin;',
    'proxy_http_version 1.1;',
    'proxy_set_header Connection "";',
    'proxy_set_header Range $slice_range;',
    'proxy_cache slices;',
    'proxy_cache_key $uri$slice_range;',
    'proxy_cache_valid 200 206 7d;',
    'proxy_cache_lock on;',
    // By default a second client stops waiting after 5 s and asks the origin itself.
    'proxy_cache_lock_timeout 120s;',
    'proxy_cache_lock_age 120s;',
    'proxy_buffers 16 64k;',
    'proxy_buffer_size 64k;',
    'proxy_busy_buffers_size 128k;',
    '} }',
  ]);
  await writeFile(join(folder, 'nginx.conf'), configuration);
  const child = new Child({ command: [requiredCommand('nginx'), '-p', folder, '-c', 'nginx.conf'], folder });
  adopt(child);
  await waitUntilListening(port, () => child.isAlive);
  return { name: 'nginx', port, pid: child.pid, pathOf: (file) => `/${file.name}`, stop: () => child.stop() };
};
