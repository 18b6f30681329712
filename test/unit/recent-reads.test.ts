import { describe, expect, test } from 'bun:test';
import { RecentReads } from '../../src/chunks/recent-reads.ts';
import { CHUNK_BYTES, READ_AT_ONCE_SLOW_MS, RECENT_READ_MS } from '../../src/limits.ts';

const KIB = 1_024;

function recentOf(details: { budgetBytes?: number } = {}) {
  const disk = { nowMs: 0, reads: 0 };
  const recent = new RecentReads({
    monotonicMs: () => disk.nowMs,
    countDiskReads: () => disk.reads,
    budgetBytes: details.budgetBytes ?? 64 * CHUNK_BYTES,
  });
  return { recent, disk };
}

describe('RecentReads', () => {
  test('has() is true for what was noted, block by block of 64 KiB, and for nothing else', () => {
    const { recent } = recentOf();
    const file = recent.nextFile();
    const other = recent.nextFile();
    recent.note(file, 100 * KIB, 300 * KIB);
    expect(recent.has(file, 100 * KIB, 300 * KIB)).toBe(true);
    expect(recent.has(file, 200 * KIB, 201 * KIB)).toBe(true);
    expect(recent.has(file, 200 * KIB, 330 * KIB)).toBe(false);
    expect(recent.has(file, 0, 100 * KIB)).toBe(false);
    expect(recent.has(other, 100 * KIB, 300 * KIB)).toBe(false);
  });

  test('has() spans the cells of the grid, also far behind in a large file', () => {
    const { recent } = recentOf();
    const file = recent.nextFile();
    const start = 100_000 * CHUNK_BYTES - 64 * KIB;
    recent.note(file, start, start + 192 * KIB);
    expect(recent.has(file, start, start + 192 * KIB)).toBe(true);
    expect(recent.has(file, start - 1, start + 1)).toBe(false);
    const beyond = 2 ** 24 * CHUNK_BYTES;
    recent.note(file, beyond, beyond + 1);
    expect(recent.has(file, beyond, beyond + 1)).toBe(false);
    expect(recent.has(file, 0, 1)).toBe(false);
  });

  test('what was not used for longest is forgotten when more than the budget is remembered', () => {
    const { recent } = recentOf({ budgetBytes: 8 * CHUNK_BYTES });
    const file = recent.nextFile();
    const has = (cell: number) => recent.has(file, cell * CHUNK_BYTES, cell * CHUNK_BYTES + 1);
    for (let cell = 0; cell < 4; cell++) recent.note(file, cell * CHUNK_BYTES, (cell + 1) * CHUNK_BYTES);
    expect(has(0)).toBe(true);
    for (let cell = 4; cell < 8; cell++) recent.note(file, cell * CHUNK_BYTES, (cell + 1) * CHUNK_BYTES);
    expect(has(0)).toBe(true);
    expect(has(1)).toBe(false);
    expect(has(7)).toBe(true);
  });

  test('what was not used for a while is forgotten: another program may have wanted the memory, and the disk sleep', () => {
    const { recent, disk } = recentOf();
    const file = recent.nextFile();
    const isThere = () => recent.has(file, 0, 1);
    recent.note(file, 0, 1);
    disk.nowMs += RECENT_READ_MS - 1;
    expect(isThere()).toBe(true);
    for (let times = 0; times < 5; times++) {
      disk.nowMs += RECENT_READ_MS;
      expect(isThere()).toBe(true);
    }
    disk.nowMs += 2 * RECENT_READ_MS;
    expect(isThere()).toBe(false);
  });

  test('timed() forgets all when reads wait for a disk, and nothing for one among many or for a busy processor', () => {
    const { recent, disk } = recentOf();
    const file = recent.nextFile();
    const readFor = (ms: number, diskReads: number) =>
      recent.timed(() => {
        disk.nowMs += ms;
        disk.reads += diskReads;
        return 7;
      });
    recent.note(file, 0, 1);
    for (let count = 0; count < 200; count++) expect(readFor(READ_AT_ONCE_SLOW_MS / 2, 1)).toBe(7);
    expect(readFor(READ_AT_ONCE_SLOW_MS, 1)).toBe(7);
    expect(recent.has(file, 0, 1)).toBe(true);
    readFor(READ_AT_ONCE_SLOW_MS, 0);
    expect(recent.has(file, 0, 1)).toBe(true);
    expect(readFor(READ_AT_ONCE_SLOW_MS, 1)).toBe(7);
    expect(recent.has(file, 0, 1)).toBe(false);
  });

  test('ofThisMachine() remembers what the machine can hold', () => {
    const recent = RecentReads.ofThisMachine(() => performance.now());
    const file = recent.nextFile();
    recent.note(file, 0, 10 * CHUNK_BYTES);
    expect(recent.has(file, 0, 10 * CHUNK_BYTES)).toBe(true);
    expect(recent.timed(() => 3)).toBe(3);
  });
});
