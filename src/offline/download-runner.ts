// Works off the download queue: entries that are to be whole without a reader. The row is the wish; this obeys it.
import type { CachedFile, Consumer } from '../chunks/cached-file.ts';
import type { ChunkManager } from '../chunks/chunk-manager.ts';
import type { Want } from '../chunks/fetch-plan.ts';
import { Priority } from '../chunks/fetch-scheduler.ts';
import type { Clock, Timer } from '../clock.ts';
import type { DownloadQueueTable, DownloadRow, RequestedBy } from '../db/download-queue.ts';
import type { EntryTable } from '../db/entries.ts';
import { describeError, LarderError } from '../errors.ts';
import { RETRY_AFTER_MAX_MS } from '../limits.ts';
import type { Log } from '../log.ts';
import type { MediaAddress } from '../sources/media-address.ts';
import type { MediaSource } from '../sources/media-source.ts';

export interface DownloadRunnerServices {
  readonly queue: DownloadQueueTable;
  readonly entries: EntryTable;
  readonly manager: ChunkManager;
  readonly findSource: (name: string) => MediaSource | undefined;
  /** Has what lies beside a film fetched: its picture, its subtitles. */
  readonly fetchBeside: (source: MediaSource, address: MediaAddress, signal: AbortSignal) => Promise<void>;
  /** Has all pieces of a playlist fetched. */
  readonly fetchPieces: (
    source: MediaSource,
    address: MediaAddress,
    priority: Priority,
    signal: AbortSignal,
  ) => Promise<void>;
  /** Never throws. */
  readonly noteEvent: (kind: string, subject: string, text: string) => unknown;
  readonly clock: Clock;
  readonly log: Log;
}

/** Downloads at the same time: as many as a source has connections, of which a player takes what it needs. */
const RUNNING_MAX = 3;
/** A failed download is tried again after this, doubling, up to the longest pause; then given up. */
const RETRY_FIRST_MS = 30_000;
const RETRY_MAX_MS = 3_600_000;
const ATTEMPTS_MAX = 10;

interface Running {
  readonly row: DownloadRow;
  readonly file: CachedFile;
  readonly consumer: Consumer;
}

export class DownloadRunner {
  readonly #services: DownloadRunnerServices;
  readonly #running = new Map<number, Running>();
  /** Entries whose file is being opened. */
  readonly #beginning = new Map<number, { readonly row: DownloadRow; readonly abort: AbortController }>();
  #timer: Timer | undefined;
  #working: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(services: DownloadRunnerServices) {
    this.#services = services;
  }

  async start(): Promise<void> {
    try {
      await this.#services.queue.requeueRunning();
    } finally {
      this.#kick();
    }
  }

  /** Asks for the whole entry. */
  async enqueue(entryId: number, requestedBy: RequestedBy): Promise<void> {
    await this.#services.queue.enqueue(entryId, requestedBy, this.#services.clock.nowMs());
    // A wish that a person raised has another priority from now on: it is begun again.
    const running = this.#running.get(entryId);
    const beginning = this.#beginning.get(entryId);
    const row = running?.row ?? beginning?.row;
    if (requestedBy === 'person' && row?.requestedBy === 'background') {
      beginning?.abort.abort();
      if (running !== undefined) this.#drop(running);
      await this.#services.queue.requeue(row.id);
    }
    this.#kick();
  }

  async cancel(entryId: number): Promise<void> {
    await this.#services.queue.cancel(entryId);
    this.#beginning.get(entryId)?.abort.abort();
    const running = this.#running.get(entryId);
    if (running !== undefined) this.#drop(running);
    this.#kick();
  }

  /** @returns how many were taken back */
  async cancelAll(): Promise<number> {
    const count = await this.#services.queue.cancelAll();
    for (const { abort } of this.#beginning.values()) abort.abort();
    for (const running of [...this.#running.values()]) this.#drop(running);
    this.#kick();
    return count;
  }

  /** Background fill was switched off. */
  async cancelBackground(): Promise<void> {
    await this.#services.queue.cancelBackground();
    for (const { row, abort } of this.#beginning.values()) if (row.requestedBy === 'background') abort.abort();
    for (const running of [...this.#running.values()]) {
      if (running.row.requestedBy === 'background') this.#drop(running);
    }
    this.#kick();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const { abort } of this.#beginning.values()) abort.abort();
    for (const running of [...this.#running.values()]) this.#drop(running);
    await this.#working;
  }

  #drop(running: Running): void {
    this.#running.delete(running.row.entryId);
    running.file.removeConsumer(running.consumer);
  }

  /** One pass over the queue at a time; a kick meanwhile makes another. */
  #kick(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        await this.#startDue();
      } catch (error) {
        this.#services.log.error('the download queue cannot be worked off', { error: describeError(error) });
        this.#wakeIn(RETRY_FIRST_MS);
      }
    }
  }

  async #startDue(): Promise<void> {
    const { queue, clock } = this.#services;
    // An origin may name a longer pause than ours.
    const latestMs = clock.nowMs() + Math.max(RETRY_MAX_MS, RETRY_AFTER_MAX_MS);
    await queue.endWaitsBehind(latestMs, clock.nowMs());
    const free = RUNNING_MAX - this.#running.size - this.#beginning.size;
    if (free > 0) {
      for (const row of await queue.listDue(free, clock.nowMs())) {
        if (this.#running.has(row.entryId) || this.#beginning.has(row.entryId)) continue;
        await queue.markRunning(row.id);
        // Not awaited: an origin that is slow to answer holds up nothing else, and can be called off.
        this.#conclude(this.#begin(row));
      }
    }
    const nextAttemptAt = await queue.findNextAttempt();
    const hasRoom = this.#running.size + this.#beginning.size < RUNNING_MAX;
    if (nextAttemptAt !== null && hasRoom) this.#wakeIn(nextAttemptAt - clock.nowMs());
  }

  #wakeIn(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#services.clock.after(Math.max(delayMs, 0), () => this.#kick());
  }

  async #begin(row: DownloadRow): Promise<void> {
    const abort = new AbortController();
    const { signal } = abort;
    this.#beginning.set(row.entryId, { row, abort });
    try {
      const address = await this.#services.entries.findAddress(row.entryId);
      const source = address === null ? undefined : this.#services.findSource(address.source);
      if (address === null || source === undefined)
        throw new LarderError('unknown-source', 'the source is not there any more');
      const media = source.describe(address.path);
      if (source.kind !== 'http') this.#fetchBeside(source, media, signal);
      if (source.kind !== 'http' && media.container === 'm3u8') {
        await this.#services.fetchPieces(source, media, priorityOf(row), signal);
        await this.#finish(row);
        return;
      }
      const options = { spec: null, probe: false, internal: true, signal };
      const file = await this.#services.manager.open(source, media, options);
      if (signal.aborted) return;
      if (file.isComplete) {
        await this.#finish(row);
        return;
      }
      const running: Running = { row, file, consumer: this.#consumer(row) };
      this.#running.set(row.entryId, running);
      file.addConsumer(running.consumer);
    } catch (error) {
      if (signal.aborted) return; // it was called off
      await this.#failed(row, error instanceof LarderError ? error : new LarderError('storage', describeError(error)));
    } finally {
      this.#beginning.delete(row.entryId);
    }
  }

  /** Nothing fails for want of a picture. */
  #fetchBeside(source: MediaSource, address: MediaAddress, signal: AbortSignal): void {
    this.#services.fetchBeside(source, address, signal).catch((error: unknown) => {
      this.#services.log.debug('what lies beside a film was not fetched', { error: describeError(error) });
    });
  }

  #consumer(row: DownloadRow): Consumer {
    const priority = priorityOf(row);
    return {
      want: (file): Want => ({
        start: 0,
        until: file.totalBytes ?? Number.POSITIVE_INFINITY,
        limit: null,
        priority,
        slackBytes: Number.POSITIVE_INFINITY,
      }),
      advanced: (file) => {
        const running = this.#running.get(row.entryId);
        if (running === undefined || !file.isComplete) return;
        this.#drop(running);
        this.#conclude(this.#finish(row));
      },
      fail: (error) => {
        const running = this.#running.get(row.entryId);
        if (running === undefined) return;
        this.#drop(running);
        this.#conclude(this.#failed(row, error));
      },
    };
  }

  /** Goes on with the queue; a row that could not be written stays running, and is queued again at the next start. */
  #conclude(written: Promise<void>): void {
    written.then(
      () => this.#kick(),
      (error: unknown) => {
        this.#services.log.error('the download queue cannot be written', { error: describeError(error) });
      },
    );
  }

  async #finish(row: DownloadRow): Promise<void> {
    await this.#services.queue.markDone(row.id, this.#services.clock.nowMs());
    this.#services.log.info('an entry is whole', { entry: row.entryId, for: row.requestedBy });
  }

  async #failed(row: DownloadRow, error: LarderError): Promise<void> {
    const { queue, entries, noteEvent, clock, log } = this.#services;
    const nowMs = clock.nowMs();
    const final = (error.retry === 'never' && error.code !== 'stopped') || row.attempts + 1 >= ATTEMPTS_MAX;
    const delayMs = Math.max(error.retryAfterMs ?? 0, Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** row.attempts));
    const failure = { code: error.code, text: error.message };
    await queue.markFailed(row, failure, final ? null : nowMs + delayMs, nowMs);
    log.warning(final ? 'a download was given up' : 'a download failed and will be tried again', {
      entry: row.entryId,
      error: error.message,
    });
    const address = final ? await entries.findAddress(row.entryId) : null;
    if (address !== null) {
      const text = `Fetching it was given up after ${describeTries(row.attempts + 1)}: ${error.message}.`;
      noteEvent('download-failed', `${address.source}/${address.path}`, text);
    }
  }
}

function priorityOf({ requestedBy }: DownloadRow): Priority {
  return requestedBy === 'person' ? Priority.medium : Priority.low;
}

function describeTries(count: number): string {
  return count === 1 ? 'the first try' : `${count} tries`;
}
