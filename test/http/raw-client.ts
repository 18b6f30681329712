// An HTTP client that hides nothing: it sends the text it is given and shows every header line as it came.
import { connect, type Socket } from 'node:net';

export interface RawHead {
  readonly status: number;
  /** Header lines in order, names as sent. */
  readonly lines: readonly (readonly [name: string, value: string])[];
  /** First value of a header, whatever its case. */
  header(name: string): string | undefined;
}

export interface RawResponse extends RawHead {
  readonly body: Uint8Array;
  /** The body was as long as the head said, and ended in order. */
  readonly isWhole: boolean;
}

const HEAD_END = '\r\n\r\n';

function parseHead(text: string): RawHead {
  const [statusLine = '', ...rest] = text.split('\r\n');
  const lines = rest.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return {
    status: Number(statusLine.split(' ')[1]),
    lines,
    header: (name) => lines.find(([candidate]) => candidate.toLowerCase() === name.toLowerCase())?.[1],
  };
}

export class RawConnection implements Disposable {
  readonly socket: Socket;
  /** What came and was not read yet; joined when it is looked at, not with each piece of a long body. */
  #pieces: Buffer[] = [];
  #length = 0;
  #ended = false;
  #paused = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (data) => {
      this.#pieces.push(data as Buffer);
      this.#length += data.length;
      this.#wake?.();
    });
    const end = () => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on('close', end);
    socket.on('error', end);
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new RawConnection(socket)));
      socket.once('error', reject);
    });
  }

  /** Sends a request line and headers; `Host` is added. */
  send(method: string, path: string, headers: Readonly<Record<string, string>> = {}): void {
    const lines = Object.entries({ Host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  }

  get #buffer(): Buffer {
    if (this.#pieces.length !== 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0]!;
  }

  set #buffer(buffer: Buffer) {
    this.#pieces = [buffer];
    this.#length = buffer.length;
  }

  /** Stops taking bytes from the socket: a slow reader. */
  pause(): void {
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.socket.resume();
  }

  /** The next head, as soon as it is there. @throws Error when the connection ends before */
  async readHead(): Promise<RawHead> {
    for (;;) {
      const end = this.#buffer.indexOf(HEAD_END);
      if (end >= 0) {
        const head = parseHead(this.#buffer.subarray(0, end).toString('latin1'));
        this.#buffer = this.#buffer.subarray(end + HEAD_END.length);
        return head;
      }
      if (this.#ended) throw new Error('the connection ended before a head');
      await this.#more();
    }
  }

  /** Exactly `length` bytes of the body, or fewer when the connection ends. */
  async readBytes(length: number): Promise<Uint8Array> {
    while (this.#length < length && !this.#ended) await this.#more();
    const bytes = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(bytes.length);
    return new Uint8Array(bytes);
  }

  async readChunked(): Promise<{ body: Uint8Array; isWhole: boolean }> {
    const parts: Uint8Array[] = [];
    for (;;) {
      while (this.#buffer.indexOf('\r\n') < 0 && !this.#ended) await this.#more();
      const lineEnd = this.#buffer.indexOf('\r\n');
      if (lineEnd < 0) return { body: Buffer.concat(parts), isWhole: false };
      const size = Number.parseInt(this.#buffer.subarray(0, lineEnd).toString('latin1'), 16);
      this.#buffer = this.#buffer.subarray(lineEnd + 2);
      const part = await this.readBytes(size + 2);
      if (part.length < size + 2) return { body: Buffer.concat([...parts, part]), isWhole: false };
      if (size === 0) return { body: Buffer.concat(parts), isWhole: true };
      parts.push(part.subarray(0, size));
    }
  }

  async readResponse(method: string): Promise<RawResponse> {
    const head = await this.readHead();
    if (method === 'HEAD' || head.status === 304 || head.status === 204) {
      return { ...head, header: head.header, body: new Uint8Array(), isWhole: true };
    }
    if (head.header('transfer-encoding') === 'chunked') return { ...head, ...(await this.readChunked()) };
    const length = Number(head.header('content-length') ?? Number.NaN);
    const body = await this.readBytes(Number.isNaN(length) ? Number.POSITIVE_INFINITY : length);
    return { ...head, body, isWhole: body.length === length };
  }

  /** Resolves when the other side closed. */
  async closed(): Promise<void> {
    while (!this.#ended) await this.#more();
  }

  #more(): Promise<void> {
    if (this.#paused) throw new Error('nothing comes while paused');
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** One request on a connection of its own. */
export async function rawRequest(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<RawResponse> {
  using connection = await RawConnection.open(port);
  connection.send(method, path, headers);
  return await connection.readResponse(method);
}
