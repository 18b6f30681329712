// Ports on the loopback interface: find a free one, wait until somebody answers on one.
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 1;

// Below the range from which the system gives ports to outgoing connections and to whoever asks for port 0, so that
// nobody takes the port between our look and the program's own.
const FIRST_PORT = 12_000;
const END_PORT = 32_000;
const ATTEMPTS = 50;

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** A port that was free a moment ago. Programs that can choose one themselves (port 0) should. */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = FIRST_PORT + Math.floor(Math.random() * (END_PORT - FIRST_PORT));
    if (await isFree(port)) return port;
  }
  throw new Error(`No free port between ${FIRST_PORT} and ${END_PORT} in ${ATTEMPTS} attempts`);
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
