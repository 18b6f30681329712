import { expect, test } from 'bun:test';
import { LarderError } from '../../../src/errors.ts';
import { withDeadline } from '../../../src/sources/jellyfin/deadline.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test('withDeadline() ends work that takes too long, and leaves no timer', async () => {
  const clock = new FakeClock();
  const endless = withDeadline(
    clock,
    (signal) =>
      new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(new LarderError('stopped', 'called off')));
      }),
  ).catch((error: unknown) => error);
  await clock.run(40_000);
  expect(await endless).toMatchObject({ code: 'origin-silent', retry: 'soon' });
  expect(await withDeadline(clock, async () => 5)).toBe(5);
  const failure = withDeadline(clock, () => Promise.reject(new LarderError('not-found', 'gone')));
  expect(await failure.catch((error: unknown) => error)).toMatchObject({ code: 'not-found' });
  expect(clock.pendingCount).toBe(0);
});
