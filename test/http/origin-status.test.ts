// Origins that answer with an error, or with something else in place of the file, at the first open and when a part
// of the file is cached (CONTRACT.md, stream promises 7 and 9).
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { FakeClock } from '../support/fake-clock.ts';
import type { OriginBehaviour } from '../support/origin.ts';
import { FaultyOrigin, FILE_BYTES, PART_BYTES } from './faulty-origin.ts';

let faulty: FaultyOrigin;

beforeAll(async () => {
  faulty = await FaultyOrigin.start();
});

afterAll(() => faulty[Symbol.asyncDispose]());

describe('an error that stays: a status and the reason, what is cached is served, mid-stream the connection is cut', () => {
  const faults: [what: string, fault: OriginBehaviour, status: number, reason: RegExp][] = [
    ['404', { status: 404 }, 404, /404/],
    ['410', { status: 410 }, 410, /410/],
    ['401', { status: 401 }, 502, /401[\s\S]*credentials/],
    ['403', { status: 403 }, 502, /403[\s\S]*credentials/],
    ['500', { status: 500 }, 502, /500/],
    ['502', { status: 502 }, 502, /502/],
    ['503 without Retry-After', { status: 503 }, 502, /503/],
    ['429 without Retry-After', { status: 429 }, 429, /429/],
    ['204', { status: 204 }, 502, /204/],
    ["a proxy's HTML page with status 200", { html: true }, 502, /HTML page/],
    ['a gzipped body', { gzip: true }, 502, /gzip/],
  ];
  for (const [what, fault, status, reason] of faults) {
    // At the same time: most of it is waiting for the next try.
    test.concurrent(`${what}: ${status}`, () => faulty.expectContained(fault, status, reason), 20_000);
  }
});

describe('an error that passes: the reader does not notice', () => {
  const faults: [what: string, fault: OriginBehaviour][] = [
    ['500 twice', { status: 500, times: 2 }],
    ['502 once', { status: 502, times: 1 }],
    ['503 without Retry-After twice', { status: 503, times: 2 }],
    ['408 once', { status: 408, times: 1 }],
  ];
  for (const [what, fault] of faults) {
    test.concurrent(`${what}, at the first open and in mid-stream`, async () => {
      await faulty.expectWhole(faulty.newFile({ behaviour: fault }));
      await faulty.expectWhole(await faulty.newCachedFile({ behaviour: fault }));
    }, 20_000);
  }
});

describe('Retry-After', () => {
  /** A date that long after the origin's own time, which is not ours. */
  const dated = (afterMs: number) => ({
    Date: 'Sun, 10 May 2026 12:00:00 GMT',
    'Retry-After': new Date(Date.UTC(2026, 4, 10, 12) + afterMs).toUTCString(),
  });
  const short: [what: string, status: number, headers: Record<string, string>, atLeastMs: number][] = [
    ['503 with Retry-After: 1', 503, { 'Retry-After': '1' }, 1_000],
    ['429 with Retry-After: 1', 429, { 'Retry-After': '1' }, 1_000],
    ['503 with a Retry-After date 3 s off', 503, dated(3_000), 3_000],
    ['503 with a Retry-After date that is past', 503, dated(-60_000), 0],
  ];
  for (const [what, status, headers, atLeastMs] of short) {
    test(`${what}: the origin is left alone for so long, and the reader gets all bytes`, async () => {
      const file = faulty.newFile({ behaviour: { status, headers, times: 1 } });
      const { origin, clock } = faulty;
      const startedAtMs = clock.monotonicMs();
      const reading = faulty.expectWhole(file);
      await origin.until(() => origin.requestsOf(file.path).length === 2);
      expect(clock.monotonicMs() - startedAtMs).toBeGreaterThanOrEqual(atLeastMs);
      await reading;
    });
  }

  // A request that meets the pause waits in the queue until its deadline and hears of taken connections.
  test('429 with Retry-After: 120: a reader who comes during the pause hears 429 and how long, at once', async () => {
    await using own = await FaultyOrigin.start();
    const file = await own.newCachedFile({ behaviour: { status: 429, headers: { 'Retry-After': '120' } } });
    await own.expectRefused(file, 429, /429/, [2_000_000, 2_000_100]);
    const refused = await own.expectRefused(file, 429, /429/, [2_000_000, 2_000_100]);
    expect(Number(refused.header('retry-after'))).toBeGreaterThan(60);
  });

  const long: [what: string, status: number, headers: Record<string, string>][] = [
    ['429 with Retry-After: 120', 429, { 'Retry-After': '120' }],
    ['503 with a Retry-After date 120 s off', 503, dated(120_000)],
  ];
  for (const [what, status, headers] of long) {
    test(`${what}: the reader hears ${status} and how long, what is cached is served, and afterwards all is well`, async () => {
      const clock = new FakeClock();
      await using own = await FaultyOrigin.start(clock);
      const file = await own.newCachedFile({ behaviour: { status, headers } });
      const refused = await own.expectRefused(file, status, new RegExp(String(status)), [2_000_000, 2_000_100]);
      expect(refused.header('retry-after')).toBe('120');
      const asked = own.origin.requests.length;
      await own.expectRange(file, 0, PART_BYTES);
      own.origin.behave(file.path, null);
      await clock.run(119_000, 2);
      expect(own.origin.requests.length).toBe(asked);
      await clock.run(2_000, 2);
      await own.expectHealed(file);
    });
  }
});

describe('HEAD is not needed', () => {
  const heads: [what: string, head: NonNullable<OriginBehaviour['head']>][] = [
    ['answers 405', { status: 405 }],
    ['answers 500', { status: 500 }],
    ['answers another length', { status: 200, headers: { 'Content-Length': '17', ETag: '"other"' } }],
  ];
  for (const [what, head] of heads) {
    test(`an origin whose HEAD ${what}: HEAD and GET are right, and it is never asked`, async () => {
      const file = faulty.newFile({ behaviour: { head } });
      const probe = await faulty.get(file, {}, 'HEAD');
      expect([probe.status, probe.header('content-length')]).toEqual([200, String(FILE_BYTES)]);
      const whole = await faulty.expectWhole(file);
      expect(whole.header('etag')).toBe(probe.header('etag')!);
      expect(faulty.origin.requestsOf(file.path).every((request) => request.method === 'GET')).toBe(true);
    });
  }
});
