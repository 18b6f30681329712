// What the main thread and a download thread say to each other: plain values only. A fetch is one upstream request.
//
//   main → thread   start ─────────► accept ──► credit*, recorded* ──► stop?
//   thread → main          opened ─┘        (progress*, durable*) or data* ──► closed ──► durable? ──► ended
//
// `opened` waits for the main thread's word: only it knows whether the response belongs to the generation being read.
import type { ByteRange } from '../bytes/byte-range.ts';
import type { ChunkChecksum } from '../db/generations.ts';
import type { ErrorValue } from '../errors.ts';
import type { OriginRequest } from '../sources/origin-client.ts';
import type { OriginHead } from '../sources/origin-response.ts';

export interface ThreadSettings {
  readonly kind: 'settings';
  readonly chunkFolder: string;
}

export interface FetchStart {
  readonly kind: 'start';
  readonly fetchId: number;
  readonly request: OriginRequest;
}

/** Bytes that are known, to compare with the origin's where no validator names the version. */
export interface VersionSample extends ByteRange {
  /** Null: they are in the file. */
  readonly bytes: Uint8Array | null;
}

export interface FetchAccept {
  readonly kind: 'accept';
  readonly fetchId: number;
  readonly fileName: string;
  /** Nothing was ever written: the file may be made. Else it must be there, or its bytes are lost. */
  readonly mayCreate: boolean;
  /** The disk does not take the bytes: they are sent as they are, and nothing is written. */
  readonly toMemory: boolean;
  /** To be compared before anything is written; null when a validator proved the version. */
  readonly sample: VersionSample | null;
  /** The body's bytes before this offset are on disk already (a sequential origin starts at 0 again). */
  readonly writeFrom: number;
  /** Length of the file as far as it is known: a body without a length must come to there. */
  readonly totalBytes: number | null;
  /** Stop before this offset; null reads to the end of the body. */
  readonly end: number | null;
  /** Nothing is written at or behind this offset until more credit comes. */
  readonly credit: number;
}

export interface FetchCredit {
  readonly kind: 'credit';
  readonly fetchId: number;
  readonly credit: number;
  readonly end: number | null;
}

export interface FetchStop {
  readonly kind: 'stop';
  readonly fetchId: number;
}

/** The rows of everything before `position` have committed. */
export interface FetchRecorded {
  readonly kind: 'recorded';
  readonly fetchId: number;
  readonly position: number;
}

/** Reads spans of a chunk file back and computes their crc32. */
export interface ChecksumRequest {
  readonly kind: 'checksum';
  readonly requestId: number;
  readonly fileName: string;
  readonly spans: readonly ByteRange[];
}

/** Writes a few bytes for good and removes them: whether the disk takes anything. */
export interface ProbeRequest {
  readonly kind: 'probe';
  readonly requestId: number;
}

export type ToThread =
  | ThreadSettings
  | FetchStart
  | FetchAccept
  | FetchCredit
  | FetchRecorded
  | FetchStop
  | ChecksumRequest
  | ProbeRequest;

export interface FetchOpened {
  readonly kind: 'opened';
  readonly fetchId: number;
  readonly head: OriginHead;
}

/** Bytes up to `position` are written and may be read from the file; they are not durable yet. */
export interface FetchProgress {
  readonly kind: 'progress';
  readonly fetchId: number;
  readonly position: number;
}

/** In place of progress, where the disk does not take the bytes. */
export interface FetchData {
  readonly kind: 'data';
  readonly fetchId: number;
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** Bytes of [start, end) are durable. */
export interface FetchDurable {
  readonly kind: 'durable';
  readonly fetchId: number;
  readonly start: number;
  readonly end: number;
  readonly checksums: readonly ChunkChecksum[];
}

/** The connection is over: its place may be given to another. */
export interface FetchClosed {
  readonly kind: 'closed';
  readonly fetchId: number;
  readonly position: number;
  /** The origin's body came to its proper end. */
  readonly bodyEnded: boolean;
  readonly error: ErrorValue | null;
}

/** Nothing more will be said of this fetch. `error`: the disk refused, what was not reported durable is lost. */
export interface FetchEnded {
  readonly kind: 'ended';
  readonly fetchId: number;
  readonly error: ErrorValue | null;
}

export interface ChecksumResult {
  readonly kind: 'checksums';
  readonly requestId: number;
  /** crc32 of each span; null for one that cannot be read, or not to its end. */
  readonly checksums: readonly (number | null)[];
  /** The file cannot be opened at all. */
  readonly error: ErrorValue | null;
}

export interface ProbeResult {
  readonly kind: 'probed';
  readonly requestId: number;
  readonly error: ErrorValue | null;
}

export type FromThread =
  | FetchOpened
  | FetchProgress
  | FetchData
  | FetchDurable
  | FetchClosed
  | FetchEnded
  | ChecksumResult
  | ProbeResult;
