// Reads single fields of what a server sent as JSON. Nothing is believed of it: what is of another type, or longer than
// anything of its kind, counts as not there.
export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** Null for what is empty, blank or longer than `lengthMax` characters. */
export function textOf(value: unknown, lengthMax: number): string | null {
  return typeof value === 'string' && value.length <= lengthMax && value.trim() !== '' ? value : null;
}

/** Also of a number that is written as text. */
export function numberOf(value: unknown): number | null {
  const number = typeof value === 'string' && /^-?\d{1,20}(?:\.\d{1,20})?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

/** A whole number that is not negative. */
export function countOf(value: unknown): number | null {
  const number = numberOf(value);
  return number !== null && Number.isSafeInteger(number) && number >= 0 ? number : null;
}

/** The objects of a list, `countMax` at most; empty for what is no list. */
export function listOf(value: unknown, countMax: number): Fields[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, countMax).flatMap((entry: unknown): Fields[] => {
    const fields = fieldsOf(entry);
    return fields === null ? [] : [fields];
  });
}

/** Ids are GUIDs that come with dashes or without, in either case; here they are 32 digits in lower case. */
export function guidOf(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > 38) return null;
  const digits = value.replaceAll('-', '').toLowerCase();
  return /^[0-9a-f]{32}$/.test(digits) ? digits : null;
}
