// An HTTP server on one loopback address that counts its connections and says what it sent: for what is connected to.
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface LoopbackServer extends AsyncDisposable {
  readonly port: number;
  readonly requests: readonly { readonly host: string | undefined; readonly url: string | undefined }[];
  /** Connections that were ever taken, and those that are open. */
  readonly connectionCount: number;
  readonly openCount: number;
  /** Resolves when `condition` holds; looked at after every event of the server. */
  until(condition: () => boolean): Promise<void>;
}

/** @param port - 0 for one that is free */
export async function serveLoopback(
  listener: RequestListener,
  { address = '127.0.0.1', port = 0 } = {},
): Promise<LoopbackServer> {
  const requests: { host: string | undefined; url: string | undefined }[] = [];
  const sockets = new Set<Socket>();
  let connectionCount = 0;
  let watchers: { condition: () => boolean; resolve: () => void }[] = [];
  const happened = () => {
    const fulfilled = watchers.filter(({ condition }) => condition());
    watchers = watchers.filter((watcher) => !fulfilled.includes(watcher));
    for (const { resolve } of fulfilled) resolve();
  };
  const server = createServer((request, response) => {
    requests.push({ host: request.headers.host, url: request.url });
    response.once('close', happened);
    listener(request, response);
    happened();
  });
  server.on('connection', (socket: Socket) => {
    connectionCount += 1;
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      happened();
    });
    happened();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    get connectionCount() {
      return connectionCount;
    },
    get openCount() {
      return sockets.size;
    },
    until(condition) {
      if (condition()) return Promise.resolve();
      return new Promise((resolve) => watchers.push({ condition, resolve }));
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
