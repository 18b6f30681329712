// The geometry of the space bar: from nothing to the most that may be kept. Kept bytes come first, then those in flight,
// then the room that is left; at the end what the cap allows and the disk does not give.
import { formatBytes } from '../format.ts';
import type { ChunkMapRun } from './chunk-map-runs.ts';

export type SpaceBarContent = {
  usedBytes: number;
  reservedBytes: number;
  capBytes: number;
  floorBytes: number;
  freeBytes: number;
};

export const spaceBarWidth = 240;

/** What may still be kept. The disk is free of what is in flight only until it is written. */
export function roomBytes({ usedBytes, reservedBytes, capBytes, floorBytes, freeBytes }: SpaceBarContent): number {
  return Math.max(0, Math.min(capBytes - usedBytes, freeBytes - floorBytes) - reservedBytes);
}

/** Runs from left to right; what is there at all is at least one unit wide. */
export function spaceBarRuns(space: SpaceBarContent): ChunkMapRun[] {
  if (!(space.capBytes > 0)) return [];
  const widthOf = (bytes: number) =>
    bytes > 0 ? Math.max(1, Math.round((bytes / space.capBytes) * spaceBarWidth)) : 0;
  const used = Math.min(widthOf(space.usedBytes), spaceBarWidth);
  const reserved = Math.min(widthOf(space.reservedBytes), spaceBarWidth - used);
  const refusedBytes = space.capBytes - space.usedBytes - space.reservedBytes - roomBytes(space);
  const refused = Math.min(widthOf(refusedBytes), spaceBarWidth - used - reserved);
  const runs: ChunkMapRun[] = [
    { state: 'whole', start: 0, width: used },
    { state: 'in-flight', start: used, width: reserved },
    { state: 'partly', start: spaceBarWidth - refused, width: refused },
  ];
  return runs.filter((run) => run.width > 0);
}

/** "393 MB of 62.0 GB kept, 16.0 MB in flight, room for 61.6 GB" */
export function describeSpaceBar(space: SpaceBarContent): string {
  const kept = `${formatBytes(space.usedBytes)} of ${formatBytes(space.capBytes)} kept`;
  return `${kept}, ${formatBytes(space.reservedBytes)} in flight, room for ${formatBytes(roomBytes(space))}`;
}
