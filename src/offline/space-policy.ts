// How large the cache may be, from what the owner set or from the disk itself.
import type { SizeOrShare } from '../option-values.ts';
import type { DiskSpace, SpacePolicy } from './space-keeper.ts';

const GIB = 2 ** 30;

export interface SpaceSettings {
  readonly cacheSize: SizeOrShare | null;
  readonly keepFree: SizeOrShare | null;
  /** What `deriveCap` said at the first start. */
  readonly derivedCapBytes: number;
}

/** The smaller of 80 % of what is free and the whole disk less 10 %, in bytes. */
export function deriveCap(disk: DiskSpace): number {
  return Math.floor(Math.min(disk.freeBytes * 0.8, disk.totalBytes * 0.9));
}

export function policyOf(settings: SpaceSettings, disk: DiskSpace): SpacePolicy {
  const bytesOf = (setting: SizeOrShare | null, automatic: number) => {
    if (setting === null) return automatic;
    return 'bytes' in setting ? setting.bytes : Math.floor(setting.share * disk.totalBytes);
  };
  return {
    capBytes: bytesOf(settings.cacheSize, settings.derivedCapBytes),
    floorBytes: bytesOf(settings.keepFree, Math.floor(Math.min(disk.totalBytes * 0.05, 10 * GIB))),
  };
}
