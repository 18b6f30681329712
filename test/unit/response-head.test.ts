import { describe, expect, test } from 'bun:test';
import { parseRangeHeader } from '../../src/bytes/range-header.ts';
import type { CachedFile } from '../../src/chunks/cached-file.ts';
import { MULTIPART_RANGES_MAX } from '../../src/limits.ts';
import { layOutMultipart } from '../../src/proxy/multipart.ts';
import { commonHeaders, representationHeaders, selectRanges, validatorsOf } from '../../src/proxy/response-head.ts';
import { describePath } from '../../src/sources/media-address.ts';

const select = (header: string, totalBytes: number | null = 1_000) =>
  selectRanges(parseRangeHeader(header), totalBytes);

describe('selectRanges()', () => {
  test('selectRanges() gives the whole when there is no usable Range or the length is not known', () => {
    expect(selectRanges(null, 1_000)).toEqual({ kind: 'whole' });
    expect(select('bytes=0-1', null)).toEqual({ kind: 'whole' });
  });

  test('selectRanges() says whether the client named the end', () => {
    expect(select('bytes=5-')).toEqual({ kind: 'single', range: { start: 5, end: 1_000 }, bounded: false });
    expect(select('bytes=5-9')).toEqual({ kind: 'single', range: { start: 5, end: 10 }, bounded: true });
    expect(select('bytes=-5')).toEqual({ kind: 'single', range: { start: 995, end: 1_000 }, bounded: false });
  });

  test('selectRanges() is unsatisfiable when no range lies in the file', () => {
    for (const header of ['bytes=1000-', 'bytes=-0', 'bytes=2000-3000,5000-'])
      expect(select(header)).toEqual({ kind: 'unsatisfiable' });
    expect(select('bytes=0-', 0)).toEqual({ kind: 'unsatisfiable' });
  });

  test('selectRanges() leaves out what cannot be satisfied when something can', () => {
    expect(select('bytes=2000-,0-9')).toEqual({ kind: 'single', range: { start: 0, end: 10 }, bounded: true });
  });

  test('selectRanges() joins ranges that overlap or touch, so that no byte is sent twice', () => {
    expect(select('bytes=0-9,10-19,5-12')).toEqual({ kind: 'single', range: { start: 0, end: 20 }, bounded: true });
    expect(select('bytes=100-199,0-9')).toEqual({
      kind: 'several',
      ranges: [
        { start: 0, end: 10 },
        { start: 100, end: 200 },
      ],
    });
  });

  test('selectRanges() ignores the header when it has more ranges than the bound', () => {
    const header = (count: number) =>
      `bytes=${Array.from({ length: count }, (_, at) => `${at * 10}-${at * 10}`).join(',')}`;
    expect(select(header(MULTIPART_RANGES_MAX)).kind).toBe('several');
    expect(select(header(MULTIPART_RANGES_MAX + 1))).toEqual({ kind: 'whole' });
  });
});

describe('layOutMultipart()', () => {
  test('invariant 9: layOutMultipart() announces exactly the bytes that are then sent', () => {
    for (const totalBytes of [100, 2 ** 40]) {
      const ranges = [
        { start: 0, end: 1 },
        { start: 9, end: 25 },
        { start: totalBytes - 1, end: totalBytes },
      ];
      const layout = layOutMultipart(ranges, totalBytes, 'video/x-matroska', 'bound');
      const sent = ranges.reduce(
        (sum, range, index) => sum + layout.partHeads[index]!.length + range.end - range.start,
        layout.tail.length,
      );
      expect(layout.contentLength).toBe(sent);
    }
  });

  test('layOutMultipart() can be read by a parser of RFC 2046 when the parts are put between', () => {
    const ranges = [
      { start: 0, end: 3 },
      { start: 7, end: 9 },
    ];
    const layout = layOutMultipart(ranges, 10, 'audio/mpeg', 'xyz');
    expect(layout.contentType).toBe('multipart/byteranges; boundary=xyz');
    const text = ranges.map(
      (range, index) => new TextDecoder().decode(layout.partHeads[index]) + '0123456789'.slice(range.start, range.end),
    );
    const parts = (text.join('') + new TextDecoder().decode(layout.tail)).split('\r\n--xyz');
    expect(parts).toEqual([
      '',
      '\r\nContent-Type: audio/mpeg\r\nContent-Range: bytes 0-2/10\r\n\r\n012',
      '\r\nContent-Type: audio/mpeg\r\nContent-Range: bytes 7-8/10\r\n\r\n78',
      '--\r\n',
    ]);
  });
});

interface FileFacts {
  path?: string;
  etag?: string | null;
  lastModified?: string | null;
  totalBytes?: number | null;
  seekable?: boolean;
  isComplete?: boolean;
  contentType?: string | null;
  contentLanguage?: string | null;
  contentDisposition?: string | null;
}

/** As much of a CachedFile as heads are made of. */
function fileWith(facts: FileFacts): CachedFile {
  const { path = 'Film.mkv', totalBytes = 1_000, seekable = true, isComplete = false } = facts;
  const {
    etag = null,
    lastModified = null,
    contentType = null,
    contentLanguage = null,
    contentDisposition = null,
  } = facts;
  return {
    identity: { address: describePath(path) },
    generation: { id: 1, etag, lastModified, totalBytes, fileName: 'films/Film-0a1b2c.mkv' },
    headers: { contentType, contentLanguage, contentDisposition },
    totalBytes,
    seekable,
    isComplete,
  } as unknown as CachedFile;
}

describe('validatorsOf()', () => {
  test('validatorsOf() gives on the strong tag of the origin, and makes a strong one in place of a weak or absent one', () => {
    expect(validatorsOf(fileWith({ etag: '"abc"' })).etag).toBe('"abc"');
    for (const etag of ['W/"abc"', 'abc', '"a"b"', null]) {
      expect(validatorsOf(fileWith({ etag })).etag).toMatch(/^"g0a1b2c"$/);
      expect(validatorsOf(fileWith({ etag, lastModified: 'Sun, 10 May 2026 12:00:00 GMT' })).etag).toMatch(
        /^"[a-z0-9]+-rs"$/,
      );
    }
  });

  test('validatorsOf() gives another tag when date or length is another', () => {
    const tags = [
      ['Sun, 10 May 2026 12:00:00 GMT', 5],
      ['Sun, 10 May 2026 12:00:01 GMT', 5],
      ['Sun, 10 May 2026 12:00:00 GMT', 6],
    ] as const;
    const made = tags.map(([lastModified, totalBytes]) => validatorsOf(fileWith({ lastModified, totalBytes })).etag);
    expect(new Set(made).size).toBe(3);
  });
});

describe('commonHeaders()', () => {
  test('commonHeaders() promises ranges only when any offset can be had', () => {
    expect(commonHeaders(fileWith({}))['Accept-Ranges']).toBe('bytes');
    expect(commonHeaders(fileWith({ seekable: false }))['Accept-Ranges']).toBeUndefined();
    expect(commonHeaders(fileWith({ seekable: false, isComplete: true }))['Accept-Ranges']).toBe('bytes');
    expect(commonHeaders(fileWith({ totalBytes: null }))['Accept-Ranges']).toBeUndefined();
  });

  test('commonHeaders() gives on no header that is not one line of visible characters', () => {
    expect(commonHeaders(fileWith({ lastModified: 'x\r\nSet-Cookie: a=b' }))['Last-Modified']).toBeUndefined();
    expect(representationHeaders(fileWith({ contentType: 'video/mp4\r\nX: y' }))['Content-Type']).toBe(
      'video/x-matroska',
    );
    expect(representationHeaders(fileWith({ contentLanguage: 'de\r\nX: y' }))['Content-Language']).toBeUndefined();
    expect(representationHeaders(fileWith({ contentLanguage: 'de, en-GB' }))['Content-Language']).toBe('de, en-GB');
  });
});

describe('representationHeaders()', () => {
  test('representationHeaders() sandboxes and attaches what a browser would run', () => {
    for (const contentType of [
      'text/html',
      'TEXT/HTML; charset=utf-8',
      'image/svg+xml',
      'application/xhtml+xml',
      'text/xml',
      'application/xml',
      'application/rss+xml',
      'text/javascript',
      'application/javascript',
      'application/ecmascript',
      'multipart/related',
      'text/xsl',
      'text/rdf',
      'video/x+xml',
      'application/dash+xml',
      'application/pdf',
      'application/x-unheard-of',
    ]) {
      const headers = representationHeaders(fileWith({ path: "a/b'c (1).html", contentType }));
      expect([contentType, headers['Content-Security-Policy']]).toEqual([contentType, 'sandbox']);
      expect(headers['Content-Disposition']).toBe("attachment; filename*=UTF-8''b%27c%20%281%29.html");
      expect(headers['X-Content-Type-Options']).toBe('nosniff');
    }
  });

  test('representationHeaders() sandboxes every script type that browsers know, also the old names', () => {
    // https://mimesniff.spec.whatwg.org/#javascript-mime-type
    for (const contentType of [
      'text/x-javascript',
      'application/x-ecmascript',
      'text/livescript',
      'text/javascript1.5',
      'text/x-ecmascript',
    ]) {
      expect([contentType, representationHeaders(fileWith({ contentType }))['Content-Security-Policy']]).toEqual([
        contentType,
        'sandbox',
      ]);
    }
  });

  test('representationHeaders() relays only one exact type: browsers split other values at commas', () => {
    for (const contentType of [
      'video/mp4, text/html',
      'text/html,',
      ',text/html',
      'video/mp4;x=", text/html',
      'video/mp4; x=y, text/html',
      'video/mp4 text/html',
      'video/mp4;\ttext/html',
      'text/html;,',
      'video',
      'video/',
      '/mp4',
    ]) {
      const typed = representationHeaders(fileWith({ contentType }));
      expect([contentType, typed['Content-Type']]).toEqual([contentType, 'video/x-matroska']);
      const untyped = representationHeaders(fileWith({ path: 'a', contentType }));
      expect([contentType, untyped['Content-Type']]).toEqual([contentType, 'application/octet-stream']);
    }
    const codecs = representationHeaders(fileWith({ contentType: 'video/mp4; codecs="avc1.64, text/html"' }));
    expect(codecs['Content-Type']).toBe('video/mp4');
    expect(representationHeaders(fileWith({ contentType: 'text/vtt; charset="utf-8"' }))['Content-Type']).toBe(
      'text/vtt; charset="utf-8"',
    );
  });

  test('representationHeaders() lets through what players and browsers show', () => {
    for (const path of ['a.m3u8', 'a.srt', 'a.ass', 'a.vtt', 'a.jpg', 'a.flac', 'a.ts', 'a.iso', 'a']) {
      const headers = representationHeaders(fileWith({ path }));
      expect([path, headers['Content-Security-Policy']]).toEqual([path, undefined]);
    }
    for (const contentType of ['text/plain; charset=utf-8', 'Application/X-MPEGurl', 'audio/x-unheard-of']) {
      const headers = representationHeaders(fileWith({ path: 'a', contentType }));
      expect([contentType, headers['Content-Disposition']]).toEqual([contentType, undefined]);
    }
  });

  test('representationHeaders() leaves films alone and keeps the wish of the origin to be a download', () => {
    const film = representationHeaders(fileWith({ contentType: 'video/mp4' }));
    expect(film['Content-Disposition']).toBeUndefined();
    expect(film['Content-Security-Policy']).toBeUndefined();
    const attached = representationHeaders(fileWith({ contentDisposition: 'attachment; filename="evil.exe"' }));
    expect(attached['Content-Disposition']).toBe("attachment; filename*=UTF-8''Film.mkv");
    expect(representationHeaders(fileWith({ contentDisposition: 'inline' }))['Content-Disposition']).toBeUndefined();
  });

  test('representationHeaders() takes the type of the origin, else of the extension, else says nothing', () => {
    const typeOf = (path: string, contentType: string | null) =>
      representationHeaders(fileWith({ path, contentType }))['Content-Type'];
    expect(typeOf('a.mkv', 'video/webm')).toBe('video/webm');
    for (const generic of [
      'application/octet-stream',
      'binary/octet-stream',
      'text/plain; charset=utf-8',
      'application/force-download',
    ]) {
      expect(typeOf('a.mkv', generic)).toBe('video/x-matroska');
      expect(typeOf('a.unknown', generic)).toBe(generic);
    }
    expect(typeOf('a.flac', null)).toBe('audio/flac');
    expect(typeOf('a', null)).toBe('application/octet-stream');
    expect(typeOf('a.mkv', '')).toBe('video/x-matroska');
  });
});
