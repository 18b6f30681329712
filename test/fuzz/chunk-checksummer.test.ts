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

/** The spans of [start, end): cut where the cells of the grid end. */
function spansOf(start: number, end: number) {
  const spans: { start: number; end: number; crc32: number }[] = [];
  for (let from = start; from < end; ) {
    const to = Math.min(end, chunkRange(Math.floor(from / CHUNK_BYTES), null).end);
    spans.push({ start: from, end: to, crc32: crc32(content.subarray(from, to)) });
    from = to;
  }
  return spans;
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
  test('take() covers every byte with the crc32 of its span when bytes come in any pieces from anywhere', () => {
    fc.assert(
      fc.property(place, place, cuts, (one, other, splits) => {
        const [start, end] = [Math.min(one, other), Math.max(one, other)];
        const checksummer = new ChunkChecksummer(start);
        feed(checksummer, start, end, splits);
        expect(checksummer.take()).toEqual(spansOf(start, end));
        expect(checksummer.take()).toEqual([]);
      }),
      runs(60),
    );
  });

  test('take() gives a span that goes on again, longer, when more of its cell came', () => {
    fc.assert(
      fc.property(place, place, fc.double({ min: 0, max: 1, noNaN: true }), (one, other, cut) => {
        const [start, end] = [Math.min(one, other), Math.max(one, other)];
        const middle = start + Math.floor(cut * (end - start));
        const checksummer = new ChunkChecksummer(start);
        feed(checksummer, start, middle, []);
        // As the rows keep them: by their start, the longer one wins.
        const rows = new Map(checksummer.take().map((span) => [span.start, span]));
        feed(checksummer, middle, end, []);
        for (const span of checksummer.take()) rows.set(span.start, span);
        expect([...rows.values()].sort((left, right) => left.start - right.start)).toEqual(spansOf(start, end));
      }),
      runs(60),
    );
  });
});
