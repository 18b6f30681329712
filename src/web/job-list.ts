// What is being fetched now, in the order in which the scheduler does it, as the pages show it.
import type { JobAudience, JobProps } from '../../views/parts/fetching.tsx';
import type { CachedFile } from '../chunks/cached-file.ts';
import type { Fetch } from '../chunks/fetch.ts';
import { Priority } from '../chunks/fetch-scheduler.ts';
import type { Clock } from '../clock.ts';
import type { FetchQueue } from '../scheduler/fetch-queue.ts';
import { RateMeter } from './rate-meter.ts';

export interface JobServices {
  readonly files: () => Iterable<CachedFile>;
  readonly sourceName: (sourceId: number) => string;
  readonly scheduler: Pick<FetchQueue, 'downloadsRest' | 'pauseOf'>;
  readonly clock: Clock;
}

const PRIORITY_WORDS = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'] as const;

export class JobList {
  readonly #services: JobServices;
  readonly #meter = new RateMeter();
  readonly #ids = new WeakMap<Fetch, string>();
  #lastId = 0;

  constructor(services: JobServices) {
    this.#services = services;
  }

  list(): JobProps[] {
    return [...this.#services.files()]
      .flatMap((file) => [...file.fetches].map((fetch) => ({ fetch, file })))
      .sort(
        (left, right) =>
          Number(left.fetch.state === 'queued') - Number(right.fetch.state === 'queued') ||
          left.fetch.priority - right.fetch.priority,
      )
      .map(({ file, fetch }) => this.#job(file, fetch));
  }

  /** Requests to a source that have a connection. */
  countRunning(sourceId: number): number {
    let count = 0;
    for (const file of this.#services.files()) {
      if (file.identity.sourceId !== sourceId) continue;
      for (const fetch of file.fetches) if (fetch.state !== 'queued') count += 1;
    }
    return count;
  }

  /** Why a fetch has no connection. */
  #describeQueued({ sourceId, priority }: Fetch, source: string): string {
    const { scheduler } = this.#services;
    if (scheduler.pauseOf(sourceId) !== null) return `${source}, which asked to be left alone`;
    const isResting = priority > Priority.high && scheduler.downloadsRest(sourceId);
    return isResting ? `somebody who plays from ${source} and gets too little` : `a free connection to ${source}`;
  }

  #idOf(fetch: Fetch): string {
    let id = this.#ids.get(fetch);
    if (id === undefined) {
      id = String(++this.#lastId);
      this.#ids.set(fetch, id);
    }
    return id;
  }

  #job(file: CachedFile, fetch: Fetch): JobProps {
    const { clock, sourceName } = this.#services;
    const { address, sourceId } = file.identity;
    const source = sourceName(sourceId);
    const waits = {
      queued: this.#describeQueued(fetch, source),
      opening: `the first byte from ${source}`,
      stopping: null,
      closed: null,
    };
    const paused = fetch.isPaused ? 'its reader to catch up' : null;
    return {
      id: this.#idOf(fetch),
      title: address.title,
      quality: address.quality,
      source,
      startBytes: fetch.firstOffset,
      endBytes: Number.isFinite(fetch.end) ? fetch.end : file.totalBytes,
      positionBytes: fetch.position,
      bytesPerSecond: this.#meter.rate(fetch, fetch.receivedBytes, clock.monotonicMs()),
      priority: PRIORITY_WORDS[fetch.priority],
      audience: audienceOf(file, fetch),
      waitingFor: fetch.state === 'running' ? paused : waits[fetch.state],
      sinceMs: clock.nowMs() - (clock.monotonicMs() - fetch.createdAtMs),
    };
  }
}

function audienceOf(file: CachedFile, fetch: Fetch): JobAudience {
  const [reader] = [...file.readers].filter((candidate) => candidate.position <= fetch.position);
  if (fetch.priority === Priority.critical && reader) return { kind: 'reader', address: reader.label.address };
  if (fetch.priority <= Priority.high) return { kind: 'read-ahead', address: reader?.label.address ?? null };
  return fetch.priority === Priority.medium ? { kind: 'download' } : { kind: 'background-fill' };
}
