// What an origin's response says, checked against what was asked, before a single byte of it is believed.
import { parseContentRange } from '../bytes/range-header.ts';
import { LarderError } from '../errors.ts';
import { RETRY_AFTER_MAX_MS } from '../limits.ts';

/** What is asked of the origin: from an offset on, or the last bytes. `end` is exclusive; null is the file's end. */
export type OriginRange =
  | { readonly kind: 'from'; readonly start: number; readonly end: number | null }
  | { readonly kind: 'suffix'; readonly length: number };

/** Head of a usable response, as plain values. */
export interface OriginHead {
  /** Offset in the file of the body's first byte. */
  readonly start: number;
  /** Bytes the body must have; null when the origin does not say. */
  readonly bodyBytes: number | null;
  /** Length of the whole file; null when the origin does not say. */
  readonly totalBytes: number | null;
  /** Whether the origin serves from any offset. */
  readonly seekable: boolean;
  readonly etag: string | null;
  readonly lastModified: string | null;
  readonly contentType: string | null;
  readonly contentLanguage: string | null;
  readonly contentDisposition: string | null;
}

export function isStrongEtag(etag: string | null): etag is string {
  return etag !== null && /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag);
}

function contentLength(headers: Headers): number | null {
  const text = headers.get('content-length');
  if (text === null || !/^\d+$/.test(text.trim())) return null;
  const length = Number(text);
  return Number.isSafeInteger(length) ? length : null;
}

/**
 * @throws LarderError with what to do next (facts/upstreams.md §2) when the response is no use
 */
export function readOriginHead(
  response: Response,
  asked: OriginRange | null,
  expectsMedia: boolean,
  nowMs: number,
): OriginHead {
  const { headers, status } = response;
  if (status !== 200 && status !== 206) throw statusError(response, nowMs);
  const encoding = headers.get('content-encoding');
  if (encoding !== null && encoding.trim().toLowerCase() !== 'identity') {
    throw new LarderError('origin-lied', `the origin sent a ${encoding} body although identity was asked`, {
      hint: 'switch compression off for media files on the origin',
    });
  }
  const contentType = headers.get('content-type');
  if (expectsMedia && /^application\/(?:problem\+)?json\b/i.test(contentType ?? '')) {
    throw new LarderError('origin-refused', 'the origin sent data in place of the file', {
      hint: 'it may be what a service says of an error: open the address of the source in a browser',
    });
  }
  // It names other addresses, signed ones often: what is to be read as a playlist is asked for as one.
  if (expectsMedia && /^(?:application|audio)\/(?:vnd\.apple\.|x-)?mpegurl\b/i.test(contentType ?? '')) {
    throw new LarderError('origin-refused', 'the origin sent a playlist in place of the file', {
      isOfFile: true,
      hint: 'its address does not say that it is one: choose another quality of it',
    });
  }
  if (expectsMedia && /^text\/html\b/i.test(contentType ?? '')) {
    throw new LarderError('origin-refused', 'the origin sent an HTML page in place of the file', {
      hint: 'it may be a sign-in page: check the credentials of the source and open its address in a browser',
    });
  }
  const common = {
    etag: headers.get('etag'),
    lastModified: headers.get('last-modified'),
    contentType,
    contentLanguage: headers.get('content-language'),
    contentDisposition: headers.get('content-disposition'),
  };
  if (status === 200) {
    const totalBytes = contentLength(headers);
    // Accept-Ranges on a 200 says that other offsets can be asked for (RFC 9110 §14.3).
    const seekable = totalBytes !== null && /\bbytes\b/i.test(headers.get('accept-ranges') ?? '');
    return { start: 0, bodyBytes: totalBytes, totalBytes, seekable, ...common };
  }
  const { range, totalBytes } = requirePartial(headers, asked);
  return { start: range.start, bodyBytes: range.end - range.start, totalBytes, seekable: true, ...common };
}

function requirePartial(headers: Headers, asked: OriginRange | null) {
  const text = headers.get('content-range');
  const parsed = parseContentRange(text);
  const lie = (what: string) =>
    new LarderError('origin-lied', `the origin's partial answer ${what} (Content-Range: ${text ?? 'none'})`, {
      hint: 'the origin or a proxy before it handles ranges wrongly',
    });
  if (asked === null) throw lie('was not asked for');
  if (parsed === null || parsed.range === null) throw lie('does not say which bytes it holds');
  const { range, totalBytes } = parsed;
  if (asked.kind === 'from') {
    if (range.start !== asked.start) throw lie(`does not begin at ${asked.start}`);
    if (asked.end !== null && range.end > asked.end) throw lie(`goes past ${asked.end}`);
  } else if (totalBytes === null || range.end !== totalBytes || range.end - range.start > asked.length) {
    throw lie(`is not the last ${asked.length} bytes`);
  }
  const length = contentLength(headers);
  if (length !== null && length !== range.end - range.start) throw lie(`says Content-Length: ${length}`);
  return { range, totalBytes };
}

/** What the origin takes for now: its dates are to be measured by its own clock. */
function originTimeMs(headers: Headers): number | null {
  const ms = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(ms) ? null : ms;
}

/** RFC 9110 §10.2.3: seconds, or a date. In milliseconds from now, at most RETRY_AFTER_MAX_MS. */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header.trim())) return Math.min(Number(header) * 1_000, RETRY_AFTER_MAX_MS);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - nowMs), RETRY_AFTER_MAX_MS);
}

/** What a server says beside a status is shown, and kept. */
const STATUS_WORDS_MAX = 100;

/** What an answer that is neither 200 nor 206 means, and what to do (facts/upstreams.md §2). */
export function statusError(response: Response, nowMs: number): LarderError {
  const { status, headers } = response;
  const details = { originStatus: status };
  const words = response.statusText.slice(0, STATUS_WORDS_MAX);
  const said = `the origin answered ${status}${words === '' ? '' : ` ${words}`}`;
  if (status === 404 || status === 410) {
    return new LarderError('not-found', said, { ...details, hint: 'the file is not there: check its name' });
  }
  if (status === 401 || status === 403) {
    return new LarderError('origin-refused', said, { ...details, hint: 'check the credentials of the source' });
  }
  if (status === 416) {
    const totalBytes = parseContentRange(headers.get('content-range'))?.totalBytes ?? undefined;
    return new LarderError('out-of-range', said, { ...details, ...(totalBytes === undefined ? {} : { totalBytes }) });
  }
  if (status === 429 || status === 503) {
    const retryAfterMs = parseRetryAfter(headers.get('retry-after'), originTimeMs(headers) ?? nowMs);
    if (retryAfterMs !== undefined) {
      return new LarderError('origin-busy', said, { ...details, retry: 'later', retryAfterMs });
    }
    if (status === 429) return new LarderError('origin-busy', said, { ...details, retry: 'later' });
  }
  if (status >= 500 || status === 408 || status === 425) {
    return new LarderError('origin-failed', said, { ...details, retry: 'soon' });
  }
  return new LarderError('origin-refused', said, details);
}
