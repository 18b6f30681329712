// Files that scenarios are made of.
import type { BenchFile } from '../content.ts';

export const MiB = 1024 * 1024;
export const GiB = 1024 * MiB;

/** Fetched once by every peer before anything is measured: opens connections, reads listings, warms code. */
export const WARM_UP_FILE: BenchFile = { name: 'warm-up.bin', sizeBytes: MiB, seed: 7 };

/** One file that nobody has asked for yet for each round; they share their content on disk. */
export function freshFiles(prefix: string, count: number, sizeBytes: number): BenchFile[] {
  return Array.from({ length: count }, (_, index) => ({ name: `${prefix}-${index}.bin`, sizeBytes, seed: 11 }));
}
