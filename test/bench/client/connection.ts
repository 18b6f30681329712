// One keep-alive HTTP/1.1 connection of the load client: asks for a file or a half-open range of it, checks status,
// length, place and content of what arrives, and throws the bytes away. Bun's own sockets are used because they cost
// about a third of a CPU-second per gigabyte, kernel included; whatever the client spends is missing to the server.
import type { Socket } from 'bun';
import { type BenchFile, findWrongWord } from '../content.ts';
import { parseResponseHead, type ResponseHead } from './response-head.ts';

const SILENCE_LIMIT_SECONDS = 60;
const HEAD_LIMIT_BYTES = 64 * 1024;

export interface Exchange {
  readonly path: string;
  readonly file: BenchFile;
  /** Half-open; the whole file when absent. */
  readonly range?: { readonly start: number; readonly end: number };
  /** Drop the connection once so much of the body has arrived. */
  readonly dropAfterBytes?: number;
  /** Told how much of the body has arrived; answers for how many milliseconds nothing more shall be read. */
  readonly pace?: (receivedBytes: number) => number;
}

export interface ExchangeResult {
  readonly head: ResponseHead;
  /** From the call (or the opening of the connection, see fetchOnce) to the first byte of the body. */
  readonly firstByteMs: number;
  readonly lastByteMs: number;
  readonly bodyBytes: number;
}

interface Pending {
  readonly exchange: Exchange;
  readonly startedAtMs: number;
  readonly resolve: (result: ExchangeResult) => void;
  readonly reject: (error: Error) => void;
  head: ResponseHead | undefined;
  unparsed: Buffer | undefined;
  firstByteAtMs: number;
  receivedBytes: number;
}

export class Connection {
  #socket: Socket | undefined;
  #pending: Pending | undefined;
  #closedBecause: string | undefined;
  /** Body bytes over the life of the connection. */
  bodyBytes = 0;

  static async open(port: number): Promise<Connection> {
    const connection = new Connection();
    connection.#socket = await Bun.connect({
      hostname: '127.0.0.1',
      port,
      socket: {
        data: (_socket, bytes) => connection.#receive(bytes),
        close: () => connection.#fail('the connection was closed by the server'),
        error: (_socket, error) => connection.#fail(error.message),
        timeout: () => connection.#fail(`silent for ${SILENCE_LIMIT_SECONDS} s`),
      },
    });
    connection.#socket.timeout(SILENCE_LIMIT_SECONDS);
    return connection;
  }

  /** Rejects when the answer is not what was asked for, byte for byte as far as it is checked. */
  get(exchange: Exchange, startedAtMs = performance.now()): Promise<ExchangeResult> {
    const range = exchange.range ? `Range: bytes=${exchange.range.start}-${exchange.range.end - 1}\r\n` : '';
    const request = `GET ${exchange.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${range}\r\n`;
    return new Promise((resolve, reject) => {
      if (this.#pending) throw new Error('One exchange at a time');
      const rest = { head: undefined, unparsed: undefined, firstByteAtMs: 0, receivedBytes: 0 };
      this.#pending = { exchange, startedAtMs, resolve, reject, ...rest };
      if (this.#closedBecause !== undefined) this.#fail(this.#closedBecause);
      else if (this.#socket?.write(request) !== request.length) this.#fail('the request could not be sent at once');
    });
  }

  /** Ends the connection at once; an exchange under way is rejected. */
  drop(): void {
    this.#fail('dropped by the client');
  }

  #fail(reason: string): void {
    const pending = this.#pending;
    this.#pending = undefined;
    this.#closedBecause ??= reason;
    // Comes back here at once through the close event, so what is pending was taken out before.
    this.#socket?.terminate();
    if (!pending) return;
    const { exchange, receivedBytes } = pending;
    const where = `${exchange.path} ${exchange.range ? `[${exchange.range.start}, ${exchange.range.end})` : 'whole'}`;
    pending.reject(new Error(`${where}: ${reason}, after ${receivedBytes} bytes of the body`));
  }

  #receive(bytes: Buffer): void {
    const pending = this.#pending;
    if (!pending) {
      if (this.#closedBecause === undefined) this.#fail('bytes arrived that nobody asked for');
      return;
    }
    if (pending.head) this.#receiveBody(pending, pending.head, bytes);
    else this.#receiveHead(pending, bytes);
  }

  #receiveHead(pending: Pending, arrived: Buffer): void {
    const bytes = pending.unparsed ? Buffer.concat([pending.unparsed, arrived]) : arrived;
    const headEnd = bytes.indexOf('\r\n\r\n');
    if (headEnd < 0) {
      pending.unparsed = Buffer.from(bytes);
      if (bytes.length > HEAD_LIMIT_BYTES) this.#fail('the head is longer than 64 KiB');
      return;
    }
    const text = bytes.subarray(0, headEnd).toString('latin1');
    try {
      pending.head = parseResponseHead(text);
    } catch (error) {
      this.#fail(String(error));
      return;
    }
    const complaint = complaintAbout(pending.head, pending.exchange);
    if (complaint !== undefined) {
      this.#fail(
        `${complaint} (${text.split('\r\n', 1)[0]}) ${bytes.subarray(headEnd + 4, headEnd + 204).toString('latin1')}`.trim(),
      );
    } else if (bytes.length > headEnd + 4) {
      this.#receiveBody(pending, pending.head, bytes.subarray(headEnd + 4));
    }
  }

  #receiveBody(pending: Pending, head: ResponseHead, bytes: Buffer): void {
    if (pending.firstByteAtMs === 0) pending.firstByteAtMs = performance.now();
    const { exchange } = pending;
    const wrongAt = findWrongWord(bytes, head.start + pending.receivedBytes, exchange.file.seed);
    if (wrongAt >= 0) {
      this.#fail(`WRONG BYTES at offset ${wrongAt}`);
      return;
    }
    pending.receivedBytes += bytes.length;
    this.bodyBytes += bytes.length;
    const dueBytes = head.contentLength ?? 0;
    if (pending.receivedBytes > dueBytes) {
      this.#fail(`the body is longer than its Content-Length ${dueBytes}`);
      return;
    }
    if (pending.receivedBytes >= Math.min(dueBytes, exchange.dropAfterBytes ?? dueBytes)) this.#finish(pending, head);
    else if (exchange.pace) this.#rest(exchange.pace(pending.receivedBytes));
  }

  #finish(pending: Pending, head: ResponseHead): void {
    this.#pending = undefined;
    if (pending.exchange.dropAfterBytes !== undefined) this.drop();
    pending.resolve({
      head,
      firstByteMs: pending.firstByteAtMs - pending.startedAtMs,
      lastByteMs: performance.now() - pending.startedAtMs,
      bodyBytes: pending.receivedBytes,
    });
  }

  #rest(pauseMs: number): void {
    if (pauseMs < 1) return;
    this.#socket?.pause();
    setTimeout(() => this.#socket?.resume(), pauseMs);
  }
}

function complaintAbout(head: ResponseHead, exchange: Exchange): string | undefined {
  const { range, file } = exchange;
  if (head.status !== (range ? 206 : 200)) return `status ${head.status} instead of ${range ? 206 : 200}`;
  const dueBytes = range ? range.end - range.start : file.sizeBytes;
  if (head.contentLength !== dueBytes) return `Content-Length ${head.contentLength} instead of ${dueBytes}`;
  if (head.start !== (range?.start ?? 0)) return `the body starts at ${head.start} instead of ${range?.start ?? 0}`;
  return undefined;
}

/** One exchange on a connection of its own; the first byte's time includes connecting, as a player would feel it. */
export async function fetchOnce(port: number, exchange: Exchange): Promise<ExchangeResult> {
  const startedAtMs = performance.now();
  const connection = await Connection.open(port);
  try {
    return await connection.get(exchange, startedAtMs);
  } finally {
    connection.drop();
  }
}
