// Reads the body of a request whole, within its bound and in time. Whoever asks must have been let in before: nobody
// else's bytes are waited for. hono's own `bodyLimit` makes such a request anew from node-server's light one, of which
// Bun then reads the method as GET. Bodies that are still to come hold a connection and memory: few for one address.
import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { hasBody, isSafeMethod } from '../access/own-request.ts';
import type { Clock } from '../clock.ts';
import { describeError } from '../errors.ts';
import { BODIES_PER_ADDRESS_MAX, BODY_TIMEOUT_MS, FORM_MAX_BYTES } from '../limits.ts';
import type { Log } from '../log.ts';

export interface BodyFault {
  readonly status: 400 | 408 | 413 | 429;
  /** A clause, in words for people. */
  readonly reason: string;
}

export interface BodyContext {
  readonly env: Pick<HttpBindings, 'incoming'>;
  readonly req: { raw: Request };
}

const TOO_LONG: BodyFault = { status: 413, reason: `the body is longer than ${FORM_MAX_BYTES} bytes` };
const TOO_SLOW: BodyFault = { status: 408, reason: `the body did not come within ${BODY_TIMEOUT_MS / 1_000} seconds` };
const TOO_MANY: BodyFault = { status: 429, reason: 'too many requests of this address have not come whole yet' };
const BROKEN_OFF: BodyFault = { status: 400, reason: 'the body broke off' };

export interface BodyReaderServices {
  readonly clock: Clock;
  readonly log: Log;
  /** Who sends it, seen through trusted proxies. */
  readonly addressOf: (request: IncomingMessage) => string;
}

export class BodyReader {
  readonly #services: BodyReaderServices;
  /** Bodies that are waited for, by address. */
  readonly #waiting = new Map<string, number>();

  constructor(services: BodyReaderServices) {
    this.#services = services;
  }

  /** Null when handlers may read the body. Of a fault tell, and close the connection: the rest of it is not read. */
  async take(context: BodyContext): Promise<BodyFault | null> {
    const { incoming } = context.env;
    const { method = 'GET', headers } = incoming;
    if (isSafeMethod(method) || !hasBody(headers)) return null;
    if (Number(headers['content-length'] ?? 0) > FORM_MAX_BYTES) return TOO_LONG;
    const { raw } = context.req;
    if (raw.body === null) return null;
    const address = this.#services.addressOf(incoming);
    const waiting = this.#waiting.get(address) ?? 0;
    if (waiting >= BODIES_PER_ADDRESS_MAX) return TOO_MANY;
    this.#waiting.set(address, waiting + 1);
    const slow = Promise.withResolvers<BodyFault>();
    const timer = this.#services.clock.after(BODY_TIMEOUT_MS, () => slow.resolve(TOO_SLOW));
    try {
      const body = await Promise.race([slow.promise, readWhole(raw.body)]);
      if ('status' in body) return body;
      context.req.raw = new Request(raw.url, { method, headers: new Headers([...raw.headers]), body });
      return null;
    } catch (error) {
      // Who sent it has gone: nobody hears the answer, and nothing is wrong here.
      this.#services.log.debug('a body broke off', { error: describeError(error) });
      return BROKEN_OFF;
    } finally {
      timer.cancel();
      const left = this.#waiting.get(address)! - 1;
      if (left === 0) this.#waiting.delete(address);
      else this.#waiting.set(address, left);
    }
  }
}

async function readWhole(body: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer> | BodyFault> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(parts);
    length += value.length;
    if (length > FORM_MAX_BYTES) return TOO_LONG;
    parts.push(value);
  }
}
