// The listening socket, in plain http or https. A new certificate is a new server on the same port: Bun's https server
// cannot be given another one while it runs (Deno's can; one way for both is enough). Connections of the old server go
// on to their end; for the few milliseconds between the two a new connection is refused, and clients try again.
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../clock.ts';
import { describeError, LarderError } from '../errors.ts';
import { HEADERS_TIMEOUT_MS, KEEP_ALIVE_TIMEOUT_MS, LISTEN_RETRY_MS } from '../limits.ts';
import type { Log } from '../log.ts';

export interface ListenerCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface ListenerOptions {
  readonly onRequest: RequestListener;
  readonly clock: Clock;
  readonly log: Log;
}

/** Names and value together; Node's own default is 16 KiB, and some players send long cookies. */
const HEADERS_MAX_BYTES = 64 * 1024;

export class Listener {
  readonly #options: ListenerOptions;
  #server: Server | undefined;
  /** Servers of older certificates, as long as somebody is connected to them. */
  readonly #retired = new Set<Server>();
  #closed: Promise<void> | undefined;
  #address: { readonly host: string; readonly port: number } | undefined;
  #stopping = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Null serves plain http. @throws LarderError `usage` when the address cannot be listened on */
  async listen(host: string, port: number, certificate: ListenerCertificate | null): Promise<AddressInfo> {
    const server = this.#create(certificate);
    try {
      const address = await listenOn(server, host, port);
      this.#server = server;
      this.#address = { host, port: address.port };
      return address;
    } catch (error) {
      throw new LarderError('usage', `cannot listen on ${host} port ${port}: ${describeError(error)}`, {
        cause: error,
        hint: 'another program may use the port: choose one with --port N, or --port 0 for any free one',
      });
    }
  }

  /** New connections are shown this one from now on; those that there are go on. */
  async replaceCertificate(certificate: ListenerCertificate): Promise<void> {
    const old = this.#server;
    if (old === undefined || this.#address === undefined || this.#stopping) return;
    const { host, port } = this.#address;
    this.#retired.add(old);
    old.close(() => this.#retired.delete(old));
    old.closeIdleConnections();
    for (;;) {
      const server = this.#create(certificate);
      try {
        await listenOn(server, host, port);
        this.#server = server;
        if (this.#stopping) this.stopAccepting();
        return;
      } catch (error) {
        this.#options.log.error('the port cannot be listened on again, and is tried until it can', {
          port,
          error: describeError(error),
        });
        await new Promise<void>((resolve) => this.#options.clock.after(LISTEN_RETRY_MS, resolve));
        if (this.#stopping) return;
      }
    }
  }

  /** Takes no new connections; those that are idle are closed. */
  stopAccepting(): void {
    this.#stopping = true;
    const server = this.#server;
    if (server?.listening) this.#closed = new Promise((resolve) => server.close(() => resolve()));
    for (const one of this.#servers()) one.closeIdleConnections();
  }

  /** Cuts what is still open. */
  async stop(): Promise<void> {
    for (const server of this.#servers()) server.closeAllConnections();
    await this.#closed;
  }

  #servers(): Server[] {
    return [...(this.#server === undefined ? [] : [this.#server]), ...this.#retired];
  }

  #create(certificate: ListenerCertificate | null): Server {
    const { onRequest } = this.#options;
    const options = { maxHeaderSize: HEADERS_MAX_BYTES, noDelay: true };
    const server: Server =
      certificate === null
        ? createServer(options, onRequest)
        : (createSecureServer(
            { ...options, cert: certificate.certificate, key: certificate.key },
            onRequest,
          ) as Server);
    server.requestTimeout = 0; // a film takes hours
    server.headersTimeout = HEADERS_TIMEOUT_MS;
    server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
    return server;
  }
}

function listenOn(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}
