/** A row's id from an address; null for anything else, so that the first page is shown. As many digits as are exact. */
export function parseId(text: string | null | undefined): number | null {
  return /^\d{1,15}$/.test(text ?? '') ? Number(text) : null;
}
