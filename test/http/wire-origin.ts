// An origin that writes its answers byte by byte: for what no HTTP server can be made to send.

import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';

export interface WireOrigin extends AsyncDisposable {
  /** Ends in a slash. */
  readonly url: string;
  /** What the next requests are answered with. */
  answer: (socket: Socket, head: string) => void;
}

const HEAD_END = '\r\n\r\n';

export async function startWireOrigin(): Promise<WireOrigin> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let received = '';
    socket.on('data', (data) => {
      received += data.toString('latin1');
      const end = received.indexOf(HEAD_END);
      if (end < 0) return;
      const head = received.slice(0, end);
      received = received.slice(end + HEAD_END.length);
      origin.answer(socket, head);
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin: WireOrigin = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    answer: (socket) => socket.destroy(),
    [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return origin;
}
