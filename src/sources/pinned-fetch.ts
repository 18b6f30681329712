// Requests over connections to checked addresses (pinned-connection.ts), and what of these connections is kept for the
// next request. Where fetch would look the name up again, and could be led elsewhere.
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Clock, Timer } from '../clock.ts';
import { systemCode } from '../errors.ts';
import { toResponse } from './message-response.ts';
import { type ConnectionTarget, hostOf, openConnection, PinnedAgent, portOf } from './pinned-connection.ts';

export interface PinnedRequest extends ConnectionTarget {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly signal: AbortSignal;
  /** There is a connection: what is waited for now is the answer. */
  readonly onConnected: () => void;
}

interface IdleConnection {
  readonly agent: PinnedAgent;
  readonly key: string;
  readonly timer: Timer;
  readonly drop: () => void;
}

const IDLE_CONNECTIONS_MAX = 8;
/** Servers close what is idle after five seconds (node:http) to some minutes. */
const IDLE_MS = 10_000;
/** What may be asked twice when a kept connection turns out to be closed (RFC 9110 §9.2.2). */
const REPEATABLE_METHODS = new Set(['GET', 'PROPFIND', 'DELETE']);

/** What goes over one connection: the name under which its certificate was checked, by whom, and who we are in it. */
function keyOf({ url, clientCertificate }: ConnectionTarget): string {
  const { certificate = '', ca = '' } = clientCertificate ?? {};
  return [url.protocol, hostOf(url), portOf(url), certificate, ca].join(' ');
}

/** What stands in the request line: as fetch sends it, with an empty query too. */
export function requestTarget({ href }: URL): string {
  return href.replace(/^[a-z]+:\/\/[^/]*/i, '').replace(/#.*$/s, '');
}

export class PinnedFetch {
  readonly #clock: Clock;
  /** The longest idle comes first. */
  readonly #idle: IdleConnection[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The response to one request; redirects are not followed. @throws what the connection came to */
  async request(asked: PinnedRequest): Promise<Response> {
    const kept = REPEATABLE_METHODS.has(asked.method) ? this.#takeIdle(asked) : null;
    if (kept !== null) {
      asked.onConnected();
      try {
        return await this.#send(kept, asked);
      } catch (error) {
        // The origin closed it while it was idle, or as we asked.
        const isClosed = ['ECONNRESET', 'EPIPE', 'ECONNABORTED'].includes(systemCode(error) ?? '');
        if (asked.signal.aborted || !isClosed) throw error;
      }
    }
    const connection = await openConnection(asked, this.#clock, asked.signal, asked.onConnected);
    return this.#send(new PinnedAgent(connection), asked);
  }

  #send(agent: PinnedAgent, asked: PinnedRequest): Promise<Response> {
    const { url, method, headers, body, signal } = asked;
    const { address, gate } = agent.connection;
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        agent,
        host: address,
        port: portOf(url),
        path: requestTarget(url),
        method,
        // As fetch names us.
        headers: { 'user-agent': navigator.userAgent, ...headers, host: url.host },
        setHost: false,
      });
      let isWhole = false;
      const hangUp = () => {
        request.destroy();
        agent.close();
      };
      const stop = () => {
        gate?.openGate();
        request.destroy(signal.reason);
        agent.close();
      };
      request.on('error', reject);
      request.once('response', (message: IncomingMessage) => {
        message.once('end', () => {
          isWhole = message.complete;
        });
        const unpacks = (headers['accept-encoding'] ?? 'identity') !== 'identity';
        try {
          resolve(toResponse(message, { gate, unpacks, hangUp, signal }));
        } catch (error) {
          reject(error);
        }
      });
      request.once('close', () => {
        signal.removeEventListener('abort', stop);
        reject(Object.assign(new Error('it closed the connection'), { code: 'ECONNRESET' }));
        if (isWhole && !signal.aborted) this.#keep(agent, keyOf(asked));
        else agent.close();
      });
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      request.end(body ?? undefined);
    });
  }

  /** A kept connection to one of the addresses that were checked just now. */
  #takeIdle(asked: ConnectionTarget): PinnedAgent | null {
    const key = keyOf(asked);
    const index = this.#idle.findLastIndex(
      (idle) => idle.key === key && idle.agent.isUsable && asked.addresses.includes(idle.agent.connection.address),
    );
    const [idle] = index < 0 ? [] : this.#idle.splice(index, 1);
    if (idle === undefined) return null;
    idle.timer.cancel();
    const { socket } = idle.agent.connection;
    socket.off('close', idle.drop);
    socket.ref();
    return idle.agent;
  }

  #keep(agent: PinnedAgent, key: string): void {
    if (!agent.isUsable) {
      agent.close();
      return;
    }
    const drop = () => {
      const index = this.#idle.findIndex((idle) => idle.agent === agent);
      if (index < 0) return;
      this.#idle.splice(index, 1)[0]?.timer.cancel();
      agent.close();
    };
    agent.connection.socket.unref();
    agent.connection.socket.once('close', drop);
    this.#idle.push({ agent, key, timer: this.#clock.after(IDLE_MS, drop), drop });
    if (this.#idle.length <= IDLE_CONNECTIONS_MAX) return;
    const oldest = this.#idle.shift();
    oldest?.timer.cancel();
    oldest?.agent.close();
  }
}
