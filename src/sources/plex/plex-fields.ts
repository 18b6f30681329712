// Reads what a Plex server says, which is to be trusted in nothing: its JSON is made from XML, so that numbers and
// truth values may come as text, one element in place of a list, and any of it may be missing.

export type Fields = Readonly<Record<string, unknown>>;

export function asFields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

export function readNumber(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'string' || !/^-?\d{1,18}(\.\d{1,18})?$/.test(value.trim())) return null;
  return Number(value);
}

/** A whole number from 0 on. */
export function readCount(value: unknown): number | null {
  const number = readNumber(value);
  return number !== null && Number.isSafeInteger(number) && number >= 0 ? number : null;
}

/** Null for nothing, and for what is longer than `lengthMax`. */
export function readText(value: unknown, lengthMax: number): string | null {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || text.length > lengthMax) return null;
  const trimmed = text.trim();
  return trimmed === '' ? null : trimmed;
}

export function readFlag(value: unknown): boolean {
  return value === true || value === 1 || value === '1' || value === 'true';
}

/** The elements that are objects are at their places, null in place of the others; at most `countMax`. */
export function readElements(value: unknown, countMax: number): (Fields | null)[] {
  if (value === undefined || value === null) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.slice(0, countMax).map(asFields);
}

export function readList(value: unknown, countMax: number): Fields[] {
  return readElements(value, countMax).filter((element) => element !== null);
}

/**
 * A path below the server's address, as `Part.key` and `thumb` are. What has a query may hold a token, and what climbs
 * or names a host is not taken.
 */
export function readServerPath(value: unknown): string | null {
  const path = readText(value, 2_048);
  if (path === null || !/^\/(?!\/)[^\s?#\\]*$/.test(path)) return null;
  return path.split('/').some((segment) => segment === '..' || segment === '.') ? null : path;
}

/** Numbers in the library's database. */
export function readRatingKey(value: unknown): string | null {
  const key = readText(value, 20);
  return key !== null && /^\d+$/.test(key) ? key : null;
}
