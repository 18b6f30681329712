// A conversion is kept alive while it is wanted, and ended once when it is not, whatever its server answers.
import { expect, test } from 'bun:test';
import { SessionKeeper } from '../../src/chunks/session-keeper.ts';
import type { OriginQuestion, OriginRequest } from '../../src/sources/origin-client.ts';
import type { TranscodeSession } from '../../src/sources/upstream-request.ts';
import { FakeClock, turnLoop } from '../support/fake-clock.ts';

const SESSION: TranscodeSession = {
  pingEveryMs: 20_000,
  ping: { method: 'POST', url: 'http://server/ping?id=1' },
  stop: { method: 'DELETE', url: 'http://server/stop?id=1' },
};

function keeperOf(
  session: TranscodeSession | undefined,
  answer: () => Promise<Response> = async () => new Response('ok'),
) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const request: OriginRequest = {
    url: 'http://server/film.m3u8',
    headers: { authorization: 'secret' },
    baseUrl: 'http://server/',
    local: null,
    ownPort: 0,
    range: null,
    ifRange: null,
    expectsMedia: false,
    ...(session === undefined ? {} : { session }),
  };
  const client = {
    async follow(question: OriginQuestion) {
      asked.push(`${question.method} ${question.url} ${question.headers.authorization}`);
      return { response: await answer(), url: new URL(question.url), isRedirected: false };
    },
  };
  return { keeper: new SessionKeeper(request, { client, clock }), clock, asked };
}

test('it pings as often as the server wants to hear, and says once that it is over', async () => {
  const { keeper, clock, asked } = keeperOf(SESSION);
  keeper.start();
  keeper.start();
  expect(asked).toEqual([]);
  await clock.run(60_000);
  expect(asked).toEqual(Array.from({ length: 3 }, () => 'POST http://server/ping?id=1 secret'));
  await keeper.stop();
  await clock.run(60_000);
  expect(asked.slice(3)).toEqual(['DELETE http://server/stop?id=1 secret']);
  expect(clock.pendingCount).toBe(0);
});

test('a server that is gone is no mistake', async () => {
  const { keeper, clock, asked } = keeperOf(SESSION, () => Promise.reject(new Error('refused')));
  keeper.start();
  await clock.run(40_000);
  await keeper.stop();
  await turnLoop();
  expect(asked).toHaveLength(3);
});

test('what needs no pings or no end is left alone', async () => {
  const { clock, ...without } = keeperOf({ ...SESSION, ping: null, stop: null });
  without.keeper.start();
  expect(clock.pendingCount).toBe(0);
  await without.keeper.stop();
  const none = keeperOf(undefined);
  none.keeper.start();
  await none.keeper.stop();
  expect([without.asked, none.asked, none.clock.pendingCount]).toEqual([[], [], 0]);
});
