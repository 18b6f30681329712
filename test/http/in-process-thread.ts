// A download thread without a thread: the same message loop, in this process and on a clock that a test turns.
import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { runDownloadThread } from '../../src/chunks/download-thread.ts';
import type { FromThread, ToThread } from '../../src/chunks/fetch-messages.ts';
import type { Clock } from '../../src/clock.ts';

class InProcessThread extends EventEmitter {
  readonly #receive: (message: ToThread) => void;

  constructor(clock: Clock) {
    super();
    this.#receive = runDownloadThread(clock, (message: FromThread) => this.emit('message', message));
  }

  postMessage(message: ToThread): void {
    queueMicrotask(() => this.#receive(message));
  }

  terminate(): Promise<number> {
    return Promise.resolve(0);
  }
}

export function inProcessThread(clock: Clock): Worker {
  return new InProcessThread(clock) as unknown as Worker;
}
