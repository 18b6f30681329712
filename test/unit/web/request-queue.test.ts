import { expect, test } from 'bun:test';
import { REQUEST_SLOT_MS, REQUESTS_AT_ONCE, REQUESTS_WAITING_MAX } from '../../../src/limits.ts';
import { RequestQueue } from '../../../src/web/request-queue.ts';
import { FakeClock, turnLoop } from '../../support/fake-clock.ts';

/** Requests that end when the test says so. */
function requests(queue: RequestQueue) {
  const open: (() => void)[] = [];
  let begun = 0;
  const ask = () =>
    queue.run(() => {
      begun++;
      return new Promise<void>((resolve) => open.push(resolve));
    });
  return { ask, endOne: () => open.shift()?.(), begun: () => begun };
}

async function turn(times: number): Promise<void> {
  for (let done = 0; done < times; done++) await turnLoop();
}

test('a request that comes alone is begun at once', () => {
  const { ask, begun } = requests(new RequestQueue(new FakeClock()));
  void ask();
  expect(begun()).toBe(1);
});

test('one request is begun in a turn of the loop, and no more than the bound are worked on at once', async () => {
  const { ask, begun, endOne } = requests(new RequestQueue(new FakeClock()));
  for (let asked = 0; asked < 2 * REQUESTS_AT_ONCE; asked++) void ask();
  expect(begun()).toBe(1);
  await turn(4 * REQUESTS_AT_ONCE);
  expect(begun()).toBe(REQUESTS_AT_ONCE);
  endOne();
  endOne();
  await turn(4);
  expect(begun()).toBe(REQUESTS_AT_ONCE + 2);
});

test('past those that wait there is no place', async () => {
  const { ask, endOne } = requests(new RequestQueue(new FakeClock()));
  void ask();
  for (let waiting = 0; waiting < REQUESTS_WAITING_MAX; waiting++) expect(ask()).not.toBeNull();
  expect(ask()).toBeNull();
  await turn(2);
  endOne();
  expect(ask()).not.toBeNull();
});

test('who takes long gives the place to another, and is answered all the same', async () => {
  const clock = new FakeClock();
  const { ask, begun, endOne } = requests(new RequestQueue(clock));
  const first = ask();
  for (let asked = 0; asked < REQUESTS_AT_ONCE; asked++) void ask();
  await turn(4 * REQUESTS_AT_ONCE);
  expect(begun()).toBe(REQUESTS_AT_ONCE);
  clock.advance(REQUEST_SLOT_MS);
  await turn(4);
  expect(begun()).toBe(REQUESTS_AT_ONCE + 1);
  endOne();
  expect(await first).toBeUndefined();
  // Its place is not given twice.
  for (let asked = 0; asked < 2 * REQUESTS_AT_ONCE; asked++) void ask();
  await turn(4 * REQUESTS_AT_ONCE);
  expect(begun()).toBeLessThanOrEqual(2 * REQUESTS_AT_ONCE);
});

test('a failure is for who asked, and leaves the place', async () => {
  const queue = new RequestQueue(new FakeClock());
  for (let asked = 0; asked < 2 * REQUESTS_AT_ONCE; asked++) {
    const failed = queue.run(() => Promise.reject(new Error('broken')));
    expect((await failed?.catch((error: unknown) => error)) as Error).toHaveProperty('message', 'broken');
  }
});
