import { describe, expect, test } from 'bun:test';
import { Priority, type ScheduledFetch } from '../../src/chunks/fetch-scheduler.ts';
import { LarderError } from '../../src/errors.ts';
import { AGEING_MS, DOWNLOADS_REST_MS, FAIR_SLICE_MS, LINE_SHORTAGE_MS } from '../../src/limits.ts';
import { FetchQueue } from '../../src/scheduler/fetch-queue.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { createRandom, testSeed } from '../support/random.ts';

class Work implements ScheduledFetch {
  readonly name: string;
  readonly sourceId: number;
  priority: Priority;
  isPaused = false;
  losesItsPlace = false;
  /** When its first byte came; null while the origin has not answered. */
  openedAtMs: number | null = null;
  yielded = 0;
  started = 0;
  readonly #world: World;

  constructor(world: World, name: string, priority: Priority, sourceId = 1) {
    this.#world = world;
    this.name = name;
    this.priority = priority;
    this.sourceId = sourceId;
  }

  start(): void {
    this.started += 1;
    if (this.#world.answersAtOnce) this.openedAtMs = this.#world.clock.monotonicMs();
    this.#world.order.push(this.name);
  }

  yieldConnection(): void {
    this.yielded += 1;
    this.#world.yielded.push(this.name);
  }
}

class World {
  readonly clock = new FakeClock();
  readonly order: string[] = [];
  answersAtOnce = true;
  readonly yielded: string[] = [];
  readonly queue: FetchQueue;

  constructor(connectionsPerSource = 1, connectionsTotal = 10) {
    this.queue = new FetchQueue({ clock: this.clock, connectionsPerSource, connectionsTotal });
  }

  add(name: string, priority: Priority, sourceId = 1): Work {
    const work = new Work(this, name, priority, sourceId);
    this.queue.enqueue(work);
    return work;
  }
}

const { critical, high, medium, low } = Priority;

const BUSY = new LarderError('origin-busy', 'leave me alone', { originStatus: 429 });

describe('FetchQueue', () => {
  test('enqueue() starts at once when a connection is free', () => {
    const world = new World();
    world.add('a', low);
    expect(world.order).toEqual(['a']);
    expect([world.queue.runningCount, world.queue.waitingCount]).toEqual([1, 0]);
  });

  test('release() starts the most urgent, equals in the order they came', () => {
    const world = new World();
    const all = [world.add('first', critical)];
    for (const [name, priority] of [
      ['low1', low],
      ['medium1', medium],
      ['high1', high],
      ['critical1', critical],
      ['low2', low],
      ['medium2', medium],
      ['high2', high],
      ['critical2', critical],
    ] as const) {
      world.clock.advance(1);
      all.push(world.add(name, priority));
    }
    const expected = ['first', 'critical1', 'critical2', 'high1', 'high2', 'medium1', 'medium2', 'low1', 'low2'];
    for (const name of expected) world.queue.release(all.find((work) => work.name === name)!);
    expect(world.order).toEqual(expected);
    expect([world.queue.runningCount, world.queue.waitingCount]).toEqual([0, 0]);
  });

  test('enqueue() keeps the order of arrival when equals come in the same millisecond', () => {
    const world = new World();
    const all = ['a', 'b', 'c', 'd'].map((name) => world.add(name, high));
    for (const work of all) world.queue.release(work);
    expect(world.order).toEqual(['a', 'b', 'c', 'd']);
  });

  test('reorder() moves the waiting fetch and adds no twin when its priority rose', () => {
    const world = new World();
    const running = world.add('running', critical);
    const others = [world.add('high', high), world.add('raised', low)];
    others[1]!.priority = critical;
    world.queue.reorder(others[1]!);
    world.queue.release(running);
    world.queue.release(others[1]!);
    world.queue.release(others[0]!);
    expect(world.order).toEqual(['running', 'raised', 'high']);
    expect(others.map((work) => work.started)).toEqual([1, 1]);
  });

  test('release() frees exactly one connection when it is called twice, or for what never ran', () => {
    const world = new World(2);
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => world.add(name, high));
    world.queue.release(all[0]!);
    world.queue.release(all[0]!);
    expect(world.order).toEqual(['a', 'b', 'c']);
    world.queue.release(all[4]!);
    expect(world.order).toEqual(['a', 'b', 'c']);
    expect([world.queue.runningCount, world.queue.waitingCount]).toEqual([2, 1]);
  });

  test('enqueue() keeps the limit of each source and of all together', () => {
    const world = new World(2, 3);
    const all = ['a1', 'a2', 'a3'].map((name) => world.add(name, high, 1));
    world.add('b1', high, 2);
    world.add('b2', high, 2);
    expect(world.order).toEqual(['a1', 'a2', 'b1']);
    world.queue.release(all[0]!);
    // a3 came before b2 and its source has a connection free again.
    expect(world.order).toEqual(['a1', 'a2', 'b1', 'a3']);
  });

  test('release() serves another source when the most urgent one has no connection free', () => {
    const world = new World(1, 2);
    world.add('a1', high, 1);
    const other = world.add('b1', high, 2);
    world.add('a2', critical, 1);
    world.add('c1', low, 3);
    world.queue.release(other);
    expect(world.order).toEqual(['a1', 'b1', 'c1']);
  });

  test('enqueue() asks the least urgent back when a reader waits and all connections are taken', () => {
    const world = new World(3);
    world.add('low', low);
    world.add('critical', critical);
    world.add('high', high);
    world.add('waits', critical);
    expect(world.yielded).toEqual(['low']);
    world.clock.advance(100);
    expect(world.yielded).toEqual(['low']);
  });

  test('enqueue() asks one back for each that waits, and none for what nobody waits for', () => {
    const world = new World(3);
    for (const name of ['low1', 'low2', 'low3']) world.add(name, low);
    world.add('high', high);
    world.add('medium', medium);
    expect(world.yielded).toEqual([]);
    world.add('waits1', critical);
    world.add('waits2', critical);
    expect(world.yielded.length).toBe(2);
  });

  test('enqueue() asks a paused fetch back before one that works, when both could go', () => {
    const world = new World(2);
    world.add('works', low);
    const paused = world.add('paused', critical);
    paused.isPaused = true;
    world.add('waits', critical);
    expect(world.yielded).toEqual(['paused']);
  });

  test('enqueue() starts the one who waits when the one asked back is over', () => {
    const world = new World(1);
    const running = world.add('running', low);
    world.add('other', high);
    world.add('waits', critical);
    world.queue.release(running);
    expect(world.order).toEqual(['running', 'waits']);
  });

  test('FetchQueue lets equals take turns when both were critical for a fair slice', () => {
    const world = new World(1);
    world.add('runs', critical);
    world.clock.advance(FAIR_SLICE_MS);
    world.add('waits', critical);
    expect(world.yielded).toEqual([]);
    world.clock.advance(FAIR_SLICE_MS - 1);
    expect(world.yielded).toEqual([]);
    world.clock.advance(501); // one tick
    expect(world.yielded).toEqual(['runs']);
    world.clock.advance(10 * FAIR_SLICE_MS);
    expect(world.yielded).toEqual(['runs']);
  });

  test('FetchQueue takes no turns with what would begin anew: two films without ranges would go on for ever', () => {
    const world = new World(1);
    const running = world.add('without ranges', critical);
    running.losesItsPlace = true;
    world.add('waits', critical);
    world.clock.advance(10 * FAIR_SLICE_MS);
    expect(world.yielded).toEqual([]);
    // Its reader has enough for now, or it is a download: then somebody who waits is worth more.
    running.isPaused = true;
    world.clock.advance(501);
    expect(world.yielded).toEqual(['without ranges']);
  });

  test('FetchQueue has no download rest that would begin anew afterwards', async () => {
    const world = new World(3);
    const download = world.add('without ranges', medium);
    download.losesItsPlace = true;
    world.add('film', critical);
    await world.clock.run(LINE_SHORTAGE_MS + 2 * FAIR_SLICE_MS);
    expect(world.yielded).toEqual([]);
  });

  test('FetchQueue counts a fair slice from the first byte, so that a source that is slow to answer answers somebody', () => {
    const world = new World(1);
    world.answersAtOnce = false;
    const running = world.add('runs', critical);
    world.add('waits', critical);
    world.clock.advance(5 * FAIR_SLICE_MS);
    expect(world.yielded).toEqual([]);
    running.openedAtMs = world.clock.monotonicMs();
    world.clock.advance(FAIR_SLICE_MS + 501);
    expect(world.yielded).toEqual(['runs']);
  });

  test('FetchQueue lifts waiting work with age up to read-ahead and never to where a reader waits', () => {
    const world = new World(1);
    const running = world.add('running', high);
    const old = world.add('old low', low);
    world.clock.advance(2 * AGEING_MS);
    const young = world.add('young high', high);
    world.queue.release(running);
    // Two steps: low stands with high now, and came first.
    expect(world.order).toEqual(['running', 'old low']);
    world.queue.release(old);
    world.add('older low', low);
    world.clock.advance(100 * AGEING_MS);
    world.add('waits', critical);
    world.queue.release(young);
    expect(world.order).toEqual(['running', 'old low', 'young high', 'waits']);
  });

  test('FetchQueue never starves low work when read-ahead keeps coming', () => {
    const world = new World(1);
    let running = world.add('high0', high);
    world.add('low', low);
    for (let index = 1; !world.order.includes('low'); index++) {
      expect(index).toBeLessThan(400);
      const next = world.add(`high${index}`, high);
      world.clock.advance(1_000);
      world.queue.release(running);
      running = next;
    }
    expect(world.clock.monotonicMs()).toBeGreaterThan(AGEING_MS);
  });

  test('pauseSource() starts nothing of the source until the time has come, and lets others go on', () => {
    const world = new World(2);
    world.queue.pauseSource(1, world.clock.monotonicMs() + 5_000, BUSY);
    world.add('a', critical, 1);
    world.add('b', low, 2);
    expect(world.order).toEqual(['b']);
    world.clock.advance(4_999);
    expect(world.order).toEqual(['b']);
    world.clock.advance(501);
    expect(world.order).toEqual(['b', 'a']);
  });

  test('pauseSource() keeps the longer pause when a shorter one is asked for', () => {
    const world = new World();
    const now = world.clock.monotonicMs();
    world.queue.pauseSource(1, now + 5_000, BUSY);
    world.queue.pauseSource(1, now + 1_000, BUSY);
    world.add('a', critical);
    world.clock.advance(4_900);
    expect(world.order).toEqual([]);
  });

  test('FetchQueue has downloads rest while a reader goes on waiting at its connection, and goes on with them later', async () => {
    const world = new World(3);
    const download = world.add('download', medium);
    const other = world.add('of another source', medium, 2);
    const film = world.add('film', critical);
    await world.clock.run(LINE_SHORTAGE_MS / 2);
    expect(world.yielded).toEqual([]);
    await world.clock.run(FAIR_SLICE_MS);
    expect(world.yielded).toEqual(['download']);
    expect(other.yielded).toBe(0);
    expect([1, 2].map((sourceId) => world.queue.downloadsRest(sourceId))).toEqual([true, false]);
    world.queue.release(download);
    const again = world.add('again', medium);
    await world.clock.run(4 * DOWNLOADS_REST_MS);
    expect(again.started).toBe(0);
    film.priority = high;
    world.queue.reorder(film);
    await world.clock.run(DOWNLOADS_REST_MS + 1_000);
    expect(again.started).toBe(1);
    expect(film.yielded).toBe(0);
    expect(world.queue.downloadsRest(1)).toBe(false);
  });

  test('FetchQueue lets downloads be when a reader waits for a moment only, as to start and to seek', async () => {
    const world = new World(3);
    world.add('download', medium);
    await world.clock.run(10_000);
    const film = world.add('film', critical);
    await world.clock.run(LINE_SHORTAGE_MS - 500);
    film.priority = high;
    world.queue.reorder(film);
    await world.clock.run(10_000);
    film.priority = critical;
    world.queue.reorder(film);
    await world.clock.run(LINE_SHORTAGE_MS - 500);
    expect(world.yielded).toEqual([]);
  });

  test('FetchQueue gives a resting download a moment when it has waited long', async () => {
    const world = new World(3);
    world.add('film', critical);
    const download = world.add('download', medium);
    await world.clock.run(LINE_SHORTAGE_MS + FAIR_SLICE_MS + 1_000);
    world.queue.release(download);
    const again = world.add('again', medium);
    await world.clock.run(AGEING_MS - 2_000);
    expect(again.started).toBe(0);
    await world.clock.run(3_000);
    expect([again.started, again.yielded]).toEqual([1, 0]);
    await world.clock.run(FAIR_SLICE_MS + 1_000);
    expect(again.yielded).toBe(1);
  });

  test('FetchQueue sets no timer when nothing waits', () => {
    const world = new World(1);
    const running = world.add('a', critical);
    expect(world.clock.pendingCount).toBe(0);
    const waiting = world.add('b', critical);
    expect(world.clock.pendingCount).toBe(1);
    world.queue.release(waiting);
    expect(world.clock.pendingCount).toBe(0);
    world.queue.release(running);
  });

  test('enqueue() asks back what nobody waits for at another source when all connections together are taken', () => {
    const world = new World(3, 3);
    for (const name of ['a1', 'a2', 'a3']) world.add(name, low, 1);
    world.add('waits', critical, 2);
    world.clock.advance(10_000);
    expect(world.yielded.length).toBe(1);
  });

  test('FetchQueue never exceeds a limit, loses no work and ends empty when anything happens', () => {
    const random = createRandom(testSeed);
    for (let round = 0; round < 100; round++) {
      const world = new World(random.between(1, 3), random.between(1, 5));
      const open = new Set<Work>();
      let count = 0;
      const check = () => {
        const running = [...open].filter((work) => work.started > 0);
        expect(running.every((work) => work.started === 1)).toBe(true);
        expect(running.length).toBe(world.queue.runningCount);
        expect(open.size - running.length).toBe(world.queue.waitingCount);
      };
      for (let step = 0; step < 60; step++) {
        const pick = open.size > 0 ? random.pick([...open]) : null;
        const dice = random.next();
        if (dice < 0.4 || pick === null)
          open.add(world.add(`${count++}`, random.pick(Object.values(Priority)), random.between(1, 3)));
        else if (dice < 0.75) {
          open.delete(pick);
          world.queue.release(pick);
        } else if (dice < 0.85) {
          pick.priority = random.pick(Object.values(Priority));
          world.queue.reorder(pick);
        } else if (dice < 0.9) world.queue.pauseSource(random.between(1, 3), world.clock.monotonicMs() + 1_000, BUSY);
        else world.clock.advance(random.between(1, 3_000));
        // Whoever is asked for its connection gives it back.
        for (const work of [...open].filter((candidate) => candidate.yielded > 0)) {
          open.delete(work);
          world.queue.release(work);
        }
        check();
      }
      for (let turn = 0; open.size > 0; turn++) {
        if (turn > 500) throw new Error(`seed ${testSeed} round ${round}: ${open.size} fetches never started`);
        world.clock.advance(500);
        for (const work of [...open].filter((candidate) => candidate.started > 0)) {
          open.delete(work);
          world.queue.release(work);
        }
      }
      expect([world.queue.runningCount, world.queue.waitingCount, world.clock.pendingCount]).toEqual([0, 0, 0]);
    }
  });
});
