// Dates and sizes in the many ways in which servers write them.

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** nginx `20-Nov-2026 17:45`, Apache `2026-11-20 17:45`, lighttpd `2026-Nov-20 17:45:32`, and ISO times with a zone. */
const DATE =
  /\b(\d{1,4})-([A-Za-z]{3}|\d\d)-(\d{1,4})[T ]{1,3}(\d\d):(\d\d)(?::(\d\d))?(?:\.\d{1,9})?(?: ?(Z|[+-]\d\d:?\d\d)\b)?/;
const SIZE = /(?:^|\s)(\d{1,15})(\.\d{1,3})?(?:\s?([KMGTP])i?B?|\s?(?:B|bytes?))?(?=\s|$)/i;

export interface TextFacts {
  readonly modifiedAtMs: number | null;
  readonly sizeBytes: number | null;
  readonly sizeText: string | null;
}

/** HTTP dates, ISO times, and what `DATE` reads. */
export function parseTime(text: string): number | null {
  const match = DATE.exec(text);
  if (match !== null) return timeOf(match);
  const ms = text.length > 64 ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

function timeOf(match: RegExpExecArray): number | null {
  const [, first, month, last, hour, minute, second = '0', zone] = match as unknown as string[];
  const [year, day] = first!.length === 4 ? [first, last] : [last, first];
  const monthIndex = /^\d/.test(month!) ? Number(month) - 1 : MONTHS.indexOf(month!.toLowerCase());
  if (year!.length !== 4 || monthIndex < 0) return null;
  const ms = Date.UTC(Number(year), monthIndex, Number(day), Number(hour), Number(minute), Number(second));
  if (zone === undefined || zone === 'Z') return ms;
  const [sign, hours, minutes] = [zone[0] === '-' ? -1 : 1, zone.slice(1, 3), zone.slice(-2)];
  return ms - sign * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

/** What stands behind a link: a date and a size, either may be missing, in either order. */
export function readTextFacts(text: string): TextFacts {
  const date = DATE.exec(text);
  const rest = date === null ? text : `${text.slice(0, date.index)} ${text.slice(date.index + date[0].length)}`;
  const size = SIZE.exec(rest);
  const isExact = size !== null && size[2] === undefined && size[3] === undefined;
  return {
    modifiedAtMs: date === null ? null : timeOf(date),
    sizeBytes: isExact ? Number(size[1]) : null,
    sizeText: size === null ? null : size[0].trim(),
  };
}

/** A count of bytes that stands alone, as in an attribute or a property. */
export function parseByteCount(text: string | undefined): number | null {
  return text !== undefined && /^\s*\d{1,15}\s*$/.test(text) ? Number(text) : null;
}
