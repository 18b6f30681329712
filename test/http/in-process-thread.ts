// Larder's threads without threads: the same message loops, in this process; downloads on a clock that a test turns.
import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { runDownloadThread } from '../../src/chunks/download-thread.ts';
import type { FromThread, ToThread } from '../../src/chunks/fetch-messages.ts';
import type { Clock } from '../../src/clock.ts';
import { runUpkeepThread, type UpkeepRequest, type UpkeepResult } from '../../src/upkeep/upkeep-thread.ts';

type Message = ToThread | UpkeepRequest;

class InProcessThread extends EventEmitter {
  readonly #receive: (message: Message) => void;

  constructor(role: 'download' | 'upkeep', clock: Clock) {
    super();
    const post = (message: FromThread | UpkeepResult) => this.emit('message', message);
    const run = role === 'download' ? runDownloadThread(clock, post) : runUpkeepThread(post, () => undefined);
    this.#receive = run as (message: Message) => void;
  }

  postMessage(message: Message): void {
    queueMicrotask(() => this.#receive(message));
  }

  terminate(): Promise<number> {
    return Promise.resolve(0);
  }
}

export function inProcessThread(role: 'download' | 'upkeep', clock: Clock): Worker {
  return new InProcessThread(role, clock) as unknown as Worker;
}
