import { expect, test } from 'bun:test';
import { OnceAnswers } from '../../src/web/once-answers.ts';
import type { ActionResult } from '../../src/web/routes.ts';
import { FakeClock } from '../support/fake-clock.ts';

function done(text: string): ActionResult {
  return { notice: { tone: 'done', text } };
}

test('a form that is sent twice is acted on once, and both get the same answer', async () => {
  const answers = new OnceAnswers(new FakeClock());
  let count = 0;
  const act = async () => done(`act ${++count}`);
  const both = await Promise.all([answers.run(['a', 1], act), answers.run(['a', 1], act)]);
  expect(both).toEqual([done('act 1'), done('act 1')]);
  expect(await answers.run(['a', 1], act)).toEqual(done('act 1'));
  expect(await answers.run(['a', 2], act)).toEqual(done('act 2'));
});

test('what was not done is tried again, and so is what was long ago', async () => {
  const clock = new FakeClock();
  const answers = new OnceAnswers(clock);
  const failed: ActionResult = { notice: { tone: 'failed', text: 'no' } };
  expect(await answers.run('a', async () => failed)).toEqual(failed);
  expect(await answers.run('a', async () => done('first'))).toEqual(done('first'));
  await clock.advance(31_000);
  expect(await answers.run('a', async () => done('later'))).toEqual(done('later'));
});
