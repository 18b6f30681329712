// Dropping, bringing back, playing and going for good, in virtual time.
import { describe, expect, test } from 'bun:test';
import { LarderError } from '../../src/errors.ts';
import { Removals } from '../../src/library/removals.ts';
import { UNDO_MS } from '../../src/limits.ts';
import { createLog } from '../../src/log.ts';
import { FakeClock, turnLoop } from '../support/fake-clock.ts';

class Rows {
  /** Entry id → when it was dropped. */
  readonly entries = new Map<number, number | null>();
  failing = false;

  setRemoved(entryId: number, removedAt: number | null): Promise<boolean> {
    if (this.failing) return Promise.reject(new Error('the disk is full'));
    if (!this.entries.has(entryId)) return Promise.resolve(false);
    this.entries.set(entryId, removedAt);
    return Promise.resolve(true);
  }

  listRemoved(limit: number, cursor: { removedAt: number; entryId: number } | null = null) {
    const rows = [...this.entries]
      .flatMap(([entryId, removedAt]) => (removedAt === null ? [] : [{ entryId, removedAt }]))
      .sort((left, right) => left.removedAt - right.removedAt || left.entryId - right.entryId)
      .filter(
        (row) =>
          cursor === null ||
          row.removedAt > cursor.removedAt ||
          (row.removedAt === cursor.removedAt && row.entryId > cursor.entryId),
      );
    return Promise.resolve(rows.slice(0, limit));
  }

  findState(entryId: number) {
    const removedAt = this.entries.get(entryId);
    return Promise.resolve(
      removedAt === undefined ? null : { source: { name: 's', url: 'u' }, lastUsedAt: 0, pinned: false, removedAt },
    );
  }
}

async function start(rows: Rows, clock: FakeClock, read = new Set<number>()) {
  const gone: number[] = [];
  const removals = new Removals({
    entries: rows as never,
    isRead: (entryId) => read.has(entryId),
    remove: async (entryId) => {
      if (read.has(entryId)) return false;
      rows.entries.delete(entryId);
      gone.push(entryId);
      return true;
    },
    clock,
    log: createLog({ level: 'error', write: () => undefined, nowMs: () => clock.nowMs() }),
  });
  await removals.start();
  return { removals, gone, read };
}

async function settled(clock: FakeClock, ms: number): Promise<void> {
  await clock.run(ms);
  for (let turn = 0; turn < 20; turn += 1) await turnLoop();
}

describe('Removals', () => {
  test('what was dropped goes for good after ten minutes, and not before', async () => {
    const clock = new FakeClock();
    const rows = new Rows();
    rows.entries.set(1, null).set(2, null);
    const { removals, gone } = await start(rows, clock);
    await removals.drop(1);
    expect(removals.leftMs(1)).toBe(UNDO_MS);
    await settled(clock, UNDO_MS - 1_000);
    expect(gone).toEqual([]);
    await removals.drop(2);
    await settled(clock, 20_000);
    expect(gone).toEqual([1]);
    await settled(clock, UNDO_MS);
    expect(gone).toEqual([1, 2]);
    expect(removals.count).toBe(0);
    expect(clock.pendingCount).toBe(0);
  });

  test('bringing back and playing end it', async () => {
    const clock = new FakeClock();
    const rows = new Rows();
    rows.entries.set(1, null).set(2, null);
    const { removals, gone } = await start(rows, clock);
    await removals.drop(1);
    await removals.drop(2);
    expect(removals.listNewest(5)).toEqual([2, 1]);
    expect(await removals.restore(1)).toBe(true);
    expect(await removals.restore(1)).toBe(false);
    removals.played(2);
    await settled(clock, UNDO_MS * 2);
    expect(gone).toEqual([]);
    expect([...rows.entries.values()]).toEqual([null, null]);
  });

  test('what is being read is not dropped, and what is opened while it is dropped neither', async () => {
    const clock = new FakeClock();
    const rows = new Rows();
    rows.entries.set(1, null);
    const { removals, read } = await start(rows, clock);
    read.add(1);
    await expect(removals.drop(1)).rejects.toThrow('it is being read');
    read.delete(1);
    const dropping = removals.drop(1);
    removals.played(1);
    await expect(dropping).rejects.toThrow('it is being read');
    expect(rows.entries.get(1)).toBe(null);
    await expect(removals.drop(9)).rejects.toBeInstanceOf(LarderError);
    expect(removals.count).toBe(0);
  });

  test('a restart changes nothing of it, whatever the clock did meanwhile', async () => {
    const clock = new FakeClock();
    const rows = new Rows();
    rows.entries.set(1, clock.nowMs() - UNDO_MS + 30_000);
    rows.entries.set(2, clock.nowMs() - UNDO_MS * 3);
    // A clock that was a year ahead when it was dropped.
    rows.entries.set(3, clock.nowMs() + 31_536_000_000);
    const { gone } = await start(rows, clock);
    await settled(clock, 20_000);
    expect(gone).toEqual([2]);
    await settled(clock, 30_000);
    expect(gone).toEqual([2, 1]);
    await settled(clock, UNDO_MS);
    expect(gone).toEqual([2, 1, 3]);
  });

  test('an entry that has the number of one that went is left alone', async () => {
    const clock = new FakeClock();
    const rows = new Rows();
    rows.entries.set(1, null);
    const { removals, gone } = await start(rows, clock);
    await removals.drop(1);
    // Evicted to make room; another entry gets its number.
    rows.entries.set(1, null);
    await settled(clock, UNDO_MS + 20_000);
    expect(gone).toEqual([]);
    expect(rows.entries.has(1)).toBe(true);
  });

  test('a database that takes nothing refuses the drop, and a removal that failed is tried again', async () => {
    const clock = new FakeClock();
    const rows = new Rows();
    rows.entries.set(1, null);
    const { removals, gone, read } = await start(rows, clock);
    rows.failing = true;
    await expect(removals.drop(1)).rejects.toThrow('the disk is full');
    expect(removals.leftMs(1)).toBe(null);
    rows.failing = false;
    await removals.drop(1);
    read.add(1);
    await settled(clock, UNDO_MS + 20_000);
    expect(gone).toEqual([]);
    read.delete(1);
    await settled(clock, 20_000);
    expect(gone).toEqual([1]);
  });
});
