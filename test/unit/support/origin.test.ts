// The double that other tests trust is itself tested: an origin that is politer than it says proves nothing.
import { describe, expect, test } from 'bun:test';
import { contentOf, findWrongByte } from '../../support/content.ts';
import { startOrigin } from '../../support/origin.ts';

async function get(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { headers, redirect: 'manual' });
  return { response, body: new Uint8Array(await response.arrayBuffer()) };
}

describe('contentOf()', () => {
  test('contentOf() gives the same bytes when a slice begins anywhere', () => {
    const whole = contentOf(7, 1_000_000, 1_000_100);
    for (const start of [0, 1, 2, 3, 4, 5, 17, 99]) {
      expect(contentOf(7, 1_000_000 + start, 1_000_100)).toEqual(whole.slice(start));
    }
  });

  test('findWrongByte() finds a single wrong byte and a shift when content is beyond 2^32', () => {
    const offset = 2 ** 33 + 5;
    const bytes = contentOf(7, offset, offset + 200_000);
    expect(findWrongByte(bytes, 7, offset)).toBeNull();
    expect(findWrongByte(bytes, 8, offset)).toBe(offset);
    expect(findWrongByte(bytes, 7, offset + 4)).not.toBeNull();
    expect(findWrongByte(bytes, 7, offset - 2 ** 32)).not.toBeNull();
    bytes[150_001]! ^= 1;
    expect(findWrongByte(bytes, 7, offset)).toBe(offset + 150_001);
  });

  test('contentOf() never repeats itself for long when offsets are far apart', () => {
    const places = [0, 4, 65_536, 2 ** 21, 2 ** 31, 2 ** 32, 2 ** 34, 2 ** 40];
    const seen = new Set(places.map((start) => Buffer.from(contentOf(1, start, start + 8)).toString('hex')));
    expect(seen.size).toBe(places.length);
  });
});

describe('startOrigin()', () => {
  test('origin honours ranges and If-Range when it is polite', async () => {
    await using origin = await startOrigin({ files: { 'a b.mkv': { sizeBytes: 300_000 } } });
    const whole = await get(`${origin.url}a%20b.mkv`);
    expect(whole.response.status).toBe(200);
    expect(whole.response.headers.get('content-length')).toBe('300000');
    origin.assertBody('a b.mkv', whole.body);
    const etag = whole.response.headers.get('etag')!;
    const part = await get(`${origin.url}a%20b.mkv`, { range: 'bytes=1000-1999', 'if-range': etag });
    expect(part.response.status).toBe(206);
    expect(part.response.headers.get('content-range')).toBe('bytes 1000-1999/300000');
    origin.assertBody('a b.mkv', part.body, 1000);
    expect(origin.bytesSent('a b.mkv')).toBe(301_000);
    origin.change('a b.mkv');
    const changed = await get(`${origin.url}a%20b.mkv`, { range: 'bytes=1000-1999', 'if-range': etag });
    expect(changed.response.status).toBe(200);
    origin.assertBody('a b.mkv', changed.body);
    expect(changed.body).not.toEqual(whole.body);
    expect((await get(`${origin.url}a%20b.mkv`, { range: 'bytes=300000-' })).response.status).toBe(416);
    expect((await get(`${origin.url}none.mkv`)).response.status).toBe(404);
  });

  test('origin serves the end of a file when it is of 8 TiB', async () => {
    const sizeBytes = 8 * 2 ** 40;
    await using origin = await startOrigin({ files: { huge: { sizeBytes } } });
    const { response, body } = await get(`${origin.url}huge`, { range: `bytes=${sizeBytes - 10}-` });
    expect(response.headers.get('content-range')).toBe(`bytes ${sizeBytes - 10}-${sizeBytes - 1}/${sizeBytes}`);
    origin.assertBody('huge', body, sizeBytes - 10);
  });

  test('origin misbehaves as it was told when a behaviour is set', async () => {
    await using origin = await startOrigin({ files: { f: { sizeBytes: 200_000 } } });
    const url = `${origin.url}f`;
    const range = { range: 'bytes=100-' };
    origin.behave('f', { ranges: 'none' });
    const ignored = await get(url, range);
    expect(ignored.response.status).toBe(200);
    expect(ignored.response.headers.get('accept-ranges')).toBeNull();
    origin.behave('f', { hideLength: true, ranges: 'none' });
    expect((await get(url)).response.headers.get('content-length')).toBeNull();
    origin.behave('f', { shiftBytes: 4, hideTotal: true, partBytesMax: 10 });
    const shifted = await get(url, range);
    expect(shifted.response.headers.get('content-range')).toBe('bytes 104-113/*');
    origin.assertBody('f', shifted.body, 104);
    origin.behave('f', { status: 429, headers: { 'Retry-After': '7' }, times: 1 });
    const busy = await get(url);
    expect([busy.response.status, busy.response.headers.get('retry-after')]).toEqual([429, '7']);
    expect((await get(url)).response.status).toBe(200);
    origin.behave('f', { cutAfterBytes: 70_000 });
    await expect(get(url)).rejects.toThrow();
    origin.behave('f', { redirectTo: '/elsewhere' });
    expect((await get(url)).response.headers.get('location')).toBe('/elsewhere');
    origin.behave('f', { gzip: true });
    expect((await fetch(url, { decompress: false } as RequestInit)).headers.get('content-encoding')).toBe('gzip');
    origin.behave('f', { html: true });
    expect((await get(url)).response.headers.get('content-type')).toContain('text/html');
    origin.behave('f', { hideLength: true, extraBytes: 5 });
    expect((await get(url, range)).body.length).toBe(199_905);
  });

  test('origin stalls until it is released when it was told to', async () => {
    await using origin = await startOrigin({ files: { f: { sizeBytes: 200_000 } } });
    origin.behave('f', { stallAfterBytes: 1_000 });
    const response = await fetch(`${origin.url}f`);
    const reader = response.body!.getReader();
    let count = (await reader.read()).value!.length;
    expect(count).toBe(1_000);
    origin.release('f');
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) count += piece.value.length;
    expect(count).toBe(200_000);
    await origin.until(() => origin.openCount('f') === 0);
    origin.behave('f', { stallBeforeHead: true });
    const abort = new AbortController();
    const waiting = fetch(`${origin.url}f`, { signal: abort.signal });
    waiting.catch(() => undefined);
    await origin.until(() => origin.openCount('f') === 1);
    abort.abort();
    await origin.until(() => origin.openCount('f') === 0);
  });

  test('origin cannot be reached when it went down and can again when it came back', async () => {
    await using origin = await startOrigin({ files: { f: { sizeBytes: 100 } } });
    expect((await get(`${origin.url}f`)).response.status).toBe(200);
    await origin.goDown();
    await expect(get(`${origin.url}f`)).rejects.toThrow();
    await origin.comeBack();
    expect((await get(`${origin.url}f`)).response.status).toBe(200);
  });
});
