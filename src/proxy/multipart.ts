// multipart/byteranges, RFC 9110 §14.6: the text around the parts, and how long all of it is.
import type { ByteRange } from '../bytes/byte-range.ts';
import { rangeLength } from '../bytes/byte-range.ts';
import { formatContentRange } from '../bytes/range-header.ts';

export interface MultipartLayout {
  readonly contentType: string;
  readonly contentLength: number;
  /** Goes before the bytes of the range with the same index. */
  readonly partHeads: readonly Uint8Array[];
  readonly tail: Uint8Array;
}

export function layOutMultipart(
  ranges: readonly ByteRange[],
  totalBytes: number,
  partType: string,
  boundary: string,
): MultipartLayout {
  const encoder = new TextEncoder();
  const partHeads = ranges.map((range) =>
    encoder.encode(
      `\r\n--${boundary}\r\nContent-Type: ${partType}\r\nContent-Range: ${formatContentRange(range, totalBytes)}\r\n\r\n`,
    ),
  );
  const tail = encoder.encode(`\r\n--${boundary}--\r\n`);
  let contentLength = tail.length;
  ranges.forEach((range, index) => {
    contentLength += partHeads[index]!.length + rangeLength(range);
  });
  return { contentType: `multipart/byteranges; boundary=${boundary}`, contentLength, partHeads, tail };
}
