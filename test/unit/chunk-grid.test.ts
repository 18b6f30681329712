import { describe, expect, test } from 'bun:test';
import { chunkIndexAt, chunkRange } from '../../src/bytes/chunk-grid.ts';
import { CHUNK_BYTES } from '../../src/limits.ts';

describe('chunkRange()', () => {
  test('chunkRange() clips the last chunk when the length is no multiple of the grid', () => {
    expect(chunkRange(1, CHUNK_BYTES + 5)).toEqual({ start: CHUNK_BYTES, end: CHUNK_BYTES + 5 });
    expect(chunkRange(0, 5)).toEqual({ start: 0, end: 5 });
    expect(chunkRange(1, 2 * CHUNK_BYTES)).toEqual({ start: CHUNK_BYTES, end: 2 * CHUNK_BYTES });
    expect(chunkRange(3, null)).toEqual({ start: 3 * CHUNK_BYTES, end: 4 * CHUNK_BYTES });
  });

  test('chunkIndexAt() and chunkRange() cover a file without gap or overlap when its size straddles the grid by one', () => {
    for (const totalBytes of [
      1,
      CHUNK_BYTES - 1,
      CHUNK_BYTES,
      CHUNK_BYTES + 1,
      5 * CHUNK_BYTES - 1,
      5 * CHUNK_BYTES + 1,
    ]) {
      let position = 0;
      for (let index = 0; position < totalBytes; index++) {
        const cell = chunkRange(index, totalBytes);
        expect(cell.start).toBe(position);
        expect(cell.end).toBeGreaterThan(cell.start);
        expect([chunkIndexAt(cell.start), chunkIndexAt(cell.end - 1)]).toEqual([index, index]);
        position = cell.end;
      }
      expect(position).toBe(totalBytes);
    }
  });

  test('chunkIndexAt() counts exactly when offsets lie beyond 2^32', () => {
    expect(chunkIndexAt(2 ** 32)).toBe(2048);
    expect(chunkIndexAt(2 ** 32 - 1)).toBe(2047);
    expect(chunkRange(2 ** 31, null).start).toBe(2 ** 52);
  });
});
