// Numbers as a person reads them, for events and logs. Pages have their own (views/format.ts).

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** `1.5 GB`; decimal, as disks are sold. */
export function describeBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** `5.2 Mbit/s`. */
export function describeBitrate(bitsPerSecond: number): string {
  if (bitsPerSecond < 999_500) return `${Math.round(bitsPerSecond / 1_000)} kbit/s`;
  const megabits = bitsPerSecond / 1_000_000;
  return `${megabits >= 100 ? megabits.toFixed(0) : megabits.toFixed(1)} Mbit/s`;
}

/** `within the hour`, `5 hours ago`, `12 days ago`. */
export function describeAge(ms: number): string {
  if (ms < HOUR_MS) return 'within the hour';
  const [count, unit] = ms < 2 * DAY_MS ? [Math.floor(ms / HOUR_MS), 'hour'] : [Math.floor(ms / DAY_MS), 'day'];
  return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
}
