// Reads the body of a request whole, within its bound and in time. Whoever asks must have been let in before: nobody
// else's bytes are waited for. hono's own `bodyLimit` makes such a request anew from node-server's light one, of which
// Bun then reads the method as GET.
import type { HttpBindings } from '@hono/node-server';
import { hasBody, isSafeMethod } from '../access/own-request.ts';
import type { Clock } from '../clock.ts';
import { describeError } from '../errors.ts';
import { BODY_TIMEOUT_MS, FORM_MAX_BYTES } from '../limits.ts';
import type { Log } from '../log.ts';

export interface BodyFault {
  readonly status: 400 | 408 | 413;
  /** A clause, in words for people. */
  readonly reason: string;
}

export interface BodyContext {
  readonly env: Pick<HttpBindings, 'incoming'>;
  readonly req: { raw: Request };
}

const TOO_LONG: BodyFault = { status: 413, reason: `the body is longer than ${FORM_MAX_BYTES} bytes` };
const TOO_SLOW: BodyFault = { status: 408, reason: `the body did not come within ${BODY_TIMEOUT_MS / 1_000} seconds` };
const BROKEN_OFF: BodyFault = { status: 400, reason: 'the body broke off' };

/** Null when handlers may read the body. Of a fault tell, and close the connection: the rest of it is not read. */
export async function takeBody(context: BodyContext, { clock, log }: { clock: Clock; log: Log }) {
  const { method = 'GET', headers } = context.env.incoming;
  if (isSafeMethod(method) || !hasBody(headers)) return null;
  if (Number(headers['content-length'] ?? 0) > FORM_MAX_BYTES) return TOO_LONG;
  const { raw } = context.req;
  if (raw.body === null) return null;
  const slow = Promise.withResolvers<BodyFault>();
  const timer = clock.after(BODY_TIMEOUT_MS, () => slow.resolve(TOO_SLOW));
  try {
    const body = await Promise.race([slow.promise, readWhole(raw.body)]);
    if ('status' in body) return body;
    context.req.raw = new Request(raw.url, { method, headers: new Headers([...raw.headers]), body });
    return null;
  } catch (error) {
    // Who sent it has gone: nobody hears the answer, and nothing is wrong here.
    log.debug('a body broke off', { error: describeError(error) });
    return BROKEN_OFF;
  } finally {
    timer.cancel();
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
