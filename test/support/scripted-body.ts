// An origin whose every word is said by the test: it answers with the head it was given and sends the pieces that it is
// told to send. What is sent is content of its seed, in order.
import { LarderError } from '../../src/errors.ts';
import type { OriginClient } from '../../src/sources/origin-client.ts';
import type { OriginHead } from '../../src/sources/origin-response.ts';
import { contentOf } from './content.ts';

export class ScriptedBody {
  /** Offset of the next byte that will be sent. */
  sentTo: number;
  isOver = false;
  readonly #head: OriginHead;
  readonly #seed: number;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  readonly #body: ReadableStream<Uint8Array>;

  constructor(head: OriginHead, seed: number) {
    this.#head = head;
    this.#seed = seed;
    this.sentTo = head.start;
    this.#body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
    });
  }

  /** In place of an OriginClient that opens real connections. */
  get client(): OriginClient {
    const open = (_request: unknown, abort: AbortController) => {
      abort.signal.addEventListener('abort', () => this.fail(new LarderError('stopped', 'the request was called off')));
      return Promise.resolve({ head: this.#head, body: this.#body });
    };
    return { open } as unknown as OriginClient;
  }

  send(bytes: number): void {
    if (this.isOver) return;
    this.#controller?.enqueue(contentOf(this.#seed, this.sentTo, this.sentTo + bytes));
    this.sentTo += bytes;
  }

  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#controller?.close();
  }

  /** The connection breaks. */
  fail(error: Error): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#controller?.error(error);
  }
}
