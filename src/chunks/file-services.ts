// What a file in use is given: who it is, and the parts of the program it works with.
import type { Clock } from '../clock.ts';
import type { GenerationTable } from '../db/generations.ts';
import type { Counters } from '../db/statistics.ts';
import type { LarderError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { UpstreamRequest } from '../sources/http-source.ts';
import type { MediaAddress } from '../sources/media-address.ts';
import type { ChunkStore } from './chunk-store.ts';
import type { FetchScheduler, FetchThreads } from './fetch-scheduler.ts';

/** What all files share. */
export interface FileServices {
  readonly scheduler: FetchScheduler;
  readonly threads: FetchThreads;
  readonly generations: GenerationTable;
  readonly store: ChunkStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: Counters;
  readonly random: () => number;
  readonly readAheadMaxBytes: () => number;
  readonly ownPort: () => number;
  readonly sourceAnswered: (sourceId: number, error: LarderError | null) => void;
}

export interface FileIdentity {
  readonly entryId: number;
  readonly sourceId: number;
  readonly address: MediaAddress;
  readonly upstream: () => UpstreamRequest;
}
