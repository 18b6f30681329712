// Stands before a server and passes everything on, unless a test wants otherwise: counts what comes through, holds it up,
// answers in its place, asks for something else, or changes what came.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** In place of the server's own answer. */
export interface GateAnswer {
  readonly status: number;
  readonly contentType?: string;
  readonly body: string;
}

export interface Gate extends AsyncDisposable {
  /** Ends in a slash. */
  readonly url: string;
  /** Paths with queries, in order of arrival. */
  readonly requests: string[];
  /** Called with each path; what it gives is the answer. */
  before: (path: string) => GateAnswer | null | Promise<GateAnswer | null>;
  /** What is asked for in place of a path. */
  rewrite: (path: string, headers: Record<string, string>) => string;
  /** What is made of the text of an answer. */
  alter: (text: string, path: string) => string;
  /** Connections are cut: nobody is there. */
  isDown: boolean;
}

const PASSED_ON = new Set([
  'content-type',
  'content-range',
  'accept-ranges',
  'etag',
  'last-modified',
  'date',
  'www-authenticate',
]);

export async function startGate(serverUrl: string): Promise<Gate> {
  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    gate.requests.push(path);
    if (gate.isDown) return void request.socket.destroy();
    const own = await gate.before(path);
    if (own !== null)
      return void response.writeHead(own.status, { 'content-type': own.contentType ?? 'text/html' }).end(own.body);
    const parts: Uint8Array[] = [];
    for await (const part of request) parts.push(part as Uint8Array);
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(request.headers)) {
      if (!['host', 'connection', 'accept-encoding', 'content-length'].includes(name)) headers[name] = String(value);
    }
    const url = new URL(gate.rewrite(path, headers), serverUrl);
    const body = parts.length === 0 ? {} : { body: Buffer.concat(parts) };
    const answer = await fetch(url, { method: request.method ?? 'GET', headers, redirect: 'manual', ...body });
    const isText = /json|html|text/.test(answer.headers.get('content-type') ?? '');
    const bytes = Buffer.from(await answer.arrayBuffer());
    const kept = [...answer.headers].filter(([name]) => PASSED_ON.has(name));
    response.writeHead(answer.status, Object.fromEntries(kept));
    response.end(isText ? gate.alter(bytes.toString(), path) : bytes);
  }

  const server = createServer((request, response) => {
    pass(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const gate: Gate = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests: [],
    before: () => null,
    rewrite: (path) => path,
    alter: (text) => text,
    isDown: false,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return gate;
}
