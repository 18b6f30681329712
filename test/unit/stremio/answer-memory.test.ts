import { describe, expect, test } from 'bun:test';
import { AnswerMemory } from '../../../src/sources/stremio/answer-memory.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function counting(memory: AnswerMemory<number>, keepMs = 1_000) {
  let asked = 0;
  const get = (key: string, isFresh = false) =>
    memory.get(key, isFresh, async () => {
      asked += 1;
      return { value: asked, keepMs };
    });
  return { get, asked: () => asked };
}

describe('AnswerMemory', () => {
  test('get() asks once while an answer is good, and once for all who ask at the same time', async () => {
    const clock = new FakeClock();
    const { get, asked } = counting(new AnswerMemory(clock, 10));
    expect(await Promise.all([get('a'), get('a'), get('a', true)])).toEqual([1, 1, 1]);
    clock.advance(999);
    expect(await get('a')).toBe(1);
    clock.advance(1);
    expect(await get('a')).toBe(2);
    expect(await get('a', true)).toBe(3);
    expect(asked()).toBe(3);
  });

  test('get() remembers no failure, and nothing that is good for no time', async () => {
    const memory = new AnswerMemory<number>(new FakeClock(), 10);
    const failing = memory.get('a', false, async () => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    const { get } = counting(memory, 0);
    expect([await get('a'), await get('a')]).toEqual([1, 2]);
    expect(memory.peek('a')).toBeUndefined();
  });

  test('get() forgets what was not used for longest', async () => {
    const { get } = counting(new AnswerMemory(new FakeClock(), 2));
    await get('a');
    await get('b');
    await get('a');
    await get('c');
    expect([await get('a'), await get('b')]).toEqual([1, 4]);
  });

  test('clear() lets what is under way end, and remembers nothing of it', async () => {
    const memory = new AnswerMemory<number>(new FakeClock(), 10);
    const late = Promise.withResolvers<number>();
    const before = memory.get('a', false, async () => ({ value: await late.promise, keepMs: 1_000 }));
    memory.clear();
    const after = memory.get('a', false, async () => ({ value: 2, keepMs: 1_000 }));
    late.resolve(1);
    expect([await before, await after, memory.peek('a')]).toEqual([1, 2, 2]);
  });
});
