// How many connections a file gets: one more is tried when one was watched unhindered, and kept when it brings more.
import { describe, expect, test } from 'bun:test';
import { Acceleration, ConnectionMemory } from '../../src/chunks/acceleration.ts';
import { ACCELERATION_MEMORY_MS, ACCELERATION_RETRY_MS, ACCELERATION_WINDOW_MS } from '../../src/limits.ts';
import { FakeClock } from '../support/fake-clock.ts';

const SOURCE = 1;

function setUp(most = 3) {
  const clock = new FakeClock();
  const memory = new ConnectionMemory(clock, () => most);
  /** Lets `acceleration` see a window in which `bytesPerMs` came over all of its connections. */
  async function watch(
    acceleration: Acceleration,
    bytesPerMs: number,
    { isHeldUp = false, mayTry = true, count = acceleration.helpers + 1 } = {},
  ): Promise<boolean> {
    const running = { count, isHeldUp, mayTry };
    acceleration.progressed(0, running);
    await clock.run(ACCELERATION_WINDOW_MS);
    return acceleration.progressed(bytesPerMs * ACCELERATION_WINDOW_MS, running);
  }
  return { clock, memory, watch, begin: () => new Acceleration(SOURCE, memory) };
}

describe('Acceleration', () => {
  test('adds connections one by one while each brings more, and no more than there may be', async () => {
    const { watch, begin, memory } = setUp();
    const acceleration = begin();
    expect(acceleration.helpers).toBe(0);
    const seen: number[] = [];
    for (const rate of [5_000, 10_000, 15_000, 15_000]) {
      await watch(acceleration, rate);
      seen.push(acceleration.helpers);
    }
    expect(seen).toEqual([1, 2, 2, 2]);
    expect([memory.levelOf(SOURCE), begin().helpers]).toEqual([3, 2]);
  });

  test('takes back one that brings little, and tries again only after a while', async () => {
    const { clock, watch, begin } = setUp();
    const acceleration = begin();
    expect(await watch(acceleration, 5_000)).toBe(true);
    expect(await watch(acceleration, 5_200)).toBe(true);
    expect(acceleration.helpers).toBe(0);
    expect(await watch(acceleration, 5_000)).toBe(false);
    expect(await watch(begin(), 5_000)).toBe(false);
    await clock.run(ACCELERATION_RETRY_MS);
    expect(await watch(acceleration, 5_000)).toBe(true);
  });

  test('judges nothing while a fetch waits for us, while one has no bytes yet, or for who has just begun', async () => {
    const { watch, begin } = setUp();
    const acceleration = begin();
    expect(await watch(acceleration, 5_000, { isHeldUp: true })).toBe(false);
    expect(await watch(acceleration, 5_000, { count: 2 })).toBe(false);
    expect(await watch(acceleration, 5_000, { mayTry: false })).toBe(false);
    expect(acceleration.helpers).toBe(0);
  });

  test('leaves a fast connection alone', async () => {
    const { watch, begin } = setUp();
    expect(await watch(begin(), 100_000)).toBe(false);
  });

  test('what a source was worth is forgotten after a while, when it is changed, and bounded by the setting', async () => {
    const { clock, watch, begin, memory } = setUp();
    const acceleration = begin();
    for (const rate of [5_000, 10_000, 15_000]) await watch(acceleration, rate);
    expect(begin().helpers).toBe(2);
    await clock.run(ACCELERATION_MEMORY_MS + 1);
    expect(begin().helpers).toBe(0);
    const narrow = setUp(1);
    expect(await narrow.watch(narrow.begin(), 5_000)).toBe(false);
    memory.forget(SOURCE);
    expect(memory.levelOf(SOURCE)).toBe(1);
  });
});
