// What the shaped origin is told at its start, as JSON in its first argument, and what it answers about itself.
import type { BenchFile } from '../content.ts';
import type { OriginCount } from './origin.ts';

export const CONTROL_PATH = '/.control/counts';

export interface Shape {
  /** Before the head of every answer. */
  readonly latencyMs: number;
  /** Of one connection; no limit when absent. */
  readonly connectionBytesPerSecond?: number;
  /** Of all connections together; no limit when absent. */
  readonly lineBytesPerSecond?: number;
}

export interface ShapedOriginSettings {
  readonly shape: Shape;
  readonly files: readonly BenchFile[];
}

export type CountsByName = Readonly<Record<string, OriginCount>>;
