// The origin of the endurance runs. It stands on bare sockets, because only there one knows how many bytes the kernel
// took: what an origin had to send twice is counted to within one piece. It keeps a job for each answer it gave.
import type { Socket, TCPSocketListener } from 'bun';
import { contentOf } from '../support/content.ts';
import { etagOf, type Film, type FilmVersion, versionOf } from './film.ts';
import { type OriginAsk, parseAsk } from './origin-ask.ts';

/** One answer with bytes of a film. */
export interface OriginJob {
  readonly path: string;
  readonly version: number;
  /** Offset of the body's first byte. */
  readonly start: number;
  /** Bytes of the body that the kernel took. */
  sentBytes: number;
  /** `aborted`: the connection ended before the body did. */
  state: 'open' | 'whole' | 'aborted';
  /** Port of the other side. */
  readonly clientPort: number;
}

interface Talk {
  readonly clientPort: number;
  input: string;
  /** There is a request without its answer: nobody may ask for more on the same connection. */
  isAsked: boolean;
  job: OriginJob | null;
  /** What the kernel has not taken yet, and how much of it is body. */
  pending: Uint8Array;
  pendingBody: number;
  pump: () => void;
}

export interface FilmOriginOptions {
  readonly seed: number;
  /** Null for a path that is not there. */
  readonly findFilm: (path: string) => Film | null;
}

const PIECE_BYTES = 16 * 1024;
/** Timers are coarse: a fast film runs this far ahead of its rate. */
const AHEAD_MS = 3;
/** An idle connection is closed by the origin, as real ones do. */
const IDLE_SECONDS = 2;
const EMPTY = new Uint8Array();

export class FilmOrigin implements Disposable {
  /** While set, every request is answered with 503. */
  isRefusing = false;
  readonly jobs: OriginJob[] = [];
  /** What nobody may do to an origin. */
  readonly mistakes: string[] = [];
  readonly #options: FilmOriginOptions;
  readonly #versions = new Map<string, number>();
  readonly #sockets = new Set<Socket<Talk>>();
  #server: TCPSocketListener<Talk> | undefined;
  #port = 0;

  constructor(options: FilmOriginOptions) {
    this.#options = options;
    this.comeBack();
  }

  /** Ends in a slash. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  get port(): number {
    return this.#port;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  get openJobs(): number {
    return this.jobs.filter((job) => job.state === 'open').length;
  }

  currentVersion(path: string): number {
    return this.#versions.get(path) ?? 1;
  }

  /** From now on another version is there. */
  change(path: string): void {
    this.#versions.set(path, this.currentVersion(path) + 1);
  }

  /** Breaks all connections and takes no new ones, until `comeBack` on the same port. */
  goDown(): void {
    this.#server?.stop(true);
    this.#server = undefined;
    for (const socket of [...this.#sockets]) socket.terminate();
  }

  comeBack(): void {
    this.#server = Bun.listen<Talk>({
      hostname: '127.0.0.1',
      port: this.#port,
      socket: {
        open: (socket) => this.#open(socket),
        data: (socket, bytes) => this.#receive(socket, bytes),
        drain: (socket) => this.#flush(socket),
        close: (socket) => this.#close(socket),
        error: (socket) => this.#close(socket),
        timeout: (socket) => {
          if (socket.data.job === null) socket.end();
        },
      },
    });
    this.#port = this.#server.port;
  }

  [Symbol.dispose](): void {
    this.goDown();
  }

  #open(socket: Socket<Talk>): void {
    const clientPort = socket.remotePort ?? 0;
    socket.data = {
      clientPort,
      input: '',
      isAsked: false,
      job: null,
      pending: EMPTY,
      pendingBody: 0,
      pump: () => undefined,
    };
    this.#sockets.add(socket);
    socket.timeout(IDLE_SECONDS);
  }

  #close(socket: Socket<Talk>): void {
    this.#sockets.delete(socket);
    if (socket.data?.job?.state === 'open') socket.data.job.state = 'aborted';
  }

  #receive(socket: Socket<Talk>, bytes: Buffer): void {
    const talk = socket.data;
    talk.input += bytes.toString('latin1');
    const end = talk.input.indexOf('\r\n\r\n');
    if (end < 0) return;
    const ask = parseAsk(talk.input.slice(0, end));
    talk.input = talk.input.slice(end + 4);
    if (talk.isAsked || talk.job !== null) {
      // Without an answer whoever asks would wait for its deadline, and it would look like a fault of theirs.
      this.mistakes.push(`${ask.path} was asked for in the middle of an answer`);
      socket.terminate();
      return;
    }
    talk.isAsked = true;
    const film = this.#options.findFilm(ask.path);
    if (this.isRefusing) this.#sayShort(socket, '503 Service Unavailable');
    else if (film === null) this.#sayShort(socket, '404 Not Found');
    else if (film.latencyMs === 0) this.#answer(socket, film, ask);
    else setTimeout(() => this.#answer(socket, film, ask), film.latencyMs);
  }

  #sayShort(socket: Socket<Talk>, status: string, header = ''): void {
    socket.data.isAsked = false;
    this.#write(socket, Buffer.from(`HTTP/1.1 ${status}\r\n${header}Content-Length: 0\r\n\r\n`), 0);
  }

  #answer(socket: Socket<Talk>, film: Film, ask: OriginAsk): void {
    if (!this.#sockets.has(socket)) return;
    const version = this.currentVersion(film.path);
    const content = versionOf(film, this.#options.seed, version);
    const etag = etagOf(film, this.#options.seed, version);
    const size = content.sizeBytes;
    // RFC 9110 §13.1.5: a range of another version is answered with the whole of this one.
    const applies = film.kind === 'seekable' && (ask.ifRange === null || ask.ifRange === etag);
    const range = applies ? ask.rangeIn(size) : null;
    if (range === 'unsatisfiable') {
      this.#sayShort(socket, '416 Range Not Satisfiable', `Content-Range: bytes */${size}\r\n`);
      return;
    }
    const { start, end } = range ?? { start: 0, end: size };
    const isChunked = film.kind === 'endless';
    const lines = [
      `HTTP/1.1 ${range === null ? '200 OK' : '206 Partial Content'}`,
      `ETag: ${etag}`,
      'Content-Type: video/x-matroska',
      isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${end - start}`,
      ...(film.kind === 'seekable' ? ['Accept-Ranges: bytes'] : []),
      ...(range === null ? [] : [`Content-Range: bytes ${start}-${end - 1}/${size}`]),
    ];
    const { clientPort } = socket.data;
    const job: OriginJob = { path: film.path, version, start, sentBytes: 0, state: 'open', clientPort };
    this.jobs.push(job);
    socket.data.job = job;
    socket.data.isAsked = false;
    this.#sendBody(socket, film, content, end, isChunked);
    this.#write(socket, Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), 0);
  }

  /** Sets how the socket goes on each time that the kernel took everything. */
  #sendBody(socket: Socket<Talk>, film: Film, content: FilmVersion, end: number, isChunked: boolean): void {
    const talk = socket.data;
    const job = talk.job!;
    const startedAtMs = performance.now();
    let timer: Timer | undefined;
    talk.pump = () => {
      if (timer !== undefined || !this.#sockets.has(socket)) return;
      const from = job.start + job.sentBytes;
      // With its last byte the answer is over, whatever the rate: the next request may come at once.
      if (from >= end) {
        job.state = 'whole';
        talk.job = null;
        talk.pump = () => undefined;
        socket.timeout(IDLE_SECONDS);
        if (isChunked) this.#write(socket, chunkOf(EMPTY), 0);
        return;
      }
      const aheadMs = (job.sentBytes * 1_000) / film.bytesPerSecond - (performance.now() - startedAtMs);
      if (aheadMs > AHEAD_MS) {
        timer = setTimeout(() => {
          timer = undefined;
          talk.pump();
        }, aheadMs);
        return;
      }
      const piece = contentOf(content.seed, from, Math.min(end, from + PIECE_BYTES));
      this.#write(socket, isChunked ? chunkOf(piece) : piece, piece.length);
    };
  }

  #write(socket: Socket<Talk>, bytes: Uint8Array, bodyBytes: number): void {
    socket.data.pending = bytes;
    socket.data.pendingBody = bodyBytes;
    this.#flush(socket);
  }

  #flush(socket: Socket<Talk>): void {
    const talk = socket.data;
    if (talk.pending.length > 0) {
      const taken = socket.write(talk.pending);
      talk.pending = talk.pending.subarray(Math.max(0, taken));
      if (talk.pending.length > 0) return; // the rest when the socket drains
      if (talk.job !== null) talk.job.sentBytes += talk.pendingBody;
      talk.pendingBody = 0;
    }
    // Not by calling: a fast film would recurse a thousand deep.
    queueMicrotask(() => {
      if (talk.pending.length === 0) talk.pump();
    });
  }
}

function chunkOf(data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')]);
}
