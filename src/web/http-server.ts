// The one listening socket: streams go straight to their handler, everything else through hono.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { describeError, LarderError } from '../errors.ts';
import { HEADERS_TIMEOUT_MS, KEEP_ALIVE_TIMEOUT_MS } from '../limits.ts';
import { sendError } from '../proxy/error-response.ts';
import type { StreamHandler } from '../proxy/stream-handler.ts';
import { type AccessRules, mayPlayStreams } from './access.ts';
import type { App } from './app.ts';

export interface HttpServerOptions {
  readonly app: App;
  readonly streams: StreamHandler;
  readonly access: AccessRules;
  readonly basePath: string;
}

/** Names and value together; Node's own default is 16 KiB, and some players send long cookies. */
const HEADERS_MAX_BYTES = 64 * 1024;

export class HttpServer {
  readonly #server: Server;
  #closed: Promise<void> | undefined;

  constructor(options: HttpServerOptions) {
    const prefix = `${options.basePath}/s/`;
    // The global Response must stay the platform's: node-server's own breaks answers written by hand.
    const listener = getRequestListener(options.app.hono.fetch, { overrideGlobalObjects: false });
    this.#server = createServer({ maxHeaderSize: HEADERS_MAX_BYTES, noDelay: true }, (request, response) => {
      // A request line may hold the whole address (RFC 9112 §3.2.2).
      const path = (request.url ?? '').replace(/^https?:\/\/[^/]*/i, '');
      if (path.startsWith(prefix)) stream(request, response, path.slice(prefix.length));
      else void listener(request, response);
    });
    this.#server.requestTimeout = 0; // a film takes hours
    this.#server.headersTimeout = HEADERS_TIMEOUT_MS;
    this.#server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;

    function stream(request: IncomingMessage, response: ServerResponse, rest: string): void {
      if (!mayPlayStreams(request, options.access)) {
        const message = 'streams are open to private networks only';
        const hint = 'start Larder with --stream-access all to change that';
        response
          .writeHead(403, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' })
          .end(`${message}\n${hint}\n`);
        return;
      }
      const path = rest.split(/[?#]/, 1)[0]!;
      const slash = path.indexOf('/');
      const sourceName = slash < 0 ? path : path.slice(0, slash);
      const rawPath = slash < 0 ? '' : path.slice(slash + 1);
      options.streams.handle(request, response, { sourceName, rawPath }).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else sendError(response, error, true);
      });
    }
  }

  /** @throws LarderError `usage` when the address cannot be listened on */
  listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => {
        reject(
          new LarderError('usage', `cannot listen on ${host} port ${port}: ${describeError(error)}`, {
            cause: error,
            hint: 'another program may use the port: choose one with --port N, or --port 0 for any free one',
          }),
        );
      });
      this.#server.listen(port, host, () => resolve(this.#server.address() as AddressInfo));
    });
  }

  /** Takes no new connections; those that are idle are closed. */
  stopAccepting(): void {
    this.#closed = new Promise((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
  }

  /** Cuts what is still open. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await this.#closed;
  }
}
