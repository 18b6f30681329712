// A GET of a film through Larder on a connection of its own. Every byte is checked as it arrives, against the version
// that the response's ETag names; nothing is kept. It can leave at any moment, as players do.
import type { Socket } from 'bun';
import { contentOf, findWrongByte } from '../support/content.ts';
import { ChunkedBody } from './chunked-body.ts';
import { type Film, type FilmVersion, versionOf, versionOfEtag } from './film.ts';

export interface GetOptions {
  readonly port: number;
  readonly source: string;
  readonly film: Film;
  /** Of the films. */
  readonly seed: number;
  /** Half-open; null reads to the end. */
  readonly range?: { readonly start: number; readonly end: number | null };
  /** Breaks the connection: with 0 as soon as the request is sent, with 'head' when the head is there. */
  readonly leaveAfter?: number | 'head';
  /** Told how much of the body has come; answers for how many milliseconds nothing more is read. */
  readonly pauseMs?: (receivedBytes: number) => number;
  /** Breaks the connection. */
  readonly signal?: AbortSignal;
  /** Without a byte for this long it is a hang. CONTRACT.md, promise 9: a reader hears within 40 s. */
  readonly silenceSeconds?: number;
}

export interface GetResult {
  /** 0 when there was no head. */
  readonly status: number;
  readonly cache: string;
  /** Null when the answer was an error. */
  readonly version: number | null;
  readonly start: number;
  readonly bodyBytes: number;
  /** From the call, connecting included, to the head; null when there was none. */
  readonly headMs: number | null;
  /** And to the first byte of a film. */
  readonly firstByteMs: number | null;
  /** `cut`: the other side ended it before the end that it had announced. */
  readonly ending: 'whole' | 'cut' | 'left' | 'refused';
  /** From the last byte that came, or from the request, to the ending. */
  readonly silentMs: number;
}

/** Something that must never happen did. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

const SILENCE_SECONDS = 60;
const HEAD_END = '\r\n\r\n';

interface Head {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
}

function parseHead(text: string): Head {
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
  if (status === 0) throw new Violation(`not an HTTP/1.1 answer: ${JSON.stringify(text.slice(0, 60))}`);
  return { status, header: (name) => new RegExp(`^${name}: *([^\\r\\n]*)`, 'im').exec(text)?.[1] };
}

class Get {
  readonly #options: GetOptions;
  readonly #finished = Promise.withResolvers<GetResult>();
  #socket: Socket | undefined;
  #unparsed = Buffer.alloc(0);
  #head: Head | undefined;
  #version: number | null = null;
  #content: FilmVersion | undefined;
  #start = 0;
  /** Null while only the framing says where the body ends. */
  #dueBytes: number | null = null;
  #chunked: ChunkedBody | undefined;
  #bodyBytes = 0;
  #isOver = false;
  readonly #startedAtMs = performance.now();
  #heardAtMs = this.#startedAtMs;
  #headMs: number | null = null;
  #firstByteMs: number | null = null;

  constructor(options: GetOptions) {
    this.#options = options;
  }

  async run(): Promise<GetResult> {
    const { port, source, film, range, leaveAfter, signal, silenceSeconds = SILENCE_SECONDS } = this.#options;
    const leave = () => this.#end('left');
    signal?.addEventListener('abort', leave, { once: true });
    try {
      this.#socket = await Bun.connect({
        hostname: '127.0.0.1',
        port,
        socket: {
          data: (_socket, bytes) => this.#guard(() => this.#receive(bytes)),
          close: () => this.#guard(() => this.#closed()),
          error: () => this.#guard(() => this.#closed()),
          timeout: () =>
            this.#guard(() => {
              throw this.#violation(`nothing came for ${silenceSeconds} s`);
            }),
        },
      });
    } catch {
      this.#end('refused');
    }
    if (signal?.aborted) leave();
    if (!this.#isOver) {
      this.#socket!.timeout(silenceSeconds);
      const asked =
        range === undefined ? '' : `Range: bytes=${range.start}-${range.end === null ? '' : range.end - 1}\r\n`;
      this.#socket!.write(
        `GET /s/${source}/${film.path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${asked}\r\n`,
      );
      if (leaveAfter === 0) this.#end('left');
    }
    try {
      return await this.#finished.promise;
    } finally {
      signal?.removeEventListener('abort', leave);
      this.#socket?.terminate();
    }
  }

  #guard(action: () => void): void {
    if (this.#isOver) return;
    try {
      action();
    } catch (error) {
      this.#isOver = true;
      this.#finished.reject(error);
    }
  }

  #violation(what: string): Violation {
    const { film, range } = this.#options;
    const asked = range === undefined ? 'whole' : `[${range.start}, ${range.end ?? 'end'})`;
    return new Violation(`${film.path} ${asked}, status ${this.#head?.status ?? 'none'}: ${what}`);
  }

  #end(ending: GetResult['ending']): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#finished.resolve({
      status: this.#head?.status ?? 0,
      cache: this.#head?.header('X-Cache') ?? '',
      version: this.#version,
      start: this.#start,
      bodyBytes: this.#bodyBytes,
      headMs: this.#headMs,
      firstByteMs: this.#firstByteMs,
      ending,
      silentMs: performance.now() - this.#heardAtMs,
    });
  }

  #closed(): void {
    const isError = this.#head !== undefined && this.#content === undefined;
    this.#end(isError ? 'whole' : 'cut');
  }

  #receive(bytes: Buffer): void {
    this.#heardAtMs = performance.now();
    // It does not begin anew by itself.
    this.#socket?.timeout(this.#options.silenceSeconds ?? SILENCE_SECONDS);
    if (this.#head !== undefined) {
      this.#receiveFramed(bytes);
      return;
    }
    this.#unparsed = Buffer.concat([this.#unparsed, bytes]);
    const end = this.#unparsed.indexOf(HEAD_END);
    if (end < 0) return;
    this.#headMs = performance.now() - this.#startedAtMs;
    this.#head = parseHead(this.#unparsed.subarray(0, end).toString('latin1'));
    this.#checkHead(this.#head);
    const rest = this.#unparsed.subarray(end + HEAD_END.length);
    if (this.#options.leaveAfter === 'head') this.#end('left');
    else this.#receiveFramed(rest);
  }

  #checkHead({ status, header }: Head): void {
    if (status !== 200 && status !== 206) return;
    const { film, seed, range } = this.#options;
    const etag = header('ETag') ?? '';
    this.#version = versionOfEtag(film, seed, etag);
    if (this.#version === null) throw this.#violation(`ETag ${etag} names no version of this film`);
    this.#content = versionOf(film, seed, this.#version);
    const { sizeBytes } = this.#content;
    if (status === 206) {
      this.#start = range?.start ?? 0;
      const end = Math.min(range?.end ?? sizeBytes, sizeBytes);
      const due = `bytes ${this.#start}-${end - 1}/${sizeBytes}`;
      if (header('Content-Range') !== due)
        throw this.#violation(`Content-Range ${header('Content-Range')}, not ${due}`);
      this.#dueBytes = end - this.#start;
    }
    const length = header('Content-Length');
    if (length === undefined && film.kind === 'endless' && status === 200) {
      this.#chunked = new ChunkedBody((data) => this.#receiveBody(data));
      return;
    }
    this.#dueBytes ??= sizeBytes;
    if (Number(length ?? Number.NaN) !== this.#dueBytes)
      throw this.#violation(`Content-Length ${length}, not ${this.#dueBytes}`);
  }

  #receiveFramed(bytes: Buffer): void {
    if (this.#content === undefined) return; // the words of an error
    if (this.#chunked === undefined) this.#receiveBody(bytes);
    else this.#chunked.push(bytes);
    if (this.#isOver) return;
    if (this.#chunked?.isEnded && this.#bodyBytes !== this.#content.sizeBytes) {
      throw this.#violation(
        `a body of unknown length ended at ${this.#bodyBytes}, the film at ${this.#content.sizeBytes}`,
      );
    }
    if (this.#chunked?.isEnded || this.#bodyBytes === this.#dueBytes) this.#end('whole');
  }

  /** What stands there in place of what should: holes, another place and another version look different. */
  #describeWrong(bytes: Buffer, offset: number, wrong: number): string {
    const found = bytes.subarray(wrong - offset);
    const right = contentOf(this.#content!.seed, wrong, wrong + found.length);
    const wrongCount = right.reduce((count, byte, index) => count + Number(byte !== found[index]), 0);
    const hex = (data: Uint8Array) => Buffer.from(data.subarray(0, 16)).toString('hex');
    return (
      `WRONG BYTE at offset ${wrong} of version ${this.#version} (${this.#head?.header('X-Cache')}): ` +
      `${hex(found)} in place of ${hex(right)}, ${wrongCount} of the next ${found.length} are wrong`
    );
  }

  #receiveBody(bytes: Buffer): void {
    if (this.#isOver || bytes.length === 0) return;
    this.#firstByteMs ??= performance.now() - this.#startedAtMs;
    const offset = this.#start + this.#bodyBytes;
    const wrong = findWrongByte(bytes, this.#content!.seed, offset);
    if (wrong !== null) throw this.#violation(this.#describeWrong(bytes, offset, wrong));
    this.#bodyBytes += bytes.length;
    if (this.#dueBytes !== null && this.#bodyBytes > this.#dueBytes) throw this.#violation('more bytes than announced');
    const { leaveAfter, pauseMs } = this.#options;
    if (typeof leaveAfter === 'number' && this.#bodyBytes >= leaveAfter) this.#end('left');
    if (this.#isOver) return;
    const pause = pauseMs?.(this.#bodyBytes) ?? 0;
    if (pause <= 0) return;
    this.#socket?.pause();
    setTimeout(() => this.#socket?.resume(), pause);
  }
}

/** @throws Violation when anything that came was wrong */
export function checkedGet(options: GetOptions): Promise<GetResult> {
  return new Get(options).run();
}
