// The one listening socket: streams go straight to their handler, everything else through hono.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { sendError } from '../proxy/error-response.ts';
import type { StreamHandler } from '../proxy/stream-handler.ts';
import { type AccessRules, mayPlayStreams } from './access.ts';
import type { App } from './app.ts';
import { Listener, type ListenerCertificate } from './listener.ts';

export interface HttpServerOptions {
  readonly app: App;
  readonly streams: StreamHandler;
  readonly access: AccessRules;
  readonly basePath: string;
  readonly clock: Clock;
  readonly log: Log;
}

export class HttpServer {
  readonly #listener: Listener;

  constructor(options: HttpServerOptions) {
    const prefix = `${options.basePath}/s/`;
    // The global Response must stay the platform's: node-server's own breaks answers written by hand.
    const listener = getRequestListener(options.app.hono.fetch, { overrideGlobalObjects: false });
    const onRequest = (request: IncomingMessage, response: ServerResponse) => {
      // A request line may hold the whole address (RFC 9112 §3.2.2).
      const path = (request.url ?? '').replace(/^https?:\/\/[^/]*/i, '');
      if (path.startsWith(prefix)) stream(request, response, path.slice(prefix.length));
      else void listener(request, response);
    };
    const { clock, log } = options;
    this.#listener = new Listener({ onRequest, clock, log });

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

  /** Null serves plain http. @throws LarderError `usage` when the address cannot be listened on */
  listen(host: string, port: number, certificate: ListenerCertificate | null): Promise<AddressInfo> {
    return this.#listener.listen(host, port, certificate);
  }

  replaceCertificate(certificate: ListenerCertificate): Promise<void> {
    return this.#listener.replaceCertificate(certificate);
  }

  /** Takes no new connections; those that are idle are closed. */
  stopAccepting(): void {
    this.#listener.stopAccepting();
  }

  /** Cuts what is still open. */
  stop(): Promise<void> {
    return this.#listener.stop();
  }
}
