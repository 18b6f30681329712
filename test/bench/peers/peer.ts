// What is compared: a program that serves an origin's files, or the origin itself.
import type { BenchFile } from '../content.ts';
import type { Origin } from '../origin/origin.ts';
import type { Child } from '../system/child.ts';

export const PEER_NAMES = ['larder', 'nginx', 'rclone', 'direct'] as const;
export type PeerName = (typeof PEER_NAMES)[number];

export interface PeerOptions {
  readonly origin: Origin;
  /** Its own, fresh and empty. */
  readonly folder: string;
  /** Must be told of every program started, before anything can go wrong. */
  readonly adopt: (child: Child) => void;
  /** Of Larder: further arguments of its command line. */
  readonly settings?: readonly string[];
}

export interface RunningPeer {
  readonly name: PeerName;
  readonly port: number;
  /** Root of the process tree whose cost is counted. */
  readonly pid: number;
  pathOf(file: BenchFile): string;
  stop(): Promise<void>;
}

export type StartPeer = (options: PeerOptions) => Promise<RunningPeer>;
