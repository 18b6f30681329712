// Numbers and times as words. One rule above all: what is not known is "unknown", never 0 and never infinity.
// Bytes are SI (1 MB = 1,000,000 bytes, as printed on disks) with three significant digits.

const unknown = 'unknown';
const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;
const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Making one takes longer than many uses of it. There are some 600 zones. */
const zonedFormats = new Map<string, Intl.DateTimeFormat>();

type Quantity = number | null;

function isKnown(value: Quantity): value is number {
  return value !== null && Number.isFinite(value) && value >= 0;
}

/** Picks the unit in which `bytes` has one to three digits before the point, after rounding to three digits. */
function pickByteUnit(bytes: number): { divisor: number; unit: string } {
  let divisor = 1;
  let index = 0;
  while (index < byteUnits.length - 1 && Number((bytes / divisor).toPrecision(3)) >= 1000) {
    divisor *= 1000;
    index += 1;
  }
  return { divisor, unit: byteUnits[index] ?? 'B' };
}

/** 1333350 → "1.33 MB", 512 → "512 B". */
export function formatBytes(bytes: Quantity): string {
  if (!isKnown(bytes)) return unknown;
  const { divisor, unit } = pickByteUnit(bytes);
  if (divisor === 1) return `${Math.round(bytes)} ${unit}`;
  const value = bytes / divisor;
  return `${value >= 1000 ? Math.round(value) : value.toPrecision(3)} ${unit}`;
}

/** 5000000 → "5.00 MB/s". */
export function formatRate(bytesPerSecond: Quantity): string {
  return isKnown(bytesPerSecond) ? `${formatBytes(bytesPerSecond)}/s` : unknown;
}

/** 5000000 → "40.0 Mbit/s", as providers of lines count. */
export function formatBitRate(bytesPerSecond: Quantity): string {
  return isKnown(bytesPerSecond) ? `${((bytesPerSecond * 8) / 1e6).toPrecision(3)} Mbit/s` : unknown;
}

/** 0.634 → "63 %". Rounded down, so that only what is whole says "100 %"; more than nothing never says "0 %". */
export function formatPercent(fraction: Quantity): string {
  if (!isKnown(fraction)) return unknown;
  if (fraction > 0 && fraction < 0.01) return '<1 %';
  return `${Math.min(100, Math.floor(fraction * 100))} %`;
}

/** Both ends in the unit of the end: [0, 12e6) → "0–12 MB". */
export function formatByteRange(start: number, end: number): string {
  const { divisor, unit } = pickByteUnit(end);
  const digits = (bytes: number) => String(Number((bytes / divisor).toPrecision(3)));
  return `${digits(start)}–${digits(end)} ${unit}`;
}

/** 7500000 → "2 h 05 min". */
export function formatDuration(durationMs: Quantity): string {
  if (!isKnown(durationMs)) return unknown;
  if (durationMs < minuteMs) return `${Math.floor(durationMs / secondMs)} s`;
  if (durationMs < hourMs) return `${Math.floor(durationMs / minuteMs)} min`;
  const [large, small, largeUnit, smallUnit] =
    durationMs < dayMs ? ([hourMs, minuteMs, 'h', 'min'] as const) : ([dayMs, hourMs, 'd', 'h'] as const);
  const rest = String(Math.floor((durationMs % large) / small)).padStart(2, '0');
  return `${Math.floor(durationMs / large)} ${largeUnit} ${rest} ${smallUnit}`;
}

/** "10 min" as long as any of the tenth is left: for what will not wait longer than it says. */
export function formatLeft(leftMs: number): string {
  return formatDuration(Math.max(1, Math.ceil(leftMs / minuteMs)) * minuteMs);
}

/** "within a minute", "in 12 min": as coarse as `formatAgo`. */
export function formatAhead(atMs: number, nowMs: number): string {
  return atMs - nowMs <= minuteMs ? 'within a minute' : `in ${formatLeft(atMs - nowMs)}`;
}

/** 640 → "0.6 s": for waits, of which tenths are felt. From ten seconds on as a duration. */
export function formatWait(ms: number): string {
  return ms < 10 * secondMs ? `${(ms / secondMs).toFixed(1)} s` : formatDuration(ms);
}

/** Coarse on purpose below a minute: a text that changes every second would be sent to every page every second. */
export function formatAgo(atMs: number, nowMs: number): string {
  const agoMs = Math.max(0, nowMs - atMs);
  return agoMs < minuteMs ? 'less than a minute ago' : `${formatDuration(agoMs)} ago`;
}

/** A moment in `timeZone` (an IANA name), as `{ day: "2026-11-20", clock: "11:29:05" }`. */
function inZone(atMs: number, timeZone: string): { day: string; clock: string } {
  let zoned = zonedFormats.get(timeZone);
  if (zoned === undefined) {
    // Swedish writes dates as ISO 8601 does.
    zoned = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
    zonedFormats.set(timeZone, zoned);
  }
  const [day = '', clock = ''] = zoned.format(atMs).split(' ');
  return { day, clock };
}

/** Said where the visitor's own zone is not known. */
export function zoneLabel(timeZone: string): string {
  return timeZone === 'UTC' ? ' UTC' : '';
}

/** "12:30 (14 min)"; with its date once it is not of the last 24 hours. Coarse as `formatAgo`. */
export function formatSince(sinceMs: number, nowMs: number, timeZone: string): string {
  const durationMs = Math.max(0, nowMs - sinceMs);
  const { day, clock } = inZone(sinceMs, timeZone);
  const words = durationMs < minuteMs ? 'less than a minute' : formatDuration(durationMs);
  return `${durationMs < dayMs ? '' : `${day} `}${clock.slice(0, 5)}${zoneLabel(timeZone)} (${words})`;
}

/** "2026-11-20 11:29:05". */
export function formatMoment(atMs: number, timeZone: string): string {
  const { day, clock } = inZone(atMs, timeZone);
  return `${day} ${clock}${zoneLabel(timeZone)}`;
}

/** "11:29", or "11-20 11:29" with `withDay`. */
export function formatClock(atMs: number, withDay: boolean, timeZone: string): string {
  const { day, clock } = inZone(atMs, timeZone);
  return `${withDay ? `${day.slice(5)} ` : ''}${clock.slice(0, 5)}`;
}

/** 1, 'reader' → "1 reader"; 2, 'entry', 'entries' → "2 entries". */
export function formatCount(count: Quantity, singular: string, plural = `${singular}s`): string {
  if (!isKnown(count)) return `${unknown} ${plural}`;
  return `${count.toLocaleString('en')} ${count === 1 ? singular : plural}`;
}

/** A part of a sentence as one of its own: "make room" → "Make room." */
export function formatSentence(words: string): string {
  const sentence = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
