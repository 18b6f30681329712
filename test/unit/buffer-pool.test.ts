import { describe, expect, test } from 'bun:test';
import { READ_BUFFER_TIERS } from '../../src/limits.ts';
import { BufferPool } from '../../src/proxy/buffer-pool.ts';

const [largest] = READ_BUFFER_TIERS;
const smallest = READ_BUFFER_TIERS.at(-1)!;

describe('BufferPool', () => {
  test('take() gives the largest buffer asked for while its budget lasts, then smaller ones', () => {
    const pool = new BufferPool();
    const sizes = Array.from({ length: 2_000 }, () => pool.take(Number.POSITIVE_INFINITY).length);
    expect(sizes).toEqual([...sizes].sort((left, right) => right - left));
    expect(sizes[0]).toBe(largest!.size);
    expect(sizes.at(-1)).toBe(smallest.size);
    for (const { size, budget } of READ_BUFFER_TIERS.slice(0, -1)) {
      let used = 0;
      for (const taken of sizes) {
        used += taken;
        if (taken === size) expect(used).toBeLessThanOrEqual(budget);
      }
    }
  });

  test('take() gives nothing larger than was asked for, and the smallest when less was', () => {
    const pool = new BufferPool();
    for (const { size } of READ_BUFFER_TIERS) expect(pool.take(size).length).toBe(size);
    expect(pool.take(1).length).toBe(smallest.size);
  });

  test('take() never gives a buffer that somebody still has, and uses given ones again', () => {
    const pool = new BufferPool();
    const first = pool.take(largest!.size);
    expect(pool.take(largest!.size)).not.toBe(first);
    pool.give(first);
    expect(pool.take(largest!.size)).toBe(first);
  });

  test('usedBytes is zero when everything was given back', () => {
    const pool = new BufferPool();
    const taken = Array.from({ length: 300 }, (_, index) =>
      pool.take(READ_BUFFER_TIERS[index % READ_BUFFER_TIERS.length]!.size),
    );
    expect(pool.usedBytes).toBe(taken.reduce((sum, buffer) => sum + buffer.length, 0));
    for (const buffer of taken) pool.give(buffer);
    expect(pool.usedBytes).toBe(0);
  });
});
