// Those who wait for one opening: whose time is over when, and what becomes of the opening.
import { beforeEach, describe, expect, test } from 'bun:test';
import { Openers } from '../../src/chunks/openers.ts';
import type { Opening } from '../../src/chunks/opening.ts';
import { LarderError } from '../../src/errors.ts';
import { READER_WAIT_MAX_MS } from '../../src/limits.ts';
import { FakeClock, turnLoop } from '../support/fake-clock.ts';

let clock: FakeClock;
let said: string[];
let openers: Openers;
let opening: Opening | null;

beforeEach(() => {
  clock = new FakeClock();
  said = [];
  opening = {
    waitError: new LarderError('origin-silent', 'nothing came'),
    cancel: () => said.push('cancel'),
    giveUp: () => said.push('give up'),
  } as unknown as Opening;
  openers = new Openers(clock, () => opening);
});

/** What came of a wait so far. */
function watch(promise: Promise<string>): { result: string } {
  const watched = { result: 'waits' };
  promise.then(
    (value) => {
      watched.result = value;
    },
    (error: LarderError) => {
      watched.result = `${error.code}: ${error.message}`;
    },
  );
  return watched;
}

const never = new Promise<string>(() => undefined);
const { signal } = new AbortController();

describe('Openers', () => {
  test('wait() counts from when it was asked, not from when it is called', async () => {
    const waiting = watch(openers.wait(never, { signal, askedAtMs: clock.monotonicMs() - READER_WAIT_MAX_MS + 100 }));
    await clock.run(99);
    expect(waiting.result).toBe('waits');
    await clock.run(1);
    expect(waiting.result).toBe('origin-silent: nothing came');
    expect(said).toEqual(['give up']);
  });

  test('the opening goes on while one of them waits', async () => {
    const first = watch(openers.wait(never, { signal }));
    clock.advance(1_000);
    const abort = new AbortController();
    const late = watch(openers.wait(never, { signal: abort.signal }));
    expect(openers.waitUntilMs).toBe(clock.monotonicMs() + READER_WAIT_MAX_MS);
    await clock.run(READER_WAIT_MAX_MS - 1_000);
    expect([first.result, late.result]).toEqual(['origin-silent: nothing came', 'waits']);
    expect(said).toEqual([]);
    abort.abort();
    await turnLoop();
    expect(late.result).toStartWith('stopped');
    expect(said).toEqual(['cancel']);
    expect([openers.isEmpty, clock.pendingCount]).toEqual([true, 0]);
  });

  test('one who went away, and one whose time is over, are counted once when the file comes all the same', async () => {
    const loading = Promise.withResolvers<string>();
    const abort = new AbortController();
    void openers.wait(loading.promise, { signal: abort.signal }).catch(() => undefined);
    const second = watch(openers.wait(loading.promise, { signal }));
    abort.abort();
    loading.resolve('a file');
    await turnLoop();
    expect(second.result).toBe('a file');
    expect([openers.isEmpty, clock.pendingCount]).toEqual([true, 0]);
  });

  test('whose signal was aborted before waits for nothing', async () => {
    const abort = new AbortController();
    abort.abort();
    const waiting = watch(openers.wait(never, { signal: abort.signal }));
    await turnLoop();
    expect(waiting.result).toStartWith('stopped');
    expect([openers.isEmpty, clock.pendingCount]).toEqual([true, 0]);
  });

  test('a look-up that takes too long is told, too', async () => {
    opening = null;
    const waiting = watch(openers.wait(never, { signal }));
    await clock.run(READER_WAIT_MAX_MS);
    expect(waiting.result).toStartWith('overloaded: what is kept of the file could not be looked up');
  });
});
