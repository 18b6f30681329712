// Keeps a conversion alive while its bytes are read, and ends it when they are not wanted any more: a server that hears
// nothing gives it up after a minute, and one that is not told goes on converting for nobody (facts/upstreams.md §3.5,
// §4.4).
import type { Clock, Timer } from '../clock.ts';
import type { OriginClient, OriginRequest } from '../sources/origin-client.ts';
import type { SessionQuestion } from '../sources/upstream-request.ts';

export interface SessionKeeperParts {
  readonly client: Pick<OriginClient, 'follow'>;
  readonly clock: Clock;
}

export class SessionKeeper {
  readonly #request: OriginRequest;
  readonly #parts: SessionKeeperParts;
  #timer: Timer | undefined;

  constructor(request: OriginRequest, parts: SessionKeeperParts) {
    this.#request = request;
    this.#parts = parts;
  }

  start(): void {
    const { session } = this.#request;
    const { ping, pingEveryMs } = session ?? {};
    if (ping == null || pingEveryMs === undefined || this.#timer !== undefined) return;
    this.#timer = this.#parts.clock.every(pingEveryMs, () => void this.#ask(ping));
  }

  /** To be called once the connection is over. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    const stop = this.#request.session?.stop ?? null;
    if (stop !== null) await this.#ask(stop);
  }

  /** What it answers changes nothing: bytes come, or do not. */
  async #ask({ method, url }: SessionQuestion): Promise<void> {
    const { headers, baseUrl, ownPort, local } = this.#request;
    const abort = new AbortController();
    try {
      const question = { url, method, headers, baseUrl, ownPort, local, body: null, ownHeaders: {} };
      await (await this.#parts.client.follow(question, abort)).response.body?.cancel();
    } catch {
      // The server is gone, and with it the conversion.
    } finally {
      abort.abort();
    }
  }
}
