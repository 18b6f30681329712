// Nothing in between: the origin asked directly, the measure for everything else.
import type { StartPeer } from './peer.ts';

export const startDirect: StartPeer = ({ origin }) =>
  Promise.resolve({
    name: 'direct',
    port: origin.port,
    pid: origin.pid,
    pathOf: (file) => `/${file.name}`,
    stop: () => Promise.resolve(), // The origin is stopped by whoever started it.
  });
