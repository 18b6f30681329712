// What the chunk manager needs of a scheduler and of download threads: the scheduler folder implements both.

import type { ByteRange } from '../bytes/byte-range.ts';
import type { LarderError } from '../errors.ts';
import type { OriginRequest } from '../sources/origin-client.ts';
import type { OriginHead } from '../sources/origin-response.ts';
import type { FetchAccept, FetchClosed, FetchDurable, FetchEnded } from './fetch-messages.ts';

/** Lower is more urgent. */
export const Priority = { critical: 0, high: 1, medium: 2, low: 3 } as const;
export type Priority = (typeof Priority)[keyof typeof Priority];

/** Work that wants one of a source's connections. */
export interface ScheduledFetch {
  readonly sourceId: number;
  readonly priority: Priority;
  /** The fetch has the connection but waits for its reader: the first to give it up. */
  readonly isPaused: boolean;
  /**
   * Somebody reads what a server converts for it, which would begin anew with another request: it keeps its connection,
   * and others of its source have theirs beside it.
   */
  readonly isHeld?: boolean;
  /** Another request would begin at the file's start: equals take no turns with it, which would bring nobody further. */
  readonly losesItsPlace?: boolean;
  /** Monotonic time of the origin's answer; null until then. */
  readonly openedAtMs: number | null;
  /** A connection is free: go. */
  start(): void;
  /** Something more urgent needs the connection: stop, and ask again. */
  yieldConnection(): void;
}

export interface FetchScheduler {
  /** Calls `start` once a connection of the source is free and nothing more urgent waits. */
  enqueue(fetch: ScheduledFetch): void;
  /** To be called after `fetch.priority` changed. */
  reorder(fetch: ScheduledFetch): void;
  /** The fetch is over, or no longer wanted. */
  release(fetch: ScheduledFetch): void;
  /** The origin asked to be left alone until then (monotonic milliseconds). */
  pauseSource(sourceId: number, untilMonotonicMs: number, reason: LarderError): void;
  /** Why the source is left alone now, with how long still; null while it is not. */
  pauseOf(sourceId: number): LarderError | null;
}

export interface FetchListener {
  opened(head: OriginHead): void;
  progressed(position: number): void;
  received(position: number, bytes: Uint8Array): void;
  durable(message: FetchDurable): void;
  closed(message: FetchClosed): void;
  ended(message: FetchEnded): void;
}

export interface ThreadFetch {
  accept(message: Omit<FetchAccept, 'kind' | 'fetchId'>): void;
  setCredit(credit: number, end: number | null): void;
  /** The rows of everything before `position` have committed. */
  recorded(position: number): void;
  stop(): void;
}

export interface FetchThreads {
  start(request: OriginRequest, listener: FetchListener): ThreadFetch;
  /**
   * crc32 of spans of a chunk file as they are on the disk; null for one that cannot be read.
   * @throws LarderError `file-lost` when the file is not there
   */
  checksum(fileName: string, spans: readonly ByteRange[]): Promise<readonly (number | null)[]>;
  /** @throws LarderError `storage` when the disk takes nothing */
  probe(): Promise<void>;
}
