import { describe, expect, test } from 'bun:test';
import { RangeSet } from '../../src/bytes/range-set.ts';
import { StoredBytes } from '../../src/chunks/stored-bytes.ts';
import type { GenerationRow } from '../../src/db/entries.ts';

const GENERATION = { id: 1, totalBytes: 1_000, verifiedAt: null } as GenerationRow;

describe('StoredBytes', () => {
  test('invariant 2: readableEnd() promises nothing that is not there, whatever was compared before', () => {
    // As of an earlier file whose number in the database is used again.
    const trusted = RangeSet.of([{ start: 0, end: 100 }]);
    const bytes = new StoredBytes(GENERATION, [{ start: 0, end: 500 }], trusted, {} as never);
    expect(bytes.readableEnd(0)).toBe(100);
    trusted.add(0, 1_000);
    expect(bytes.readableEnd(0)).toBe(500);
    expect(bytes.readableEnd(700)).toBe(700);
    bytes.noteWritten(500, 600);
    expect(bytes.readableEnd(0)).toBe(600);
  });
});
