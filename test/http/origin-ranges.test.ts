// Origins that handle ranges wrongly, or not at all: at the first open, when a part of the file is cached, and in
// mid-stream (CONTRACT.md, stream promises 1, 8 and 9; DESIGN.md §6, origins that lie).
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { OriginBehaviour } from '../support/origin.ts';
import { FaultyOrigin, FILE_BYTES, PART_BYTES } from './faulty-origin.ts';

let faulty: FaultyOrigin;

beforeAll(async () => {
  faulty = await FaultyOrigin.start();
});

afterAll(() => faulty[Symbol.asyncDispose]());

describe('a 206 that is not what was asked: 502 with the reason, what is cached is served, mid-stream the connection is cut', () => {
  const faults: [what: string, fault: OriginBehaviour, reason: RegExp][] = [
    ['another start, later', { shiftBytes: 7 }, /does not begin at/],
    [
      'another start, earlier, whatever was asked',
      { contentRange: (_start, end, total) => `bytes 0-${end - 1}/${total}` },
      /does not begin at|is not the last/,
    ],
    [
      'an end behind the one that was asked',
      { contentRange: (start, end, total) => `bytes ${start}-${end + 9}/${total + 100}`, extraBytes: 10 },
      /goes past|Content-Length/,
    ],
    [
      'an end that does not fit its Content-Length',
      { contentRange: (start, end, total) => `bytes ${start}-${end - 2}/${total}` },
      /Content-Length/,
    ],
    [
      'an end behind its own total',
      { contentRange: (start, _end, total) => `bytes ${start}-${total + 10}/${total}` },
      /does not say which bytes/,
    ],
    [
      'an end before its start',
      { contentRange: (start, _end, total) => `bytes ${start}-${start - 1}/${total}` },
      /does not say which bytes/,
    ],
    ['garbage', { contentRange: 'bytes x-y/z' }, /does not say which bytes/],
    ['another unit', { contentRange: 'chunks 0-5/9' }, /does not say which bytes/],
    ['no range in it', { contentRange: 'bytes */3000000' }, /does not say which bytes/],
    ['bytes 0-9/* for whatever was asked', { contentRange: 'bytes 0-9/*' }, /does not begin at|Content-Length/],
    ['a Content-Length of its own', { headers: { 'Content-Length': '55' } }, /Content-Length: 55/],
  ];
  for (const [what, fault, reason] of faults) {
    test(`a 206 with ${what}: 502`, () => faulty.expectContained(fault, 502, reason));
  }
});

describe('a 206 whose body is not as long as it says', () => {
  for (const [what, fault] of [
    ['shorter', { cutAfterBytes: 50, cutBy: 'end' }],
    ['shorter, and chunked', { cutAfterBytes: 50, cutBy: 'end', hideLength: true }],
  ] as const) {
    test(`${what}, always: piece by piece all bytes of a short range, and they are right`, async () => {
      const file = faulty.newFile({ behaviour: fault });
      const response = await faulty.getRange(file, 1_000, 1_040);
      expect([response.status, response.isWhole]).toEqual([206, true]);
      faulty.origin.assertBody(file.path, response.body, 1_000);
      await faulty.expectHealed(file);
    });
  }

  test('longer (chunked), once: the reader does not notice', async () => {
    const fault = { extraBytes: 500, hideLength: true, times: 1 };
    await faulty.expectWhole(await faulty.newCachedFile({ behaviour: fault }));
  });

  test('longer (chunked), always: no byte behind the range is served, and all is well when the origin is', async () => {
    const fault: OriginBehaviour = { extraBytes: 500, hideLength: true };
    const file = await faulty.newCachedFile({ behaviour: fault });
    const response = await faulty.getRange(file, 2_000_000, 2_000_100);
    expect([206, 502]).toContain(response.status);
    expect(response.isWhole).toBe(true);
    if (response.status === 206) faulty.origin.assertBody(file.path, response.body, 2_000_000);
    await faulty.expectHealed(file);
  });

  test('parts that are one byte longer each time than what is missing of them is given: all bytes, and they are right', async () => {
    const file = faulty.newFile({ behaviour: { partBytesMax: 300_001 } });
    await faulty.expectWhole(file);
  });
});

describe('Content-Range: bytes …/*', () => {
  test('a total that is hidden at the first open: all bytes, read without a range', async () => {
    const file = faulty.newFile({ behaviour: { contentRange: 'bytes 0-9/*', partBytesMax: 10 } });
    await faulty.expectWhole(file);
    await faulty.expectHealed(file);
  });

  test('a total that is hidden later: all bytes', async () => {
    await faulty.expectWhole(await faulty.newCachedFile({ behaviour: { hideTotal: true } }));
    await faulty.expectWhole(await faulty.newCachedFile({ behaviour: { hideTotal: true, partBytesMax: 300_000 } }));
  });
});

describe('totals that change between requests of one version', () => {
  test('another total at each request: a status and a reason or a cut connection, never a wrong byte', async () => {
    let flips = 0;
    const contentRange = (start: number, end: number, total: number) =>
      `bytes ${start}-${end - 1}/${total + 10 + (flips++ % 2)}`;
    const file = await faulty.newCachedFile({ behaviour: { contentRange } });
    const seek = await faulty.getRange(file, 2_000_000, 2_000_100);
    expect([206, 502]).toContain(seek.status);
    if (seek.status === 206) faulty.origin.assertBody(file.path, seek.body, 2_000_000);
    await faulty.expectHealed(file);
  });

  test('another total once: the reader in mid-stream is cut, the next gets all bytes', async () => {
    const contentRange = (start: number, end: number, total: number) => `bytes ${start}-${end - 1}/${total + 10}`;
    const file = await faulty.newCachedFile({ behaviour: { contentRange } });
    await faulty.expectCut(file);
    await faulty.expectHealed(file);
  });
});

describe('416', () => {
  test('416 to a valid range of a file of which a part is cached: a status, a cut connection, and then the part is asked for anew', async () => {
    const file = await faulty.newCachedFile({ behaviour: { status: 416 } });
    const response = await faulty.getRange(file, 2_000_000, 2_000_100);
    expect([416, 502]).toContain(response.status);
    expect(response.isWhole).toBe(true);
    await faulty.expectHealed(file);
    const other = await faulty.newCachedFile({ behaviour: { status: 416 } });
    await faulty.expectCut(other);
    await faulty.expectHealed(other);
  });

  test('416 to a valid range at the first open: a status and a reason', async () => {
    const file = faulty.newFile({ behaviour: { status: 416 } });
    const response = await faulty.getRange(file, 1_000, 2_000);
    expect([416, 502]).toContain(response.status);
    await faulty.expectHealed(file);
  });

  for (const [what, validators] of [
    ['with validators', {}],
    ['without validators', { etag: null, lastModified: null }],
  ] as const) {
    test(`a file that was believed longer, ${what}: 416 with its length behind its end, and its bytes before it`, async () => {
      const file = await faulty.newCachedFile(validators);
      faulty.origin.change(file.path, 1_500_000);
      const beyond = await faulty.getRange(file, 2_000_000, 2_000_100);
      expect([beyond.status, beyond.header('content-range')]).toEqual([416, 'bytes */1500000']);
      await faulty.expectRange(file, 1_200_000, 1_200_100);
      await faulty.expectWhole(file, 1_500_000);
    });
  }
});

describe('no range support', () => {
  for (const [what, ranges] of [
    ['200 to a range, without Accept-Ranges', 'none'],
    ['200 to a range, with Accept-Ranges', 'ignored'],
  ] as const) {
    test(`${what}, at the first open: the range is waited for and right, and so is the whole`, async () => {
      const file = faulty.newFile({ behaviour: { ranges } });
      await faulty.expectRange(file, 2_000_000, 2_000_100);
      await faulty.expectWhole(file);
      await faulty.expectHealed(file);
    });

    test(`${what}, from some time on: read from its start, and right`, async () => {
      const file = await faulty.newCachedFile({ behaviour: { ranges } });
      await faulty.expectRange(file, 2_000_000, 2_000_100);
      await faulty.expectWhole(file);
      await faulty.expectHealed(file);
    });

    test(`${what}, from some time on and without validators: a status or a cut connection, and all bytes when the origin is well`, async () => {
      const file = await faulty.newCachedFile({ behaviour: { ranges }, etag: null, lastModified: null });
      const response = await faulty.getRange(file, 2_000_000, 2_000_100);
      expect([206, 502]).toContain(response.status);
      expect(response.isWhole).toBe(true);
      if (response.status === 206) faulty.origin.assertBody(file.path, response.body, 2_000_000);
      await faulty.expectHealed(file);
    });

    // What is stored is compared through a second request whose 200 is read whole and refused, so the file counts as
    // changed; the body that comes anyway begins at zero and could be compared itself (chunks/downloader.ts).
    test(`${what}, and no validators: a range and then the whole, all bytes and each once`, async () => {
      const file = faulty.newFile({ behaviour: { ranges }, etag: null, lastModified: null });
      await faulty.expectRange(file, 2_000_000, 2_000_100);
      await faulty.expectWhole(file);
    });

    test(`${what}, and the connection breaks in mid-body: read again from its start, and the reader does not notice`, async () => {
      const file = faulty.newFile({ behaviour: { ranges, cutAfterBytes: 1_500_000, times: 1 } });
      const reading = faulty.expectWhole(file);
      await faulty.origin.until(() => faulty.origin.openCount(file.path) === 1);
      faulty.origin.behave(file.path, { ranges });
      await reading;
    });
  }

  test('chunked without a length, at the first open with a range: all bytes from the start (200)', async () => {
    const file = faulty.newFile({ behaviour: { ranges: 'none', hideLength: true } });
    const response = await faulty.getRange(file, 2_000_000, 2_000_100);
    expect([response.status, response.isWhole, response.body.length]).toEqual([200, true, FILE_BYTES]);
    faulty.origin.assertBody(file.path, response.body);
    await faulty.expectHealed(file);
  });

  test('chunked without a length from some time on: what is missing is right', async () => {
    const file = await faulty.newCachedFile({ behaviour: { ranges: 'none', hideLength: true } });
    await faulty.expectRange(file, 2_000_000, 2_000_100);
    await faulty.expectRange(file, 0, PART_BYTES);
    await faulty.expectHealed(file);
  });

  // Its end is taken for a proper one without progress: it is asked for again at once, for as long as a reader waits.
  test('chunked without a length and shorter than known: the connection is cut after a few tries', async () => {
    const file = await faulty.newCachedFile({ behaviour: { ranges: 'none', hideLength: true } });
    faulty.origin.addFile(file.path, { sizeBytes: 2_000_000 });
    await faulty.expectCut(file);
    expect(faulty.origin.requestsOf(file.path).length).toBeLessThan(10);
  });

  test('a gzipped body from some time on, once: refused, and all bytes when the origin is well', async () => {
    const file = await faulty.newCachedFile({ behaviour: { gzip: true, times: 1 } });
    await faulty.expectRefused(file, 502, /gzip/, [2_000_000, 2_000_100]);
    await faulty.expectHealed(file);
  });
});
