import { describe, expect, test } from 'bun:test';
import { LarderError } from '../../src/errors.ts';
import { isStrongEtag, type OriginRange, parseRetryAfter, readOriginHead } from '../../src/sources/origin-response.ts';

const fromZero: OriginRange = { kind: 'from', start: 0, end: null };
const middle: OriginRange = { kind: 'from', start: 100, end: 200 };
const tail: OriginRange = { kind: 'suffix', length: 50 };

/** Time of the answers. */
const NOW_MS = Date.UTC(2026, 0, 1);

function read(
  status: number,
  headers: Record<string, string>,
  asked: OriginRange | null = fromZero,
  expectsMedia = true,
) {
  return readOriginHead(new Response(null, { status, headers }), asked, expectsMedia, NOW_MS);
}

function failure(...input: Parameters<typeof read>): LarderError {
  try {
    read(...input);
  } catch (error) {
    if (error instanceof LarderError) return error;
    throw error;
  }
  throw new Error('the response was taken');
}

describe('readOriginHead()', () => {
  test('readOriginHead() takes start, length and total from Content-Range when it is a 206', () => {
    expect(read(206, { 'content-range': 'bytes 100-199/1000', 'content-length': '100' }, middle)).toMatchObject({
      start: 100,
      bodyBytes: 100,
      totalBytes: 1_000,
      seekable: true,
    });
    expect(read(206, { 'content-range': 'bytes 100-149/150' }, middle)).toMatchObject({
      bodyBytes: 50,
      totalBytes: 150,
    });
    expect(read(206, { 'content-range': 'bytes 950-999/1000' }, tail)).toMatchObject({ start: 950, totalBytes: 1_000 });
    expect(read(206, { 'content-range': 'bytes 0-9/10' }, tail)).toMatchObject({ start: 0, totalBytes: 10 });
    expect(read(206, { 'content-range': 'bytes 100-199/*' }, middle)).toMatchObject({ totalBytes: null });
  });

  test('readOriginHead() begins at zero when the origin answers 200 to a range', () => {
    expect(read(200, { 'content-length': '1000', 'accept-ranges': 'bytes' }, middle)).toMatchObject({
      start: 0,
      bodyBytes: 1_000,
      totalBytes: 1_000,
      seekable: true,
    });
    expect(read(200, { 'content-length': '1000' }, middle).seekable).toBe(false);
    expect(read(200, { 'content-length': '1000', 'accept-ranges': 'none' }).seekable).toBe(false);
    expect(read(200, {}, null)).toMatchObject({ bodyBytes: null, totalBytes: null, seekable: false });
  });

  test('readOriginHead() does not believe a length that is no number', () => {
    for (const length of ['-5', '1e3', 'abc', '99999999999999999999']) {
      expect(read(200, { 'content-length': length }).totalBytes).toBeNull();
    }
  });

  const lies: [string, Record<string, string>, OriginRange | null][] = [
    ['was not asked for', { 'content-range': 'bytes 0-9/10' }, null],
    ['has no Content-Range', {}, middle],
    ['has many parts', { 'content-type': 'multipart/byteranges; boundary=x' }, middle],
    ['begins elsewhere', { 'content-range': 'bytes 0-99/1000' }, middle],
    ['begins one off', { 'content-range': 'bytes 101-199/1000' }, middle],
    ['is longer than asked', { 'content-range': 'bytes 100-299/1000' }, middle],
    ['has another Content-Length', { 'content-range': 'bytes 100-199/1000', 'content-length': '99' }, middle],
    ['has a range past its total', { 'content-range': 'bytes 100-199/150' }, middle],
    ['is unsatisfied inside a 206', { 'content-range': 'bytes */1000' }, middle],
    ['is a suffix that is not at the end', { 'content-range': 'bytes 0-49/1000' }, tail],
    ['is a suffix longer than asked', { 'content-range': 'bytes 900-999/1000' }, tail],
    ['is a suffix of an unknown total', { 'content-range': 'bytes 950-999/*' }, tail],
  ];
  for (const [what, headers, asked] of lies) {
    test(`readOriginHead() refuses a 206 when it ${what}`, () => {
      expect(failure(206, headers, asked)).toMatchObject({ code: 'origin-lied', retry: 'never' });
    });
  }

  test('readOriginHead() refuses an encoded body although identity was asked', () => {
    for (const encoding of ['gzip', 'br', 'x-unknown'])
      expect(failure(200, { 'content-encoding': encoding }).code).toBe('origin-lied');
    expect(read(200, { 'content-encoding': 'identity', 'content-length': '5' }).totalBytes).toBe(5);
  });

  test('readOriginHead() refuses a page in place of a film, and lets a page be a page', () => {
    expect(failure(200, { 'content-type': 'text/html; charset=utf-8' })).toMatchObject({
      code: 'origin-refused',
      retry: 'never',
    });
    expect(read(200, { 'content-type': 'text/html' }, null, false).contentType).toBe('text/html');
    for (const type of ['application/vnd.apple.mpegurl', 'audio/x-mpegurl; charset=utf-8', 'Application/X-mpegURL']) {
      expect(failure(200, { 'content-type': type })).toMatchObject({ code: 'origin-refused', isOfFile: true });
      expect(read(200, { 'content-type': type }, null, false).contentType).toBe(type);
    }
  });

  const statuses: [number, Record<string, string>, string, string][] = [
    [400, {}, 'origin-refused', 'never'],
    [401, {}, 'origin-refused', 'never'],
    [403, {}, 'origin-refused', 'never'],
    [404, {}, 'not-found', 'never'],
    [410, {}, 'not-found', 'never'],
    [408, {}, 'origin-failed', 'soon'],
    [412, {}, 'origin-refused', 'never'],
    [416, { 'content-range': 'bytes */77' }, 'out-of-range', 'never'],
    [425, {}, 'origin-failed', 'soon'],
    [429, {}, 'origin-busy', 'later'],
    [429, { 'retry-after': '7' }, 'origin-busy', 'later'],
    [500, {}, 'origin-failed', 'soon'],
    [502, {}, 'origin-failed', 'soon'],
    [503, {}, 'origin-failed', 'soon'],
    [503, { 'retry-after': '7' }, 'origin-busy', 'later'],
    [204, {}, 'origin-refused', 'never'],
    [304, {}, 'origin-refused', 'never'],
  ];
  for (const [status, headers, code, retry] of statuses) {
    test(`readOriginHead() says ${code}, retry ${retry}, when the status is ${status} ${JSON.stringify(headers)}`, () => {
      const error = failure(status, headers);
      expect(error).toMatchObject({ code, retry, originStatus: status } as object);
      if (headers['retry-after'] !== undefined) expect(error.retryAfterMs).toBe(7_000);
    });
  }

  test('readOriginHead() names the length when a 416 told it', () => {
    expect(failure(416, { 'content-range': 'bytes */77' }).totalBytes).toBe(77);
    expect(failure(416, {}).totalBytes).toBeUndefined();
  });

  test('readOriginHead() measures a Retry-After date by the clock of the origin', () => {
    const headers = { date: 'Sun, 10 May 2026 12:00:00 GMT', 'retry-after': 'Sun, 10 May 2026 12:00:30 GMT' };
    expect(failure(503, headers).retryAfterMs).toBe(30_000);
  });

  test('readOriginHead() does not take a Retry-After date for a pause of decades when the origin sent no Date', () => {
    const error = failure(503, { 'retry-after': 'Sun, 10 May 2026 12:00:30 GMT' });
    expect(error.retryAfterMs ?? 0).toBeLessThanOrEqual(24 * 3_600_000);
  });

  test('readOriginHead() bounds how long an origin may send us away', () => {
    expect(failure(429, { 'retry-after': '31536000' }).retryAfterMs ?? 0).toBeLessThanOrEqual(24 * 3_600_000);
  });
});

describe('parseRetryAfter()', () => {
  const now = Date.UTC(2026, 4, 10, 12, 0, 0);
  const table: [string | null, number | undefined][] = [
    [null, undefined],
    ['0', 0],
    ['120', 120_000],
    [' 5 ', 5_000],
    ['Sun, 10 May 2026 12:00:10 GMT', 10_000],
    ['Sun, 10 May 2026 11:00:00 GMT', 0],
    ['soon', undefined],
    ['', undefined],
  ];
  for (const [header, ms] of table) {
    test(`parseRetryAfter() gives ${ms} when the header is ${JSON.stringify(header)}`, () => {
      expect(parseRetryAfter(header, now)).toBe(ms as number);
    });
  }
});

describe('isStrongEtag()', () => {
  test('isStrongEtag() takes quoted visible characters only', () => {
    for (const etag of ['"a"', '""', '"!#[]~"', '"\u00e4"']) expect(isStrongEtag(etag)).toBe(true);
    for (const etag of [null, '', 'a', 'W/"a"', '"a', '"a b"', '"a"b"', '"a"\r\nX: y', '"\u0000"'])
      expect(isStrongEtag(etag)).toBe(false);
  });
});
