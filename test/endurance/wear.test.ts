// The parts of `npm run wear` that read what the system says; the run itself takes minutes.
import { describe, expect, test } from 'bun:test';
import { parseProcessIo } from './process-io.ts';
import { wearOf } from './wear-run.ts';
import { WriteSums, writeKindOf } from './write-trace.ts';

test('parseProcessIo() tells what was written from what reached the disk', () => {
  const text = 'rchar: 1\nwchar: 20\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 60\ncancelled_write_bytes: 7\n';
  expect(parseProcessIo(text)).toEqual({ writtenBytes: 20, diskBytes: 60, cancelledBytes: 7 });
  expect(() => parseProcessIo('rchar: 1\n')).toThrow('wchar');
});

test('writeKindOf() tells what a file is for', () => {
  expect(writeKindOf('/data/chunks/films/Film-1.mkv')).toBe('chunk files');
  expect(writeKindOf('/data/chunks/films/Film-1.mkv.larder.json.new')).toBe('labels');
  expect(writeKindOf('/data/larder.db-wal')).toBe('database log');
  expect(writeKindOf('/data/larder.db')).toBe('database');
  expect(writeKindOf('/data/larder.pid')).toBe('other files');
  for (const none of ['socket:[1234]', 'pipe:[7]', '/dev/null', 'anon_inode:[eventfd]']) {
    expect(writeKindOf(none)).toBeNull();
  }
});

describe('WriteSums', () => {
  test('adds up the calls of strace by kind', () => {
    const sums = new WriteSums();
    sums.addLine('[pid  7300] pwrite64(22</data/chunks/films/a-1.mkv>, ""..., 65536, 131072) = 65536');
    sums.addLine('[pid  7301] pwrite64(9</data/larder.db-wal>, ""..., 4096, 0) = 4096');
    sums.addLine('[pid  7300] write(14<socket:[99]>, ""..., 500) = 500');
    sums.addLine(
      '[pid  7300] pwrite64(22</data/chunks/films/a-1.mkv>, ""..., 10, 0) = -1 ENOSPC (No space left on device)',
    );
    sums.addLine('strace: Process 7300 attached with 12 threads');
    expect([...sums.bytesByKind]).toEqual([
      ['chunk files', 65_536],
      ['database log', 4_096],
    ]);
  });

  test('joins a call that is told in two', () => {
    const sums = new WriteSums();
    sums.addLine('[pid  7300] pwrite64(22</data/chunks/films/a-1.mkv>, ""..., 100, 0 <unfinished ...>');
    sums.addLine('[pid  7301] pwrite64(9</data/larder.db-wal>, ""..., 24, 0) = 24');
    sums.addLine('[pid  7300] <... pwrite64 resumed>) = 100');
    expect([...sums.bytesByKind]).toEqual([
      ['database log', 24],
      ['chunk files', 100],
    ]);
  });
});

test('wearOf() counts everything but the start of a new folder', () => {
  const parts = { fillBytes: 90, idleBytes: 8, stopBytes: 4, startBytes: 1_000, cancelledBytes: 3 };
  expect(wearOf({ name: '', cachedBytes: 100, bytesByKind: null, ...parts })).toBeCloseTo(1.02, 9);
});
