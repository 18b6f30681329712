// Connections to addresses that were checked, in the name of the host that they were found for: the name is not looked
// up a second time, when it could mean another address (facts/pitfalls.md 104). TLS checks the name, not the address.
import { Agent } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import ipaddr from 'ipaddr.js';
import type { Clock } from '../clock.ts';
import type { ClientCertificate } from './client-certificate.ts';
import { FlowGate } from './flow-gate.ts';

export interface ConnectionTarget {
  readonly url: URL;
  /** Checked ones, in the order in which they are tried. */
  readonly addresses: readonly string[];
  /** To be shown where TLS is spoken. */
  readonly clientCertificate: ClientCertificate | null;
}

export interface OpenConnection {
  /** What HTTP is spoken over. */
  readonly stream: Duplex;
  readonly socket: Socket;
  readonly address: string;
  /** Null without TLS: a plain socket stops by itself. */
  readonly gate: FlowGate | null;
}

/** A host with more addresses is hardly up at the fifth when it was down at four. */
const ADDRESSES_MAX = 4;
/** An address that is silent is left for the next one after this; the last one has all the time that there is. */
const ADDRESS_TRY_MS = 2_500;

export function portOf({ port, protocol }: URL): number {
  return Number(port || (protocol === 'https:' ? 443 : 80));
}

/** What a name stands for in the eyes of a socket: an IPv6 address without its brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

/**
 * Resolves when TLS is agreed upon, where it is spoken.
 * @param onConnected - an address took the connection
 * @throws what the last address said; whatever `signal` was aborted with
 */
export async function openConnection(
  target: ConnectionTarget,
  clock: Clock,
  signal: AbortSignal,
  onConnected: () => void,
): Promise<OpenConnection> {
  const { url, clientCertificate } = target;
  const { socket, address } = await connectToOne(target, clock, signal);
  onConnected();
  if (url.protocol === 'http:') return { stream: socket, socket, address, gate: null };
  const gate = new FlowGate(socket);
  const host = hostOf(url);
  // An address is no server name (RFC 6066 §3): the certificate is compared with `host` then.
  const servername = ipaddr.isValid(host) ? '' : host;
  const secure = connectTls({
    socket: gate as unknown as Socket,
    host,
    servername,
    ALPNProtocols: ['http/1.1'],
    ...tlsOptions(clientCertificate),
  });
  await settle(secure, 'secureConnect', signal);
  return { stream: secure, socket, address, gate };
}

/** As node:tls takes it. */
export function tlsOptions(certificate: ClientCertificate | null): { cert?: string; key?: string; ca?: string } {
  if (certificate === null) return {};
  const { certificate: cert, key, ca } = certificate;
  return { cert, key, ...(ca === undefined ? {} : { ca }) };
}

async function connectToOne(
  { url, addresses }: ConnectionTarget,
  clock: Clock,
  signal: AbortSignal,
): Promise<{ socket: Socket; address: string }> {
  const tried = addresses.slice(0, ADDRESSES_MAX);
  let failure: unknown = Object.assign(new Error('the name has no address'), { code: 'ENODATA' });
  for (const [index, address] of tried.entries()) {
    signal.throwIfAborted();
    const socket = connectTcp({ host: address, port: portOf(url) });
    const silence = () => socket.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }));
    const timer = index === tried.length - 1 ? null : clock.after(ADDRESS_TRY_MS, silence);
    try {
      await settle(socket, 'connect', signal);
      socket.setNoDelay(true);
      return { socket, address };
    } catch (error) {
      failure = error;
    } finally {
      timer?.cancel();
    }
  }
  signal.throwIfAborted();
  throw failure;
}

/** Waits for `event`. A stream that fails before is destroyed; what befalls it later is for who reads it. */
function settle(stream: Duplex, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => stream.destroy();
    const fail = (error: unknown) => {
      signal.removeEventListener('abort', stop);
      stream.destroy();
      reject(signal.aborted ? signal.reason : error);
    };
    const closed = () => fail(Object.assign(new Error('it closed the connection'), { code: 'ECONNRESET' }));
    stream.on('error', fail);
    stream.once('close', closed);
    stream.once(event, () => {
      signal.removeEventListener('abort', stop);
      stream.off('close', closed);
      resolve();
    });
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
}

/**
 * What node:http asks for a connection: this one, and never another. Its requests follow one another.
 * An agent is a must: without one node:http passes over `createConnection` and looks the name up itself.
 */
export class PinnedAgent extends Agent {
  readonly connection: OpenConnection;
  #isGivenOut = false;

  constructor(connection: OpenConnection) {
    super({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
    this.connection = connection;
  }

  get isUsable(): boolean {
    return !this.connection.stream.destroyed && !this.connection.socket.destroyed;
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | undefined {
    const { stream } = this.connection;
    if (!this.#isGivenOut) {
      this.#isGivenOut = true;
      return stream;
    }
    callback?.(Object.assign(new Error('the kept connection is closed'), { code: 'ECONNRESET' }), stream);
    return undefined;
  }

  close(): void {
    this.destroy();
    this.connection.stream.destroy();
    this.connection.socket.destroy();
  }
}
