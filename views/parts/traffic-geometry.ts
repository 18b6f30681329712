// The geometry of the traffic charts: what flowed in each slot, as the outline of columns that touch each other.

export type TrafficPointProps = {
  atMs: number;
  servedBytes: number;
  fromDiskBytes: number;
};

export const chartWidth = 480;
export const chartHeight = 100;
export const ratioHeight = 40;

/** The next round number that is not below `value`, so that the scale does not change with every byte. */
export function niceMost(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}

function columnStart(index: number, count: number): number {
  return Math.round((index / count) * chartWidth);
}

/** The filled outline of columns as high as `values` of `most`; empty where nothing is. */
export function columnsPath(values: readonly number[], most: number): string {
  if (values.every((value) => value === 0)) return '';
  // What is there at all is seen.
  const heights = values.map((value) => (value > 0 ? Math.max(1, Math.round((value / most) * chartHeight)) : 0));
  let path = `M0 ${chartHeight}`;
  for (const [index, height] of heights.entries()) {
    const isLast = index === heights.length - 1;
    if (height !== (heights[index - 1] ?? 0)) path += `V${chartHeight - height}`;
    // Columns of the same height are one.
    if (isLast || height !== heights[index + 1]) path += `H${columnStart(index + 1, heights.length)}`;
  }
  return `${path}V${chartHeight}Z`;
}

/** A line of shares from 0 to 1 that breaks where a share is not known. */
export function sharesPath(shares: readonly (number | null)[]): string {
  let path = '';
  let isDrawing = false;
  for (const [index, share] of shares.entries()) {
    if (share !== null) {
      const y = 1 + Math.round((1 - share) * (ratioHeight - 2));
      path += isDrawing ? `V${y}` : `M${columnStart(index, shares.length)} ${y}`;
      path += `H${columnStart(index + 1, shares.length)}`;
    }
    isDrawing = share !== null;
  }
  return path;
}
