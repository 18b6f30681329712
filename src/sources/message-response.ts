// An answer of node:http as the web's Response, as fetch would give it: streamed, no faster than it is read.
import type { IncomingMessage } from 'node:http';
import { LarderError } from '../errors.ts';
import type { FlowGate } from './flow-gate.ts';

/** What may lie in memory of a body that is not read, besides what the system's socket holds. */
const BODY_AHEAD_BYTES = 256 * 1024;

/** RFC 9110 §15, as the Fetch standard has it ("null body status"). */
const BODILESS_STATUSES = new Set([101, 103, 204, 205, 304]);

const ENCODINGS: Readonly<Record<string, CompressionFormat>> = { gzip: 'gzip', 'x-gzip': 'gzip', deflate: 'deflate' };

export interface MessageOptions {
  readonly gate: FlowGate | null;
  /** Whether a compressed body was asked for, and is to be unpacked. */
  readonly unpacks: boolean;
  /** Breaks the connection off. */
  readonly hangUp: () => void;
  /** The request's own: what it is aborted with is what the body fails with. */
  readonly signal: AbortSignal;
}

/** @throws LarderError `origin-lied` for a status that is none */
export function toResponse(message: IncomingMessage, options: MessageOptions): Response {
  const { unpacks, hangUp } = options;
  const status = message.statusCode ?? 0;
  if (status < 200 || status > 599) {
    hangUp();
    throw new LarderError('origin-lied', `the origin answered ${status}, which is no status`);
  }
  const headers = readHeaders(message.rawHeaders);
  const statusText = (message.statusMessage ?? '').replace(/[^\t\x20-\x7e]/g, '');
  if (BODILESS_STATUSES.has(status)) {
    message.resume();
    return new Response(null, { status, statusText, headers });
  }
  const body = streamOf(message, options);
  const encoding = ENCODINGS[headers.get('content-encoding')?.trim().toLowerCase() ?? ''];
  if (!unpacks || encoding === undefined || headers.get('content-length') === '0') {
    return new Response(body, { status, statusText, headers });
  }
  headers.delete('content-encoding');
  headers.delete('content-length');
  const unpacked = body.pipeThrough(new DecompressionStream(encoding) as TransformStream<Uint8Array, Uint8Array>);
  return new Response(unpacked, { status, statusText, headers });
}

/** What the web's Headers do not take is left out: it would be nothing to go by. */
function readHeaders(rawHeaders: readonly string[]): Headers {
  const headers = new Headers();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    try {
      headers.append(rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '');
    } catch {
      // A name or value that HTTP does not allow, and node:http lets pass.
    }
  }
  return headers;
}

function streamOf(message: IncomingMessage, { gate, hangUp, signal }: MessageOptions): ReadableStream<Uint8Array> {
  let isOver = false;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const fail = (error: unknown) => {
          if (isOver) return;
          isOver = true;
          controller.error(signal.aborted ? signal.reason : error);
        };
        message.on('data', (bytes: Buffer) => {
          if (isOver) return;
          controller.enqueue(bytes);
          if ((controller.desiredSize ?? 0) > 0) return;
          message.pause();
          gate?.closeGate();
        });
        message.once('end', () => {
          if (isOver) return;
          isOver = true;
          controller.close();
        });
        message.on('error', fail);
        message.once('close', () => fail(Object.assign(new Error('the body broke off'), { code: 'ECONNRESET' })));
      },
      pull() {
        gate?.openGate();
        message.resume();
      },
      cancel() {
        if (isOver) return;
        isOver = true;
        gate?.openGate();
        hangUp();
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: BODY_AHEAD_BYTES }),
  );
}
