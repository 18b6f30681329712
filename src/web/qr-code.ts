import { encode } from 'uqr';

/** Modules around the code that stay light, as the standard wants. */
const BORDER = 4;

/** The dark modules of a QR code as an SVG path, a rectangle for each run in a row. */
export function qrCodeOf(text: string): { readonly size: number; readonly path: string } {
  const { size, data } = encode(text, { border: BORDER, ecc: 'M' });
  let path = '';
  for (const [y, row] of data.entries()) {
    for (let x = 0; x < size; x++) {
      if (row[x] !== true) continue;
      const start = x;
      while (row[x + 1] === true) x += 1;
      path += `M${start} ${y}h${x + 1 - start}v1H${start}z`;
    }
  }
  return { size, path };
}
