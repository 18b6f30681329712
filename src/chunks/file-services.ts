// What a file in use is given: who it is, and the parts of the program it works with.
import type { ByteRange } from '../bytes/byte-range.ts';
import type { Clock } from '../clock.ts';
import type { EntryTable } from '../db/entries.ts';
import type { GenerationTable } from '../db/generations.ts';
import type { Counters } from '../db/statistics.ts';
import type { LarderError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { MediaAddress } from '../sources/media-address.ts';
import type { CachedFile } from './cached-file.ts';
import type { ChunkStore } from './chunk-store.ts';
import type { Upstream } from './fetch-request.ts';
import type { FetchScheduler, FetchThreads } from './fetch-scheduler.ts';
import type { Space } from './space.ts';
import type { Throughput } from './throughput.ts';

/** What all files share. */
export interface FileServices {
  readonly scheduler: FetchScheduler;
  readonly threads: FetchThreads;
  readonly generations: GenerationTable;
  readonly store: ChunkStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: Counters;
  readonly throughput: Pick<Throughput, 'note'>;
  readonly random: () => number;
  readonly readAheadMaxBytes: () => number;
  readonly ownPort: () => number;
  readonly space: Space;
  readonly entries: Pick<EntryTable, 'recordMissing' | 'recordFound'>;
  /** How long the origin's word about a version is good for. */
  readonly recheckAfterMs: () => number;
  /** Stored bytes turned out to be damaged and were given up. */
  readonly damaged: (file: CachedFile, range: ByteRange, lostBytes: number) => void;
  /** A version is over; its rows must say so before the file is opened again. */
  readonly superseded: (file: CachedFile) => Promise<void>;
  readonly sourceAnswered: (sourceId: number, error: LarderError | null) => void;
}

export interface FileIdentity {
  readonly entryId: number;
  readonly sourceId: number;
  readonly address: MediaAddress;
  readonly upstream: Upstream;
}
