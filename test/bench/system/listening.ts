// Ports on the loopback interface: find a free one, wait until somebody answers on one.
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 1;

/** A port that was free a moment ago. Programs that can choose one themselves (port 0) should. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('No port was given by the system');
  return address.port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Resolves once `port` accepts a connection; throws after `limitMs` or when `isAlive` says that nobody will come. */
export async function waitUntilListening(port: number, isAlive: () => boolean, limitMs = 15_000): Promise<void> {
  const deadlineMs = performance.now() + limitMs;
  while (!(await accepts(port))) {
    if (!isAlive()) throw new Error(`The program that should listen on port ${port} ended`);
    if (performance.now() > deadlineMs) throw new Error(`Nobody listens on port ${port} after ${limitMs} ms`);
    await sleep(POLL_MS);
  }
}
