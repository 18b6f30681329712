// Download threads: started when first needed, replaced when they die. A dead thread's fetches fail as if their
// connections had broken, so that they are asked for again.
import type { Worker } from 'node:worker_threads';
import type { ByteRange } from '../bytes/byte-range.ts';
import type { FetchAccept, FromThread, ToThread } from '../chunks/fetch-messages.ts';
import type { FetchListener, FetchThreads, ThreadFetch } from '../chunks/fetch-scheduler.ts';
import { describeError, type ErrorValue, fromErrorValue } from '../errors.ts';
import type { Log } from '../log.ts';
import type { OriginRequest } from '../sources/origin-client.ts';

export interface ThreadPoolOptions {
  readonly threadCount: number;
  readonly chunkFolder: string;
  readonly startThread: () => Worker;
  readonly log: Log;
}

interface Thread {
  readonly worker: Worker;
  readonly fetches: Map<number, { listener: FetchListener; position: number; closed: boolean }>;
  /** Requests that are answered once. */
  readonly asked: Map<number, Asked>;
  dead: boolean;
}

interface Asked {
  readonly resolve: (answer: readonly (number | null)[]) => void;
  readonly reject: (error: Error) => void;
}

/** Fetches that one thread carries well: its time goes into copying, and it copies faster than most lines bring. */
const FETCHES_PER_THREAD = 3;

const DIED: ErrorValue = { code: 'origin-failed', message: 'a download thread ended unexpectedly', retry: 'soon' };

export class ThreadPool implements FetchThreads {
  readonly #options: ThreadPoolOptions;
  readonly #threads: Thread[] = [];
  #lastId = 0;
  #stopping = false;
  #diedCount = 0;

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
  }

  /** Threads that run, that may run, and that ended unexpectedly since the start. */
  get state(): { readonly alive: number; readonly most: number; readonly died: number } {
    return { alive: this.#threads.length, most: this.#options.threadCount, died: this.#diedCount };
  }

  start(request: OriginRequest, listener: FetchListener): ThreadFetch {
    const thread = this.#leastBusy();
    const fetchId = ++this.#lastId;
    thread.fetches.set(fetchId, { listener, position: 0, closed: false });
    const send = (message: ToThread) => {
      if (!thread.dead) thread.worker.postMessage(message);
    };
    send({ kind: 'start', fetchId, request });
    return {
      accept: (message: Omit<FetchAccept, 'kind' | 'fetchId'>) => send({ kind: 'accept', fetchId, ...message }),
      setCredit: (credit, end) => send({ kind: 'credit', fetchId, credit, end }),
      recorded: (position) => send({ kind: 'recorded', fetchId, position }),
      stop: () => send({ kind: 'stop', fetchId }),
    };
  }

  checksum(fileName: string, spans: readonly ByteRange[]): Promise<readonly (number | null)[]> {
    return this.#ask((requestId) => ({ kind: 'checksum', requestId, fileName, spans }));
  }

  async probe(): Promise<void> {
    await this.#ask((requestId) => ({ kind: 'probe', requestId }));
  }

  #ask(message: (requestId: number) => ToThread): Promise<readonly (number | null)[]> {
    if (this.#stopping) return Promise.reject(fromErrorValue(DIED));
    const thread = this.#leastBusy();
    const requestId = ++this.#lastId;
    return new Promise((resolve, reject) => {
      thread.asked.set(requestId, { resolve, reject });
      thread.worker.postMessage(message(requestId));
    });
  }

  /** Has a thread ready, so that the first byte ever asked for does not wait for one to start. */
  warmUp(): void {
    this.#leastBusy();
  }

  /** To be called when every fetch has ended: what a thread still does is lost. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const threads = this.#threads.splice(0);
    for (const { asked } of threads) for (const { reject } of asked.values()) reject(fromErrorValue(DIED));
    await Promise.all(threads.map((thread) => thread.worker.terminate()));
  }

  /** Another thread costs memory and brings nothing while the first has time. */
  #leastBusy(): Thread {
    const [first, ...rest] = this.#threads;
    if (first === undefined) return this.#startThread();
    const best = rest.reduce((least, thread) => (thread.fetches.size < least.fetches.size ? thread : least), first);
    const mayStart = best.fetches.size >= FETCHES_PER_THREAD && this.#threads.length < this.#options.threadCount;
    return mayStart ? this.#startThread() : best;
  }

  #startThread(): Thread {
    const worker = this.#options.startThread();
    const thread: Thread = { worker, fetches: new Map(), asked: new Map(), dead: false };
    worker.on('message', (message: FromThread) => this.#receive(thread, message));
    worker.on('error', (error: unknown) => this.#bury(thread, describeError(error)));
    worker.on('exit', (code: number) => this.#bury(thread, `exit code ${code}`));
    worker.postMessage({ kind: 'settings', chunkFolder: this.#options.chunkFolder } satisfies ToThread);
    this.#threads.push(thread);
    return thread;
  }

  #receive(thread: Thread, message: FromThread): void {
    if (message.kind === 'checksums' || message.kind === 'probed') {
      const asked = thread.asked.get(message.requestId);
      thread.asked.delete(message.requestId);
      if (message.error !== null) asked?.reject(fromErrorValue(message.error));
      else asked?.resolve(message.kind === 'checksums' ? message.checksums : []);
      return;
    }
    const fetch = thread.fetches.get(message.fetchId);
    if (fetch === undefined) return;
    switch (message.kind) {
      case 'opened':
        fetch.listener.opened(message.head);
        return;
      case 'progress':
        fetch.position = message.position;
        fetch.listener.progressed(message.position);
        return;
      case 'data':
        fetch.position = message.position + message.bytes.length;
        fetch.listener.received(message.position, message.bytes);
        return;
      case 'durable':
        fetch.listener.durable(message);
        return;
      case 'closed':
        fetch.closed = true;
        fetch.listener.closed(message);
        return;
      case 'ended':
        thread.fetches.delete(message.fetchId);
        fetch.listener.ended(message);
        return;
    }
  }

  #bury(thread: Thread, reason: string): void {
    if (thread.dead) return;
    thread.dead = true;
    const index = this.#threads.indexOf(thread);
    if (index >= 0) this.#threads.splice(index, 1);
    if (this.#stopping) return;
    this.#diedCount += 1;
    this.#options.log.error('a download thread ended unexpectedly; its work starts again in another', { reason });
    for (const [fetchId, fetch] of thread.fetches) {
      if (!fetch.closed) {
        const { position } = fetch;
        fetch.listener.closed({ kind: 'closed', fetchId, position, bodyEnded: false, error: DIED });
      }
      fetch.listener.ended({ kind: 'ended', fetchId, error: DIED });
    }
    for (const asked of thread.asked.values()) asked.reject(fromErrorValue(DIED));
    thread.fetches.clear();
    thread.asked.clear();
  }
}
