// Values of an answer that a stranger wrote: each is taken for what it should be, or not at all.

export type JsonRecord = Readonly<Record<string, unknown>>;

export function recordOf(value: unknown): JsonRecord | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonRecord) : null;
}

export function listOf(value: unknown, mostEntries: number): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, mostEntries) : [];
}

/** Null where there is none, or one longer than it could be; some add-ons write numbers in place of text. */
export function textOf(value: unknown, mostCharacters: number): string | null {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value !== 'string' || value.length > mostCharacters) return null;
  const text = value.toWellFormed().trim();
  return text === '' ? null : text;
}

/** For what may be cut short, such as an overview. */
export function beginningOf(value: unknown, mostCharacters: number): string | null {
  return typeof value === 'string' ? textOf(value.slice(0, mostCharacters), mostCharacters) : null;
}

/** A whole number from 0 on, also where it is written as text. */
export function wholeOf(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value.trim()) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null;
}
