// Dates in header fields, RFC 9110 §5.6.7: three forms, and nothing else is a date, whatever Date.parse makes of it.

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAY = '(?:mon|tue|wed|thu|fri|sat|sun)';
const MONTH = `(${MONTHS.join('|')})`;
const TIME = '(\\d\\d):(\\d\\d):(\\d\\d)';

/** `Sun, 06 Nov 1994 08:49:37 GMT` */
const IMF_FIXDATE = new RegExp(`^${DAY}, (\\d\\d) ${MONTH} (\\d{4}) ${TIME} GMT$`, 'i');
/** `Sunday, 06-Nov-94 08:49:37 GMT` */
const RFC_850 = new RegExp(`^(?:mon|tues|wednes|thurs|fri|satur|sun)day, (\\d\\d)-${MONTH}-(\\d\\d) ${TIME} GMT$`, 'i');
/** `Sun Nov  6 08:49:37 1994` */
const ASCTIME = new RegExp(`^${DAY} ${MONTH} ([ \\d]\\d) ${TIME} (\\d{4})$`, 'i');

/** A year of two digits is not more than 50 years ahead: as seen from 2026, so that the answer needs no clock. */
const LAST_SHORT_YEAR = 2076;

/** Milliseconds since 1970 UTC; null when the text is no HTTP date. */
export function parseHttpDate(text: string): number | null {
  const trimmed = text.trim();
  const fixed = IMF_FIXDATE.exec(trimmed);
  if (fixed !== null) return toMs(fixed[3]!, fixed[2]!, fixed[1]!, fixed.slice(4));
  const asctime = ASCTIME.exec(trimmed);
  if (asctime !== null) return toMs(asctime[6]!, asctime[1]!, asctime[2]!, asctime.slice(3, 6));
  const old = RFC_850.exec(trimmed);
  if (old === null) return null;
  let year = 2000 + Number(old[3]);
  if (year > LAST_SHORT_YEAR) year -= 100;
  return toMs(String(year), old[2]!, old[1]!, old.slice(4));
}

function toMs(year: string, month: string, day: string, time: readonly string[]): number | null {
  const [hours = 0, minutes = 0, seconds = 0] = time.map(Number);
  // A leap second is counted as the one before (§5.6.7 allows 60).
  if (hours > 23 || minutes > 59 || seconds > 60) return null;
  const monthIndex = MONTHS.indexOf(month.toLowerCase());
  const ms = Date.UTC(Number(year), monthIndex, Number(day), hours, minutes, Math.min(seconds, 59));
  return new Date(ms).getUTCDate() === Number(day) ? ms : null;
}
