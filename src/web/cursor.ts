// Cursors of lists as they stand in addresses: values that nobody needs to understand.

type CursorValue = string | number;

export function writeCursor(values: readonly CursorValue[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/**
 * Null for anything that is no cursor of this shape.
 * @param shape - of each value: `number`, `text`, or the very text it must be
 */
export function readCursor(text: string, shape: readonly string[]): CursorValue[] | null {
  let values: unknown;
  try {
    values = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
  if (!Array.isArray(values) || values.length !== shape.length) return null;
  const fits = shape.every((wanted, index) => {
    const value: unknown = values[index];
    if (wanted === 'number') return Number.isSafeInteger(value);
    return wanted === 'text' ? typeof value === 'string' : value === wanted;
  });
  return fits ? (values as CursorValue[]) : null;
}
