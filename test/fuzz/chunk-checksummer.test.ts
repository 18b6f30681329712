import { describe, expect, test } from 'bun:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { chunkRange } from '../../src/bytes/chunk-grid.ts';
import { ChunkChecksummer } from '../../src/chunks/chunk-checksummer.ts';
import { CHUNK_BYTES } from '../../src/limits.ts';
import { contentOf } from '../support/content.ts';
import { runs } from '../support/property.ts';

const SEED = 3;
const FILE_BYTES = 3 * CHUNK_BYTES + 12_345;
const content = contentOf(SEED, 0, FILE_BYTES);

/** The cells that [start, end) covers whole, in a file of `totalBytes`. */
function wholeCells(start: number, end: number, totalBytes: number) {
  const cells: { chunkIndex: number; crc32: number }[] = [];
  for (let chunkIndex = 0; chunkIndex * CHUNK_BYTES < totalBytes; chunkIndex++) {
    const cell = chunkRange(chunkIndex, totalBytes);
    if (start <= cell.start && cell.end <= end)
      cells.push({ chunkIndex, crc32: crc32(content.subarray(cell.start, cell.end)) });
  }
  return cells;
}

function feed(checksummer: ChunkChecksummer, start: number, end: number, cuts: readonly number[]): void {
  const places = [...new Set([start, ...cuts.map((cut) => start + Math.floor(cut * (end - start))), end])].sort(
    (a, b) => a - b,
  );
  for (let index = 1; index < places.length; index++)
    checksummer.update(content.subarray(places[index - 1], places[index]));
}

const edges = [
  0,
  1,
  CHUNK_BYTES - 1,
  CHUNK_BYTES,
  CHUNK_BYTES + 1,
  2 * CHUNK_BYTES,
  3 * CHUNK_BYTES,
  FILE_BYTES - 1,
  FILE_BYTES,
];
const place = fc.oneof(fc.constantFrom(...edges), fc.nat(FILE_BYTES));
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

describe('ChunkChecksummer', () => {
  test('take() gives the crc32 of each whole cell when bytes come in any pieces from anywhere', () => {
    fc.assert(
      fc.property(place, place, cuts, (one, other, splits) => {
        const [start, end] = [Math.min(one, other), Math.max(one, other)];
        const checksummer = new ChunkChecksummer(start, FILE_BYTES);
        feed(checksummer, start, end, splits);
        expect(checksummer.take()).toEqual(wholeCells(start, end, FILE_BYTES));
        expect(checksummer.take()).toEqual([]);
      }),
      runs(60),
    );
  });

  test('finish() adds the last cell when the length becomes known at the end', () => {
    fc.assert(
      fc.property(place, place, cuts, (one, other, splits) => {
        const [start, end] = [Math.min(one, other), Math.max(one, other)];
        const checksummer = new ChunkChecksummer(start, null);
        feed(checksummer, start, end, splits);
        checksummer.finish();
        expect(checksummer.take()).toEqual(wholeCells(start, end, end));
      }),
      runs(60),
    );
  });

  test('finish() adds nothing when the length was known: the last cell is summed like the others', () => {
    fc.assert(
      fc.property(place, place, cuts, (one, other, splits) => {
        const [start, end] = [Math.min(one, other), Math.max(one, other)];
        const checksummer = new ChunkChecksummer(start, FILE_BYTES);
        feed(checksummer, start, end, splits);
        checksummer.finish();
        expect(checksummer.take()).toEqual(wholeCells(start, end, FILE_BYTES));
      }),
      runs(60),
    );
  });

  test('finish() adds nothing when a bounded request ended inside a cell of a file of known length', () => {
    const checksummer = new ChunkChecksummer(0, FILE_BYTES);
    checksummer.update(content.subarray(0, 1_000));
    checksummer.finish();
    expect(checksummer.take()).toEqual([]);
  });
});
