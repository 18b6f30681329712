// What a request asks the origin for: only what a cache sends, read strictly, so that a cache that asks oddly is seen.

export interface OriginAsk {
  readonly path: string;
  readonly ifRange: string | null;
  /** Null without a Range header. */
  rangeIn(sizeBytes: number): { readonly start: number; readonly end: number } | 'unsatisfiable' | null;
}

/** @throws Error for anything but a GET with at most one byte range */
export function parseAsk(head: string): OriginAsk {
  const [requestLine = '', ...lines] = head.split('\r\n');
  const match = /^GET \/(\S*) HTTP\/1\.1$/.exec(requestLine);
  if (match === null) throw new Error(`the origin was asked "${requestLine}"`);
  const header = (name: string) =>
    lines
      .find((line) => line.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim() ?? null;
  const range = header('range');
  const spec = range === null ? null : /^bytes=(\d*)-(\d*)$/.exec(range);
  if (range !== null && (spec === null || range === 'bytes=-')) throw new Error(`the origin was asked for "${range}"`);
  return {
    path: decodeURIComponent(match[1]!),
    ifRange: header('if-range'),
    rangeIn(sizeBytes) {
      if (spec === null) return null;
      const [, first = '', last = ''] = spec;
      const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
      const end = first === '' || last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1);
      return start < end ? { start, end } : 'unsatisfiable';
    },
  };
}
