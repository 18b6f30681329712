// What the answers to a person's acts on one entry say, where the engine behind them is slow or does not know.
import { expect, test } from 'bun:test';
import { LarderError } from '../../src/errors.ts';
import { type EntryActionServices, EntryActions } from '../../src/library/entry-actions.ts';
import { entryVerbs } from '../../src/web/entry-words.ts';
import { FakeClock, turnLoop } from '../support/fake-clock.ts';

function actionsWith(recheck: () => Promise<'same' | 'other'>, clock = new FakeClock()): EntryActions {
  const services = {
    manager: { findOpen: () => ({ recheck }) },
    entries: { findAddress: async () => ({ source: 'films', path: 'Film.mkv' }) },
    findSource: (name: string) => (name === 'films' ? {} : undefined),
    clock,
  };
  return new EntryActions(services as unknown as EntryActionServices);
}

test('a check that takes long is answered before the browser gives up, and leaves no timer behind', async () => {
  const clock = new FakeClock();
  const answer = entryVerbs.recheck(
    actionsWith(() => new Promise(() => undefined), clock),
    1,
    ({ path }) => path,
  );
  await turnLoop();
  expect(clock.nextDelayMs).toBeLessThan(15_000);
  await clock.run(15_000);
  expect((await answer).text).toBe('films has not said yet whether Film.mkv is still the same.');
  await actionsWith(async () => 'same', clock).recheck(1);
  expect(clock.pendingCount).toBe(0);
});

test('a check that fails says why, and what to do, in whole sentences', async () => {
  const silent = new LarderError('origin-failed', 'is the network up?', { hint: 'check the line' });
  const answer = await entryVerbs.recheck(
    actionsWith(() => Promise.reject(silent)),
    1,
    ({ path }) => path,
  );
  expect(answer).toEqual({
    tone: 'failed',
    text: 'Whether Film.mkv is still the same, films did not say: is the network up?',
    hint: 'Check the line. What is kept plays on.',
  });
  await expect(actionsWith(() => Promise.reject(new TypeError('a bug'))).recheck(1)).rejects.toThrow('a bug');
});

test('what is larger than the whole cache is not begun to be fetched', async () => {
  const services = {
    entries: {
      findAddress: async () => ({ source: 'films', path: 'Film.mkv' }),
      findSummary: async () => ({ totalBytes: 30_000_000_000 }),
    },
    capBytes: () => 20_000_000_000,
  };
  const actions = new EntryActions(services as unknown as EntryActionServices);
  const words = 'Film.mkv is not fetched: it has 30.0 GB, and the whole cache holds 20.0 GB';
  await expect(actions.fetch(1)).rejects.toMatchObject({ code: 'conflict', message: words });
});
