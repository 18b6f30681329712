// RangeSet against the simplest model there is: one boolean for each byte.
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { ByteRange } from '../../src/bytes/byte-range.ts';
import { RangeSet } from '../../src/bytes/range-set.ts';
import { runs } from '../support/property.ts';

const SPACE = 48;

class Model {
  readonly bytes = new Array<boolean>(SPACE).fill(false);

  set(start: number, end: number, value: boolean): void {
    for (let at = start; at < end; at++) this.bytes[at] = value;
  }

  ranges(start = 0, end = SPACE, value = true): ByteRange[] {
    const found: { start: number; end: number }[] = [];
    for (let at = start; at < end; at++) {
      if (this.bytes[at] !== value) continue;
      const last = found.at(-1);
      if (last?.end === at) last.end += 1;
      else found.push({ start: at, end: at + 1 });
    }
    return found;
  }

  count(start = 0, end = SPACE): number {
    return this.bytes.slice(start, end).filter(Boolean).length;
  }
}

const span = fc
  .tuple(fc.nat(SPACE), fc.nat(SPACE))
  .map(([one, other]) => ({ start: Math.min(one, other), end: Math.max(one, other) }));
const operations = fc.array(fc.record({ kind: fc.constantFrom('add', 'add', 'remove'), span }), { maxLength: 30 });

function build(steps: readonly { kind: string; span: ByteRange }[], offset = 0): { set: RangeSet; model: Model } {
  const set = new RangeSet();
  const model = new Model();
  for (const { kind, span } of steps) {
    if (kind === 'add') set.add(offset + span.start, offset + span.end);
    else set.remove(offset + span.start, offset + span.end);
    model.set(span.start, span.end, kind === 'add');
  }
  return { set, model };
}

describe('RangeSet', () => {
  test('toArray() is sorted, disjoint, coalesced and equal to the model when ranges come and go', () => {
    fc.assert(
      fc.property(operations, (steps) => {
        const { set, model } = build(steps);
        expect(set.toArray()).toEqual(model.ranges());
        expect(set.rangeCount).toBe(model.ranges().length);
        expect(set.byteCount).toBe(model.count());
      }),
      runs(1_000),
    );
  });

  test('gaps(), contains() and countWithin() equal the model when any span is asked for', () => {
    fc.assert(
      fc.property(operations, span, (steps, asked) => {
        const { set, model } = build(steps);
        expect(set.gaps(asked.start, asked.end)).toEqual(model.ranges(asked.start, asked.end, false));
        expect(set.countWithin(asked.start, asked.end)).toBe(model.count(asked.start, asked.end));
        expect(set.contains(asked.start, asked.end)).toBe(
          model.count(asked.start, asked.end) === asked.end - asked.start,
        );
      }),
      runs(1_000),
    );
  });

  test('touching() equals the model when any span is asked for', () => {
    fc.assert(
      fc.property(operations, span, (steps, asked) => {
        const { set, model } = build(steps);
        const due = model.ranges().filter(({ start, end }) => end >= asked.start && start <= asked.end);
        expect(set.touching(asked.start, asked.end)).toEqual(due);
      }),
      runs(1_000),
    );
  });

  test('keepOnly() leaves what is in both, and copy() what was there before', () => {
    fc.assert(
      fc.property(operations, operations, (steps, otherSteps) => {
        const { set, model } = build(steps);
        const other = build(otherSteps);
        const before = set.copy();
        set.keepOnly(other.set);
        const both = new Model();
        for (let at = 0; at < SPACE; at++) both.set(at, at + 1, model.bytes[at]! && other.model.bytes[at]!);
        expect(set.toArray()).toEqual(both.ranges());
        expect(set.byteCount).toBe(both.count());
        expect([before.toArray(), before.byteCount]).toEqual([model.ranges(), model.count()]);
      }),
      runs(1_000),
    );
  });

  test('contiguousEnd() and nextKnown() equal the model when any offset is asked for', () => {
    fc.assert(
      fc.property(operations, fc.nat(SPACE + 2), (steps, offset) => {
        const { set, model } = build(steps);
        let end = offset;
        while (model.bytes[end]) end++;
        expect(set.contiguousEnd(offset)).toBe(end);
        const next = model.bytes.indexOf(true, offset);
        expect(set.nextKnown(offset)).toBe(next < 0 ? null : next);
      }),
      runs(1_000),
    );
  });

  test('mergedWith() names the range that add() then makes when they touch or overlap', () => {
    fc.assert(
      fc.property(operations, span, (steps, added) => {
        fc.pre(added.end > added.start);
        const { set } = build(steps);
        const before = set.toArray();
        const merged = set.mergedWith(added.start, added.end);
        expect(set.toArray()).toEqual(before);
        set.add(added.start, added.end);
        expect(set.toArray()).toContainEqual(merged);
        expect(merged.start <= added.start && merged.end >= added.end).toBe(true);
      }),
      runs(1_000),
    );
  });

  test('RangeSet counts exactly when offsets lie beyond 2^31, 2^32 and near 2^53', () => {
    for (const offset of [2 ** 31 - 5, 2 ** 32 - 5, Number.MAX_SAFE_INTEGER - SPACE - 2]) {
      fc.assert(
        fc.property(operations, (steps) => {
          const { set, model } = build(steps, offset);
          const shifted = model.ranges().map((range) => ({ start: range.start + offset, end: range.end + offset }));
          expect(set.toArray()).toEqual(shifted);
          expect(set.byteCount).toBe(model.count());
        }),
        runs(200),
      );
    }
  });

  test('RangeSet.of() makes the same set when ranges come in any order', () => {
    fc.assert(
      fc.property(fc.array(span, { maxLength: 20 }), (spans) => {
        expect(RangeSet.of(spans).toArray()).toEqual(RangeSet.of([...spans].reverse()).toArray());
      }),
      runs(300),
    );
  });

  test('add() and remove() throw when a range ends before it starts', () => {
    expect(() => new RangeSet().add(5, 4)).toThrow('ends before it starts');
    expect(() => new RangeSet().remove(5, 4)).toThrow('ends before it starts');
  });
});
