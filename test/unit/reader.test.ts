import { describe, expect, test } from 'bun:test';
import { RangeSet } from '../../src/bytes/range-set.ts';
import { Priority } from '../../src/chunks/fetch-scheduler.ts';
import { Reader, type ReaderFile } from '../../src/chunks/reader.ts';
import { LarderError } from '../../src/errors.ts';
import { READ_AHEAD_START_BYTES } from '../../src/limits.ts';

const MIB = 2 ** 20;

/** A file whose bytes up to `known` can be read. */
class FileDouble implements ReaderFile {
  totalBytes: number | null = 100 * MIB;
  known = 0;
  readonly waiting = new Set<Reader>();
  closed = 0;
  fromDisk = 0;

  readableEnd(offset: number): number {
    return Math.max(offset, this.known);
  }

  read(buffer: Uint8Array): Promise<number> {
    return Promise.resolve(buffer.length);
  }

  readAgain(): number {
    return 0;
  }

  readerWaits(reader: Reader): void {
    this.waiting.add(reader);
  }

  readerMoved(_reader: Reader, _bytes: number, bytesFromDisk: number): void {
    this.fromDisk += bytesFromDisk;
  }

  readerClosed(): void {
    this.closed += 1;
  }
}

function readerOf(
  file: FileDouble,
  details: { start?: number; end?: number; bounded?: boolean; gaps?: { start: number; end: number }[] } = {},
): Reader {
  const { start = 0, end = 100 * MIB, bounded = false } = details;
  const known = new RangeSet();
  if (details.gaps !== undefined) known.add(start, end);
  for (const gap of details.gaps ?? []) known.remove(gap.start, gap.end);
  const label = { address: 'x', player: 'x' };
  return new Reader({
    file,
    range: { start, end },
    bounded,
    label,
    readAheadMaxBytes: 16 * MIB,
    known,
    isPassedOn: false,
    nowMs: () => 5,
    askedAtMs: 5,
  });
}

describe('Reader', () => {
  test('invariant 4: waitReadable() wakes when bytes came, and is not needed when they are there', async () => {
    const file = new FileDouble();
    const reader = readerOf(file);
    const wait = reader.waitReadable();
    expect([reader.waitingSinceMs, file.waiting.has(reader)]).toEqual([5, true]);
    expect(reader.wakeIfReadable()).toBe(false);
    file.known = 1;
    expect(reader.wakeIfReadable()).toBe(true);
    await wait;
    expect(reader.waitingSinceMs).toBeNull();
    expect(reader.waitReadable()).toBeNull();
  });

  test('invariant 4: waitReadable() wakes when the end turned out to be here', async () => {
    const file = new FileDouble();
    file.totalBytes = null;
    const reader = readerOf(file, { start: 10, end: Number.MAX_SAFE_INTEGER });
    const wait = reader.waitReadable();
    file.totalBytes = 10;
    expect(reader.wakeIfReadable()).toBe(true);
    await wait;
    expect(reader.end).toBe(10);
  });

  test('invariant 4: waitReadable() rejects when the bytes will not come, and ends when the reader is closed', async () => {
    const file = new FileDouble();
    const failing = readerOf(file);
    const wait = failing.waitReadable();
    failing.fail(new LarderError('origin-failed', 'down'));
    await expect(wait).rejects.toThrow('down');
    const closing = readerOf(file);
    const other = closing.waitReadable();
    closing.close();
    closing.close();
    await other;
    expect(file.closed).toBe(1);
  });

  test('invariant 4: waitReadable() does not begin a wait that nobody ends when the reader was closed', () => {
    const file = new FileDouble();
    const reader = readerOf(file);
    reader.close();
    reader.waitReadable()?.catch(() => undefined);
    expect(file.waiting.size).toBe(0);
  });

  test('want() is critical while the reader waits and read-ahead that grows with what was read otherwise', () => {
    const file = new FileDouble();
    const reader = readerOf(file);
    expect(reader.want()).toMatchObject({
      start: 0,
      until: READ_AHEAD_START_BYTES,
      limit: null,
      priority: Priority.critical,
      slackBytes: 0,
    });
    file.known = 10 * MIB;
    expect(reader.want()).toMatchObject({ priority: Priority.high, slackBytes: READ_AHEAD_START_BYTES / 2 });
    reader.advance(4 * MIB);
    expect(reader.want()).toMatchObject({ start: 4 * MIB, until: 4 * MIB + READ_AHEAD_START_BYTES + 8 * MIB });
    reader.advance(6 * MIB);
    file.known = 40 * MIB;
    reader.advance(20 * MIB);
    expect(reader.want()).toMatchObject({ until: 30 * MIB + 16 * MIB });
  });

  test('want() names its limit when the client named the end, and nothing at the end or after it left', () => {
    const file = new FileDouble();
    const bounded = readerOf(file, { end: 4_096, bounded: true });
    expect(bounded.want()).toMatchObject({ until: 4_096, limit: 4_096 });
    file.known = 4_096;
    bounded.advance(4_096);
    expect(bounded.want()).toBeNull();
    const left = readerOf(file);
    left.close();
    expect(left.want()).toBeNull();
  });

  test('cacheStatus and what came from disk follow from what was there at the open', () => {
    const file = new FileDouble();
    file.known = 100 * MIB;
    expect(readerOf(file).cacheStatus).toBe('MISS');
    expect(readerOf(file, { gaps: [] }).cacheStatus).toBe('HIT');
    const partial = readerOf(file, { end: 1_000, gaps: [{ start: 200, end: 500 }] });
    expect(partial.cacheStatus).toBe('PARTIAL');
    partial.advance(300);
    expect(file.fromDisk).toBe(200);
    partial.advance(700);
    expect(file.fromDisk).toBe(700);
  });

  test('takeReplanDue() asks for a plan now and then, not at each step', () => {
    const file = new FileDouble();
    file.known = 100 * MIB;
    const reader = readerOf(file);
    let plans = 0;
    for (let step = 0; step < 160; step++) {
      reader.advance(64 * 1024);
      if (reader.takeReplanDue()) plans += 1;
    }
    expect(plans).toBeGreaterThan(3);
    expect(plans).toBeLessThan(40);
  });
});
