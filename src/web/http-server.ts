// The one listening socket: streams go straight to their handler, everything else through hono.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { AccessControl, StreamDecision } from '../access/access-control.ts';
import type { SignedAddresses } from '../access/signed-addresses.ts';
import type { Clock } from '../clock.ts';
import { readHeight } from '../library/auto-qualities.ts';
import type { Log } from '../log.ts';
import { cutResponse } from '../proxy/cut-response.ts';
import { sendError } from '../proxy/error-response.ts';
import type { StreamHandler, StreamTarget } from '../proxy/stream-handler.ts';
import type { App } from './app.ts';
import type { FolderHandler } from './folder-handler.ts';
import { Listener, type ListenerCertificate } from './listener.ts';
import { factsOf } from './request-facts.ts';

export interface HttpServerOptions {
  readonly app: App;
  readonly streams: StreamHandler;
  readonly folders: FolderHandler;
  readonly access: Pick<AccessControl, 'mayPlay' | 'watch' | 'clientOf' | 'preferencesOf'>;
  readonly signatures: Pick<SignedAddresses, 'sign'>;
  readonly basePath: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** A film is over by then, with pauses. */
const HOUR_MS = 3_600_000;
const PIECE_ADDRESS_MS = 12 * HOUR_MS;

export class HttpServer {
  readonly #listener: Listener;

  constructor(options: HttpServerOptions) {
    const prefixes = { path: `${options.basePath}/s/`, media: `${options.basePath}/stream/` };
    // The global Response must stay the platform's: node-server's own breaks answers written by hand.
    const listener = getRequestListener(options.app.hono.fetch, { overrideGlobalObjects: false });
    const onRequest = (request: IncomingMessage, response: ServerResponse) => {
      // A request line may hold the whole address (RFC 9112 §3.2.2).
      const path = (request.url ?? '').replace(/^https?:\/\/[^/]*/i, '');
      const kind = path.startsWith(prefixes.path) ? 'path' : path.startsWith(prefixes.media) ? 'media' : null;
      if (kind === null) void listener(request, response);
      else
        stream(request, response, kind, path.slice(options.basePath.length)).catch((error: unknown) => {
          if (response.headersSent) response.destroy();
          else sendError(response, error, true);
        });
    };
    const { clock, log } = options;
    this.#listener = new Listener({ onRequest, clock, log });

    /** What opened this address opens those that it leads to. */
    function linksFor(decision: Extract<StreamDecision, { may: true }>, token: string | null) {
      const { by } = decision;
      if (by?.kind === 'address') {
        // To a whole hour: players keep keys and beginnings by their addresses, and a live playlist is written often.
        const nowMs = options.clock.nowMs();
        const lifetimeMs = Math.ceil((nowMs + PIECE_ADDRESS_MS) / HOUR_MS) * HOUR_MS - nowMs;
        return (path: string) => options.basePath + options.signatures.sign(path, by.signer, lifetimeMs);
      }
      const query = token === null ? '' : `?token=${encodeURIComponent(token)}`;
      return (path: string) => options.basePath + path + query;
    }

    /** @param address below the base path, as it stands in the request line */
    async function stream(
      request: IncomingMessage,
      response: ServerResponse,
      kind: StreamTarget['kind'],
      address: string,
    ): Promise<void> {
      const { path, query } = splitAddress(address);
      const asking = { ...factsOf(request), path, query };
      const client = options.access.clientOf(asking);
      const asked = options.access.mayPlay(asking, client);
      const decision = asked instanceof Promise ? await asked : asked;
      // Who has gone meanwhile says so no second time: what waits for it would wait for ever.
      if (response.destroyed) return;
      if (!decision.may) {
        refuse(response, decision);
        return;
      }
      if (decision.by !== null) {
        // A stream ends with the right that it was opened by.
        const unwatch = options.access.watch(decision.by, () => cutResponse(response));
        response.once('close', unwatch);
      }
      const { sourceName, rawPath, hasPath } = splitPath(path);
      if (kind === 'path' && !hasPath) {
        // Links on its page are relative to the slash.
        response.writeHead(301, { Location: `${options.basePath}${path}/${query === '' ? '' : `?${query}`}` }).end();
        return;
      }
      if (kind === 'path' && (rawPath === '' || rawPath.endsWith('/'))) {
        await options.folders.handle(request, response, { sourceName, rawPath, query });
        return;
      }
      const asks = query === '' ? null : new URLSearchParams(query);
      const linkOf = linksFor(decision, asks?.get('token') ?? null);
      const preferredHeight = async () => {
        const preferences = await options.access.preferencesOf(asking, client, decision.by);
        return preferences?.maxHeight ?? null;
      };
      await options.streams.handle(request, response, {
        kind,
        sourceName,
        rawPath,
        clientAddress: client.address,
        linkOf,
        preferredHeight,
        askedHeight: readHeight(asks?.get('max')),
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

function splitAddress(address: string): { readonly path: string; readonly query: string } {
  if (address.search(/[?#]/) < 0) return { path: address, query: '' };
  const [, path = '', query = ''] = /^([^?#]*)\??([^#]*)/.exec(address)!;
  return { path, query };
}

/** Of `/s/SOURCE/PATH` and `/stream/SOURCE/PATH`; `hasPath` is whether there is a slash behind SOURCE. */
function splitPath(path: string) {
  const nameStart = path.indexOf('/', 1) + 1;
  const nameEnd = path.indexOf('/', nameStart);
  if (nameEnd < 0) return { sourceName: path.slice(nameStart), rawPath: '', hasPath: false };
  return { sourceName: path.slice(nameStart, nameEnd), rawPath: path.slice(nameEnd + 1), hasPath: true };
}

function refuse(response: ServerResponse, decision: Extract<StreamDecision, { may: false }>): void {
  response
    .writeHead(decision.status, {
      'Content-Type': 'text/plain; charset=utf-8',
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
      // Players that know it ask their user for a name (any) and a password (a token).
      ...(decision.status === 401 ? { 'WWW-Authenticate': 'Basic realm="Larder streams", charset="UTF-8"' } : {}),
    })
    .end(`${decision.message}\n${decision.hint}\n`);
}
