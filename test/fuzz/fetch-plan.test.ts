// The plan of fetches over made-up histories: wants come and go, fetches run, end and are stopped as planned, and what
// DESIGN §6 promises must hold at every step. A failing history is named by its seed.
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { RangeSet } from '../../src/bytes/range-set.ts';
import { type FetchTerms, type LiveFetch, planFetches, type Want } from '../../src/chunks/fetch-plan.ts';
import { Priority } from '../../src/chunks/fetch-scheduler.ts';
import { runs } from '../support/property.ts';
import { createRandom, type Random } from '../support/random.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

interface Live extends LiveFetch {
  position: number;
  requestEnd: number | null;
  bytesPerMs: number | null;
  firstByteMs: number;
  terms: FetchTerms;
}

interface World {
  readonly known: RangeSet;
  live: Live[];
  readonly totalBytes: number | null;
  readonly seekable: boolean;
  /** Connections beside the first one, as a source may turn out to be worth. */
  readonly helpers: number;
}

function randomWant(random: Random, totalBytes: number): Want {
  const start = random.between(0, totalBytes - 1);
  const limit = random.chance(0.4) ? Math.min(totalBytes, start + random.between(1, 8 * MIB)) : null;
  const until = Math.min(limit ?? Number.POSITIVE_INFINITY, start + random.pick([64 * KIB, MIB, 16 * MIB]));
  const slackBytes = random.chance(0.5) ? 0 : Math.floor((until - start) / 2);
  return { start, until, limit, priority: random.pick(Object.values(Priority)), slackBytes };
}

function randomWorld(random: Random): World {
  const totalBytes = random.pick([1, 100 * KIB, 5 * MIB, 64 * MIB]);
  const known = new RangeSet();
  for (let index = random.between(0, 6); index > 0; index--) {
    const start = random.between(0, totalBytes - 1);
    known.add(start, Math.min(totalBytes, start + random.pick([10, 100 * KIB, 3 * MIB])));
  }
  return { known, live: [], totalBytes, seekable: true, helpers: random.pick([0, 0, 1, 2, 5]) };
}

function plan(world: World, wants: readonly Want[]) {
  return planFetches({ ...world, wants });
}

/** Does what the plan says and lets every fetch run on a little; those that came to their end are over. */
function apply(world: World, planned: ReturnType<typeof plan>, random: Random): void {
  world.live = [
    ...[...planned.keep].map(([fetch, terms]) => ({ ...fetch, terms })),
    ...planned.create.map((fetch) => ({ ...fetch, bytesPerMs: null, firstByteMs: 100, terms: { ...fetch } })),
  ];
  for (const fetch of world.live) {
    const to = Math.min(
      fetch.position + random.pick([0, KIB, 200 * KIB, 4 * MIB]),
      fetch.terms.end,
      Math.max(fetch.position, fetch.terms.credit),
    );
    if (to > fetch.position) {
      world.known.add(fetch.position, to);
      fetch.position = to;
      fetch.bytesPerMs = random.pick([1, 100, 10_000, 100_000]);
    }
  }
  world.live = world.live.filter((fetch) => fetch.position < fetch.terms.end);
}

/** Every fetch there will be, with the bytes it will bring. */
function covers(planned: ReturnType<typeof plan>): { start: number; end: number; credit: number }[] {
  const kept = [...planned.keep].map(([fetch, terms]) => ({
    start: fetch.position,
    end: terms.end,
    credit: terms.credit,
  }));
  return [...kept, ...planned.create.map((fetch) => ({ start: fetch.position, end: fetch.end, credit: fetch.credit }))];
}

function histories(
  check: (world: World, wants: readonly Want[], planned: ReturnType<typeof plan>, random: Random) => void,
): void {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const random = createRandom(seed);
      const world = randomWorld(random);
      let wants: Want[] = [];
      for (let step = 0; step < 12; step++) {
        if (random.chance(0.6))
          wants = Array.from({ length: random.between(0, 4) }, () => randomWant(random, world.totalBytes!));
        const planned = plan(world, wants);
        check(world, wants, planned, random);
        apply(world, planned, random);
      }
    }),
    runs(1_000),
  );
}

describe('planFetches()', () => {
  test('invariant 5: planFetches() never lets two fetches cover the same byte, nor one that is known', () => {
    histories((world, _wants, planned) => {
      const all = covers(planned).sort((left, right) => left.start - right.start);
      for (const [index, cover] of all.entries()) {
        expect(world.known.countWithin(cover.start, cover.end)).toBe(0);
        const next = all[index + 1];
        if (next !== undefined) expect(cover.end).toBeLessThanOrEqual(next.start);
      }
    });
  });

  test('planFetches() keeps or stops each fetch and invents none when it plans', () => {
    histories((world, _wants, planned) => {
      expect(new Set([...planned.keep.keys(), ...planned.stop])).toEqual(new Set(world.live));
      expect(planned.keep.size + planned.stop.length).toBe(world.live.length);
    });
  });

  test('planFetches() stops every fetch when nobody wants anything', () => {
    histories((world) => {
      const planned = plan(world, []);
      expect(planned.stop).toEqual(world.live);
      expect(planned.create).toEqual([]);
    });
  });

  test('planFetches() has a fetch that reaches the first gap of each want when its slack does not cover it', () => {
    histories((world, wants, planned) => {
      for (const want of wants) {
        const gap = world.known.contiguousEnd(want.start);
        if (gap >= Math.min(want.until, world.totalBytes!) || gap - want.start > want.slackBytes) continue;
        const carrier = covers(planned).find((cover) => cover.start <= gap && gap < cover.end);
        expect({ want, gap, isCarried: carrier !== undefined && carrier.credit > gap }).toEqual({
          want,
          gap,
          isCarried: true,
        });
      }
    });
  });

  test('planFetches() asks the origin for nothing past the limit when all wants are bounded', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = createRandom(seed);
        const world = randomWorld(random);
        const wants = Array.from({ length: random.between(1, 4) }, () => randomWant(random, world.totalBytes!)).map(
          (want) => {
            const limit = want.limit ?? want.until;
            return { ...want, limit, until: Math.min(want.until, limit) };
          },
        );
        const furthest = Math.max(...wants.map((want) => want.limit));
        for (const fetch of plan(world, wants).create) {
          expect(fetch.requestEnd ?? world.totalBytes!).toBeLessThanOrEqual(Math.max(furthest, 0));
          expect(fetch.requestEnd ?? world.totalBytes!).toBeGreaterThan(fetch.position);
        }
      }),
      runs(2_000),
    );
  });

  test('planFetches() brings every wanted byte in the end when wants stay and fetches run', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = createRandom(seed);
        const world = randomWorld(random);
        const wants = Array.from({ length: random.between(1, 4) }, () => ({
          ...randomWant(random, world.totalBytes!),
          slackBytes: 0,
        }));
        // Slack zero skips known bytes ahead: the want moves on like a reader that has read them.
        for (let step = 0; step < 400; step++) {
          const moving = wants.map((want) => ({ ...want, start: world.known.contiguousEnd(want.start) }));
          const planned = plan(world, moving);
          if (covers(planned).length === 0) break;
          apply(world, planned, random);
        }
        for (const want of wants) {
          expect(world.known.contains(want.start, Math.min(want.until, world.totalBytes!))).toBe(true);
        }
      }),
      runs(300),
    );
  });

  test('planFetches() plans the same when the order of wants is another', () => {
    histories((world, wants, planned) => {
      const again = plan(world, [...wants].reverse());
      const byStart = (list: ReturnType<typeof covers>) => list.sort((left, right) => left.start - right.start);
      const distinct = new Set(wants.map((want) => `${want.priority} ${want.start}`)).size === wants.length;
      if (distinct) expect(byStart(covers(again))).toEqual(byStart(covers(planned)));
    });
  });

  test('planFetches() runs one sequential fetch when the origin has no ranges', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = createRandom(seed);
        const totalBytes = random.chance(0.5) ? null : 20 * MIB;
        const world: World = { known: new RangeSet(), live: [], totalBytes, seekable: false, helpers: 2 };
        for (let step = 0; step < 10; step++) {
          const wants = Array.from({ length: random.between(1, 4) }, () => ({
            ...randomWant(random, 20 * MIB),
            slackBytes: 0,
          }));
          // The first of the wants reads from the start: only known bytes can be read without it.
          // It is the most urgent; unit/fetch-plan.test.ts has the other case.
          const first = { ...wants[0]!, start: 0, until: MIB, limit: null, priority: Priority.critical };
          const planned = plan(world, [first, ...wants]);
          expect(planned.create.every((fetch) => fetch.requestEnd === null)).toBe(true);
          if (world.known.contiguousEnd(0) < MIB) expect(covers(planned).length).toBe(1);
          expect(covers(planned).length).toBeLessThanOrEqual(1);
          apply(world, planned, random);
        }
      }),
      runs(300),
    );
  });
});
