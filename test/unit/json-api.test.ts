// Answers that are made to cost more than any answer does.
import { expect, test } from 'bun:test';
import { askJson } from '../../src/sources/json-api.ts';
import { FakeClock } from '../support/fake-clock.ts';

function ask(text: string): Promise<unknown> {
  const question = { url: 'http://h/', headers: {}, baseUrl: 'http://h/', local: null };
  const client = {
    follow: async () => ({ response: new Response(text), url: new URL('http://h/'), isRedirected: false }),
  };
  const services = { client, ownPort: () => 0, clock: new FakeClock() };
  return askJson(question, services, new AbortController().signal).then(
    ({ body }) => body,
    (error: { code?: unknown }) => error.code,
  );
}

test('askJson() takes a large answer, and none that would fill the memory or the stack', async () => {
  expect(await ask(JSON.stringify(Array.from({ length: 100_000 }, (_, id) => ({ id }))))).toHaveLength(100_000);
  expect(await ask(`[${'{},'.repeat(2_000_000)}{}]`)).toBe('origin-lied');
  expect(await ask(`${'['.repeat(1_500_000)}`)).toBe('origin-lied');
  expect(await ask(`${'['.repeat(900_000)}${']'.repeat(900_000)}`)).not.toBeUndefined();
});
