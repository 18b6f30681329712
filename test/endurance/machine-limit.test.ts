import { expect, test } from 'bun:test';
import { figureIn } from './machine-limit.ts';

test('figureIn() finds a figure by its whole name, and 0 where there is none', () => {
  const text = 'cache 12\nrss 345\nrss_huge 6\noom_kill 0\n';
  expect(figureIn(text, 'rss')).toBe(345);
  expect(figureIn(text, 'rss_huge')).toBe(6);
  expect(figureIn(text, 'anon')).toBe(0);
});
