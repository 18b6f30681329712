import { describe, expect, test } from 'bun:test';
import type { ByteRange } from '../../src/bytes/byte-range.ts';
import { RangeSet } from '../../src/bytes/range-set.ts';
import { MissingBytes } from '../../src/chunks/missing-bytes.ts';

const MIB = 2 ** 20;
const READ_AHEAD = 8 * MIB;

/** Every other MiB is there. */
function everyOther(mebibytes: number): RangeSet {
  const known = new RangeSet();
  for (let at = 0; at < mebibytes; at += 2) known.add(at * MIB, (at + 1) * MIB);
  return known;
}

describe('MissingBytes', () => {
  test('take() counts what was missing when the reader came, although it was fetched for it since', () => {
    const known = everyOther(200);
    const missing = new MissingBytes(known, { start: 0, end: 200 * MIB }, READ_AHEAD);
    let counted = 0;
    for (let position = 0; position < 200 * MIB; position += MIB / 4) {
      // As a fetch does: everything up to the end of the read-ahead is there.
      known.add(position, Math.min(200 * MIB, position + READ_AHEAD));
      counted += missing.take(position, position + MIB / 4);
    }
    expect(counted).toBe(100 * MIB);
  });

  test('what a background fetch brings after the reader came is none that was kept', () => {
    const known = new RangeSet();
    const missing = new MissingBytes(known, { start: 0, end: 200 * MIB }, READ_AHEAD);
    known.add(0, 200 * MIB);
    expect(missing.take(0, 200 * MIB)).toBe(200 * MIB);
  });

  test('of a film in very many pieces the same is told of what is fetched for its reader', () => {
    const known = new RangeSet();
    for (let at = 0; at < 4_000; at += 2) known.add(at * 1_000, at * 1_000 + 1_000);
    const missing = new MissingBytes(known, { start: 0, end: 4_000_000 }, 100_000);
    known.add(0, 100_000);
    expect(missing.take(0, 100_000)).toBe(50_000);
  });

  test('a request to the end of a long file looks at no more of it than is near', () => {
    const asked: ByteRange[] = [];
    const known = {
      rangeCount: 100_000,
      gaps: (start: number, end: number) => {
        asked.push({ start, end });
        return [];
      },
    };
    const missing = new MissingBytes(known, { start: 5 * MIB, end: 100_000 * MIB }, READ_AHEAD);
    missing.take(5 * MIB, 6 * MIB);
    expect(asked.length).toBeLessThanOrEqual(2);
    expect(asked.at(-1)!.end).toBeLessThanOrEqual(40 * MIB);
  });
});
