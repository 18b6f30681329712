import { expect, test } from 'bun:test';
import { NameSet } from '../../src/sources/listing/name-set.ts';

test('NameSet knows 100,000 names from as many others, and counts each once', () => {
  const names = new NameSet();
  for (let index = 0; index < 100_000; index += 1) expect(names.add(`Film ${index}.mkv`)).toBe(true);
  for (let index = 0; index < 100_000; index += 997) expect(names.add(`Film ${index}.mkv`)).toBe(false);
  expect(names.size).toBe(100_000);
  for (let index = 0; index < 100_000; index += 1) {
    if (!names.has(`Film ${index}.mkv`) || names.has(`Film ${index}.mp4`)) throw new Error(`wrong about ${index}`);
  }
  expect([new NameSet().has(''), new NameSet().add('')]).toEqual([false, true]);
});
