import { describe, expect, test } from 'bun:test';
import { RangeSet } from '../../src/bytes/range-set.ts';
import { type LiveFetch, type PlanInput, planFetches, type Want } from '../../src/chunks/fetch-plan.ts';
import { Priority } from '../../src/chunks/fetch-scheduler.ts';
import { PROGRESS_BYTES, READ_AHEAD_START_BYTES, REOPEN_COST_MS } from '../../src/limits.ts';

const MIB = 1024 * 1024;
const FILE_BYTES = 100 * MIB;

function want(start: number, details: Partial<Want> = {}): Want {
  return { start, until: start + MIB, limit: null, priority: Priority.critical, slackBytes: 0, ...details };
}

function running(position: number, details: Partial<LiveFetch> = {}): LiveFetch {
  return { position, requestEnd: null, bytesPerMs: 1_000, firstByteMs: 100, ...details };
}

function plan(input: Partial<PlanInput<LiveFetch>>) {
  return planFetches({ wants: [], live: [], known: new RangeSet(), totalBytes: FILE_BYTES, seekable: true, ...input });
}

describe('planFetches()', () => {
  test('planFetches() opens the fetch at the exact offset and to the end of the file when a reader waits', () => {
    const { create } = plan({ wants: [want(12_345_678)] });
    expect(create).toEqual([
      {
        position: 12_345_678,
        requestEnd: null,
        end: FILE_BYTES,
        credit: 12_345_678 + MIB,
        priority: Priority.critical,
      },
    ]);
  });

  test('planFetches() ends the request at the limit when the range is bounded: a probe of 4 KB pulls 4 KB', () => {
    const { create } = plan({ wants: [want(0, { until: 4_096, limit: 4_096 })] });
    expect(create).toMatchObject([{ position: 0, requestEnd: 4_096, end: 4_096, credit: 4_096 }]);
  });

  test('planFetches() ends the request where known bytes begin when there are some ahead', () => {
    const { create } = plan({ wants: [want(0)], known: RangeSet.of([{ start: 500, end: 900 }]) });
    expect(create).toMatchObject([
      { position: 0, requestEnd: 500, end: 500, priority: Priority.critical },
      // The next gap is opened meanwhile, so that the reader does not stand at the seam.
      { position: 900, requestEnd: null, end: FILE_BYTES, priority: Priority.high },
    ]);
  });

  test('planFetches() starts behind known bytes when the want begins in them', () => {
    const { create } = plan({
      wants: [want(100, { slackBytes: 1_000 })],
      known: RangeSet.of([{ start: 0, end: 900 }]),
    });
    expect(create).toMatchObject([{ position: 900 }]);
  });

  test('planFetches() opens nothing when what is known ahead is more than the slack', () => {
    const known = RangeSet.of([{ start: 0, end: 900 }]);
    expect(plan({ wants: [want(100, { slackBytes: 799 })], known }).create).toEqual([]);
    expect(plan({ wants: [want(100, { slackBytes: 800 })], known }).create.length).toBe(1);
  });

  test('planFetches() goes on with a running fetch when the slack would not open one', () => {
    const live = running(900);
    const { keep } = plan({ wants: [want(100)], known: RangeSet.of([{ start: 0, end: 900 }]), live: [live] });
    expect(keep.get(live)).toMatchObject({ credit: 100 + MIB });
  });

  test('planFetches() lets the fetch run on when a seek is nearer than a new request would take', () => {
    const live = running(MIB);
    const reach = 1_000 * (100 + REOPEN_COST_MS);
    const near = plan({ wants: [want(MIB + reach)], live: [live] });
    expect(near.create).toEqual([]);
    expect(near.keep.has(live)).toBe(true);
    const far = plan({ wants: [want(MIB + reach + 1)], live: [live] });
    expect(far.create).toMatchObject([{ position: MIB + reach + 1, priority: Priority.critical }]);
    expect(far.stop).toEqual([live]);
  });

  test('planFetches() opens another fetch when a seek goes back before the running one', () => {
    const live = running(10 * MIB);
    const planned = plan({ wants: [want(0)], live: [live] });
    // The new one ends where the old one began, although that one is stopped: what it brought is kept.
    expect(planned.create).toMatchObject([{ position: 0, end: 10 * MIB }]);
    expect(planned.stop).toEqual([live]);
  });

  test('planFetches() calls a seek near by bytes when the speed is not known yet', () => {
    const live = running(0, { bytesPerMs: null });
    expect(plan({ wants: [want(READ_AHEAD_START_BYTES)], live: [live] }).create).toEqual([]);
    expect(plan({ wants: [want(READ_AHEAD_START_BYTES + 1)], live: [live] }).create.length).toBe(1);
  });

  test('planFetches() waits for the next progress step when a slow fetch is right before the target', () => {
    const live = running(0, { bytesPerMs: 0.001 });
    expect(plan({ wants: [want(PROGRESS_BYTES)], live: [live] }).create).toEqual([]);
    expect(plan({ wants: [want(PROGRESS_BYTES + 1)], live: [live] }).create.length).toBe(1);
  });

  test('invariant 5: planFetches() makes one fetch with the highest priority and credit when several want the same', () => {
    const { create } = plan({
      wants: [want(0, { priority: Priority.low, until: 8 * MIB }), want(0), want(100, { priority: Priority.high })],
    });
    expect(create).toMatchObject([{ position: 0, priority: Priority.critical, credit: 8 * MIB, end: FILE_BYTES }]);
  });

  test('planFetches() raises a running fetch when somebody more urgent needs it', () => {
    const live = running(0);
    const { keep } = plan({ wants: [want(0, { priority: Priority.low }), want(0)], live: [live] });
    expect(keep.get(live)?.priority).toBe(Priority.critical);
  });

  test('planFetches() stops a fetch where the next one begins when two readers are far apart', () => {
    const [first, second] = [running(0), running(50 * MIB)];
    const { keep } = plan({ wants: [want(0), want(50 * MIB)], live: [first, second] });
    expect(keep.get(first)?.end).toBe(50 * MIB);
    expect(keep.get(second)?.end).toBe(FILE_BYTES);
  });

  test('planFetches() does not count on a request that ends before the gap when its range was bounded', () => {
    const live = running(0, { requestEnd: 1_000 });
    expect(plan({ wants: [want(1_000)], live: [live] }).create).toMatchObject([{ position: 1_000 }]);
  });

  test('planFetches() does not count on a fetch that stops at known bytes before the gap', () => {
    const live = running(0);
    const known = RangeSet.of([{ start: 1_000, end: 60_000 }]);
    const planned = plan({ wants: [want(0), want(60_000)], live: [live], known });
    expect(planned.keep.get(live)?.end).toBe(1_000);
    expect(planned.create).toMatchObject([{ position: 60_000, priority: Priority.critical }]);
  });

  test('planFetches() starts one sequential fetch when a near and a far reader want bytes of an origin without ranges', () => {
    const known = RangeSet.of([{ start: 0, end: MIB }]);
    const near = want(MIB / 2, { priority: Priority.high, slackBytes: MIB });
    const { create } = plan({ wants: [near, want(50 * MIB)], known, seekable: false });
    expect(create).toMatchObject([{ position: MIB, requestEnd: null }]);
  });

  test('planFetches() keeps the fetch paused when a reader has enough ahead for now', () => {
    const live = running(10 * MIB);
    const planned = plan({ wants: [want(0)], known: RangeSet.of([{ start: 0, end: 10 * MIB }]), live: [live] });
    expect(planned.stop).toEqual([]);
    expect(planned.keep.get(live)?.credit).toBeLessThanOrEqual(10 * MIB);
  });

  test('planFetches() wants nothing past the end when the window is larger than the file', () => {
    const { create } = plan({ wants: [want(0, { until: Number.POSITIVE_INFINITY })], totalBytes: 10 });
    expect(create).toMatchObject([{ position: 0, end: 10, credit: 10, requestEnd: null }]);
    expect(plan({ wants: [want(10)], totalBytes: 10 }).create).toEqual([]);
    expect(plan({ wants: [want(0)], totalBytes: 0 }).create).toEqual([]);
  });

  test('planFetches() asks without an end when the length is not known and the range is not bounded', () => {
    const { create } = plan({ wants: [want(0)], totalBytes: null });
    expect(create).toMatchObject([{ position: 0, requestEnd: null, end: Number.POSITIVE_INFINITY, credit: MIB }]);
  });
});
