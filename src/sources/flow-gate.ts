// A TCP socket that TLS is spoken over, with a gate that stops it. On Deno 2.9.6 a TLS socket reads on when it is paused
// and keeps in memory whatever comes (900 MB in a second were seen); what lies below it does stop.
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

export class FlowGate extends Duplex {
  readonly #socket: Socket;
  #isClosed = false;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      if (!this.push(bytes) || this.#isClosed) socket.pause();
    });
    socket.once('end', () => this.push(null));
    socket.once('error', (error) => this.destroy(error));
    socket.once('close', () => this.destroy());
  }

  /** Nothing more is read until it is opened, whatever TLS asks for. */
  closeGate(): void {
    this.#isClosed = true;
    this.#socket.pause();
  }

  openGate(): void {
    this.#isClosed = false;
    this.#socket.resume();
  }

  override _read(): void {
    if (!this.#isClosed) this.#socket.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(bytes, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
